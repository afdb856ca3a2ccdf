#include "drill/scenario.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "base/embedded.h"
#include "base/text.h"

namespace egret::drill {
namespace {

// A user's mistake inside a scenario file; leaves the room as an Error.
struct Mistake {
  YAML::Mark mark;
  std::string message, hint;
};

[[noreturn]] void fail(const YAML::Node& at, std::string message, std::string hint = {}) {
  throw Mistake{at.Mark(), std::move(message), std::move(hint)};
}

void only_keys(const YAML::Node& map, std::initializer_list<std::string_view> known) {
  if (!map.IsMap()) fail(map, "a map is expected here");
  for (const auto& entry : map) {
    const std::string key = entry.first.as<std::string>();
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string near = near_name(key, std::vector<std::string>(known.begin(), known.end()));
    fail(entry.first, fmt::format("there is no key '{}' here", key), near.empty() ? "" : fmt::format("did you mean '{}'?", near));
  }
}

std::string one_of(const YAML::Node& node, std::initializer_list<std::string_view> choices) {
  const auto value = node.as<std::string>();
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return value;
  std::string all;
  for (const auto c : choices) all += fmt::format("{}{}", all.empty() ? "" : ", ", c);
  fail(node, fmt::format("'{}' is none of {}", value, all));
}

void read(const YAML::Node& node, Range& into) {
  if (!node) return;
  const auto text = node.as<std::string>();
  const auto number = [&](std::string_view t) {
    char* end = nullptr;
    const std::string s(trim(t));
    const double v = std::strtod(s.c_str(), &end);
    if (s.empty() || *end) fail(node, fmt::format("'{}' is not a range", text), "write 3..8 or 4");
    return v;
  };
  const size_t dots = text.find("..");
  into.low = number(text.substr(0, dots));
  into.high = dots == std::string::npos ? into.low : number(text.substr(dots + 2));
  if (into.high < into.low) fail(node, fmt::format("the range {} ends before it begins", text));
}
void read(const YAML::Node& node, std::string& into) {
  if (node) into = node.as<std::string>();
}
void read(const YAML::Node& node, bool& into) {
  if (node) into = node.as<bool>();
}
void read(const YAML::Node& node, double& into) {
  if (node) into = node.as<double>();
}
void read(const YAML::Node& node, std::vector<std::string>& into) {
  if (!node) return;
  into.clear();
  if (node.IsScalar())
    into.push_back(node.as<std::string>());
  else
    for (const auto& n : node) into.push_back(n.as<std::string>());
}

Act read_act(const YAML::Node& y) {
  only_keys(y, {"on", "to", "of", "since", "chance", "wait", "every", "repeat", "out", "in", "lasts", "exfil-dns", "only-asks", "literal",
                "scattered", "where"});
  Act a;
  const std::string on = one_of(y["on"], {"container-start", "node-start", "restart", "always", "node-joins", "image-pull"});
  a.on = on == "container-start" ? Act::On::kContainerStart
         : on == "node-start"    ? Act::On::kNodeStart
         : on == "restart"       ? Act::On::kRestart
         : on == "node-joins"    ? Act::On::kNodeJoins
         : on == "image-pull"    ? Act::On::kImagePull
                                 : Act::On::kAlways;
  read(y["to"], a.to);
  read(y["of"], a.of);
  if ((a.on == Act::On::kImagePull) == a.of.empty()) fail(y, "'of' goes with 'on: image-pull', and that with 'of'");
  if (y["since"]) {
    const std::string since = one_of(y["since"], {"bad-release", "config-change", "break-in"});
    a.bad_only = since == "bad-release";
    a.after_config = since == "config-change";
    a.after_break_in = since == "break-in";
  }
  read(y["chance"], a.chance);
  read(y["wait"], a.wait);
  read(y["every"], a.every);
  read(y["repeat"], a.repeat);
  read(y["out"], a.out);
  read(y["in"], a.in);
  read(y["lasts"], a.lasts);
  read(y["exfil-dns"], a.exfil_dns);
  read(y["only-asks"], a.only_asks);
  read(y["literal"], a.literal);
  read(y["scattered"], a.scattered);
  if (y["where"]) a.where = one_of(y["where"], {"all", "affected"});
  return a;
}

Actor read_actor(std::string id, const YAML::Node& y) {
  only_keys(y, {"kind",     "products",     "host-network", "sidecar",     "where",     "replicas",  "language", "role", "schedule",
                "critical", "names-target", "secrets",      "ssrf",        "does",      "bystander", "copies",   "runs", "kept",
                "on-nodes", "created-by",   "images",       "pull-always", "config-of", "injected",  "shell"});
  Actor a;
  a.id = std::move(id);
  a.kind = one_of(y["kind"], {"Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Pod", "StaticPod", "HostProcess"});
  read(y["products"], a.products);
  read(y["host-network"], a.host_network);
  if (y["sidecar"]) a.sidecar = one_of(y["sidecar"], {"mesh", "never"});
  if (y["where"]) a.where = one_of(y["where"], {"all", "affected"});
  read(y["replicas"], a.replicas);
  read(y["language"], a.language);
  read(y["role"], a.roles);
  read(y["schedule"], a.schedule);
  read(y["critical"], a.critical);
  read(y["names-target"], a.names_target);
  read(y["secrets"], a.secrets);
  read(y["ssrf"], a.ssrf);
  read(y["bystander"], a.bystander);
  read(y["copies"], a.copies);
  read(y["runs"], a.runs);
  read(y["kept"], a.kept);
  if (y["on-nodes"]) a.on_nodes = y["on-nodes"].as<int>();
  if (y["created-by"]) a.created_by = one_of(y["created-by"], {"person", "ci"});
  read(y["images"], a.images);
  for (const auto& image : a.images)
    if (image.rfind(':') == std::string::npos) fail(y["images"], fmt::format("the image '{}' has no tag", image));
  read(y["pull-always"], a.pull_always);
  read(y["config-of"], a.config_of);
  read(y["injected"], a.injected);
  read(y["shell"], a.shell);
  for (const auto& act : y["does"]) a.acts.push_back(read_act(act));
  return a;
}

Destination read_destination(std::string id, const YAML::Node& y) {
  only_keys(y, {"names", "port", "hosting", "regional", "address", "same-address-as", "sibling-of", "listed", "confidence"});
  Destination d;
  d.id = std::move(id);
  read(y["names"], d.names);
  read(y["port"], d.port);
  if (y["hosting"]) d.hosting = one_of(y["hosting"], {"cdn", "cloudflare", "hosting", "cloud", "azure"});
  read(y["regional"], d.regional);
  read(y["address"], d.address);
  read(y["same-address-as"], d.same_address_as);
  read(y["sibling-of"], d.sibling_of);
  if (y["listed"]) d.listed = one_of(y["listed"], {"abuse", "c2", "miner"});
  read(y["confidence"], d.confidence);
  // Nodes ask for these on their own account (traffic.cc), and no owner of the scenario's would be the only one.
  for (const std::string_view own : {"mcr.microsoft.com", "management.azure.com", "packages.microsoft.com", "azure.archive.ubuntu.com"})
    if (std::find(d.names.begin(), d.names.end(), own) != d.names.end()) fail(y["names"], fmt::format("every node asks for {}", own));
  if (d.names.empty() == d.sibling_of.empty()) fail(y, "a destination needs names, or sibling-of");
  return d;
}

Scenario read_scenario(const YAML::Node& y) {
  only_keys(y, {"id", "title", "story", "fleet", "actors", "destinations", "timeline", "alert", "removed", "expect", "held-out"});
  Scenario s;
  for (const char* key : {"id", "actors", "destinations", "expect"})
    if (!y[key]) fail(y, fmt::format("'{}' is missing", key));
  read(y["id"], s.id);
  read(y["title"], s.title);
  read(y["story"], s.story);
  read(y["held-out"], s.held_out);
  if (const auto f = y["fleet"]) {
    only_keys(f, {"clusters", "nodes", "apps", "hours", "mesh", "firewall", "affected", "logs"});
    read(f["clusters"], s.clusters);
    read(f["nodes"], s.nodes);
    read(f["apps"], s.apps);
    read(f["hours"], s.hours);
    read(f["affected"], s.affected_region);
    read(f["mesh"], s.mesh);
    read(f["firewall"], s.firewall);
    if (f["logs"]) s.varied_logs = one_of(f["logs"], {"usual", "varied"}) == "varied";
  }
  for (const auto& a : y["actors"]) s.actors.push_back(read_actor(a.first.as<std::string>(), a.second));
  for (const auto& d : y["destinations"]) s.destinations.push_back(read_destination(d.first.as<std::string>(), d.second));
  for (const auto& t : y["timeline"]) {
    only_keys(t, {"at", "do", "actor", "where", "count", "bad", "image"});
    Happening h;
    read(t["at"], h.at);
    h.what = one_of(
        t["do"], {"scale-up", "scale-down", "release", "config-change", "restart", "deploy", "repush", "recreate", "break-in", "webhook"});
    read(t["actor"], h.actors);
    if (t["where"]) h.where = one_of(t["where"], {"affected", "all", "others"});
    read(t["count"], h.count);
    read(t["bad"], h.bad);
    read(t["image"], h.changes_image);
    for (const auto& name : h.actors)
      if (!s.actor(name)) fail(t["actor"], fmt::format("there is no actor '{}'", name));
    if (h.actors.empty() && h.what != "scale-up" && h.what != "scale-down" && h.what != "webhook")
      fail(t, fmt::format("'{}' needs an actor", h.what));
    s.timeline.push_back(std::move(h));
  }
  for (size_t i = 0; i < s.destinations.size(); ++i) {
    const Destination& d = s.destinations[i];
    const bool known = std::any_of(s.destinations.begin(), s.destinations.begin() + static_cast<std::ptrdiff_t>(i),
                                   [&](const Destination& before) { return before.id == d.sibling_of; });
    if (!d.sibling_of.empty() && !known)
      fail(y["destinations"], fmt::format("'{}' is sibling of '{}', which is no destination before it", d.id, d.sibling_of));
  }
  for (const auto& a : s.actors) {
    if (!a.config_of.empty() && (!s.actor(a.config_of) || a.config_of == a.id))
      fail(y["actors"], fmt::format("there is no other actor '{}'", a.config_of));
    for (const auto& act : a.acts) {
      if (!s.destination(act.to)) fail(y["actors"], fmt::format("actor '{}' goes to '{}', which is no destination here", a.id, act.to));
      if (act.of.empty()) continue;
      const Actor* of = s.actor(act.of);
      if (of == nullptr || of >= &a || of->copies.high > 1 || a.kind != "HostProcess")
        fail(y["actors"], fmt::format("'{}': image-pull is what a HostProcess does for pods of one other actor before it", a.id));
    }
  }
  if (const auto a = y["alert"]) {
    only_keys(a, {"type", "names"});
    if (a["type"]) s.alert_type = one_of(a["type"], {"malicious-machine", "surge", "suspicious-domain", "mining"});
    if (a["names"]) s.alert_names = one_of(a["names"], {"node", "pod"});
  }
  read(y["removed"], s.removed);
  const auto e = y["expect"];
  only_keys(e, {"classification", "trigger"});
  const auto classification = [&](const YAML::Node& n) {
    s.classifications.push_back(one_of(n, {"TruePositive", "BenignPositive", "FalsePositive", "Undetermined"}));
  };
  if (const auto c = e["classification"]; c && c.IsSequence())
    for (const auto& one : c) classification(one);
  else
    classification(c);
  if (s.classifications.empty()) fail(e, "'classification' is missing");
  s.classification = s.classifications.front();
  read(e["trigger"], s.triggers);
  if (s.triggers.empty()) fail(e, "'trigger' is missing");
  return s;
}

}  // namespace

bool Scenario::concerns(const Happening& h, std::string_view actor) const {
  return std::find(h.actors.begin(), h.actors.end(), actor) != h.actors.end();
}

const Actor* Scenario::actor(std::string_view name) const {
  for (const auto& a : actors)
    if (a.id == name) return &a;
  return nullptr;
}

const Destination* Scenario::destination(std::string_view name) const {
  for (const auto& d : destinations)
    if (d.id == name) return &d;
  return nullptr;
}

Result<Scenario> parse_scenario(std::string_view yaml, std::string_view path) {
  try {
    return read_scenario(YAML::Load(std::string(yaml)));
  } catch (const Mistake& m) {
    return usage_error(fmt::format("{}:{}:{}: {}", path, m.mark.line + 1, m.mark.column + 1, m.message), m.hint);
  } catch (const YAML::Exception& e) {
    return usage_error(fmt::format("{}:{}:{}: {}", path, e.mark.line + 1, e.mark.column + 1, e.msg));
  }
}

Result<std::vector<Scenario>> all_scenarios() {
  std::vector<Scenario> all;
  for (const ContentFile& f : content_files("scenarios")) {
    TRY(Scenario s, parse_scenario(f.text, f.path));
    all.push_back(std::move(s));
  }
  return all;
}

Result<Scenario> find_scenario(std::string_view id) {
  TRY(auto all, all_scenarios());
  std::vector<std::string> ids;
  for (auto& s : all) {
    if (s.id == id) return std::move(s);
    ids.push_back(s.id);
  }
  const std::string near = near_name(id, ids);
  return not_found(fmt::format("there is no scenario '{}'", id),
                   near.empty() ? "see egret drill list" : fmt::format("did you mean '{}'? See egret drill list", near));
}

}  // namespace egret::drill
