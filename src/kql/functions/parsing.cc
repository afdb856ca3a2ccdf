// Texts with a structure: URLs, paths, command lines, versions, CSV, XML, user agents.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/encoding.h"
#include "base/json.h"
#include "base/text.h"
#include "kql/functions/json.h"
#include "kql/functions/list.h"
#include "kql/functions/tables.h"

namespace egret::kql {
namespace {

using functions::ArrayOut;
using functions::ObjectOut;
using model::Type;

// What would not be text is left as it was.
std::string percent_decoded_text(std::string_view s) {
  std::string out = percent_decoded(s);
  return is_valid_utf8(out) ? out : std::string(s);
}

std::string query_bag(std::string_view query) {
  std::string buffer;
  ObjectOut bag(buffer);
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    const std::string_view value = equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
    bag.add(json_quote(percent_decoded_text(pair.substr(0, equals))), json_quote(percent_decoded_text(value)));
  }
  bag.done();
  return buffer;
}

void parse_url(const Args& a, Out& out) {
  std::string_view s = a.text(0);
  std::string_view scheme, host, port, path, user, password, query, fragment;
  if (const size_t at = s.find("://"); at != std::string_view::npos) {
    scheme = s.substr(0, at);
    s.remove_prefix(at + 3);
  } else {
    return out.null();
  }
  if (const size_t at = s.find('#'); at != std::string_view::npos) fragment = s.substr(at + 1), s = s.substr(0, at);
  if (const size_t at = s.find('?'); at != std::string_view::npos) query = s.substr(at + 1), s = s.substr(0, at);
  if (const size_t at = s.find('/'); at != std::string_view::npos) path = s.substr(at), s = s.substr(0, at);
  if (const size_t at = s.rfind('@'); at != std::string_view::npos) {
    user = s.substr(0, at);
    s.remove_prefix(at + 1);
    if (const size_t colon = user.find(':'); colon != std::string_view::npos)
      password = user.substr(colon + 1), user = user.substr(0, colon);
  }
  const size_t colon = s.rfind(':');
  if (colon != std::string_view::npos && s.find(']', colon) == std::string_view::npos) port = s.substr(colon + 1), s = s.substr(0, colon);
  host = s;
  ObjectOut bag(out.scratch);
  const std::string parameters = query_bag(query);
  for (const auto& [key, value] : {std::pair{"\"Scheme\"", scheme},
                                   {"\"Host\"", host},
                                   {"\"Port\"", port},
                                   {"\"Path\"", path},
                                   {"\"Username\"", user},
                                   {"\"Password\"", password}})
    bag.add(key, json_quote(value));
  bag.add("\"Query Parameters\"", parameters);
  bag.add("\"Fragment\"", json_quote(fragment));
  out.text(bag.done());
}

void parse_urlquery(const Args& a, Out& out) {
  std::string_view s = a.text(0);
  if (s.starts_with('?')) s.remove_prefix(1);
  ObjectOut bag(out.scratch);
  bag.add("\"Query Parameters\"", query_bag(s));
  out.text(bag.done());
}

// One record of RFC 4180; the rest after a line end is not looked at.
void parse_csv(const Args& a, Out& out) {
  const std::string_view s = a.text(0);
  ArrayOut list(out.scratch);
  std::string field;
  bool quoted = false;
  for (size_t i = 0; i <= s.size(); ++i) {
    if (quoted && i < s.size()) {
      if (s[i] != '"') {
        field += s[i];
      } else if (i + 1 < s.size() && s[i + 1] == '"') {
        field += s[++i];
      } else {
        quoted = false;
      }
    } else if (i == s.size() || s[i] == ',' || s[i] == '\n') {
      if (i < s.size() && s[i] == '\n' && field.ends_with('\r')) field.pop_back();
      list.add(json_quote(field));
      field.clear();
      if (i < s.size() && s[i] == '\n') break;
    } else if (s[i] == '"' && field.empty()) {
      quoted = true;
    } else {
      field += s[i];
    }
  }
  out.text(list.done());
}

// "1.2.3.4": up to four numbers of up to eight digits, as one comparable number.
void parse_version(const Args& a, Out& out) {
  const std::vector<std::string> parts = split(trim(a.text(0)), '.');
  if (parts.empty() || parts.size() > 4) return out.null();
  unsigned __int128 v = 0;
  for (size_t i = 0; i < 4; ++i) {
    uint64_t n = 0;
    if (i < parts.size()) {
      if (parts[i].empty() || parts[i].size() > 8 || parts[i].find_first_not_of("0123456789") != std::string::npos) return out.null();
      n = std::stoull(parts[i]);
    }
    v = v * 100'000'000 + n;
  }
  out.real(static_cast<double>(v));
}

void parse_path(const Args& a, Out& out) {
  const std::string_view s = a.text(0);
  std::string_view rest = s, scheme, root, directory, stream;
  if (const size_t at = rest.find("://"); at != std::string_view::npos) scheme = rest.substr(0, at), rest.remove_prefix(at + 3);
  if (rest.size() >= 2 && rest[1] == ':' && std::isalpha(static_cast<unsigned char>(rest[0]))) root = rest.substr(0, 2);
  const size_t slash = rest.find_last_of("/\\");
  std::string_view file = slash == std::string_view::npos ? rest : rest.substr(slash + 1);
  directory = slash == std::string_view::npos ? std::string_view{} : rest.substr(0, slash);
  const size_t inner = directory.find_last_of("/\\");
  std::string_view directory_name = inner == std::string_view::npos ? directory : directory.substr(inner + 1);
  if (directory_name == root) directory_name = {};
  if (const size_t colon = file.find(':'); colon != std::string_view::npos) stream = file.substr(colon + 1), file = file.substr(0, colon);
  const size_t dot = file.rfind('.');
  const std::string_view extension = dot == std::string_view::npos ? std::string_view{} : file.substr(dot + 1);
  ObjectOut bag(out.scratch);
  for (const auto& [key, value] : {std::pair{"\"Scheme\"", scheme},
                                   {"\"RootPath\"", root},
                                   {"\"DirectoryPath\"", directory},
                                   {"\"DirectoryName\"", directory_name},
                                   {"\"Filename\"", file},
                                   {"\"Extension\"", extension},
                                   {"\"AlternateDataStreamName\"", stream}})
    bag.add(key, json_quote(value));
  out.text(bag.done());
}

// As Windows splits a command line.
void parse_command_line(const Args& a, Out& out) {
  const std::string_view s = a.text(0);
  ArrayOut list(out.scratch);
  size_t i = 0;
  bool any = false;
  while (true) {
    while (i < s.size() && (s[i] == ' ' || s[i] == '\t')) ++i;
    if (i >= s.size()) break;
    std::string word;
    bool quoted = false;
    for (; i < s.size() && (quoted || (s[i] != ' ' && s[i] != '\t')); ++i) {
      size_t slashes = 0;
      while (i < s.size() && s[i] == '\\') ++slashes, ++i;
      if (i < s.size() && s[i] == '"') {
        word.append(slashes / 2, '\\');
        if (slashes % 2) {
          word += '"';
        } else {
          quoted = !quoted;
        }
      } else {
        word.append(slashes, '\\');
        if (i >= s.size()) break;
        if (!quoted && (s[i] == ' ' || s[i] == '\t')) break;
        word += s[i];
      }
    }
    any = true;
    list.add(json_quote(word));
  }
  list.done();
  any ? out.text(out.scratch) : out.null();
}

// ---- XML to JSON: elements become members, repeated ones arrays, attributes members with "@", text "#text" ----

class Xml {
 public:
  explicit Xml(std::string_view s) : s_(s) {}

