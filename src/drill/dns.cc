// CoreDNS's `log` lines (questions, no answers) and, in the everything profile, answers as Zeek sees them.
#include <fmt/format.h>

#include <algorithm>

#include "drill/stages.h"
#include "drill/writers.h"

namespace egret::drill {

std::string exfil_name(const Endpoint& e, const Contact& k) {
  Random r(k.label);
  std::string s;
  for (int i = 0; i < 2; ++i) {
    const auto n = static_cast<size_t>(r.between(24, 48));
    for (size_t j = 0; j < n; ++j) s += "abcdefghijklmnopqrstuvwxyz234567"[r.below(32)];
    s += '.';
  }
  return s + e.name;
}

namespace {

struct Question {
  Micros at;
  Ip client;
  const Pod* pod;
  uint32_t contact;
};

// The lookups of pods that ask the cluster's DNS, each as a resolver with ndots:5 sends it.
std::vector<std::string> search_path(const Cluster& c, const Workload& x, const std::string& name) {
  std::vector<std::string> all;
  // Many programs ask for the full name at once (a final dot, ndots:1, a resolver of their own).
  const bool searches = Random(1).fork(x.ns + x.name).chance(0.4);
  if (searches && std::count(name.begin(), name.end(), '.') < 5)
    for (const std::string& suffix :
         {x.ns + ".svc.cluster.local", std::string("svc.cluster.local"), std::string("cluster.local"), c.domain})
      all.push_back(name + '.' + suffix);
  all.push_back(name);
  return all;
}

}  // namespace

void write_coredns(Pen& pen, uint32_t index) {
  const World& world = pen.world;
  const Cluster& c = world.clusters[index];
  Random random = pen.random.fork("coredns");
  const auto [gap_from, gap_to] = pen.gap(c, "coredns");
  std::vector<const Pod*> servers;
  for (const Pod& p : c.pods)
    if (world.workload_of(c, p).name == "coredns") servers.push_back(&p);
  struct Line {
    Micros at;
    const Pod* server;
    std::string text;
  };
  std::vector<Line> lines;
  const auto ask = [&](Micros at, Ip client, const Workload& x, const std::string& name, bool exists) {
    const Pod* server = nullptr;
    for (size_t k = 0, first = random.below(std::max<size_t>(servers.size(), 1)); k < servers.size(); ++k) {
      const Pod* s = servers[(first + k) % servers.size()];
      if (s->started <= at && s->ended > at) {
        server = s;
        break;
      }
    }
    if (server == nullptr) return;
    Micros t = at - 6'000;
    std::vector<std::string> path = search_path(c, x, name);
    if (!exists)
      path = {fmt::format("{}.{}.svc.cluster.local", name, x.ns),
              name + ".svc.cluster.local"};  // a service of the cluster answers at the second step
    for (const std::string& n : path) {
      const bool last = &n == &path.back();
      const auto port = static_cast<uint16_t>(random.between(32768, 60999));
      for (const std::string_view type : {"A", "AAAA"}) {
        const bool found = last;
        // The clock of the collector follows the line by some milliseconds.
        lines.push_back({t + c.skew + random.between(200, 1500), server,
                         fmt::format("[INFO] {}:{} - {} \"{} IN {}. udp {} false 512\" {} {} {} {:.9f}s", ip_text(client), port,
                                     random.between(1, 65535), type, n, n.size() + 17, found ? "NOERROR" : "NXDOMAIN",
                                     last && exists ? "qr,rd,ra" : "qr,aa,rd",
                                     found ? (type == "A" ? n.size() * 2 + 60 : n.size() + 90) : n.size() + 110,
                                     last && exists ? random.real(0.0008, 0.02) : random.real(0.00005, 0.0004))});
        t += random.between(100, 600);
      }
    }
  };
  for (uint32_t i = 0; i < c.contacts.size(); ++i) {
    const Contact& k = c.contacts[i];
    if (!k.asked || k.pod == kHostProcess) continue;
    const Pod& p = c.pods[k.pod];
    const Workload& x = world.workload_of(c, p);
    if (x.dns_default) continue;  // asks the node's resolver, not CoreDNS
    if (k.asked_at >= gap_from && k.asked_at < gap_to) continue;
    const Endpoint& e = world.endpoints[k.endpoint];
    ask(k.asked_at, p.ip, x, k.label != 0 ? exfil_name(e, k) : e.name, true);
    pen.ledger.contacts[index][i] |= kQuestionRow;
  }
  // Names inside the cluster, which are most of the lines.
  std::vector<const Workload*> apps;
  for (const Placement& p : c.placements)
    if (world.workloads[p.workload].kind == "Deployment") apps.push_back(&world.workloads[p.workload]);
  for (const Pod& p : c.pods) {
    const Workload& x = world.workload_of(c, p);
    if (x.system || apps.empty()) continue;
    Random r = random.fork(p.uid);
    for (Micros t = std::max(p.started, world.from) + static_cast<Micros>(r.exponential(900) * kSecond); t < std::min(p.ended, world.to);
         t += static_cast<Micros>(r.exponential(1200) * kSecond)) {
      if (t >= gap_from && t < gap_to) continue;
      const Workload& to = *r.pick(apps);
      ask(t, p.ip, x, fmt::format("{}.{}", to.name, to.ns), false);
    }
  }
  std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.at < b.at; });
  std::erase_if(lines, [&](const Line& l) { return l.at < world.from || l.at >= world.to; });
  if (Random(world.seed).fork("coredns form").chance(0.5)) {
    Output::File file(pen.out, "coredns", fmt::format("{}/coredns.log", c.name));
    const Pod* greeted[2] = {};
    size_t g = 0;
    for (const Line& l : lines) {
      if (g < 2 && std::find(greeted, greeted + g, l.server) == greeted + g) {
        greeted[g++] = l.server;
        fmt::format_to(std::back_inserter(file.text()), "[pod/{}/coredns] {} .:53\n", l.server->name,
                       iso(l.at - 1000, 6).insert(26, "118"));
      }
      std::string stamp = iso(l.at, 6);
      stamp.insert(stamp.size() - 1, fmt::format("{:03}", l.at % 1000 * 7919 % 1000));
      fmt::format_to(std::back_inserter(file.text()), "[pod/{}/coredns] {} {}\n", l.server->name, stamp, l.text);
      file.row();
    }
  } else {
    Output::File file(pen.out, "coredns", fmt::format("{}/ContainerLogV2-coredns.jsonl", c.name));
    std::string id = c.resource_id;
    for (char& ch : id) ch = static_cast<char>(std::tolower(ch));
    for (const Line& l : lines) {
      fmt::format_to(
          std::back_inserter(file.text()),
          R"({{"TimeGenerated":"{}","Computer":"{}","ContainerId":"{}","ContainerName":"coredns","PodName":"{}","PodNamespace":"kube-system","LogMessage":{},"LogSource":"stdout","LogLevel":"info","Type":"ContainerLogV2","_ResourceId":"{}"}})",
          iso(l.at, 7), c.nodes[l.server->node].name, l.server->container_id, l.server->name, json_quote(l.text), id);
      file.text() += '\n';
      file.row();
    }
  }
  pen.ledger.sources.insert("coredns");
}

