// Internet addresses.
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/ip.h"
#include "base/json.h"
#include "kql/functions/json.h"
#include "kql/functions/list.h"
#include "kql/functions/tables.h"

namespace egret::kql {
namespace {

using functions::ArrayOut;
using model::Type;

struct Net {
  uint128 value = 0;
  int prefix = 128;  // of the 128-bit form
  bool v4 = false;
};

// "a.b.c.d", "x::y", each with an optional /prefix that counts as its family does.
std::optional<Net> parse_net(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return {};
  Net n{address->value, 128, address->is_v4() && text.substr(0, slash).find(':') == std::string_view::npos};
  if (slash == std::string_view::npos) return n;
  int prefix = 0;
  const std::string_view digits = text.substr(slash + 1);
  if (digits.empty() || digits.size() > 3) return {};
  for (const char c : digits) {
    if (c < '0' || c > '9') return {};
    prefix = prefix * 10 + (c - '0');
  }
  if (prefix > (n.v4 ? 32 : 128)) return {};
  n.prefix = n.v4 ? prefix + 96 : prefix;
  return n;
}
std::optional<Net> parse_v4(std::string_view text) {
  const auto n = parse_net(text);
  return n && n->v4 ? n : std::nullopt;
}

uint128 masked(uint128 v, int prefix) { return prefix <= 0 ? 0 : v & (~uint128{0} << (128 - prefix)); }
bool inside(const Net& ip, const Net& range) {
  const int prefix = std::min(ip.prefix, range.prefix);
  return masked(ip.value, prefix) == masked(range.value, prefix);
}

void ip_key(const Args& a, Out& out) {
  const auto ip = IpAddress::parse(a.text(0));
  ip ? out.huge(ip->value) : out.null();
}

void v4_is_private(const Args& a, Out& out) {
  const auto n = parse_v4(a.text(0));
  if (!n) return out.null();
  static const Net kPrivate[] = {*parse_net("10.0.0.0/8"), *parse_net("172.16.0.0/12"), *parse_net("192.168.0.0/16")};
  for (const Net& p : kPrivate)
    if (n->prefix >= p.prefix && inside(*n, p)) return out.boolean(true);
  out.boolean(false);
}

template <bool V4>
std::optional<Net> parse_of(std::string_view text) {
  return V4 ? parse_v4(text) : parse_net(text);
}

template <bool V4>
void is_in_range(const Args& a, Out& out) {
  const auto ip = parse_of<V4>(a.text(0)), range = parse_of<V4>(a.text(1));
  if (!ip || !range) return out.null();
  out.boolean(ip->prefix >= range->prefix && inside(*ip, *range));
}

// Ranges of a JSON array, kept for the rows that repeat it: sorted starts, so that a look-up is a binary search per prefix.
struct RangeList {
  std::string json;
  std::vector<Net> ranges;
};
const RangeList& ranges_of(const Args& a, size_t i) {
  thread_local RangeList list;
  thread_local const char* seen = nullptr;
  const std::string_view text = a.text(i);
  if (text.size() == list.json.size() && ((a.row > 0 && seen == text.data()) || text == list.json)) {
    seen = text.data();
    return list;
  }
  list.json = text;
  list.ranges.clear();
  seen = text.data();
  json::Elements it(text);
  for (std::string_view e; it.next(e);)
    if (const auto n = parse_net(json::text(e))) list.ranges.push_back(*n);
  return list;
}

template <bool V4>
void is_in_any_range(const Args& a, Out& out) {
  const auto ip = parse_of<V4>(a.text(0));
  if (!ip) return out.null();
  for (const Net& r : ranges_of(a, 1).ranges)
    if (ip->prefix >= r.prefix && inside(*ip, r)) return out.boolean(true);
  out.boolean(false);
}

// (a, b, prefix): compares under the shortest of the three prefixes.
template <bool V4>
std::optional<int> compare(const Args& a) {
  const auto x = parse_of<V4>(a.text(0)), y = parse_of<V4>(a.text(1));
  if (!x || !y) return {};
  int prefix = std::min(x->prefix, y->prefix);
  if (!a.null(2)) {
    const int64_t p = a.integer(2);
    if (p < 0 || p > (V4 ? 32 : 128)) return {};
    prefix = std::min(prefix, static_cast<int>(V4 ? p + 96 : p));
  }
  const uint128 m = masked(x->value, prefix), n = masked(y->value, prefix);
  return m < n ? -1 : m > n;
}
template <bool V4>
void is_match(const Args& a, Out& out) {
  const auto c = compare<V4>(a);
  c ? out.boolean(*c == 0) : out.null();
}
template <bool V4>
void compare_of(const Args& a, Out& out) {
  const auto c = compare<V4>(a);
  c ? out.integer(*c) : out.null();
}

uint32_t v4_value(uint128 v) { return static_cast<uint32_t>(v); }

void parse_ipv4(const Args& a, Out& out) {
  const auto n = parse_v4(a.text(0));
  n ? out.integer(v4_value(masked(n->value, n->prefix))) : out.null();
}
void parse_ipv4_mask(const Args& a, Out& out) {  // (text, prefix)
  const auto n = parse_v4(a.text(0));
  if (!n || a.integer(1) < 0 || a.integer(1) > 32) return out.null();
  out.integer(v4_value(masked(n->value, static_cast<int>(std::min<int64_t>(n->prefix, a.integer(1) + 96)))));
}
void parse_ipv6(const Args& a, Out& out) {  // (text, prefix): the long form
  const auto n = parse_net(a.text(0));
  if (!n) return out.text({});
  int prefix = n->prefix;
  if (!a.null(1)) {
    if (a.integer(1) < 0 || a.integer(1) > 128) return out.text({});
    prefix = std::min(prefix, static_cast<int>(a.integer(1)));
  }
  const uint128 v = masked(n->value, prefix);
  std::string s;
  for (int i = 7; i >= 0; --i) s += fmt::format("{:04x}{}", static_cast<unsigned>(v >> (i * 16) & 0xffff), i ? ":" : "");
  out.text(s);
}
void format_ipv4(const Args& a, Out& out) {  // (text or number as text, prefix, with the mask)
  const std::string_view text = a.text(0);
  std::optional<Net> n = parse_v4(text);
  if (!n && !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos && text.size() < 11) {
    const uint64_t v = std::stoull(std::string(text));
    if (v <= UINT32_MAX) n = Net{IpAddress::v4(static_cast<uint32_t>(v)).value, 128, true};
  }
  if (!n) return out.text({});
  int prefix = n->prefix;
  if (!a.null(1)) {
    if (a.integer(1) < 0 || a.integer(1) > 32) return out.text({});
    prefix = std::min(prefix, static_cast<int>(a.integer(1) + 96));
  }
  std::string s = IpAddress::v4(v4_value(masked(n->value, prefix))).to_string();
  if (a.boolean(2)) s += fmt::format("/{}", prefix - 96);
  out.text(s);
}
void netmask_suffix(const Args& a, Out& out) {
  const auto n = parse_v4(a.text(0));
  n ? out.integer(n->prefix - 96) : out.null();
}
void range_to_cidrs(const Args& a, Out& out) {
  const auto x = parse_v4(a.text(0)), y = parse_v4(a.text(1));
  if (!x || !y) return out.null();
  uint64_t from = v4_value(x->value);
  const uint64_t to = v4_value(y->value);
  ArrayOut list(out.scratch);
  while (from <= to) {
    int bits = from == 0 ? 32 : std::countr_zero(from);
    bits = std::min(bits, 32);
    while ((uint64_t{1} << bits) - 1 > to - from) --bits;
    list.add(fmt::format("\"{}/{}\"", IpAddress::v4(static_cast<uint32_t>(from)).to_string(), 32 - bits));
    from += uint64_t{1} << bits;
  }
  out.text(list.done());
}

bool word_char(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Calls f with every IPv4 address in a text that stands by itself; f returns true to stop.
template <typename F>
bool each_v4(std::string_view s, F&& f) {
  for (size_t at = 0; at < s.size();) {
    if (s[at] < '0' || s[at] > '9' || (at > 0 && (word_char(s[at - 1]) || s[at - 1] == '.'))) {
      ++at;
      continue;
    }
    size_t end = at;
    while (end < s.size() && ((s[end] >= '0' && s[end] <= '9') || s[end] == '.')) ++end;
    std::string_view candidate = s.substr(at, end - at);
    const bool bounded = end == s.size() || !word_char(s[end]);
    while (candidate.ends_with('.')) candidate.remove_suffix(1);  // the end of a sentence
    if (bounded && candidate.size() >= 7)
      if (const auto n = parse_v4(candidate); n && f(*n, candidate)) return true;
    at = end;
  }
  return false;
}

// The wanted are one text or an array; a prefix is "10.1." or "10.1".
std::vector<std::string> wanted(const Args& a) {
  std::vector<std::string> all;
  for (size_t i = 1; i < a.count(); ++i) {
    if (a.null(i)) continue;
    if (json::kind(a.text(i)) == json::Kind::kArray) {
      json::Elements it(a.text(i));
      for (std::string_view e; it.next(e);) all.push_back(json::text(e));
    } else {
      all.push_back(json::text(a.text(i)));
    }
  }
  return all;
}
void has_ipv4(const Args& a, Out& out) {
  std::vector<uint128> values;
  for (const std::string& w : wanted(a))
    if (const auto n = parse_v4(w)) values.push_back(n->value);
  out.boolean(
      each_v4(a.text(0), [&](const Net& n, std::string_view) { return std::find(values.begin(), values.end(), n.value) != values.end(); }));
}
void has_ipv4_prefix(const Args& a, Out& out) {
  const std::vector<std::string> prefixes = wanted(a);
  out.boolean(each_v4(a.text(0), [&](const Net&, std::string_view text) {
    for (const std::string& p : prefixes) {
      if (p.empty() || !text.starts_with(p)) continue;
      const size_t dots = static_cast<size_t>(std::count(p.begin(), p.end(), '.'));
      if (p.ends_with('.') ? dots <= 3 : dots == 3 && text == p) return true;
    }
    return false;
  }));
}

constexpr Native kNatives[] = {
    native<ip_key>("k_ip_key", "s>h"),
    native<v4_is_private>("k_ipv4_is_private", "s>b"),
    native<is_in_range<true>>("k_ipv4_is_in_range", "ss>b"),
    native<is_in_range<false>>("k_ipv6_is_in_range", "ss>b"),
    native<is_in_any_range<true>>("k_ipv4_is_in_any_range", "sd>b"),
    native<is_in_any_range<false>>("k_ipv6_is_in_any_range", "sd>b"),
    native<is_match<true>>("k_ipv4_is_match", "ssL>b"),
    native<is_match<false>>("k_ipv6_is_match", "ssL>b"),
    native<compare_of<true>>("k_ipv4_compare", "ssL>l"),
    native<compare_of<false>>("k_ipv6_compare", "ssL>l"),
    native<parse_ipv4>("k_parse_ipv4", "s>l"),
    native<parse_ipv4_mask>("k_parse_ipv4_mask", "sl>l"),
    native<parse_ipv6>("k_parse_ipv6", "sL>s"),
    native<format_ipv4>("k_format_ipv4", "sLb>s"),
    native<netmask_suffix>("k_ipv4_netmask_suffix", "s>l"),
    native<range_to_cidrs>("k_ipv4_range_to_cidrs", "ss>d"),
    native<has_ipv4>("k_has_ipv4", "sD*>b"),
    native<has_ipv4_prefix>("k_has_ipv4_prefix", "sD*>b"),
};

// ipvN_is_in_any_range(ip, range, range …) or (ip, array)
template <bool V4>
Emitted emit_any_range(std::span<const Typed> args, const EmitContext&) {
  auto ip = coerce(args[0], Type::kString);
  if (!ip) return std::unexpected("argument 1 " + ip.error());
  std::string list;
  if (args.size() == 2 && args[1].type == Type::kDynamic) {
    list = args[1].sql;
  } else {
    for (const Typed& a : args.subspan(1)) list += (list.empty() ? "" : ", ") + convert(a, Type::kDynamic).sql;
    list = "k_pack_array(" + list + ")";
  }
  return Typed{.sql = fmt::format("k_ipv{}_is_in_any_range({}, {})", V4 ? 4 : 6, ip->sql, list),
               .type = Type::kBool,
               .is_constant = ip->is_constant};
}

constexpr ScalarFunction kRows[] = {
    {.name = "ipv4_is_private",
     .syntax = "ipv4_is_private(address)",
     .doc = "Whether the address is of 10/8, 172.16/12 or 192.168/16; null when it is none.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>b",
     .sql = "k_ipv4_is_private({0})"},
    {.name = "ipv4_is_in_range",
     .syntax = "ipv4_is_in_range(address, range)",
     .doc = "Whether the address lies in the range.",
     .min_args = 2,
     .max_args = 2,
     .types = "ss>b",
     .sql = "k_ipv4_is_in_range({0}, {1})"},
    {.name = "ipv4_is_in_any_range",
     .syntax = "ipv4_is_in_any_range(address, ranges)",
     .doc = "Whether the address lies in one of the ranges.",
     .min_args = 2,
     .max_args = kAnyNumber,
     .emit = emit_any_range<true>},
    {.name = "ipv4_is_match",
     .syntax = "ipv4_is_match(a, b [, prefix])",
     .doc = "Whether both are the same under the shortest prefix.",
     .min_args = 2,
     .max_args = 3,
     .types = "ssl>b",
     .sql = "k_ipv4_is_match({0}, {1}, {2})"},
    {.name = "ipv4_compare",
     .syntax = "ipv4_compare(a, b [, prefix])",
     .doc = "-1, 0 or 1 under the shortest prefix.",
     .min_args = 2,
     .max_args = 3,
     .types = "ssl>l",
     .sql = "k_ipv4_compare({0}, {1}, {2})"},
    {.name = "parse_ipv4",
     .syntax = "parse_ipv4(address)",
     .doc = "The address as a number; with /prefix the first of the range.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>l",
     .sql = "k_parse_ipv4({0})"},
    {.name = "parse_ipv4_mask",
     .syntax = "parse_ipv4_mask(address, prefix)",
     .doc = "The address under a prefix as a number.",
     .min_args = 2,
     .max_args = 2,
     .types = "sl>l",
     .sql = "k_parse_ipv4_mask({0}, {1})"},
    {.name = "format_ipv4",
     .syntax = "format_ipv4(address or number [, prefix])",
     .doc = "The address under a prefix as text.",
     .min_args = 1,
     .max_args = 2,
     .types = "sl>s",
     .sql = "k_format_ipv4({0}, {1}, false)"},
    {.name = "format_ipv4_mask",
     .syntax = "format_ipv4_mask(address or number [, prefix])",
     .doc = "The address under a prefix as text with /prefix.",
     .min_args = 1,
     .max_args = 2,
     .types = "sl>s",
     .sql = "k_format_ipv4({0}, {1}, true)"},
    {.name = "ipv4_netmask_suffix",
     .syntax = "ipv4_netmask_suffix(range)",
     .doc = "The prefix of the range, 32 of an address.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>l",
     .sql = "k_ipv4_netmask_suffix({0})"},
    {.name = "ipv4_range_to_cidr_list",
     .syntax = "ipv4_range_to_cidr_list(first, last)",
     .doc = "The ranges that cover these addresses.",
     .min_args = 2,
     .max_args = 2,
     .types = "ss>d",
     .sql = "k_ipv4_range_to_cidrs({0}, {1})"},
    {.name = "parse_ipv6",
     .syntax = "parse_ipv6(address)",
     .doc = "The address in its long form.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>s",
     .sql = "k_parse_ipv6({0}, NULL)"},
    {.name = "parse_ipv6_mask",
     .syntax = "parse_ipv6_mask(address, prefix)",
     .doc = "The address under a prefix in its long form.",
     .min_args = 2,
     .max_args = 2,
     .types = "sl>s",
     .sql = "k_parse_ipv6({0}, {1})"},
    {.name = "ipv6_is_in_range",
     .syntax = "ipv6_is_in_range(address, range)",
     .doc = "Whether the address lies in the range.",
     .min_args = 2,
     .max_args = 2,
     .types = "ss>b",
     .sql = "k_ipv6_is_in_range({0}, {1})"},
    {.name = "ipv6_is_in_any_range",
     .syntax = "ipv6_is_in_any_range(address, ranges)",
     .doc = "Whether the address lies in one of the ranges.",
     .min_args = 2,
     .max_args = kAnyNumber,
     .emit = emit_any_range<false>},
    {.name = "ipv6_is_match",
     .syntax = "ipv6_is_match(a, b [, prefix])",
     .doc = "Whether both are the same under the shortest prefix.",
     .min_args = 2,
     .max_args = 3,
     .types = "ssl>b",
     .sql = "k_ipv6_is_match({0}, {1}, {2})"},
    {.name = "ipv6_compare",
     .syntax = "ipv6_compare(a, b [, prefix])",
     .doc = "-1, 0 or 1 under the shortest prefix.",
     .min_args = 2,
     .max_args = 3,
     .types = "ssl>l",
     .sql = "k_ipv6_compare({0}, {1}, {2})"},
    {.name = "has_ipv4",
     .syntax = "has_ipv4(text, address)",
     .doc = "Whether the text has the address, standing by itself.",
     .min_args = 2,
     .max_args = 2,
     .types = "sd>b",
     .sql = "k_has_ipv4({0}, {1})"},
    {.name = "has_any_ipv4",
     .syntax = "has_any_ipv4(text, address or array, …)",
     .doc = "Whether the text has one of the addresses.",
     .min_args = 2,
     .max_args = kAnyNumber,
     .types = "sd*>b",
     .sql = "k_has_ipv4({0}, {1*})"},
    {.name = "has_ipv4_prefix",
     .syntax = "has_ipv4_prefix(text, prefix)",
     .doc = "Whether the text has an address that begins so.",
     .min_args = 2,
     .max_args = 2,
     .types = "sd>b",
     .sql = "k_has_ipv4_prefix({0}, {1})"},
    {.name = "has_any_ipv4_prefix",
     .syntax = "has_any_ipv4_prefix(text, prefix or array, …)",
     .doc = "Whether the text has an address that begins with one of them.",
     .min_args = 2,
     .max_args = kAnyNumber,
     .types = "sd*>b",
     .sql = "k_has_ipv4_prefix({0}, {1*})"},
};

}  // namespace

namespace functions {
const FunctionTable kIp{kRows, kNatives};
}

}  // namespace egret::kql
