// egret pcap: files of packets as rows.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>

#include "base/json.h"
#include "base/text.h"
#include "capture/rows.h"
#include "cli/command.h"
#include "cli/options.h"
#include "model/catalogue.h"
#include "store/output.h"

namespace egret::cli {
namespace {

constexpr std::string_view kMore =
    "pcap and pcapng, packed with gzip or zstd or not; damaged files give what is good in them. - is standard input.\n"
    "Without --table all three kinds of rows are shown; ndjson writes them as they come, so that memory stays bounded.\n\n"
    "  egret pcap read trace.pcap\n"
    "  egret pcap read --table dns --format csv *.pcapng.gz\n"
    "  egret pcap read --format ndjson big.pcap | jq 'select(.Table == \"ASimWebSessionLogs\") | .DstHostname'\n"
    "  egret ingest FOLDER                     # takes the same files into a data folder, to be queried with KQL";

struct Shown {
  std::string_view column, heading;
};

// What is shown of a table: brief is for people.
struct View {
  std::string_view option, table, title;
  std::vector<Shown> brief;
  std::vector<std::string_view> full;
};

const std::vector<View>& views() {
  static const std::vector<View> kViews = {
      {"flows",
       "ASimNetworkSessionLogs",
       "Flows",
       {{"EventStartTime", "Start"},
        {"SrcIpAddr", "Source"},
        {"SrcPortNumber", "Port"},
        {"DstIpAddr", "Destination"},
        {"DstPortNumber", "DstPort"},
        {"NetworkProtocol", "Protocol"},
        {"NetworkApplicationProtocol", "Application"},
        {"EventOriginalResultDetails", "State"},
        {"NetworkDuration", "Milliseconds"},
        {"SrcBytes", "Sent"},
        {"DstBytes", "Received"},
        {"DstHostname", "Name"}},
       {"TimeGenerated",
        "EventStartTime",
        "EventEndTime",
        "EventOriginalUid",
        "EventResult",
        "EventOriginalResultDetails",
        "SrcIpAddr",
        "SrcPortNumber",
        "DstIpAddr",
        "DstPortNumber",
        "DstHostname",
        "NetworkProtocol",
        "NetworkProtocolVersion",
        "NetworkIcmpType",
        "NetworkIcmpCode",
        "NetworkDirection",
        "NetworkDuration",
        "NetworkApplicationProtocol",
        "NetworkConnectionHistory",
        "SrcBytes",
        "DstBytes",
        "SrcPackets",
        "DstPackets",
        "MissedBytes",
        "SrcMacAddr",
        "SrcVlanId",
        "Cluster",
        "SrcNode",
        "SrcNamespace",
        "SrcPodName",
        "SrcWorkload"}},
      {"dns",
       "ASimDnsActivityLogs",
       "DNS",
       {{"TimeGenerated", "Time"},
        {"SrcIpAddr", "Source"},
        {"DstIpAddr", "Destination"},
        {"DnsQueryTypeName", "Type"},
        {"DnsQuery", "Query"},
        {"EventResultDetails", "Result"},
        {"DnsNetworkDuration", "Milliseconds"},
        {"DnsResponseName", "Answer"}},
       {"TimeGenerated",   "EventOriginalUid", "EventSubType",  "EventResult",   "EventResultDetails", "SrcIpAddr",
        "SrcPortNumber",   "DstIpAddr",        "DstPortNumber", "DnsQuery",      "DnsQueryType",       "DnsQueryTypeName",
        "DnsResponseCode", "DnsResponseName",  "Answers",       "AnswerRecords", "DnsNetworkDuration", "DnsFlags",
        "NetworkProtocol", "TransactionIdHex", "Cluster",       "SrcNamespace",  "SrcPodName",         "SrcWorkload"}},
      {"web",
       "ASimWebSessionLogs",
       "HTTP and TLS",
       {{"TimeGenerated", "Time"},
        {"SrcIpAddr", "Source"},
        {"DstIpAddr", "Destination"},
        {"DstPortNumber", "DstPort"},
        {"NetworkApplicationProtocol", "Application"},
        {"DstHostname", "Name"},
        {"HttpRequestMethod", "Method"},
        {"Url", "Url"},
        {"HttpStatusCode", "Status"},
        {"TlsVersion", "Version"},
        {"EventResult", "Result"}},
       {"TimeGenerated",
        "EventEndTime",
        "EventOriginalUid",
        "EventResult",
        "EventResultDetails",
        "SrcIpAddr",
        "SrcPortNumber",
        "DstIpAddr",
        "DstPortNumber",
        "NetworkApplicationProtocol",
        "DstHostname",
        "HttpHost",
        "HttpRequestMethod",
        "Url",
        "HttpVersion",
        "HttpStatusCode",
        "HttpUserAgent",
        "HttpReferrer",
        "HttpContentType",
        "HttpRequestXff",
        "SrcBytes",
        "DstBytes",
        "NetworkDuration",
        "TlsVersion",
        "TlsCipher",
        "TlsAlpn",
        "TlsJa3",
        "TlsJa3s",
        "Direction",
        "Cluster",
        "SrcNamespace",
        "SrcPodName",
        "SrcWorkload"}},
  };
  return kViews;
}

size_t terminal_width() {
  winsize size{};
  if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) return size.ws_col;
  return 0;
}

// One table's rows on their way to the output: full rows are batched, cut down to the view, and written.
class Printer {
 public:
  Printer(const View& view, bool brief, bool named, const store::OutputOptions& options, store::Output::Write write)
      : batch_(*model::find_table(view.table)), table_(view.table), named_(named) {
    const auto& from = *model::find_table(view.table);
    if (named) shape_.columns.push_back({"Table", model::Type::kString});
    const auto show = [&](std::string_view name, std::string_view heading) {
      columns_.push_back(from.find(name));
      shape_.columns.push_back(from.columns[static_cast<size_t>(columns_.back())]);
      shape_.columns.back().name = heading;
    };
    if (brief)
      for (const Shown& x : view.brief) show(x.column, x.heading);
    else
      for (const std::string_view name : view.full) show(name, name);
    shape_.name = view.table;
    shape_.build_index();
    output_ = std::make_unique<store::Output>(shape_, options, std::move(write));
  }

