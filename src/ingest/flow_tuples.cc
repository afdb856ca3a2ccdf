// VNet and NSG flow logs: blobs with one `records` array, JSON lines of records, and records that a shipper flattened. Documented
// at learn.microsoft.com/azure/network-watcher ("vnet-flow-logs-overview", "nsg-flow-logs-overview").
//
// These are the biggest files of an investigation, so the JSON is not parsed into a tree: the scanner only tells keys, strings
// and nesting apart, which the format allows (tuples have no escapes), and keeps views. Members come in any order (some writers
// sort keys), so a record's tuples are held back until its object closes.
#include <fmt/format.h>

#include <array>
#include <cstring>

#include "base/ip.h"
#include "ingest/decoder.h"
#include "ingest/resource_id.h"
#include "ingest/whole_number.h"

namespace egret::ingest {
namespace {

struct Group {
  std::string_view rule, mac;
  bool rule_set = false, mac_set = false;
};
struct Tuple {
  std::string_view text;
  uint32_t group;
};
// An open object or array, and what its members said.
struct Level {
  bool object = false, record = false;
  std::string_view rule, mac, time, id;
  size_t first_group = 0;
};

struct Columns {
  explicit Columns(const model::Batch& b)
      : time(b.column("TimeGenerated")),
        end(b.column("EventEndTime")),
        start(b.column("EventStartTime")),
        vendor(b.column("EventVendor")),
        product(b.column("EventProduct")),
        type(b.column("EventType")),
        sub_type(b.column("EventSubType")),
        result(b.column("EventResult")),
        count(b.column("EventCount")),
        action(b.column("DvcAction")),
        src(b.column("SrcIpAddr")),
        src_port(b.column("SrcPortNumber")),
        dst(b.column("DstIpAddr")),
        dst_port(b.column("DstPortNumber")),
        protocol(b.column("NetworkProtocol")),
        direction(b.column("NetworkDirection")),
        rule(b.column("NetworkRuleName")),
        src_bytes(b.column("SrcBytes")),
        dst_bytes(b.column("DstBytes")),
        src_packets(b.column("SrcPackets")),
        dst_packets(b.column("DstPackets")),
        mac(b.column("SrcMacAddr")),
        id(b.column("DvcId")),
        cluster(b.column("Cluster")),
        precision(b.column("TimePrecision")) {}
  int time, end, start, vendor, product, type, sub_type, result, count, action, src, src_port, dst, dst_port, protocol, direction, rule,
      src_bytes, dst_bytes, src_packets, dst_packets, mac, id, cluster, precision;
};

constexpr std::string_view kTable = "ASimNetworkSessionLogs";
constexpr size_t kDeepest = 64;

std::string_view protocol_name(std::string_view p) {
  if (p == "6" || p == "T") return "TCP";
  if (p == "17" || p == "U") return "UDP";
  if (p == "1") return "ICMP";
  if (p == "58") return "ICMPV6";
  if (p == "50") return "ESP";
  if (p == "47") return "GRE";
  return p;
}

class Scanner {
 public:
  Scanner(const Source& source, Sink& sink) : source_(source), sink_(sink), columns_(sink.rows(kTable)) {}

