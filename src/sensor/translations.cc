#include "sensor/translations.h"

namespace egret::sensor {

size_t TupleHash::operator()(const Tuple& t) const {
  const auto mix = [](uint64_t h, uint64_t v) {
    h = (h ^ v) * 0x9e3779b97f4a7c15ULL;
    return h ^ (h >> 32);
  };
  uint64_t h = mix(t.protocol, static_cast<uint64_t>(t.source.value));
  h = mix(h, static_cast<uint64_t>(t.source.value >> 64));
  h = mix(h, static_cast<uint64_t>(t.destination.value));
  h = mix(h, static_cast<uint64_t>(t.destination.value >> 64));
  return mix(h, uint64_t{t.source_port} << 16 | t.destination_port);
}

void Translations::see(ConntrackChange change, const Conntrack& entry, uint64_t now_ns) {
  const auto found = entries_.find(entry.original);
  const uint64_t destroyed = change == ConntrackChange::kDestroy ? now_ns : 0;
  if (found != entries_.end())
    found->second = {entry.translated(), destroyed};
  else if (entries_.size() < limit_)
    entries_.emplace(entry.original, Entry{entry.translated(), destroyed});
}

void Translations::forget_before(uint64_t now_ns) {
  std::erase_if(entries_, [&](const auto& e) { return e.second.destroyed != 0 && e.second.destroyed < now_ns; });
}

std::optional<Tuple> Translations::translated(const Tuple& before) {
  if (const auto found = entries_.find(before); found != entries_.end()) return found->second.after;
  ++asked_;
  const auto entry = find_conntrack(kernel_, before);
  if (!entry || !*entry) return std::nullopt;
  return (*entry)->translated();
}

}  // namespace egret::sensor
