#include "sensor/lookups.h"

#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>

#include "base/dns_names.h"
#include "base/json.h"

namespace egret::sensor {

namespace {

constexpr uint64_t kAnswerTime = 5'000'000'000;
constexpr size_t kMostWaiting = 8192;

uint64_t key_of(uint64_t cookie, const capture::DnsMessage& m) {
  uint64_t key = cookie * 0x9e3779b97f4a7c15ULL ^ m.id;
  if (!m.questions.empty()) key ^= std::hash<std::string>()(m.questions[0].name) + m.questions[0].type * 0xff51afd7ed558ccdULL;
  return key;
}

}  // namespace

void Lookups::on_payload(const PayloadEvent& e) {
  if (!c_.owners->of(e.owner).ours) return;
  capture::Bytes bytes(e.data, std::min<size_t>(e.length, kPayloadBytes));
  if (e.protocol == IPPROTO_TCP) {  // two bytes of length first; a resolver may send them in a segment of their own
    if (bytes.size() <= 2) return;
    bytes = bytes.subspan(2);
  }
  if (!capture::parse_dns_message(bytes, message_)) {
    ++malformed_;
    return;
  }
  const uint64_t key = key_of(e.cookie, message_);
  Question q{e.owner, e.local, e.remote, e.header.time, e.protocol, message_.id, {}};
  if (!message_.questions.empty()) q.question = message_.questions[0];
  if (!message_.response) {
    if (e.ingress) return;
    if (waiting_.size() >= kMostWaiting) {  // nobody answers, or someone floods: the question's row is written at once
      write(q, nullptr, e.header.time, true);
      return;
    }
    waiting_.insert_or_assign(key, std::move(q));
    return;
  }
  const auto it = waiting_.find(key);
  write(it == waiting_.end() ? q : it->second, &message_, e.header.time, it != waiting_.end());
  if (it != waiting_.end()) waiting_.erase(it);
}

void Lookups::tick(uint64_t now_ns) {
  std::erase_if(waiting_, [&](const auto& entry) {
    const Question& q = entry.second;
    if (q.time + kAnswerTime > now_ns) return false;
    write(q, nullptr, q.time, true);
    return true;
  });
}

void Lookups::write(const Question& q, const capture::DnsMessage* answer, uint64_t time, bool question_seen) {
  const Identity& identity = c_.owners->of(q.owner);
  const Process& process = c_.processes->of(q.owner);
  Row row("ASimDnsActivityLogs", c_.clock.wall(time));
  row.text("EventVendor", "Egret").text("EventProduct", "sensor").text("EventType", "Query");
  row.text("EventSubType", answer ? "response" : "request").number("EventCount", 1);
  row.time("EventStartTime", c_.clock.wall(q.time)).time("EventEndTime", c_.clock.wall(time));
  row.text("SrcIpAddr", address_of(q.local).to_string()).number("SrcPortNumber", q.local.port);
  row.text("DstIpAddr", address_of(q.remote).to_string()).number("DstPortNumber", q.remote.port);
  row.text("NetworkProtocol", protocol_name(q.protocol)).text("TransactionIdHex", fmt::format("{:04x}", q.id));
  row.text("DnsQuery", q.question.name).number("DnsQueryType", q.question.type);
  row.text("DnsQueryTypeName", dns_type_name(q.question.type));
  if (answer) {
    row.text("EventResult", answer->rcode == 0 ? "Success" : "Failure").text("EventResultDetails", dns_code_name(answer->rcode));
    row.number("DnsResponseCode", answer->rcode);
    std::string text, addresses;
    int64_t least_ttl = -1;
    for (const capture::DnsRecord& r : answer->answers) {
      if (!r.text.empty()) text += (text.empty() ? "" : ",") + r.text;
      least_ttl = least_ttl < 0 ? r.ttl : std::min<int64_t>(least_ttl, r.ttl);
      if (!r.is_address) continue;
      addresses += (addresses.empty() ? "[" : ",") + json_quote(r.text);
      if (const auto a = IpAddress::parse(r.text)) c_.names.learn(q.owner.netns, *a, q.question.name);
    }
    row.text("DnsResponseName", text).dynamic("Answers", addresses.empty() ? addresses : addresses + "]");
    if (least_ttl >= 0) row.number("DnsAnswerTtl", least_ttl);
    if (question_seen && time > q.time) row.number("DnsNetworkDuration", static_cast<int64_t>((time - q.time) / 1'000'000));
  } else {
    row.text("EventResult", "NA").text("EventResultDetails", "no answer");
  }
  add_owner(row, c_, identity, process.name);
  if (q.owner.pid)
    row.text("SrcProcessName", process.path.empty() ? process.name : process.path).text("SrcProcessId", fmt::format("{}", q.owner.pid));
  c_.out->add(row);
}

}  // namespace egret::sensor
