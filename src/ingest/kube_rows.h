#pragma once
// Kubernetes objects as rows of EgretKubeObjects, and their events as rows of KubeEvents. Exports and audit events share it.
#include <string>
#include <string_view>

#include "base/time.h"
#include "ingest/decoder.h"

namespace simdjson::dom {
class element;
}

namespace egret::ingest {

// What the observer knows besides the object. Empty fields are taken from the object.
struct ObjectSighting {
  Ticks time = 0;
  std::string_view verb = {};  // observed, create, update, patch, delete
  std::string_view cluster = {};
  std::string_view kind = {};
  std::string_view name_space = {};
  std::string_view name = {};
  std::string_view uid = {};
  std::string_view user = {};
  std::string_view user_agent = {};
  std::string_view source = {};  // kubectl, kube-audit, kube-audit-admin
  // The object shows only what changed (a merge patch): what it lacks is unknown rather than absent.
  bool partial = false;
};

class KubeRows {
 public:
  explicit KubeRows(Sink& sink);

  // One row. `object` may be null (an audit event at level Metadata).
  void object(const ObjectSighting& seen, const simdjson::dom::element* object);
  // Only the node that a pod was bound to.
  void binding(const ObjectSighting& seen, std::string_view node);
  // Only the number of replicas, from a Scale.
  void scale(const ObjectSighting& seen, int64_t replicas);
  // A core/v1 or events.k8s.io Event. False when it has no time at all. `when` receives the event's last time.
  bool event(std::string_view cluster, const simdjson::dom::element& event, Ticks* when = nullptr);

 private:
  void begin(model::Batch& b, const ObjectSighting& seen);
  Sink& sink_;
  // Column numbers never change; they are looked up at the first row.
  struct ObjectColumns {
    int time = -1, verb, cluster, kind, name_space, name, uid, owner_kind, owner_name, owner_uid, created, deleted, labels, annotations,
        node, host_network, ip, external_ip, host_ip, phase, started, containers, images, service_account, mounts, arguments, replicas,
        revision, template_hash, data, status, user, user_agent, source;
  } c_{};
  struct EventColumns {
    int time = -1, cluster, cluster_name, computer, count, first, last, type, message, name, name_space, kind, reason, component;
  } e_{};
};

// The kind of an object that does not say its own (members of a PodList, files of some collectors); '' when it cannot be told.
std::string_view guess_kind(const simdjson::dom::element& object);

// What a pod's specification says, for pods and for the templates of workloads.
struct PodFacts {
  std::string containers, images, mounts, arguments;  // JSON, JSON, JSON, text
  std::string_view service_account;
};
// `spec` is a PodSpec, `status` a PodStatus; either may be null.
PodFacts pod_facts(const simdjson::dom::element* spec, const simdjson::dom::element* status);

// The object as JSON text, with the values of Secrets (and issued tokens) replaced by "sha256:…".
std::string json_without_secrets(const simdjson::dom::element& object, bool is_secret);
// JSON with sorted keys: equal for equal content, whatever the order it was written in.
std::string canonical_json(const simdjson::dom::element& value);

}  // namespace egret::ingest
