// egret reference: the reference pages, from the very declarations that the program runs on. docs/reference/ holds their output;
// a test compares the two, so that the pages cannot grow stale.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <functional>

#include "base/embedded.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "ingest/decoders.h"
#include "kql/function.h"
#include "model/catalogue.h"

namespace egret::cli {
namespace {

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

void print_tables() {
  fmt::print(
      "# Tables\n\nThe tables that Egret fills. Every other Azure Monitor table is known to queries by its published columns. Each stored "
      "table also has\n"
      "`_RowId`, `_IngestionTime` and `_SourceId`, which `*` does not show.\n");
  for (const std::string& name : model::declared_table_names()) {
    const model::Table* table = model::find_table(name);
    fmt::print("\n## {}\n\n{} ({})\n\n| column | type | meaning |\n|---|---|---|\n", name, table->doc, table->origin);
    size_t undocumented = 0;
    for (const model::Column& c : table->columns) {
      if (c.doc.empty()) {
        ++undocumented;
        continue;
      }
      fmt::print("| {}{} | {} | {} |\n", c.name, c.added ? " (added)" : "", model::type_name(c.type), cell(c.doc));
    }
    if (undocumented) fmt::print("\n{} of the published schema, filled from exports only.\n", count_of(undocumented, "further column"));
  }
}

void print_functions() {
  fmt::print("# KQL functions\n\nScalar functions, with Microsoft's semantics.\n\n| syntax | meaning |\n|---|---|\n");
  for (const std::string& name : kql::scalar_names()) {
    const kql::ScalarFunction* f = kql::find_scalar(name);
    fmt::print("| `{}` | {} |\n", cell(f->syntax), cell(f->doc));
  }
}

void print_formats() {
  fmt::print("# Formats\n\nRecognised by content, compressed (gzip, zstd) or not.\n\n| format | what it is | tables |\n|---|---|---|\n");
  for (const ingest::Decoder* d : ingest::decoders()) fmt::print("| {} | {} | {} |\n", d->name, cell(d->summary), cell(d->tables));
}

void print_views() {
  fmt::print("# Views\n\nKQL functions over the tables, which judgement and people read. Each file's head says what a row is.\n");
  for (const ContentFile& f : content_files("functions")) {
    if (!f.path.ends_with(".kql")) continue;
    fmt::print("\n## {}\n\n", f.path.substr(10, f.path.size() - 14));
    // The head stands within the braces: "() {" comes first.
    bool begun = false;
    for (const std::string& text : split(f.text, '\n')) {
      const std::string_view line = trim(text);
      if (line.starts_with("//")) {
        fmt::print("{}\n", trim(line.substr(2)));
        begun = true;
      } else if (begun) {
        break;
      }
    }
  }
}

void print_content(std::string_view folder, std::string_view title, std::string_view lead, std::initializer_list<std::string_view> keys) {
  fmt::print("# {}\n\n{}\n\n|", title, lead);
  for (const auto key : keys) fmt::print(" {} |", key);
  fmt::print("\n|");
  for (size_t i = 0; i < keys.size(); ++i) fmt::print("---|");
  fmt::print("\n");
  for (const ContentFile& f : content_files(folder)) {
    if (!f.path.ends_with(".yaml") || f.path.ends_with(".test.yaml")) continue;
    const YAML::Node root = YAML::Load(f.text);
    if (!root.IsMap()) continue;
    fmt::print("|");
    for (const auto key : keys) {
      const YAML::Node value = root[std::string(key)];
      fmt::print(" {} |", value && value.IsScalar() ? cell(std::string(trim(value.as<std::string>()))) : std::string());
    }
    fmt::print("\n");
  }
}

struct Page {
  std::string_view name;
  std::function<void()> print;
};

const std::vector<Page>& pages() {
  static const std::vector<Page> all = {
      {"tables", print_tables},
      {"functions", print_functions},
      {"formats", print_formats},
      {"views", print_views},
      {"rules",
       [] {
         print_content("rules", "Rules", "Detections that ship, in the format of Microsoft Sentinel.",
                       {"id", "name", "severity", "kind", "description"});
       }},
      {"evidence",
       [] {
         print_content("evidence", "Evidence tests",
                       "What attribution weighs; reliability is the most decibans that a test gives, either way.",
                       {"id", "question", "group", "reliability"});
       }},
      {"scenarios", [] { print_content("scenarios", "Scenarios", "Incidents that `egret drill` renders.", {"id", "story"}); }},
  };
  return all;
}

int run_reference(const std::vector<std::string>& args) {
  std::string page;
  std::vector<std::string> names;
  for (const Page& p : pages()) names.emplace_back(p.name);
  Options options("reference", "Print a page of the reference documentation as Markdown.", "Pages: " + join(names, ", "));
  options.argument("PAGE", page, "Which page.", true);
  if (const auto code = options.parse(args)) return *code;
  for (const Page& p : pages()) {
    if (p.name != page) continue;
    p.print();
    return kDone;
  }
  return report({ErrorKind::kUsage, "there is no page '" + terminal_safe(page) + "'", "pages: " + join(names, ", ")});
}

}  // namespace

extern const Command kReference;
const Command kReference{"reference", "print a page of the reference: tables, functions, formats, views, rules …", run_reference};

}  // namespace egret::cli
