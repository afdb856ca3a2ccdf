// Flows as Cilium's Hubble exports them: one event a packet that it looks at (the greeting, its answer, the end), with the pod's name, and
// questions and answers where its DNS proxy is on.
#include <fmt/format.h>

#include <queue>
#include <set>
#include <tuple>

#include "drill/writers.h"

namespace egret::drill {
namespace {

struct Event {
  Micros at;
  uint64_t order;  // events of one moment keep their order
  std::string text;
  bool operator>(const Event& other) const { return std::tie(at, order) > std::tie(other.at, other.order); }
};

class Hubble {
 public:
  Hubble(Pen& pen, uint32_t index)
      : pen_(pen),
        world_(pen.world),
        c_(pen.world.clusters[index]),
        index_(index),
        random_(pen.random.fork("hubble")),
        names_(forms_of(pen.world).hubble_dns),
        file_(pen.out, "hubble", fmt::format("{}/hubble/events.log", c_.name)) {
    // A mesh of clusters has names; one that stands alone is the default.
    prefix_ = Random(world_.seed).fork("hubble cluster").chance(0.5) ? c_.name + '/' : "";
    for (uint32_t i = 0; i < c_.pods.size(); ++i)
      if (world_.workload_of(c_, c_.pods[i]).name == "coredns") servers_.push_back(i);
  }

  void run() {
    const auto [gap_from, gap_to] = pen_.gap(c_, "hubble");
    for (uint32_t i = 0; i < c_.contacts.size(); ++i) {
      const Contact& k = c_.contacts[i];
      // What the node does on its own account is no endpoint of Cilium's.
      if (k.pod == kHostProcess || world_.workload_of(c_, c_.pods[k.pod]).host_network) continue;
      if (k.at >= gap_from && k.at < gap_to) continue;
      const bool by_cluster_dns = !world_.workload_of(c_, c_.pods[k.pod]).dns_default;
      if (names_ && k.asked && by_cluster_dns) {
        question(k);
        pen_.ledger.contacts[index_][i] |= kQuestionRow | (k.label == 0 ? kAnswerRow : 0);
      }
      if (k.asked && by_cluster_dns) asked_.emplace(k.pod, k.endpoint);
      if (!k.dns_only) {
        connection(k);
        pen_.ledger.contacts[index_][i] |= kPodRow | (names_ && asked_.contains({k.pod, k.endpoint}) ? kAnswerRow : 0);
        pen_.ledger.pods[index_][k.pod] = 1;
      }
      flush(k.at - kMinute);
    }
    flush(kNever);
    pen_.ledger.sources.insert(names_ ? "hubble-dns" : "hubble");
  }

 private:
  std::string end_of(uint32_t index) const {
    const Pod& p = c_.pods[index];
    const Workload& x = world_.workload_of(c_, p);
    Random who = Random(world_.seed).fork("endpoint " + p.uid);
    Random identity = Random(world_.seed).fork("identity " + x.ns + x.name);
    return fmt::format(
        R"({{"ID":{},"identity":{},"cluster_name":"{}","namespace":"{}","labels":["k8s:{}={}","k8s:io.cilium.k8s.policy.cluster={}","k8s:io.cilium.k8s.policy.serviceaccount={}","k8s:io.kubernetes.pod.namespace={}"],"pod_name":"{}","workloads":[{{"name":"{}","kind":"{}"}}]}})",
        who.between(1, 4095), identity.between(256, 65535), cluster(), x.ns, x.app_label_key, x.app_label, cluster(), x.service_account,
        x.ns, p.name, x.name, x.kind);
  }

  std::string cluster() const { return prefix_.empty() ? "default" : c_.name; }

  // One event. ends: source and destination as they are; reply: it goes the other way.
  void event(Micros at, const Contact& k, bool reply, std::string_view addresses, std::string_view l4, std::string_view ends,
             std::string_view kind, std::string_view rest) {
    const std::string node = prefix_ + c_.nodes[k.node].name;
    std::string stamp = iso(at, 6);
    stamp.insert(stamp.size() - 1, fmt::format("{:03}", at % 1000 * 7919 % 1000));
    pending_.push(
        {at, order_++,
         fmt::format(
             R"({{"flow":{{"time":"{}","uuid":"{}","verdict":"FORWARDED",{},"l4":{},{},"Type":"{}","node_name":"{}",{},"traffic_direction":"{}","is_reply":{}}},"node_name":"{}","time":"{}"}})",
             stamp, random_.uuid(), addresses, l4, ends, kind, node, rest, reply ? "INGRESS" : "EGRESS", reply, node, stamp)});
  }

