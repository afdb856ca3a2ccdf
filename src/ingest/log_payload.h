#pragma once
// A line that a container wrote, already out of its wrapping (kubectl, CRI, docker, ContainerLogV2), becomes a row when it is
// one that Egret understands: CoreDNS `log` lines → ASimDnsActivityLogs, Envoy and Istio access lines (text, JSON, ztunnel) →
// ASimWebSessionLogs, so do access lines of ingress-nginx and of web servers. Everything else is not ours and costs little.
//
//   LogPayloads payloads(sink);
//   payloads.decode(message, time_generated, {.cluster = …, .pod_namespace = …, .pod = …});
//   payloads.finish();   // once per file: coverage
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "ingest/decoder.h"

namespace egret::ingest {

// Where the line comes from. Empty is unknown. The views live for the call only.
struct LogContext {
  std::string_view cluster = {};
  std::string_view node = {};
  std::string_view pod_namespace = {};
  std::string_view pod = {};
  std::string_view container = {};
  std::string_view workload = {};  // namespace/Kind/name, where known
};

enum class Payload {
  kNotOurs,   // no format that is understood here
  kRow,       // a row was added
  kAlso,      // a row was added; the line stays one of its container's log as well (who serves may write down whom it asks)
  kKnown,     // a line of the same program that is no query or request (start-up, plugin/errors, zap): rightly no row
  kNoClock,   // a query line, but neither it nor the wrapping says when
  kMalformed  // a query or access line with a broken field; reason() says which
};

class LogPayloads {
 public:
  explicit LogPayloads(Sink& sink);
  ~LogPayloads();
  LogPayloads(const LogPayloads&) = delete;
  LogPayloads& operator=(const LogPayloads&) = delete;

  // `clock` is the wrapper's time. A line's own time wins where it has one.
  Payload decode(std::string_view line, std::optional<Ticks> clock, const LogContext& context);
  const std::string& reason() const;  // of the last kMalformed or kNoClock
  const std::string& hint() const;    // what to do about it; may be empty
  void finish();                      // coverage; may be called more than once

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace egret::ingest
