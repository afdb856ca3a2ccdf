#include "sensor/names.h"

namespace egret::sensor {

namespace {

constexpr size_t kGeneration = 16384;  // two of them are kept

}  // namespace

void Names::learn(uint32_t netns, IpAddress address, std::string_view name) {
  if (names_.size() >= kGeneration) {
    older_ = std::move(names_);
    names_.clear();
  }
  names_.insert_or_assign(Key{netns, address}, std::string(name));
}

std::string_view Names::of(uint32_t netns, IpAddress address) const {
  for (const auto* map : {&names_, &older_})
    if (const auto it = map->find({netns, address}); it != map->end()) return it->second;
  return {};
}

}  // namespace egret::sensor
