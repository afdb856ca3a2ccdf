#pragma once
// Turning a world into logs. Each writer is one kind of source in the form in which it is exported in reality; it notes in the
// ledger which contacts its rows show and how, so that the truth can say what could be known from them.
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/json.h"
#include "drill/output.h"
#include "drill/world.h"

namespace egret::drill {

enum Shown : uint8_t {
  kFlowRow = 1,      // a row with the node's address and the destination
  kPodRow = 2,       // a row that names the pod, or its own address, with the destination
  kQuestionRow = 4,  // the pod's address asked for the name
  kAnswerRow = 8,    // the name led to the address, there and then
  kHostRow = 16,     // a row that shows the connection as the node's own, not a pod's
};

struct Ledger {
  std::vector<std::vector<uint8_t>> contacts;  // per cluster, per contact: Shown
  std::vector<std::vector<uint8_t>> pods;      // per cluster, per pod: 1 when some row gives its name, node, address and time
  bool alert_names_pod = false, alert_names_target = false;
  bool names_in_objects = false;  // exported objects say which workload is configured with the name
  std::set<std::string> sources;  // kinds written
};

struct Profile {
  std::string name;
  int level = 0;  // 0 default, 1 recommended, 2 everything
};

// Ways to log that some fleets have and others do not, drawn once a world. A scenario whose logs are not varied has none of them.
struct Forms {
  bool hubble = false, hubble_dns = false;  // Cilium's flows in place of Zeek's; with the DNS proxy's view
  bool dns_proxy = false;                   // nodes ask the firewall's DNS proxy, which logs (AZFWDnsQuery)
  bool dns_policy = false;                  // a DNS security policy on the virtual network logs (DNSQueryLogs)
  bool repeats = false;                     // rows that a workspace's export has twice, or late
  enum class Alert { kUsual, kPortalCsv, kGraph, kLogicApp } alert = Alert::kUsual;
  bool alert_twice = false;  // somebody exported the usual form as well
};
Forms forms_of(const World& world);  // forms.cc

struct Pen {  // what every writer gets
  const World& world;
  Output& out;
  Ledger& ledger;
  const Profile& profile;
  Random random;
  std::vector<std::string> removed;
  bool has(std::string_view source) const;  // not removed by the scenario
  // A stretch of time that this source lost, in some worlds.
  std::pair<Micros, Micros> gap(const Cluster& c, std::string_view source) const;
};

// Objects as the API has them (objects.cc).
std::string image_of(const Workload& x, const Revision& r);
// The workload's own first. Of a pod of that revision, or what every revision has.
std::vector<std::string> containers_of(const Workload& x, const Revision* r = nullptr);
std::string image_pulled(const Workload& x, const Revision& r);  // what the kubelet's event says of it
std::string container_id(const Workload& x, const Pod& p, std::string_view container);
std::string status_patch(const World& world, const Cluster& c, const Pod& p, Micros at);  // as the kubelet reports it
std::string replica_set_name(const Workload& x, const Revision& r);
const Revision& revision_at(const Placement& p, Micros at);
void pod_json(JsonWriter& w, const World& world, const Cluster& c, const Pod& p, Micros at, bool with_status, bool with_kind);
void node_json(JsonWriter& w, const World& world, const Cluster& c, const Node& n, Micros at, bool with_kind);
void workload_json(JsonWriter& w, const World& world, const Cluster& c, const Placement& p, const Revision& r, bool with_status,
                   bool with_kind);
void replica_set_json(JsonWriter& w, const World& world, const Cluster& c, const Placement& p, const Revision& r, int replicas,
                      bool with_kind);
void config_map_json(JsonWriter& w, const World& world, const Cluster& c, const Placement& p, const std::string& name, Micros at,
                     bool with_kind);
std::string_view api_version(std::string_view kind);

void write_alerts(Pen& pen);                       // alert.cc
void write_intel(Pen& pen);                        // intel.cc: threat intelligence and provider ranges
void write_releases(Pen& pen);                     // releases.cc
void write_flow_logs(Pen& pen, uint32_t cluster);  // flow_log.cc
// A row of the network's flow log: state B(egin), C(ontinues) or E(nd), counts since the row before, milliseconds since 1970.
struct FlowTuple {
  int64_t ms = 0;
  IpAddress source, destination;
  uint16_t source_port = 0, destination_port = 0;
  uint8_t protocol = 6;
  char direction = 'O', state = 'B';
  uint64_t packets_out = 0, bytes_out = 0, packets_in = 0, bytes_in = 0;
};
struct NodeFlows {
  std::vector<FlowTuple> out, in, denied;
};
// The files of one node's network interface for the hours from `begin` to `end`, with the rows before `last`. copies: how often the
// next minute is written.
void write_node_flows(
    Pen& pen, const Cluster& c, const Node& node, NodeFlows flows, Micros begin, Micros end, Micros last,
    const std::function<int()>& copies = [] { return 1; });
void write_inventory(Pen& pen, uint32_t cluster);  // inventory.cc: KubePodInventory, KubeNodeInventory, KubeEvents
void write_objects(Pen& pen, uint32_t cluster);    // kubectl.cc
void write_audit(Pen& pen, uint32_t cluster);      // audit.cc
void write_coredns(Pen& pen, uint32_t cluster);    // dns.cc
void write_dns_answers(Pen& pen, uint32_t cluster);
void write_pod_flows(Pen& pen, uint32_t cluster);             // pod_flow.cc: Zeek conn, or Hubble
void write_hubble(Pen& pen, uint32_t cluster);                // hubble.cc
void write_dns_proxy(Pen& pen, uint32_t cluster);             // node_dns.cc: AZFWDnsQuery
void write_dns_policy(Pen& pen, uint32_t cluster);            // node_dns.cc: DNSQueryLogs
std::string exfil_name(const Endpoint& e, const Contact& k);  // dns.cc: the name of a question that carries data
void write_mesh(Pen& pen, uint32_t cluster);                  // mesh.cc: Envoy access logs
void write_firewall(Pen& pen, uint32_t cluster);              // firewall.cc
void write_containers(Pen& pen, uint32_t cluster);            // containers.cc: ContainerLogV2
void write_autoscaler(Pen& pen, uint32_t cluster);
void write_application(Pen& pen, uint32_t cluster);  // application.cc: Application Insights
void write_key_vault(Pen& pen, uint32_t cluster);
void write_activity(Pen& pen, uint32_t cluster);  // activity.cc

// Rows of a Log Analytics table on their way to a file, in the form this world's people export them.
class TableFile {
 public:
  // part: tells files of one table apart ("-istio-proxy"), where it is exported in pieces
  TableFile(Pen& pen, const Cluster& c, std::string_view table, std::string_view part = {});
  ~TableFile();
  TableFile& begin(Micros time);
  TableFile& text(std::string_view column, std::string_view value);
  TableFile& number(std::string_view column, double value);
  TableFile& time(std::string_view column, Micros value, int digits = 0);
  TableFile& dynamic(std::string_view column, std::string_view json);
  TableFile& boolean(std::string_view column, bool value);
  void end();

 private:
  void column(std::string_view name);
  void row(Output::File& file);
  Output::File file_;
  std::optional<Output::File> late_;  // the next piece of the export: what came late, and what came again
  std::string late_path_, kind_;
  Output& out_;
  std::optional<Random> repeats_;
  std::string table_, row_;
  const Cluster& cluster_;
  const World& world_;
  bool as_text_;  // az prints every value as a string, in an array
  bool first_ = true, any_ = false;
};

}  // namespace egret::drill
