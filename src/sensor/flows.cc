#include "sensor/flows.h"

#include <fmt/format.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>

namespace egret::sensor {

namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kOwnerWait = 3 * kSecond;
constexpr uint64_t kForgetDestination = 3600 * kSecond;
constexpr size_t kMostDestinations = 1 << 16, kMostFlows = 1 << 17, kMostBuckets = 1 << 16, kMostWaiting = 10'000;

uint64_t mix(uint64_t a, uint64_t b) {
  a ^= b + 0x9e3779b97f4a7c15ULL + (a << 6) + (a >> 2);
  return a * 0xff51afd7ed558ccdULL;
}

uint64_t half(const uint8_t* bytes) {
  uint64_t v;
  std::memcpy(&v, bytes, 8);
  return v;
}

// One flow of a socket: TCP has one at a time, a datagram socket one per destination.
uint64_t flow_id(const Flow& f) {
  if (f.protocol == IPPROTO_TCP) return f.cookie;
  return mix(mix(mix(f.cookie, half(f.remote.address)), half(f.remote.address + 8)), f.remote.port);
}

bool same_local(const Flow& a, const Flow& b) {
  return a.local.port == b.local.port && std::memcmp(a.local.address, b.local.address, 16) == 0;
}

std::string_view failure(const Flow& f) {
  switch (f.error) {
    // Without an error of the socket: the program closed it before an answer came, or the kernel had no way to send.
    case 0: return f.packets_out ? "given up" : "not sent";
    case ECONNREFUSED: return "refused";
    case ETIMEDOUT: return "timeout";
    case EHOSTUNREACH:
    case ENETUNREACH: return "unreachable";
    case ECONNRESET: return "reset";
    case EPERM:
    case EACCES: return "forbidden";
    default: return "error";
  }
}

}  // namespace

size_t Flows::KeyHash::operator()(const Key& k) const {
  return mix(mix(mix(k.cgroup.id, k.remote_high), k.remote_low),
             static_cast<uint64_t>(k.port) << 40 | static_cast<uint64_t>(k.stage) << 56 | k.pid);
}

Flows::Key Flows::key_of(const Flow& f, Stage stage) const {
  return {{f.owner.hierarchy_v1, f.owner.cgroup_v1 ? f.owner.cgroup_v1 : f.owner.cgroup},
          half(f.remote.address),
          half(f.remote.address + 8),
          f.owner.netns,
          f.owner.pid,
          f.remote.port,
          f.protocol,
          stage};
}

bool Flows::seen_before(const Flow& f) {
  if (seen_.size() >= kMostDestinations) seen_.clear();  // a scan: rows come twice rather than not at all
  Key key = key_of(f, Stage::kStart);
  key.pid = 0;  // of the workload, whichever process of it
  const auto [it, fresh] = seen_.try_emplace(key, f.last);
  const bool before = !fresh && f.last < it->second + kForgetDestination;
  it->second = f.last;
  return before;
}

void Flows::on_event(const Flow& f) {
  if (!c_.owners->of(f.owner).ours) return;
  if (f.stage == kFlowOpen) {
    // A sweep that came before this event was read has it already, and some of its bytes.
    if (seen_before(f) || reported_.contains(flow_id(f))) return;
    if (reported_.size() < kMostFlows) reported_[flow_id(f)] = {{}, f.start, true};
    Flow first = f;
    first.bytes_out = first.bytes_in = first.packets_out = first.packets_in = 0;  // the End row has the whole
    record(first, Stage::kStart, f.start);
    return;
  }
  ++connections_;
  const auto it = reported_.find(flow_id(f));
  if (it == reported_.end()) {
    if (f.stage == kFlowFailed) seen_before(f);
    record(f, f.stage == kFlowFailed ? Stage::kFailed : f.start == 0 ? Stage::kEnd : Stage::kWhole, f.start);
    return;
  }
  Flow delta = f;
  const Reported& r = it->second;
  delta.bytes_out -= r.bytes_out, delta.bytes_in -= r.bytes_in, delta.packets_out -= r.packets_out, delta.packets_in -= r.packets_in;
  const uint64_t from = r.at;
  reported_.erase(it);
  record(delta, Stage::kEnd, from);
}

