#pragma once
// Reading members of a simdjson DOM without exceptions. Heavy: include it in .cc files only.
#include <simdjson.h>

#include <charconv>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace egret::js {

using Element = simdjson::dom::element;
using Path = std::initializer_list<std::string_view>;

inline std::optional<Element> get(const Element& e, std::string_view key) {
  Element out;
  if (e.at_key(key).get(out) != simdjson::SUCCESS || out.is_null()) return {};
  return out;
}
inline std::optional<Element> get(const std::optional<Element>& e, std::string_view key) { return e ? get(*e, key) : std::nullopt; }
// The value below that path of keys; absent and null are the same.
inline std::optional<Element> get(const Element& e, Path path) {
  std::optional<Element> at = e;
  for (const std::string_view key : path)
    if (!(at = get(*at, key))) return {};
  return at;
}

inline std::string_view text(const Element& e) {
  std::string_view s;
  return e.get(s) == simdjson::SUCCESS ? s : std::string_view();
}
inline std::string_view text(const std::optional<Element>& e) { return e ? text(*e) : std::string_view(); }
inline std::string_view text(const Element& e, std::string_view key) { return text(get(e, key)); }
inline std::string_view text(const Element& e, Path path) { return text(get(e, path)); }

// Integers, integral doubles and decimal text.
inline std::optional<int64_t> integer(const Element& e) {
  if (int64_t i; e.get(i) == simdjson::SUCCESS) return i;
  if (double d; e.get(d) == simdjson::SUCCESS && d >= -9.2e18 && d <= 9.2e18) return static_cast<int64_t>(d);
  std::string_view s;
  if (e.get(s) != simdjson::SUCCESS || s.empty()) return {};
  int64_t i = 0;
  const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), i);
  if (ec != std::errc{} || end != s.data() + s.size()) return {};
  return i;
}
inline std::optional<int64_t> integer(const std::optional<Element>& e) { return e ? integer(*e) : std::nullopt; }
inline std::optional<int64_t> integer(const Element& e, std::string_view key) { return integer(get(e, key)); }

inline bool boolean(const std::optional<Element>& e) {
  bool b = false;
  return e && e->get(b) == simdjson::SUCCESS && b;
}

inline std::optional<Ticks> time(const std::optional<Element>& e) {
  const std::string_view s = text(e);
  return s.empty() ? std::nullopt : parse_iso_datetime(s);
}
inline std::optional<Ticks> time(const Element& e, std::string_view key) { return time(get(e, key)); }

inline bool is_object(const std::optional<Element>& e) { return e && e->is_object(); }
inline bool is_array(const std::optional<Element>& e) { return e && e->is_array(); }
inline simdjson::dom::object object(const Element& e) {
  simdjson::dom::object o;
  return e.get(o) == simdjson::SUCCESS ? o : simdjson::dom::object();
}

inline std::string minified(const Element& e) { return simdjson::minify(e); }

// Calls f(element) for each member of an array; nothing when it is none.
template <typename F>
void each(const std::optional<Element>& e, F&& f) {
  simdjson::dom::array a;
  if (!e || e->get(a) != simdjson::SUCCESS) return;
  for (const Element x : a) f(x);
}
// Calls f(key, element) for each member of an object.
template <typename F>
void each_member(const std::optional<Element>& e, F&& f) {
  simdjson::dom::object o;
  if (!e || e->get(o) != simdjson::SUCCESS) return;
  for (const auto& [key, value] : o) f(key, value);
}

}  // namespace egret::js
