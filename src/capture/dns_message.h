#pragma once
// A DNS message (RFC 1035, without the length that TCP puts before it) as its questions and records. Knows nothing of packets:
// the sensor and the packet reader share it.
#include <cstdint>
#include <string>
#include <vector>

#include "capture/bytes.h"

namespace egret::capture {

struct DnsQuestion {
  std::string
      name;  // lower case, without the final dot, the root is "."; a byte that is not printable, a dot or backslash within a label as \DDD
  uint16_t type = 0;
  uint16_t dns_class = 0;
};

struct DnsRecord {
  std::string name;
  uint16_t type = 0;
  uint16_t dns_class = 0;
  uint32_t ttl = 0;  // seconds
  // The data as text: an address, the name of CNAME/NS/PTR/DNAME, "10 mx.example" , "0 5 443 host" of SRV, the joined strings of TXT/SPF,
  // "1 . alpn=h2 ipv4hint=192.0.2.1" of HTTPS/SVCB, name and mailbox of SOA; otherwise empty.
  std::string text;
  bool is_address = false;  // A or AAAA: text is an address
};

struct DnsMessage {
  uint16_t id = 0;
  bool response = false;
  uint8_t opcode = 0;
  uint16_t rcode = 0;  // with the upper bits of an OPT record
  bool authoritative = false, truncated = false, recursion_desired = false, recursion_available = false;
  // False when the message ends, or turns into nonsense, before the records that its header promises. What stood before is kept.
  bool complete = false;
  std::vector<DnsQuestion> questions;
  std::vector<DnsRecord> answers;  // of the answer section
  uint16_t authority_count = 0, additional_count = 0;
};

// False when these bytes are no DNS message: too short, an opcode or count that none has, or a question that cannot be read.
// `out` may be used again from call to call. At most 64 questions and 1024 answers are kept.
bool parse_dns_message(Bytes message, DnsMessage& out);

// For telling the protocol by its content: as strict as can be without allocating. A header with plausible counts and at least one
// well-formed question (or, in a response without question, a record).
bool looks_like_dns(Bytes message);

}  // namespace egret::capture
