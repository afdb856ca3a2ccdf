#pragma once
// One row on its way into a segment: the members of a JSON object, without its closing brace (docs/formats/sensor-segments.md).
// Absent is null: empty texts are left out.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace egret::sensor {

class Row {
 public:
  Row(std::string_view table, Ticks time);
  Row& text(std::string_view column, std::string_view value);  // left out when empty
  Row& number(std::string_view column, int64_t value);
  Row& real(std::string_view column, double value);
  Row& time(std::string_view column, Ticks value);
  Row& span(std::string_view column, Ticks value);
  Row& dynamic(std::string_view column, std::string_view json);  // left out when empty
  Row& members(std::string_view json_members);                   // `,"a":1,"b":"x"`, made before

  const std::string& body() const { return out_; }
  std::string_view table() const { return table_; }

 private:
  void key(std::string_view column);
  std::string out_;
  std::string_view table_;
};

// Where rows go. Implemented by the spool, and by memory in tests.
class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual void add(const Row& row) = 0;
};

}  // namespace egret::sensor
