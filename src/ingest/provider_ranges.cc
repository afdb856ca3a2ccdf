// The address ranges that providers publish, in each one's own form: Azure service tags, AWS ip-ranges, Google cloud.json and goog.json,
// GitHub meta, Fastly, Oracle, plain lists and small CSVs whose file name says the provider.
#include <fmt/format.h>

#include <algorithm>

#include "base/ip.h"
#include "base/text.h"
#include "ingest/csv.h"
#include "ingest/decoder.h"
#include "ingest/json_dom.h"
#include "ingest/provider_names.h"

namespace egret::ingest {
namespace {

constexpr std::pair<std::string_view, std::string_view> kNames[] = {{"cloudflare", "Cloudflare"},
                                                                    {"fastly", "Fastly"},
                                                                    {"akamai", "Akamai"},
                                                                    {"github", "GitHub"},
                                                                    {"google", "Google"},
                                                                    {"gcp", "Google"},
                                                                    {"goog", "Google"},
                                                                    {"amazon", "AWS"},
                                                                    {"aws", "AWS"},
                                                                    {"azure", "Azure"},
                                                                    {"microsoft", "Azure"},
                                                                    {"servicetags", "Azure"},
                                                                    {"oracle", "Oracle"},
                                                                    {"digitalocean", "DigitalOcean"},
                                                                    {"linode", "Linode"},
                                                                    {"hetzner", "Hetzner"},
                                                                    {"ovh", "OVH"},
                                                                    {"imperva", "Imperva"},
                                                                    {"incapsula", "Imperva"},
                                                                    {"edgecast", "Edgecast"},
                                                                    {"stackpath", "StackPath"},
                                                                    {"bunny", "Bunny"},
                                                                    {"cachefly", "CacheFly"},
                                                                    {"sucuri", "Sucuri"},
                                                                    {"vultr", "Vultr"},
                                                                    {"alibaba", "Alibaba"}};

class Ranges {
 public:
  Ranges(const Source& source, Sink& sink)
      : source_(source), sink_(sink), made_(source.modified_at ? source.modified_at : source.read_at) {}

  void made(std::optional<Ticks> t) {
    if (t) made_ = *t;
  }

  void add(std::string_view prefix, std::string_view provider, std::string_view service, std::string_view region, uint64_t line) {
    prefix = trim(prefix);
    const auto c = Cidr::parse(prefix);
    if (!c) {
      sink_.error(line, "not a range of addresses", prefix);
      return;
    }
    model::Batch& b = sink_.rows("EgretProviderRanges");
    b.add_row();
    b.set_datetime(b.column("TimeGenerated"), made_);
    b.set_string(b.column("Provider"), provider);
    b.set_string(b.column("Service"), service);
    b.set_string(b.column("Region"), region);
    b.set_string(b.column("Prefix"), c->to_string());
    b.set_string(b.column("FirstIp"), c->first().to_string());
    b.set_string(b.column("LastIp"), c->last().to_string());
    b.set_bool(b.column("Shared"), shared_service(provider, service));
  }

