#include "investigate/evidence_file.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "base/text.h"

namespace egret::investigate {
namespace {

const std::set<std::string> kKeys = {"id", "question", "group", "reliability", "needs", "query", "missing", "tests", "data"};

std::vector<std::string> strings(const YAML::Node& node) {
  std::vector<std::string> out;
  if (node.IsScalar()) out.push_back(node.as<std::string>());
  if (node.IsSequence())
    for (const auto& n : node) out.push_back(n.as<std::string>());
  return out;
}

}  // namespace

Result<EvidenceTest> parse_evidence_test(const ContentFile& file) {
  const auto wrong = [&](const YAML::Mark& mark, std::string_view message, std::string hint = {}) {
    return usage_error(fmt::format("{}:{}:{}: {}", file.path, mark.line + 1, mark.column + 1, message), std::move(hint));
  };
  try {
    const YAML::Node root = YAML::Load(file.text);
    if (!root.IsMap()) return wrong(root.Mark(), "an evidence test is a map");
    for (const auto& entry : root) {
      const std::string key = entry.first.as<std::string>();
      if (kKeys.contains(key)) continue;
      const std::string near = near_name(key, std::vector<std::string>(kKeys.begin(), kKeys.end()));
      return wrong(entry.first.Mark(), fmt::format("an evidence test has no '{}'", key),
                   near.empty() ? "" : fmt::format("did you mean '{}'?", near));
    }
    EvidenceTest t;
    t.file = file.path;
    for (const auto& [key, into] : {std::pair{"id", &t.id}, {"question", &t.question}, {"group", &t.group}, {"query", &t.query}}) {
      if (!root[key] || !root[key].IsScalar()) return wrong(root.Mark(), fmt::format("'{}' is missing", key));
      *into = root[key].as<std::string>();
    }
    if (!root["reliability"]) return wrong(root.Mark(), "'reliability' is missing: the most decibans that the test may give");
    t.reliability = root["reliability"].as<double>();
    if (!(t.reliability > 0 && t.reliability <= 40))
      return wrong(root["reliability"].Mark(), "reliability is in decibans, above 0 and at most 40");
    if (root["needs"]) t.needs = strings(root["needs"]);
    if (const YAML::Node m = root["missing"]) {
      if (m["advice"]) t.missing.advice = m["advice"].as<std::string>();
      if (m["how"]) t.missing.how = m["how"].as<std::string>();
      if (m["cost"]) t.missing.cost = m["cost"].as<std::string>();
      if (m["sources"]) t.missing.sources = strings(m["sources"]);
      if (m["discriminates"]) t.missing.discriminates = m["discriminates"].as<double>();
    }
    return t;
  } catch (const YAML::Exception& e) {
    return wrong(e.mark, e.msg);
  }
}

Result<std::vector<EvidenceTest>> load_evidence_tests() {
  std::vector<EvidenceTest> tests;
  std::string errors;
  std::set<std::string> ids;
  for (const ContentFile& f : content_files("evidence")) {
    if (f.path.ends_with(".test.yaml")) continue;
    auto t = parse_evidence_test(f);
    if (!t) {
      errors += (errors.empty() ? "" : "\n") + t.error().message + (t.error().hint.empty() ? "" : " (" + t.error().hint + ")");
      continue;
    }
    if (!ids.insert(t->id).second)
      errors += (errors.empty() ? "" : "\n") + fmt::format("{}: there is another test with the id '{}'", f.path, t->id);
    tests.push_back(*std::move(t));
  }
  if (!errors.empty()) return usage_error(errors);
  std::sort(tests.begin(), tests.end(), [](const EvidenceTest& a, const EvidenceTest& b) { return a.id < b.id; });
  return tests;
}

}  // namespace egret::investigate
