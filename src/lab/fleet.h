#pragma once
// The fleet that a lab brings to life: a scenario's clusters, workloads and names, small enough for one machine and without any
// node, pod or contact yet. Those come when they really happen.
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "drill/world.h"

namespace egret::lab {

struct FleetOptions {
  std::string scenario = "monitoring-agent";
  uint64_t seed = 1;
  bool sidecars = true;                                // where the scenario's fleet has a mesh
  int clusters = 2, nodes = 2, apps = 3, daemons = 4;  // apps, daemons: bystanders a cluster
};

struct Fleet {
  std::unique_ptr<drill::Scenario> scenario;  // the world refers to it
  drill::World world;
  // Versions that are still to come, per cluster and placement, in order: what the timeline releases.
  std::vector<std::vector<std::vector<drill::Revision>>> coming;
};

// An error names what of the scenario cannot run live, and why.
Result<void> can_run_live(const drill::Scenario& scenario);
// One pod on each node: a DaemonSet's, or the kubelet's own.
bool is_on_every_node(const drill::Workload& workload);
// It is not there before the timeline brings it.
bool is_deployed_later(const drill::Scenario& scenario, const drill::Workload& workload);
// Its pods come and end: a CronJob's, or a Job's.
bool is_run_to_its_end(const drill::Workload& workload);
Result<Fleet> make_fleet(const FleetOptions& options);

// What a new node and a new pod of the cluster would be called. They are not added.
drill::Node next_node(const Fleet& fleet, uint32_t cluster, drill::Random& random, drill::Micros now);
drill::Pod next_pod(const Fleet& fleet, uint32_t cluster, uint32_t placement, uint32_t node, drill::Random& random, drill::Micros now);

drill::Micros now_micros();
// Each address of the internet has one of version 6 beside it.
std::string six_of(drill::Ip ip);                                   // 2001:db8::/96
std::string node_six(uint32_t cluster, drill::Ip node);             // in the node's network
std::string pod_six(const drill::Cluster& cluster, drill::Ip pod);  // in the overlay, the same in every cluster

}  // namespace egret::lab