  void connection(const Contact& k) {
    const Micros at = k.at + c_.skew;
    const std::string pod = end_of(k.pod), world = R"({"identity":2,"labels":["reserved:world"]})";
    const std::string own = ip_text(c_.pods[k.pod].ip), far = ip_text(k.address);
    // Cilium gives an address the name under which this very pod asked for it.
    const std::string name =
        names_ && asked_.contains({k.pod, k.endpoint}) ? fmt::format(R"("{}")", world_.endpoints[k.endpoint].name) : "";
    const std::string to = fmt::format(R"("IP":{{"source":"{}","destination":"{}","ipVersion":"IPv4"}})", own, far);
    const std::string back = fmt::format(R"("IP":{{"source":"{}","destination":"{}","ipVersion":"IPv4"}})", far, own);
    const auto tcp = [&](bool reply, std::string_view flags) {
      return fmt::format(R"({{"TCP":{{"source_port":{},"destination_port":{},"flags":{{{}}}}}}})", reply ? k.port : k.src_port,
                         reply ? k.src_port : k.port, flags);
    };
    const std::string there = fmt::format(R"("source":{},"destination":{})", pod, world) +
                              (name.empty() ? "" : fmt::format(R"(,"destination_names":[{}])", name));
    const std::string here =
        fmt::format(R"("source":{},"destination":{})", world, pod) + (name.empty() ? "" : fmt::format(R"(,"source_names":[{}])", name));
    const auto point = [](std::string_view where, int sub, std::string_view flags) {
      return fmt::format(R"("event_type":{{"type":4,"sub_type":{}}},"trace_observation_point":"{}","Summary":"TCP Flags: {}")", sub, where,
                         flags);
    };
    const int64_t rtt = random_.between(2'000, 45'000);
    event(at, k, false, to, tcp(false, R"("SYN":true)"), there, "L3_L4", point("TO_STACK", 3, "SYN"));
    event(at + rtt, k, true, back, tcp(true, R"("SYN":true,"ACK":true)"), here, "L3_L4", point("TO_ENDPOINT", 0, "SYN, ACK"));
    event(at + rtt + k.duration_ms * 1000LL, k, false, to, tcp(false, R"("FIN":true,"ACK":true)"), there, "L3_L4",
          point("TO_STACK", 3, "ACK, FIN"));
  }

  void question(const Contact& k) {
    const uint32_t* server = nullptr;
    for (size_t n = 0, first = random_.below(std::max<size_t>(servers_.size(), 1)); n < servers_.size() && server == nullptr; ++n) {
      const uint32_t& s = servers_[(first + n) % servers_.size()];
      if (c_.pods[s].started <= k.asked_at && c_.pods[s].ended > k.asked_at) server = &s;
    }
    if (server == nullptr) return;
    const Endpoint& e = world_.endpoints[k.endpoint];
    const std::string name = k.label != 0 ? exfil_name(e, k) : e.name;
    const std::string_view type = k.label != 0 ? "TXT" : "A";
    const std::string pod = end_of(k.pod), dns = end_of(*server);
    const std::string own = ip_text(c_.pods[k.pod].ip), far = ip_text(c_.pods[*server].ip);
    const auto port = random_.between(32768, 60999);
    const Micros at = k.asked_at + c_.skew;
    event(
        at, k, false, fmt::format(R"("IP":{{"source":"{}","destination":"{}","ipVersion":"IPv4"}})", own, far),
        fmt::format(R"({{"UDP":{{"source_port":{},"destination_port":53}}}})", port),
        fmt::format(R"("source":{},"destination":{})", pod, dns), "L7",
        fmt::format(
            R"("l7":{{"type":"REQUEST","dns":{{"query":"{0}.","observation_source":"proxy","qtypes":["{1}"]}}}},"event_type":{{"type":129}},"Summary":"DNS Query {0}. {1}")",
            name, type));
    std::string addresses;
    if (k.label == 0)
      for (const Ip ip : world_.resolve(k.endpoint, c_.region_index, k.asked_at))
        addresses += fmt::format("{}\"{}\"", addresses.empty() ? "" : ",", ip_text(ip));
    event(
        at + random_.between(600, 2900), k, true, fmt::format(R"("IP":{{"source":"{}","destination":"{}","ipVersion":"IPv4"}})", far, own),
        fmt::format(R"({{"UDP":{{"source_port":53,"destination_port":{}}}}})", port),
        fmt::format(R"("source":{},"destination":{})", dns, pod), "L7",
        fmt::format(
            R"x("l7":{{"type":"RESPONSE","dns":{{"query":"{0}.","ips":[{1}],"ttl":{2},"observation_source":"proxy","qtypes":["{3}"]}}}},"event_type":{{"type":129}},"Summary":"DNS Answer TTL: {2} (Proxy {0}. {3})")x",
            name, addresses, k.label != 0 ? 1 : e.ttl, type));
  }

  void flush(Micros until) {
    while (!pending_.empty() && pending_.top().at <= until) {
      file_.text() += pending_.top().text;
      file_.text() += '\n';
      file_.row();
      pending_.pop();
    }
  }

  Pen& pen_;
  const World& world_;
  const Cluster& c_;
  uint32_t index_;
  Random random_;
  bool names_;
  Output::File file_;
  std::string prefix_;
  std::vector<uint32_t> servers_;
  std::set<std::pair<uint32_t, uint32_t>> asked_;  // pod, endpoint
  std::priority_queue<Event, std::vector<Event>, std::greater<>> pending_;
  uint64_t order_ = 0;
};

}  // namespace

void write_hubble(Pen& pen, uint32_t index) { Hubble(pen, index).run(); }

}  // namespace egret::drill