void Flows::on_sweep(const Flow& f, bool last) {
  if (!c_.owners->of(f.owner).ours) return;
  const auto [it, fresh] = reported_.try_emplace(flow_id(f), Reported{{}, f.start, false});
  Reported& r = it->second;
  const bool moved = f.packets_out != r.packets_out || f.packets_in != r.packets_in || fresh;
  Flow delta = f;
  delta.bytes_out -= r.bytes_out, delta.bytes_in -= r.bytes_in, delta.packets_out -= r.packets_out, delta.packets_in -= r.packets_in;
  const uint64_t from = r.at;
  const bool first = fresh && f.start != 0;
  static_cast<Counters&>(r) = {f.bytes_out, f.bytes_in, f.packets_out, f.packets_in};
  r.at = f.last;
  if (last || (fresh && reported_.size() >= kMostFlows)) reported_.erase(it);
  if (last) ++connections_;
  if (moved || last) record(delta, last ? (first ? Stage::kWhole : Stage::kEnd) : first ? Stage::kStart : Stage::kContinue, from);
}

void Flows::record(const Flow& f, Stage stage, uint64_t from) {
  if (window_.size() >= kMostBuckets) end_window(f.last);
  Bucket& b = window_[key_of(f, stage)];
  if (b.rows < options_.rows_per_destination) {
    ++b.rows;
    write_or_wait(f, stage, from, 1);
    return;
  }
  if (b.more++ == 0) {
    b.sum = f;
    b.first = from;
    return;
  }
  Flow& s = b.sum;
  s.bytes_out += f.bytes_out, s.bytes_in += f.bytes_in, s.packets_out += f.packets_out, s.packets_in += f.packets_in;
  s.retransmissions += f.retransmissions;
  s.rest_packets += f.rest_packets, s.rest_bytes += f.rest_bytes;
  s.last = std::max<uint64_t>(s.last, f.last);
  if (!same_local(s, f)) s.local.port = 0;
  b.first = std::min(b.first, from);
}

bool Flows::wait_for(const Identity& i) const {
  return i.kind == Identity::Kind::kPod && !i.complete && (i.pod.empty() || (options_.await_owner && i.workload.empty()));
}

void Flows::write_or_wait(const Flow& f, Stage stage, uint64_t from, uint64_t count) {
  const Identity& identity = c_.owners->of(f.owner);
  if (count == 1 && wait_for(identity) && waiting_.size() < kMostWaiting) {
    waiting_.push_back({f, stage, from, boot_nanoseconds() + kOwnerWait});
    return;
  }
  write(f, identity, stage, from, count);
}

void Flows::tick(uint64_t now_ns) {
  for (size_t n = waiting_.size(); n > 0; --n) {
    Waiting w = std::move(waiting_.front());
    waiting_.pop_front();
    const Identity& identity = c_.owners->of(w.flow.owner);
    if (now_ns < w.until && wait_for(identity))
      waiting_.push_back(std::move(w));
    else
      write(w.flow, identity, w.stage, w.from, 1);
  }
}

void Flows::end_window(uint64_t now_ns) {
  for (auto& [key, b] : window_)
    if (b.more > 0) write_or_wait(b.sum, key.stage, b.first, b.more);
  window_.clear();
  std::erase_if(seen_, [&](const auto& s) { return s.second + kForgetDestination < now_ns; });
}

