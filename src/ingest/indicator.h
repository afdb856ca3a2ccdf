#pragma once
// An indicator of compromise on its way to ThreatIntelIndicators, whatever feed it came from.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/decoder.h"

namespace egret::ingest {

struct Observable {
  std::string type;   // ipv4-addr, ipv6-addr, domain-name, url, email-addr, file-md5, file-sha1, file-sha256, file-sha512, file-path,
                      // file-name, mutex
  std::string value;  // addresses and ranges as written, names in lower case
  bool operator==(const Observable&) const = default;
};

struct Indicator {
  std::string id = {}, name = {}, description = {}, pattern = {}, source = {}, data = {};  // data: JSON of the whole, may be empty
  std::vector<Observable> observables = {};
  std::vector<std::string> tags = {};
  std::optional<Ticks> created = {}, modified = {}, valid_from = {}, valid_until = {};
  std::optional<int> confidence = {};  // 0–100
  bool active = true, revoked = false;
};

// What a bare value is; type is empty when it is nothing that can be observed. Undoes "hxxp", "[.]" and the like.
Observable classify(std::string_view value);
// The parts of a STIX pattern that name a value: [ipv4-addr:value = '1.2.3.4' OR domain-name:value IN ('a.example')].
std::vector<Observable> observables_of_pattern(std::string_view pattern);
// "ipv4-addr:value", "file:hashes.'SHA-256'", as Sentinel's ObservableKey has it.
std::string observable_key(const Observable& o);
std::string observables_json(const std::vector<Observable>& observables);

void add_indicator(const Indicator& indicator, const Source& source, Sink& sink);
// The name of a feed, when it does not say: the file's name without its ending.
std::string feed_name(std::string_view path);

}  // namespace egret::ingest