 private:
  const Source& source_;
  Sink& sink_;
  Ticks made_;
};

void decode_json(const Source& source, Sink& sink) {
  simdjson::dom::parser parser;
  js::Element e;
  if (parser.parse(source.bytes.data(), source.bytes.size(), true).get(e) != simdjson::SUCCESS) {
    sink.error(1, "not valid JSON", source.bytes, "the list is one JSON document; download it again");
    return;
  }
  Ranges ranges(source, sink);
  uint64_t n = 0;
  if (const auto created = js::text(e, "createDate"); created.size() == 19) {  // 2015-11-03-17-22-03
    std::string iso(created);
    iso[10] = 'T';
    iso[13] = iso[16] = ':';
    ranges.made(parse_time(iso));
  }
  for (const std::string_view key : {"creationTime", "last_update", "last_updated_timestamp"}) ranges.made(parse_time(js::text(e, key)));

  if (js::is_array(js::get(e, "values"))) {  // Azure service tags
    js::each(js::get(e, "values"), [&](const js::Element& v) {
      const std::string_view region = js::text(v, {"properties", "region"});
      const std::string_view name = js::text(v, "name");
      js::each(js::get(v, {"properties", "addressPrefixes"}),
               [&](const js::Element& p) { ranges.add(js::text(p), "Azure", name, region, ++n); });
    });
  } else if (js::is_array(js::get(e, "prefixes"))) {
    const bool aws = js::get(e, "createDate").has_value() || js::get(e, "ipv6_prefixes").has_value();
    const auto each = [&](const js::Element& p) {
      std::string_view prefix;
      for (const std::string_view key : {"ip_prefix", "ipv6_prefix", "ipv4Prefix", "ipv6Prefix"})
        if (prefix.empty()) prefix = js::text(p, key);
      if (aws)
        ranges.add(prefix, "AWS", js::text(p, "service"), js::text(p, "region"), ++n);
      else
        ranges.add(prefix, "Google", js::text(p, "service"), js::text(p, "scope"), ++n);
    };
    js::each(js::get(e, "prefixes"), each);
    js::each(js::get(e, "ipv6_prefixes"), each);
  } else if (js::is_array(js::get(e, "regions"))) {  // Oracle
    js::each(js::get(e, "regions"), [&](const js::Element& r) {
      js::each(js::get(r, "cidrs"), [&](const js::Element& c) {
        std::string tags;
        js::each(js::get(c, "tags"), [&](const js::Element& t) { tags += (tags.empty() ? "" : ",") + std::string(js::text(t)); });
        ranges.add(js::text(c, "cidr"), "Oracle", tags, js::text(r, "region"), ++n);
      });
    });
  } else if (js::is_array(js::get(e, "addresses"))) {  // Fastly
    for (const std::string_view key : {"addresses", "ipv6_addresses"})
      js::each(js::get(e, key), [&](const js::Element& p) { ranges.add(js::text(p), "Fastly", "", "", ++n); });
  } else if (js::is_array(js::get(e, "ipv4")) || js::is_array(js::get(e, "ipv6"))) {  // lists that say their provider
    std::string_view provider = js::text(e, "provider");
    for (const auto& [word, name] : kNames)
      if (to_lower(provider).contains(word)) {
        provider = name;
        break;
      }
    if (provider.empty()) provider = provider_of_path(source.path);
    for (const std::string_view key : {"ipv4", "ipv6"})
      js::each(js::get(e, key), [&](const js::Element& p) { ranges.add(js::text(p), provider, "", "", ++n); });
  } else {  // GitHub: each member is a service with its ranges
    js::each_member(e, [&](std::string_view key, const js::Element& list) {
      if (!list.is_array()) return;
      js::each(list, [&](const js::Element& p) {
        if (Cidr::parse(js::text(p))) ranges.add(js::text(p), "GitHub", key, "", ++n);
      });
    });
  }
  if (n == 0) sink.error(1, "no range of addresses in the list", source.bytes);
}

int recognise_json(std::string_view head, std::string_view) {
  const std::string_view t = trim(head.substr(0, 64));
  if (!t.starts_with("{")) return 0;
  if (head.contains("\"addressPrefixes\"") && head.contains("\"values\"") && head.contains("\"systemService\"")) return 97;
  if (head.contains("\"prefixes\"") &&
      (head.contains("\"ip_prefix\"") || head.contains("\"ipv4Prefix\"") || head.contains("\"ipv6Prefix\"")))
    return 97;
  if (head.contains("\"regions\"") && head.contains("\"cidrs\"")) return 95;
  if (head.contains("\"ipv6_addresses\"") && head.contains("\"addresses\"")) return 93;
  if (head.contains("\"verifiable_password_authentication\"")) return 97;
  if (head.contains("\"provider\"") && head.contains("\"ipv4\"")) return 85;
  return 0;
}

void decode_list(const Source& source, Sink& sink) {
  Ranges ranges(source, sink);
  const std::string_view provider = provider_of_path(source.path);
  std::string_view rest = source.bytes;
  uint64_t number = 0;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    std::string_view line = trim(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    ++number;
    if (line.empty() || line.starts_with('#') || line.starts_with(';')) continue;
    std::string_view service, prefix = line.substr(0, line.find_first_of(" \t#"));
    if (line.contains(',')) {  // Type,Address
      const auto cells = split(line, ',');
      prefix = {};
      for (const std::string& c : cells)
        if (Cidr::parse(trim(c))) prefix = line.substr(line.find(c), c.size());
      if (prefix.empty() && number == 1) continue;  // header
    }
    ranges.add(prefix.empty() ? line : prefix, provider.empty() ? "unknown" : provider, service, "", number);
  }
}

int recognise_list(std::string_view head, std::string_view path) {
  if (head.starts_with("{") || head.starts_with("[")) return 0;
  if (provider_of_path(path).empty()) return 0;
  int lines = 0, ranges = 0;
  std::string_view rest = head;
  while (!rest.empty() && lines < 100) {
    const size_t end = rest.find('\n');
    const std::string_view line = trim(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (line.empty() || line.starts_with('#')) continue;
    ++lines;
    for (const std::string& cell : split(line, ','))
      if (cell.contains('/') && Cidr::parse(trim(cell))) {
        ++ranges;
        break;
      }
  }
  return lines > 0 && ranges * 10 >= lines * 8 ? 80 : 0;
}

}  // namespace

std::string_view provider_of_path(std::string_view path) {
  const std::string low = to_lower(path.substr(path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/') + 1));
  for (const auto& [word, name] : kNames)
    if (low.contains(word)) return name;
  return {};
}

bool shared_service(std::string_view provider, std::string_view service) {
  for (const std::string_view p : {"Cloudflare", "Fastly", "Akamai", "Imperva", "Edgecast", "StackPath", "Bunny", "CacheFly", "Sucuri"})
    if (p == provider) return true;
  if (provider == "AWS") return service == "CLOUDFRONT" || service == "GLOBALACCELERATOR" || service == "CLOUDFRONT_ORIGIN_FACING";
  if (provider == "Azure")
    return service.starts_with("AzureFrontDoor") || service.starts_with("AzureCDN") || service.starts_with("AzureTrafficManager");
  if (provider == "GitHub") return service == "pages";
  return false;
}

extern const Decoder kProviderJson, kProviderList;
const Decoder kProviderJson{"provider-ranges", "published address ranges: Azure service tags, AWS, Google, GitHub, Fastly, Oracle",
                            "EgretProviderRanges", recognise_json, decode_json};
const Decoder kProviderList{"provider-list", "plain lists of ranges whose file name says the provider (cloudflare-v4.txt)",
                            "EgretProviderRanges", recognise_list, decode_list};

}  // namespace egret::ingest
