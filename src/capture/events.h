#pragma once
// What the analysis of packets finds, as plain structs. Times are nanoseconds since 1970, of the packets. Strings in them are valid
// until the call returns, and as the wire had them: whoever writes them somewhere makes them safe.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "capture/dns_message.h"

namespace egret::capture {

// Who talks to whom: the originator is who sent the first packet (or, where that was an answer, who must have sent the question).
struct Conversation {
  IpAddress client, server;
  uint16_t client_port = 0, server_port = 0;  // of ICMP: type and code (or the answer's type)
  uint8_t protocol = 0;                       // IP protocol number
  uint64_t id = 0;                            // the same in all events of one flow; stable from run to run
};

struct FlowEvent {
  Conversation who;
  int64_t start = 0, end = 0;
  uint64_t client_bytes = 0, server_bytes = 0;  // payload; of TCP by its sequence numbers
  uint64_t client_packets = 0, server_packets = 0;
  uint64_t client_ip_bytes = 0, server_ip_bytes = 0;  // with IP headers
  uint64_t missed_bytes = 0;                          // of TCP streams that were looked into: acknowledged but not in the capture
  std::string_view state;                             // Zeek's conn_state: S0 S1 SF REJ S2 S3 RSTO RSTR RSTOS0 RSTRH SH SHR OTH
  std::string_view history;                           // Zeek's letters
  std::string_view application;                       // HTTP, TLS, DNS, …, "HTTP,TLS" after CONNECT; '' when not known
  std::string_view server_name;                       // the last that was seen in it
  uint16_t vlan = 0;
  std::string_view client_mac;  // 6 bytes or none
  bool evicted = false;         // given up early because there were too many flows
};

struct DnsEvent {
  Conversation who;
  int64_t asked = 0, answered = 0;      // 0 when that message was not seen
  const DnsMessage* message = nullptr;  // the answer, or the question when there was none
  const DnsQuestion* question = nullptr;
};

struct HttpEvent {
  Conversation who;
  int64_t time = 0;  // of the request, or of the response when no request was seen
  int64_t end = 0;   // of the last byte seen
  std::string_view method, target, version, host, user_agent, referer, content_type, forwarded_for, metadata;
  int status = 0;  // 0: no response was seen
  std::string_view reason, response_type, server, location;
  uint64_t request_bytes = 0, response_bytes = 0;  // bodies, as transferred without chunk headers
  int depth = 0;                                   // which request of the connection, from 1
};

struct TlsEvent {
  Conversation who;
  int64_t time = 0;
  std::string_view server_name;
  const std::vector<std::string>* offered_alpn = nullptr;
  std::string_view alpn;  // chosen, where it is sent in the clear
  uint16_t version = 0;   // chosen, or the highest offered when no ServerHello was seen
  uint16_t cipher = 0;
  std::string_view ja3, ja3s;  // hashes
  bool client_hello = false, server_hello = false;
  bool established = false;
  bool resumed = false;  // a session was offered
  int alert = -1;        // the last alert in the clear, -1 for none
};

class Events {
 public:
  virtual ~Events() = default;
  virtual void flow(const FlowEvent&) {}
  virtual void dns(const DnsEvent&) {}
  virtual void http(const HttpEvent&) {}
  virtual void tls(const TlsEvent&) {}
};

}  // namespace egret::capture
