// Punycode (RFC 3492), and names of domains whose labels are written in it (xn--…), which hide what a name looks like.
#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/text.h"
#include "kql/functions/tables.h"

namespace egret::kql {
namespace {

constexpr uint32_t kBase = 36, kMin = 1, kMax = 26, kSkew = 38, kDamp = 700, kFirstBias = 72, kFirst = 128;

uint32_t adapt(uint32_t delta, uint32_t points, bool first) {
  delta = first ? delta / kDamp : delta / 2;
  delta += delta / points;
  uint32_t k = 0;
  for (; delta > (kBase - kMin) * kMax / 2; k += kBase) delta /= kBase - kMin;
  return k + (kBase - kMin + 1) * delta / (delta + kSkew);
}
uint32_t threshold(uint32_t k, uint32_t bias) { return k <= bias + kMin ? kMin : k >= bias + kMax ? kMax : k - bias; }

// Strings of the engine are valid UTF-8.
std::vector<uint32_t> points_of(std::string_view s) {
  std::vector<uint32_t> out;
  for (size_t i = 0; i < s.size();) {
    const auto c = static_cast<unsigned char>(s[i]);
    const size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    uint32_t p = n == 1 ? c : n == 2 ? c & 0x1f : n == 3 ? c & 0x0f : c & 0x07;
    for (size_t k = 1; k < n && i + k < s.size(); ++k) p = p << 6 | (static_cast<unsigned char>(s[i + k]) & 0x3f);
    out.push_back(p);
    i += n;
  }
  return out;
}

void append_utf8(std::string& out, uint32_t p) {
  const auto byte = [&](uint32_t b) { out += static_cast<char>(b); };
  if (p < 0x80) {
    byte(p);
  } else if (p < 0x800) {
    byte(0xc0 | p >> 6), byte(0x80 | (p & 0x3f));
  } else if (p < 0x10000) {
    byte(0xe0 | p >> 12), byte(0x80 | (p >> 6 & 0x3f)), byte(0x80 | (p & 0x3f));
  } else {
    byte(0xf0 | p >> 18), byte(0x80 | (p >> 12 & 0x3f)), byte(0x80 | (p >> 6 & 0x3f)), byte(0x80 | (p & 0x3f));
  }
}

// Nothing for text that is longer than any name: the work grows with its square.
constexpr size_t kLongest = 1024;

std::optional<std::string> encode(std::string_view text) {
  const auto points = points_of(text);
  if (points.size() > kLongest) return {};
  std::string out;
  for (const uint32_t p : points)
    if (p < kFirst) out += static_cast<char>(p);
  uint32_t done = static_cast<uint32_t>(out.size()), n = kFirst, bias = kFirstBias;
  uint64_t delta = 0;
  const uint32_t basic = done;
  if (basic) out += '-';
  while (done < points.size()) {
    uint32_t next = UINT32_MAX;
    for (const uint32_t p : points)
      if (p >= n) next = std::min(next, p);
    delta += static_cast<uint64_t>(next - n) * (done + 1);
    n = next;
    for (const uint32_t p : points) {
      if (p < n) ++delta;
      if (p != n) continue;
      auto q = static_cast<uint32_t>(delta);
      for (uint32_t k = kBase;; k += kBase) {
        const uint32_t t = threshold(k, bias);
        const uint32_t digit = q < t ? q : t + (q - t) % (kBase - t);
        out += static_cast<char>(digit < 26 ? 'a' + digit : '0' + digit - 26);
        if (q < t) break;
        q = (q - t) / (kBase - t);
      }
      bias = adapt(static_cast<uint32_t>(delta), done + 1, done == basic);
      delta = 0;
      ++done;
    }
    ++delta;
    ++n;
    if (delta > UINT32_MAX) return {};
  }
  return out;
}

std::optional<std::string> decode(std::string_view text) {
  if (text.size() > kLongest) return {};
  std::vector<uint32_t> points;
  const size_t dash = text.rfind('-');
  if (dash != std::string_view::npos) {
    for (const char c : text.substr(0, dash)) {
      if (static_cast<unsigned char>(c) >= kFirst) return {};
      points.push_back(static_cast<unsigned char>(c));
    }
    text.remove_prefix(dash + 1);
  }
  uint32_t n = kFirst, bias = kFirstBias;
  uint64_t i = 0;
  while (!text.empty()) {
    const uint64_t before = i;
    uint64_t weight = 1;
    for (uint32_t k = kBase;; k += kBase) {
      if (text.empty()) return {};
      const char c = text.front();
      text.remove_prefix(1);
      const int digit = c >= 'a' && c <= 'z' ? c - 'a' : c >= 'A' && c <= 'Z' ? c - 'A' : c >= '0' && c <= '9' ? c - '0' + 26 : -1;
      if (digit < 0) return {};
      i += static_cast<uint64_t>(digit) * weight;
      if (i > UINT32_MAX) return {};
      const uint32_t t = threshold(k, bias);
      if (static_cast<uint32_t>(digit) < t) break;
      weight *= kBase - t;
      if (weight > UINT32_MAX) return {};
    }
    const auto size = static_cast<uint32_t>(points.size() + 1);
    bias = adapt(static_cast<uint32_t>(i - before), size, before == 0);
    if (i / size > 0x10ffff - n) return {};
    n += static_cast<uint32_t>(i / size);
    i %= size;
    if (n >= 0xd800 && n < 0xe000) return {};  // no character
    points.insert(points.begin() + static_cast<std::ptrdiff_t>(i), n);
    ++i;
  }
  std::string out;
  for (const uint32_t p : points) append_utf8(out, p);
  return out;
}

bool is_ascii(std::string_view s) {
  return std::ranges::all_of(s, [](char c) { return static_cast<unsigned char>(c) < kFirst; });
}

void from_string(const Args& a, Out& out) {
  const auto v = encode(a.text(0));
  v ? out.text(*v) : out.text({});
}
void to_string(const Args& a, Out& out) {
  const auto v = decode(a.text(0));
  v ? out.text(*v) : out.text({});
}

// Label by label; '' when one of them cannot be.
template <typename F>
void labels(const Args& a, Out& out, F&& f) {
  std::string& text = out.scratch;
  text.clear();
  bool first = true;
  for (std::string_view rest = a.text(0);;) {
    const size_t dot = rest.find('.');
    if (!first) text += '.';
    first = false;
    const auto label = f(rest.substr(0, dot));
    if (!label) return out.text({});
    text += *label;
    if (dot == std::string_view::npos) return out.text(text);
    rest.remove_prefix(dot + 1);
  }
}
void domain_from_string(const Args& a, Out& out) {
  labels(a, out, [](std::string_view label) -> std::optional<std::string> {
    if (is_ascii(label)) return std::string(label);
    const auto v = encode(label);
    return v ? std::optional("xn--" + *v) : std::nullopt;
  });
}
void domain_to_string(const Args& a, Out& out) {
  labels(a, out, [](std::string_view label) -> std::optional<std::string> {
    if (label.size() < 4 || !iequals(label.substr(0, 4), "xn--")) return std::string(label);
    return decode(label.substr(4));
  });
}

constexpr Native kNatives[] = {
    native<from_string>("k_punycode_encode", "s>s"),
    native<to_string>("k_punycode_decode", "s>s"),
    native<domain_from_string>("k_punycode_domain_encode", "s>s"),
    native<domain_to_string>("k_punycode_domain_decode", "s>s"),
};

constexpr ScalarFunction row(std::string_view name, std::string_view syntax, std::string_view doc, std::string_view sql) {
  return {.name = name, .syntax = syntax, .doc = doc, .min_args = 1, .max_args = 1, .types = "s>s", .sql = sql};
}
constexpr ScalarFunction kRows[] = {
    row("punycode_from_string", "punycode_from_string(text)", "The text in Punycode, without xn--.", "k_punycode_encode({0})"),
    row("punycode_to_string", "punycode_to_string(text)", "What Punycode says; '' where it is none.", "k_punycode_decode({0})"),
    row("punycode_domain_from_string", "punycode_domain_from_string(domain)", "The domain with labels beyond ASCII as xn--….",
        "k_punycode_domain_encode({0})"),
    row("punycode_domain_to_string", "punycode_domain_to_string(domain)", "The domain as people read it; '' where a label is no Punycode.",
        "k_punycode_domain_decode({0})"),
};

}  // namespace

namespace functions {
const FunctionTable kPunycode{kRows, kNatives};
}

}  // namespace egret::kql
