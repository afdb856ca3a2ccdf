#pragma once
// Events as rows of ASimNetworkSessionLogs, ASimDnsActivityLogs and ASimWebSessionLogs, and a whole capture file as rows.
#include <functional>
#include <string>
#include <string_view>

#include "capture/analysis.h"
#include "capture/identity.h"
#include "model/batch.h"

namespace egret::capture {

inline constexpr std::string_view kProduct = "packet capture";

// Where rows go: the batch of that table to add a row to. Asked for each row, so that it may be flushed and replaced between two.
using RowsOf = std::function<model::Batch&(std::string_view table)>;

class Rows final : public Events {
 public:
  // cluster: of all rows, may be empty; the identity's own wins.
  Rows(RowsOf rows, std::string cluster);
  void set_identity(Identity identity) { identity_ = std::move(identity); }
  const Identity& identity() const { return identity_; }
  void flow(const FlowEvent&) override;
  void dns(const DnsEvent&) override;
  void http(const HttpEvent&) override;
  void tls(const TlsEvent&) override;

  uint64_t flows = 0, dns_rows = 0, http_rows = 0, tls_rows = 0;

 private:
  struct Columns;
  void common(model::Batch& b, const Columns& c, const Conversation& who, int64_t time);
  void web(model::Batch& b, const Columns& c, int direction, const Conversation& who, int64_t time);
  void name_pod(model::Batch& b, const Columns& c);
  bool is_pod(const IpAddress& address) const;

  RowsOf rows_;
  std::string cluster_;
  Identity identity_;
  std::string text_, json_;  // scratch
};

struct FileFacts {
  std::string_view format;  // "pcap", "pcapng", '' when it is neither
  uint64_t packets = 0, bytes = 0;
  Counters counters;
  std::vector<Interface> interfaces;
  std::string application;
  Identity identity;
  uint64_t dropped = 0;  // packets that the capturing side says it lost
};

// Reads a whole file: rows by `rows`, what was damaged by `damage`. Memory is bounded whatever the file.
FileFacts read_capture(ByteSource source, Rows& rows, const Limits& limits, const std::function<void(const Damage&)>& damage);

}  // namespace egret::capture
