// Reading pods and container bundles. One file for the JSON reader's sake.
#include "base/json_dom.h"
#include "sensor/pods.h"

namespace egret::sensor {

namespace {

using js::Element;

// "containerd://ID" and "docker-pullable://repo@sha256:…" without what comes before.
std::string after(std::string_view text, std::string_view mark) {
  const size_t at = text.find(mark);
  return std::string(at == std::string_view::npos ? text : text.substr(at + mark.size()));
}

bool all_digits(std::string_view s) { return !s.empty() && s.find_first_not_of("0123456789") == std::string_view::npos; }

// The topmost owner as far as a pod itself tells it: a ReplicaSet's name is its Deployment's and the template's hash; a Job's that ends in
// the minutes since 1970 is a CronJob's.
std::string workload_of(const Element& meta, const std::string& ns, const std::string& pod) {
  std::string kind, name;
  js::each(js::get(meta, "ownerReferences"), [&](const Element& o) {
    if (kind.empty() || js::boolean(js::get(o, "controller"))) kind = js::text(o, "kind"), name = js::text(o, "name");
  });
  if (kind == "ReplicaSet") {
    const std::string hash(js::text(meta, {"labels", "pod-template-hash"}));
    if (!hash.empty() && name.ends_with("-" + hash)) kind = "Deployment", name.resize(name.size() - hash.size() - 1);
  } else if (kind == "Job") {
    const size_t dash = name.rfind('-');
    if (dash != std::string::npos && name.size() - dash - 1 >= 8 && all_digits(std::string_view(name).substr(dash + 1)))
      kind = "CronJob", name.resize(dash);
  } else if (kind == "Node") {
    kind = "StaticPod", name = pod;
  } else if (kind.empty()) {
    kind = "Pod", name = pod;
  }
  return ns + "/" + kind + "/" + name;
}

bool take(const Element& e, std::vector<PodFound>& out) {
  const auto meta = js::get(e, "metadata");
  if (!meta || !js::is_object(js::get(e, "spec"))) return false;
  PodFound f;
  Pod& p = f.pod;
  p.uid = js::text(*meta, "uid"), p.ns = js::text(*meta, "namespace"), p.name = js::text(*meta, "name");
  if (p.uid.empty() || p.name.empty()) return false;
  if (p.ns.empty()) p.ns = "default";
  p.workload = workload_of(*meta, p.ns, p.name);
  p.node = js::text(e, {"spec", "nodeName"});
  if (const auto labels = js::get(*meta, "labels")) p.labels = js::minified(*labels);
  p.host_network = js::boolean(js::get(e, {"spec", "hostNetwork"})) ? 1 : 0;
  for (const std::string_view key : {"kubernetes.io/config.mirror", "kubernetes.io/config.hash"})
    if (f.mirror_uid.empty()) f.mirror_uid = js::text(*meta, {"annotations", key});
  for (const std::string_view list : {"containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"}) {
    js::each(js::get(e, {"status", list}), [&](const Element& s) {
      Container c;
      c.id = after(js::text(s, "containerID"), "://");
      c.name = js::text(s, "name"), c.image = js::text(s, "image"), c.pod_uid = p.uid;
      const std::string image_id(js::text(s, "imageID"));
      if (const size_t at = image_id.find("sha256:"); at != std::string::npos) c.digest = image_id.substr(at);
      if (!c.id.empty()) f.containers.push_back(std::move(c));
    });
  }
  out.push_back(std::move(f));
  return true;
}

}  // namespace

bool parse_pods(std::string_view json, std::vector<PodFound>& out) {
  simdjson::dom::parser parser;
  simdjson::dom::document_stream documents;
  const simdjson::padded_string padded(json);
  if (parser.parse_many(padded, json.size() + 64).get(documents) != simdjson::SUCCESS) return false;
  bool any = false;
  for (auto document : documents) {
    Element e;
    if (document.get(e) != simdjson::SUCCESS) return false;
    if (e.is_array()) {
      js::each(e, [&](const Element& x) { take(x, out); });
      any = true;
    } else if (const auto items = js::get(e, "items")) {
      js::each(items, [&](const Element& x) { take(x, out); });
      any = true;
    } else {
      any |= take(e, out);
    }
  }
  return any;
}

bool parse_bundle(std::string_view json, const std::string& id, Container& container, Pod& pod) {
  simdjson::dom::parser parser;
  Element e;
  if (parser.parse(json.data(), json.size()).get(e) != simdjson::SUCCESS) return false;
  const auto notes = js::get(e, "annotations");
  if (!notes) return false;
  const auto note = [&](std::string_view containerd, std::string_view crio) {
    std::string_view value = js::text(*notes, containerd);
    return std::string(value.empty() ? js::text(*notes, crio) : value);
  };
  pod.ns = note("io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace");
  pod.name = note("io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name");
  pod.uid = note("io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid");
  container.id = id;
  container.pod_uid = pod.uid;
  container.name = note("io.kubernetes.cri.container-name", "io.kubernetes.container.name");
  container.image = note("io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName");
  if (note("io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType") == "sandbox") container.name = "POD";
  if (const size_t at = container.image.find("@sha256:"); at != std::string::npos) container.digest = container.image.substr(at + 1);
  return !pod.uid.empty() || !pod.name.empty();
}

}  // namespace egret::sensor
