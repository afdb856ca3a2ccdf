// Access logs of the sidecars: requests that came in, connections that went out, as Istio's Envoy writes them (text or JSON).
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "drill/requests.h"
#include "drill/writers.h"

namespace egret::drill {
namespace {

struct Line {
  Micros at;
  uint32_t pod;
  std::string text;
};

struct Access {
  Micros start;
  std::string method = "-", path = "-", protocol = "-", authority = "-", agent = "-", forwarded = "-", upstream_host, cluster, sni = "-",
              upstream_local, local, remote, flags = "-", id = "-";
  int status = 0;
  uint64_t received, sent;
  uint32_t ms;
};

std::string as_text(const Access& a) {
  const bool tcp = a.method == "-";
  return fmt::format(R"([{}] "{} {} {}" {} {} {} - "-" {} {} {} {} "{}" "{}" "{}" "{}" "{}" {} {} {} {} {} {})", iso(a.start, 3), a.method,
                     a.path, a.protocol, a.status, a.flags, tcp ? "-" : "via_upstream", a.received, a.sent, a.ms,
                     tcp ? "-" : std::to_string(a.ms), a.forwarded, a.agent, a.id, a.authority, a.upstream_host, a.cluster,
                     a.upstream_local, a.local, a.remote, a.sni, tcp ? "-" : "default");
}

std::string as_json(const Access& a) {
  JsonWriter w;
  const auto text = [&](std::string_view k, std::string_view v) {
    w.key(k);
    if (v == "-")
      w.null();
    else
      w.string(v);
  };
  w.begin_object();
  text("authority", a.authority);
  w.key("bytes_received").number(static_cast<int64_t>(a.received)).key("bytes_sent").number(static_cast<int64_t>(a.sent));
  w.key("connection_termination_details").null();
  text("downstream_local_address", a.local);
  text("downstream_remote_address", a.remote);
  w.key("duration").number(static_cast<int64_t>(a.ms));
  text("method", a.method);
  text("path", a.path);
  text("protocol", a.protocol);
  text("request_id", a.id);
  text("requested_server_name", a.sni);
  w.key("response_code").number(static_cast<int64_t>(a.status));
  text("response_code_details", a.method == "-" ? "-" : "via_upstream");
  w.key("response_flags").string("-");
  text("route_name", a.method == "-" ? "-" : "default");
  w.key("start_time").string(iso(a.start, 3));
  text("upstream_cluster", a.cluster);
  text("upstream_host", a.upstream_host);
  text("upstream_local_address", a.upstream_local);
  w.key("upstream_service_time");
  if (a.method == "-")
    w.null();
  else
    w.string(std::to_string(a.ms));
  w.key("upstream_transport_failure_reason").null();
  text("user_agent", a.agent);
  text("x_forwarded_for", a.forwarded);
  w.end_object();
  return std::move(w).take();
}

}  // namespace

void write_mesh(Pen& pen, uint32_t index) {
  const World& world = pen.world;
  const Cluster& c = world.clusters[index];
  if (!c.mesh) return;
  Random random = pen.random;
  const bool json = Random(world.seed).fork("envoy form").chance(0.5);
  const auto [gap_from, gap_to] = pen.gap(c, "envoy");
  std::vector<Line> lines;
  const auto add = [&](uint32_t pod, const Access& a) {
    // Written when the request or the connection ends.
    lines.push_back({a.start + a.ms * 1000LL + random.between(50, 900) * 1000, pod, json ? as_json(a) : as_text(a)});
  };
  for (uint32_t i = 0; i < c.contacts.size(); ++i) {
    const Contact& k = c.contacts[i];
    if (k.pod == kHostProcess || k.dns_only || (k.at >= gap_from && k.at < gap_to)) continue;
    const Pod& p = c.pods[k.pod];
    if (!world.workload_of(c, p).sidecar) continue;
    const Endpoint& e = world.endpoints[k.endpoint];
    Access a;
    a.start = k.at + c.skew;
    a.upstream_host = fmt::format("{}:{}", ip_text(k.address), k.port);
    a.cluster = "PassthroughCluster";
    a.upstream_local = fmt::format("{}:{}", ip_text(p.ip), k.src_port);
    a.local = a.upstream_host;
    a.remote = fmt::format("{}:{}", ip_text(p.ip), random.between(32768, 60999));
    if (k.port == 443) a.sni = e.name;
    a.received = k.out;
    a.sent = k.in;
    a.ms = k.duration_ms;
    if (k.port == 80) {
      a.method = "GET";
      a.path = "/";
      a.protocol = "HTTP/1.1";
      a.authority = e.name;
      a.agent = "Go-http-client/1.1";
      a.status = 200;
      a.id = random.uuid();
    }
    add(k.pod, a);
    pen.ledger.contacts[index][i] |= kPodRow;
    if (k.port == 443 || k.port == 80) pen.ledger.contacts[index][i] |= kAnswerRow;
  }
  for (const Inbound& q : c.inbound) {
    const Pod& p = c.pods[q.pod];
    const Workload& x = world.workload_of(c, p);
    if (!x.sidecar || (q.at >= gap_from && q.at < gap_to)) continue;
    const Request r = request_of(world, c, x, q);
    Access a;
    a.start = q.at + c.skew;
    a.method = r.method;
    a.path = r.target;
    a.protocol = "HTTP/1.1";
    a.authority = r.host;
    a.agent = r.agent;
    a.forwarded = ip_text(q.client);
    a.id = random.uuid();
    a.status = q.status;
    a.received = q.in;
    a.sent = q.out;
    a.ms = q.ms;
    a.upstream_host = fmt::format("{}:8080", ip_text(p.ip));
    a.cluster = "inbound|8080||";
    a.upstream_local = fmt::format("127.0.0.6:{}", random.between(32768, 60999));
    a.local = a.upstream_host;
    a.remote = fmt::format("{}:0", ip_text(q.client));
    a.sni = fmt::format("outbound_.80_._.{}.{}.svc.cluster.local", x.name, x.ns);
    add(q.pod, a);
  }
  std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.at < b.at; });
  std::erase_if(lines, [&](const Line& l) { return l.at < world.from || l.at >= world.to; });
  if (Random(world.seed).fork("envoy export").chance(0.5)) {
    TableFile t(pen, c, "ContainerLogV2", "-istio-proxy");
    for (const Line& l : lines) {
      const Pod& p = c.pods[l.pod];
      pen.ledger.pods[index][l.pod] = 1;
      t.begin(l.at)
          .text("Computer", c.nodes[p.node].name)
          .text("ContainerId", container_id(world.workload_of(c, p), p, "istio-proxy"))
          .text("ContainerName", "istio-proxy")
          .text("PodName", p.name);
      t.text("PodNamespace", world.workload_of(c, p).ns).text("LogMessage", l.text).text("LogSource", "stdout").text("LogLevel", "info");
      t.end();
    }
  } else {
    // kubectl logs -n NAMESPACE -l … -c istio-proxy --prefix --timestamps, a file per namespace
    std::map<std::string, std::vector<const Line*>> by_ns;
    for (const Line& l : lines) by_ns[world.workload_of(c, c.pods[l.pod]).ns].push_back(&l);
    for (const auto& [ns, of] : by_ns) {
      Output::File file(pen.out, "envoy", fmt::format("{}/istio-proxy/{}.log", c.name, ns));
      for (const Line* l : of) {
        std::string stamp = iso(l->at, 6);
        stamp.insert(stamp.size() - 1, fmt::format("{:03}", l->at % 1000 * 7919 % 1000));
        fmt::format_to(std::back_inserter(file.text()), "[pod/{}/istio-proxy] {} {}\n", c.pods[l->pod].name, stamp, l->text);
        file.row();
      }
    }
  }
  pen.ledger.sources.insert("envoy");
}

}  // namespace egret::drill
