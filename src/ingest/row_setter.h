#pragma once
// Setting columns by name, for decoders whose rate does not matter. Unset and empty values leave the column null.
#include <optional>
#include <string_view>
#include <utility>

#include "base/ip.h"
#include "model/batch.h"

namespace egret::ingest {

class RowSetter {
 public:
  explicit RowSetter(model::Batch& batch) : b_(batch) { b_.add_row(); }
  RowSetter& text(std::string_view column, std::string_view v) {
    if (!v.empty()) b_.set_string(b_.column(column), v);
    return *this;
  }
  // An address column takes addresses only.
  RowSetter& address(std::string_view column, std::string_view v) {
    if (IpAddress::parse(v)) b_.set_string(b_.column(column), v);
    return *this;
  }
  RowSetter& integer(std::string_view column, std::optional<int64_t> v) {
    if (v) b_.set_int(b_.column(column), *v);
    return *this;
  }
  RowSetter& time(std::string_view column, std::optional<Ticks> v) {
    if (v) b_.set_datetime(b_.column(column), *v);
    return *this;
  }
  RowSetter& span(std::string_view column, Ticks v) {
    b_.set_timespan(b_.column(column), v);
    return *this;
  }
  RowSetter& json(std::string_view column, std::string_view v) {
    if (!v.empty()) b_.set_dynamic(b_.column(column), v);
    return *this;
  }
  RowSetter& flag(std::string_view column, bool v) {
    b_.set_bool(b_.column(column), v);
    return *this;
  }

 private:
  model::Batch& b_;
};

// TCP, UDP, ICMP … as the tables write them.
inline std::string_view protocol_name(std::string_view p) {
  for (const auto& [from, to] : {std::pair<std::string_view, std::string_view>{"tcp", "TCP"},
                                 {"TCP", "TCP"},
                                 {"udp", "UDP"},
                                 {"UDP", "UDP"},
                                 {"icmp", "ICMP"},
                                 {"ICMP", "ICMP"},
                                 {"ICMPv4", "ICMP"},
                                 {"ICMPv6", "ICMP"},
                                 {"IPv6-ICMP", "ICMP"},
                                 {"sctp", "SCTP"},
                                 {"SCTP", "SCTP"}})
    if (p == from) return to;
  return p;
}

}  // namespace egret::ingest
