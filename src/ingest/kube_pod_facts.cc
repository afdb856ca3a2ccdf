// What a pod specification says: containers, images, what it mounts, what it runs.
#include <algorithm>
#include <set>
#include <tuple>
#include <vector>

#include "base/hash.h"
#include "base/json.h"
#include "ingest/json_dom.h"
#include "ingest/kube_rows.h"

namespace egret::ingest {
namespace {

using js::Element;

struct Mount {
  std::string kind, name, via;
  auto operator<=>(const Mount&) const = default;
};

class Facts {
 public:
  void containers(const Element& spec, std::string_view member, bool init, const Element* status) {
    js::each(js::get(spec, member), [&](const Element& c) { container(c, init, status); });
  }

  void volumes(const Element& spec) {
    js::each(js::get(spec, "volumes"), [&](const Element& v) {
      mount("Secret", js::text(v, {"secret", "secretName"}), "volume");
      mount("ConfigMap", js::text(v, {"configMap", "name"}), "volume");
      if (const auto csi = js::get(v, "csi")) {
        const std::string_view provider = js::text(*csi, {"volumeAttributes", "secretProviderClass"});
        mount("CSI", provider.empty() ? js::text(*csi, "driver") : provider, "volume");
        mount("Secret", js::text(*csi, {"nodePublishSecretRef", "name"}), "volume");
      }
      js::each(js::get(v, {"projected", "sources"}), [&](const Element& s) {
        mount("Secret", js::text(s, {"secret", "name"}), "projected");
        mount("ConfigMap", js::text(s, {"configMap", "name"}), "projected");
      });
    });
  }

  PodFacts take() && {
    PodFacts f;
    w_.end_array();
    f.containers = any_ ? std::move(w_).take() : "";
    JsonWriter images;
    images.begin_array();
    for (const std::string& i : images_) images.string(i);
    images.end_array();
    f.images = any_ ? std::move(images).take() : "";
    JsonWriter mounts;
    mounts.begin_array();
    for (const Mount& m : mounts_) {
      mounts.begin_object().key("kind").string(m.kind).key("name").string(m.name).key("via").string(m.via).end_object();
    }
    mounts.end_array();
    f.mounts = std::move(mounts).take();
    f.arguments = std::move(arguments_);
    return f;
  }

  Facts() { w_.begin_array(); }
  bool any() const { return any_; }

 private:
  void mount(std::string_view kind, std::string_view name, std::string_view via) {
    if (!name.empty()) mounts_.insert({std::string(kind), std::string(name), std::string(via)});
  }

  static std::optional<Element> status_of(const Element* status, std::string_view name) {
    if (!status) return {};
    for (const std::string_view list : {"containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"}) {
      std::optional<Element> found;
      js::each(js::get(*status, list), [&](const Element& s) {
        if (js::text(s, "name") == name) found = s;
      });
      if (found) return found;
    }
    return {};
  }

  void container(const Element& c, bool init, const Element* status) {
    any_ = true;
    const std::string_view name = js::text(c, "name");
    const auto s = status_of(status, name);
    std::string_view image = js::text(c, "image");
    if (image.empty() && s) image = js::text(*s, "image");
    w_.begin_object().key("name").string(name).key("image").string(image);
    if (s) {
      if (const auto id = js::text(*s, "imageID"); !id.empty()) w_.key("imageID").string(id);
      std::string_view started = js::text(*s, {"state", "running", "startedAt"});
      if (started.empty()) started = js::text(*s, {"state", "terminated", "startedAt"});
      if (!started.empty()) w_.key("started").string(started);
      // The run before the last restart: a start that only this field still tells.
      if (const auto before = js::text(*s, {"lastState", "terminated", "startedAt"}); !before.empty())
        w_.key("startedBefore").string(before);
      if (const auto n = js::integer(*s, "restartCount")) w_.key("restarts").number(*n);
    }
    w_.key("init").boolean(init).end_object();
    if (!image.empty()) images_.insert(std::string(image));
    arguments(c, name);
    js::each(js::get(c, "env"), [&](const Element& e) {
      mount("Secret", js::text(e, {"valueFrom", "secretKeyRef", "name"}), "env");
      mount("ConfigMap", js::text(e, {"valueFrom", "configMapKeyRef", "name"}), "env");
    });
    js::each(js::get(c, "envFrom"), [&](const Element& e) {
      mount("Secret", js::text(e, {"secretRef", "name"}), "envFrom");
      mount("ConfigMap", js::text(e, {"configMapRef", "name"}), "envFrom");
    });
  }

