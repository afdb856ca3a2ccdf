#include "ingest/indicator.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/ip.h"
#include "base/json.h"
#include "base/text.h"

namespace egret::ingest {
namespace {

bool all_hex(std::string_view s) { return s.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos; }

std::string replace_all(std::string s, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = s.find(from, at)) != std::string::npos; at += to.size()) s.replace(at, from.size(), to);
  return s;
}

bool name_like(std::string_view s) {
  if (s.size() < 4 || s.size() > 253 || !s.contains('.') || s.front() == '.' || s.contains("..")) return false;
  for (const char c : s)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
          static_cast<unsigned char>(c) >= 0x80))
      return false;
  const std::string_view top = s.substr(s.rfind('.', s.size() - 2) + 1);
  return top.size() >= 2 && top.find_first_not_of("0123456789.") != std::string_view::npos;
}

}  // namespace

Observable classify(std::string_view raw) {
  std::string v(trim(raw));
  if (v.size() < 3 || v.size() > 4096) return {};
  if (v.contains('[')) v = replace_all(replace_all(replace_all(std::move(v), "[.]", "."), "[:]", ":"), "[://]", "://");
  if (v.starts_with("hxxp")) v.replace(0, 4, "http");
  if (v.contains("://")) return {"url", v};
  if (const auto c = Cidr::parse(v)) return {c->base.is_v4() ? "ipv4-addr" : "ipv6-addr", v};
  if (all_hex(v)) {
    if (v.size() == 32) return {"file-md5", to_lower(v)};
    if (v.size() == 40) return {"file-sha1", to_lower(v)};
    if (v.size() == 64) return {"file-sha256", to_lower(v)};
    if (v.size() == 128) return {"file-sha512", to_lower(v)};
  }
  // 1.2.3.4:443
  if (const size_t colon = v.rfind(':');
      colon != std::string::npos && v.find(':') == colon && v.find_first_not_of("0123456789", colon + 1) == std::string::npos)
    if (IpAddress::parse(v.substr(0, colon))) return {"ipv4-addr", v.substr(0, colon)};
  if (const size_t at = v.find('@'); at != std::string::npos && at > 0 && name_like(std::string_view(v).substr(at + 1)))
    return {"email-addr", to_lower(v)};
  if (v.ends_with('.')) v.pop_back();
  if (name_like(v)) return {"domain-name", to_lower(v)};
  if (v.contains('/') && name_like(v.substr(0, v.find('/')))) return {"url", v};
  return {};
}

