// What a text that somebody sent would make a server ask for (src/payload).
#include "payload/payload.h"

#include "kql/functions/tables.h"

namespace egret::kql {
namespace {

void decode_payload(const Args& a, Out& out) {
  const auto targets = payload::decode(a.text(0));
  if (targets.empty()) return out.null();
  out.scratch.clear();
  payload::append_json(out.scratch, targets);
  out.text(out.scratch);
}

constexpr Native kNatives[] = {native<decode_payload>("k_decode_payload", "s>d")};

constexpr ScalarFunction kRows[] = {
    {.name = "egret_decode_payload",
     .syntax = "egret_decode_payload(text)",
     .doc = "The URLs and addresses in a request's URL, form or text, with every layer of encoding undone: an array of {place, parameter, "
            "steps, reading, url, scheme, user, host, address, inName, port, path, hidden}; null where there is none.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>d",
     .sql = "k_decode_payload({0})"},
};

}  // namespace

namespace functions {
const FunctionTable kPayload{kRows, kNatives};
}

}  // namespace egret::kql
