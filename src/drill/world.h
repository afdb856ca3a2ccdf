#pragma once
// What happened: a fleet of clusters, its nodes, pods and workloads over time, and every outbound contact. Plain data, built once
// from a scenario and a seed; the writers turn it into logs. Times are microseconds since 1970, addresses host-order integers.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "drill/random.h"
#include "drill/scenario.h"

namespace egret::drill {

using Micros = int64_t;
inline constexpr Micros kSecond = 1'000'000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;
inline constexpr Micros kNever = INT64_MAX;
using Ip = uint32_t;

std::string ip_text(Ip ip);
std::string iso(Micros t, int digits = 0);  // 2024-04-01T06:14:09[.fraction]Z; 7 digits pad the microseconds

// A name on the internet, and what it resolves to.
struct Endpoint {
  std::string name;
  uint16_t port = 443;
  std::string provider;                // of its addresses: cloudflare, fastly, akamai, azure, aws, google, hosting
  bool shared = false;                 // addresses of a content delivery network
  std::vector<std::vector<Ip>> pools;  // per region of the world
  int rotate_minutes = 0;              // the part of the pool that is answered changes this often; 0: all of it, always
  uint32_t ttl = 60;
  std::string cname;   // the answer's alias, where there is one
  std::string listed;  // as the scenario's destination
  int confidence = 0;
};

// One thing a workload does on the network besides what the scenario adds.
struct Habit {
  uint32_t endpoint = 0;
  Act::On on = Act::On::kAlways;
  uint32_t of = UINT32_MAX;  // On::kImagePull: the workload whose pods it is for
  bool after_break_in = false, only_asks = false;
  bool bad_only = false, after_config = false, exfil_dns = false, literal = false, scattered = true, culprit = false, only_affected = false;
  double chance = 1;
  Range wait{1, 5}, every{60, 60}, repeat{1, 1}, out{400, 2000}, in{500, 9000}, lasts{0.05, 2};
};

// A workload as all clusters deploy it.
struct Workload {
  std::string ns, kind, name;
  std::string container, image, language;  // image without tag
  std::string first_tag;                   // of its first version, where the scenario says it
  std::string injected;                    // container that an admission webhook adds to pods of the bad revision
  std::string created_by;                  // Job, Pod: person, ci; empty: the audit log does not say
  std::vector<std::string> images_side;    // names of further containers
  std::string app_label, app_label_key = "app", criticality, service_account;
  bool host_network = false, sidecar = false, system = false, dns_default = false;  // dns_default: asks the node's resolver
  int replicas = 2;
  std::string schedule;   // CronJob
  int every_minutes = 0;  // CronJob: its period
  Range runs{20, 90};     // CronJob, Job, Pod: seconds
  Micros kept = 0;        // CronJob, Job: how long a finished pod is kept; 0: three runs, for ever
  int on_nodes = 0;       // only on so many nodes; 0: all
  bool pull_always = false, shell = false;
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> env, bad_env;  // bad_env: of the bad revision only
  std::vector<std::string> config_maps, secrets;
  std::vector<Habit> habits;
  std::string actor;  // the scenario's actor that it plays; empty for the rest
  bool only_affected = false;
  bool sees_ingress = false;  // gets requests from the internet
  bool ssrf = false;          // requests to it carry SSRF payloads while its bad revision runs
  bool names_target = false;
};

// One version of a workload in one cluster.
struct Revision {
  Micros at = 0;  // rollout begins
  int number = 1;
  std::string tag, digest, hash, commit, by, pipeline;  // hash: pod-template-hash or controller-revision-hash
  std::string rs_uid;
  bool bad = false, image_changed = true, config_changed = false;
  bool silent = false;  // no rollout: another image came under the same tag, and pods that start later run it
  int build = 0;
};

struct Placement {
  uint32_t workload = 0;
  std::string uid;
  std::vector<Revision> revisions;  // oldest first, at least one
  Micros deployed = 0;              // when it was created, where that is inside the window
  std::vector<Micros> recreations;  // its pods were deleted, and came anew
  Micros broken_in = kNever;        // a stranger had a pod of it from then on
  uint32_t broken_pod = UINT32_MAX;
  int replicas = 0;
};

struct Node {
  std::string name, uid, mac, provider_id, vmss, instance;
  Ip ip = 0;
  int pod_block = 0;  // index of its /24 in the pod range
  Micros created = 0, ready = 0, deleted = kNever;
  bool autoscaled = false;
};

struct Pod {
  std::string name, uid, container_id;
  uint32_t placement = 0, revision = 0, node = 0;
  Ip ip = 0;
  Micros created = 0, started = 0, ended = kNever, removed = kNever;  // ended: containers stop; removed: object is gone
  std::vector<Micros> restarts;
  std::string job, job_uid;
  bool succeeded = false;
  Micros start_of(Micros at) const;  // when the container that ran then had started
};

struct Contact {
  Micros at = 0;
  uint32_t pod = 0;  // index, or kHostProcess
  uint32_t node = 0, endpoint = 0, duration_ms = 0;
  Ip address = 0;
  uint16_t port = 443, src_port = 0, nat_port = 0;
  uint8_t protocol = 6;
  bool asked = false;  // a DNS question went before
  bool culprit = false, dns_only = false, refused = false;
  uint32_t label = 0;  // exfil: number of the data label; else 0
  uint64_t out = 0, in = 0;
  Micros asked_at = 0;
};
inline constexpr uint32_t kHostProcess = UINT32_MAX;

// A request that came in from the internet to a workload's pod.
struct Inbound {
  Micros at = 0;
  uint32_t pod = 0;
  Ip client = 0;
  uint32_t pod_port = 0;
  bool ssrf = false, shell = false;
  uint32_t path = 0;  // number of the path or of the payload
  int status = 200;
  uint32_t out = 0, in = 0, ms = 10;
};

// Something that Kubernetes said or did, for the event and audit writers.
struct Change {
  enum class What { kRollout, kConfigMap, kSecret, kScale, kScaleUp, kRestart, kNodeDelete, kCreate, kWebhook };
  Micros at = 0;
  What what = What::kRollout;
  uint32_t placement = 0, revision = 0, node = 0, pod = 0;
  std::string name, by;
};

struct Cluster {
  std::string name, region, subscription, resource_group, node_group, resource_id, uid;
  std::string vnet, subnet, vmss, domain, workspace, version;
  uint32_t region_index = 0;
  Ip vnet_base = 0, pod_base = 0, dns_service = 0, api_server = 0, firewall_ip = 0;
  std::vector<Ip> egress_ips;
  bool mesh = false, firewall = false, affected = false;
  int inventory_minutes = 5;
  Micros skew = 0;  // of the nodes' clocks against the platform's
  std::vector<Node> nodes;
  std::vector<Placement> placements;
  std::vector<Pod> pods;
  std::vector<Change> changes;    // by time
  std::vector<Contact> contacts;  // by time
  std::vector<Inbound> inbound;   // by time
};

struct World {
  const Scenario* scenario = nullptr;
  uint64_t seed = 0;
  Micros from = 0, to = 0;  // the window that the logs cover; `to` is when they were exported
  std::string organisation, tenant, workspace_id, workspace_group, registry, domain;
  std::vector<std::string> regions;
  std::vector<Endpoint> endpoints;
  std::vector<Workload> workloads;
  std::vector<Cluster> clusters;
  uint32_t target = 0;     // endpoint that the alert is about
  Ip accused = 0;          // its address in the affected region
  uint32_t affected = 0;   // cluster
  Micros bad_release = 0;  // in the affected cluster; 0: none
  Micros config_change = 0;

  const Workload& workload_of(const Cluster& c, const Pod& p) const { return workloads[c.placements[p.placement].workload]; }
  // The addresses that the name leads to, there and then.
  std::vector<Ip> resolve(uint32_t endpoint, uint32_t region, Micros at) const;
};

struct Scale {
  double hours = 0;  // 0: as the scenario says
  int clusters = 0;
  int64_t flows = 0;  // at least about so many outbound connections over all clusters
};

World simulate(const Scenario& scenario, uint64_t seed, const Scale& scale);

}  // namespace egret::drill