std::vector<Observable> observables_of_pattern(std::string_view p) {
  std::vector<Observable> out;
  if (p.size() > (1u << 20)) return out;
  // Walks "object:path operator value(s)"; everything between is brackets, AND, OR, FOLLOWEDBY and qualifiers.
  size_t at = 0;
  const auto quoted = [&](size_t from, std::string& text) {
    size_t i = from + 1;
    for (; i < p.size() && p[i] != '\''; ++i) {
      if (p[i] == '\\' && i + 1 < p.size()) ++i;
      text += p[i];
    }
    return std::min(i + 1, p.size());
  };
  while (at < p.size()) {
    const size_t colon = p.find(':', at);
    if (colon == std::string_view::npos) break;
    size_t from = colon;
    while (from > at && (std::isalnum(static_cast<unsigned char>(p[from - 1])) || p[from - 1] == '-')) --from;
    const std::string_view object = p.substr(from, colon - from);
    // The path may have quoted parts: hashes.'SHA-256'
    size_t i = colon + 1;
    std::string path;
    while (i < p.size() && p[i] != ' ' && p[i] != '=' && p[i] != '!' && p[i] != '<' && p[i] != '>' && p[i] != '\t') {
      if (p[i] == '\'') {
        i = quoted(i, path);
      } else {
        path += p[i++];
      }
    }
    while (i < p.size() && p[i] == ' ') ++i;
    bool usable = false;
    const auto word = [&](std::string_view w) { return p.size() - i >= w.size() && iequals(p.substr(i, w.size()), w); };
    if (word("="))
      usable = true, i += 1;
    else if (word("IN"))
      usable = true, i += 2;
    else if (word("ISSUBSET"))
      usable = true, i += 8;
    std::vector<std::string> values;
    while (i < p.size() && (p[i] == ' ' || p[i] == '(')) ++i;
    while (i < p.size() && p[i] == '\'') {
      std::string v;
      i = quoted(i, v);
      values.push_back(std::move(v));
      while (i < p.size() && (p[i] == ' ' || p[i] == ',')) ++i;
      if (values.size() > 10'000) break;
    }
    if (values.empty()) {
      at = std::max(i, colon + 1);
      // A comparison that is not used (LIKE, MATCHES, a number): go on behind its value.
      if (const size_t q = p.find('\'', at); q != std::string_view::npos && !usable && q - at < 12) {
        std::string skipped;
        at = quoted(q, skipped);
      }
      continue;
    }
    at = i;
    if (!usable) continue;
    const std::string low = to_lower(path);
    for (std::string& v : values) {
      std::string type;
      if (object == "ipv4-addr" || object == "ipv6-addr" || object == "url" || object == "email-addr")
        type = low == "value" ? std::string(object) : "";
      else if (object == "domain-name")
        type = low == "value" ? "domain-name" : low.contains("resolves_to") ? classify(v).type : "";
      else if (object == "network-traffic" && low.ends_with("ref.value"))
        type = classify(v).type;
      else if (object == "file" && low.contains("hashes")) {
        std::string hash = low;
        std::erase(hash, '-');
        for (const std::string_view h : {"sha512", "sha256", "sha1", "md5"})
          if (hash.contains(h)) {
            type = "file-" + std::string(h);
            break;
          }
      } else if (object == "email-message" && low.contains("from_ref"))
        type = classify(v).type;
      if (type.empty()) continue;
      Observable o{type, type == "url" ? v : to_lower(v)};
      if (std::find(out.begin(), out.end(), o) == out.end()) out.push_back(std::move(o));
    }
  }
  return out;
}

std::string observable_key(const Observable& o) {
  if (o.type == "file-md5") return "file:hashes.MD5";
  if (o.type == "file-sha1") return "file:hashes.'SHA-1'";
  if (o.type == "file-sha256") return "file:hashes.'SHA-256'";
  if (o.type == "file-sha512") return "file:hashes.'SHA-512'";
  if (o.type == "file-path") return "file:parent_directory_ref.path";
  if (o.type == "file-name") return "file:name";
  if (o.type == "mutex") return "mutex:name";
  return o.type + ":value";
}

std::string observables_json(const std::vector<Observable>& observables) {
  JsonWriter w;
  w.begin_array();
  for (const Observable& o : observables) w.begin_object().key("type").string(o.type).key("value").string(o.value).end_object();
  w.end_array();
  return std::move(w).take();
}

void add_indicator(const Indicator& x, const Source& source, Sink& sink) {
  model::Batch& b = sink.rows("ThreatIntelIndicators");
  const auto put = [&](std::string_view column, std::string_view value) {
    if (!value.empty()) b.set_string(b.column(column), value);
  };
  const auto when = [&](std::string_view column, const std::optional<Ticks>& t) {
    if (t) b.set_datetime(b.column(column), *t);
  };
  b.add_row();
  b.set_datetime(b.column("TimeGenerated"), x.modified.value_or(x.created.value_or(x.valid_from.value_or(source.read_at))));
  const std::string first = x.observables.empty() ? x.pattern + x.name : x.observables[0].type + x.observables[0].value;
  put("Id", x.id.empty() ? "indicator--" + sha256_hex(x.source + first).substr(0, 32) : x.id);
  std::string pattern = x.pattern;
  if (pattern.empty() && !x.observables.empty()) {
    for (const Observable& o : x.observables) {
      std::string v = replace_all(replace_all(o.value, "\\", "\\\\"), "'", "\\'");
      pattern += fmt::format("{}{} = '{}'", pattern.empty() ? "[" : " OR ", observable_key(o), v);
    }
    pattern += "]";
  }
  put("Pattern", pattern);
  if (!x.observables.empty()) {
    put("ObservableKey", observable_key(x.observables[0]));
    put("ObservableValue", x.observables[0].value);
    b.set_dynamic(b.column("Observables"), observables_json(x.observables));
  }
  put("Source", x.source);
  put("SourceSystem", x.source);
  put("Tags", join(x.tags, ", "));
  when("Created", x.created);
  when("Modified", x.modified);
  when("ValidFrom", x.valid_from ? x.valid_from : x.created);
  when("ValidUntil", x.valid_until);
  if (x.confidence) b.set_int(b.column("Confidence"), std::clamp(*x.confidence, 0, 100));
  b.set_bool(b.column("IsActive"), x.active && !x.revoked);
  b.set_bool(b.column("Revoked"), x.revoked);
  b.set_bool(b.column("IsDeleted"), false);
  put("Type", "ThreatIntelIndicators");
  if (!x.data.empty()) {
    b.set_dynamic(b.column("Data"), x.data);
  } else if (!x.name.empty() || !x.description.empty()) {
    JsonWriter w;
    w.begin_object().key("name").string(x.name).key("description").string(x.description).end_object();
    b.set_dynamic(b.column("Data"), std::move(w).take());
  }
}

std::string feed_name(std::string_view path) {
  const size_t slash = path.rfind('/');
  std::string_view name = path.substr(slash == std::string_view::npos ? 0 : slash + 1);
  for (const std::string_view end : {".gz", ".zst", ".txt", ".csv", ".json", ".jsonl", ".ndjson", ".lst", ".list", ".netset", ".ipset"})
    if (name.ends_with(end)) name.remove_suffix(end.size());
  return std::string(name);
}

}  // namespace egret::ingest
