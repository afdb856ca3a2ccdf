#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/json.h"
#include "base/text.h"
#include "ingest/table_rows.h"

namespace egret::ingest {
namespace {

using model::Type;

// What programs write for "nothing": pandas, Python, Kusto and portals.
bool nothing(std::string_view s) {
  for (const std::string_view n : {"", "null", "None", "nan", "NaN", "NaT", "<null>", "-"})
    if (s == n) return true;
  return false;
}

std::optional<bool> truth(std::string_view s) {
  if (iequals(s, "true") || s == "1" || iequals(s, "yes")) return true;
  if (iequals(s, "false") || s == "0" || iequals(s, "no")) return false;
  return {};
}

std::optional<double> real_of(std::string_view s) {
  std::string copy(s);
  std::erase(copy, ',');  // 1,234.5
  char* end = nullptr;
  const double v = std::strtod(copy.c_str(), &end);
  if (copy.empty() || *end != '\0' || !std::isfinite(v)) return {};
  return v;
}

std::optional<int64_t> integer_of(std::string_view s) {
  int64_t v = 0;
  const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (ec == std::errc() && end == s.data() + s.size()) return v;
  const auto r = real_of(s);  // 443.0, 1,234
  if (!r || std::abs(*r) > 9.2e18) return {};
  return static_cast<int64_t>(*r);
}

bool is_json(std::string_view s) {
  thread_local simdjson::dom::parser parser;
  simdjson::dom::element e;
  return parser.parse(s.data(), s.size(), true).get(e) == simdjson::SUCCESS;
}

std::string guid_of(std::string_view s) {
  if (s.starts_with("{") && s.ends_with("}")) s = s.substr(1, s.size() - 2);
  return to_lower(s);
}

bool set_text_cell(model::Batch& b, int c, Type type, std::string_view s, const TimeForm& form) {
  switch (type) {
    case Type::kString: b.set_string(c, s); return true;
    case Type::kDynamic: {
      if (s.empty()) return true;
      // JSON that came as text is JSON; anything else is a string value. A log line may begin with a bracket and be neither.
      const char first = s.front();
      const bool may = first == '{' || first == '[' || first == '"' || first == '-' || (first >= '0' && first <= '9') || s == "true" ||
                       s == "false" || s == "null";
      b.set_dynamic(c, may && is_json(s) ? std::string(s) : json_quote(s));
      return true;
    }
    default: break;
  }
  const std::string_view t = trim(s);
  if (nothing(t)) return true;
  switch (type) {
    case Type::kBool: {
      auto v = truth(t);
      if (!v)
        if (const auto r = real_of(t)) v = *r != 0;
      if (v) b.set_bool(c, *v);
      return v.has_value();
    }
    case Type::kInt:
    case Type::kLong: {
      const auto v = integer_of(t);
      if (!v || (type == Type::kInt && (*v > INT32_MAX || *v < INT32_MIN))) return false;
      b.set_int(c, *v);
      return true;
    }
    case Type::kReal:
    case Type::kDecimal: {
      const auto v = real_of(t);
      if (v) b.set_real(c, *v);
      return v.has_value();
    }
    case Type::kDatetime: {
      const auto v = parse_time(t, form);
      if (v) b.set_datetime(c, *v);
      return v.has_value();
    }
    case Type::kTimespan: {
      const auto v = parse_span(t);
      if (v) b.set_timespan(c, *v);
      return v.has_value();
    }
    case Type::kGuid: b.set_guid(c, guid_of(t)); return true;
    default: return false;
  }
}

}  // namespace

bool set_cell(model::Batch& b, int c, const Cell& cell, const TimeForm& form) {
  const Type type = b.table().columns[static_cast<size_t>(c)].type;
  const bool real_column = type == Type::kReal || type == Type::kDecimal;
  switch (cell.kind) {
    case Cell::kNull: return true;
    case Cell::kText: return set_text_cell(b, c, type, cell.text, form);
    case Cell::kJson:
      if (type == Type::kDynamic)
        b.set_dynamic(c, cell.text);
      else if (type == Type::kString || type == Type::kGuid)
        b.set_string(c, cell.text);
      else
        return false;
      return true;
    case Cell::kBool:
      if (type == Type::kBool)
        b.set_bool(c, cell.number != 0);
      else if (type == Type::kString)
        b.set_string(c, cell.number ? "true" : "false");
      else if (type == Type::kDynamic)
        b.set_dynamic(c, cell.number ? "true" : "false");
      else if (type == Type::kInt || type == Type::kLong)
        b.set_int(c, cell.number);
      else if (real_column)
        b.set_real(c, static_cast<double>(cell.number));
      else
        return false;
      return true;
    case Cell::kInt:
      if (type == Type::kInt && (cell.number > INT32_MAX || cell.number < INT32_MIN)) return false;
      if (type == Type::kInt || type == Type::kLong)
        b.set_int(c, cell.number);
      else if (real_column)
        b.set_real(c, static_cast<double>(cell.number));
      else if (type == Type::kBool)
        b.set_bool(c, cell.number != 0);
      else
        return set_text_cell(b, c, type, std::to_string(cell.number), form);
      return true;
    case Cell::kReal:
      if (real_column)
        b.set_real(c, cell.real);
      else if (type == Type::kInt || type == Type::kLong) {
        if (!(std::abs(cell.real) < (type == Type::kInt ? 2147483648.0 : 9.2e18))) return false;
        b.set_int(c, static_cast<int64_t>(cell.real));
      } else if (type == Type::kBool)
        b.set_bool(c, cell.real != 0);
      else
        return set_text_cell(b, c, type, fmt::format("{}", cell.real), form);
      return true;
  }
  return false;
}

}  // namespace egret::ingest
