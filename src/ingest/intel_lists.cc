// Feeds without a schema: plain lists of addresses, ranges, names and hashes; CSV with or without a header, which may stand in a comment
// (abuse.ch); JSON lists of objects with an address or indicator member (AbuseIPDB, Microsoft's published indicators).
#include <fmt/format.h>

#include <algorithm>

#include "base/ip.h"
#include "base/text.h"
#include "ingest/csv.h"
#include "ingest/decoder.h"
#include "ingest/indicator.h"
#include "ingest/json_dom.h"
#include "ingest/json_records.h"
#include "ingest/provider_names.h"

namespace egret::ingest {
namespace {

bool is_comment(std::string_view line) { return line.starts_with('#') || line.starts_with(';') || line.starts_with("//"); }

// --- plain lists

std::string_view first_field(std::string_view line) { return line.substr(0, line.find_first_of(" \t#;,")); }

void decode_plain(const Source& source, Sink& sink) {
  std::string_view rest = source.bytes;
  uint64_t number = 0;
  const std::string feed = feed_name(source.path);
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string_view line = trim(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    ++number;
    if (line.empty() || is_comment(line)) continue;
    std::string_view value = line.contains("://") ? line.substr(0, line.find_first_of(" \t")) : first_field(line);
    // A hosts file has the sink address in front of the name.
    if ((value == "0.0.0.0" || value == "127.0.0.1") && value.size() < line.size()) {
      const std::string_view more = trim(line.substr(value.size()));
      if (!first_field(more).empty()) value = first_field(more);
    }
    Observable o = classify(value);
    if (o.type.empty()) {
      sink.error(number, "the line begins with no address, range, name, URL or hash", line);
      continue;
    }
    Indicator x{.source = feed};
    x.observables.push_back(std::move(o));
    add_indicator(x, source, sink);
  }
}

int recognise_plain(std::string_view head, std::string_view path) {
  if (head.starts_with("{") || head.starts_with("[")) return 0;
  int lines = 0, good = 0, ranges = 0;
  std::string_view rest = head;
  while (!rest.empty() && lines < 200) {
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos && lines > 0 && head.size() >= 64 * 1024) break;  // the head may cut a line
    const std::string_view line = trim(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (line.empty() || is_comment(line)) continue;
    ++lines;
    const std::string_view value = first_field(line);
    const std::string_view after = trim(line.substr(value.size()));
    // Lines of logs begin with addresses, too; a list has at most a number or a comment behind.
    const bool bare = after.empty() || is_comment(after) || after.find_first_not_of("0123456789 ") == std::string_view::npos ||
                      ((value == "0.0.0.0" || value == "127.0.0.1") && after.size() < 100);
    if (bare && !classify(value).type.empty())
      ++good;
    else if (!classify(line).type.empty() && !line.contains(' '))
      ++good;
    if (bare && value.contains('/') && Cidr::parse(value)) ++ranges;
  }
  if (lines == 0 || good * 10 < lines * 9) return 0;
  if (ranges * 2 > lines && !provider_of_path(path).empty()) return 30;  // provider-ranges' business
  return lines >= 3 ? 75 : 55;
}

// --- CSV

// Where a type column says what a value is that does not show it by itself.
Observable typed(std::string_view value, std::string_view type) {
  const std::string t = to_lower(type);
  if (t == "filepath" || t == "file_path") return {"file-path", std::string(value)};
  if (t == "filename" || t == "file_name") return {"file-name", std::string(value)};
  if (t == "mutex") return {"mutex", std::string(value)};
  return {};
}

bool indicator_header(std::string_view name) {
  for (const std::string_view known :
       {"ip",   "dst_ip",    "src_ip",        "ipaddress",  "ip_address", "address", "indicator",   "indicatorvalue", "indicator_value",
        "ioc",  "ioc_value", "value",         "observable", "url",        "domain",  "domainname",  "host",           "hostname",
        "fqdn", "md5",       "md5_hash",      "sha1",       "sha1_hash",  "sha256",  "sha256_hash", "hash",           "networkip",
        "cidr", "dest_ip",   "destination_ip"})
    if (name == known) return true;
  return false;
}

std::vector<std::string> header_of(const std::vector<std::string_view>& cells) {
  std::vector<std::string> names;
  for (const std::string_view c : cells) {
    std::string n = to_lower(trim(c));
    if (n.starts_with("# ")) n.erase(0, 2);
    std::replace(n.begin(), n.end(), ' ', '_');
    names.push_back(std::move(n));
  }
  return names;
}

// A row of hashes may hold the word for their type, so a header is one only when nothing in it is an indicator itself.
bool has_indicator_header(const std::vector<std::string>& names) {
  for (const std::string& n : names)
    if (n.size() >= 7 && (n.contains('.') || n.contains(':') || n.size() >= 32) && !classify(n).type.empty()) return false;
  return std::any_of(names.begin(), names.end(), [](const std::string& n) { return indicator_header(n); });
}

// Text before the records: comments, of which the last may be the header.
struct Shape {
  std::string_view body;
  std::vector<std::string> header;
  uint64_t lines_before = 0;
};

Shape shape_of(std::string_view bytes) {
  Shape s;
  std::string_view last_comment;
  while (bytes.starts_with('#')) {
    const size_t end = bytes.find('\n');
    last_comment = trim(bytes.substr(1, end == std::string_view::npos ? end : end - 1));
    bytes = end == std::string_view::npos ? std::string_view() : bytes.substr(end + 1);
    ++s.lines_before;
  }
  std::vector<std::string_view> cells;
  s.body = bytes;
  const std::string_view first_line = bytes.substr(0, bytes.find('\n'));
  Csv probe(first_line, separator_of(first_line));
  if (probe.next(cells)) {
    auto names = header_of(cells);
    if (has_indicator_header(names)) {
      s.header = std::move(names);
      s.body = bytes.size() > first_line.size() ? bytes.substr(first_line.size() + 1) : std::string_view();
      ++s.lines_before;
      return s;
    }
  }
  Csv comment(last_comment, separator_of(last_comment));
  if (last_comment.contains(',') && comment.next(cells)) {
    auto names = header_of(cells);
    if (has_indicator_header(names)) s.header = std::move(names);
  }
  return s;
}

void decode_csv(const Source& source, Sink& sink) {
  const Shape shape = shape_of(source.bytes);
  Csv csv(shape.body, separator_of(shape.body));
  const std::string feed = feed_name(source.path);
  std::vector<std::string_view> cells;
  while (csv.next(cells)) {
    const uint64_t line = csv.line() + shape.lines_before;
    if (cells[0].starts_with('#')) continue;
    if (csv.broken()) {
      sink.error(line, "a quoted value is never closed", csv.whole());
      continue;
    }
    if (!shape.header.empty() && cells.size() < shape.header.size()) {
      sink.error(line, fmt::format("{} values where the header has {}", cells.size(), shape.header.size()), csv.whole());
      continue;
    }
    Indicator x{.source = feed};
    std::string_view wrong;
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string_view cell = trim(cells[i]);
      const std::string_view name = i < shape.header.size() ? std::string_view(shape.header[i]) : std::string_view();
      if (cell.empty()) continue;
      const auto observe = [&] {
        Observable o = classify(cell);
        if (o.type.empty())
          for (size_t k = 0; k < shape.header.size() && k < cells.size(); ++k)
            if (shape.header[k] == "indicatortype" || shape.header[k] == "ioc_type" || shape.header[k] == "type")
              o = typed(cell, trim(cells[k]));
        if (o.type.empty())
          wrong = cell;
        else if (std::find(x.observables.begin(), x.observables.end(), o) == x.observables.end())
          x.observables.push_back(std::move(o));
      };
      if (shape.header.empty()) {
        Observable o = classify(cell);
        if (!o.type.empty() && x.observables.empty())
          x.observables.push_back(std::move(o));
        else if (const auto t = cell.size() > 7 ? parse_time(cell, source.time_form()) : std::nullopt; t && !x.created)
          x.created = t;
        else if (i > 0)
          x.tags.emplace_back(cell);
        continue;
      }
      if (indicator_header(name))
        observe();
      else if (name.contains("first_seen") || name == "firstseen" || name == "dateadded" || name == "date_added" || name == "created") {
        if (const auto t = parse_time(cell, source.time_form()); t && (!x.created || name.contains("first"))) x.created = t;
      } else if (name.contains("last_seen") || name == "last_online" || name == "modified") {
        if (const auto t = parse_time(cell, source.time_form())) x.modified = t;
      } else if (name == "confidence" || name == "confidence_level" || name == "abuseconfidencescore") {
        if (cell.find_first_not_of("0123456789") == std::string_view::npos && cell.size() < 4) x.confidence = std::stoi(std::string(cell));
      } else if (name == "id" || name == "ioc_id") {
        x.id = feed + ":" + std::string(cell);
      } else if (name == "malware" || name == "threat" || name == "tags" || name == "threat_type" || name == "threattype" ||
                 name == "malware_printable" || name == "tlp" || name == "category") {
        x.tags.emplace_back(cell);
      } else if (name == "description" || name == "comment" || name == "reference") {
        x.description = std::string(cell);
      }
    }
    if (x.modified && x.created && *x.modified < *x.created) x.modified = x.created;
    if (x.observables.empty()) {
      sink.error(line, wrong.empty() ? "no address, name, URL or hash in the row" : "the indicator is no address, range, name, URL or hash",
                 csv.whole());
      continue;
    }
    add_indicator(x, source, sink);
  }
}

int recognise_csv(std::string_view head, std::string_view) {
  if (head.starts_with("{") || head.starts_with("[") || head.contains("TimeGenerated")) return 0;
  const Shape s = shape_of(head);
  if (!s.header.empty()) {
    const bool typical = std::any_of(s.header.begin(), s.header.end(), [](const std::string& n) {
      return n.contains("first_seen") || n == "firstseen" || n == "indicatortype" || n == "ioc_type" || n.contains("malware") ||
             n == "tlp" || n == "dateadded" || n == "threat_type" || n == "confidence" || n.contains("sha256") || n.contains("md5") ||
             n == "sha1";
    });
    return typical ? 82 : s.header.size() <= 2 ? 45 : 35;
  }
  // Without a header: rows that have an indicator and the word for its type.
  Csv csv(s.body, ',');
  std::vector<std::string_view> cells;
  int rows = 0, good = 0;
  while (rows < 20 && csv.next(cells)) {
    ++rows;
    bool indicator = false, type = false;
    for (const std::string_view c : cells) {
      if (c.size() >= 32 || c.contains('.')) indicator |= !classify(c).type.empty();
      type |= iequals(c, "sha256") || iequals(c, "md5") || iequals(c, "sha1") || iequals(c, "ip") || iequals(c, "ipv4") ||
              iequals(c, "domain") || iequals(c, "url");
    }
    good += indicator && type;
  }
  return rows > 0 && good * 10 >= rows * 9 ? 72 : 0;
}

// --- JSON lists

void decode_json(const Source& source, Sink& sink) {
  simdjson::dom::parser parser;
  const std::string feed = feed_name(source.path);
  each_json_record(
      source.bytes, {"data", "Covid19Indicators", "indicators", "results", "iocs", "value"},
      {.record =
           [&](std::string_view text, uint64_t line) {
             js::Element e;
             if (parser.parse(text.data(), text.size(), true).get(e) != simdjson::SUCCESS) {
               sink.error(line, "not valid JSON", text);
               return;
             }
             Indicator x{.source = feed};
             const auto add = [&](std::string_view v) {
               Observable o = classify(v);
               if (!o.type.empty() && std::find(x.observables.begin(), x.observables.end(), o) == x.observables.end())
                 x.observables.push_back(std::move(o));
             };
             if (const auto one = js::get(e, "data"); js::is_object(one)) e = *one;  // AbuseIPDB's answer about one address
             if (e.is_string()) add(js::text(e));
             if (Observable o = typed(js::text(e, "Indicator"), js::text(e, "IndicatorType")); !o.type.empty())
               x.observables.push_back(std::move(o));
             js::each_member(e, [&](std::string_view key, const js::Element& v) {
               const std::string name = to_lower(key);
               if (indicator_header(name))
                 add(js::text(v));
               else if (name == "firstseen" || name == "first_seen" || name == "dateadded") {
                 if (const auto t = parse_time(js::text(v)); t && (!x.created || name != "dateadded")) x.created = t;
               } else if (name == "lastseen" || name == "last_seen" || name == "lastreportedat")
                 x.modified = parse_time(js::text(v));
               else if (name == "abuseconfidencescore" || name == "confidence" || name == "confidence_level") {
                 if (const auto n = js::integer(v)) x.confidence = static_cast<int>(std::clamp<int64_t>(*n, 0, 100));
               } else if (name == "threattype" || name == "threat_type" || name == "malware" || name == "tlp" ||
                          name == "malware_printable")
                 x.tags.emplace_back(js::text(v));
               else if (name == "externalid" || name == "id")
                 x.id = std::string(js::text(v));
               else if (name == "description")
                 x.description = std::string(js::text(v));
               else if (name == "additionalmetadata" && v.is_object())
                 js::each_member(v, [&](std::string_view, const js::Element& more) { add(js::text(more)); });
             });
             if (x.modified && x.created && *x.modified < *x.created) x.modified = x.created;
             if (x.observables.empty())
               sink.error(line, "no address, name, URL or hash in the record", text);
             else
               add_indicator(x, source, sink);
           },
       .broken = [&](uint64_t line, std::string reason, std::string_view beginning) { sink.error(line, std::move(reason), beginning); }});
}

int recognise_json(std::string_view head, std::string_view) {
  const std::string_view t = trim(head.substr(0, 64));
  if (!t.starts_with("{") && !t.starts_with("[")) return 0;
  if (head.contains("\"abuseConfidenceScore\"") && head.contains("\"ipAddress\"")) return 90;
  if (head.contains("\"IndicatorType\"") && head.contains("\"Indicator\"")) return 90;
  if (head.contains("\"ioc_type\"") && head.contains("\"ioc\"")) return 85;
  return 0;
}

}  // namespace

extern const Decoder kIntelPlain, kIntelCsv, kIntelJson;
const Decoder kIntelPlain{"indicator-list", "plain lists of addresses, ranges, names, URLs or hashes, one a line; hosts files",
                          "ThreatIntelIndicators", recognise_plain, decode_plain};
const Decoder kIntelCsv{"indicator-csv", "CSV feeds (abuse.ch, MISP, any with a column for the indicator)", "ThreatIntelIndicators",
                        recognise_csv, decode_csv};
const Decoder kIntelJson{"indicator-json", "JSON lists of indicators (AbuseIPDB, Microsoft's published indicators, ThreatFox)",
                         "ThreatIntelIndicators", recognise_json, decode_json};

}  // namespace egret::ingest
