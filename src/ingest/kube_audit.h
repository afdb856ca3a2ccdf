#pragma once
// One Kubernetes audit event becomes a row of AKSAudit (or AKSAuditAdmin) and, where it changed an object, a row of
// EgretKubeObjects. The event arrives in many wrappings (lines, EventList, diagnostic blobs, Event Hub envelopes,
// AzureDiagnostics.log_s, exported rows of AKSAudit); whoever unwraps it calls this.
//
//   AuditDecoder audit(sink);
//   for each event: audit.decode(element, {.cluster = "payments-ca", .admin = true});
//   audit.finish();   // once per file: events that have no ResponseComplete, coverage
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "ingest/decoder.h"
#include "model/batch.h"

namespace simdjson::dom {
class element;
}

namespace egret::ingest {

struct AuditContext {
  std::string_view cluster = {};      // may be empty
  bool admin = false;                 // from kube-audit-admin: no get, list, watch
  std::string_view resource_id = {};  // ARM id of the cluster, may be empty
  std::string_view pod_name = {};     // of the API server, where the envelope says
  std::optional<Ticks> clock = {};    // the envelope's time, used when the event has none
};

class AuditDecoder {
 public:
  explicit AuditDecoder(Sink& sink);
  ~AuditDecoder();
  AuditDecoder(const AuditDecoder&) = delete;
  AuditDecoder& operator=(const AuditDecoder&) = delete;

  // Is this JSON object an audit event (audit.k8s.io, any version; also partial ones)?
  static bool looks_like_event(const simdjson::dom::element& event);
  // Adds the audit row and the object's row. Returns why not, when the event cannot become a row (no time, not an object);
  // empty when it did. The element need not outlive the call.
  std::string decode(const simdjson::dom::element& event, const AuditContext& context);
  // The same from the event's text. Invalid JSON is a reason as well.
  std::string decode_text(std::string_view json, const AuditContext& context);
  // Only the object's row, from an exported row of AKSAudit or AKSAuditAdmin that the caller has added already.
  void decode_row(const model::Batch& audit_rows, size_t row, const AuditContext& context);
  // Ends the file: objects of events that never completed in it, and coverage. May be called more than once.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace egret::ingest
