// DNS over TCP: messages with their length before them (RFC 1035, 4.2.2); and the pairing of questions with answers.
#include <algorithm>

#include "capture/dns_pairs.h"

namespace egret::capture {
namespace {

// Host names of NetBIOS (RFC 1001, 14.1): two letters a byte, the last is the kind of service.
void decode_netbios(std::string& name) {
  std::string_view label(name);
  label = label.substr(0, label.find('.'));
  if (label.size() != 32) return;
  std::string out;
  for (size_t i = 0; i < 32; i += 2) {
    const int high = (label[i] | 32) - 'a', low = (label[i + 1] | 32) - 'a';
    if (high < 0 || high > 15 || low < 0 || low > 15) return;
    out += static_cast<char>(high << 4 | low);
  }
  out.pop_back();
  while (!out.empty() && (out.back() == ' ' || out.back() == '\0')) out.pop_back();
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (static_cast<unsigned char>(c) < 32 || static_cast<unsigned char>(c) > 126) c = '?';
  }
  name = std::move(out);
}

class DnsSession final : public StreamParser {
 public:
  explicit DnsSession(FlowContext& flow) : pairs_(flow) {}

  bool data(bool from_client, Bytes b, int64_t time) override {
    std::string& held = held_[from_client];
    while (!b.empty()) {
      if (held.empty() && b.size() >= 2 && b.size() >= 2u + be16(b.data())) {
        const size_t size = be16(b.data());
        if (!pairs_.message(b.subspan(2, size), time)) return false;
        b = b.subspan(2 + size);
        continue;
      }
      if (held.size() < 2) {
        held += static_cast<char>(b[0]);
        b = b.subspan(1);
        continue;
      }
      const size_t size = be16(as_bytes(held).data());
      const size_t take = std::min(b.size(), 2 + size - held.size());
      held.append(as_text(b.first(take)));
      b = b.subspan(take);
      if (held.size() < 2 + size) continue;
      const bool ok = pairs_.message(as_bytes(held).subspan(2), time);
      held.clear();
      if (!ok) return false;
    }
    return true;
  }
  bool gap(bool, uint64_t, int64_t) override { return false; }
  void end(int64_t) override { pairs_.end(); }
  size_t memory() const override { return pairs_.memory() + held_[0].capacity() + held_[1].capacity(); }

 private:
  DnsPairs pairs_;
  std::string held_[2];
};

}  // namespace

std::unique_ptr<StreamParser> make_dns_session(FlowContext& flow) { return std::make_unique<DnsSession>(flow); }

bool DnsPairs::message(Bytes bytes, int64_t time) {
  DnsMessage m;
  if (!parse_dns_message(bytes, m)) return false;
  if (flow_.who.server_port == 137)
    for (DnsQuestion& q : m.questions) decode_netbios(q.name);
  if (!m.response) {
    // To a group (mDNS) both directions ask; the answer to it comes on another flow.
    if (open_.size() >= kMostOpen) {
      tell(open_.front().message, open_.front().time, 0);
      open_.erase(open_.begin());
    }
    open_.push_back({std::move(m), time});
    return true;
  }
  const auto same = [&](const Open& o) {
    return o.message.id == m.id &&
           (m.questions.empty() || o.message.questions.empty() || o.message.questions[0].name == m.questions[0].name);
  };
  const auto asked = std::find_if(open_.begin(), open_.end(), same);
  if (asked == open_.end()) {
    tell(m, 0, time);
    return true;
  }
  if (m.questions.empty()) m.questions = std::move(asked->message.questions);
  tell(m, asked->time, time);
  open_.erase(asked);
  return true;
}

void DnsPairs::end() {
  for (const Open& o : open_) tell(o.message, o.time, 0);
  open_ = {};
}

void DnsPairs::tell(const DnsMessage& m, int64_t asked, int64_t answered) {
  DnsEvent e;
  e.who = flow_.who;
  e.asked = asked;
  e.answered = answered;
  e.message = &m;
  if (!m.questions.empty()) e.question = &m.questions[0];
  flow_.events.dns(e);
}

}  // namespace egret::capture
