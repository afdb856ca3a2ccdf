#pragma once
// A line of CoreDNS's `log` plugin, in its default format and that of versions before 1.2.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace egret::ingest {

struct CorednsQuery {
  std::optional<Ticks> time;  // the line's own, where it has one
  std::string_view client;    // address text without brackets and zone
  int port = 0;
  int id = 0;
  std::string_view type, name, protocol;  // protocol: udp, tcp, https, grpc
  std::string_view code, flags;           // '' when unanswered
  double seconds = 0;
};

enum class CorednsLine {
  kQuery,
  kOther,      // start-up, plugin/errors, reload: CoreDNS's, but no query
  kMalformed,  // a query line with a broken field: `reason`
  kNo
};

CorednsLine parse_coredns(std::string_view line, CorednsQuery& query, std::string& reason);

// "host:port", "[v6]:port", "[v6%zone]:port" → its two parts; false when it is neither.
bool split_host_port(std::string_view text, std::string_view& host, int& port);

}  // namespace egret::ingest
