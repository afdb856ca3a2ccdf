#pragma once
// What listens to the two byte streams of a TCP connection and makes events of them.
#include <cstdint>
#include <memory>
#include <string>

#include "capture/bytes.h"
#include "capture/events.h"

namespace egret::capture {

// Of one flow, kept by it; parsers write what they learn. Outlives its parser.
struct FlowContext {
  Events& events;
  Conversation who;
  std::string application;  // "HTTP", "SMTP,TLS"
  std::string server_name;

  void speaks(std::string_view protocol) {
    if (application.find(protocol) != std::string::npos) return;
    if (!application.empty()) application += ',';
    application += protocol;
  }
};

class StreamParser {
 public:
  virtual ~StreamParser() = default;
  // These return false when the parser wants to hear no more; end() comes all the same.
  virtual bool data(bool from_client, Bytes bytes, int64_t time) = 0;
  virtual bool gap(bool from_client, uint64_t bytes, int64_t time) = 0;  // so many bytes of the stream are missing here
  virtual size_t memory() const = 0;                                     // bytes that it keeps, about: the table of flows bounds the sum
  virtual void end(int64_t time) = 0;                                    // the connection is over, or the capture: what is pending is told
};

std::unique_ptr<StreamParser> make_http_session(FlowContext& flow);
std::unique_ptr<StreamParser> make_tls_session(FlowContext& flow);
std::unique_ptr<StreamParser> make_dns_session(FlowContext& flow);
// Finds out which protocol it is and hands over. What begins in plain and turns to TLS (STARTTLS, SOCKS, databases) is noticed.
std::unique_ptr<StreamParser> make_any_session(FlowContext& flow);

}  // namespace egret::capture
