// STIX 2.x bundles, objects and TAXII envelopes; MISP events; ECS threat indicators. Indicators become rows of ThreatIntelIndicators.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "ingest/decoder.h"
#include "ingest/indicator.h"
#include "ingest/json_dom.h"
#include "ingest/json_file.h"

namespace egret::ingest {
namespace {

std::optional<Ticks> time_of(const js::Element& e, std::string_view key) {
  const auto v = js::get(e, key);
  if (!v) return {};
  if (const auto t = js::text(*v); !t.empty()) return parse_time(t);
  if (const auto n = js::integer(*v)) return time_of_epoch(*n);
  return {};
}

// --- STIX

constexpr std::string_view kDomainObjects[] = {"attack-pattern",   "campaign",       "course-of-action", "grouping", "identity",
                                               "indicator",        "infrastructure", "intrusion-set",    "location", "malware",
                                               "malware-analysis", "note",           "observed-data",    "opinion",  "relationship",
                                               "report",           "sighting",       "threat-actor",     "tool",     "vulnerability"};

void stix_object(const js::Element& e, std::string_view text, uint64_t line, const Source& source, Sink& sink,
                 std::map<std::string, uint64_t>& others) {
  const std::string_view type = js::text(e, "type");
  if (type == "bundle") {
    js::each(js::get(e, "objects"), [&](const js::Element& o) {
      const std::string inner = js::minified(o);
      stix_object(o, inner, line, source, sink, others);
    });
    return;
  }
  if (type.empty()) {
    sink.error(line, "a STIX object without a type", text);
    return;
  }
  for (const std::string_view known : kDomainObjects) {
    if (known != type) continue;
    const auto created = time_of(e, "created"), modified = time_of(e, "modified");
    const bool written = js::get(e, "created") && js::get(e, "modified");
    if (type == "indicator" && written && (!created || !modified)) {
      // Its value is what counts.
      sink.note("STIX indicators whose `created` or `modified` is no time are kept without it");
      break;
    }
    if (!created || !modified) {
      sink.error(line, fmt::format("a STIX {} must have `created` and `modified`", type), text);
      return;
    }
    if (*modified < *created) {
      sink.error(line, fmt::format("a STIX {} was modified before it was created", type), text);
      return;
    }
  }
  if (type != "indicator") {
    ++others[std::string(type)];
    return;
  }
  Indicator x{.id = std::string(js::text(e, "id")),
              .name = std::string(js::text(e, "name")),
              .description = std::string(js::text(e, "description")),
              .pattern = std::string(js::text(e, "pattern")),
              .source = feed_name(source.path),
              .data = std::string(text)};
  if (x.pattern.empty()) {
    sink.error(line, "a STIX indicator without a pattern", text);
    return;
  }
  const std::string_view kind = js::text(e, "pattern_type");
  if (kind.empty() || kind == "stix") x.observables = observables_of_pattern(x.pattern);
  x.created = time_of(e, "created");
  x.modified = time_of(e, "modified");
  x.valid_from = time_of(e, "valid_from");
  x.valid_until = time_of(e, "valid_until");
  if (const auto c = js::integer(e, "confidence")) x.confidence = static_cast<int>(*c);
  x.revoked = js::boolean(js::get(e, "revoked"));
  for (const std::string_view key : {"indicator_types", "labels"})
    js::each(js::get(e, key), [&](const js::Element& t) { x.tags.emplace_back(js::text(t)); });
  if (x.observables.empty()) sink.note("indicators whose pattern names no address, name, URL or hash are kept, but match nothing");
  add_indicator(x, source, sink);
}

void decode_stix(const Source& source, Sink& sink) {
  std::map<std::string, uint64_t> others;
  each_record(source, sink,
              [&](const js::Element& e, std::string_view text, uint64_t line) { stix_object(e, text, line, source, sink, others); },
              {"objects"});
  if (!others.empty()) sink.note("STIX objects that are no indicators (identities, malware, relationships and the like) give no rows");
}

int recognise_stix(std::string_view head, std::string_view) {
  const bool typed = head.contains("\"type\"");
  if (typed && (head.contains("\"bundle--") || (head.contains("\"bundle\"") && head.contains("\"objects\"")))) return 96;
  if (typed && head.contains("\"spec_version\"") && head.contains("--")) return 95;
  if (typed && head.contains("\"indicator--")) return 90;
  return 0;
}

// --- MISP

void misp_attribute(const js::Element& a, std::string_view info, uint64_t line, const Source& source, Sink& sink, uint64_t& others) {
  const std::string_view type = js::text(a, "type"), value = js::text(a, "value");
  if (js::boolean(js::get(a, "deleted"))) return;
  Indicator x{.id = {}, .name = std::string(info), .description = std::string(js::text(a, "comment")), .pattern = {}, .source = "MISP"};
  if (const auto uuid = js::text(a, "uuid"); !uuid.empty()) x.id = "indicator--" + std::string(uuid);
  const auto add = [&](std::string_view v) {
    Observable o = classify(v);
    if (!o.type.empty()) x.observables.push_back(std::move(o));
  };
  // Composite types have their parts on both sides of a bar.
  const size_t bar = value.find('|');
  const std::string_view left = value.substr(0, bar), right = bar == std::string_view::npos ? std::string_view() : value.substr(bar + 1);
  if (type == "ip-src" || type == "ip-dst" || type == "domain" || type == "hostname" || type == "url" || type == "uri" || type == "md5" ||
      type == "sha1" || type == "sha256" || type == "sha512" || type == "email-src" || type == "email-dst") {
    add(value);
    if (x.observables.empty()) {
      sink.error(line, fmt::format("a MISP attribute of type {} has a value that is none", type), value);
      return;
    }
  } else if (type == "ip-src|port" || type == "ip-dst|port" || type == "hostname|port") {
    add(left);
  } else if (type == "domain|ip") {
    add(left);
    add(right);
  } else if (type.starts_with("filename|") || type == "malware-sample") {
    add(right);
  }
  if (x.observables.empty()) {
    ++others;
    return;
  }
  x.created = x.modified = time_of(a, "timestamp");
  x.valid_from = time_of(a, "first_seen");
  const auto to_ids = js::get(a, "to_ids");
  x.active = !to_ids || js::boolean(to_ids);
  if (!x.active) x.tags.emplace_back("to_ids: false");
  js::each(js::get(a, "Tag"), [&](const js::Element& t) { x.tags.emplace_back(js::text(t, "name")); });
  add_indicator(x, source, sink);
}

void misp_event(const js::Element& outer, std::string_view text, uint64_t line, const Source& source, Sink& sink) {
  js::Element e = outer;
  if (const auto inner = js::get(outer, "Event"); js::is_object(inner)) e = *inner;
  if (!js::get(e, "Attribute") && !js::get(e, "Object") && !js::get(e, "info")) {
    sink.error(line, "no MISP event", text);
    return;
  }
  uint64_t others = 0;
  const std::string_view info = js::text(e, "info");
  js::each(js::get(e, "Attribute"), [&](const js::Element& a) { misp_attribute(a, info, line, source, sink, others); });
  js::each(js::get(e, "Object"), [&](const js::Element& o) {
    js::each(js::get(o, "Attribute"), [&](const js::Element& a) { misp_attribute(a, info, line, source, sink, others); });
  });
  if (others) sink.note("MISP attributes that name no address, name, URL or hash (links, texts, file names) give no rows");
}

void decode_misp(const Source& source, Sink& sink) {
  each_record(source, sink,
              [&](const js::Element& e, std::string_view text, uint64_t line) {
                if (const auto r = js::get(e, "response"); js::is_object(r))
                  misp_event(*r, text, line, source, sink);
                else
                  misp_event(e, text, line, source, sink);
              },
              {"response"});
}

int recognise_misp(std::string_view head, std::string_view) {
  if (head.contains("\"Event\"") &&
      (head.contains("\"threat_level_id\"") || head.contains("\"Attribute\"") || head.contains("\"orgc_id\"")))
    return 94;
  if (head.contains("\"Attribute\"") && (head.contains("\"threat_level_id\"") || head.contains("\"to_ids\"") || head.contains("\"Orgc\"") ||
                                         head.contains("\"sharing_group_id\"")))
    return 92;
  return 0;
}

// --- ECS

void decode_ecs(const Source& source, Sink& sink) {
  each_record(source, sink, [&](const js::Element& e, std::string_view text, uint64_t line) {
    js::Element whole = e;
    if (const auto hit = js::get(e, "_source"); js::is_object(hit)) whole = *hit;
    const auto t = js::get(whole, {"threat", "indicator"});
    if (!js::is_object(t)) {
      sink.error(line, "no threat.indicator", text);
      return;
    }
    Indicator x{.id = std::string(js::text(*t, "id")),
                .name = std::string(js::text(*t, "name")),
                .description = std::string(js::text(*t, "description")),
                .pattern = {},
                .source = std::string(js::text(*t, "provider"))};
    if (x.source.empty()) x.source = feed_name(source.path);
    const auto add = [&](std::string_view v) {
      Observable o = classify(v);
      if (!o.type.empty() && std::find(x.observables.begin(), x.observables.end(), o) == x.observables.end())
        x.observables.push_back(std::move(o));
    };
    const auto add_any = [&](const std::optional<js::Element>& v) {
      if (js::is_array(v))
        js::each(v, [&](const js::Element& one) { add(js::text(one)); });
      else if (v)
        add(js::text(*v));
    };
    add_any(js::get(*t, "ip"));
    add_any(js::get(*t, "domain"));
    const auto url = js::get(*t, "url");
    if (js::is_object(url)) {
      std::string_view full = js::text(*url, "full");
      if (full.empty()) full = js::text(*url, "original");
      if (!full.empty())
        add(full);
      else
        add_any(js::get(*url, "domain"));
    } else {
      add_any(url);
    }
    js::each_member(js::get(*t, {"file", "hash"}), [&](std::string_view, const js::Element& v) { add_any(v); });
    add_any(js::get(*t, {"email", "address"}));
    x.created = time_of(*t, "first_seen");
    x.valid_from = x.created;
    x.modified = time_of(*t, "modified_at");
    if (const auto c = js::text(*t, "confidence"); !c.empty())
      x.confidence = iequals(c, "high") ? 85 : iequals(c, "medium") ? 50 : iequals(c, "low") ? 15 : 0;
    if (const auto type = js::text(*t, "type"); !type.empty()) x.tags.emplace_back(type);
    if (const auto tlp = js::text(*t, {"marking", "tlp"}); !tlp.empty()) x.tags.push_back("tlp:" + std::string(tlp));
    if (x.observables.empty()) {
      x.data = std::string(js::minified(*t));
      sink.note("ECS indicators that name no address, name, URL or hash are kept, but match nothing");
    }
    add_indicator(x, source, sink);
  });
}

int recognise_ecs(std::string_view head, std::string_view) {
  const std::string_view t = trim(head.substr(0, 64));
  if (!t.starts_with("{") && !t.starts_with("[")) return 0;
  return head.contains("\"threat\"") && head.contains("\"indicator\"") && !head.contains("\"spec_version\"") ? 88
         : head.contains("\"threat.indicator")                                                               ? 60
                                                                                                             : 0;
}

}  // namespace

extern const Decoder kStix, kMisp, kEcs;
const Decoder kStix{"stix", "STIX 2.x bundles, objects and TAXII envelopes", "ThreatIntelIndicators", recognise_stix, decode_stix};
const Decoder kMisp{"misp", "MISP events as JSON", "ThreatIntelIndicators", recognise_misp, decode_misp};
const Decoder kEcs{"ecs-indicators", "threat indicators in the Elastic Common Schema, JSON lines", "ThreatIntelIndicators", recognise_ecs,
                   decode_ecs};

}  // namespace egret::ingest
