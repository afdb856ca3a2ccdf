#pragma once
// Writing a JSON array or object into a reused buffer, element by element.
#include <string>
#include <string_view>

namespace egret::kql::functions {

class ArrayOut {
 public:
  explicit ArrayOut(std::string& buffer) : out_(buffer) { out_ = "["; }
  void add(std::string_view raw) {
    if (out_.size() > 1) out_ += ',';
    out_ += raw;
  }
  std::string_view done() {
    out_ += ']';
    return out_;
  }

 private:
  std::string& out_;
};

class ObjectOut {
 public:
  explicit ObjectOut(std::string& buffer) : out_(buffer) { out_ = "{"; }
  void add(std::string_view quoted_key, std::string_view raw) {
    if (out_.size() > 1) out_ += ',';
    out_ += quoted_key;
    out_ += ':';
    out_ += raw;
  }
  std::string_view done() {
    out_ += '}';
    return out_;
  }

 private:
  std::string& out_;
};

}  // namespace egret::kql::functions
