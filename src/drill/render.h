#pragma once
// Scenario + seed + profile → DIR/evidence (raw logs) and DIR/truth.json (what really happened, for scoring; not evidence).
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "drill/output.h"
#include "drill/world.h"

namespace egret::drill {

struct RenderOptions {
  uint64_t seed = 1;
  std::string profile = "default";  // default, recommended, everything
  std::filesystem::path out;
  Scale scale;
  bool gzip = false;
};

struct Rendered {
  std::filesystem::path evidence, truth;
  std::map<std::string, Output::Total> totals;  // by kind of log
  std::string cluster, owner, name, address, why;
  bool knowable = false;
  uint64_t contacts = 0, connections = 0;
};

Result<Rendered> render(const Scenario& scenario, const RenderOptions& options);

}  // namespace egret::drill