  void run() {
    const std::string_view s = source_.bytes;
    const char* at = s.data();
    const char* const end = at + s.size();
    std::string_view key;
    bool have_key = false;
    while (at < end) {
      const char c = *at;
      if (c == '"') {
        const char* const from = at + 1;
        const char* to = from;
        for (;;) {
          to = static_cast<const char*>(std::memchr(to, '"', static_cast<size_t>(end - to)));
          if (!to) break;
          size_t slashes = 0;
          while (to - 1 - slashes >= from && to[-1 - static_cast<std::ptrdiff_t>(slashes)] == '\\') ++slashes;
          if (slashes % 2 == 0) break;
          ++to;
        }
        if (!to) {
          fail("the file ends inside a text", std::string_view(from, static_cast<size_t>(end - from)), from);
          complete_ = false;
          break;
        }
        const std::string_view text(from, static_cast<size_t>(to - from));
        at = to + 1;
        if (in_tuples_) {
          tuples_.push_back({text, static_cast<uint32_t>(groups_.size() - 1)});
          continue;
        }
        if (!have_key) {
          while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) ++at;
          if (at < end && *at == ':') {
            ++at;
            key = text;
            have_key = true;
            if (!levels_.empty() && (key == "time" || key == "category" || key == "operationName")) levels_.back().record = true;
            continue;
          }
        }
        if (have_key) value(key, text);
        have_key = false;
        continue;
      }
      ++at;
      switch (c) {
        case '{':
        case '[':
          if (levels_.size() >= kDeepest) {
            fail("nested deeper than a flow log ever is", std::string_view(at - 1, 1), at);
            return;
          }
          if (c == '[' && have_key && key == "flowTuples") {
            in_tuples_ = true;
            groups_.emplace_back();
          }
          levels_.push_back({.object = c == '{',
                             .record = false,
                             .rule = {},
                             .mac = {},
                             .time = {},
                             .id = {},
                             .first_group = groups_.size() - (in_tuples_ ? 1 : 0)});
          have_key = false;
          break;
        case ']':
        case '}':
          in_tuples_ = false;
          have_key = false;
          if (!levels_.empty()) close();
          break;
        case ',': have_key = false; break;
        default: break;
      }
    }
    if (!levels_.empty()) {
      if (complete_)
        fail("the file ends inside a record", source_.bytes.substr(source_.bytes.size() > 120 ? source_.bytes.size() - 120 : 0), end);
      while (!levels_.empty()) close();
    }
    if (!tuples_.empty()) emit({});
    if (rows_ == 0 && errors_ == 0 && records_ == 0) fail("no flow record in the file", source_.bytes, s.data());
  }

 private:
  void value(std::string_view key, std::string_view text) {
    if (levels_.empty()) return;
    Level& l = levels_.back();
    if (key == "rule")
      l.rule = text;
    else if (key == "mac" || key == "macAddress")
      l.mac = text;
    else if (key == "time")
      l.time = text;
    else if (key == "targetResourceID" || ((key == "resourceId" || key == "resourceID") && l.id.empty()))
      l.id = text;
    else if (key.starts_with("flow.") || key == "flowTuple") {
      groups_.emplace_back();
      tuples_.push_back({text, static_cast<uint32_t>(groups_.size() - 1)});
      l.record = true;
    }
  }

  void close() {
    const Level l = levels_.back();
    levels_.pop_back();
    for (size_t g = l.first_group; g < groups_.size(); ++g) {
      if (!groups_[g].rule_set && !l.rule.empty()) {
        groups_[g].rule = l.rule;
        groups_[g].rule_set = true;
      }
      if (!groups_[g].mac_set && !l.mac.empty()) {
        groups_[g].mac = l.mac;
        groups_[g].mac_set = true;
      }
    }
    if (l.record) {
      ++records_;
      emit(l);
      groups_.clear();
      for (Level& open : levels_) open.first_group = 0;
    }
  }

  void emit(const Level& record) {
    if (record.id != last_id_ || !have_cluster_) {
      last_id_ = record.id;
      id_ = std::string(record.id);
      for (size_t at = 0; (at = id_.find("\\/", at)) != std::string::npos;) id_.erase(at, 1);
      cluster_ = cluster_of_id_or_source(id_, source_, sink_);
      have_cluster_ = true;
    }
    Ticks first = 0, last = 0;
    int64_t rows = 0;
    bool vnet = true;
    for (const Tuple& t : tuples_) {
      Ticks time = 0;
      if (row(t, time, vnet)) {
        first = rows == 0 ? time : std::min(first, time);
        last = rows == 0 ? time : std::max(last, time);
        ++rows;
      }
    }
    tuples_.clear();
    rows_ += static_cast<uint64_t>(rows);
    const auto logged = parse_time(record.time);
    if (logged) {
      if (rows == 0) first = last = *logged;
      first = std::min(first, *logged - kTicksPerMinute);
      last = std::max(last, *logged);
    } else if (rows == 0) {
      return;
    }
    const std::string_view network = std::string_view(id_).substr(id_.rfind('/') + 1);
    sink_.covered({.cluster = cluster_,
                   .scope = cluster_.empty() ? "network" : "cluster",
                   .name = cluster_.empty() ? std::string(network) : "",
                   .source = vnet ? "vnet-flow" : "nsg-flow",
                   .table = std::string(kTable),
                   .from = first,
                   .to = last,
                   .completeness = 1,
                   .rows = rows});
  }

