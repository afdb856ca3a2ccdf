#include "investigate/plan.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "investigate/page.h"
#include "investigate/result_row.h"

namespace egret::investigate {

namespace {

bool plain(std::string_view s) {
  return !s.empty() && s.front() != '-' && std::ranges::all_of(s, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("._:/@=-").find(c) != std::string_view::npos;
  });
}

std::vector<std::string> texts(const YAML::Node& n) {
  std::vector<std::string> out;
  for (const auto& x : n) out.push_back(x.as<std::string>());
  return out;
}

std::string version_name(const Version& v) { return !v.version.empty() ? v.version : !v.image.empty() ? v.image : v.revision; }

bool digits(const std::string& s) { return !s.empty() && s.find_first_not_of("0123456789") == std::string::npos; }

// Where most of the plan plays.
std::string main_cluster(const Answer& a) {
  if (!a.alert.cluster.empty()) return a.alert.cluster;
  if (const Candidate* o = a.owner(); o && !o->cluster.empty()) return o->cluster;
  return a.contacts.empty() ? std::string() : a.contacts.front().cluster;
}

// The rest of the fleet: those that show the contact too come first.
std::vector<std::string> other_clusters(const Answer& a) {
  const std::string here = main_cluster(a);
  std::vector<std::string> out;
  for (const bool contact : {true, false}) {
    for (const auto& r : a.cause.regions) {
      if (r.has_contact == contact && r.cluster != here && plain(r.cluster)) out.push_back(r.cluster);
    }
  }
  return out;
}

// The values that one repetition of a step adds.
std::vector<Values> repetitions(const std::string& for_each, const Answer& a) {
  if (for_each.empty()) return {{}};
  std::vector<Values> out;
  if (for_each == "other_cluster") {
    for (const std::string& cluster : other_clusters(a)) out.push_back({{"other_cluster", cluster}});
    // One step for the whole fleet: the commands of all clusters follow one another.
    return out;
  }
  if (for_each == "also_cluster") {
    const std::string here = main_cluster(a);
    for (const auto& o : a.owners) {
      if (a.owner() && o.candidate == a.owner()->id() && o.cluster != here && plain(o.cluster))
        out.push_back({{"also_cluster", o.cluster}});
    }
    return out;
  }
  if (for_each == "configuration") {
    for (const auto& c : a.release.changes) {
      const size_t space = c.what.find(' ');
      if (space == std::string::npos) continue;
      const std::string object = c.what.substr(space + 1);
      out.push_back({{"configuration_kind", c.what.substr(0, space)},
                     {"configuration_name", object.substr(object.find('/') + 1)},
                     {"configuration_keys", c.to}});
    }
    return out;
  }
  const std::string kind = for_each.substr(for_each.find(':') + 1);
  for (const auto& c : a.credentials) {
    if (c.kind != kind) continue;
    Values v{{"credential_name", c.name}, {"credential_reach", c.reach}};
    const size_t slash = c.name.find('/');
    const std::string before = c.name.substr(0, slash), after = slash == std::string::npos ? "" : c.name.substr(slash + 1);
    if (plain(before) && plain(after)) {
      v[kind == "KeyVaultSecret" ? "vault" : "secret_namespace"] = before;
      v["secret"] = after;
    }
    out.push_back(std::move(v));
  }
  return out;
}

Result<BlastRadius> blast_of(store::Engine& engine, Ticks now, const Step& step, const CaseTables& tables, const Values& values) {
  BlastRadius b{.summary = fill(step.says, values, false), .flows = 0, .workloads = {}, .since = step.blast.empty() ? 0 : tables.from()};
  if (step.blast.empty()) return b;
  TRY(const auto result, engine.query(step.blast, now));
  if (result.rows() == 0) {
    b.summary = "nobody, as far as the flow logs go.";
    return b;
  }
  const ResultRow row(result, 0);
  b.summary = row.text("Summary");
  b.flows = row.number("Flows");
  b.workloads = row.texts("Workloads");
  return b;
}

}  // namespace

