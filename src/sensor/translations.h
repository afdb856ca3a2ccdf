#pragma once
// What became of a tuple, answered from conntrack's events and, for what they did not say (missed, or from before the start), by asking the
// kernel for that one entry.
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "sensor/conntrack.h"

namespace egret::sensor {

struct TupleHash {
  size_t operator()(const Tuple& t) const;
};

class Translations final : public Translator {
 public:
  // `kernel`: a NETLINK_NETFILTER socket in the table's network namespace. `limit`: entries kept; beyond it new ones are left to the
  // kernel.
  Translations(NetlinkSocket kernel, size_t limit) : kernel_(std::move(kernel)), limit_(limit) {}

  // For ConntrackEvents::dump() and consume().
  void see(ConntrackChange change, const Conntrack& entry, uint64_t now_ns);
  void forget_before(uint64_t now_ns);  // the entries that were destroyed before
  std::optional<Tuple> translated(const Tuple& before) override;

  size_t size() const { return entries_.size(); }
  uint64_t asked() const { return asked_; }  // questions to the kernel

 private:
  struct Entry {
    Tuple after;
    uint64_t destroyed = 0;
  };
  NetlinkSocket kernel_;
  size_t limit_;
  std::unordered_map<Tuple, Entry, TupleHash> entries_;
  uint64_t asked_ = 0;
};

}  // namespace egret::sensor