  // timestamp, source, destination, ports, protocol, direction, then VNet: state, encryption, counters; NSG: decision[, state, counters].
  bool row(const Tuple& t, Ticks& time, bool& vnet) {
    std::array<std::string_view, 14> f;
    size_t n = 0;
    const char* at = t.text.data();
    const char* const end = at + t.text.size();
    for (;;) {
      const char* comma = at < end ? static_cast<const char*>(std::memchr(at, ',', static_cast<size_t>(end - at))) : nullptr;
      if (n == f.size()) return fail("more fields than a flow tuple has", t.text, t.text.data());
      f[n++] = std::string_view(at, static_cast<size_t>((comma ? comma : end) - at));
      if (!comma) break;
      at = comma + 1;
    }
    if (n < 8) return fail(fmt::format("a flow tuple has at least 8 fields, this one {}", n), t.text, t.text.data());
    int64_t stamp = 0;
    if (!whole_number(f[0], stamp) || stamp <= 0) return fail("the tuple's time is not a number", t.text, t.text.data());
    const auto when = time_of_epoch(stamp);
    if (!when) return fail("the tuple's time is out of range", t.text, t.text.data());
    time = *when;
    if (!IpAddress::parse(f[1])) return fail("the source is not an IP address", t.text, t.text.data());
    if (!IpAddress::parse(f[2])) return fail("the destination is not an IP address", t.text, t.text.data());
    int64_t sport = 0, dport = 0;
    if (!(f[3].empty() || whole_number(f[3], sport)) || !(f[4].empty() || whole_number(f[4], dport)) || sport > 65535 || dport > 65535 ||
        sport < 0 || dport < 0)
      return fail("a port is not a number from 0 to 65535", t.text, t.text.data());
    if (f[6] != "I" && f[6] != "O") return fail("the direction is neither I nor O", t.text, t.text.data());
    vnet = !(f[5] == "T" || f[5] == "U");
    char state = 0;
    bool denied = false;
    size_t counters = 0;
    if (vnet) {
      if (f[7].size() != 1 || !std::strchr("BCED", f[7][0])) return fail("the flow state is none of B, C, E, D", t.text, t.text.data());
      state = f[7][0];
      denied = state == 'D';
      counters = 9;
    } else {
      if (f[7] != "A" && f[7] != "D") return fail("the decision is neither A nor D", t.text, t.text.data());
      denied = f[7] == "D";
      if (n > 8 && !f[8].empty()) {
        if (f[8].size() != 1 || !std::strchr("BCE", f[8][0])) return fail("the flow state is none of B, C, E", t.text, t.text.data());
        state = f[8][0];
      }
      counters = 9;
    }
    int64_t counter[4] = {-1, -1, -1, -1};
    for (size_t i = 0; i < 4 && counters + i < n; ++i)
      if (!f[counters + i].empty() && !whole_number(f[counters + i], counter[i]))
        return fail("a counter is not a number", t.text, t.text.data());

    model::Batch& b = sink_.rows(kTable);
    const Columns& c = columns_;
    b.add_row();
    b.set_datetime(c.time, time);
    if (state != 'C' && state != 'E') b.set_datetime(c.start, time);
    b.set_datetime(c.end, time);
    b.set_string(c.vendor, "Microsoft");
    b.set_string(c.product, vnet ? "VNet flow log" : "NSG flow log");
    b.set_string(c.type, "Flow");
    b.set_string(c.sub_type, denied ? "Deny" : state == 'B' ? "Start" : state == 'C' ? "Continue" : state == 'E' ? "End" : "");
    b.set_string(c.result, denied ? "Failure" : "Success");
    b.set_int(c.count, 1);
    b.set_string(c.action, denied ? "Deny" : "Allow");
    b.set_string(c.src, f[1]);
    b.set_int(c.src_port, sport);
    b.set_string(c.dst, f[2]);
    b.set_int(c.dst_port, dport);
    b.set_string(c.protocol, protocol_name(f[5]));
    b.set_string(c.direction, f[6] == "O" ? "Outbound" : "Inbound");
    const Group& g = groups_[t.group];
    if (!g.rule.empty()) b.set_string(c.rule, g.rule);
    if (!g.mac.empty()) b.set_string(c.mac, g.mac);
    if (!id_.empty()) b.set_string(c.id, id_);
    if (!cluster_.empty()) b.set_string(c.cluster, cluster_);
    if (counter[0] >= 0) b.set_int(c.src_packets, counter[0]);
    if (counter[1] >= 0) b.set_int(c.src_bytes, counter[1]);
    if (counter[2] >= 0) b.set_int(c.dst_packets, counter[2]);
    if (counter[3] >= 0) b.set_int(c.dst_bytes, counter[3]);
    b.set_timespan(c.precision, kTicksPerMinute);
    return true;
  }

