#include "investigate/alert_entities.h"

#include <simdjson.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>

#include "base/ip.h"
#include "base/text.h"

namespace egret::investigate {
namespace {

struct Fact {
  std::string type;  // of the entity it stands in, lower case, letters only: "ip", "host", "kspod", "networkconnection"
  std::string key;   // lower case, letters only
  std::string value;
};

std::string letters(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (std::isalnum(static_cast<unsigned char>(c))) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

void flatten(const simdjson::dom::element& e, std::string type, const std::string& key, int depth, std::vector<Fact>& out) {
  if (depth > 8 || out.size() > 2000) return;
  if (e.is_object()) {
    simdjson::dom::object object = e;
    for (const auto& [k, v] : object)
      if (iequals(k, "type") && v.is_string()) type = letters(std::string_view(v));
    for (const auto& [k, v] : object) flatten(v, type, letters(k), depth + 1, out);
  } else if (e.is_array()) {
    for (const simdjson::dom::element& v : simdjson::dom::array(e)) flatten(v, type, key, depth + 1, out);
  } else if (e.is_string()) {
    out.push_back({type, key, std::string(std::string_view(e))});
  } else if (e.is_int64()) {
    out.push_back({type, key, std::to_string(int64_t(e))});
  }
}

void flatten_text(std::string_view json, std::vector<Fact>& out) {
  if (json.empty()) return;
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) return;
  flatten(root, "", "", 0, out);
}

bool mentions(std::string_view key, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view w) { return key.find(w) != std::string_view::npos; });
}

// "172.64.80.1", "[172.64.80.1]", "172.64.80.1:443", "IP Address: 172.64.80.1"; the first address in the text.
std::vector<std::string> addresses_in(std::string_view text) {
  std::vector<std::string> out;
  for (size_t i = 0; i < text.size();) {
    const auto part = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) || c == '.' || c == ':'; };
    if (!part(text[i])) {
      ++i;
      continue;
    }
    size_t j = i;
    while (j < text.size() && part(text[j])) ++j;
    std::string_view word = text.substr(i, j - i);
    while (!word.empty() && (word.back() == '.' || word.back() == ':')) word.remove_suffix(1);
    if (std::count(word.begin(), word.end(), '.') == 3)
      if (const size_t colon = word.find(':'); colon != std::string_view::npos) word = word.substr(0, colon);
    if (word.size() >= 7 || word.find("::") != std::string_view::npos)
      if (const auto ip = IpAddress::parse(word)) out.push_back(ip->to_string());
    i = j;
  }
  return out;
}

// The segment after `/word/` of an ARM id.
std::string segment_after(std::string_view id, std::string_view word) {
  const std::string lower = to_lower(id);
  const size_t at = lower.find("/" + std::string(word) + "/");
  if (at == std::string::npos) return {};
  const size_t begin = at + word.size() + 2;
  return std::string(id.substr(begin, id.find('/', begin) - begin));
}

std::string instance_name(std::string_view id) {
  // …/virtualMachineScaleSets/aks-nodepool1-1234-vmss/virtualMachines/7 is the node aks-nodepool1-1234-vmss000007 (base 36)
  const std::string set = segment_after(id, "virtualmachinescalesets");
  const std::string vm = segment_after(id, "virtualmachines");
  if (set.empty()) return to_lower(vm);
  unsigned long n = 0;
  if (vm.empty() || std::from_chars(vm.data(), vm.data() + vm.size(), n).ec != std::errc{}) return {};
  std::string digits;
  for (int i = 0; i < 6; ++i, n /= 36) digits.insert(digits.begin(), "0123456789abcdefghijklmnopqrstuvwxyz"[n % 36]);
  return to_lower(set) + digits;
}

void set_if_empty(std::string& into, std::string_view value) {
  if (into.empty() && !value.empty() && value != "-" && !iequals(value, "unknown")) into = std::string(value);
}

}  // namespace

