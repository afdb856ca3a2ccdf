// What `kubectl get -o json|yaml` and the Kubernetes API return: lists, single objects, several YAML documents, watch streams,
// also behind HTTP headers. Events become KubeEvents, everything else EgretKubeObjects with Verb "observed".
#include <map>
#include <set>
#include <span>

#include "base/json.h"
#include "base/text.h"
#include "ingest/decoder.h"
#include "ingest/json_dom.h"
#include "ingest/kube_rows.h"
#include "ingest/release_rows.h"
#include "ingest/resource_id.h"
#include "ingest/times.h"
#include "ingest/yaml_json.h"

namespace egret::ingest {
namespace {

using js::Element;

// Where the JSON or YAML begins: behind comments, HTTP headers and a chunk length.
struct Body {
  std::string_view text;
  std::optional<Ticks> exported;  // "# exported at TIME", or the Date header
  size_t line = 1;
};

Body body_of(std::string_view bytes) {
  Body b{bytes, {}, 1};
  const auto next_line = [&] {
    const size_t end = b.text.find('\n');
    std::string_view line = b.text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    b.text = end == std::string_view::npos ? std::string_view{} : b.text.substr(end + 1);
    ++b.line;
    return line;
  };
  const bool http = bytes.starts_with("HTTP/");
  while (!b.text.empty()) {
    const std::string_view line = trim(b.text.substr(0, b.text.find('\n')));
    if (http ? line.starts_with('{') || line.starts_with('[') : !line.empty() && !line.starts_with('#')) break;
    const std::string lower = to_lower(line.substr(0, 80));
    if (const size_t at = lower.find("exported at "); at != std::string::npos) b.exported = parse_time(trim(line.substr(at + 12)));
    if (http && lower.starts_with("date:")) b.exported = parse_time(trim(line.substr(5)));
    next_line();
  }
  return b;
}

bool quoted_member(std::string_view head, std::string_view key, std::initializer_list<std::string_view> values) {
  const std::string needle = "\"" + std::string(key) + "\"";
  for (size_t at = head.find(needle); at != std::string_view::npos; at = head.find(needle, at + 1)) {
    std::string_view rest = head.substr(at + needle.size());
    const size_t from = rest.find_first_not_of(" \t\r\n:");
    if (from == std::string_view::npos || rest[from] != '"') continue;
    rest = rest.substr(from + 1);
    const std::string_view value = rest.substr(0, rest.find('"'));
    for (const std::string_view v : values)
      if (value == v) return true;
  }
  return false;
}

int recognise(std::string_view head, std::string_view) {
  const Body b = body_of(head);
  const std::string_view s = trim(b.text);
  if (s.empty()) return 0;
  if (s.find("audit.k8s.io") != std::string_view::npos || s.find("\"auditID\"") != std::string_view::npos) return 0;
  if (s[0] == '{' || s[0] == '[') {
    if (s.find("=>") != std::string_view::npos && s.find("\"kind\"=>") != std::string_view::npos)
      return 90;  // a Ruby hash: refused with a reason
    const bool list = s.find("List\"") != std::string_view::npos && s.find("\"items\"") != std::string_view::npos &&
                      s.find("\"apiVersion\"") != std::string_view::npos;
    if (list && quoted_member(s, "apiVersion", {"v1", "apps/v1", "batch/v1", "events.k8s.io/v1", "batch/v1beta1", "networking.k8s.io/v1"}))
      return 92;
    if (list) return 70;
    if ((s.find("\"type\":\"ADDED\"") != std::string_view::npos || s.find("\"type\":\"MODIFIED\"") != std::string_view::npos ||
         s.find("\"type\":\"DELETED\"") != std::string_view::npos ||
         quoted_member(s.substr(0, 200), "type", {"ADDED", "MODIFIED", "DELETED", "BOOKMARK"})) &&
        s.find("\"object\"") != std::string_view::npos)
      return 92;
    const bool meta = s.find("\"metadata\"") != std::string_view::npos;
    const bool dated = s.find("\"creationTimestamp\"") != std::string_view::npos;
    if (meta && dated && s.find("\"apiVersion\"") != std::string_view::npos && s.find("\"kind\"") != std::string_view::npos) return 85;
    if (meta && dated && s.find("\"uid\"") != std::string_view::npos) return 75;
    if (s.find("\"items\"") < 40 && s.find("\"lastTimestamp\"") != std::string_view::npos && s.find("\"reason\"") != std::string_view::npos)
      return 75;
    return 0;
  }
  const auto line_starts = [&](std::string_view what) {
    return s.starts_with(what) || s.find("\n" + std::string(what)) != std::string_view::npos;
  };
  if (line_starts("apiVersion:") && line_starts("kind:") && (line_starts("items:") || line_starts("metadata:"))) return 88;
  return 0;
}

class Objects {
 public:
  Objects(const Source& source, Sink& sink, Ticks time) : source_(source), sink_(sink), rows_(sink), time_(time) {}

