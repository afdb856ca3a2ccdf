#include "labpod/script.h"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "labpod/roles.h"

namespace egret::labpod {
namespace {

bool number(std::string_view text, double& out) {
  const std::string s(text);
  char* end = nullptr;
  out = std::strtod(s.c_str(), &end);
  return !s.empty() && *end == '\0' && std::isfinite(out) && out >= 0;
}

bool span(std::string_view text, Span& out) {
  const size_t dots = text.find("..");
  if (dots == std::string_view::npos) {
    const bool ok = number(text, out.low);
    out.high = out.low;
    return ok;
  }
  return number(text.substr(0, dots), out.low) && number(text.substr(dots + 2), out.high) && out.low <= out.high;
}

bool set(Step& s, std::string_view key, std::string_view value) {
  double n = 0;
  if (key == "start") return span(value, s.start);
  if (key == "every") return span(value, s.every);
  if (key == "out") return span(value, s.out);
  if (key == "in") return span(value, s.in);
  if (key == "hold") return span(value, s.hold);
  if (key == "name") return s.name = value, true;
  if (key == "address") return s.address = value, true;
  if (key == "from") return s.from = value, true;
  if (key == "when") return s.when = value, true;
  if (key == "method") return s.method = value, true;
  if (key == "path") return s.path = value, true;
  if (!number(value, n)) return false;
  if (key == "scattered") return s.scattered = n != 0, true;
  if (key == "count") return s.count = static_cast<int>(n), true;
  if (key == "port") return s.port = static_cast<uint16_t>(n), n < 65536;
  if (key == "tunnel") return s.tunnel = n != 0, true;
  if (key == "tls") return s.tls = n != 0, true;
  if (key == "udp") return s.udp = n != 0, true;
  if (key == "six") return s.six = n != 0, true;
  return false;
}

}  // namespace

Result<std::vector<Step>> parse_script(std::string_view text) {
  std::vector<Step> steps;
  int line_number = 0;
  for (const std::string& line : split(text, '\n')) {
    ++line_number;
    if (trim(line).empty() || line[0] == '#') continue;
    Step s;
    for (const std::string& word : split(trim(line), ' ')) {
      const size_t equals = word.find('=');
      if (equals == std::string::npos || !set(s, std::string_view(word).substr(0, equals), std::string_view(word).substr(equals + 1)))
        return usage_error(fmt::format("line {}: '{}' is no word of a script", line_number, word));
    }
    if (s.name.empty() && s.address.empty()) return usage_error(fmt::format("line {}: neither name nor address", line_number));
    steps.push_back(std::move(s));
  }
  return steps;
}

Result<std::vector<Step>> script_from(const Arguments& arguments) {
  const std::string path = arguments.text("script");
  if (path.empty()) return std::vector<Step>{};
  std::ifstream file(path);
  if (!file) return unavailable(fmt::format("{} cannot be read", path));
  std::stringstream text;
  text << file.rdbuf();
  return parse_script(text.str());
}

}  // namespace egret::labpod
