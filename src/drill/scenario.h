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
  // node-joins: another node came into the cluster; image-pull: the node fetches the image of a pod of `of` (HostProcess only)
  enum class On { kContainerStart, kNodeStart, kRestart, kAlways, kNodeJoins, kImagePull };
  On on = On::kAlways;
  std::string to;                      // id of a destination
  std::string of;                      // image-pull: id of the actor whose pods it is for
  bool bad_only = false;               // only pods of the bad revision (since: bad-release)
  bool after_config = false;           // only from the config-change event on
  bool after_break_in = false;         // only the pod that was broken into, from then on
  bool only_asks = false;              // asks for the name and does not connect
  double chance = 1;                   // per occasion
  Range wait{1, 5};                    // seconds after the occasion
  Range every{60, 60};                 // seconds between contacts of On::kAlways
  Range repeat{1, 1};                  // contacts per occasion, a second or two apart
  Range out{300, 900}, in{600, 4000};  // bytes
  Range lasts{0.1, 1.5};               // seconds
  bool exfil_dns = false;              // names carry data as labels under the destination's name; no connection follows
  bool literal = false;                // connects to the address without asking for a name
  std::string where = "all";           // all, affected: clusters in which it happens
  bool scattered = false;              // exponential gaps instead of even ones
};

struct Actor {
  std::string id;                     // "culprit", "second", …
  std::string kind;                   // Deployment, StatefulSet, DaemonSet, CronJob, Job, Pod, StaticPod, HostProcess
  std::vector<std::string> products;  // entries of the vocabulary to draw from; empty: an application of invented name
  bool host_network = false;
  std::string sidecar = "mesh";  // mesh (as the mesh has it), never
  std::string where = "all";     // all, affected
  Range replicas{2, 4};
  std::string language;               // of the application: dotnet, java, node, python, go
  std::vector<std::string> roles;     // word of its name (payments …), one is drawn; any when empty
  std::string schedule;               // cron, for CronJob
  std::string critical;               // value of a criticality label
  bool names_target = false;          // its arguments or ConfigMap name the destination
  bool secrets = false;               // mounts Secrets and reads a Key Vault
  bool bystander = false;             // does nothing wrong and is nobody's owner; what it does is there to be mistaken for the culprit's
  Range copies{1, 1};                 // so many workloads of other names that do the same
  Range runs{0, 0};                   // Job, CronJob, Pod: seconds that its pod runs; 0: as such things do
  double kept = 0;                    // Job, CronJob: seconds that a finished pod is kept; 0: as the kind does
  int on_nodes = 0;                   // StaticPod, DaemonSet: only on so many nodes; 0: on all
  std::string created_by;             // person, ci: who the audit log says made the Job or Pod; empty: it does not say
  std::vector<std::string> images;    // image:tag to draw from, for an application
  bool pull_always = false;           // imagePullPolicy
  std::string config_of;              // id of an actor whose ConfigMap and namespace it shares
  std::vector<std::string> injected;  // one is drawn: a container that an admission webhook adds to pods of the bad release
  bool shell = false;                 // requests from outside that steer the pod that was broken into
  bool ssrf = false;                  // its inbound requests carry encoded SSRF payloads once the bad release runs
  std::vector<Act> acts;
};

struct Destination {
  std::string id;
  std::vector<std::string> names;  // one is drawn; "*dga" invents one, "*vendor" a vendor's, "*storage" a storage account …
  Range port{443, 443};
  std::string hosting = "cdn";  // cdn, cloudflare, hosting, cloud, azure
  bool regional = false;        // the answer differs by region; the accused address is that of the affected region
  std::string sibling_of;       // names: not needed; another host of that destination's domain
  std::string same_address_as;  // shares the accused address with another destination
  std::string address;          // what the name leads to in the affected region; drawn when empty
  std::string listed;           // empty, abuse (reputation of a shared address), c2, miner
  Range confidence{30, 60};
};

struct Happening {
  Range at{0.5, 0.5};  // share of the window
  // scale-up, scale-down, release, config-change, restart, deploy (it is there from then on), repush (another image under the same
  // tag; pods that start later run it), recreate (its pods are deleted and come anew), break-in, webhook (admission)
  std::string what;
  std::vector<std::string> actors;  // of scale-up: whose pods had no place
  std::string where = "affected";   // affected, all, others
  Range count{1, 1};
  bool bad = false;           // the release after which the bad acts happen
  bool changes_image = true;  // false: the release changes settings only
};

struct Scenario {
  std::string id, title, story;
  bool held_out = false;     // kept apart from what judgement is tuned on: not part of a sample unless asked for
  bool varied_logs = false;  // its fleets also log in ways that others do not (Hubble, DNS proxies, alerts of other forms, late rows)
  Range clusters{3, 3}, nodes{3, 6}, apps{14, 20}, hours{8, 8};
  std::string affected_region;        // drawn when empty
  double mesh = 0.6, firewall = 0.4;  // share of worlds that have one
  std::vector<Actor> actors;
  std::vector<Destination> destinations;
  std::vector<Happening> timeline;
  std::string alert_type = "malicious-machine", alert_names = "node";  // node, pod
  std::string classification;
  std::vector<std::string> classifications;  // the first is the plainest; others are as right, where the logs leave it open
  std::vector<std::string> triggers;         // the first is the plainest; others are as right
  std::vector<std::string> removed;          // logs taken away from every profile: coredns, dns-answers, zeek-conn, audit, kubectl …

  bool concerns(const Happening& h, std::string_view actor) const;
  const Actor* actor(std::string_view name) const;
  const Destination* destination(std::string_view name) const;
};

Result<Scenario> parse_scenario(std::string_view yaml, std::string_view path);
// All that are built in or in the user's content folder, by id.
Result<std::vector<Scenario>> all_scenarios();
Result<Scenario> find_scenario(std::string_view id);

}  // namespace egret::drill
