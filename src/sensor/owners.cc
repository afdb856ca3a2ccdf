#include "sensor/owners.h"

#include "sensor/cgroup_path.h"

namespace egret::sensor {

namespace {

bool below(std::string_view path, std::string_view root) {
  return root.empty() || root == "/" || (path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/'));
}

}  // namespace

std::string_view kind_name(const Identity& i) {
  switch (i.kind) {
    case Identity::Kind::kPod: return i.host_network ? "HostNetworkPod" : "Pod";
    case Identity::Kind::kHostProcess: return "HostProcess";
    case Identity::Kind::kUnknown: return "unknown";
  }
  return "unknown";
}

const Identity& Owners::of(const Owner& owner) {
  if (owner.pid == 0 && owner.cgroup == 0 && owner.cgroup_v1 == 0) {
    static const Identity kNobody = [] {
      Identity i;
      i.reason = "no process that may be looked at holds the socket";
      i.complete = true;
      return i;
    }();
    return kNobody;
  }
  // A runtime may have put the container into one hierarchy only; the one whose path names a pod says more.
  if (owner.cgroup_v1 != 0) {
    const CgroupKey v1{owner.hierarchy_v1, owner.cgroup_v1};
    const std::string* path = cgroups_.path(v1);
    const std::string* unified = owner.cgroup ? cgroups_.path({0, owner.cgroup}) : nullptr;
    const bool pod_in_v1 = path && place_of(*path).is_pod();
    if (pod_in_v1 || !unified || (*unified == "/" && path && *path != "/")) return of_cgroup(v1, owner.netns);
  }
  return of_cgroup({0, owner.cgroup}, owner.netns);
}

const Identity& Owners::of_cgroup(CgroupKey key, uint32_t netns) {
  Entry& e = known_[key];
  if (e.generation == 0 || (!e.identity.complete && e.generation != generation_)) {
    const std::string* path = key.id ? cgroups_.path(key) : nullptr;
    Identity fresh;
    resolve(fresh, path, netns);
    // With a hierarchy of its own the path cannot be held against the root of the unified one; the programs' place decides there.
    if (key.hierarchy == 0 && path) fresh.ours = below(*path, root_);
    e.identity = std::move(fresh);
    e.generation = generation_;
  }
  if (netns && host_netns_ && e.identity.kind == Identity::Kind::kPod && netns == host_netns_) e.identity.host_network = true;
  return e.identity;
}

void Owners::resolve(Identity& i, const std::string* path, uint32_t netns) {
  if (!path) {
    i.reason = "its cgroup was gone before it could be named";
    return;
  }
  const Place place = place_of(*path);
  if (!place.is_pod()) {
    i.kind = Identity::Kind::kHostProcess;
    i.unit = place.unit;
    i.complete = true;
    return;
  }
  i.kind = Identity::Kind::kPod;
  i.pod_uid = place.pod_uid;
  i.container_id = place.container;
  if (const Container* c = pods_.container(place.container)) {
    i.container = c->name, i.image = c->image, i.digest = c->digest;
  }
  const Pod* p = pods_.pod(place.pod_uid);
  if (!p) {
    i.reason = "no source names the pod with UID " + place.pod_uid + " yet";
    return;
  }
  i.ns = p->ns, i.pod = p->name, i.workload = p->workload, i.labels = p->labels;
  i.host_network = p->host_network == 1 || (p->host_network < 0 && netns && netns == host_netns_);
  if (p->workload.empty())
    i.reason = "no source says who owns the pod";
  else
    i.complete = place.container.empty() || !i.container.empty();
}

}  // namespace egret::sensor
