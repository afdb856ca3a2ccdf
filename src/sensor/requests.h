#pragma once
// TLS hellos and heads of plain HTTP/1 requests become rows of ASimWebSessionLogs.
#include <cstdint>

#include "sensor/context.h"

namespace egret::sensor {

class Requests {
 public:
  explicit Requests(Context& context) : c_(context) {}
  void on_payload(const PayloadEvent& e);
  uint64_t malformed() const { return malformed_; }

 private:
  void hello(const PayloadEvent& e);
  void request(const PayloadEvent& e);
  Row begin(const PayloadEvent& e, std::string_view protocol) const;
  void finish(Row& row, const PayloadEvent& e) const;

  Context& c_;
  uint64_t malformed_ = 0;
};

}  // namespace egret::sensor
