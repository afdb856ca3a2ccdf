#pragma once
// A scenario as its YAML file (content/scenarios/ID.yaml) says it: which fleet, who misbehaves when, what is listed, what the
// alert says. Ranges are drawn per seed, so one scenario is a family of worlds.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "drill/random.h"

namespace egret::drill {

// What an actor does, and on which occasion.
struct Act {
  enum class On { kContainerStart, kNodeStart, kRestart, kAlways };
  On on = On::kAlways;
  std::string to;                      // id of a destination
  bool bad_only = false;               // only pods of the bad revision (since: bad-release)
  bool after_config = false;           // only from the config-change event on
  double chance = 1;                   // per occasion
  Range wait{1, 5};                    // seconds after the occasion
  Range every{60, 60};                 // seconds between contacts of On::kAlways
  Range repeat{1, 1};                  // contacts per occasion
  Range out{300, 900}, in{600, 4000};  // bytes
  Range lasts{0.1, 1.5};               // seconds
  bool exfil_dns = false;              // names carry data as labels under the destination's name; no connection follows
  bool literal = false;                // connects to the address without asking for a name
  std::string where = "all";           // all, affected: clusters in which it happens
  bool scattered = false;              // exponential gaps instead of even ones
};

struct Actor {
  std::string id;                     // "culprit", "second", …
  std::string kind;                   // Deployment, StatefulSet, DaemonSet, CronJob, Job, StaticPod, HostProcess
  std::vector<std::string> products;  // entries of the vocabulary to draw from; empty: an application of invented name
  bool host_network = false;
  std::string sidecar = "mesh";  // mesh (as the mesh has it), never
  std::string where = "all";     // all, affected
  Range replicas{2, 4};
  std::string language;       // of the application: dotnet, java, node, python, go
  std::string role;           // word of the name (payments …); drawn when empty
  std::string schedule;       // cron, for CronJob
  std::string critical;       // value of a criticality label
  bool names_target = false;  // its arguments or ConfigMap name the destination
  bool secrets = false;       // mounts Secrets and reads a Key Vault
  bool ssrf = false;          // its inbound requests carry encoded SSRF payloads once the bad release runs
  std::vector<Act> acts;
};

struct Destination {
  std::string id;
  std::vector<std::string> names;  // one is drawn; "*dga" invents one, "*acme" a vendor's
  Range port{443, 443};
  std::string hosting = "cdn";  // cdn, cloudflare, hosting, cloud, azure
  bool regional = false;        // the answer differs by region; the accused address is that of the affected region
  std::string same_address_as;  // shares the accused address with another destination
  std::string address;          // what the name leads to in the affected region; drawn when empty
  std::string listed;           // empty, abuse (reputation of a shared address), c2, miner
  Range confidence{30, 60};
};

struct Happening {
  Range at{0.5, 0.5};  // share of the window
  std::string what;    // scale-up, scale-down, release, config-change, restart
  std::string actor;
  std::string where = "affected";  // affected, all, others
  Range count{1, 1};
  bool bad = false;           // the release after which the bad acts happen
  bool changes_image = true;  // false: the release changes settings only
};

struct Scenario {
  std::string id, title, story;
  Range clusters{3, 3}, nodes{3, 6}, apps{14, 20}, hours{8, 8};
  std::string affected_region;        // drawn when empty
  double mesh = 0.6, firewall = 0.4;  // share of worlds that have one
  std::vector<Actor> actors;
  std::vector<Destination> destinations;
  std::vector<Happening> timeline;
  std::string alert_type = "malicious-machine", alert_names = "node";  // node, pod
  std::string classification;
  std::vector<std::string> triggers;  // the first is the plainest; others are as right
  std::vector<std::string> removed;   // logs taken away from every profile: coredns, dns-answers, zeek-conn, audit, kubectl …

  const Actor* actor(std::string_view name) const;
  const Destination* destination(std::string_view name) const;
};

Result<Scenario> parse_scenario(std::string_view yaml, std::string_view path);
// All that are built in or in the user's content folder, by id.
Result<std::vector<Scenario>> all_scenarios();
Result<Scenario> find_scenario(std::string_view id);

}  // namespace egret::drill
