// Nodes, releases and pods over time.
#include <fmt/format.h>

#include <algorithm>

#include "drill/stages.h"
#include "drill/vocabulary.h"

namespace egret::drill {

Micros Pod::start_of(Micros at) const {
  Micros start = started;
  for (const Micros r : restarts)
    if (r <= at) start = r;
  return start;
}

namespace {

std::string base36(int n, size_t width) {
  std::string s;
  for (; n > 0 || s.size() < width; n /= 36) s.insert(s.begin(), "0123456789abcdefghijklmnopqrstuvwxyz"[n % 36]);
  return s;
}

class Life {
 public:
  Life(World& world, Cluster& cluster, const Random& random) : w_(world), c_(cluster), random_(random.fork("life " + cluster.name)) {}

  void run() {
    nodes();
    for (uint32_t p = 0; p < c_.placements.size(); ++p) revisions(p);
    for (uint32_t p = 0; p < c_.placements.size(); ++p) pods(p);
    surge();
    happenings();
    std::stable_sort(c_.changes.begin(), c_.changes.end(), [](const Change& a, const Change& b) { return a.at < b.at; });
  }

 private:
  const Workload& workload(uint32_t placement) const { return w_.workloads[c_.placements[placement].workload]; }
  bool here(const std::string& where) const { return where == "all" || (where == "affected") == c_.affected; }
  Micros moment(Range at) { return w_.from + static_cast<Micros>(random_.real(at) * static_cast<double>(w_.to - w_.from)); }

  void add_node(Micros created, bool autoscaled) {
    Node n;
    n.instance = base36(next_instance_++, 6);
    n.vmss = c_.vmss;
    n.name = c_.vmss + n.instance;
    n.uid = random_.uuid();
    n.mac = fmt::format("{}{:06X}", random_.pick({"00224", "000D3", "60457"}), random_.below(0xffffff)).substr(0, 11);
    n.mac += "0123456789ABCDEF"[random_.below(16)];
    n.pod_block = static_cast<int>(c_.nodes.size());
    // A scale set gives an address that a deleted node had to the next one.
    Ip ip = c_.vnet_base + 4 + static_cast<Ip>(c_.nodes.size()) * 2 + static_cast<Ip>(random_.below(2));
    for (const Node& old : c_.nodes)
      if (old.deleted < created && random_.chance(0.6)) ip = old.ip;
    for (bool again = true; again;) {
      again = false;
      for (const Node& other : c_.nodes)
        if (other.ip == ip && other.deleted > created) ++ip, again = true;
    }
    n.ip = ip;
    n.provider_id =
        fmt::format("azure:///subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachineScaleSets/{}/virtualMachines/{}",
                    c_.subscription, c_.node_group, c_.vmss, std::stoi(n.instance, nullptr, 36));
    n.created = created;
    n.ready = created + random_.between(8, 25) * kSecond;
    n.autoscaled = autoscaled;
    c_.nodes.push_back(std::move(n));
  }

  void scale_up(Micros at, int64_t count, const std::vector<std::string>* actors) {
    for (int64_t i = 0; i < count; ++i) {
      if (actors != nullptr && !actors->empty()) wanting_.emplace_back(static_cast<uint32_t>(c_.nodes.size()), actors);
      Change up{at, Change::What::kScaleUp, 0, 0, static_cast<uint32_t>(c_.nodes.size()), 0, "", ""};
      add_node(at + random_.between(75, 150) * kSecond, true);
      c_.changes.push_back(std::move(up));
    }
  }

  void scale_down(Micros at) {
    for (uint32_t i = static_cast<uint32_t>(c_.nodes.size()); i-- > 0;) {
      Node& n = c_.nodes[i];
      if (n.deleted != kNever || n.created + 20 * kMinute > at) continue;
      n.deleted = at;
      c_.changes.push_back({at, Change::What::kNodeDelete, 0, 0, i, 0, "", ""});
      return;
    }
  }

