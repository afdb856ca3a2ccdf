// Any bytes as a query: lexer, parser, binder, renderer and the text of diagnostics.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kql/compile.h"
#include "model/catalogue.h"

namespace {

class Few final : public egret::kql::Catalogue {
 public:
  const egret::model::Table* table(std::string_view name) const override {
    return name == "SecurityAlert" || name == "AKSAudit" ? egret::model::find_table(name) : nullptr;
  }
  std::optional<std::string> function(std::string_view name) const override {
    if (name == "Twice") return "(T: (*), n: long = 2) { T | extend Twice = n * 2 }";
    if (name == "Self") return "{ Self }";
    return {};
  }
  std::vector<std::string> names() const override { return {"SecurityAlert", "AKSAudit", "Twice", "Self"}; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const Few catalogue;
  const auto compiled = egret::kql::compile(text, catalogue, {.now = 638'000'000'000'000'000});
  if (!compiled) {
    (void)egret::kql::format_diagnostics(text, "query", compiled.error(), true);
    if (compiled.error().empty()) __builtin_trap();  // a failure says why
  }
  return 0;
}
