#pragma once
// A subcommand's options, over CLI11, which only options.cc includes (it is slow to compile).
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace egret::cli {

class Options {
 public:
  // usage: what stands after "egret NAME"; summary: one sentence; more: paragraphs under the options (examples).
  Options(std::string_view name, std::string_view summary, std::string_view more = {});
  ~Options();
  // names: "-f,--format"; placeholder in the help: "FILE".
  Options& flag(std::string_view names, bool& into, std::string_view doc);
  Options& value(std::string_view names, std::string& into, std::string_view placeholder, std::string_view doc);
  Options& value(std::string_view names, int64_t& into, std::string_view placeholder, std::string_view doc);
  Options& values(std::string_view names, std::vector<std::string>& into, std::string_view placeholder,
                  std::string_view doc);  // repeatable
  Options& choice(std::string_view names, std::string& into, std::vector<std::string> choices, std::string_view doc);
  Options& argument(std::string_view placeholder, std::string& into, std::string_view doc, bool required);
  Options& arguments(std::string_view placeholder, std::vector<std::string>& into, std::string_view doc, bool required);

  // Nothing: go on. Otherwise the exit code: 0 after --help, 2 after a usage error, which has been printed with a near name.
  std::optional<int> parse(const std::vector<std::string>& args);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace egret::cli
