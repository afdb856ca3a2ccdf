#include "capture/dns_message.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace egret::capture {
namespace {

constexpr size_t kHeader = 12;
constexpr uint16_t kMostQuestions = 64;
constexpr uint16_t kMostAnswers = 1024;
constexpr uint16_t kA = 1, kNs = 2, kCname = 5, kSoa = 6, kPtr = 12, kMx = 15, kTxt = 16, kAaaa = 28, kSrv = 33, kDname = 39, kOpt = 41,
                   kSvcb = 64, kHttps = 65, kSpf = 99, kCaa = 257;

void append_number(std::string& out, uint64_t n) {
  char text[20];
  const auto [end, ec] = std::to_chars(text, text + sizeof text, n);
  out.append(text, end);
}

void append_label(std::string& out, Bytes label) {
  for (const uint8_t c : label) {
    if (c >= 'A' && c <= 'Z') {
      out += static_cast<char>(c + 32);
    } else if (c > 32 && c < 127 && c != '.' && c != '\\') {
      out += static_cast<char>(c);
    } else {
      const char digits[4] = {'\\', static_cast<char>('0' + c / 100), static_cast<char>('0' + c / 10 % 10),
                              static_cast<char>('0' + c % 10)};
      out.append(digits, 4);
    }
  }
}

// Appends the name at `at` and moves `at` behind it. A pointer must lead backwards (RFC 1035, 4.1.4: a prior occurrence), so that
// a name ends; 255 bytes are the most that it has.
bool read_name(Bytes message, size_t& at, std::string& out) {
  size_t here = at, total = 0;
  size_t lowest = at;
  bool jumped = false;
  const size_t begin = out.size();
  for (;;) {
    if (here >= message.size()) return false;
    const uint8_t n = message[here];
    if (n == 0) {
      if (!jumped) at = here + 1;
      if (out.size() == begin) out += '.';
      return true;
    }
    if ((n & 0xc0) == 0xc0) {
      if (here + 1 >= message.size()) return false;
      const size_t to = static_cast<size_t>(n & 0x3f) << 8 | message[here + 1];
      if (!jumped) at = here + 2;
      if (to >= lowest) return false;
      lowest = here = to;
      jumped = true;
      continue;
    }
    if (n & 0xc0) return false;
    total += n + 1u;
    if (here + 1 + n > message.size() || total > 255) return false;
    if (out.size() != begin) out += '.';
    append_label(out, message.subspan(here + 1, n));
    here += 1u + n;
  }
}

void append_address(std::string& out, int family, const uint8_t* p) {
  char text[INET6_ADDRSTRLEN];
  if (inet_ntop(family, p, text, sizeof text)) out += text;
}

void append_strings(Bytes data, std::string& out) {
  Cursor c(data);
  bool first = true;
  while (!c.empty()) {
    const Bytes s = c.bytes_or_rest(c.u8());
    if (!first) out += ' ';
    first = false;
    out.append(as_text(s));
  }
}

// RFC 9460: priority, target, and those parameters that say where a connection goes.
bool append_service(Bytes message, size_t at, size_t end, std::string& out) {
  if (end - at < 3) return false;
  append_number(out, be16(&message[at]));
  at += 2;
  out += ' ';
  if (!read_name(message, at, out) || at > end) return false;
  Cursor c(message.subspan(at, end - at));
  while (!c.empty()) {
    const uint16_t key = c.u16();
    const Bytes value = c.bytes(c.u16());
    if (c.failed()) return false;
    Cursor v(value);
    switch (key) {
      case 1:
        out += " alpn=";
        for (bool first = true; !v.empty(); first = false) {
          if (!first) out += ',';
          append_label(out, v.bytes_or_rest(v.u8()));
        }
        break;
      case 3:
        out += " port=";
        append_number(out, v.u16());
        break;
      case 4:
        out += " ipv4hint=";
        for (bool first = true; v.left() >= 4; first = false) {
          if (!first) out += ',';
          append_address(out, AF_INET, v.bytes(4).data());
        }
        break;
      case 5: out += " ech"; break;
      case 6:
        out += " ipv6hint=";
        for (bool first = true; v.left() >= 16; first = false) {
          if (!first) out += ',';
          append_address(out, AF_INET6, v.bytes(16).data());
        }
        break;
      default: break;
    }
  }
  return true;
}

// The data of a record at [at, end) as text. False when it is not what its type says.
bool read_data(Bytes message, size_t at, size_t end, DnsRecord& r) {
  const size_t size = end - at;
  switch (r.type) {
    case kA:
      if (size != 4) return false;
      append_address(r.text, AF_INET, &message[at]);
      r.is_address = true;
      return true;
    case kAaaa:
      if (size != 16) return false;
      append_address(r.text, AF_INET6, &message[at]);
      r.is_address = true;
      return true;
    case kCname:
    case kNs:
    case kPtr:
    case kDname: return read_name(message, at, r.text) && at <= end;
    case kMx:
      if (size < 3) return false;
      append_number(r.text, be16(&message[at]));
      r.text += ' ';
      at += 2;
      return read_name(message, at, r.text) && at <= end;
    case kSrv:
      if (size < 7) return false;
      for (size_t i = 0; i < 3; ++i) {
        append_number(r.text, be16(&message[at + 2 * i]));
        r.text += ' ';
      }
      at += 6;
      return read_name(message, at, r.text) && at <= end;
    case kSoa:
      if (!read_name(message, at, r.text)) return false;
      r.text += ' ';
      return read_name(message, at, r.text) && at <= end;
    case kTxt:
    case kSpf: append_strings(message.subspan(at, size), r.text); return true;
    case kCaa: {
      Cursor c(message.subspan(at, size));
      append_number(r.text, c.u8());
      r.text += ' ';
      r.text.append(as_text(c.bytes_or_rest(c.u8())));
      r.text += ' ';
      r.text.append(as_text(c.rest()));
      return !c.failed();
    }
    case kSvcb:
    case kHttps: return append_service(message, at, end, r.text);
    default: return true;
  }
}

struct Header {
  uint16_t id, flags, questions, answers, authority, additional;
};
Header header_of(Bytes m) { return {be16(&m[0]), be16(&m[2]), be16(&m[4]), be16(&m[6]), be16(&m[8]), be16(&m[10])}; }

bool skip_name(Bytes message, size_t& at) {
  size_t total = 0;
  while (at < message.size()) {
    const uint8_t n = message[at];
    if (n == 0) {
      ++at;
      return true;
    }
    if ((n & 0xc0) == 0xc0) {
      at += 2;
      return at <= message.size();
    }
    if (n & 0xc0) return false;
    at += 1u + n;
    total += 1u + n;
    if (total > 255) return false;
  }
  return false;
}

}  // namespace

