#include "detect/check.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "base/text.h"
#include "detect/rule_reader.h"
#include "store/sample_rows.h"

namespace egret::detect {
namespace {

constexpr uintmax_t kLargest = 4 << 20;  // no rule is larger

std::string shown(const ContentFile& f) { return f.origin == "built in" ? "content/" + f.path : f.origin; }

bool is_test_file(std::string_view path) { return path.ends_with(".test.yaml") || path.ends_with(".test.yml"); }
bool is_yaml(std::string_view path) { return path.ends_with(".yaml") || path.ends_with(".yml"); }

const ContentFile* test_file_of(const ContentFile& f, const std::vector<ContentFile>& files) {
  const std::string stem = f.path.substr(0, f.path.rfind('.'));
  for (const ContentFile& t : files)
    if (is_test_file(t.path) && t.path.starts_with(stem) && t.path.size() - stem.size() <= 10 && t.path[stem.size()] == '.') return &t;
  return nullptr;
}

void run_tests(std::string_view query, const ContentFile& source, const CheckOptions& options, CheckResult& result) {
  auto cases = store::read_sample_cases(source.text, shown(source), options.shapes);
  if (!cases) {
    ++result.errors;
    result.messages.push_back(cases.error().message + "\n" + (cases.error().hint.empty() ? "" : "      = " + cases.error().hint + "\n"));
    return;
  }
  for (store::SampleCase& c : *cases) {
    ++result.tests;
    // Tables that a case does not give are empty, not unknown.
    for (const model::Table* t : options.shapes)
      if (std::none_of(c.given.begin(), c.given.end(), [&](const model::Batch& b) { return b.table().name == t->name; }))
        c.given.emplace_back(*t);
    const auto differences = store::run_sample_case(c, query);
    if (differences && differences->empty()) continue;
    ++result.failed_tests;
    std::string text = fmt::format("{}:{}: test '{}' failed\n", shown(source), c.line, c.name);
    if (!differences) {
      text += "      " + differences.error().message + "\n";
    } else {
      for (const std::string& d : *differences) text += "      " + d + "\n";
    }
    result.messages.push_back(std::move(text));
  }
}

// An engine whose binder knows the shapes.
Result<std::unique_ptr<store::Engine>> engine_with(std::span<const model::Table* const> shapes) {
  TRY(auto engine, store::Engine::open({.folder = {}, .memory_bytes = 512ULL << 20, .threads = 1}));
  for (const model::Table* t : shapes) TRY_VOID(engine->put_temporary(t->name, model::Batch(*t)));
  return engine;
}

void count(CheckResult& result, std::string_view text, const std::string& name, const std::vector<Diagnostic>& diagnostics, bool colours) {
  for (const Diagnostic& d : diagnostics) ++(d.warning ? result.warnings : result.errors);
  if (!diagnostics.empty()) result.messages.push_back(format_diagnostics(text, name, diagnostics, colours));
}

// Every KQL text of a content file: under the keys `query` and `blast`, at any depth.
struct NamedQuery {
  std::string key, text;
  int line = 1;
};
void find_queries(const YAML::Node& node, std::vector<NamedQuery>& found, int depth = 0) {
  if (depth > 16) return;
  if (node.IsSequence())
    for (const auto& item : node) find_queries(item, found, depth + 1);
  if (!node.IsMap()) return;
  for (const auto& entry : node) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
    if (key == "tests") continue;
    if ((key == "query" || key == "blast") && entry.second.IsScalar() && !trim(entry.second.Scalar()).empty()) {
      found.push_back({key, entry.second.Scalar(), entry.first.Mark().line + 1});
    } else {
      find_queries(entry.second, found, depth + 1);
    }
  }
}

// "(Address:string, From:datetime=datetime(null)) {…}" called with a value of each type.
std::string call_of(std::string_view name, std::string_view text) {
  size_t at = 0;
  while (at < text.size() && text[at] != '(') {  // comments before the parameters
    const size_t end = text.find('\n', at);
    if (end == std::string_view::npos) break;
    at = end + 1;
  }
  const size_t close = text.find(')', at);
  if (close == std::string_view::npos) return std::string(name);
  std::string arguments;
  for (const std::string& parameter : split(text.substr(at + 1, close - at - 1), ',')) {
    const size_t colon = parameter.find(':');
    if (colon == std::string::npos) continue;
    const std::string type(trim(std::string_view(parameter).substr(colon + 1, parameter.find('=') - colon - 1)));
    const std::string value = type == "string"     ? "\"x\""
                              : type == "datetime" ? "datetime(2022-01-01)"
                              : type == "timespan" ? "1h"
                              : type == "real"     ? "1.0"
                              : type == "bool"     ? "true"
                              : type == "dynamic"  ? "dynamic([])"
                                                   : "1";
    arguments += (arguments.empty() ? "" : ", ") + value;
  }
  return arguments.empty() ? std::string(name) : fmt::format("{}({})", name, arguments);
}

}  // namespace