std::string shell_quote(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

std::string fill(const std::string& text, const Values& values, bool command) {
  std::string out;
  size_t at = 0;
  while (true) {
    const size_t open = text.find("{{", at);
    const size_t close = open == std::string::npos ? open : text.find("}}", open);
    if (close == std::string::npos) break;
    out += text.substr(at, open - at);
    std::string name = text.substr(open + 2, close - open - 2);
    const bool raw = name.ends_with('!');
    if (raw) name.pop_back();
    const auto it = values.find(name);
    const std::string value = it == values.end() ? "" : it->second;
    out += command && !raw && !value.empty() && !plain(value) ? shell_quote(value) : value;
    at = close + 2;
  }
  return out + text.substr(at);
}

Values case_values(const Answer& a) {
  Values v;
  const auto object = [&](const char* name, const std::string& value) {
    if (plain(value)) v[name] = value;
  };
  const auto words = [&](const char* name, const std::string& value) {
    if (!value.empty()) v[name] = value;
  };
  object("address", a.alert.address);
  object("alert_id", a.alert.id);
  words("alert_type", a.alert.rule);
  const Candidate* o = a.owner();
  object("cluster", main_cluster(a));
  v["short_id"] = "egret-" + sha256_hex(a.alert.id + "|" + a.alert.address).substr(0, 8);
  v["rule_name"] = v["short_id"];
  words("other_clusters", join(other_clusters(a), ", "));
  if (o) {
    object("namespace", o->ns);
    object("kind", o->kind);
    object("name", o->name);
    object("workload", o->id());
    object("container", o->container);
    object("node", o->node);
    v["container_or_all"] = v.contains("container") ? v["container"] : "*";
    if (o->probability >= 0.5) v["owner_likely"] = "yes";
    if (o->probability >= 0.9) v["owner_known"] = "yes";
    if (plain(o->name)) v["kind_name"] = to_lower(o->kind) + "/" + o->name;
    if (o->kind == "Deployment" || o->kind == "StatefulSet" || o->kind == "ReplicaSet") v["scalable"] = "yes";
    if (o->kind == "Deployment" || o->kind == "StatefulSet" || o->kind == "DaemonSet") v["rollable"] = "yes";
  }
  v["workload_or_service"] = v.contains("workload") ? v["workload"] : "the workload";
  if (!a.cause.names.empty()) object("name_behind", a.cause.names.front().name);
  v["name_or_address"] = v.contains("name_behind") ? v["name_behind"] : a.alert.address;
  if (a.release.first_bad) {
    const auto& b = *a.release.first_bad;
    words("first_bad", version_name(b));
    object("first_bad_image", b.image);
    if (digits(b.revision)) object("first_bad_revision", b.revision);
    v["first_bad_time"] = format_datetime(b.from);
    v["first_bad_commit_or_version"] = b.commit.empty() ? version_name(b) : b.commit;
    // Going back to another version brings no settings back.
    if (a.release.last_good && !a.release.settings_alone()) {
      const auto& g = *a.release.last_good;
      words("last_good", version_name(g));
      object("last_good_image", g.image);
      if (digits(g.revision)) object("last_good_revision", g.revision);
      v["last_good_commit_or_version"] = g.commit.empty() ? version_name(g) : g.commit;
      if (!b.commit.empty() && !g.commit.empty()) v["commits"] = ", commits " + g.commit + " to " + b.commit;
    }
  }
  v["classification"] = classification_name(a.verdict.classification);
  if (a.verdict.expires) {
    v["expires"] = format_datetime(a.verdict.expires);
    v["expires_day"] = format_datetime(a.verdict.expires).substr(0, 10);
  } else {
    v["expires_day"] = "further notice";
  }
  std::string finding = headline(a);
  v["finding"] = finding;
  std::erase_if(finding, [](char c) { return c == '"' || c == '\'' || c == '\\' || static_cast<unsigned char>(c) < 0x20; });
  v["finding_json"] = finding;
  v["incident_note"] = "egret: " + a.alert.id;
  std::string type = a.alert.rule;
  std::erase_if(type, [](char c) { return c == '"' || c == '\'' || c == '\\' || static_cast<unsigned char>(c) < 0x20; });
  v["alert_type_json"] = type;
  if (!a.contacts.empty()) v["last_contact"] = format_datetime(a.contacts.back().time);
  if (std::ranges::any_of(a.contacts, &Contact::blocked)) v["blocked"] = "yes";
  if (!a.missing.empty()) {
    const auto& m = a.missing.front();
    words("missing_log", m.log);
    words("missing_where", m.where);
    v["missing_cost"] = m.cost.empty() ? "some more log rows" : m.cost;
    v["missing_how"] = m.how;
  }
  return v;
}

Result<Playbook> parse_playbook(const ContentFile& file) {
  const auto wrong = [&](const YAML::Mark& mark, const std::string& what) {
    return usage_error(fmt::format("{}:{}: {}", file.path, mark.line + 1, what));
  };
  try {
    const YAML::Node root = YAML::Load(file.text);
    Playbook p;
    p.file = file.path;
    if (!root.IsMap() || !root["id"] || !root["steps"])
      return wrong(root.Mark(), "a playbook is a mapping with id, classification and steps");
    p.id = root["id"].as<std::string>();
    if (root["classification"]) p.classifications = texts(root["classification"]);
    static const std::set<std::string> kKeys = {"action", "target", "cluster", "effect", "approval", "for_each", "blast",
                                                "says",   "needs",  "without", "apply",  "verify",   "undo"};
    for (const auto& n : root["steps"]) {
      Step s;
      for (const auto& kv : n) {
        const auto key = kv.first.as<std::string>();
        if (!kKeys.contains(key)) {
          const std::string near = near_name(key, std::vector<std::string>(kKeys.begin(), kKeys.end()));
          return wrong(kv.first.Mark(), "a step has no '" + key + "'" + (near.empty() ? "" : ", did you mean " + near + "?"));
        }
      }
      const auto text = [&](const char* key) { return n[key] ? std::string(trim(n[key].as<std::string>())) : std::string(); };
      s.action = text("action");
      s.target = text("target");
      s.cluster = text("cluster");
      s.effect = text("effect");
      s.approval = text("approval");
      s.for_each = text("for_each");
      s.blast = text("blast");
      s.says = text("says");
      if (n["needs"]) s.needs = texts(n["needs"]);
      if (n["without"]) s.without = texts(n["without"]);
      if (n["apply"]) s.apply = texts(n["apply"]);
      if (n["verify"]) s.verify = texts(n["verify"]);
      if (n["undo"]) s.undo = texts(n["undo"]);
      if (s.action.empty() || s.effect.empty()) return wrong(n.Mark(), "a step needs an action and its effect");
      if (s.blast.empty() && s.says.empty())
        return wrong(n.Mark(), "step " + s.action + " needs blast (a query) or says: whom it would hurt");
      p.steps.push_back(std::move(s));
    }
    return p;
  } catch (const YAML::Exception& e) {
    return wrong(e.mark, e.msg);
  }
}

Result<std::vector<Playbook>> load_playbooks() {
  std::vector<Playbook> all;
  std::string errors;
  for (const auto& file : content_files("playbooks")) {
    if (!file.path.ends_with(".yaml") || file.path.ends_with(".test.yaml")) continue;
    auto one = parse_playbook(file);
    if (one)
      all.push_back(*std::move(one));
    else
      errors += one.error().message + "\n";
  }
  if (!errors.empty()) return usage_error(errors);
  return all;
}

Result<void> make_plan(store::Engine& engine, Ticks now, const CaseTables& tables, Answer& a) {
  TRY(const auto playbooks, load_playbooks());
  Values values = case_values(a);
  // Where the nodes of the cluster live, and the pods that run now, come from the data.
  if (const auto it = values.find("cluster"); it != values.end()) {
    TRY(const auto group, engine.query("EgretClusters | where Cluster == " + json_quote(it->second) +
                                           " and isnotempty(NodeResourceGroup) | take 1 | project NodeResourceGroup",
                                       now));
    if (group.rows() > 0 && plain(ResultRow(group, 0).text("NodeResourceGroup")))
      values["node_group"] = ResultRow(group, 0).text("NodeResourceGroup");
  }
  if (const Candidate* o = a.owner(); o && !o->ns.empty()) {
    TRY(const auto pods, engine.query("EgretPods | where Cluster == " + json_quote(o->cluster) + " and Workload == " + json_quote(o->id()) +
                                          " and isnull(To) | distinct Pod | sort by Pod asc | take 5",
                                      now));
    std::vector<std::string> names;
    for (size_t r = 0; r < pods.rows(); ++r) {
      if (const auto pod = ResultRow(pods, r).text("Pod"); plain(pod)) names.push_back(pod);
    }
    if (!names.empty()) {
      values["pod"] = names.front();
      values["pods"] = join(names, ", ");
      values["pods_words"] = join(names, " ");
    }
  }
  for (const auto& p : playbooks) {
    if (std::ranges::find(p.classifications, classification_name(a.verdict.classification)) == p.classifications.end()) continue;
    for (const auto& s : p.steps) {
      Action* fleet = nullptr;
      for (const Values& more : repetitions(s.for_each, a)) {
        Values all = values;
        for (const auto& [k, v] : more) all[k] = v;
        const auto known = [&](const std::string& name) { return all.contains(name) && !all[name].empty(); };
        if (!std::ranges::all_of(s.needs, known) || std::ranges::any_of(s.without, known)) continue;
        const auto commands = [&](const std::vector<std::string>& list, std::vector<std::string>& into) {
          for (const auto& c : list) {
            std::string line = c;
            for (size_t at = line.find("{{pods_words}}"); at != std::string::npos; at = line.find("{{pods_words}}"))
              line.replace(at, 14, "{{pods_words!}}");  // several plain words
            into.push_back(fill(line, all, true));
          }
        };
        if (s.for_each.ends_with("_cluster") && fleet) {
          commands(s.apply, fleet->apply);
          commands(s.verify, fleet->verify);
          commands(s.undo, fleet->undo);
          continue;
        }
        Action action;
        action.action = s.action;
        action.target = fill(s.target, all, false);
        action.cluster = fill(s.cluster, all, false);
        action.effect = fill(s.effect, all, false);
        action.approval = s.approval;
        auto blast = blast_of(engine, now, s, tables, all);
        if (!blast)
          return std::unexpected(
              Error{blast.error().kind, "content " + p.file + ", step " + s.action + ": " + blast.error().message, blast.error().hint});
        action.blast_radius = *std::move(blast);
        commands(s.apply, action.apply);
        commands(s.verify, action.verify);
        commands(s.undo, action.undo);
        a.plan.push_back(std::move(action));
        fleet = &a.plan.back();
      }
    }
  }
  return {};
}

}  // namespace egret::investigate