bool looks_like_dns(Bytes m) {
  if (m.size() < kHeader) return false;
  const Header h = header_of(m);
  const int opcode = h.flags >> 11 & 15;
  if (opcode > 6 || opcode == 3 || (h.flags & 0x40)) return false;  // the Z bit is zero
  const size_t records = size_t{h.answers} + h.authority + h.additional;
  if (h.questions > 4 || (h.questions == 0 && records == 0)) return false;
  if (!(h.flags & 0x8000) && ((h.flags & 15) || h.answers > 1)) return false;
  if (records * 11 > m.size()) return false;
  size_t at = kHeader;
  if (!skip_name(m, at)) return false;
  if (at + 4 > m.size()) return false;
  const uint16_t klass = be16(&m[at + 2]) & 0x7fff;
  return h.questions == 0 || klass == 1 || klass == 3 || klass == 4 || klass == 254 || klass == 255;
}

bool parse_dns_message(Bytes m, DnsMessage& out) {
  out.questions.clear();
  out.answers.clear();
  out.complete = false;
  if (m.size() < kHeader) return false;
  const Header h = header_of(m);
  out.id = h.id;
  out.response = h.flags & 0x8000;
  out.opcode = static_cast<uint8_t>(h.flags >> 11 & 15);
  out.authoritative = h.flags & 0x400;
  out.truncated = h.flags & 0x200;
  out.recursion_desired = h.flags & 0x100;
  out.recursion_available = h.flags & 0x80;
  out.rcode = h.flags & 15;
  out.authority_count = h.authority;
  out.additional_count = h.additional;
  if (out.opcode > 6 || h.questions > kMostQuestions) return false;
  size_t at = kHeader;
  for (uint16_t i = 0; i < h.questions; ++i) {
    DnsQuestion q;
    if (!read_name(m, at, q.name) || at + 4 > m.size()) return i > 0;
    q.type = be16(&m[at]);
    q.dns_class = be16(&m[at + 2]);
    at += 4;
    out.questions.push_back(std::move(q));
  }
  const uint32_t records = uint32_t{h.answers} + h.authority + h.additional;
  for (uint32_t i = 0; i < records; ++i) {
    DnsRecord r;
    const bool answer = i < h.answers;
    if (answer && i >= kMostAnswers) return true;
    if (!(answer ? read_name(m, at, r.name) : skip_name(m, at)) || at + 10 > m.size()) return true;
    r.type = be16(&m[at]);
    r.dns_class = be16(&m[at + 2]);
    r.ttl = be32(&m[at + 4]);
    const size_t size = be16(&m[at + 8]);
    at += 10;
    if (at + size > m.size()) return true;
    if (r.type == kOpt) {
      out.rcode = static_cast<uint16_t>((r.ttl >> 24 << 4) | (out.rcode & 15));
    } else if (answer) {
      if (!read_data(m, at, at + size, r)) {
        r.text.clear();
        r.is_address = false;
      }
      out.answers.push_back(std::move(r));
    }
    at += size;
  }
  out.complete = true;
  return true;
}

}  // namespace egret::capture
