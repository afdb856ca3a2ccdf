#include "investigate/judgement.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "base/text.h"

namespace egret::investigate {

namespace {

constexpr std::string_view kKinds[] = {"names", "regions", "trigger", "verdict", "payloads", "credentials", "timeline"};

std::string text_of(const YAML::Node& n, const char* key) { return n[key] && n[key].IsScalar() ? n[key].as<std::string>() : std::string(); }

std::vector<std::string> list_of(const YAML::Node& n, const char* key) {
  std::vector<std::string> out;
  if (!n[key]) return out;
  if (n[key].IsScalar()) return {n[key].as<std::string>()};
  for (const auto& x : n[key]) out.push_back(x.as<std::string>());
  return out;
}

}  // namespace

Result<Judgement> parse_judgement(const ContentFile& file) {
  const auto wrong = [&](int line, std::string what, std::string hint = {}) {
    return usage_error(fmt::format("{}:{}: {}", file.path, line + 1, what), std::move(hint));
  };
  try {
    const YAML::Node root = YAML::Load(file.text);
    if (!root.IsMap()) return wrong(0, "this is not a mapping with id, kind and query");
    Judgement j;
    j.file = file.path;
    j.id = text_of(root, "id");
    j.kind = text_of(root, "kind");
    j.question = text_of(root, "question");
    j.group = text_of(root, "group");
    j.query = std::string(trim(text_of(root, "query")));
    j.techniques = list_of(root, "techniques");
    j.explains = list_of(root, "explains");
    if (root["cap"]) j.cap = root["cap"].as<double>();
    if (j.id.empty()) return wrong(root.Mark().line, "id is missing");
    if (std::ranges::find(kKinds, j.kind) == std::end(kKinds)) {
      const std::string near = near_name(j.kind, kKinds);
      return wrong(root["kind"] ? root["kind"].Mark().line : 0,
                   "kind '" + j.kind + "' is not one of names, regions, trigger, verdict, payloads, credentials, timeline",
                   near.empty() ? std::string() : "did you mean " + near + "?");
    }
    if (j.query.empty()) return wrong(root.Mark().line, "query is missing");
    if ((j.kind == "verdict" || j.kind == "trigger") && !(j.cap > 0))
      return wrong(root.Mark().line, "cap is missing: the most decibans that the test may give");
    if (j.group.empty()) j.group = j.id;
    if (const auto p = root["premise"]) {
      const auto add = [&](const YAML::Node& one) {
        j.premises.push_back({text_of(one, "statement"), text_of(one, "overturned_by"), std::string(trim(text_of(one, "query")))});
      };
      if (p.IsSequence()) {
        for (const auto& one : p) add(one);
      } else {
        add(p);
      }
      for (const auto& one : j.premises) {
        if (one.statement.empty() || one.query.empty()) return wrong(p.Mark().line, "a premise needs a statement and a query");
      }
    }
    return j;
  } catch (const YAML::Exception& e) {
    return wrong(std::max(e.mark.line, 0), e.msg);
  }
}

Result<std::vector<Judgement>> load_judgements() {
  std::vector<Judgement> all;
  std::string errors;
  for (const auto& file : content_files("verdict")) {
    if (!file.path.ends_with(".yaml") || file.path.ends_with(".test.yaml") || file.path == "verdict/decision.yaml") continue;
    auto one = parse_judgement(file);
    if (one)
      all.push_back(*std::move(one));
    else
      errors += one.error().message + (one.error().hint.empty() ? "\n" : "\n  " + one.error().hint + "\n");
  }
  if (!errors.empty()) return usage_error(errors);
  return all;
}

Result<void> each_row(store::Engine& engine, Ticks now, const std::vector<Judgement>& judgements, std::string_view kind,
                      const std::function<void(const Judgement&, const ResultRow&)>& take) {
  for (const auto& j : judgements) {
    if (j.kind != kind) continue;
    const auto result = engine.query(j.query, now);
    if (!result)
      return std::unexpected(Error{result.error().kind, "content " + j.file + ": " + result.error().message, result.error().hint});
    for (size_t r = 0; r < result->rows(); ++r) take(j, ResultRow(*result, r));
  }
  return {};
}

}  // namespace egret::investigate
