#include "capture/tls_hello.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/md5.h"

namespace egret::capture {
namespace {

constexpr uint8_t kAlert = 21, kHandshake = 22;
constexpr uint8_t kClientHello = 1, kServerHello = 2;
constexpr size_t kMostHello = 16 * 1024;
constexpr uint16_t kServerName = 0, kGroups = 10, kPointFormats = 11, kAlpn = 16, kTicket = 35, kPreSharedKey = 41, kSupportedVersions = 43,
                   kEncryptedHello = 0xfe0d;

// RFC 8701: reserved values that clients mix in.
bool is_grease(uint16_t v) { return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff); }
bool is_version(uint16_t v) { return v >> 8 == 3 && (v & 0xff) <= 4; }
// Drafts of TLS 1.3 (0x7f17 is draft 23) count as it.
uint16_t settled(uint16_t v) { return v >> 8 == 0x7f ? uint16_t{0x0304} : v; }

void append_number(std::string& out, unsigned n, bool& first) {
  if (!first) out += '-';
  first = false;
  char text[8];
  const auto [end, ec] = std::to_chars(text, text + sizeof text, n);
  out.append(text, end);
}

void append_number(std::string& out, unsigned n) {
  bool first = true;
  append_number(out, n, first);
}

// Names from a hostile peer: lower case, and nothing that is not printable.
std::string clean(std::string_view s) {
  std::string out;
  out.reserve(s.size());
  for (const char c : s) {
    const auto u = static_cast<unsigned char>(c);
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : u <= 32 || u >= 127 ? '?' : c;
  }
  return out;
}

struct Message {
  TlsParse state = TlsParse::kNotTls;
  Bytes body;  // behind the four bytes of its header; a part of it when state is kNeedMore
};

// The first handshake message of the stream. `joined` holds it where records cut it.
Message first_message(Bytes stream, uint8_t type, std::string& joined) {
  if (stream.empty()) return {TlsParse::kNeedMore, {}};
  bool joining = false;
  Bytes flat;
  for (;;) {
    const Bytes have = joining ? as_bytes(joined) : flat;
    if (!have.empty() && have[0] != type) return {};
    if (have.size() >= 4) {
      const size_t want = static_cast<size_t>(have[1]) << 16 | static_cast<size_t>(have[2]) << 8 | have[3];
      if (want > kMostHello || want < 38) return {};
      if (have.size() >= 4 + want) return {TlsParse::kDone, have.subspan(4, want)};
    }
    const Message more{TlsParse::kNeedMore, have.size() > 4 ? have.subspan(4) : Bytes()};
    if (stream.empty()) return more;
    // A warning ("unrecognized name") may come before the ServerHello.
    if (!joining && flat.empty() && stream[0] == kAlert && stream.size() >= 7 && be16(&stream[3]) == 2 && stream[5] == 1) {
      stream = stream.subspan(7);
      if (stream.empty()) return {TlsParse::kNeedMore, {}};
    }
    if (stream[0] != kHandshake || (stream.size() > 1 && stream[1] != 3) || (stream.size() > 2 && stream[2] > 4)) return {};
    if (stream.size() < 5) return more;
    const size_t size = be16(&stream[3]);
    if (size == 0 || size > (1 << 14) + 2048) return {};
    const Bytes piece = stream.subspan(5, std::min(size, stream.size() - 5));
    stream = stream.subspan(5 + piece.size());
    if (flat.empty() && !joining) {
      flat = piece;
      if (flat.empty()) return more;
    } else {
      if (!joining) joined.assign(as_text(flat));
      joining = true;
      joined.append(as_text(piece));
    }
  }
}

void list_of_names(Cursor& c, std::vector<std::string>& out) {
  Cursor list(c.bytes_or_rest(c.u16()));
  while (!list.empty() && out.size() < 32) {
    const Bytes name = list.bytes(list.u8());
    if (list.failed()) break;
    out.push_back(clean(as_text(name)));
  }
}

}  // namespace

std::string TlsClientHello::ja3_hash() const { return ja3.empty() ? std::string() : md5_hex(ja3); }
std::string TlsServerHello::ja3s_hash() const { return ja3s.empty() ? std::string() : md5_hex(ja3s); }

bool looks_like_tls(Bytes s) {
  if (s.size() < 6 || s[1] != 3 || s[2] > 4) return false;
  if (s[0] == kHandshake) return s[5] == kClientHello || s[5] == kServerHello;
  return s[0] == kAlert && be16(&s[3]) == 2 && (s[5] == 1 || s[5] == 2);
}

