#pragma once
// A small real network on one machine: each cluster has nodes (network namespaces with a cgroup tree in kubelet's layout), each node
// has pods, all of it behind one namespace that plays the internet and is joined to nothing else. Programs of the pods are real
// processes (egret-lab-pod, Envoy); what they log is what the lab's folder of evidence is made from.
//
//   internet ── br0 (a cluster's network) ── node eth0 │ masquerade │ veth ── pod eth0
//           └── br1 …
#include <sys/types.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "lab/fleet.h"
#include "lab/lapse.h"
#include "lab/made.h"
#include "lab/process.h"
#include "lab/programs.h"

namespace egret::lab {

struct LabOptions {
  std::string id = "lab";
  FleetOptions fleet;
  double compress = 60;     // habits happen so many times as often as the scenario says
  double age_days = 3;      // the fleet that comes up has been there for so long on the lab's clock
  bool sensors = false;     // egret-sensor on every node, from its first moment
  double boot_seconds = 2;  // from a node's creation until it is ready
  double unreachable = 6;   // seconds after an added node is ready in which the agent's own endpoint does not answer there
};

class Lab {
 public:
  // Builds and starts everything. What was made before a failure is removed again. Refuses where one of the same id is there.
  static Result<std::unique_ptr<Lab>> up(const LabOptions& options);
  // The one that another process brought up. Changes are written back.
  static Result<std::unique_ptr<Lab>> open(const std::string& id);
  // Removes it, whatever state it is in. No error where there is none.
  static Result<void> down(const std::string& id);

  const LabOptions& options() const { return options_; }
  const Fleet& fleet() const { return fleet_; }
  const drill::World& world() const { return fleet_.world; }
  const std::filesystem::path& home() const { return home_; }

  // A node joins: boots, becomes ready, its daemons start. `restless`: the agents' own endpoint is not reachable from it at first.
  Result<uint32_t> add_node(uint32_t cluster, bool restless);
  Result<uint32_t> start_pod(uint32_t cluster, uint32_t placement, uint32_t node);
  Result<void> stop_pod(uint32_t cluster, uint32_t pod);
  Result<void> restart_pod(uint32_t cluster, uint32_t pod);  // its container ends and starts again
  // The next version of the placement takes the place of the running one, pod by pod.
  Result<void> release(uint32_t cluster, uint32_t placement);
  // A Job's pod, until end_jobs(), or the next one of a CronJob, which ends by itself; `scheduled`: minutes since 1970 on the lab's clock,
  // in the Job's name.
  Result<void> run_job(uint32_t cluster, uint32_t placement, drill::Micros scheduled);
  Result<void> deploy(uint32_t cluster, uint32_t placement);  // it is there from now on
  Result<void> end_jobs();
  bool has_runs() const { return !runs_.empty(); }  // that have not ended, as far as tend() knows
  // Somebody edits the workload's ConfigMap: from now on it points at what the scenario says. No restart.
  Result<void> change_settings(uint32_t cluster, uint32_t placement, const std::string& by);
  // Lifts what `restless` nodes may not reach once their time has come, and notes which runs have ended. Call it now and then.
  Result<void> tend();

  // Sensors finish what they are writing and end.
  Result<void> end_sensors();
  // Puts the lab's clock forward by whole seconds.
  Result<void> skip(drill::Micros by);
  const Lapse& lapse() const { return lapse_; }
  drill::Micros began() const { return began_; }  // real time

  std::string node_netns(uint32_t cluster, uint32_t node) const;
  std::string pod_netns(uint32_t cluster, uint32_t pod) const;  // the node's, for hostNetwork
  std::string internet_netns() const;
  // The node's cgroup tree below each hierarchy: what a sensor on that node takes for the root.
  std::string node_cgroup(uint32_t cluster, uint32_t node) const;
  // Where a command in the pod runs: namespace, its main container's cgroups, its resolver.
  Where in_pod(uint32_t cluster, uint32_t pod) const;
  Where in_node(uint32_t cluster, uint32_t node) const;
  // A further process on a node, in system.slice/NAME.service of its cgroups.
  Result<pid_t> start_on_node(uint32_t cluster, uint32_t node, const std::string& name, const Words& command);
  // The pod's packets for so long, by `egret pcap capture` on its node, into logs/CLUSTER/capture. Returns at once.
  Result<void> capture(uint32_t cluster, uint32_t pod, int seconds);
  // A program of the internet, from one of its addresses.
  Result<pid_t> start_on_internet(const std::string& name, const Words& command);
  std::filesystem::path log_folder(uint32_t cluster) const;  // what the programs of this cluster wrote
  std::string pod_program() const { return program_; }

 private:
  Lab() = default;
  Result<void> prepare();  // paths and programs; the same for up and open
  Result<void> build();
  Result<void> build_internet();
  Result<void> start_internet();
  Result<void> build_node(uint32_t cluster, uint32_t node);
  Result<void> namespace_at(const std::string& path);
  Result<void> start_sensor(uint32_t cluster, uint32_t node);
  Result<std::string> write_pods(uint32_t cluster, uint32_t node) const;  // which pods it has, for programs on it; the folder
  bool comes_with_nodes(uint32_t cluster, uint32_t placement) const;      // a new node gets a pod of it
  Folders folders(uint32_t cluster) const;
  Result<void> start_host_processes(uint32_t cluster, uint32_t node, bool boots);
  Result<void> end_job(uint32_t cluster, uint32_t pod);
  Result<void> run_containers(uint32_t cluster, uint32_t pod);
  Result<void> save() const;
  Result<void> restore(const std::string& text);
  std::string resolv_conf(uint32_t cluster, bool of_node) const;

  LabOptions options_;
  Fleet fleet_;
  std::filesystem::path home_;
  std::unique_ptr<Lock> lock_;
  std::string program_;
  Lapse lapse_;
  drill::Micros began_ = 0;
  drill::Random random_{1};
  std::string next_job_;                                             // the Job whose pod starts next
  std::vector<std::pair<pid_t, std::string>> started_;               // programs and their logs, by this process
  std::map<pid_t, std::pair<uint32_t, uint32_t>> runs_;              // of jobs, by this process: cluster, pod
  std::map<std::pair<uint32_t, uint32_t>, drill::Micros> restless_;  // cluster, node: until when
};

}  // namespace egret::lab