  void document(const Element& e, uint64_t line) {
    if (js::is_array(e)) {
      js::each(e, [&](const Element& x) { document(x, line); });
      return;
    }
    const std::string_view kind = js::text(e, "kind");
    const std::string_view type = js::text(e, "type");
    if (const auto object = js::get(e, "object");
        js::is_object(object) && (type == "ADDED" || type == "MODIFIED" || type == "DELETED" || type == "BOOKMARK" || type == "ERROR")) {
      if (type == "ERROR")
        return sink_.error(line, "the watch ended with an error: " + std::string(js::text(*object, "message")), js::minified(*object));
      if (type != "BOOKMARK") one(*object, {}, line, type == "DELETED" ? "delete" : "observed");
      return;
    }
    const auto items = js::get(e, "items");
    if (js::is_array(items) && (kind.empty() || kind.ends_with("List"))) {
      std::string_view of = kind;
      if (of.ends_with("List")) of.remove_suffix(4);
      js::each(items, [&](const Element& x) { one(x, of, line, "observed"); });
      if (of == "Event" || of == "Pod" || of == "Node") kinds_.insert(std::string(of));
      return;
    }
    if (kind == "Status") return sink_.error(line, "the API server refused: " + std::string(js::text(e, "message")), js::minified(e));
    one(e, {}, line, "observed");
  }

  void finish() {
    // A list tells what there was at its time; only one of all namespaces speaks for the cluster.
    const auto state = [&](const char* kind, const char* source) {
      if (kinds_.contains(kind))
        sink_.covered({.cluster = source_.cluster, .name = {}, .source = source, .table = "EgretKubeObjects", .from = time_, .to = time_});
    };
    if (pod_namespaces_.size() > 1) state("Pod", "pods");
    state("Node", "nodes");
    if (first_event_ && event_namespaces_.size() > 1)
      sink_.covered({.cluster = source_.cluster,
                     .name = {},
                     .source = "kube-events",
                     .table = "KubeEvents",
                     .from = first_event_,
                     .to = std::max(last_event_, time_)});
    if (region_.empty() && node_group_.empty() && subscription_.empty()) return;
    model::Batch& b = sink_.rows("EgretClusters");
    b.add_row();
    b.set_datetime(b.column("TimeGenerated"), time_);
    b.set_string(b.column("Cluster"), source_.cluster.empty() ? cluster_ : source_.cluster);
    b.set_string(b.column("Region"), region_);
    b.set_string(b.column("NodeResourceGroup"), node_group_);
    b.set_string(b.column("Subscription"), subscription_);
    b.set_string(b.column("Source"), "labels of nodes");
  }

 private:
  void one(const Element& e, std::string_view list_kind, uint64_t line, std::string_view verb) {
    if (!e.is_object()) return sink_.error(line, "an item of the list is not an object", js::minified(e));
    std::string_view kind = js::text(e, "kind");
    if (kind.empty()) kind = list_kind;
    if (kind.empty()) kind = guess_kind(e);
    if (kind == "Event") {
      Ticks when = 0;
      if (!rows_.event(source_.cluster, e, &when)) return sink_.error(line, "an event without any time", js::minified(e));
      first_event_ = first_event_ ? std::min(first_event_, when) : when;
      last_event_ = std::max(last_event_, when);
      event_namespaces_.insert(std::string(js::text(e, {"metadata", "namespace"})));
      kinds_.insert("Event");
      return;
    }
    if (kind.empty() || js::text(e, {"metadata", "name"}).empty())
      return sink_.error(line, kind.empty() ? "an object that does not say its kind" : "an object without metadata.name", js::minified(e));
    // Node labels can name the cluster where the folder does not: AKS writes its node group on each.
    if (kind == "Node") node(e);
    rows_.object({.time = time_,
                  .verb = verb,
                  .cluster = source_.cluster.empty() ? std::string_view(cluster_) : std::string_view(source_.cluster),
                  .kind = kind,
                  .source = "kubectl"},
                 &e);
    releases_of_object(sink_, source_.cluster, kind, e);
    if (kind == "Pod") pod_namespaces_.insert(std::string(js::text(e, {"metadata", "namespace"})));
  }

