// Rule files are written by others: whatever the bytes, they give diagnostics or a rule, and the diagnostics can be shown.
#include <cstdint>
#include <string_view>

#include "detect/criticality.h"
#include "detect/rule_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const egret::detect::RuleFile file = egret::detect::read_rule(text, "fuzz.yaml");
  if (!file.rule && !egret::detect::has_errors(file.diagnostics)) __builtin_trap();
  if (egret::detect::format_diagnostics(text, "fuzz.yaml", file.diagnostics).size() > (size + 1000) * 1000) __builtin_trap();
  (void)egret::detect::looks_like_rule(text);
  (void)egret::detect::read_criticality(text, "fuzz.yaml");
  return 0;
}
