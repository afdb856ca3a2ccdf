// Looking into dynamic values: members, paths, equality. They stand behind the syntax of `a.b[0]`; by name nothing is called.
#include <algorithm>
#include <string>
#include <vector>

#include "base/json.h"
#include "kql/functions/json.h"
#include "kql/functions/tables.h"
#include "kql/functions/values.h"

namespace egret::kql {
namespace {

using json::Kind;

void put_raw(Out& out, std::string_view raw) {
  if (!raw.data() || json::kind(raw) == Kind::kNull || json::kind(raw) == Kind::kInvalid) return out.null();
  out.text(raw);
}

void get(const Args& a, Out& out) { put_raw(out, json::member(a.text(0), a.text(1))); }

void at(const Args& a, Out& out) { put_raw(out, json::element(a.text(0), a.integer(1))); }

// Follows ".key#3.key"; nothing where a step leads nowhere.
std::string_view follow(std::string_view value, std::string_view path, std::string& key) {
  while (!path.empty() && value.data()) {
    const char step = path.front();
    path.remove_prefix(1);
    const size_t end = path.find_first_of(".#");
    const std::string_view part = path.substr(0, end);
    path = end == std::string_view::npos ? std::string_view{} : path.substr(end);
    if (step == '#') {
      int64_t index = 0;
      const bool minus = part.starts_with('-');
      for (const char c : part.substr(minus)) index = index * 10 + (c - '0');
      value = json::element(value, minus ? -index : index);
    } else if (part.find('~') == std::string_view::npos) {
      value = json::member(value, part);
    } else {
      key.clear();
      for (size_t i = 0; i < part.size(); ++i) {
        if (part[i] != '~' || i + 1 == part.size()) {
          key += part[i];
        } else {
          const char c = part[++i];
          key += c == '1' ? '.' : c == '2' ? '#' : '~';
        }
      }
      value = json::member(value, key);
    }
  }
  return value;
}

void path(const Args& a, Out& out) { put_raw(out, follow(a.text(0), a.text(1), out.scratch)); }
void path_string(const Args& a, Out& out) {
  const std::string_view v = a.null(0) ? std::string_view{} : follow(a.text(0), a.text(1), out.scratch);
  out.scratch.clear();
  json::append_text(out.scratch, v);
  out.text(out.scratch);
}

void equals(const Args& a, Out& out) { out.boolean(json::equal(a.text(0), a.text(1))); }

void type_of(const Args& a, Out& out) {
  if (a.null(0)) return out.text("null");
  const std::string_view raw = a.text(0);
  switch (json::kind(raw)) {
    case Kind::kArray: return out.text("array");
    case Kind::kObject: return out.text("dictionary");
    case Kind::kString: return out.text("string");
    case Kind::kBool: return out.text("bool");
    case Kind::kInteger: return out.text("long");
    case Kind::kReal: return out.text("double");
    default: return out.text("null");
  }
}

void sorted(const Args& a, Out& out) {
  out.scratch.clear();
  if (!a.null(0)) json::append_sorted(out.scratch, a.text(0), 0);
  out.text(out.scratch);
}

constexpr Native kNatives[] = {
    native<get>("k_dyn_get", "ds>d"),       native<at>("k_dyn_at", "dl>d"),
    native<path>("k_dyn_path", "ds>d"),     native<path_string>("k_dyn_path_string", "Ds>s"),
    native<equals>("k_dyn_equals", "dd>b"), native<type_of>("k_dyn_type", "D>s"),
    native<sorted>("k_dyn_sorted", "D>s"),
};

}  // namespace

std::string path_key(std::string_view key) {
  std::string out = ".";
  for (const char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '.') {
      out += "~1";
    } else if (c == '#') {
      out += "~2";
    } else {
      out += c;
    }
  }
  return out;
}

std::string path_index(int64_t index) { return "#" + std::to_string(index); }

namespace functions {
const FunctionTable kDynamic{{}, kNatives};
}

}  // namespace egret::kql
