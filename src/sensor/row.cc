#include "sensor/row.h"

#include <fmt/format.h>

#include "base/json.h"

namespace egret::sensor {

Row::Row(std::string_view table, Ticks time) : table_(table) {
  out_.reserve(1024);
  out_ += R"({"Type":")";
  out_ += table;
  out_ += R"(","TimeGenerated":")";
  out_ += format_datetime(time);
  out_ += '"';
}

void Row::key(std::string_view column) {
  out_ += ",\"";
  out_ += column;  // column names are plain identifiers
  out_ += "\":";
}

Row& Row::text(std::string_view column, std::string_view value) {
  if (value.empty()) return *this;
  key(column);
  append_json_string(out_, value);
  return *this;
}

Row& Row::number(std::string_view column, int64_t value) {
  key(column);
  fmt::format_to(std::back_inserter(out_), "{}", value);
  return *this;
}

Row& Row::real(std::string_view column, double value) {
  key(column);
  fmt::format_to(std::back_inserter(out_), "{}", value);
  return *this;
}

Row& Row::time(std::string_view column, Ticks value) {
  key(column);
  out_ += '"';
  out_ += format_datetime(value);
  out_ += '"';
  return *this;
}

Row& Row::span(std::string_view column, Ticks value) {
  key(column);
  out_ += '"';
  out_ += format_timespan(value);
  out_ += '"';
  return *this;
}

Row& Row::dynamic(std::string_view column, std::string_view json) {
  if (json.empty()) return *this;
  key(column);
  out_ += json;
  return *this;
}

Row& Row::members(std::string_view json_members) {
  out_ += json_members;
  return *this;
}

}  // namespace egret::sensor
