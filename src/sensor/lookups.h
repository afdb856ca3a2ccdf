#pragma once
// DNS payloads become rows of ASimDnsActivityLogs: one for each answer with its question's owner and delay, and one for a question that
// none answered. What the answers say feeds Names.
#include <cstdint>
#include <string>
#include <unordered_map>

#include "capture/dns_message.h"
#include "sensor/context.h"

namespace egret::sensor {

class Lookups {
 public:
  explicit Lookups(Context& context) : c_(context) {}
  void on_payload(const PayloadEvent& e);
  void tick(uint64_t now_ns);  // questions that have waited long enough
  uint64_t malformed() const { return malformed_; }
  size_t waiting() const { return waiting_.size(); }

 private:
  struct Question {
    Owner owner;
    Endpoint local, remote;
    uint64_t time;
    uint8_t protocol;
    uint16_t id;
    capture::DnsQuestion question;
  };
  void write(const Question& q, const capture::DnsMessage* answer, uint64_t time, bool question_seen);

  Context& c_;
  std::unordered_map<uint64_t, Question> waiting_;
  capture::DnsMessage message_;
  uint64_t malformed_ = 0;
};

}  // namespace egret::sensor
