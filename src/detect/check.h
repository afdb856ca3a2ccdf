#pragma once
// What `egret check` does: content is read, its queries compile, and its own sample rows give what it promises.
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/embedded.h"
#include "base/result.h"
#include "base/time.h"
#include "model/table.h"

namespace egret::detect {

struct CheckResult {
  std::string file, title;
  size_t errors = 0, warnings = 0;
  size_t tests = 0, failed_tests = 0;
  std::vector<std::string> messages;  // blocks for people: diagnostics with carets, failed tests
  bool passed() const { return errors == 0 && failed_tests == 0; }
};

struct CheckOptions {
  Ticks now = 0;
  std::span<const model::Table* const> shapes = {};  // temporary tables that queries of this kind may name
  bool colours = false;
  bool need_tests = false;  // content without sample rows fails (ours must have them; published rules have none)
};

// Rules among the files; a file that is none is left out. NAME.test.yaml belongs to NAME.yaml.
Result<std::vector<CheckResult>> check_rules(const std::vector<ContentFile>& files, const CheckOptions& options);
// YAML with `query` and `tests` (evidence, verdicts), and functions (.kql: they compile when called).
Result<std::vector<CheckResult>> check_queries(const std::vector<ContentFile>& files, const CheckOptions& options);

// Files of a folder (.yaml, .yml, .kql, recursively) or the one file, as content.
Result<std::vector<ContentFile>> files_at(const std::filesystem::path& path);

}  // namespace egret::detect
