#include "labpod/dns_message.h"

#include "base/text.h"

namespace egret::labpod {
namespace {

constexpr size_t kHeader = 12;

void put16(std::string& out, unsigned v) {
  out += static_cast<char>(v >> 8);
  out += static_cast<char>(v);
}
unsigned get16(std::string_view s, size_t at) { return (static_cast<uint8_t>(s[at]) << 8) | static_cast<uint8_t>(s[at + 1]); }

// Moves `at` behind the name; nothing where it is broken. Compressed names are followed when read, with a bound on the jumps.
std::optional<std::string> read_name(std::string_view m, size_t& at) {
  std::string name;
  size_t here = at;
  bool jumped = false;
  for (int steps = 0; steps < 128; ++steps) {
    if (here >= m.size()) return {};
    const auto length = static_cast<uint8_t>(m[here]);
    if (length == 0) {
      if (!jumped) at = here + 1;
      return name.empty() ? "." : name;
    }
    if ((length & 0xc0) == 0xc0) {
      if (here + 1 >= m.size()) return {};
      if (!jumped) at = here + 2;
      jumped = true;
      here = get16(m, here) & 0x3fff;
      continue;
    }
    if (length > 63 || here + 1 + length > m.size() || name.size() > 255) return {};
    name += m.substr(here + 1, length);
    name += '.';
    here += 1 + length;
  }
  return {};
}

void put_name(std::string& out, std::string_view name) {
  while (!name.empty()) {
    const size_t dot = std::min(name.find('.'), name.size());
    const std::string_view label = name.substr(0, std::min<size_t>(dot, 63));
    if (!label.empty()) {
      out += static_cast<char>(label.size());
      out += label;
    }
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  out += '\0';
}

}  // namespace

std::string dns_question(uint16_t id, std::string_view name, uint16_t type) {
  std::string out;
  put16(out, id);
  put16(out, 0x0100);  // recursion desired
  for (const unsigned n : {1U, 0U, 0U, 0U}) put16(out, n);
  put_name(out, name);
  put16(out, type);
  put16(out, 1);
  return out;
}

std::optional<DnsQuestion> parse_dns_question(std::string_view m) {
  if (m.size() < kHeader || (m[2] & 0x80) != 0 || get16(m, 4) != 1) return {};
  DnsQuestion q;
  q.id = static_cast<uint16_t>(get16(m, 0));
  q.recursion = (m[2] & 1) != 0;
  size_t at = kHeader;
  const auto name = read_name(m, at);
  if (!name || at + 4 > m.size()) return {};
  q.name = to_lower(*name);
  q.type = static_cast<uint16_t>(get16(m, at));
  q.dns_class = static_cast<uint16_t>(get16(m, at + 2));
  at += 4;
  q.wire = m.substr(kHeader, at - kHeader);
  // EDNS: a root name of type 41, whose class is the size of the asker's buffer.
  if (get16(m, 10) > 0 && at + 11 <= m.size() && m[at] == '\0' && get16(m, at + 1) == 41) {
    q.buffer = static_cast<uint16_t>(get16(m, at + 3));
    q.dnssec_ok = (m[at + 7] & 0x80) != 0;
  }
  return q;
}

std::string dns_answer(const DnsQuestion& q, int rcode, const std::vector<IpAddress>& addresses, uint32_t ttl) {
  std::string out;
  put16(out, q.id);
  put16(out, 0x8080U | (q.recursion ? 0x0100U : 0U) | static_cast<unsigned>(rcode));
  put16(out, 1);
  put16(out, static_cast<unsigned>(addresses.size()));
  put16(out, 0);
  put16(out, 0);
  out += q.wire;
  for (const IpAddress& a : addresses) {
    put16(out, 0xc000 | kHeader);  // the question's name
    put16(out, a.is_v4() ? kDnsA : kDnsAaaa);
    put16(out, 1);
    put16(out, ttl >> 16);
    put16(out, ttl & 0xffff);
    const int bytes = a.is_v4() ? 4 : 16;
    put16(out, static_cast<unsigned>(bytes));
    for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(a.value >> (8 * i));
  }
  return out;
}

std::optional<DnsAnswer> parse_dns_answer(std::string_view m) {
  if (m.size() < kHeader || (m[2] & 0x80) == 0) return {};
  DnsAnswer a;
  a.id = static_cast<uint16_t>(get16(m, 0));
  a.rcode = m[3] & 0xf;
  size_t at = kHeader;
  for (unsigned n = get16(m, 4); n > 0; --n) {
    if (!read_name(m, at) || at + 4 > m.size()) return {};
    at += 4;
  }
  for (unsigned n = get16(m, 6); n > 0; --n) {
    if (!read_name(m, at) || at + 10 > m.size()) return {};
    const unsigned type = get16(m, at), length = get16(m, at + 8);
    at += 10;
    if (at + length > m.size()) return {};
    uint128 value = 0;
    if ((type == kDnsA && length == 4) || (type == kDnsAaaa && length == 16)) {
      for (unsigned i = 0; i < length; ++i) value = (value << 8) | static_cast<uint8_t>(m[at + i]);
      a.addresses.push_back(type == kDnsA ? IpAddress::v4(static_cast<uint32_t>(value)) : IpAddress{value});
    }
    at += length;
  }
  return a;
}

std::string dns_type_name(uint16_t type) {
  switch (type) {
    case kDnsA: return "A";
    case 2: return "NS";
    case 5: return "CNAME";
    case 6: return "SOA";
    case 12: return "PTR";
    case 15: return "MX";
    case 16: return "TXT";
    case kDnsAaaa: return "AAAA";
    case 33: return "SRV";
    case 65: return "HTTPS";
    default: return "TYPE" + std::to_string(type);
  }
}

}  // namespace egret::labpod