TlsParse parse_client_hello(Bytes stream, TlsClientHello& out) {
  out = {};
  std::string joined;
  const Message m = first_message(stream, kClientHello, joined);
  if (m.state == TlsParse::kNotTls) return m.state;
  Cursor c(m.body);
  const uint16_t version = c.u16();
  if (c.failed()) return m.state;
  if (!is_version(version)) return TlsParse::kNotTls;
  out.version = out.highest_version = version;
  c.skip(32);
  const Bytes session = c.bytes(c.u8());
  out.session = !session.empty();
  std::string ja3;
  append_number(ja3, version);
  ja3 += ',';
  bool first = true;
  Cursor ciphers(c.bytes(c.u16()));
  if (m.state == TlsParse::kDone && (c.failed() || ciphers.empty())) return TlsParse::kNotTls;
  while (ciphers.left() >= 2)
    if (const uint16_t v = ciphers.u16(); !is_grease(v)) append_number(ja3, v, first);
  c.skip(c.u8());  // compression methods
  if (c.failed()) return m.state == TlsParse::kDone ? TlsParse::kNotTls : m.state;
  std::string extensions, groups, formats;
  bool first_extension = true, first_group = true, first_format = true;
  // TLS 1.3 always sends a session of 32 bytes for middle boxes: there only a ticket or key means something.
  bool offers = false, thirteen = false;
  if (!c.empty()) {
    Cursor list(c.bytes_or_rest(c.u16()));
    while (!list.empty()) {
      const uint16_t type = list.u16();
      const uint16_t size = list.u16();
      if (list.failed()) break;
      Cursor data(list.bytes_or_rest(size));
      if (is_grease(type)) continue;
      append_number(extensions, type, first_extension);
      switch (type) {
        case kServerName: {
          Cursor names(data.bytes_or_rest(data.u16()));
          const uint8_t kind = names.u8();
          const Bytes name = names.bytes(names.u16());
          if (!names.failed() && kind == 0) out.server_name = clean(as_text(name));
          break;
        }
        case kGroups: {
          Cursor values(data.bytes_or_rest(data.u16()));
          while (values.left() >= 2)
            if (const uint16_t v = values.u16(); !is_grease(v)) append_number(groups, v, first_group);
          break;
        }
        case kPointFormats: {
          Cursor values(data.bytes_or_rest(data.u8()));
          while (!values.empty()) append_number(formats, values.u8(), first_format);
          break;
        }
        case kAlpn: list_of_names(data, out.alpn); break;
        case kSupportedVersions: {
          Cursor values(data.bytes_or_rest(data.u8()));
          uint16_t highest = 0;
          while (values.left() >= 2)
            if (const uint16_t v = settled(values.u16()); is_version(v)) highest = std::max(highest, v);
          if (highest) out.highest_version = highest;
          thirteen = highest >= 0x0304;
          break;
        }
        case kTicket: offers |= size > 0; break;
        case kPreSharedKey: offers = true; break;
        case kEncryptedHello: out.encrypted_hello = true; break;
        default: break;
      }
    }
  }
  out.session = offers || (out.session && !thirteen);
  if (m.state == TlsParse::kDone) out.ja3 = ja3 + ',' + extensions + ',' + groups + ',' + formats;
  return m.state;
}

TlsParse parse_server_hello(Bytes stream, TlsServerHello& out) {
  // SHA-256 of "HelloRetryRequest" in place of the random (RFC 8446, 4.1.3).
  static constexpr uint8_t kRetry[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                                         0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
  out = {};
  std::string joined;
  const Message m = first_message(stream, kServerHello, joined);
  if (m.state != TlsParse::kDone) return m.state;
  Cursor c(m.body);
  const uint16_t version = c.u16();
  if (!is_version(version)) return TlsParse::kNotTls;
  out.version = version;
  const Bytes random = c.bytes(32);
  out.retry = random.size() == 32 && std::memcmp(random.data(), kRetry, 32) == 0;
  c.skip(c.u8());
  out.cipher = c.u16();
  c.u8();  // compression
  if (c.failed()) return TlsParse::kNotTls;
  append_number(out.ja3s, version);
  out.ja3s += ',';
  append_number(out.ja3s, out.cipher);
  out.ja3s += ',';
  bool first = true;
  if (!c.empty()) {
    Cursor list(c.bytes_or_rest(c.u16()));
    while (!list.empty()) {
      const uint16_t type = list.u16();
      const uint16_t size = list.u16();
      if (list.failed()) break;
      Cursor data(list.bytes_or_rest(size));
      append_number(out.ja3s, type, first);
      if (type == kSupportedVersions) {
        if (const uint16_t v = settled(data.u16()); !data.failed() && is_version(v)) out.version = v;
      } else if (type == kAlpn) {
        std::vector<std::string> names;
        list_of_names(data, names);
        if (!names.empty()) out.alpn = std::move(names[0]);
      }
    }
  }
  return TlsParse::kDone;
}

std::string_view tls_version_name(uint16_t v) {
  switch (v) {
    case 0x0300: return "SSLv3";
    case 0x0301: return "TLSv1.0";
    case 0x0302: return "TLSv1.1";
    case 0x0303: return "TLSv1.2";
    case 0x0304: return "TLSv1.3";
    default: return {};
  }
}

}  // namespace egret::capture