  model::Batch& batch() {
    if (batch_.rows() >= kRows) flush();
    return batch_;
  }
  void end() {
    flush();
    output_->end();
  }
  uint64_t count() const { return count_ + batch_.rows(); }

 private:
  static constexpr size_t kRows = 2048;

  void flush() {
    if (batch_.empty()) return;
    model::Batch out(shape_);
    for (size_t row = 0; row < batch_.rows(); ++row) {
      out.add_row();
      int to = 0;
      if (named_) out.set_string(to++, table_);
      for (const int from : columns_) {
        const int column = to++;
        if (batch_.is_null(from, row)) continue;
        switch (shape_.columns[static_cast<size_t>(column)].type) {
          case model::Type::kString:
          case model::Type::kDynamic:
          case model::Type::kGuid: out.set_string(column, batch_.text(from, row)); break;
          default: out.set_int(column, batch_.number(from, row)); break;
        }
      }
    }
    output_->rows(out);
    count_ += batch_.rows();
    batch_ = model::Batch(batch_.table());
  }

  model::Batch batch_;
  model::Table shape_;
  std::string_view table_;
  bool named_;
  std::vector<int> columns_;
  std::unique_ptr<store::Output> output_;
  uint64_t count_ = 0;
};

struct FileResult {
  std::string path;
  capture::FileFacts facts;
  std::vector<capture::Damage> damage;
  double seconds = 0;
};

std::string when(int64_t nanoseconds) { return format_datetime(kUnixEpochTicks + nanoseconds / 100); }

std::vector<std::pair<std::string, uint64_t>> left_out(const capture::Counters& c) {
  std::vector<std::pair<std::string, uint64_t>> out;
  const auto add = [&](std::string what, uint64_t n) {
    if (n) out.emplace_back(std::move(what), n);
  };
  add("not IP (ARP and the like)", c.not_ip);
  add("ends within a header", c.truncated);
  add("a header that cannot be", c.malformed);
  for (const auto& [type, n] : c.unknown_links) add(fmt::format("link type {} is not understood", type), n);
  add("fragments whose rest never came", c.fragments_given_up);
  return out;
}

void print_summary(std::FILE* to, const std::vector<FileResult>& files, const capture::Rows& rows) {
  for (const FileResult& f : files) {
    const capture::FileFacts& s = f.facts;
    const capture::Counters& c = s.counters;
    fmt::print(to, "{}: ", terminal_safe(f.path));
    if (s.format.empty()) {
      fmt::print(to, "no capture file\n");
    } else {
      fmt::print(to, "{}, {}, {}", s.format, count_of(s.packets, "packet"), format_bytes(s.bytes));
      if (s.packets) fmt::print(to, ", {} to {}", when(c.first), when(c.last));
      fmt::print(to, "\n");
    }
    if (!s.identity.pod.empty())
      fmt::print(to, "  capture of pod {}/{}{}{}\n", terminal_safe(s.identity.name_space), terminal_safe(s.identity.pod),
                 s.identity.node.empty() ? "" : " on ", terminal_safe(s.identity.node));
    if (s.dropped) fmt::print(to, "  {} lost while capturing\n", count_of(s.dropped, "packet"));
    if (c.cut) fmt::print(to, "  {} only with their beginning (snap length)\n", count_of(c.cut, "packet"));
    for (const auto& [what, n] : left_out(c)) fmt::print(to, "  {} left out: {}\n", count_of(n, "packet"), what);
    if (c.evicted) fmt::print(to, "  {} ended early, because there were too many at a time\n", count_of(c.evicted, "flow"));
    for (const capture::Damage& d : f.damage) fmt::print(to, "  at byte {}: {}\n", with_thousands(d.offset), terminal_safe(d.reason));
  }
  fmt::print(to, "{}, {}, {}, {}\n", count_of(rows.flows, "flow"), count_of(rows.dns_rows, "DNS row"),
             count_of(rows.http_rows, "HTTP request"), count_of(rows.tls_rows, "TLS session"));
}

std::string json_summary(const std::vector<FileResult>& files, const capture::Rows& rows) {
  JsonWriter w;
  const auto number = [&](std::string_view key, uint64_t n) { w.key(key).number(static_cast<int64_t>(n)); };
  w.begin_object();
  number("flows", rows.flows);
  number("dns", rows.dns_rows);
  number("http", rows.http_rows);
  number("tls", rows.tls_rows);
  w.key("files").begin_array();
  for (const FileResult& f : files) {
    const capture::Counters& c = f.facts.counters;
    w.begin_object().key("file").string(f.path).key("format").string(f.facts.format);
    number("packets", f.facts.packets);
    number("bytes", f.facts.bytes);
    number("ip_packets", c.ip_packets);
    number("tunnelled", c.tunnelled);
    number("fragments", c.fragments);
    number("dropped_while_capturing", f.facts.dropped);
    number("cut", c.cut);
    number("flows", c.flows);
    number("flows_evicted", c.evicted);
    if (f.facts.packets) w.key("from").string(when(c.first)).key("to").string(when(c.last));
    w.key("left_out").begin_object();
    for (const auto& [what, n] : left_out(c)) number(what, n);
    w.end_object().key("damage").begin_array();
    for (const capture::Damage& d : f.damage)
      w.begin_object().key("offset").number(static_cast<int64_t>(d.offset)).key("reason").string(d.reason).end_object();
    w.end_array().key("seconds").number(f.seconds).end_object();
  }
  return std::move(w.end_array().end_object()).take();
}

int read(const std::vector<std::string>& args) {
  std::vector<std::string> files;
  std::string format = "table", only, cluster;
  int64_t max_rows = 100, max_flows = 0;
  bool quiet = false;
  Options o("pcap read", "Packets as rows: flows, DNS, HTTP and TLS, and a summary.", kMore);
  o.arguments("FILE", files, "capture files", true)
      .choice("--format", format, store::format_names(), "how rows are written")
      .choice("--table", only, {"flows", "dns", "web"}, "only these rows")
      .value("--cluster", cluster, "NAME", "the cluster that the packets are of")
      .value("--max-rows", max_rows, "N", "rows of each kind that a table shows; 0 shows all")
      .value("--max-flows", max_flows, "N", "flows that are kept open at a time (default 200000)")
      .flag("--summary", quiet, "only the summary");
  if (const auto code = o.parse(args)) return *code;
  if (format == "csv" && only.empty() && !quiet)
    return report(Error{ErrorKind::kUsage, "csv is one table", "add --table flows, dns or web"});
  const store::Format kind = *store::format_from_name(format);
  const bool brief = kind == store::Format::kTable || kind == store::Format::kMarkdown;
  const bool named = kind == store::Format::kNdjson && only.empty();
  const bool sections = only.empty() && kind != store::Format::kNdjson;
  const store::OutputOptions options{.format = kind,
                                     .width = terminal_width(),
                                     .max_rows = static_cast<size_t>(std::max<int64_t>(max_rows, 0)),
                                     .colours = colours(STDOUT_FILENO)};
  std::map<std::string_view, std::unique_ptr<Printer>> printers;
  std::map<std::string_view, std::string> texts;  // of sections: each kind of rows stands together
  std::map<std::string_view, std::unique_ptr<model::Batch>> unseen;
  for (const View& v : views()) {
    if (quiet || (!only.empty() && v.option != only)) {
      unseen[v.table] = std::make_unique<model::Batch>(*model::find_table(v.table));
      continue;
    }
    std::string& text = texts[v.table];
    printers[v.table] = std::make_unique<Printer>(v, brief, named, options, [&text, sections](std::string_view s) {
      if (sections)
        text.append(s);
      else
        std::fwrite(s.data(), 1, s.size(), stdout);
    });
  }
  capture::Rows rows(
      [&](std::string_view table) -> model::Batch& {
        if (const auto it = printers.find(table); it != printers.end()) return it->second->batch();
        std::unique_ptr<model::Batch>& b = unseen[table];
        if (b->rows() >= 2048) *b = model::Batch(b->table());
        return *b;
      },
      cluster);
  capture::Limits limits;
  if (max_flows > 0) limits.flows = static_cast<size_t>(max_flows);
  std::vector<FileResult> results;
  int code = kDone;
  for (const std::string& path : files) {
    auto source = capture::ByteSource::open(path);
    if (!source) {
      code = report(source.error());
      continue;
    }
    FileResult r;
    r.path = path;
    const auto began = std::chrono::steady_clock::now();
    rows.set_identity({});
    r.facts = capture::read_capture(std::move(*source), rows, limits, [&](const capture::Damage& d) { r.damage.push_back(d); });
    r.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    if (r.facts.format.empty())
      code = report(Error{ErrorKind::kUsage, fmt::format("{} is no capture file: {}", path, r.damage.empty() ? "" : r.damage[0].reason),
                          "egret ingest reads logs of other kinds"});
    results.push_back(std::move(r));
  }
  for (auto& [table, p] : printers) p->end();
  if (kind == store::Format::kJson && sections) {
    std::string out = "{\"tables\":{";
    for (const View& v : views())
      if (printers.contains(v.table)) out += (out.back() == '{' ? "" : ",") + json_quote(v.table) + ":" + std::string(trim(texts[v.table]));
    out += "},\"summary\":" + json_summary(results, rows) + "}\n";
    std::fwrite(out.data(), 1, out.size(), stdout);
  } else {
    for (const View& v : views()) {
      const auto it = printers.find(v.table);
      if (it == printers.end() || !sections || it->second->count() == 0) continue;
      fmt::print("{}{}\n{}\n", kind == store::Format::kMarkdown ? "## " : "", v.title, texts[v.table]);
    }
    std::fflush(stdout);
    print_summary(brief ? stdout : stderr, results, rows);
  }
  if (std::fflush(stdout) != 0) return report(Error{ErrorKind::kUnavailable, "the result could not be written"});
  return code;
}

}  // namespace

