// What the outside world says of addresses: threat intelligence, and the ranges that providers publish.
#include <fmt/format.h>

#include "drill/stages.h"
#include "drill/vocabulary.h"
#include "drill/writers.h"

namespace egret::drill {

void write_intel(Pen& pen) {
  const World& world = pen.world;
  Random random = pen.random.fork("intel");
  {
    Output::File file(pen.out, "threat-intel", "threat-intel/indicators.stix.json");
    JsonWriter w(2);
    w.begin_object().key("type").string("bundle").key("id").string("bundle--" + random.uuid()).key("objects").begin_array();
    const auto indicator = [&](const std::string& pattern, std::string_view name, std::string_view description, std::string_view type,
                               int confidence, Micros created) {
      w.begin_object().key("type").string("indicator").key("spec_version").string("2.1").key("id").string("indicator--" + random.uuid());
      w.key("created")
          .string(iso(created, 3))
          .key("modified")
          .string(iso(created, 3))
          .key("name")
          .string(name)
          .key("description")
          .string(description);
      w.key("indicator_types").begin_array().string(type).end_array().key("pattern").string(pattern).key("pattern_type").string("stix");
      w.key("valid_from").string(iso(created, 3)).key("confidence").number(static_cast<int64_t>(confidence)).end_object();
      file.row();
    };
    for (const Endpoint& e : world.endpoints) {
      if (e.listed.empty()) continue;
      const Ip ip = e.pools[world.clusters[world.affected].region_index][0];
      const Micros created = world.from - random.between(1, 60) * kDay;
      if (e.listed == "abuse")
        indicator(fmt::format("[ipv4-addr:value = '{}']", ip_text(ip)), "Reported address",
                  fmt::format("{} reports by users of an abuse database, last {} days ago: port scan, web attack", random.between(2, 40),
                              random.between(1, 50)),
                  "anomalous-activity", e.confidence, created);
      else {
        indicator(fmt::format("[ipv4-addr:value = '{}']", ip_text(ip)), e.listed == "miner" ? "Mining pool" : "Command and control server",
                  e.listed == "miner" ? "Stratum endpoint of a mining pool" : "Confirmed command and control server", "malicious-activity",
                  e.confidence, created);
        if (random.chance(0.6))
          indicator(fmt::format("[domain-name:value = '{}']", e.name), e.listed == "miner" ? "Mining pool" : "Command and control domain",
                    "Seen in samples", "malicious-activity", e.confidence, created);
      }
    }
    for (int i = 0; i < 120; ++i)
      indicator(fmt::format("[ipv4-addr:value = '{}']", ip_text(address_of("hosting", random))), "Reported address", "Reported by sensors",
                random.chance(0.5) ? "malicious-activity" : "anomalous-activity", static_cast<int>(random.between(10, 95)),
                world.from - random.between(1, 200) * kDay);
    w.end_array().end_object();
    file.text() = std::move(w).take() + '\n';
  }
  const auto plain = [&](std::string_view name) {
    Output::File file(pen.out, "provider-ranges", fmt::format("provider-ranges/{}-v4.txt", name));
    for (const auto range : provider(name).ranges) file.text() += std::string(range) + '\n', file.row();
  };
  plain("cloudflare");
  plain("akamai");
  {
    Output::File file(pen.out, "provider-ranges", "provider-ranges/fastly.json");
    JsonWriter w(2);
    w.begin_object().key("addresses").begin_array();
    for (const auto range : provider("fastly").ranges) w.string(range), file.row();
    w.end_array().key("ipv6_addresses").begin_array().end_array().end_object();
    file.text() = std::move(w).take() + '\n';
  }
  {
    Output::File file(pen.out, "provider-ranges", "provider-ranges/ServiceTags_Public.json");
    JsonWriter w(2);
    w.begin_object().key("changeNumber").number(int64_t{312}).key("cloud").string("Public").key("values").begin_array();
    const auto tag = [&](std::string_view name, std::string_view from) {
      w.begin_object().key("name").string(name).key("id").string(name).key("properties").begin_object();
      w.key("changeNumber")
          .number(int64_t{41})
          .key("region")
          .string("")
          .key("regionId")
          .number(int64_t{0})
          .key("platform")
          .string("Azure")
          .key("systemService")
          .string(name == "AzureCloud" ? "" : name);
      w.key("addressPrefixes").begin_array();
      for (const auto range : provider(from).ranges) w.string(range), file.row();
      w.end_array().key("networkFeatures").begin_array().string("API").string("NSG").end_array().end_object().end_object();
    };
    tag("AzureCloud", "azure");
    tag("AzureFrontDoor.Frontend", "azurefd");
    w.end_array().end_object();
    file.text() = std::move(w).take() + '\n';
  }
  {
    Output::File file(pen.out, "provider-ranges", "provider-ranges/aws-ip-ranges.json");
    JsonWriter w(2);
    w.begin_object()
        .key("syncToken")
        .string(std::to_string(world.from / kSecond))
        .key("createDate")
        .string(iso(world.from).substr(0, 10) + "-00-00-00")
        .key("prefixes")
        .begin_array();
    for (const auto range : provider("aws").ranges)
      w.begin_object()
          .key("ip_prefix")
          .string(range)
          .key("region")
          .string("GLOBAL")
          .key("service")
          .string("EC2")
          .key("network_border_group")
          .string("GLOBAL")
          .end_object(),
          file.row();
    w.end_array().key("ipv6_prefixes").begin_array().end_array().end_object();
    file.text() = std::move(w).take() + '\n';
  }
}

}  // namespace egret::drill
