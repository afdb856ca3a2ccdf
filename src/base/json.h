#pragma once
// Writing JSON. Reading is simdjson's (`simdjson::dom` for convenience, `ondemand` on hot paths).
#include <cstdint>
#include <string>
#include <string_view>

namespace egret {

void append_json_string(std::string& out, std::string_view text);  // with quotes; invalid UTF-8 becomes U+FFFD
std::string json_quote(std::string_view text);

// Builds one JSON text. Commas and, when indent > 0, line ends are its business.
//   JsonWriter w; w.begin_object(); w.key("id"); w.string("x"); w.end_object(); std::move(w).take();
class JsonWriter {
 public:
  explicit JsonWriter(int indent = 0) : indent_(indent) {}
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view value);
  JsonWriter& number(int64_t value);
  JsonWriter& number(double value);  // NaN and infinities become null
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  // a value that is JSON already
  std::string take() && { return std::move(out_); }

 private:
  void before_value();
  void newline();
  std::string out_;
  int indent_;
  int depth_ = 0;
  bool first_ = true;
  bool after_key_ = false;
};

}  // namespace egret