  void node(const Element& e) {
    const auto labels = js::get(e, {"metadata", "labels"});
    if (labels) {
      for (const std::string_view key : {"topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"})
        if (region_.empty()) region_ = to_lower(js::text(*labels, key));
      if (node_group_.empty()) node_group_ = js::text(*labels, "kubernetes.azure.com/cluster");
    }
    const std::string_view provider = js::text(e, {"spec", "providerID"});
    if (node_group_.empty()) node_group_ = segment_after(provider, "resourcegroups");
    if (subscription_.empty()) subscription_ = to_lower(segment_after(provider, "subscriptions"));
    if (cluster_.empty() && to_lower(node_group_).starts_with("mc_"))
      cluster_ = cluster_of_id(provider.empty() ? "/resourcegroups/" + node_group_ + "/" : std::string(provider), source_);
  }

  const Source& source_;
  Sink& sink_;
  KubeRows rows_;
  Ticks time_;
  std::set<std::string> kinds_, pod_namespaces_, event_namespaces_;
  Ticks first_event_ = 0, last_event_ = 0;
  std::string region_, node_group_, subscription_, cluster_;
};

void decode(const Source& source, Sink& sink) {
  const Body body = body_of(source.bytes);
  const std::string_view text = trim(body.text);
  Objects objects(source, sink, body.exported.value_or(source.read_at));
  if (text.starts_with('{') || text.starts_with('[')) {
    if (text.find("\"kind\"=>") != std::string_view::npos) {
      sink.error(body.line, "a Ruby hash (\"key\"=>value), not JSON", text, "export it again with `kubectl get … -o json`");
      return;
    }
    simdjson::dom::parser parser;
    Element e;
    if (parser.parse(text.data(), text.size()).get(e) == simdjson::SUCCESS) {
      objects.document(e, body.line);
      objects.finish();
      return;
    }
    // Several documents one after another: a watch stream, JSON lines, chunks of an HTTP answer.
    uint64_t line = body.line - 1;
    bool any = false;
    std::string_view first_bad;
    uint64_t bad_line = 0, bad = 0;
    for (std::string_view rest = text; !rest.empty();) {
      const size_t end = rest.find('\n');
      const std::string_view one = trim(rest.substr(0, end));
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
      ++line;
      if (one.empty() || (one.size() < 9 && one.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos)) continue;
      if (parser.parse(one.data(), one.size()).get(e) == simdjson::SUCCESS && (e.is_object() || e.is_array())) {
        any = true;
        objects.document(e, line);
      } else if (any) {
        sink.error(line, "not valid JSON", one);
      } else if (!bad++) {
        first_bad = one;
        bad_line = line;
      }
    }
    if (!any)
      sink.error(body.line, "not valid JSON: the file may be cut off", text, "export it again with `kubectl get … -o json`");
    else if (bad)
      sink.error(bad_line, "not valid JSON", first_bad);
    objects.finish();
    return;
  }
  const YamlDocuments documents = yaml_to_json(body.text);
  simdjson::dom::parser parser;
  for (const YamlDocument& d : documents.documents) {
    Element e;
    if (parser.parse(d.json).get(e) == simdjson::SUCCESS && (e.is_object() || e.is_array()))
      objects.document(e, body.line - 1 + d.line);
    else
      sink.error(body.line - 1 + d.line, "a YAML document that is no object", d.json);
  }
  if (!documents.error.empty()) sink.error(body.line - 1 + documents.error_line, "YAML: " + documents.error, body.text);
  objects.finish();
}

}  // namespace

extern const Decoder kKubeObjects;
const Decoder kKubeObjects{"kube-objects", "kubectl get -o json|yaml: objects, lists, watch streams, events",
                           "EgretKubeObjects,KubeEvents,EgretClusters", recognise, decode};

}  // namespace egret::ingest