  std::optional<std::string> document() {
    skip_misc();
    std::string name, value;
    if (!element(name, value, 0)) return {};
    skip_misc();
    if (at_ != s_.size()) return {};
    return "{" + json_quote(name) + ":" + value + "}";
  }

 private:
  void skip_misc() {
    while (true) {
      while (at_ < s_.size() && std::isspace(static_cast<unsigned char>(s_[at_]))) ++at_;
      if (starts("<?"))
        skip_past("?>");
      else if (starts("<!--"))
        skip_past("-->");
      else if (starts("<!DOCTYPE"))
        skip_past(">");
      else
        return;
    }
  }
  bool starts(std::string_view t) const { return s_.substr(at_).starts_with(t); }
  void skip_past(std::string_view t) {
    const size_t end = s_.find(t, at_);
    at_ = end == std::string_view::npos ? s_.size() : end + t.size();
  }
  std::string name() {
    const size_t from = at_;
    while (at_ < s_.size() && !std::isspace(static_cast<unsigned char>(s_[at_])) && s_[at_] != '>' && s_[at_] != '/' && s_[at_] != '=' &&
           s_[at_] != '<')
      ++at_;
    return std::string(s_.substr(from, at_ - from));
  }
  static std::string unescaped(std::string_view s) {
    std::string out;
    for (size_t i = 0; i < s.size(); ++i) {
      const size_t end = s[i] == '&' ? s.find(';', i) : std::string_view::npos;
      if (end == std::string_view::npos || end - i > 8) {
        out += s[i];
        continue;
      }
      const std::string_view e = s.substr(i + 1, end - i - 1);
      if (e == "lt")
        out += '<';
      else if (e == "gt")
        out += '>';
      else if (e == "amp")
        out += '&';
      else if (e == "quot")
        out += '"';
      else if (e == "apos")
        out += '\'';
      else
        out += s.substr(i, end - i + 1);
      i = end;
    }
    return out;
  }
  bool element(std::string& tag, std::string& value, int depth) {
    if (depth > 100 || at_ >= s_.size() || s_[at_] != '<') return false;
    ++at_;
    tag = name();
    if (tag.empty()) return false;
    std::vector<std::pair<std::string, std::vector<std::string>>> members;
    const auto add = [&](const std::string& key, std::string v) {
      for (auto& [k, values] : members)
        if (k == key) return values.push_back(std::move(v));
      members.push_back({key, {std::move(v)}});
    };
    bool attributes = false;
    while (true) {
      while (at_ < s_.size() && std::isspace(static_cast<unsigned char>(s_[at_]))) ++at_;
      if (at_ >= s_.size()) return false;
      if (s_[at_] == '>' || s_[at_] == '/') break;
      const std::string key = name();
      if (key.empty() || at_ >= s_.size() || s_[at_] != '=') return false;
      ++at_;
      if (at_ >= s_.size() || (s_[at_] != '"' && s_[at_] != '\'')) return false;
      const size_t end = s_.find(s_[at_], at_ + 1);
      if (end == std::string_view::npos) return false;
      add("@" + key, json_quote(unescaped(s_.substr(at_ + 1, end - at_ - 1))));
      attributes = true;
      at_ = end + 1;
    }
    std::string text;
    bool children = false;
    if (starts("/>")) {
      at_ += 2;
    } else {
      ++at_;
      while (true) {
        if (at_ >= s_.size()) return false;
        if (starts("</")) {
          at_ += 2;
          if (name() != tag) return false;
          skip_past(">");
          break;
        }
        if (starts("<![CDATA[")) {
          const size_t end = s_.find("]]>", at_);
          if (end == std::string_view::npos) return false;
          text += s_.substr(at_ + 9, end - at_ - 9);
          at_ = end + 3;
        } else if (starts("<!--")) {
          skip_past("-->");
        } else if (s_[at_] == '<') {
          std::string child, inner;
          if (!element(child, inner, depth + 1)) return false;
          add(child, std::move(inner));
          children = true;
        } else {
          const size_t end = std::min(s_.find('<', at_), s_.size());
          text += unescaped(s_.substr(at_, end - at_));
          at_ = end;
        }
      }
    }
    const std::string_view trimmed = trim(text);
    if (!attributes && !children) {
      value = trimmed.empty() && text.empty() ? "null" : json_quote(trimmed);
      return true;
    }
    if (!trimmed.empty()) add("#text", json_quote(trimmed));
    ObjectOut bag(value);
    for (auto& [key, values] : members) {
      if (values.size() == 1) {
        bag.add(json_quote(key), values[0]);
        continue;
      }
      std::string list;
      ArrayOut array(list);
      for (const std::string& v : values) array.add(v);
      bag.add(json_quote(key), array.done());
    }
    bag.done();
    return true;
  }