  void nodes() {
    const int64_t n = random_.whole(w_.scenario->nodes);
    next_instance_ = static_cast<int>(random_.between(0, 40));
    const Micros pool_age = random_.between(2, 25) * kDay;
    for (int64_t i = 0; i < n; ++i) add_node(w_.from - pool_age + random_.between(0, i == 0 ? 60 : 36 * 3600) * kSecond, i > 2);
    struct Step {
      Micros at;
      int64_t up;  // 0: down
      const std::vector<std::string>* actors = nullptr;
    };
    std::vector<Step> steps;
    for (const Happening& h : w_.scenario->timeline) {
      if (!here(h.where)) continue;
      if (h.what == "scale-up") steps.push_back({moment(h.at), random_.whole(h.count), &h.actors});
      if (h.what == "scale-down") steps.push_back({moment(h.at), 0});
    }
    // Most days the autoscaler does something of its own.
    if (random_.chance(0.5)) steps.push_back({moment({0.1, 0.9}), 1});
    for (int64_t k = random_.between(0, 2); k > 0; --k) steps.push_back({moment({0.15, 0.95}), 0});
    std::sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.at < b.at; });
    for (const Step& s : steps) {
      if (s.up > 0)
        scale_up(s.at, s.up, s.actors);
      else if (c_.nodes.size() > static_cast<size_t>(n))
        scale_down(s.at);
    }
  }

  Revision revision(const Workload& x, Micros at, int number, int build) {
    Revision r;
    r.at = at;
    r.number = number;
    r.build = build;
    Random v = Random(w_.seed).fork("version " + x.ns + x.name, static_cast<uint64_t>(build));
    if (!x.first_tag.empty())
      r.tag = build == 0 ? x.first_tag : bump(x.first_tag, build);
    else if (const Product* p = x.system ? product_named(x) : nullptr; p != nullptr && build == 0)
      r.tag = p->tag;
    else if (x.system)
      r.tag = bump(product_named(x) ? std::string(product_named(x)->tag) : "1.0.0", build);
    else {
      Random style = Random(w_.seed).fork("tags " + x.ns);
      const auto minor = Random(w_.seed).fork("minor " + x.name).between(2, 40);
      switch (style.below(3)) {
        case 0: r.tag = fmt::format("{}.{}.{}", style.between(1, 4), minor, 3 + build); break;
        case 1:
          r.tag = fmt::format("{}.{}", iso(at).substr(0, 4) + iso(at).substr(5, 2) + iso(at).substr(8, 2), 1000 + minor * 7 + build);
          break;
        default:
          r.tag = fmt::format("v{}.{}.{}-{}", style.between(1, 6), minor + build, v.below(9),
                              Random(w_.seed).fork("sha " + x.name, static_cast<uint64_t>(build)).hex(7));
      }
    }
    r.digest = "sha256:" + Random(w_.seed).fork("digest " + x.image + r.tag).hex(64);
    r.commit = Random(w_.seed).fork("commit " + x.name, static_cast<uint64_t>(build)).hex(40);
    r.by = v.pick(kPeople);
    r.hash = x.kind == "DaemonSet" || x.kind == "StatefulSet" ? random_.kube_suffix(9)
                                                              : random_.kube_suffix(static_cast<size_t>(random_.between(9, 10)));
    r.rs_uid = random_.uuid();
    r.pipeline = fmt::format("{}-deploy", x.name);
    return r;
  }

  static const Product* product_named(const Workload& x) {
    for (const auto* products : {&kProducts, &kFurtherProducts})
      for (const Product& p : *products)
        if (p.name == x.name && p.image == x.image) return &p;
    return nullptr;
  }

  static std::string bump(std::string tag, int by) {
    size_t digits = tag.size();
    while (digits > 0 && std::isdigit(static_cast<unsigned char>(tag[digits - 1]))) --digits;
    if (digits == tag.size() || tag.size() - digits > 6) return tag + fmt::format("-{}", by);
    return tag.substr(0, digits) + std::to_string(std::stoi(tag.substr(digits)) + by);
  }

  // Another image is pushed under the tag that runs: no rollout, and Kubernetes knows nothing of it.
  void repush(uint32_t placement, Micros at, bool bad) {
    Placement& p = c_.placements[placement];
    Revision r = p.revisions.back();
    r.at = at;
    r.digest = "sha256:" + Random(w_.seed).fork("repushed " + workload(placement).image + r.tag, p.revisions.size()).hex(64);
    r.bad = bad || r.bad;
    r.silent = true;
    p.revisions.push_back(r);
    if (bad && c_.affected) w_.bad_release = at;
  }