void Flows::write(const Flow& f, const Identity& identity, Stage stage, uint64_t from, uint64_t count) {
  if (on_owner) on_owner(f, identity);
  ++rows_;
  const uint64_t began = from ? from : f.start ? f.start : f.last;
  const Ticks start = c_.clock.wall(began), end = c_.clock.wall(std::max<uint64_t>(f.last, began));
  constexpr std::string_view kNames[] = {"Start", "Continue", "End", "", ""};
  const bool tcp = f.protocol == IPPROTO_TCP;
  const bool local_known = f.local.port != 0 || !tcp;
  const IpAddress local = address_of(f.local), remote = address_of(f.remote), asked = address_of(f.asked);
  const Process& process = c_.processes->of(f.owner);

  Row row("ASimNetworkSessionLogs", stage == Stage::kEnd || stage == Stage::kContinue ? end : start);
  row.time("EventStartTime", start).time("EventEndTime", end);
  row.text("EventVendor", "Egret").text("EventProduct", "sensor").text("EventType", "NetworkSession");
  row.text("EventSubType", kNames[static_cast<size_t>(stage)]).number("EventCount", static_cast<int64_t>(count));
  row.text("EventResult", stage == Stage::kFailed ? "Failure" : "Success");
  if (stage == Stage::kFailed || f.error) row.text("EventResultDetails", failure(f));
  if (count == 1) row.text("EventOriginalUid", fmt::format("{:x}", flow_id(f)));
  if (f.start == 0 && tcp) row.text("EventMessage", "it was open when the sensor started");
  row.text("DvcAction", "Allow").text("NetworkProtocol", protocol_name(f.protocol));
  row.text("NetworkDirection", f.inbound ? "Inbound" : "Outbound");

  Tuple before{f.protocol, local, remote, f.local.port, f.remote.port};
  const bool rewritten = !f.inbound && tcp && f.asked.port != 0 && (asked != remote || f.asked.port != f.remote.port);
  std::optional<Tuple> after;
  if (c_.translator && count == 1 && local_known && !f.inbound) after = c_.translator->translated(before);
  if (rewritten) {  // a socket load balancer: the program asked for one address, the socket went to another
    if (!after) after = before;
    before.destination = asked, before.destination_port = f.asked.port;
  }
  if (f.inbound) std::swap(before.source, before.destination), std::swap(before.source_port, before.destination_port);
  row.text("SrcIpAddr", before.source.value ? before.source.to_string() : std::string());
  if (before.source_port) row.number("SrcPortNumber", before.source_port);
  row.text("DstIpAddr", before.destination.to_string()).number("DstPortNumber", before.destination_port);
  if (after) {
    row.text("SrcNatIpAddr", after->source.to_string()).number("SrcNatPortNumber", after->source_port);
    if (after->destination != before.destination || after->destination_port != before.destination_port)
      row.text("DstNatIpAddr", after->destination.to_string()).number("DstNatPortNumber", after->destination_port);
  }
  if (!f.inbound) row.text("DstHostname", c_.names.of(f.owner.netns, rewritten ? asked : remote));

  const bool sent_is_out = !f.inbound;
  row.number("SrcBytes", static_cast<int64_t>(sent_is_out ? f.bytes_out : f.bytes_in));
  row.number("DstBytes", static_cast<int64_t>(sent_is_out ? f.bytes_in : f.bytes_out));
  row.number("SrcPackets", static_cast<int64_t>(sent_is_out ? f.packets_out : f.packets_in));
  row.number("DstPackets", static_cast<int64_t>(sent_is_out ? f.packets_in : f.packets_out));
  row.number("NetworkDuration", (end - start) / 10'000);
  if (tcp) {
    if (f.retransmissions) row.number("TcpRetransmissions", f.retransmissions);
    if (f.rtt_us) row.number("TcpRoundTripMicroseconds", f.rtt_us);
    if (f.established > f.start && f.start) row.number("TcpConnectMicroseconds", static_cast<int64_t>((f.established - f.start) / 1000));
  }
  if (f.rest_packets) {
    row.text("EventMessage",
             fmt::format("the socket sent {} packets with {} bytes to further destinations that there was no room to tell apart",
                         f.rest_packets, f.rest_bytes));
  }
  add_owner(row, c_, identity, process.name);
  if (f.owner.pid) {
    row.text("SrcAppType", "Process").text("SrcAppId", fmt::format("{}", f.owner.pid));
    row.text("SrcAppName", process.path.empty() ? process.name : process.path);
    row.text("SrcUserId", fmt::format("{}", f.owner.uid));
  }
  c_.out->add(row);
}

}  // namespace egret::sensor
