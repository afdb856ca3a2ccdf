#include "incident/mask.h"

#include <re2/re2.h>

namespace egret::incident {

namespace {

struct Rule {
  RE2 pattern;
  const char* with;
};

const Rule* rules(size_t& count) {
  static const Rule all[] = {
      // JSON web tokens, wherever they stand
      {RE2(R"(\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?)"), "[secret]"},
      // Authorization: Bearer …, Basic …
      {RE2(R"((?i)\b(bearer|basic)(\s+|%20)[A-Za-z0-9+/_.=~-]{8,})"), "\\1 [secret]"},
      // name=value and "name": "value" whose name says that it is secret; the value ends at a separator
      {RE2(R"re((?i)((?:password|passwd|pwd|secret|client_secret|token|access_token|refresh_token|id_token|api[_-]?key|apikey|accountkey|sharedaccesskey|access[_-]?key|private[_-]?key|sig|signature)["']?\s*(?:=|:|%3d|%3a)\s*["']?)[^\s&"',;]{3,})re"),
       "\\1[secret]"},
      // user:password@host
      {RE2(R"(://[^/\s:@]{1,100}:[^/\s@]{1,200}@)"), "://[secret]@"},
      // AWS key ids, GitHub and Slack tokens
      {RE2(R"(\b(?:AKIA|ASIA)[A-Z0-9]{16}\b)"), "[secret]"},
      {RE2(R"(\b(?:gh[pousr]_[A-Za-z0-9]{20,}|xox[abprs]-[A-Za-z0-9-]{10,}|sk-[A-Za-z0-9]{20,}))"), "[secret]"},
      {RE2(R"(-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*-----END [A-Z ]*PRIVATE KEY-----)"), "[secret]"},
      // people
      {RE2(R"([A-Za-z0-9._%+-]+@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}))"), "[person]@\\1"},
  };
  count = std::size(all);
  return all;
}

}  // namespace

std::string mask(std::string_view text) {
  std::string out(text);
  size_t count = 0;
  const Rule* all = rules(count);
  for (size_t i = 0; i < count; ++i) RE2::GlobalReplace(&out, all[i].pattern, all[i].with);
  return out;
}

}  // namespace egret::incident
