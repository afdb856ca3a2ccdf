#include "sensor/cgroup_path.h"

#include <algorithm>

namespace egret::sensor {

namespace {

bool all_hex(std::string_view s) {
  return !s.empty() &&
         std::ranges::all_of(s, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-' || c == '_'; });
}

// "pod1234_5678" or "pod1234-5678" without the word; empty when it is none.
std::string uid_of(std::string_view word) {
  const size_t at = word.rfind("pod");
  if (at == std::string_view::npos || (at > 0 && word[at - 1] != '-')) return {};
  const std::string_view uid = word.substr(at + 3);
  // A UID has 36 characters, a static pod's hash 32; other words with "pod" in them ("kubepods") are no UIDs.
  if (uid.size() < 32 || uid.size() > 36 || !all_hex(uid)) return {};
  std::string out(uid);
  std::ranges::replace(out, '_', '-');
  return out;
}

// The container of "cri-containerd-ID.scope", "docker-ID.scope", "crio-ID.scope" or a bare "ID".
std::string container_of(std::string_view word) {
  if (word.ends_with(".scope")) word.remove_suffix(6);
  if (const size_t dash = word.rfind('-'); dash != std::string_view::npos && word.size() - dash - 1 >= 32) word = word.substr(dash + 1);
  if (const size_t colon = word.rfind(':'); colon != std::string_view::npos)
    word = word.substr(colon + 1);  // cri-containerd's v1 "slice:cri-containerd:ID"
  return word.size() >= 32 && word.find_first_of("-_") == std::string_view::npos && all_hex(word) ? std::string(word) : std::string();
}

bool is_unit(std::string_view word) {
  for (const std::string_view suffix : {".service", ".scope", ".socket", ".mount", ".swap"})
    if (word.size() > suffix.size() && word.ends_with(suffix)) return true;
  return false;
}

}  // namespace

Place place_of(std::string_view path) {
  Place place;
  bool below_kubepods = false;
  std::string slice;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view word = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (word.empty()) continue;
    if (word.find("kubepods") != std::string_view::npos) below_kubepods = true;
    if (below_kubepods) {
      if (word.find("besteffort") != std::string_view::npos) place.qos = "besteffort";
      if (word.find("burstable") != std::string_view::npos) place.qos = "burstable";
      std::string_view name = word;
      // v1 with the systemd driver and a cgroupfs runtime: "kubepods-burstable-podUID.slice:cri-containerd:ID" is one word.
      const size_t colon = name.find(".slice:");
      if (colon != std::string_view::npos) name = name.substr(0, colon);
      if (name.ends_with(".slice")) name.remove_suffix(6);
      if (place.pod_uid.empty()) {
        place.pod_uid = uid_of(name);
        if (!place.pod_uid.empty() && colon != std::string_view::npos) place.container = container_of(word);
      } else if (place.container.empty()) {
        place.container = container_of(word);
      }
    } else if (is_unit(word)) {
      place.unit = word;  // the deepest: a user's manager has units of its own below it
    } else if (word.ends_with(".slice")) {
      slice = word;
    }
  }
  if (place.is_pod() && place.qos.empty()) place.qos = "guaranteed";
  if (place.is_pod()) place.unit.clear();
  return place;
}

}  // namespace egret::sensor
