// What reads outside text in base: times, addresses, ranges; and what makes it safe to show.
#include <cassert>
#include <cstddef>
#include <cstdint>

#include "base/ip.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace egret;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto t = parse_iso_datetime(text); t && *t >= 0 && *t <= kMaxDatetime) assert(parse_iso_datetime(format_datetime(*t)) == t);
  if (const auto a = IpAddress::parse(text)) assert(IpAddress::parse(a->to_string()) == a);
  if (const auto c = Cidr::parse(text)) assert(c->contains(c->first()) && c->contains(c->last()));
  const std::string safe = terminal_safe(text);
  assert(is_valid_utf8(safe));
  for (const char c : safe) assert(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  assert(is_valid_utf8(json_quote(text)));
  return 0;
}
