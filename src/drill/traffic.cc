// Who talked to what: the habits of every pod turned into contacts, and requests that came in.
#include <algorithm>

#include "drill/stages.h"
#include "drill/vocabulary.h"

namespace egret::drill {
namespace {

class Traffic {
 public:
  Traffic(World& world, Cluster& cluster, const Random& random, double density)
      : w_(world), c_(cluster), root_(random.fork("traffic " + cluster.name)), density_(density) {}

  void run() {
    for (uint32_t i = 0; i < c_.pods.size(); ++i) {
      const Pod& p = c_.pods[i];
      const Workload& x = w_.workload_of(c_, p);
      for (size_t h = 0; h < x.habits.size(); ++h) habit(i, p, x, x.habits[h], root_.fork(p.uid, h));
      if (x.sees_ingress) inbound(i, p, x, root_.fork("in " + p.uid));
    }
    for (const Workload& x : w_.workloads)
      if (x.kind == "HostProcess" && (!x.only_affected || c_.affected)) host(x);
    platform();
    std::stable_sort(c_.contacts.begin(), c_.contacts.end(), [](const Contact& a, const Contact& b) { return a.at < b.at; });
    std::stable_sort(c_.inbound.begin(), c_.inbound.end(), [](const Inbound& a, const Inbound& b) { return a.at < b.at; });
  }

 private:
  void contact(uint32_t pod, uint32_t node, const Workload* x, const Habit& h, Micros at, Random& r, Micros& asked_last) {
    if (at < w_.from || at >= w_.to) return;
    if (pod != kHostProcess && at >= c_.pods[pod].ended) return;
    if (c_.nodes[node].deleted <= at) return;
    const Endpoint& e = w_.endpoints[h.endpoint];
    Contact k;
    k.at = at;
    k.pod = pod;
    k.node = node;
    k.endpoint = h.endpoint;
    const auto answers = w_.resolve(h.endpoint, c_.region_index, at);
    k.address = answers[r.below(answers.size())];
    k.port = e.port;
    k.src_port = static_cast<uint16_t>(r.between(32768, 60999));
    // Masquerading keeps the port where it is free and takes another where not.
    k.nat_port = x != nullptr && x->host_network ? k.src_port : r.chance(0.15) ? k.src_port : static_cast<uint16_t>(r.between(1024, 65535));
    k.duration_ms = static_cast<uint32_t>(r.real(h.lasts) * 1000);
    k.out = static_cast<uint64_t>(r.real(h.out));
    k.in = static_cast<uint64_t>(r.real(h.in));
    k.culprit = h.culprit;
    k.dns_only = h.exfil_dns || h.only_asks;
    if (h.exfil_dns) k.label = static_cast<uint32_t>(r.next());
    if (!h.literal && (k.dns_only || at - asked_last >= static_cast<Micros>(e.ttl) * kSecond / 2)) {
      k.asked = true;
      k.asked_at = at - r.between(3, 90) * 1000;
      asked_last = at;
    }
    c_.contacts.push_back(k);
  }

