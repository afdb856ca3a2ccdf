// KQL compile time per published query: text to SQL against the whole catalogue. Prints the median, the tail and how many bind.
//   bench_compile published-dev.jsonl
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "kql/compile.h"
#include "model/catalogue.h"

namespace {

class AllTables final : public egret::kql::Catalogue {
 public:
  const egret::model::Table* table(std::string_view name) const override { return egret::model::find_table(name); }
  std::optional<std::string> function(std::string_view) const override { return {}; }
  std::vector<std::string> names() const override { return egret::model::table_names(); }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: bench_compile published-dev.jsonl\n");
    return 2;
  }
  simdjson::dom::parser parser;
  simdjson::dom::document_stream lines;
  auto file = simdjson::padded_string::load(argv[1]);
  if (file.error() || parser.parse_many(file.value(), 16 << 20).get(lines)) {
    fmt::print(stderr, "cannot read {}\n", argv[1]);
    return 3;
  }
  const AllTables catalogue;
  std::vector<double> micros;
  size_t bound = 0, total = 0;
  for (const auto line : lines) {
    std::string_view query;
    if (line["query"].get(query)) continue;
    ++total;
    (void)egret::kql::compile(query, catalogue, {});  // loads the tables that it names
    double best = 1e9;
    bool ok = false;
    for (int i = 0; i < 3; ++i) {
      const auto began = std::chrono::steady_clock::now();
      ok = egret::kql::compile(query, catalogue, {}).has_value();
      best = std::min(best, std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began).count());
    }
    bound += ok;
    micros.push_back(best);
  }
  std::sort(micros.begin(), micros.end());
  const auto at = [&](double q) { return micros[static_cast<size_t>(q * static_cast<double>(micros.size() - 1))]; };
  fmt::print("compile: {} queries, {} bind; median {:.0f} us, 90 % {:.0f} us, 99 % {:.0f} us, longest {:.0f} us\n", total, bound, at(0.5), at(0.9),
             at(0.99), at(1));
}
