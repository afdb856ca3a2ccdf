#pragma once
// Which name led a network namespace to an address: from the DNS answers seen in it. Bounded; the last answer wins.
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/ip.h"

namespace egret::sensor {

class Names {
 public:
  void learn(uint32_t netns, IpAddress address, std::string_view name);
  std::string_view of(uint32_t netns, IpAddress address) const;  // empty when none was seen
  size_t size() const { return names_.size(); }

 private:
  struct Key {
    uint32_t netns;
    IpAddress address;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    size_t operator()(const Key& k) const {
      return std::hash<uint64_t>()(static_cast<uint64_t>(k.address.value) * 0x9e3779b97f4a7c15ULL ^
                                   static_cast<uint64_t>(k.address.value >> 64) ^ k.netns);
    }
  };
  std::unordered_map<Key, std::string, Hash> names_, older_;
};

}  // namespace egret::sensor