  void habit(uint32_t index, const Pod& p, const Workload& x, const Habit& h, Random r) {
    const Revision& rev = c_.placements[p.placement].revisions[p.revision];
    if ((h.bad_only && !rev.bad) || (h.only_affected && !c_.affected)) return;
    const Placement& place = c_.placements[p.placement];
    if (h.after_break_in && place.broken_pod != index) return;
    const bool background = !h.culprit;
    Micros asked = 0;
    const auto burst = [&](Micros at) {
      if (h.after_config && (w_.config_change == 0 || at < w_.config_change)) return;
      if (h.after_break_in && at < place.broken_in) return;
      if (!r.chance(h.chance)) return;
      Micros t = at + static_cast<Micros>(r.real(h.wait) * kSecond);
      for (int64_t k = r.whole(h.repeat); k > 0; --k) {
        contact(index, p.node, &x, h, t, r, asked);
        t += static_cast<Micros>(r.real(0.4, 2.5) * kSecond);
      }
    };
    switch (h.on) {
      case Act::On::kContainerStart:
        burst(p.started);
        for (const Micros again : p.restarts) burst(again);
        break;
      case Act::On::kNodeStart:
        if (p.created < c_.nodes[p.node].created + 5 * kMinute) burst(p.started);
        break;
      case Act::On::kRestart:
        for (const Micros again : p.restarts) burst(again);
        break;
      case Act::On::kNodeJoins:
        for (const Node& n : c_.nodes)
          if (n.created >= w_.from && p.started <= n.ready && p.ended > n.ready) burst(n.ready);
        break;
      case Act::On::kImagePull: break;  // what the node does
      case Act::On::kAlways: {
        const double density = background ? density_ : 1;
        Micros t = std::max(p.started, w_.from);
        if (h.after_config) t = std::max(t, w_.config_change);
        if (h.after_break_in) t = std::max(t, place.broken_in);
        t += static_cast<Micros>(r.real() * r.real(h.every) * kSecond / density);
        const Micros end = std::min(p.ended, w_.to);
        while (t < end) {
          if (!h.after_config || (w_.config_change != 0 && t >= w_.config_change))
            if (h.chance >= 1 || r.chance(h.chance)) {
              contact(index, p.node, &x, h, t, r, asked);
              Micros again = t;  // what comes in bursts
              for (int64_t k = h.repeat.high > 1 ? r.whole(h.repeat) - 1 : 0; k > 0; --k) {
                again += static_cast<Micros>(r.real(0.4, 2.5) * kSecond);
                contact(index, p.node, &x, h, again, r, asked);
              }
            }
          const double gap = h.scattered ? r.exponential((h.every.low + h.every.high) / 2) : r.real(h.every);
          t += std::max<Micros>(static_cast<Micros>(gap * kSecond / density), 20'000);
        }
      }
    }
  }

  void host(const Workload& x) {
    for (uint32_t n = 0; n < c_.nodes.size(); ++n) {
      Random r = root_.fork("host " + c_.nodes[n].name + x.name);
      const Micros first = std::max(w_.from, c_.nodes[n].created);
      const Micros last = std::min(w_.to, c_.nodes[n].deleted);
      for (const Habit& h : x.habits) {
        Micros asked = 0;
        if (h.on == Act::On::kImagePull) {
          for (const Pod& p : c_.pods) {
            if (p.node != n || p.created < w_.from || c_.placements[p.placement].workload != h.of || !r.chance(h.chance)) continue;
            // After the sandbox, before the container. A pod that waited for its node is pulled for when the node is there.
            const Micros begin = std::max(p.created, c_.nodes[n].ready) + r.between(250, 600) * 1000;
            Micros t = begin;
            for (int64_t k = r.whole(h.repeat); k > 0 && t < p.started - 300'000; --k, t += r.between(40, 350) * 1000)
              contact(kHostProcess, n, &x, h, t, r, asked);
          }
          continue;
        }
        if (h.on == Act::On::kNodeStart || h.on == Act::On::kContainerStart) {
          if (c_.nodes[n].created < w_.from || !r.chance(h.chance)) continue;
          Micros t = c_.nodes[n].created + static_cast<Micros>(r.real(h.wait) * kSecond);
          for (int64_t k = r.whole(h.repeat); k > 0; --k, t += kSecond * 2) contact(kHostProcess, n, &x, h, t, r, asked);
          continue;
        }
        for (Micros t = first + static_cast<Micros>(r.real() * r.real(h.every) * kSecond); t < last;
             t += static_cast<Micros>(r.real(h.every) * kSecond))
          contact(kHostProcess, n, &x, h, t, r, asked);
      }
    }
  }

  uint32_t endpoint(std::string_view name) {
    for (uint32_t i = 0; i < w_.endpoints.size(); ++i)
      if (w_.endpoints[i].name == name) return i;
    Endpoint e;
    e.name = name;
    e.provider = provider_of(name);
    Random r = Random(w_.seed).fork(name);
    for (size_t k = 0; k < w_.regions.size(); ++k) e.pools.push_back({address_of(e.provider, r), address_of(e.provider, r)});
    w_.endpoints.push_back(std::move(e));
    return static_cast<uint32_t>(w_.endpoints.size() - 1);
  }

  // What the node itself does: the kubelet's registry pulls, the guest agent, time, package lists.
  void platform() {
    const uint32_t mcr = endpoint("mcr.microsoft.com"), management = endpoint("management.azure.com"),
                   packages = endpoint("packages.microsoft.com");
    const uint32_t ubuntu = endpoint("azure.archive.ubuntu.com");
    for (uint32_t n = 0; n < c_.nodes.size(); ++n) {
      const Node& node = c_.nodes[n];
      Random r = root_.fork("platform " + node.name);
      Micros asked = 0;
      Habit h;
      h.in = {2000, 60000};
      const auto once = [&](uint32_t to, Micros at, double megabytes) {
        h.endpoint = to;
        h.in = {megabytes * 2e5, megabytes * 1e6};
        h.lasts = {0.2, 1 + megabytes};
        asked = 0;
        contact(kHostProcess, n, nullptr, h, at, r, asked);
      };
      if (node.created >= w_.from) {
        for (int k = 0; k < 14; ++k) once(mcr, node.ready + r.between(0, 25'000) * 1000, 20);
        once(packages, node.created - r.between(10, 40) * kSecond, 1);
        once(management, node.created - r.between(1, 9) * kSecond, 0.1);
      }
      for (Micros t = std::max(w_.from, node.created) + r.between(0, 3600) * kSecond; t < std::min(w_.to, node.deleted);
           t += r.between(1800, 9000) * kSecond)
        once(r.chance(0.5) ? management : r.chance(0.5) ? packages : ubuntu, t, 0.3);
    }
  }

  // When the pod made the contacts that the story is about.
  std::vector<Micros> culprit_times(uint32_t pod) const {
    std::vector<Micros> times;
    for (const Contact& k : c_.contacts)
      if (k.culprit && k.pod == pod) times.push_back(k.at);
    return times;
  }

  void inbound(uint32_t index, const Pod& p, const Workload& x, Random r) {
    const Revision& rev = c_.placements[p.placement].revisions[p.revision];
    const Micros end = std::min(p.ended, w_.to);
    std::vector<Ip> clients;
    for (int i = 0; i < 12; ++i) clients.push_back(static_cast<Ip>(r.between(0x18000000, 0x5fffffff)));
    const Ip attacker = parse_ip("185.220.101.0") + static_cast<Ip>(Random(w_.seed).fork("attacker").between(2, 250));
    for (Micros t = std::max(p.started + 20 * kSecond, w_.from); t < end; t += static_cast<Micros>(r.exponential(110) * kSecond) + 1000) {
      Inbound in;
      in.at = t;
      in.pod = index;
      in.client = r.pick(clients);
      in.path = static_cast<uint32_t>(r.below(12));
      in.status = r.chance(0.03) ? 404 : r.chance(0.01) ? 500 : 200;
      in.out = static_cast<uint32_t>(r.between(200, 18000));
      in.in = static_cast<uint32_t>(r.between(100, 2500));
      in.ms = static_cast<uint32_t>(r.exponential(60)) + 2;
      c_.inbound.push_back(in);
    }
    if (x.shell && c_.placements[p.placement].broken_pod == index) {
      // The stranger speaks to what was left there, a little before each thing that it does.
      for (const Micros t : culprit_times(index)) {
        Inbound in;
        in.at = t - r.between(80, 700) * 1000;
        in.pod = index;
        in.client = attacker;
        in.shell = true;
        in.out = static_cast<uint32_t>(r.between(60, 20000));
        in.in = static_cast<uint32_t>(r.between(300, 1800));
        in.ms = static_cast<uint32_t>(r.between(300, 4000));
        c_.inbound.push_back(in);
      }
    }
    if (!x.ssrf || !rev.bad) return;
    // The payloads that the bad release lets through: one shortly before each contact that they cause.
    for (const Micros t : culprit_times(index)) {
      Inbound in;
      in.at = t - r.between(30, 400) * 1000;
      in.pod = index;
      in.client = attacker;
      in.ssrf = true;
      in.path = static_cast<uint32_t>(r.below(6));
      in.out = static_cast<uint32_t>(r.between(400, 90000));
      in.in = static_cast<uint32_t>(r.between(500, 1500));
      in.ms = static_cast<uint32_t>(r.between(300, 2500));
      c_.inbound.push_back(in);
    }
  }

  World& w_;
  Cluster& c_;
  Random root_;
  double density_;
};

}  // namespace

void talk(World& w, const Scale& scale, const Random& random) {
  double density = 1;
  if (scale.flows > 0) {
    double expected = 0;
    for (const Cluster& c : w.clusters)
      for (const Pod& p : c.pods) {
        const double seconds = static_cast<double>(std::min(p.ended, w.to) - std::max(p.started, w.from)) / kSecond;
        for (const Habit& h : w.workload_of(c, p).habits)
          if (!h.culprit && h.on == Act::On::kAlways && seconds > 0) expected += seconds / ((h.every.low + h.every.high) / 2);
      }
    density = std::max(1.0, 1.03 * static_cast<double>(scale.flows) / std::max(expected, 1.0));
  }
  // The endpoints' vector must not grow while habits refer to it by index only: they do, so growth is harmless.
  for (Cluster& c : w.clusters) Traffic(w, c, random, density).run();
}

World simulate(const Scenario& scenario, uint64_t seed, const Scale& scale) {
  uint64_t mixed = seed;
  for (const char ch : scenario.id) mixed = mixed * 131 + static_cast<unsigned char>(ch);
  for (int attempt = 0;; ++attempt) {
    World w;
    w.scenario = &scenario;
    w.seed = Random(mixed).fork("attempt", static_cast<uint64_t>(attempt)).next();
    const Random random(w.seed);
    build_fleet(w, scale, random);
    live(w, random);
    talk(w, scale, random);
    // Chance may have it that nothing happened (no node came, the check never failed): then there is nothing to investigate.
    const auto& contacts = w.clusters[w.affected].contacts;
    const bool alarm = std::any_of(contacts.begin(), contacts.end(), [&](const Contact& k) {
      return k.culprit && k.at < w.to - 15 * kMinute && (k.address == w.accused || k.endpoint == w.target);
    });
    if (alarm || attempt == 40) return w;
  }
}

}  // namespace egret::drill