  void release(uint32_t placement, Micros at, int build, bool bad, bool image) {
    Placement& p = c_.placements[placement];
    const Workload& x = workload(placement);
    Revision r = revision(x, at, p.revisions.back().number + 1, image ? build : p.revisions.back().build);
    r.bad = bad || (p.revisions.back().bad);
    r.image_changed = image;
    r.config_changed = !image;
    if (!image) {
      r.tag = p.revisions.back().tag;
      r.digest = p.revisions.back().digest;
    }
    p.revisions.push_back(r);
    if (bad && c_.affected) w_.bad_release = at;
    c_.changes.push_back({at, Change::What::kRollout, placement, static_cast<uint32_t>(p.revisions.size() - 1), 0, 0, x.name, r.by});
  }

  void revisions(uint32_t placement) {
    Placement& p = c_.placements[placement];
    const Workload& x = workload(placement);
    Random fleet = Random(w_.seed).fork("releases " + x.ns + x.name);  // the train is the same everywhere
    const Micros first = w_.from - fleet.between(26, 20 * 24) * kHour - random_.between(0, 7200) * kSecond;
    p.revisions.push_back(revision(x, first, static_cast<int>(fleet.between(1, 40)), 0));
    std::vector<std::tuple<Micros, bool, bool>> planned;  // at, bad, image
    std::vector<std::pair<Micros, bool>> pushed;          // at, bad
    if (!x.actor.empty()) {
      for (size_t i = 0; i < w_.scenario->timeline.size(); ++i) {
        const Happening& h = w_.scenario->timeline[i];
        if (!w_.scenario->concerns(h, x.actor) || !here(h.where)) continue;
        Random at = Random(w_.seed).fork("happening", i);  // one train, minutes apart between clusters
        Micros when = w_.from + static_cast<Micros>(at.real(h.at) * static_cast<double>(w_.to - w_.from));
        when += static_cast<Micros>(c_.region_index) * at.between(4, 18) * kMinute;
        if (h.what == "release") {
          planned.emplace_back(when, h.bad, h.changes_image);
        } else if (h.what == "repush") {
          pushed.emplace_back(when, h.bad);
        } else if (h.what == "recreate") {
          p.recreations.push_back(when);
        } else if (h.what == "deploy") {
          p.deployed = when;
          p.revisions[0].at = when;
          p.revisions[0].number = 1;
        }
      }
      std::sort(p.recreations.begin(), p.recreations.end());
    } else if (x.kind != "CronJob" && fleet.chance(x.system ? 0.06 : 0.3)) {
      const auto when = w_.from + static_cast<Micros>(fleet.real(0.05, 0.9) * static_cast<double>(w_.to - w_.from));
      planned.emplace_back(when + static_cast<Micros>(c_.region_index) * fleet.between(2, 25) * kMinute, false, fleet.chance(0.8));
    }
    if (p.deployed != 0 && x.kind != "Job" && x.kind != "Pod" && x.kind != "StaticPod")
      c_.changes.push_back(
          {p.deployed, Change::What::kCreate, placement, 0, 0, 0, x.name, std::string(random_.fork("creator", placement).pick(kPeople))});
    std::sort(planned.begin(), planned.end());
    int build = 0;
    for (const auto& [at, bad, image] : planned)
      if (at < w_.to - 10 * kMinute) release(placement, at, ++build, bad, image);
    for (const auto& [at, bad] : pushed)
      if (at < w_.to - 10 * kMinute && at > p.revisions.back().at) repush(placement, at, bad);
    if (x.actor.empty() && !x.config_maps.empty() && fleet.chance(0.12))
      c_.changes.push_back(
          {moment({0.05, 0.95}), Change::What::kConfigMap, placement, 0, 0, 0, x.config_maps[0], std::string(random_.pick(kPeople))});
  }

  std::optional<uint32_t> node_at(Micros at) {
    std::vector<uint32_t> live;
    for (uint32_t i = 0; i < c_.nodes.size(); ++i)
      if (c_.nodes[i].ready <= at && c_.nodes[i].deleted > at + kMinute) live.push_back(i);
    if (live.empty()) return std::nullopt;
    return random_.pick(live);
  }

  // Addresses of a node's block come round, but only when the pod that had one is gone.
  Ip pod_ip(uint32_t node, Micros created) {
    if (used_.size() <= node) used_.resize(node + 1, 10);
    Ip& last = used_[node];
    Ip ip = 0;
    for (int tries = 0; tries < 400; ++tries) {
      last += 1 + static_cast<Ip>(random_.below(5));
      if (last > 245) last = 10 + static_cast<Ip>(random_.below(5));
      ip = c_.pod_base + (static_cast<Ip>(c_.nodes[node].pod_block) << 8) + last;
      const bool taken = std::any_of(c_.pods.begin(), c_.pods.end(),
                                     [&](const Pod& p) { return p.ip == ip && (p.ended == kNever || p.ended >= created); });
      if (!taken) break;
    }
    return ip;
  }

