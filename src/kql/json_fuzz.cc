// Dynamic values from any bytes: what normalises once stays as it is, and looking into it never fails.
#include <cstdlib>

#include "kql/functions/json.h"
#include "kql/functions/values.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace egret::kql;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto once = json::normalised(text)) {
    if (json::normalised(*once) != once || !json::equal(*once, *once)) std::abort();
  }
  // Not valid as well: columns hold what sources wrote.
  json::Elements elements(text);
  for (std::string_view e; elements.next(e);) (void)json::text(e);
  json::Members members(text);
  for (std::string_view k, v; members.next(k, v);) (void)json::unquoted(k);
  (void)json::member(text, "a");
  (void)json::element(text, -1);
  (void)json::number(text);
  (void)values::to_datetime(text);
  (void)values::to_timespan(text);
  (void)values::to_guid(text);
  (void)values::to_long(text);
  return 0;
}
