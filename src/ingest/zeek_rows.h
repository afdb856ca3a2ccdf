#pragma once
// Records of Zeek's logs as rows. A record is an array of texts, one for each field that the log's kind wants; TSV and JSON
// readers fill it, the writers here do not know which.
#include <array>
#include <span>
#include <string_view>

#include "ingest/decoder.h"

namespace egret::ingest {

enum class ZeekLog { kConn, kDns, kHttp, kSsl, kOther };

// The kind by Zeek's path ("conn", "dns", also "conn_long", "conn.log"); kOther for the rest.
ZeekLog zeek_log(std::string_view path);
// Fields that are wanted of that kind, in the order of the record. At most kZeekMostFields.
std::span<const std::string_view> zeek_fields(ZeekLog log);
inline constexpr size_t kZeekMostFields = 24;

// '' is unset. Vectors and sets are comma-separated.
using ZeekRecord = std::array<std::string_view, kZeekMostFields>;

class ZeekRows {
 public:
  ZeekRows(Sink& sink, std::string_view cluster) : sink_(sink), cluster_(cluster) {}
  // Adds the record's row. Null when it did, else what is wrong.
  const char* add(ZeekLog log, const ZeekRecord& record);
  void finish();  // coverage

 private:
  const char* conn(const ZeekRecord& r);
  const char* dns(const ZeekRecord& r);
  const char* web(const ZeekRecord& r, bool ssl);
  void seen(ZeekLog log, Ticks from, Ticks to);

  Sink& sink_;
  std::string_view cluster_;
  struct Span {
    Ticks from = 0, to = 0;
  } spans_[4];
  std::array<int, 24> conn_{}, dns_{}, web_{};  // column numbers
  bool conn_ready_ = false, dns_ready_ = false, web_ready_ = false;
};

}  // namespace egret::ingest