  Pod& add_pod(uint32_t placement, uint32_t rev, uint32_t node, Micros created, std::string name) {
    const Workload& x = workload(placement);
    Pod p;
    p.name = std::move(name);
    p.uid = random_.uuid();
    p.container_id = random_.hex(64);
    p.placement = placement;
    p.revision = rev;
    p.node = node;
    p.ip = x.host_network ? c_.nodes[node].ip : pod_ip(node, created);
    p.created = created;
    const bool cached = created > c_.nodes[node].created + 10 * kMinute;
    p.started = std::max(created, c_.nodes[node].ready) + random_.between(cached ? 1500 : 3000, cached ? 6000 : 24000) * 1000;
    c_.pods.push_back(std::move(p));
    return c_.pods.back();
  }

  void end(Pod& p, Micros at) {
    p.ended = std::max(at, p.started + kSecond);
    p.removed = p.ended + random_.between(1, 30) * kSecond;
  }

  std::string pod_name(const Workload& x, const Revision& r, int slot, const Node& node) {
    if (x.kind == "Deployment") return fmt::format("{}-{}-{}", x.name, r.hash, random_.kube_suffix(5));
    if (x.kind == "StatefulSet") return fmt::format("{}-{}", x.name, slot);
    if (x.kind == "StaticPod") return fmt::format("{}-{}", x.name, node.name);
    return fmt::format("{}-{}", x.name, random_.kube_suffix(5));
  }

  void pods(uint32_t placement) {
    const Workload& x = workload(placement);
    if (x.kind == "CronJob") return jobs(placement);
    if (x.kind == "Job" || x.kind == "Pod") return one_job(placement);
    const Micros deployed = c_.placements[placement].deployed;
    if (x.kind == "DaemonSet" || x.kind == "StaticPod") {
      std::vector<uint32_t> nodes;
      for (uint32_t n = 0; n < c_.nodes.size(); ++n) nodes.push_back(n);
      if (x.on_nodes > 0) {
        std::erase_if(nodes,
                      [&](uint32_t n) { return c_.nodes[n].created > std::max(deployed, w_.from) || c_.nodes[n].deleted != kNever; });
        random_.shuffle(nodes);
        if (nodes.size() > static_cast<size_t>(x.on_nodes)) nodes.resize(static_cast<size_t>(x.on_nodes));
      }
      for (const uint32_t n : nodes) {
        const Node& node = c_.nodes[n];
        const Micros from = std::max(node.created + random_.between(300, 2500) * 1000, node.created);
        chain(placement, static_cast<int>(n), std::max(from, deployed), node.deleted, n);
      }
      return;
    }
    if (deployed != 0) {
      for (int slot = 0; slot < c_.placements[placement].replicas; ++slot)
        chain(placement, slot, deployed + random_.between(150, 900) * 1000, kNever, std::nullopt);
      return;
    }
    for (int slot = 0; slot < c_.placements[placement].replicas; ++slot) {
      const Revision& r = c_.placements[placement].revisions[0];
      const Micros oldest = r.at, youngest = w_.from - kHour;
      chain(placement, slot,
            random_.chance(0.5) ? oldest : oldest + static_cast<Micros>(random_.real() * static_cast<double>(youngest - oldest)), kNever,
            std::nullopt);
    }
  }

