#pragma once
// DNS messages (RFC 1035) as far as the lab's resolver and its clients speak them: one question, answers of A and AAAA.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"

namespace egret::labpod {

inline constexpr uint16_t kDnsA = 1, kDnsAaaa = 28;
inline constexpr int kNoError = 0, kServerFailure = 2, kNoSuchName = 3, kRefused = 5;

struct DnsQuestion {
  uint16_t id = 0, type = 0, dns_class = 1;
  bool recursion = false, dnssec_ok = false;
  uint16_t buffer = 512;  // of EDNS, 512 without
  std::string name;       // lower case, with the final dot
  std::string_view wire;  // the question section's bytes; borrowed from the message
};
struct DnsAnswer {
  uint16_t id = 0;
  int rcode = 0;
  std::vector<IpAddress> addresses;
};

std::string dns_question(uint16_t id, std::string_view name, uint16_t type);
std::optional<DnsQuestion> parse_dns_question(std::string_view message);
std::string dns_answer(const DnsQuestion& question, int rcode, const std::vector<IpAddress>& addresses, uint32_t ttl);
std::optional<DnsAnswer> parse_dns_answer(std::string_view message);
std::string dns_type_name(uint16_t type);

}  // namespace egret::labpod