Result<std::vector<CheckResult>> check_rules(const std::vector<ContentFile>& files, const CheckOptions& options) {
  TRY(const auto engine, engine_with(options.shapes));
  std::vector<CheckResult> results;
  std::map<std::string, std::string> ids;
  for (const ContentFile& f : files) {
    if (!is_yaml(f.path) || is_test_file(f.path)) continue;
    if (files.size() > 1 && !looks_like_rule(f.text)) continue;
    CheckResult& result = results.emplace_back();
    result.file = shown(f);
    RuleFile file = read_rule(f.text, result.file);
    check_query(file, engine->catalogue(), options.now);
    if (file.rule) {
      result.title = file.rule->name;
      if (const auto [other, fresh] = ids.emplace(file.rule->id, result.file); !fresh)
        file.diagnostics.push_back({1, 1, 1, fmt::format("{} has the same id", other->second), "every rule needs an id of its own", false});
    }
    count(result, f.text, result.file, file.diagnostics, options.colours);
    if (!file.rule || has_errors(file.diagnostics)) continue;
    const ContentFile* tests = test_file_of(f, files);
    run_tests(file.rule->query, f, options, result);
    if (tests) run_tests(file.rule->query, *tests, options, result);
    if (options.need_tests && result.tests == 0) {
      ++result.errors;
      result.messages.push_back(
          fmt::format("{}:1:1: error: the rule has no tests\n      = write rows that must alert and rows that must not into {}.test.yaml\n",
                      result.file, f.path.substr(0, f.path.rfind('.'))));
    }
  }
  return results;
}

Result<std::vector<CheckResult>> check_queries(const std::vector<ContentFile>& files, const CheckOptions& options) {
  TRY(const auto engine, engine_with(options.shapes));
  std::vector<CheckResult> results;
  const auto compile = [&](CheckResult& result, std::string_view query, std::string_view name) {
    const auto compiled = kql::compile(query, engine->catalogue(), {.now = options.now});
    const auto& diagnostics = compiled ? compiled->warnings : compiled.error();
    for (const kql::Diagnostic& d : diagnostics) ++(d.warning || compiled ? result.warnings : result.errors);
    if (!diagnostics.empty()) result.messages.push_back(kql::format_diagnostics(query, name, diagnostics, options.colours));
    return compiled.has_value();
  };
  for (const ContentFile& f : files) {
    if (f.path.ends_with(".kql")) {
      CheckResult& result = results.emplace_back();
      result.file = shown(f);
      const size_t slash = f.path.rfind('/') == std::string::npos ? 0 : f.path.rfind('/') + 1;
      result.title = f.path.substr(slash, f.path.size() - slash - 4);
      const std::string query = call_of(result.title, f.text);
      if (compile(result, query, result.file))
        if (const ContentFile* tests = test_file_of(f, files)) run_tests(query, *tests, options, result);
      continue;
    }
    if (!is_yaml(f.path) || is_test_file(f.path)) continue;
    CheckResult& result = results.emplace_back();
    result.file = shown(f);
    std::string query;
    std::vector<NamedQuery> queries;
    try {
      const YAML::Node root = YAML::Load(f.text);
      result.title = root.IsMap() && root["question"] ? root["question"].as<std::string>("")
                     : root.IsMap() && root["id"]     ? root["id"].as<std::string>("")
                                                      : "";
      if (root.IsMap() && root["query"]) query = root["query"].as<std::string>("");
      find_queries(root, queries);
    } catch (const YAML::Exception& e) {
      count(result, f.text, result.file,
            {{std::max(e.mark.line, 0) + 1, std::max(e.mark.column, 0) + 1, 1, "this is not YAML: " + e.msg, {}, false}}, options.colours);
      continue;
    }
    if (queries.empty()) {
      results.pop_back();  // a list or settings: nothing to compile
      continue;
    }
    bool compiled = true;
    for (const NamedQuery& q : queries) compiled &= compile(result, q.text, fmt::format("{}, {} of line {}", result.file, q.key, q.line));
    if (!compiled || query.empty()) continue;
    run_tests(query, f, options, result);
    if (const ContentFile* tests = test_file_of(f, files)) run_tests(query, *tests, options, result);
    if (options.need_tests && result.tests == 0) {
      ++result.errors;
      result.messages.push_back(fmt::format("{}: error: there are no tests\n", result.file));
    }
  }
  return results;
}

Result<std::vector<ContentFile>> files_at(const std::filesystem::path& path) {
  std::vector<ContentFile> files;
  std::error_code ec;
  const auto read = [&](const std::filesystem::path& p, const std::string& relative) -> Result<void> {
    if (std::filesystem::file_size(p, ec) > kLargest) return usage_error(fmt::format("{} is too large for a content file", p.string()));
    std::ifstream in(p, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in && !in.eof()) return unavailable(fmt::format("{} cannot be read", p.string()));
    files.push_back({relative, std::move(text).str(), p.string()});
    return {};
  };
  const auto status = std::filesystem::status(path, ec);
  if (!std::filesystem::exists(status)) return not_found(fmt::format("there is no file or folder '{}'", path.string()));
  if (!std::filesystem::is_directory(status)) {
    TRY_VOID(read(path, path.filename().string()));
    // Its samples stand beside it.
    std::filesystem::path tests = path;
    tests.replace_extension(".test.yaml");
    if (tests != path && std::filesystem::exists(tests, ec)) TRY_VOID(read(tests, tests.filename().string()));
    return files;
  }
  for (auto it = std::filesystem::recursive_directory_iterator(path, std::filesystem::directory_options::skip_permission_denied, ec);
       !ec && it != std::filesystem::recursive_directory_iterator(); it.increment(ec)) {
    const std::string name = it->path().string();
    if (!it->is_regular_file(ec) || !(is_yaml(name) || name.ends_with(".kql"))) continue;
    TRY_VOID(read(it->path(), std::filesystem::relative(it->path(), path, ec).string()));
  }
  if (ec) return unavailable(fmt::format("{} cannot be read: {}", path.string(), ec.message()));
  std::sort(files.begin(), files.end(), [](const ContentFile& a, const ContentFile& b) { return a.path < b.path; });
  return files;
}

}  // namespace egret::detect