void write_dns_answers(Pen& pen, uint32_t index) {
  const World& world = pen.world;
  if (forms_of(world).hubble_dns) return;  // its flows have them
  const Cluster& c = world.clusters[index];
  Random random = pen.random.fork("dns answers");
  const auto [gap_from, gap_to] = pen.gap(c, "dns answers");
  const bool json = Random(world.seed).fork("zeek form").chance(0.4);
  Output::File file(pen.out, "zeek-dns", fmt::format("{}/zeek/dns.log", c.name));
  if (!json)
    file.text() += fmt::format(
        "#separator "
        "\\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n#open\t{}\n#fields\tts\tuid\tid.orig_h\tid.orig_"
        "p\tid.resp_h\tid.resp_p\tproto\ttrans_id\trtt\tquery\tqclass\tqclass_name\tqtype\tqtype_name\trcode\trcode_"
        "name\tAA\tTC\tRD\tRA\tZ\tanswers\tTTLs\trejected\n#"
        "types\ttime\tstring\taddr\tport\taddr\tport\tenum\tcount\tinterval\tstring\tcount\tstring\tcount\tstring\tcount\tstring\tbool\tboo"
        "l\tbool\tbool\tcount\tvector[string]\tvector[interval]\tbool\n",
        iso(world.from).substr(0, 10));
  for (uint32_t i = 0; i < c.contacts.size(); ++i) {
    const Contact& k = c.contacts[i];
    if (!k.asked || (k.asked_at >= gap_from && k.asked_at < gap_to)) continue;
    const Endpoint& e = world.endpoints[k.endpoint];
    // On the node's own interface: what a pod asks is seen before translation, CoreDNS's own forwarding is left out.
    const bool host = k.pod == kHostProcess || world.workload_of(c, c.pods[k.pod]).dns_default;
    const Ip client = k.pod == kHostProcess ? c.nodes[k.node].ip : c.pods[k.pod].ip;
    const Ip server = host ? parse_ip("168.63.129.16") : c.dns_service;
    const bool data = k.label != 0;
    const std::string name = data ? exfil_name(e, k) : e.name;
    const auto answers = world.resolve(k.endpoint, c.region_index, k.asked_at);
    pen.ledger.contacts[index][i] |= kAnswerRow | (k.pod == kHostProcess ? 0 : host ? 0 : kQuestionRow);
    if (k.pod == kHostProcess) pen.ledger.contacts[index][i] |= kHostRow;
    const Micros t = k.asked_at + c.skew;
    const std::string uid = "C" + random.kube_suffix(17);
    const int64_t port = random.between(32768, 60999), id = random.between(1, 65535);
    const double rtt = random.real(0.0007, 0.03);
    if (json) {
      std::string a, ttl;
      for (const Ip ip : data ? std::vector<Ip>{} : answers) {
        a += fmt::format("{}\"{}\"", a.empty() ? "" : ",", ip_text(ip));
        ttl += fmt::format("{}{}.0", ttl.empty() ? "" : ",", e.ttl);
      }
      fmt::format_to(
          std::back_inserter(file.text()),
          R"({{"ts":{}.{:06},"uid":"{}","id.orig_h":"{}","id.orig_p":{},"id.resp_h":"{}","id.resp_p":53,"proto":"udp","trans_id":{},"rtt":{:.6f},"query":"{}","qclass":1,"qclass_name":"C_INTERNET","qtype":{},"qtype_name":"{}","rcode":0,"rcode_name":"NOERROR","AA":false,"TC":false,"RD":true,"RA":true,"Z":0,"answers":[{}],"TTLs":[{}],"rejected":false}})",
          t / kSecond, t % kSecond, uid, ip_text(client), port, ip_text(server), id, rtt, name, data ? 16 : 1, data ? "TXT" : "A",
          data ? "\"TXT 16 b2s=\"" : a, data ? "1.0" : ttl);
    } else {
      std::string a, ttl;
      for (const Ip ip : answers) {
        a += (a.empty() ? "" : ",") + ip_text(ip);
        ttl += fmt::format("{}{}.000000", ttl.empty() ? "" : ",", e.ttl);
      }
      if (data) a = "TXT 16 b2s=", ttl = "1.000000";
      fmt::format_to(std::back_inserter(file.text()),
                     "{}.{:06}\t{}\t{}\t{}\t{}\t53\tudp\t{}\t{:.6f}\t{}\t1\tC_INTERNET\t{}\t{}\t0\tNOERROR\tF\tF\tT\tT\t0\t{}\t{}\tF",
                     t / kSecond, t % kSecond, uid, ip_text(client), port, ip_text(server), id, rtt, name, data ? 16 : 1,
                     data ? "TXT" : "A", a, ttl);
    }
    file.text() += '\n';
    file.row();
  }
  if (!json) file.text() += fmt::format("#close\t{}\n", iso(world.to).substr(0, 10));
  pen.ledger.sources.insert("zeek-dns");
}

}  // namespace egret::drill
