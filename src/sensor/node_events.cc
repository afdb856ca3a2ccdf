#include "sensor/node_events.h"

#include <fmt/format.h>

#include "base/json.h"

namespace egret::sensor {

void NodeEvents::event(std::string_view type, Ticks time, Ticks from, Ticks to, std::string_view message, int64_t count,
                       std::string_view what) {
  Row row("EgretNodeEvents", time);
  row.text("Cluster", c_.cluster).text("Node", c_.node).text("EventType", type).text("Source", "sensor").text("SensorId", id_);
  row.time("StartTime", from).time("EndTime", to).text("Message", message).text("What", what);
  if (count >= 0) row.number("Count", count);
  c_.out->add(row);
}

void NodeEvents::started(uint64_t now_ns, Ticks earlier_end, const std::vector<ProbeState>& probes, std::string_view mode) {
  const Ticks now = c_.clock.wall(now_ns), boot = c_.clock.boot();
  event("NodeBoot", boot, boot, boot, "the kernel started");
  event("SensorStart", now, now, now, fmt::format("the sensor started ({})", mode));
  const Ticks gap_from = std::max(boot, earlier_end);
  event("Gap", gap_from, gap_from, now,
        earlier_end > boot ? "no sensor ran between the last one's end and this start; what began and ended in it was not seen"
                           : "no sensor ran between boot and this start; what began and ended in it was not seen");
  for (const ProbeState& p : probes) {
    if (p.attached) continue;
    if (p.name == "TCP states") flows_seen_ = false;
    if (p.name == "eBPF") flows_seen_ = payloads_seen_ = false;  // looks a second apart cover nothing by themselves
    if (p.name == "packets out" || p.name == "packets in") payloads_seen_ = false;
    event("Degraded", now, now, now, fmt::format("{}: {}; not seen: {}", p.name, p.error, p.unseen), -1, p.name);
  }
}

void NodeEvents::stopped(uint64_t now_ns) {
  const Ticks now = c_.clock.wall(now_ns);
  event("SensorStop", now, now, now, "the sensor ended as it was asked to");
}

void NodeEvents::lost(std::string_view what, uint64_t count, std::string_view reason, uint64_t from_ns, uint64_t to_ns) {
  if (count == 0) return;
  lost_ += count;
  event("Lost", c_.clock.wall(to_ns), c_.clock.wall(from_ns), c_.clock.wall(to_ns), reason, static_cast<int64_t>(count), what);
}

void NodeEvents::kernel_losses(const std::vector<uint64_t>& totals, uint64_t from_ns, uint64_t to_ns) {
  struct Loss {
    std::string_view what, reason;
  };
  static constexpr Loss kLosses[kLossKinds] = {
      {"flows", "no room in the kernel's ring"},
      {"payloads", "no room in the kernel's ring"},
      {"processes", "no room in the kernel's ring"},
      {"cgroups", "no room in the kernel's ring"},
      {"datagram destinations", "no room in the kernel's map; their packets are counted with their socket"},
      {"sockets", "no memory for a socket's record"},
  };
  seen_losses_.resize(kLossKinds);
  for (size_t i = 0; i < totals.size() && i < kLossKinds; ++i) {
    lost(kLosses[i].what, totals[i] - seen_losses_[i], kLosses[i].reason, from_ns, to_ns);
    seen_losses_[i] = totals[i];
  }
}

void NodeEvents::spool_losses(SpoolLoss loss, uint64_t from_ns, uint64_t to_ns) {
  if (loss.rows)
    lost("rows", loss.rows, fmt::format("the spool was full: its {} oldest segments went, {} bytes", loss.segments, loss.bytes), from_ns,
         to_ns);
}

void NodeEvents::covered(uint64_t from_ns, uint64_t to_ns, uint64_t rows) {
  const double completeness = rows + lost_ == 0 ? 1.0 : static_cast<double>(rows) / static_cast<double>(rows + lost_);
  const auto one = [&](std::string_view source, std::string_view table) {
    Row row("EgretCoverage", c_.clock.wall(to_ns));
    row.text("Cluster", c_.cluster).text("Scope", "node").text("Name", c_.node).text("Source", source).text("TableName", table);
    row.time("StartTime", c_.clock.wall(from_ns)).time("EndTime", c_.clock.wall(to_ns)).real("Completeness", completeness);
    row.number("Rows", static_cast<int64_t>(rows));
    c_.out->add(row);
  };
  if (flows_seen_) one("sensor", "ASimNetworkSessionLogs");
  if (payloads_seen_) {
    one("sensor-dns", "ASimDnsActivityLogs");
    one("sensor-web", "ASimWebSessionLogs");
  }
}

}  // namespace egret::sensor
