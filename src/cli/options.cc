#include "cli/options.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/command.h"

namespace egret::cli {

struct Options::Impl {
  CLI::App app;
  std::vector<std::string> long_names;

  CLI::Option* remember(CLI::Option* option, std::string_view names) {
    for (const std::string& n : split(names, ','))
      if (n.starts_with("--")) long_names.push_back(n);
    return option;
  }
};

Options::Options(std::string_view name, std::string_view summary, std::string_view more) : impl_(std::make_unique<Impl>()) {
  impl_->app.name(name.starts_with("egret-") ? std::string(name) : fmt::format("egret {}", name));
  impl_->app.description(std::string(summary));
  impl_->app.footer(std::string(more));
  impl_->long_names.push_back("--help");
}
Options::~Options() = default;

Options& Options::flag(std::string_view names, bool& into, std::string_view doc) {
  impl_->remember(impl_->app.add_flag(std::string(names), into, std::string(doc)), names);
  return *this;
}
Options& Options::value(std::string_view names, std::string& into, std::string_view placeholder, std::string_view doc) {
  impl_->remember(impl_->app.add_option(std::string(names), into, std::string(doc)), names)->option_text(std::string(placeholder));
  return *this;
}
Options& Options::value(std::string_view names, int64_t& into, std::string_view placeholder, std::string_view doc) {
  impl_->remember(impl_->app.add_option(std::string(names), into, std::string(doc)), names)->option_text(std::string(placeholder));
  return *this;
}
Options& Options::values(std::string_view names, std::vector<std::string>& into, std::string_view placeholder, std::string_view doc) {
  impl_->remember(impl_->app.add_option(std::string(names), into, std::string(doc)), names)
      ->option_text(std::string(placeholder))
      ->allow_extra_args(false);
  return *this;
}
Options& Options::choice(std::string_view names, std::string& into, std::vector<std::string> choices, std::string_view doc) {
  const std::string text = join(choices, "|");
  impl_->remember(impl_->app.add_option(std::string(names), into, std::string(doc)), names)
      ->check(CLI::IsMember(std::move(choices)))
      ->option_text(text);
  return *this;
}
Options& Options::argument(std::string_view placeholder, std::string& into, std::string_view doc, bool required) {
  impl_->app.add_option(std::string(placeholder), into, std::string(doc))->required(required)->option_text(" ");
  return *this;
}
Options& Options::arguments(std::string_view placeholder, std::vector<std::string>& into, std::string_view doc, bool required) {
  impl_->app.add_option(std::string(placeholder), into, std::string(doc))->required(required)->option_text("...");
  return *this;
}

std::optional<int> Options::parse(const std::vector<std::string>& args) {
  std::vector<std::string> reversed(args.rbegin(), args.rend());
  try {
    impl_->app.parse(reversed);
    return {};
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", impl_->app.help());
    return kDone;
  } catch (const CLI::ParseError& e) {
    fmt::print(stderr, "{}: {}\n", impl_->app.get_name(), e.what());
    for (const std::string& a : args) {
      const std::string name = a.substr(0, a.find('='));
      if (!name.starts_with("--") || std::find(impl_->long_names.begin(), impl_->long_names.end(), name) != impl_->long_names.end())
        continue;
      if (const std::string near = near_name(name, impl_->long_names); !near.empty()) fmt::print(stderr, "  did you mean {}?\n", near);
    }
    fmt::print(stderr, "  see {} --help\n", impl_->app.get_name());
    return kWrongUsage;
  }
}

}  // namespace egret::cli