  std::string_view s_;
  size_t at_ = 0;
};

void parse_xml(const Args& a, Out& out) {
  const auto json = Xml(a.text(0)).document();
  json ? out.text(*json) : out.null();
}

// ---- user agents: the common families, most specific first ----

struct Family {
  std::string_view mark, name;
};
constexpr Family kBrowsers[] = {{"Edg/", "Edge"},
                                {"Edge/", "Edge"},
                                {"OPR/", "Opera"},
                                {"SamsungBrowser/", "Samsung Internet"},
                                {"CriOS/", "Chrome Mobile iOS"},
                                {"FxiOS/", "Firefox iOS"},
                                {"Firefox/", "Firefox"},
                                {"Chrome/", "Chrome"},
                                {"Version/", "Safari"},
                                {"MSIE ", "IE"},
                                {"rv:", "IE"},
                                {"curl/", "curl"},
                                {"Wget/", "Wget"},
                                {"python-requests/", "Python Requests"},
                                {"Go-http-client/", "Go-http-client"},
                                {"okhttp/", "okhttp"}};
constexpr Family kSystems[] = {{"Windows NT ", "Windows"}, {"Android ", "Android"}, {"iPhone OS ", "iOS"}, {"CPU OS ", "iOS"},
                               {"Mac OS X ", "Mac OS X"},  {"Linux", "Linux"},      {"CrOS", "Chrome OS"}};

std::string version_json(std::string_view name, std::string_view rest) {
  std::vector<std::string> numbers;
  for (size_t i = 0; i < rest.size() && numbers.size() < 4;) {
    const size_t from = i;
    while (i < rest.size() && rest[i] >= '0' && rest[i] <= '9') ++i;
    if (i == from) break;
    numbers.emplace_back(rest.substr(from, i - from));
    if (i < rest.size() && (rest[i] == '.' || rest[i] == '_'))
      ++i;
    else
      break;
  }
  const auto part = [&](size_t k) { return json_quote(k < numbers.size() ? std::string_view(numbers[k]) : std::string_view{}); };
  return fmt::format("{{\"Family\":{},\"MajorVersion\":{},\"MinorVersion\":{},\"Patch\":{}}}", json_quote(name), part(0), part(1), part(2));
}

std::string family_of(std::string_view s, std::span<const Family> families) {
  for (const Family& f : families)
    if (const size_t at = s.find(f.mark); at != std::string_view::npos) return version_json(f.name, s.substr(at + f.mark.size()));
  return version_json("Other", {});
}

void parse_user_agent(const Args& a, Out& out) {
  const std::string_view s = a.text(0);
  ObjectOut bag(out.scratch);
  const auto wants = [&](std::string_view what) { return a.null(1) || a.text(1).find(what) != std::string_view::npos; };
  if (wants("browser")) bag.add("\"Browser\"", family_of(s, kBrowsers));
  if (wants("os")) bag.add("\"OperatingSystem\"", family_of(s, kSystems));
  if (wants("device")) {
    const std::string_view device = s.find("iPhone") != std::string_view::npos ? "iPhone"
                                    : s.find("iPad") != std::string_view::npos ? "iPad"
                                                                               : "Other";
    bag.add("\"Device\"",
            fmt::format("{{\"Family\":\"{0}\",\"Brand\":\"{1}\",\"Model\":\"{1}\"}}", device, device == "Other" ? "" : "Apple"));
  }
  out.text(bag.done());
}

constexpr Native kNatives[] = {
    native<parse_url>("k_parse_url", "s>d"),   native<parse_urlquery>("k_parse_urlquery", "s>d"),
    native<parse_csv>("k_parse_csv", "s>d"),   native<parse_version>("k_parse_version", "s>r"),
    native<parse_path>("k_parse_path", "s>d"), native<parse_command_line>("k_parse_command_line", "s>d"),
    native<parse_xml>("k_parse_xml", "s>d"),   native<parse_user_agent>("k_parse_user_agent", "sD>d"),
};

constexpr ScalarFunction kRows[] = {
    {.name = "parse_url",
     .syntax = "parse_url(text)",
     .doc = "A bag with Scheme, Host, Port, Path, Username, Password, Query Parameters, Fragment.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>d",
     .sql = "k_parse_url({0})"},
    {.name = "parseurl",
     .syntax = "parseurl(text)",
     .doc = "The same as parse_url.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>d",
     .sql = "k_parse_url({0})",
     .replaced_by = "parse_url"},
    {.name = "parse_urlquery",
     .syntax = "parse_urlquery(text)",
     .doc = "A bag with Query Parameters.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>d",
     .sql = "k_parse_urlquery({0})"},
    {.name = "parse_csv",
     .syntax = "parse_csv(text)",
     .doc = "An array of the fields of one record.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>d",
     .sql = "k_parse_csv({0})"},
    {.name = "parse_version",
     .syntax = "parse_version(text)",
     .doc = "A number that orders versions.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>r",
     .sql = "k_parse_version({0})"},
    {.name = "parse_path",
     .syntax = "parse_path(text)",
     .doc = "A bag with Scheme, RootPath, DirectoryPath, DirectoryName, Filename, Extension, AlternateDataStreamName.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>d",
     .sql = "k_parse_path({0})"},
    {.name = "parse_command_line",
     .syntax = "parse_command_line(text, \"windows\")",
     .doc = "An array of the arguments.",
     .min_args = 1,
     .max_args = 2,
     .types = "ss>d",
     .sql = "k_parse_command_line({0})"},
    {.name = "parse_xml",
     .syntax = "parse_xml(text)",
     .doc = "The document as a bag; null when it is none.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>d",
     .sql = "k_parse_xml({0})"},
    {.name = "parse_user_agent",
     .syntax = "parse_user_agent(text [, what])",
     .doc = "A bag with Browser, OperatingSystem, Device.",
     .min_args = 1,
     .max_args = 2,
     .types = "sd>d",
     .sql = "k_parse_user_agent({0}, {1})"},
};

}  // namespace

namespace functions {
const FunctionTable kParsing{kRows, kNatives};
}

}  // namespace egret::kql