  bool fail(std::string reason, std::string_view beginning, const char* where) {
    // Lines are counted only when there is something to say. A blob is one line: then the record's number says more.
    const std::string_view before = source_.bytes.substr(0, static_cast<size_t>(where - source_.bytes.data()));
    uint64_t line = 1;
    for (size_t at = 0; (at = before.find('\n', at)) != std::string_view::npos; ++at) ++line;
    sink_.error(line == 1 ? records_ + 1 : line, std::move(reason), beginning);
    ++errors_;
    return false;
  }

  const Source& source_;
  Sink& sink_;
  Columns columns_;
  std::vector<Level> levels_;
  std::vector<Group> groups_;
  std::vector<Tuple> tuples_;
  std::string_view last_id_;
  std::string id_, cluster_;
  bool have_cluster_ = false, in_tuples_ = false, complete_ = true;
  uint64_t records_ = 0, rows_ = 0, errors_ = 0;
};

void decode(const Source& source, Sink& sink) { Scanner(source, sink).run(); }

int recognise_vnet(std::string_view head, std::string_view) {
  const bool tuples = head.contains("\"flowTuples\"") || head.contains("\"flow.0\"");
  if (tuples && (head.contains("FlowLogFlowEvent") || head.contains("\"flowRecords\""))) return 97;
  return head.contains("FlowLogFlowEvent") && head.contains("\"category\"") ? 90 : 0;
}

int recognise_nsg(std::string_view head, std::string_view) {
  const bool tuples = head.contains("\"flowTuples\"") || head.contains("\"flow.0\"");
  if (tuples && head.contains("NetworkSecurityGroupFlowEvent")) return 97;
  return head.contains("NetworkSecurityGroupFlowEvent") && head.contains("\"category\"") ? 90 : tuples ? 60 : 0;
}

}  // namespace

extern const Decoder kVnetFlow, kNsgFlow;
const Decoder kVnetFlow{"vnet-flow", "Azure virtual network flow logs (PT1H.json blobs, lines, flattened records)",
                        "ASimNetworkSessionLogs", recognise_vnet, decode};
const Decoder kNsgFlow{"nsg-flow", "Azure NSG flow logs, versions 1 and 2", "ASimNetworkSessionLogs", recognise_nsg, decode};

}  // namespace egret::ingest
