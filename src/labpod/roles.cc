#include "labpod/roles.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

namespace egret::labpod {

Result<Arguments> Arguments::parse(std::span<char*> words) {
  Arguments a;
  for (size_t i = 0; i < words.size(); i += 2) {
    const std::string_view key = words[i];
    if (!key.starts_with("--") || i + 1 == words.size()) return usage_error(fmt::format("'{}' is no --key with a value", key));
    a.values_.emplace(key.substr(2), words[i + 1]);
  }
  return a;
}

std::string Arguments::text(std::string_view key, std::string_view otherwise) const {
  const auto at = values_.find(key);
  return at == values_.end() ? std::string(otherwise) : at->second;
}

int64_t Arguments::number(std::string_view key, int64_t otherwise) const {
  const auto at = values_.find(key);
  if (at == values_.end()) return otherwise;
  int64_t n = 0;
  const auto [end, ec] = std::from_chars(at->second.data(), at->second.data() + at->second.size(), n);
  if (ec != std::errc{} || *end != '\0') std::exit(give_up(Error{ErrorKind::kUsage, fmt::format("--{} is no number", key), {}}));
  return n;
}

std::vector<std::string> Arguments::all(std::string_view key) const {
  std::vector<std::string> found;
  const auto [from, to] = values_.equal_range(key);
  for (auto i = from; i != to; ++i) found.push_back(i->second);
  return found;
}

std::span<const Role> roles() {
  static constexpr Role kRoles[] = {
      {"resolver", "answers DNS by a zone file", resolver},
      {"web", "hosts of the internet, HTTP, TLS and UDP", web},
      {"c2", "a command-and-control host", c2},
      {"metadata", "the metadata service of the cloud", metadata},
      {"shop", "a web service that fetches what it is told", shop},
      {"client", "connects by a script and writes down what it did", client},
      {"agent", "a client that looks for its own endpoint first", agent},
      {"border", "writes down the flows that pass a bridge", border},
      {"pause", "does nothing", pause},
  };
  return kRoles;
}

int pause(const Arguments&) {
  for (;;) ::pause();
}

int give_up(const Error& error) {
  fmt::print(stderr, "egret-lab-pod: {}\n", error.message);
  return error.kind == ErrorKind::kUsage ? 2 : 3;
}

}  // namespace egret::labpod
