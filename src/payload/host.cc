#include "payload/host.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"

namespace egret::payload {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// One part of an address as inet_aton(3) reads it: 0x hexadecimal, 0 octal, else decimal. The value wraps at 32 bits, as it does in
// the parsers that this is used against.
struct Part {
  uint32_t value = 0;
  bool wrapped = false;
  int base = 10;
};

std::optional<Part> read_part(std::string_view s) {
  Part p;
  if (s.empty() || s.size() > 64) return {};
  if (s.size() > 1 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
    p.base = 16;
    s.remove_prefix(2);
  } else if (s.size() > 1 && s[0] == '0') {
    p.base = 8;
    s.remove_prefix(1);
  }
  uint64_t v = 0;
  for (const char c : s) {
    const int digit = hex_digit(c);
    if (digit < 0 || digit >= p.base) return {};
    v = v * static_cast<uint64_t>(p.base) + static_cast<uint64_t>(digit);
    if (v >> 32) {
      p.wrapped = true;
      v &= 0xffffffff;
    }
  }
  p.value = static_cast<uint32_t>(v);
  return p;
}

void add(std::vector<std::string_view>& forms, std::string_view form) {
  if (std::find(forms.begin(), forms.end(), form) == forms.end()) forms.push_back(form);
}

// One to four parts; the last fills what the others leave.
std::optional<Host> read_v4(std::string_view text) {
  Part parts[4];
  size_t n = 0;
  for (std::string_view rest = text;;) {
    const size_t dot = rest.find('.');
    if (n == 4) return {};
    const auto part = read_part(rest.substr(0, dot));
    if (!part) return {};
    parts[n++] = *part;
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  Host h;
  uint32_t value = 0;
  for (size_t i = 0; i < n; ++i) {
    const Part& p = parts[i];
    if (p.base == 16) add(h.forms, "hexadecimal");
    if (p.base == 8) add(h.forms, "octal");
    const bool last = i + 1 == n;
    const uint32_t limit = last && n == 1 ? 0xffffffff : last ? 0xffffffff >> (8 * (n - 1)) : 0xff;
    if (p.wrapped || p.value > limit) add(h.forms, "overflow");
    value |= last ? p.value & limit : (p.value & 0xff) << (24 - 8 * i);
  }
  if (n == 1 && parts[0].base == 10) add(h.forms, "decimal");
  if (n == 2 || n == 3) add(h.forms, "short");
  h.address = IpAddress::v4(value);
  h.name = h.address->to_string();
  return h;
}

std::optional<Host> read_v6(std::string_view text) {
  Host h;
  if (const size_t zone = text.find('%'); zone != std::string_view::npos) {
    h.forms.push_back("zone");
    text = text.substr(0, zone);
  }
  auto ip = IpAddress::parse(text);
  if (!ip || text.find(':') == std::string_view::npos) return {};
  const uint128 v = ip->value;
  const auto low = static_cast<uint32_t>(v);
  if (ip->is_v4()) {
    h.forms.push_back("IPv4-mapped");
  } else if ((v >> 32) == 0 && low > 0xffff) {  // RFC 4291 section 2.5.5.1, but not :: and ::1
    h.forms.push_back("IPv4-compatible");
    ip = IpAddress::v4(low);
  } else if ((v >> 32) == (uint128{0x0064ff9b} << 64)) {  // RFC 6052
    h.forms.push_back("NAT64");
    ip = IpAddress::v4(low);
  } else if ((v >> 112) == 0x2002) {  // RFC 3056
    h.forms.push_back("6to4");
    ip = IpAddress::v4(static_cast<uint32_t>(v >> 80));
  }
  h.address = ip;
  h.name = ip->to_string();
  return h;
}

// Addresses in the labels of a name: four numbers in a row, parted by dots or dashes, or eight hexadecimal digits as a label.
std::vector<IpAddress> addresses_in(std::string_view name) {
  std::vector<IpAddress> found;
  for (size_t i = 0; i < name.size() && found.size() < 4;) {
    const bool begins = i == 0 || name[i - 1] == '.' || name[i - 1] == '-';
    if (!begins) {
      ++i;
      continue;
    }
    uint32_t value = 0;
    size_t at = i;
    int parts = 0;
    for (; parts < 4; ++parts) {
      if (parts > 0) {
        if (at >= name.size() || (name[at] != '.' && name[at] != '-')) break;
        ++at;
      }
      uint32_t octet = 0;
      size_t digits = 0;
      while (at < name.size() && digits < 3 && is_digit(name[at])) octet = octet * 10 + static_cast<uint32_t>(name[at++] - '0'), ++digits;
      if (digits == 0 || octet > 255) break;
      value = value << 8 | octet;
    }
    const auto ends = [&](size_t k) { return k == name.size() || name[k] == '.' || name[k] == '-'; };
    if (parts == 4 && ends(at)) {
      found.push_back(IpAddress::v4(value));
      i = at;
      continue;
    }
    size_t digits = 0;
    value = 0;
    while (i + digits < name.size() && digits < 9 && hex_digit(name[i + digits]) >= 0)
      value = value << 4 | static_cast<uint32_t>(hex_digit(name[i + digits++]));
    if (digits == 8 && i + 8 < name.size() && name[i + 8] == '.' && (i == 0 || name[i - 1] == '.')) {
      found.push_back(IpAddress::v4(value));
      i += 8;
      continue;
    }
    ++i;
  }
  return found;
}

bool is_name_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.' || (c & 0x80);
}

}  // namespace

std::optional<Host> read_host(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') return read_v6(text.substr(1, text.size() - 2));
  if (text.size() > 1 && text.back() == '.') text.remove_suffix(1);
  if (text.empty() || text.size() > 253 || text.front() == '.' || text.front() == '-') return {};
  if (is_digit(text[0]))
    if (auto v4 = read_v4(text)) return v4;
  if (!std::all_of(text.begin(), text.end(), is_name_character) || text.find("..") != std::string_view::npos) return {};
  // A name whose last label is a number is none (1.2.3.4.5).
  const std::string_view last = text.substr(text.rfind('.') + 1);
  if (std::all_of(last.begin(), last.end(), is_digit)) return {};
  Host h;
  h.name = to_lower(text);
  h.in_name = addresses_in(h.name);
  return h;
}

}  // namespace egret::payload