void read_entities(const AlertText& text, Alert& alert) {
  std::vector<Fact> facts;
  flatten_text(text.properties, facts);
  flatten_text(text.entities, facts);
  std::vector<std::string> source, destination, either;
  std::string ns, pod_kind, pod_owner;
  for (const Fact& f : facts) {
    const bool place = mentions(f.type, {"location"}) || mentions(f.key, {"country", "city", "latitude", "longitude", "asn"});
    if (place) continue;
    if (const auto ips = addresses_in(f.value); !ips.empty() && f.value.size() < 200 && !f.value.starts_with('/')) {
      // "Attacker source IP" is Defender's own key, of outbound contacts, too: who they are goes before the direction.
      if (mentions(f.key, {"victim", "compromised"}))
        source.insert(source.end(), ips.begin(), ips.end());
      else if (mentions(f.key, {"attacker", "destination", "dstip", "remote", "malicious", "cc", "suspicious", "indicator", "threat"}))
        destination.insert(destination.end(), ips.begin(), ips.end());
      else if (mentions(f.key, {"source", "srcip", "egress", "privateip"}))
        source.insert(source.end(), ips.begin(), ips.end());
      else
        either.insert(either.end(), ips.begin(), ips.end());
      continue;
    }
    if (mentions(f.key, {"resourceid", "azureid"}) && f.value.starts_with("/")) {
      set_if_empty(alert.cluster, segment_after(f.value, "managedclusters"));
      set_if_empty(alert.node, instance_name(f.value));
      continue;
    }
    if ((mentions(f.key, {"destinationport", "dstport", "remoteport"}) || f.key == "port") && !alert.port) {
      int port = 0;
      if (std::from_chars(f.value.data(), f.value.data() + f.value.size(), port).ec == std::errc{} && port > 0 && port < 65536)
        alert.port = port;
    }
    const bool named = f.key == "name" || f.key == "displayname";
    if (f.key == "hostname" || f.key == "node" || f.key == "nodename" || f.key == "computer" || (named && f.type == "host"))
      set_if_empty(alert.node, to_lower(f.value));
    if (f.key == "clustername" || f.key == "cluster" || f.key == "kubernetescluster" || (named && mentions(f.type, {"cluster"})))
      set_if_empty(alert.cluster, f.value.starts_with('/') ? segment_after(f.value, "managedclusters") : f.value);
    if (f.key == "podname" || f.key == "pod" || (named && mentions(f.type, {"kspod", "k8spod", "kubernetespod"})))
      set_if_empty(alert.pod, f.value);
    if (f.key == "namespace" || f.key == "kubernetesnamespace" || f.key == "podnamespace" || (named && mentions(f.type, {"namespace"})))
      set_if_empty(ns, f.value);
    if (f.key == "workload" && f.value.find('/') != std::string::npos) set_if_empty(alert.workload, f.value);
    if (f.key == "criticality") set_if_empty(alert.criticality, f.value);
    if (f.key == "domainname" || f.key == "destinationname" || f.key == "dstname" || f.key == "fqdn" || f.key == "domain" ||
        f.key == "hostheader" || f.key == "dnsname" || mentions(f.key, {"suspiciousdomain", "maliciousdomain", "destinationhost"})) {
      std::string name = to_lower(f.value);
      while (!name.empty() && name.back() == '.') name.pop_back();
      if (name.find('.') != std::string::npos && name.find(' ') == std::string::npos) set_if_empty(alert.name, name);
    }
  }
  set_if_empty(alert.cluster, segment_after(text.resource_id, "managedclusters"));
  set_if_empty(alert.node, instance_name(text.resource_id));
  if (text.compromised.find(' ') == std::string_view::npos && text.compromised.starts_with("aks-"))
    set_if_empty(alert.node, to_lower(text.compromised));
  if (!alert.pod.empty()) {
    if (const size_t slash = alert.pod.find('/'); slash == std::string::npos && !ns.empty()) alert.pod = ns + "/" + alert.pod;
  }
  // "… indicates that your machine (IP 20.48.1.9) has communicated with …" names the victim only.
  std::string_view told = text.description;
  for (const std::string_view victim : {"your machine (IP ", "machine (IP "})
    if (const size_t at = told.find(victim); at != std::string_view::npos)
      for (const std::string& ip : addresses_in(told.substr(at + victim.size(), told.substr(at + victim.size()).find(')'))))
        source.push_back(ip);
  for (const std::string& ip : addresses_in(text.description)) either.push_back(ip);
  // An address of which nothing says whose it is: a private one is ours, a public one is theirs.
  for (const std::string& ip : either) {
    if (std::find(source.begin(), source.end(), ip) != source.end()) continue;
    (IpAddress::parse(ip)->is_private() ? source : destination).push_back(ip);
  }
  for (const std::string& ip : destination)
    if (alert.address.empty() && std::find(source.begin(), source.end(), ip) == source.end()) alert.address = ip;
  for (const std::string& ip : source)
    if (ip != alert.address) set_if_empty(alert.source_address, ip);
}

}  // namespace egret::investigate
