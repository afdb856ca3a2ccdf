// Encodings and hashes.
#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <random>

#include "base/encoding.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "kql/functions/json.h"
#include "kql/functions/list.h"
#include "kql/functions/tables.h"
#include "kql/functions/values.h"

namespace egret::kql {
namespace {

using functions::ArrayOut;
using model::Type;

void base64_encode(const Args& a, Out& out) {
  out.scratch.clear();
  append_base64(out.scratch, a.text(0));
  out.text(out.scratch);
}
void base64_decode(const Args& a, Out& out) {
  const auto bytes = decode_base64(a.text(0));
  bytes&& is_valid_utf8(*bytes) ? out.text(*bytes) : out.text({});
}
void base64_decode_array(const Args& a, Out& out) {
  const auto bytes = decode_base64(a.text(0));
  if (!bytes) return out.null();
  ArrayOut list(out.scratch);
  for (const char c : *bytes) list.add(std::to_string(static_cast<unsigned char>(c)));
  out.text(list.done());
}
void base64_encode_array(const Args& a, Out& out) {
  std::string bytes;
  json::Elements it(a.text(0));
  for (std::string_view e; it.next(e);) {
    const auto v = json::integer(e);
    if (!v || *v < -128 || *v > 255) return out.text({});
    bytes += static_cast<char>(*v);
  }
  out.scratch.clear();
  append_base64(out.scratch, bytes);
  out.text(out.scratch);
}

// A guid's bytes have its first three groups in little-endian order.
constexpr int kGuidOrder[] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

void base64_encode_guid(const Args& a, Out& out) {
  const auto guid = values::to_guid(a.text(0));
  if (!guid) return out.text({});
  std::string hex;
  for (const char c : *guid)
    if (c != '-') hex += c;
  std::string bytes(16, '\0');
  for (int i = 0; i < 16; ++i)
    bytes[static_cast<size_t>(i)] = static_cast<char>(std::stoi(hex.substr(static_cast<size_t>(kGuidOrder[i]) * 2, 2), nullptr, 16));
  out.scratch.clear();
  append_base64(out.scratch, bytes);
  out.text(out.scratch);
}
void base64_decode_guid(const Args& a, Out& out) {
  const auto bytes = decode_base64(a.text(0));
  if (!bytes || bytes->size() != 16) return out.null();
  std::string hex(32, '0');
  for (int i = 0; i < 16; ++i) {
    const std::string two = fmt::format("{:02x}", static_cast<unsigned char>((*bytes)[static_cast<size_t>(i)]));
    hex.replace(static_cast<size_t>(kGuidOrder[i]) * 2, 2, two);
  }
  out.text(*values::to_guid(hex));
}

bool unreserved(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.' || c == '~';
}

template <bool Component>
void url_encode(const Args& a, Out& out) {
  out.scratch.clear();
  for (const char c : a.text(0)) {
    if (unreserved(c)) {
      out.scratch += c;
    } else if (!Component && c == ' ') {
      out.scratch += '+';
    } else {
      out.scratch += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    }
  }
  out.text(out.scratch);
}

void url_decode(const Args& a, Out& out) {
  const std::string_view s = a.text(0);
  out.scratch.clear();
  for (size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '%' && i + 2 < s.size() && hex_digit(s[i + 1]) >= 0 && hex_digit(s[i + 2]) >= 0) {
      out.scratch += static_cast<char>(hex_digit(s[i + 1]) * 16 + hex_digit(s[i + 2]));
      i += 2;
    } else {
      out.scratch += s[i] == '+' ? ' ' : s[i];
    }
  }
  is_valid_utf8(out.scratch) ? out.text(out.scratch) : out.text(s);
}

// XXH64, https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
uint64_t xxhash64(std::string_view s, uint64_t seed) {
  constexpr uint64_t p1 = 0x9E3779B185EBCA87, p2 = 0xC2B2AE3D27D4EB4F, p3 = 0x165667B19E3779F9, p4 = 0x85EBCA77C2B2AE63,
                     p5 = 0x27D4EB2F165667C5;
  const char* at = s.data();
  const char* end = at + s.size();
  const auto read = [](const char* p, auto v) {
    std::memcpy(&v, p, sizeof v);
    return v;
  };
  const auto round = [](uint64_t acc, uint64_t v) { return std::rotl(acc + v * p2, 31) * p1; };
  uint64_t h = seed + p5;
  if (s.size() >= 32) {
    uint64_t v[4] = {seed + p1 + p2, seed + p2, seed, seed - p1};
    for (; at + 32 <= end; at += 32)
      for (int i = 0; i < 4; ++i) v[i] = round(v[i], read(at + i * 8, uint64_t{}));
    h = std::rotl(v[0], 1) + std::rotl(v[1], 7) + std::rotl(v[2], 12) + std::rotl(v[3], 18);
    for (const uint64_t x : v) h = (h ^ round(0, x)) * p1 + p4;
  }
  h += s.size();
  for (; at + 8 <= end; at += 8) h = std::rotl(h ^ round(0, read(at, uint64_t{})), 27) * p1 + p4;
  for (; at + 4 <= end; at += 4) h = std::rotl(h ^ read(at, uint32_t{}) * p1, 23) * p2 + p3;
  for (; at < end; ++at) h = std::rotl(h ^ static_cast<unsigned char>(*at) * p5, 11) * p1;
  h ^= h >> 33;
  h *= p2;
  h ^= h >> 29;
  h *= p3;
  return h ^ h >> 32;
}

void hash_text(const Args& a, Out& out) {  // (text, modulus)
  const uint64_t h = xxhash64(a.text(0), 0);
  if (a.null(1)) return out.integer(static_cast<int64_t>(h));
  if (a.integer(1) <= 0) return out.null();
  out.integer(static_cast<int64_t>(h % static_cast<uint64_t>(a.integer(1))));
}

void hash_long(const Args& a, Out& out) {  // (number, modulus)
  const int64_t v = a.integer(0);
  const uint64_t h = xxhash64({reinterpret_cast<const char*>(&v), sizeof v}, 0);
  if (a.null(1)) return out.integer(static_cast<int64_t>(h));
  if (a.integer(1) <= 0) return out.null();
  out.integer(static_cast<int64_t>(h % static_cast<uint64_t>(a.integer(1))));
}

void to_hex(const Args& a, Out& out) {  // (number, least length)
  std::string s = fmt::format("{:x}", static_cast<uint64_t>(a.integer(0)));
  if (!a.null(1) && a.integer(1) > static_cast<int64_t>(s.size()))
    s.insert(0, static_cast<size_t>(std::min<int64_t>(a.integer(1), 64)) - s.size(), '0');
  out.text(s);
}

void new_guid(const Args&, Out& out) {
  thread_local std::mt19937_64 random{std::random_device{}()};
  uint64_t high = random(), low = random();
  high = (high & ~0xf000ull) | 0x4000;
  low = (low & ~(3ull << 62)) | 1ull << 63;
  out.text(*values::to_guid(fmt::format("{:016x}{:016x}", high, low)));
}

constexpr Native kNatives[] = {
    native<base64_encode>("k_base64_encode", "s>s"),
    native<base64_decode>("k_base64_decode", "s>s"),
    native<base64_decode_array>("k_base64_decode_array", "s>d"),
    native<base64_encode_array>("k_base64_encode_array", "d>s"),
    native<base64_encode_guid>("k_base64_encode_guid", "s>s"),
    native<base64_decode_guid>("k_base64_decode_guid", "s>d"),
    native<url_encode<false>>("k_url_encode", "s>s"),
    native<url_encode<true>>("k_url_encode_component", "s>s"),
    native<url_decode>("k_url_decode", "s>s"),
    native<hash_text>("k_hash", "sL>l"),
    native<hash_long>("k_hash_long", "lL>l"),
    native<to_hex>("k_to_hex", "lL>s"),
    native<new_guid>("k_new_guid", "l>d", true),
};

// hash() of a number takes its eight bytes, of text its bytes.
Emitted emit_hash(std::span<const Typed> args, const EmitContext&) {
  std::string modulus = "NULL";
  if (args.size() > 1) {
    auto m = coerce(args[1], Type::kLong);
    if (!m) return std::unexpected("argument 2 of hash() " + m.error());
    modulus = m->sql;
  }
  const Type type = args[0].type;
  const bool bytes = type == Type::kInt || type == Type::kLong || type == Type::kDatetime || type == Type::kTimespan;
  return Typed{
      .sql = fmt::format("k_hash{}({}, {})", bytes ? "_long" : "", bytes ? args[0].sql : convert(args[0], Type::kString).sql, modulus),
      .type = Type::kLong,
      .is_constant = args[0].is_constant};
}

Emitted emit_new_guid(std::span<const Typed>, const EmitContext&) {
  // An argument that differs from row to row keeps the engine from calling it once.
  return Typed{.sql = "k_new_guid(CAST(random() * 1000 AS BIGINT))", .type = Type::kGuid};
}

constexpr ScalarFunction kRows[] = {
    {.name = "base64_encode_tostring",
     .syntax = "base64_encode_tostring(text)",
     .doc = "The text in base64.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>s",
     .sql = "k_base64_encode({0})"},
    {.name = "base64_encodestring",
     .syntax = "base64_encodestring(text)",
     .doc = "The text in base64.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>s",
     .sql = "k_base64_encode({0})",
     .replaced_by = "base64_encode_tostring"},
    {.name = "base64_decode_tostring",
     .syntax = "base64_decode_tostring(text)",
     .doc = "The text that was in base64; '' where it is none.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>s",
     .sql = "k_base64_decode({0})"},
    {.name = "base64_decodestring",
     .syntax = "base64_decodestring(text)",
     .doc = "The text that was in base64.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>s",
     .sql = "k_base64_decode({0})",
     .replaced_by = "base64_decode_tostring"},
    {.name = "base64_decode_toarray",
     .syntax = "base64_decode_toarray(text)",
     .doc = "The bytes that were in base64.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>d",
     .sql = "k_base64_decode_array({0})"},
    {.name = "base64_encode_fromarray",
     .syntax = "base64_encode_fromarray(bytes)",
     .doc = "The bytes in base64.",
     .min_args = 1,
     .max_args = 1,
     .types = "d>s",
     .sql = "coalesce(k_base64_encode_array({0}), '')"},
    {.name = "base64_encode_fromguid",
     .syntax = "base64_encode_fromguid(guid)",
     .doc = "The guid's bytes in base64.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>s",
     .sql = "k_base64_encode_guid({0})"},
    {.name = "base64_decode_toguid",
     .syntax = "base64_decode_toguid(text)",
     .doc = "The guid whose bytes were in base64.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>g",
     .sql = "k_base64_decode_guid({0})"},
    {.name = "url_encode",
     .syntax = "url_encode(text)",
     .doc = "The text as part of a form: a space becomes +.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>s",
     .sql = "k_url_encode({0})"},
    {.name = "url_encode_component",
     .syntax = "url_encode_component(text)",
     .doc = "The text as part of a URL.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>s",
     .sql = "k_url_encode_component({0})"},
    {.name = "url_decode",
     .syntax = "url_decode(text)",
     .doc = "The text that was percent-encoded.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>s",
     .sql = "k_url_decode({0})"},
    {.name = "hash",
     .syntax = "hash(value [, modulus])",
     .doc = "xxHash64 of the value: of text its bytes, of a number or time its eight bytes.",
     .min_args = 1,
     .max_args = 2,
     .emit = emit_hash},
    {.name = "hash_xxhash64",
     .syntax = "hash_xxhash64(value [, modulus])",
     .doc = "xxHash64 of the value: of text its bytes, of a number or time its eight bytes.",
     .min_args = 1,
     .max_args = 2,
     .emit = emit_hash},
    {.name = "hash_md5",
     .syntax = "hash_md5(value)",
     .doc = "MD5 of the value's text in hexadecimal.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>s",
     .sql = "md5({0})"},
    {.name = "hash_sha1",
     .syntax = "hash_sha1(value)",
     .doc = "SHA-1 of the value's text in hexadecimal.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>s",
     .sql = "sha1({0})"},
    {.name = "hash_sha256",
     .syntax = "hash_sha256(value)",
     .doc = "SHA-256 of the value's text in hexadecimal.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>s",
     .sql = "sha256({0})"},
    {.name = "tohex",
     .syntax = "tohex(number [, length])",
     .doc = "The number in hexadecimal.",
     .min_args = 1,
     .max_args = 2,
     .types = "ll>s",
     .sql = "coalesce(k_to_hex({0}, {1}), '')"},
    {.name = "new_guid",
     .syntax = "new_guid()",
     .doc = "A random guid.",
     .min_args = 0,
     .max_args = 0,
     .emit = emit_new_guid,
     .is_volatile = true},
};

}  // namespace

namespace functions {
const FunctionTable kEncoding{kRows, kNatives};
}

}  // namespace egret::kql
