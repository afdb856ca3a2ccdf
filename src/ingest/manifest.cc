#include "ingest/manifest.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "base/ip.h"
#include "base/text.h"
#include "ingest/decoders.h"
#include "model/catalogue.h"

namespace egret::ingest {
namespace {

// A mistake in evidence.yaml; caught in parse_manifest and nowhere else.
struct Mistake {
  int line;
  std::string message, hint;
};

[[noreturn]] void wrong(const YAML::Node& at, std::string message, std::string hint = {}) {
  throw Mistake{at.Mark().line + 1, std::move(message), std::move(hint)};
}

void only_keys(const YAML::Node& map, std::string_view what, const std::vector<std::string>& known) {
  if (!map.IsMap()) wrong(map, fmt::format("{} must be a mapping", what));
  for (const auto& entry : map) {
    const std::string key = entry.first.as<std::string>();
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string near = near_name(key, known);
    wrong(entry.first, fmt::format("{} has no '{}'", what, key),
          near.empty() ? "known: " + join(known, ", ") : fmt::format("did you mean '{}'?", near));
  }
}

std::string text_of(const YAML::Node& map, const char* key) {
  const YAML::Node n = map[key];
  if (!n) return {};
  if (!n.IsScalar()) wrong(n, fmt::format("'{}' must be one value", key));
  return n.as<std::string>();
}

std::vector<std::string> list_of(const YAML::Node& map, const char* key) {
  const YAML::Node n = map[key];
  std::vector<std::string> out;
  if (!n) return out;
  if (n.IsScalar()) return {n.as<std::string>()};
  if (!n.IsSequence()) wrong(n, fmt::format("'{}' must be a list", key));
  for (const auto& item : n) out.push_back(item.as<std::string>());
  return out;
}

// utc_offset and time_zone take the same values; the first wins where both stand.
std::optional<LocalTime> local_time_of(const YAML::Node& map) {
  for (const char* key : {"utc_offset", "time_zone"}) {
    const std::string text = text_of(map, key);
    if (text.empty()) continue;
    auto local = parse_local_time(text);
    if (!local) wrong(map[key], local.error().message, local.error().hint);
    return *local;
  }
  return {};
}

Manifest read(const YAML::Node& root) {
  Manifest m;
  if (!root || root.IsNull()) return m;
  only_keys(root, "evidence.yaml", {"clusters", "files", "version"});
  if (const YAML::Node clusters = root["clusters"]) {
    if (!clusters.IsMap()) wrong(clusters, "'clusters' must map each cluster's name to what is known of it");
    for (const auto& entry : clusters) {
      const std::string name = entry.first.as<std::string>();
      ClusterFacts f{.cluster = name, .source = "evidence.yaml"};
      const YAML::Node& c = entry.second;
      std::vector<std::string> paths;
      if (!c.IsNull()) {
        only_keys(
            c, fmt::format("cluster '{}'", name),
            {"region", "paths", "resource_id", "egress_ips", "pod_cidr", "node_resource_group", "subscription", "utc_offset", "time_zone"});
        f.region = to_lower(text_of(c, "region"));
        std::erase(f.region, ' ');
        f.resource_id = to_lower(text_of(c, "resource_id"));
        f.pod_cidr = text_of(c, "pod_cidr");
        f.node_resource_group = text_of(c, "node_resource_group");
        f.subscription = text_of(c, "subscription");
        f.egress_ips = list_of(c, "egress_ips");
        for (const std::string& ip : f.egress_ips)
          if (!Cidr::parse(ip)) wrong(c["egress_ips"], fmt::format("'{}' is not an IP address", ip));
        if (!f.pod_cidr.empty() && !Cidr::parse(f.pod_cidr))
          wrong(c["pod_cidr"], fmt::format("'{}' is not a range of addresses", f.pod_cidr), "write it as 10.244.0.0/16");
        paths = list_of(c, "paths");
      }
      if (paths.empty()) paths.push_back(name + "/**");
      std::optional<LocalTime> local;
      if (!c.IsNull()) local = local_time_of(c);
      for (std::string& p : paths)
        m.files.push_back({.path = std::move(p), .cluster = name, .region = f.region, .kind = {}, .local = local, .month_first = {}});
      m.clusters.push_back(std::move(f));
    }
  }
  if (const YAML::Node files = root["files"]) {
    if (!files.IsSequence()) wrong(files, "'files' must be a list", "each entry begins with '- path: …'");
    for (const auto& entry : files) {
      only_keys(entry, "an entry of 'files'", {"path", "cluster", "region", "kind", "utc_offset", "time_zone", "dates", "skip"});
      FileRule r{.path = text_of(entry, "path"),
                 .cluster = text_of(entry, "cluster"),
                 .region = to_lower(text_of(entry, "region")),
                 .kind = text_of(entry, "kind")};
      if (r.path.empty()) wrong(entry, "an entry of 'files' has no 'path'");
      if (!r.kind.empty() && !find_decoder(r.kind) && !model::find_table(r.kind)) {
        std::vector<std::string> names = model::table_names();
        for (const Decoder* d : decoders()) names.emplace_back(d->name);
        const std::string near = near_name(r.kind, names);
        wrong(entry["kind"], fmt::format("'{}' is neither a table nor a format", r.kind),
              near.empty() ? "egret ingest --formats lists the formats" : fmt::format("did you mean '{}'?", near));
      }
      r.local = local_time_of(entry);
      if (const std::string dates = to_lower(text_of(entry, "dates")); !dates.empty()) {
        if (dates != "m/d/yyyy" && dates != "d/m/yyyy")
          wrong(entry["dates"], fmt::format("'{}' is not a form of dates", dates), "write M/D/YYYY or D/M/YYYY");
        r.month_first = dates == "m/d/yyyy";
      }
      if (const std::string skip = text_of(entry, "skip"); !skip.empty()) r.skip = skip == "true" || skip == "yes";
      m.files.push_back(std::move(r));
    }
  }
  return m;
}

bool glob(std::string_view p, std::string_view s, int depth = 0) {
  if (depth > 200) return false;
  while (!p.empty()) {
    if (p.starts_with("**")) {
      p.remove_prefix(2);
      if (p.starts_with("/")) {
        if (glob(p.substr(1), s, depth + 1)) return true;  // ** may stand for no folder at all
      }
      for (size_t i = 0; i <= s.size(); ++i)
        if (glob(p, s.substr(i), depth + 1)) return true;
      return false;
    }
    if (p.front() == '*') {
      p.remove_prefix(1);
      for (size_t i = 0;; ++i) {
        if (glob(p, s.substr(i), depth + 1)) return true;
        if (i == s.size() || s[i] == '/') return false;
      }
    }
    if (s.empty() || (p.front() != s.front() && !(p.front() == '?' && s.front() != '/'))) return false;
    p.remove_prefix(1);
    s.remove_prefix(1);
  }
  return s.empty();
}

}  // namespace

Result<LocalTime> parse_local_time(std::string_view text) {
  std::string_view s = text;
  if (s.starts_with("UTC") || s.starts_with("GMT")) s.remove_prefix(3);
  if (s.empty() || s == "Z") return LocalTime{};
  // A sign and digits, or digits alone, are an offset; everything else is a name.
  if (const char c = s[0]; c != '+' && c != '-' && !(c >= '0' && c <= '9')) {
    TRY(const TimeZone* zone, TimeZone::named(text));
    return LocalTime{.zone = zone};
  }
  const int sign = s[0] == '-' ? -1 : 1;
  if (s[0] == '+' || s[0] == '-') s.remove_prefix(1);
  const size_t colon = s.find(':');
  const std::string h(s.substr(0, colon)), m(colon == std::string_view::npos ? "0" : s.substr(colon + 1));
  const auto digits = [](const std::string& x) {
    return !x.empty() && x.size() <= 4 && x.find_first_not_of("0123456789") == std::string::npos;
  };
  if (!digits(h) || !digits(m))
    return usage_error(fmt::format("'{}' is not an offset from UTC", text), "write it as +02:00, or give a zone as Europe/Berlin");
  int hours = std::stoi(h), minutes = std::stoi(m);
  if (colon == std::string_view::npos && h.size() > 2) {
    minutes = hours % 100;
    hours /= 100;
  }
  if (hours > 14 || minutes > 59) return usage_error(fmt::format("'{}' is more than any place is off UTC", text));
  return LocalTime{.utc_offset = sign * (hours * kTicksPerHour + minutes * kTicksPerMinute)};
}

Result<Manifest> parse_manifest(std::string_view yaml, std::string_view file) {
  try {
    return read(YAML::Load(std::string(yaml)));
  } catch (const Mistake& e) {
    return usage_error(fmt::format("{}:{}: {}", file, e.line, e.message), e.hint);
  } catch (const YAML::Exception& e) {
    return usage_error(fmt::format("{}:{}: {}", file, e.mark.line + 1, e.msg), "the file is YAML; docs/evidence.md shows one");
  }
}

bool path_matches(std::string_view pattern, std::string_view path) {
  if (pattern.size() > 512) return false;
  if (pattern.ends_with("/")) return path.starts_with(pattern) || glob(std::string(pattern) + "**", path);
  if (glob(pattern, path)) return true;
  return !pattern.contains('/') && glob(pattern, path.substr(path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/') + 1));
}

bool apply(const Manifest& m, Source& source) {
  bool take = true;
  for (const FileRule& r : m.files) {
    if (!path_matches(r.path, source.path)) continue;
    take = !r.skip;
    if (!r.cluster.empty()) {
      source.cluster = r.cluster;
      source.region.clear();
      for (const ClusterFacts& c : m.clusters)
        if (iequals(c.cluster, r.cluster)) source.region = c.region;
    }
    if (!r.region.empty()) source.region = r.region;
    if (!r.kind.empty()) source.kind = r.kind;
    if (r.local) {
      source.utc_offset = r.local->utc_offset;
      source.zone = r.local->zone;
    }
    if (r.month_first) source.month_first = *r.month_first;
  }
  return take;
}

}  // namespace egret::ingest