  void arguments(const Element& c, std::string_view name) {
    std::string line;
    const auto words = [&](std::optional<Element> list) {
      js::each(list, [&](const Element& word) {
        line += ' ';
        line += js::text(word);
      });
    };
    words(js::get(c, "command"));
    words(js::get(c, "args"));
    words(js::get(c, {"lifecycle", "postStart", "exec", "command"}));
    words(js::get(c, {"livenessProbe", "exec", "command"}));
    js::each(js::get(c, "env"), [&](const Element& e) {
      const std::string_view value = js::text(e, "value");
      if (value.empty()) return;
      line += ' ';
      line += js::text(e, "name");
      line += '=';
      line += value;
    });
    if (line.empty()) return;
    if (!arguments_.empty()) arguments_ += '\n';
    arguments_ += name;
    arguments_ += ':';
    arguments_ += line;
  }

  JsonWriter w_;
  bool any_ = false;
  std::set<std::string> images_;
  std::set<Mount> mounts_;
  std::string arguments_;
};

void canonical(std::string& out, const Element& e) {
  if (simdjson::dom::object o; e.get(o) == simdjson::SUCCESS) {
    std::vector<std::pair<std::string_view, Element>> members;
    for (const auto& [k, v] : o) members.emplace_back(k, v);
    std::ranges::sort(members, {}, [](const auto& m) { return m.first; });
    out += '{';
    for (size_t i = 0; i < members.size(); ++i) {
      if (i) out += ',';
      append_json_string(out, members[i].first);
      out += ':';
      canonical(out, members[i].second);
    }
    out += '}';
  } else if (simdjson::dom::array a; e.get(a) == simdjson::SUCCESS) {
    out += '[';
    bool first = true;
    for (const Element x : a) {
      if (!first) out += ',';
      first = false;
      canonical(out, x);
    }
    out += ']';
  } else if (std::string_view s; e.get(s) == simdjson::SUCCESS) {
    append_json_string(out, s);
  } else {
    out += js::minified(e);
  }
}

// Copies JSON, replacing every text below `secret` by its hash.
void redacted(std::string& out, const Element& e, bool is_secret, std::string_view key, bool hash) {
  if (simdjson::dom::object o; e.get(o) == simdjson::SUCCESS) {
    out += '{';
    bool first = true;
    for (const auto& [k, v] : o) {
      // kubectl keeps a copy of the whole Secret in this annotation.
      if (is_secret && k == "kubectl.kubernetes.io/last-applied-configuration") continue;
      if (!first) out += ',';
      first = false;
      append_json_string(out, k);
      out += ':';
      // "value" is that of a JSON patch.
      const bool below = hash || (is_secret && (k == "data" || k == "stringData" || k == "value")) || (key == "status" && k == "token");
      redacted(out, v, is_secret, k, below);
    }
    out += '}';
  } else if (simdjson::dom::array a; e.get(a) == simdjson::SUCCESS) {
    out += '[';
    bool first = true;
    for (const Element x : a) {
      if (!first) out += ',';
      first = false;
      redacted(out, x, is_secret, "", hash);
    }
    out += ']';
  } else if (std::string_view s; e.get(s) == simdjson::SUCCESS) {
    if (hash)
      append_json_string(out, "sha256:" + sha256_hex(s));
    else
      append_json_string(out, s);
  } else {
    out += js::minified(e);
  }
}

}  // namespace

PodFacts pod_facts(const Element* spec, const Element* status) {
  Facts f;
  if (spec) {
    f.containers(*spec, "initContainers", true, status);
    f.containers(*spec, "containers", false, status);
    f.containers(*spec, "ephemeralContainers", false, status);
    f.volumes(*spec);
  }
  // A patch of the status alone still names the containers and their images.
  if (status && !f.any()) {
    f.containers(*status, "initContainerStatuses", true, status);
    f.containers(*status, "containerStatuses", false, status);
  }
  PodFacts facts = std::move(f).take();
  if (spec) {
    facts.service_account = js::text(*spec, "serviceAccountName");
    if (facts.service_account.empty()) facts.service_account = js::text(*spec, "serviceAccount");
  }
  return facts;
}

std::string canonical_json(const Element& value) {
  std::string out;
  canonical(out, value);
  return out;
}

std::string json_without_secrets(const Element& object, bool is_secret) {
  std::string out;
  redacted(out, object, is_secret, "", false);
  return out;
}

}  // namespace egret::ingest
