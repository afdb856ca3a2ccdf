#pragma once
// Dynamic values where they lie: slices of JSON text. Kernels look into a value and put results together from slices of their
// arguments, without a tree and without the padded copy that a general parser wants.
// Total on any bytes: what is not JSON ends an iteration or reads as kInvalid.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace egret::kql::json {

enum class Kind { kInvalid, kNull, kBool, kInteger, kReal, kString, kArray, kObject };

Kind kind(std::string_view raw);
std::string_view trimmed(std::string_view raw);
inline bool is_array(std::string_view raw) { return kind(raw) == Kind::kArray; }

class Elements {
 public:
  explicit Elements(std::string_view array);  // anything but an array has none
  bool next(std::string_view& element);

 private:
  std::string_view text_;
  size_t at_ = 0;
};

class Members {
 public:
  explicit Members(std::string_view object);  // anything but an object has none
  bool next(std::string_view& quoted_key, std::string_view& value);

 private:
  std::string_view text_;
  size_t at_ = 0;
};

std::vector<std::string_view> elements(std::string_view array);
// Empty view (data() == nullptr) when there is no such member. The last one of a repeated key wins.
std::string_view member(std::string_view object, std::string_view key);
std::string_view element(std::string_view array, int64_t index);  // from the end when negative
bool key_is(std::string_view quoted_key, std::string_view key);

void append_unquoted(std::string& out, std::string_view quoted);
std::string unquoted(std::string_view quoted);
// A string's text, anything else as it is written; null is ''.
void append_text(std::string& out, std::string_view raw);
std::string text(std::string_view raw);
std::optional<double> number(std::string_view raw);    // integers and reals
std::optional<int64_t> integer(std::string_view raw);  // integers only

// Valid JSON without insignificant space; nothing when the text is none.
std::optional<std::string> normalised(std::string_view text);
// Appends the value with its keys in order, everywhere.
void append_sorted(std::string& out, std::string_view raw, int depth = 0);
// Equal as values: 1 == 1.0, members in any order.
bool equal(std::string_view a, std::string_view b, int depth = 0);

}  // namespace egret::kql::json