  // One slot of a workload: pods after one another, a new one at each release and when its node goes.
  void chain(uint32_t placement, int slot, Micros from, Micros until, std::optional<uint32_t> fixed) {
    const Placement& place = c_.placements[placement];
    const Workload& x = workload(placement);
    Micros at = from;
    while (at < w_.to && at < until) {
      uint32_t rev = 0;
      for (uint32_t r = 0; r < place.revisions.size(); ++r)
        if (place.revisions[r].at <= at) rev = r;
      const std::optional<uint32_t> node = fixed ? fixed : node_at(std::max(at, w_.from - kDay));
      if (!node) return;
      if (!fixed) at = std::max(at, c_.nodes[*node].ready);
      Micros stop = std::min(until, fixed ? until : c_.nodes[*node].deleted - random_.between(20, 90) * kSecond);
      for (const Revision& r : place.revisions)
        if (r.at > at) {
          if (r.silent) continue;
          stop = std::min(stop, r.at + (slot * 25 + random_.between(3, 20)) * kSecond);
          break;
        }
      for (const Micros again : place.recreations)
        if (again > at) {
          stop = std::min(stop, again + (slot * 20 + random_.between(0, 12)) * kSecond);
          break;
        }
      Pod& p = add_pod(placement, rev, *node, at, pod_name(x, place.revisions[rev], slot, c_.nodes[*node]));
      if (stop < w_.to) end(p, stop);
      if (random_.chance(x.system ? 0.01 : 0.03)) {
        const Micros again = std::max(p.started, w_.from) + static_cast<Micros>(random_.real() * static_cast<double>(w_.to - w_.from));
        if (again < std::min(p.ended, w_.to)) p.restarts.push_back(again);
      }
      if (stop >= w_.to) return;
      at = std::max(p.ended - random_.between(1, 10) * kSecond, at + kSecond);
    }
  }

  void jobs(uint32_t placement) {
    const Workload& x = workload(placement);
    const Micros period = x.every_minutes * kMinute;
    // "*/N" fires at multiples of N minutes, "M * * * *" at minute M.
    Micros offset = 0;
    if (const size_t space = x.schedule.find(' '); !x.schedule.starts_with("*"))
      offset = std::atoi(x.schedule.substr(0, space).c_str()) * kMinute;
    for (Micros at = w_.from / period * period + offset - 3 * period; at < w_.to; at += period) {
      const std::optional<uint32_t> node = node_at(at + 5 * kSecond);
      if (!node) continue;
      const std::string job = fmt::format("{}-{}", x.name, at / kMinute);
      uint32_t rev = 0;
      for (uint32_t k = 0; k < c_.placements[placement].revisions.size(); ++k)
        if (c_.placements[placement].revisions[k].at <= at) rev = k;
      Pod& p = add_pod(placement, rev, *node, at + random_.between(200, 1500) * 1000, fmt::format("{}-{}", job, random_.kube_suffix(5)));
      p.job = job;
      p.job_uid = random_.uuid();
      p.ended = p.started + static_cast<Micros>(random_.real(x.runs) * kSecond);
      p.succeeded = true;
      p.removed = p.ended + (x.kept > 0 ? x.kept : 3 * period) + random_.between(1, 5) * kSecond;
    }
  }

  void one_job(uint32_t placement) {
    const Workload& x = workload(placement);
    Micros at = moment({0.3, 0.7});
    for (const Happening& h : w_.scenario->timeline)
      if (w_.scenario->concerns(h, x.actor) && (h.what == "restart" || h.what == "deploy")) at = moment(h.at);
    const std::optional<uint32_t> node = node_at(at);
    if (!node) return;
    c_.placements[placement].revisions[0].at = at;
    if (c_.placements[placement].deployed != 0) c_.placements[placement].deployed = at;
    if (!x.created_by.empty())
      c_.changes.push_back(
          {at, Change::What::kCreate, placement, 0, *node, 0, x.name, std::string(random_.fork("creator", placement).pick(kPeople))});
    if (x.kind == "Pod") {
      Pod& p = add_pod(placement, 0, *node, at, x.name);
      p.ended = p.started + static_cast<Micros>(random_.real(x.runs) * kSecond);
      p.succeeded = true;
      p.removed = p.ended + random_.between(1, 4) * kSecond;  // kubectl run --rm
      return;
    }
    Pod& p = add_pod(placement, 0, *node, at + kSecond, fmt::format("{}-{}", x.name, random_.kube_suffix(5)));
    p.job = x.name;
    p.job_uid = c_.placements[placement].uid;
    p.ended = p.started + static_cast<Micros>(random_.real(x.runs) * kSecond);
    p.succeeded = true;
    if (x.kept > 0) p.removed = p.ended + x.kept;
    if (p.ended > w_.to) p.ended = p.removed = kNever, p.succeeded = false;
  }