int pcap_capture(const std::vector<std::string>& args);  // pcap_capture.cc

namespace {

int run(const std::vector<std::string>& args) {
  if (!args.empty() && args[0] == "read") return read({args.begin() + 1, args.end()});
  if (!args.empty() && args[0] == "capture") return pcap_capture({args.begin() + 1, args.end()});
  const bool help = args.empty() || args[0] == "--help" || args[0] == "-h" || args[0] == "help";
  if (!help) {
    fmt::print(stderr, "egret: there is no command 'pcap {}'\n", terminal_safe(args[0]));
    if (const std::string near = near_name(args[0], std::vector<std::string>{"read", "capture"}); !near.empty())
      fmt::print(stderr, "  did you mean 'egret pcap {}'?\n", near);
    return kWrongUsage;
  }
  fmt::print(
      "Packets to rows.\n\nUsage: egret pcap COMMAND [OPTIONS]\n\n  read     flows, DNS, HTTP and TLS of capture files\n  capture  the "
      "packets of one pod into a file\n\nEach has "
      "--help.\n");
  return args.empty() ? kWrongUsage : kDone;
}

}  // namespace

extern const Command kPcap;
const Command kPcap{"pcap", "packets: capture files as rows of flows, DNS, HTTP and TLS; capture of one pod", run};

}  // namespace egret::cli
