// Any bytes as a URL, a form or a text: the limits hold, and what comes out is JSON.
#include <cassert>
#include <cstdlib>

#include "base/text.h"
#include "payload/host.h"
#include "payload/layers.h"
#include "payload/payload.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace egret::payload;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto targets = decode(text);
  if (targets.size() > kMostTargets) std::abort();
  for (const Target& t : targets) {
    if (t.steps.empty() || t.steps.size() > static_cast<size_t>(kMostLayers) + 2) std::abort();
    if (t.address && !read_host(t.address->is_v4() ? t.host : '[' + t.host + ']')) std::abort();
  }
  std::string json;
  append_json(json, targets);
  if (!egret::is_valid_utf8(json)) std::abort();
  for (const Layer& layer : layers())
    if (const auto plain = layer.undo(text); plain && *plain == text) std::abort();
  (void)read_host(text);
  return 0;
}
