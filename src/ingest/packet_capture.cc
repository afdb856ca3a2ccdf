// Capture files (pcap, pcapng): flows, DNS, HTTP and TLS as rows, by the room `capture`.
#include <fmt/format.h>

#include "base/text.h"
#include "capture/rows.h"
#include "ingest/decoder.h"

namespace egret::ingest {
namespace {

void read(const Source& source, Sink& sink, capture::ByteSource bytes) {
  capture::Rows rows([&](std::string_view table) -> model::Batch& { return sink.rows(table); }, source.cluster);
  const capture::FileFacts facts = capture::read_capture(std::move(bytes), rows, {}, [&](const capture::Damage& d) {
    sink.error(0, d.reason, fmt::format("at byte {}", d.offset),
               "what could be read was taken; copy or export the file again for the rest");
  });
  const capture::Counters& c = facts.counters;
  const auto left_out = [&](uint64_t n, std::string reason, std::string hint = {}) {
    if (n) sink.error(0, std::move(reason), count_of(n, "packet"), std::move(hint));
  };
  left_out(c.truncated, "packets that end within a header", c.cut ? "capture with a larger snap length (tcpdump -s 0)" : "");
  left_out(c.malformed, "packets with an IP header that cannot be");
  left_out(c.fragments_given_up, "fragments whose rest is not in the capture");
  for (const auto& [type, n] : c.unknown_links)
    left_out(n, fmt::format("packets of link type {}, which is not understood", type),
             "capture on an Ethernet, raw IP or \"any\" interface");
  if (c.cut > c.truncated) sink.note("packets are cut by the snap length: names and requests in them may be missing");
  if (c.evicted) sink.note(fmt::format("{} of a capture ended early, because there were too many at a time", count_of(c.evicted, "flow")));
  if (facts.packets == 0) return;

  const capture::Identity& pod = facts.identity;
  Coverage coverage;
  coverage.cluster = pod.cluster.empty() ? source.cluster : pod.cluster;
  coverage.scope = !pod.pod.empty() ? "pod" : coverage.cluster.empty() ? "network" : "cluster";
  if (!pod.pod.empty()) coverage.name = pod.name_space + "/" + pod.pod;
  coverage.source = "packet-capture";
  coverage.from = kUnixEpochTicks + c.first / 100;
  coverage.to = kUnixEpochTicks + c.last / 100;
  coverage.completeness = static_cast<double>(facts.packets) / static_cast<double>(facts.packets + facts.dropped);
  // A capture sees what passes one place: of a pod all, of a cluster some of it, and nobody knows how much.
  if (pod.pod.empty() && coverage.scope == "cluster") coverage.scope = "network";
  for (const auto& [table, n] : {std::pair{"ASimNetworkSessionLogs", rows.flows}, std::pair{"ASimDnsActivityLogs", rows.dns_rows},
                                 std::pair{"ASimWebSessionLogs", rows.http_rows + rows.tls_rows}}) {
    coverage.table = table;
    coverage.rows = static_cast<int64_t>(n);
    sink.covered(coverage);
  }
}

int recognise(std::string_view head, std::string_view) { return capture::PacketFile::recognise(capture::as_bytes(head)) ? 100 : 0; }

void decode(const Source& source, Sink& sink) { read(source, sink, capture::ByteSource::of(capture::as_bytes(source.bytes))); }

void decode_file(const Source& source, const std::filesystem::path& file, Sink& sink) {
  auto bytes = capture::ByteSource::open(file);
  if (!bytes) return sink.error(0, bytes.error().message, {});
  read(source, sink, std::move(*bytes));
}

}  // namespace

extern const Decoder kPacketCapture;
const Decoder kPacketCapture{"packet-capture",
                             "pcap and pcapng, damaged ones too: flows, DNS, HTTP and TLS of their packets",
                             "ASimNetworkSessionLogs,ASimDnsActivityLogs,ASimWebSessionLogs",
                             recognise,
                             decode,
                             decode_file};

}  // namespace egret::ingest