  // What made the autoscaler act: pods that had no place, and run on the new node.
  void surge() {
    for (const auto& [node, actors] : wanting_)
      for (uint32_t place = 0; place < c_.placements.size(); ++place)
        if (std::find(actors->begin(), actors->end(), workload(place).actor) != actors->end())
          for (int64_t k = random_.between(1, 3); k > 0; --k) place_on(node, place);
    std::vector<uint32_t> apps;
    for (uint32_t p = 0; p < c_.placements.size(); ++p)
      if (workload(p).kind == "Deployment" && !workload(p).system && workload(p).actor.empty()) apps.push_back(p);
    if (apps.empty()) return;
    for (uint32_t n = 0; n < c_.nodes.size(); ++n) {
      const Node& node = c_.nodes[n];
      if (node.created < w_.from) continue;
      for (int64_t k = random_.between(1, 4); k > 0; --k) place_on(n, random_.pick(apps));
    }
  }

  void place_on(uint32_t n, uint32_t place) {
    const Node& node = c_.nodes[n];
    const Placement& placement = c_.placements[place];
    const Micros asked = node.created - random_.between(80, 170) * kSecond;
    uint32_t rev = 0;
    for (uint32_t r = 0; r < placement.revisions.size(); ++r)
      if (placement.revisions[r].at <= asked) rev = r;
    Pod& p = add_pod(place, rev, n, asked, pod_name(workload(place), placement.revisions[rev], 0, node));
    c_.changes.push_back(
        {asked, Change::What::kScale, place, rev, n, static_cast<uint32_t>(c_.pods.size() - 1), "", "horizontal-pod-autoscaler"});
    if (node.deleted != kNever) end(p, node.deleted - random_.between(30, 200) * kSecond);
    for (const Revision& r : placement.revisions)
      if (!r.silent && r.at > asked && r.at < p.ended && p.ended == kNever) end(p, r.at + 60 * kSecond);
  }

  void happenings() {
    for (size_t i = 0; i < w_.scenario->timeline.size(); ++i) {
      const Happening& h = w_.scenario->timeline[i];
      if (!here(h.where)) continue;
      if (h.what == "webhook") {
        const Micros at = moment(h.at);
        c_.changes.push_back({at, Change::What::kWebhook, 0, 0, 0, 0, "sidecar-injector", std::string(random_.pick(kPeople))});
      }
      for (uint32_t p = 0; p < c_.placements.size(); ++p) {
        if (workload(p).actor.empty() || !w_.scenario->concerns(h, workload(p).actor)) continue;
        if (h.what == "config-change") {
          const Micros at = moment(h.at);
          const auto& maps = workload(p).config_maps;
          c_.changes.push_back({at, Change::What::kConfigMap, p, 0, 0, 0, maps.empty() ? workload(p).name + "-config" : maps[0],
                                std::string(random_.pick(kPeople))});
          if (c_.affected) w_.config_change = at;
        } else if (h.what == "break-in") {
          break_in(p, moment(h.at));
        } else if (h.what == "restart" && workload(p).kind != "Job") {
          for (int64_t k = random_.whole(h.count); k > 0; --k) restart(p, moment(h.at));
        }
      }
    }
  }

  // Of the pods that run then, the one that goes on longest is the stranger's.
  void break_in(uint32_t placement, Micros at) {
    Placement& p = c_.placements[placement];
    for (uint32_t i = 0; i < c_.pods.size(); ++i) {
      if (c_.pods[i].placement != placement || c_.pods[i].started > at || c_.pods[i].ended <= at) continue;
      if (p.broken_pod != UINT32_MAX && c_.pods[i].ended <= c_.pods[p.broken_pod].ended) continue;
      p.broken_pod = i;
      p.broken_in = at;
    }
  }

  void restart(uint32_t placement, Micros at) {
    std::vector<uint32_t> live;
    for (uint32_t i = 0; i < c_.pods.size(); ++i)
      if (c_.pods[i].placement == placement && c_.pods[i].started < at && c_.pods[i].ended > at) live.push_back(i);
    if (live.empty()) return;
    const uint32_t i = random_.pick(live);
    c_.pods[i].restarts.push_back(at);
    std::sort(c_.pods[i].restarts.begin(), c_.pods[i].restarts.end());
    c_.changes.push_back({at, Change::What::kRestart, placement, 0, c_.pods[i].node, i, "", ""});
  }

  World& w_;
  Cluster& c_;
  Random random_;
  int next_instance_ = 0;
  std::vector<Ip> used_;
  std::vector<std::pair<uint32_t, const std::vector<std::string>*>> wanting_;  // nodes, and whose pods they came for
};

}  // namespace

void live(World& w, const Random& random) {
  for (Cluster& c : w.clusters) Life(w, c, random).run();
}

}  // namespace egret::drill
