#include "ingest/table_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/ip.h"
#include "base/json.h"
#include "base/text.h"
#include "ingest/dns_query_rows.h"
#include "ingest/firewall_rows.h"
#include "ingest/indicator.h"
#include "ingest/kube_audit.h"
#include "ingest/log_payload.h"
#include "ingest/resource_id.h"
#include "model/catalogue.h"

namespace egret::ingest {
namespace {

using model::Type;

// Names that other tools, older schemas and classic Application Insights give to a table's columns.
struct Alias {
  std::string_view table, from, to;
};
constexpr Alias kAliases[] = {
    {"SecurityAlert", "Severity", "AlertSeverity"},
    {"SecurityAlert", "StartTimeUtc", "StartTime"},
    {"SecurityAlert", "EndTimeUtc", "EndTime"},
    {"SecurityAlert", "ProviderAlertId", "VendorOriginalId"},
    {"SecurityAlert", "AlertDisplayName", "DisplayName"},
    {"SecurityAlert", "ProcessingEndTimeUtc", "ProcessingEndTime"},
    {"NTANetAnalytics", "SrcIP", "SrcIp"},
    {"NTANetAnalytics", "DestIP", "DestIp"},
    {"NTANetAnalytics", "FlowStartTime_t", "FlowStartTime"},
    {"NTANetAnalytics", "FlowEndTime_t", "FlowEndTime"},
    {"NTANetAnalytics", "FlowIntervalStartTime_t", "FlowIntervalStartTime"},
    {"NTANetAnalytics", "FlowIntervalEndTime_t", "FlowIntervalEndTime"},
    {"NTANetAnalytics", "VMName", "SrcVm"},
    {"NTANetAnalytics", "VM_s", "SrcVm"},
    {"NTANetAnalytics", "VMRegion", "SrcRegion"},
    {"NTANetAnalytics", "RemoteRegion", "DestRegion"},
    {"NTANetAnalytics", "L7Protocol_s", "L7Protocol"},
    {"App", "timestamp", "TimeGenerated"},
    {"App", "operation_Id", "OperationId"},
    {"App", "operation_ParentId", "ParentId"},
    {"App", "operation_Name", "OperationName"},
    {"App", "cloud_RoleName", "AppRoleName"},
    {"App", "cloud_RoleInstance", "AppRoleInstance"},
    {"App", "duration", "DurationMs"},
    {"App", "customDimensions", "Properties"},
    {"App", "customMeasurements", "Measurements"},
    {"App", "client_IP", "ClientIP"},
    {"App", "client_City", "ClientCity"},
    {"App", "client_CountryOrRegion", "ClientCountryOrRegion"},
    {"App", "application_Version", "AppVersion"},
    {"App", "user_Id", "UserId"},
    {"App", "session_Id", "SessionId"},
    {"App", "itemCount", "ItemCount"},
    {"App", "iKey", "IKey"},
    {"AppDependencies", "type", "DependencyType"},
    {"AppExceptions", "type", "ExceptionType"},
};

// What a table's rows cover, in the words of EgretCoverage.Source.
struct Covers {
  std::string_view table, source;
  double completeness;
};
constexpr Covers kCovers[] = {
    {"KubePodInventory", "pod-inventory", 1},   {"KubeNodeInventory", "node-inventory", 1},
    {"KubeEvents", "kube-events", 0.5},         {"SecurityAlert", "security-alert", 1},
    {"AZFWNetworkRule", "firewall-network", 1}, {"AZFWDnsQuery", "firewall-dns", 1},
    {"DNSQueryLogs", "dns-policy", 1},          {"AZFWApplicationRule", "firewall-application", 1},
    {"AZKVAuditLogs", "keyvault-audit", 1},     {"NTANetAnalytics", "vnet-flow", 1},
    {"AppRequests", "app-insights", 1},         {"AppDependencies", "app-insights", 1},
    {"AppTraces", "app-insights", 1},           {"AppExceptions", "app-insights", 1},
    {"ContainerNetworkLogs", "hubble", 1},
};

// Where a row's time may stand when it has no TimeGenerated.
constexpr std::string_view kTimes[] = {"Timestamp", "timestamp", "time", "StartTime", "EventTime", "FlowStartTime", "RequestReceivedTime"};

Type suffix_type(std::string_view column) {
  if (column.ends_with("_d")) return Type::kReal;
  if (column.ends_with("_b")) return Type::kBool;
  if (column.ends_with("_t")) return Type::kDatetime;
  return Type::kString;
}

}  // namespace

struct TableRows::Impl {
  struct Kept {
    const model::Table* table = nullptr;
    std::unordered_map<std::string, int> column;  // by name as it came; -1: the table has none such
    std::map<std::string, uint64_t> left_out;
    std::map<std::string, uint64_t> unreadable;
    int time = -1, cluster = -1;
    // AzureDiagnostics only: its shape grows with the rows.
    std::shared_ptr<model::Table> shape;
    std::unique_ptr<model::Batch> batch;
    struct Span {
      Ticks from, to;
      int64_t rows;
    };
    std::map<std::string, Span> spans;  // by cluster
  };

  Impl(const Source& s, Sink& k) : source(s), sink(k) {}

  Kept& kept(std::string_view name) {
    if (last && last->table->name == name) return *last;
    auto it = tables.find(name);
    if (it == tables.end()) {
      it = tables.emplace(std::string(name), Kept{}).first;
      Kept& t = it->second;
      t.table = model::find_table(name);
      t.time = t.table->find("TimeGenerated");
      t.cluster = t.table->find("Cluster");
      if (name == "AzureDiagnostics") {
        t.shape = std::make_shared<model::Table>(*t.table);
        t.batch = std::make_unique<model::Batch>(t.shape);
      }
    }
    return it->second;
  }

  int find(Kept& t, std::string_view name) {
    const auto it = t.column.find(std::string(name));
    if (it != t.column.end()) return it->second;
    const model::Table& table = t.shape ? *t.shape : *t.table;
    std::string_view bare = bare_column(name);
    int c = table.find(bare);
    for (const Alias& a : kAliases) {
      if (c >= 0) break;
      if (a.from == bare && (a.table == table.name || (a.table == "App" && table.name.starts_with("App")))) c = table.find(a.to);
    }
    for (size_t i = 0; c < 0 && i < table.columns.size(); ++i)
      if (iequals(table.columns[i].name, bare)) c = static_cast<int>(i);
    t.column.emplace(std::string(name), c);
    return c;
  }

  void flush_open(Kept& t, bool again) {
    if (t.batch && !t.batch->empty()) sink.append(std::move(*t.batch));
    t.batch = again ? std::make_unique<model::Batch>(t.shape) : nullptr;
  }

  std::string text(std::string_view column) {
    const int c = row->table().find(column);
    return c < 0 ? std::string() : row->to_text(c, row->rows() - 1);
  }

  // Few ids, many rows.
  const std::string& cluster_named(std::string_view id) {
    const auto it = clusters.find(id);
    if (it != clusters.end()) return it->second;
    if (clusters.size() > 10'000) clusters.clear();
    std::string cluster = cluster_of_id(id, source);
    if (!cluster.empty())
      cluster_of_id_or_source(id, source, sink);
    else
      cluster = cluster_of_id("/" + std::string(id), source);  // traffic analytics cut the front off
    return clusters.emplace(std::string(id), std::move(cluster)).first->second;
  }

  std::string cluster_of_row() {
    for (const std::string_view c :
         {"_ResourceId", "ResourceId", "ClusterId", "AzureResourceId", "SrcNic", "SrcVm", "DestNic", "DestVm", "TargetResourceId"}) {
      const int i = row->table().find(c);
      if (i < 0) continue;
      const std::string_view id = row->text(i, row->rows() - 1);
      if (id.empty()) continue;
      if (const std::string& found = cluster_named(id); !found.empty()) return found;
    }
    if (!id_of_row.empty())
      if (const std::string& found = cluster_named(id_of_row); !found.empty()) return found;
    if (const std::string name = text("ClusterName"); !name.empty()) return spelled(name, source);
    return source.cluster;
  }

  const Source& source;
  Sink& sink;
  std::map<std::string, Kept, std::less<>> tables;
  std::map<std::string, std::string, std::less<>> clusters;  // by id
  Kept* last = nullptr;
  model::Batch* row = nullptr;
  std::string id_of_row;
  std::vector<std::pair<std::string, std::string>> pending_open;  // new columns of an open row, set after widening
  std::optional<AuditDecoder> audit;
  std::optional<LogPayloads> payloads;
  bool audited = false;
  Ticks spare_time = 0;
  std::string public_ips, vm_ip;
};

TableRows::TableRows(const Source& source, Sink& sink) : impl_(std::make_unique<Impl>(source, sink)) {}
TableRows::~TableRows() { finish(); }

bool TableRows::knows(std::string_view table) const { return model::find_table(table) != nullptr; }

void TableRows::begin(std::string_view table) {
  Impl& m = *impl_;
  m.last = &m.kept(table);
  m.row = m.last->batch ? m.last->batch.get() : &m.sink.rows(table);
  m.row->add_row();
  m.id_of_row.clear();
  m.pending_open.clear();
  m.spare_time = 0;
  m.public_ips.clear();
  m.vm_ip.clear();
}

void TableRows::set(std::string_view column, const Cell& cell) {
  Impl& m = *impl_;
  Impl::Kept& t = *m.last;
  if (cell.kind == Cell::kNull) return;
  int c = m.find(t, column);
  TimeForm form = m.source.time_form();
  if (column.ends_with("[UTC]")) {
    form.utc_offset = 0;
    form.zone = nullptr;
  }
  if (c < 0) {
    for (const std::string_view time : kTimes)
      if (column == time && cell.kind == Cell::kText)
        if (const auto v = parse_time(cell.text, form)) m.spare_time = *v;
    if (t.shape && !bare_column(column).empty() && t.shape->columns.size() < 2000) {
      // Kept back until the row ends, since the batch's shape cannot change inside a row.
      std::string text = cell.kind == Cell::kText || cell.kind == Cell::kJson ? std::string(cell.text)
                         : cell.kind == Cell::kBool                           ? (cell.number ? "true" : "false")
                         : cell.kind == Cell::kInt                            ? std::to_string(cell.number)
                                                                              : fmt::format("{}", cell.real);
      if (!text.empty()) m.pending_open.emplace_back(std::string(bare_column(column)), std::move(text));
      return;
    }
    if (t.table->name == "NTANetAnalytics" && cell.kind == Cell::kText) {
      // The table before it had one column for the public peers, and the VM's address apart from source and destination.
      const std::string_view bare = bare_column(column);
      if (bare == "PublicIPs" || bare == "PublicIPs_s") {
        m.public_ips = std::string(cell.text);
        return;
      }
      if (bare == "VMIPAddress" || bare == "VMIP_s") {
        m.vm_ip = std::string(cell.text);
        return;
      }
    }
    if (cell.kind != Cell::kText || !cell.text.empty()) ++t.left_out[std::string(bare_column(column))];
    return;
  }
  const model::Column& shape = m.row->table().columns[static_cast<size_t>(c)];
  if (!set_cell(*m.row, c, cell, form)) ++t.unreadable[shape.name];
}

bool TableRows::has(std::string_view column) const {
  Impl& m = *impl_;
  const int c = m.row->table().find(column);
  if (c < 0 || m.row->is_null(c, m.row->rows() - 1)) return false;
  const Type type = m.row->table().columns[static_cast<size_t>(c)].type;
  return (type != Type::kString && type != Type::kDynamic && type != Type::kGuid) || !m.row->text(c, m.row->rows() - 1).empty();
}

void TableRows::resource(std::string_view id) { impl_->id_of_row = std::string(id); }

bool TableRows::end(uint64_t line, std::string_view beginning) {
  Impl& m = *impl_;
  Impl::Kept& t = *m.last;
  if (t.time >= 0 && !has("TimeGenerated")) {
    Ticks time = m.spare_time;
    for (const std::string_view other : kTimes) {
      const int c = m.row->table().find(other);
      if (time == 0 && c >= 0 && m.row->table().columns[static_cast<size_t>(c)].type == Type::kDatetime)
        time = m.row->number(c, m.row->rows() - 1);
    }
    if (time == 0) {
      m.row->drop_row();
      m.sink.error(line, fmt::format("a {} row without a time that can be read", t.table->name), beginning,
                   "export it with its TimeGenerated column");
      return false;
    }
    m.row->set_datetime(t.time, time);
  }
  if (t.batch && !m.pending_open.empty()) {
    // New columns: earlier rows go out in the old shape, this one moves to the wider.
    auto moved = std::make_shared<model::Table>(*t.shape);
    for (const auto& [name, text] : m.pending_open)
      if (moved->find(name) < 0) {
        moved->columns.push_back({.name = name, .type = suffix_type(name)});
        moved->build_index();
      }
    auto wider = std::make_unique<model::Batch>(moved);
    wider->add_row();
    const size_t at = m.row->rows() - 1;
    for (size_t c = 0; c < t.shape->columns.size(); ++c) {
      const int i = static_cast<int>(c);
      if (m.row->is_null(i, at)) continue;
      switch (t.shape->columns[c].type) {
        case Type::kReal:
        case Type::kDecimal: wider->set_real(i, m.row->real(i, at)); break;
        case Type::kString:
        case Type::kDynamic:
        case Type::kGuid: wider->set_string(i, m.row->text(i, at)); break;
        default: wider->set_int(i, m.row->number(i, at));
      }
    }
    for (const auto& [name, text] : m.pending_open) set_cell(*wider, moved->find(name), Cell::of(text), m.source.time_form());
    m.row->drop_row();
    m.flush_open(t, false);
    t.shape = moved;
    t.batch = std::move(wider);
    m.row = t.batch.get();
    t.column.clear();
  }
  const std::string& name = t.table->name;
  const std::string cluster = m.cluster_of_row();
  if (t.cluster >= 0 && !cluster.empty()) m.row->set_string(t.cluster, cluster);
  const size_t at = m.row->rows() - 1;
  const Ticks time = t.time >= 0 ? m.row->number(t.time, at) : 0;
  auto [span, fresh] = t.spans.emplace(cluster, Impl::Kept::Span{time, time, 0});
  span->second.from = std::min(span->second.from, time);
  span->second.to = std::max(span->second.to, time);
  ++span->second.rows;

  if (name == "AKSAudit" || name == "AKSAuditAdmin") {
    if (!m.audit) m.audit.emplace(m.sink);
    const std::string id = m.text("_ResourceId");
    m.audit->decode_row(*m.row, at,
                        {.cluster = cluster, .admin = name == "AKSAuditAdmin", .resource_id = id, .pod_name = {}, .clock = time});
  } else if (name == "AzureDiagnostics") {
    const std::string category = m.text("Category"), log = m.text("log_s");
    if (category.starts_with("kube-audit") && !log.empty()) {
      if (!m.audit) m.audit.emplace(m.sink);
      const std::string pod = m.text("pod_s");
      if (const std::string why = m.audit->decode_text(log, {.cluster = cluster,
                                                             .admin = category == "kube-audit-admin",
                                                             .resource_id = m.text("_ResourceId"),
                                                             .pod_name = pod,
                                                             .clock = time});
          !why.empty())
        m.sink.error(line, "log_s is not an audit event: " + why, log);
    } else if (const std::string msg = m.text("msg_s"); category.starts_with("AzureFirewall") && !msg.empty()) {
      firewall_text_rows(msg, {.time = time, .cluster = cluster, .resource_id = m.text("_ResourceId")}, m.sink);
    }
  } else if (name == "ContainerLogV2" || name == "ContainerLog") {
    if (!m.payloads) m.payloads.emplace(m.sink);
    std::string message;
    if (name == "ContainerLog") {
      message = m.text("LogEntry");
    } else {
      message = m.text("LogMessage");
      if (message.starts_with('"')) message = json_text(message);
    }
    const std::string ns = m.text("PodNamespace"), pod = m.text("PodName"), container = m.text("ContainerName"), node = m.text("Computer");
    const Payload p = m.payloads->decode(
        message, time, {.cluster = cluster, .node = node, .pod_namespace = ns, .pod = pod, .container = container, .workload = {}});
    if (p == Payload::kMalformed || p == Payload::kNoClock) m.sink.error(line, m.payloads->reason(), message, m.payloads->hint());
  } else if (name == "AZFWDnsQuery") {
    firewall_dns_row(*m.row, at, cluster, m.sink);
  } else if (name == "DNSQueryLogs") {
    dns_query_log_row(*m.row, at, cluster, m.sink);
  } else if (name == "NTANetAnalytics") {
    // The old table wrote lists of public addresses and letters where the new one has words.
    const auto word = [&](std::string_view column, std::string_view from, std::string_view to) {
      const int c = m.row->table().find(column);
      if (c >= 0 && m.row->text(c, at) == from) m.row->set_string(c, to);
    };
    word("FlowDirection", "O", "Outbound");
    word("FlowDirection", "I", "Inbound");
    word("L4Protocol", "T", "TCP");
    word("L4Protocol", "U", "UDP");
    const bool out = m.text("FlowDirection") == "Outbound";
    if (!m.public_ips.empty()) {
      // "['65.55.44.109', '13.71.172.128']" of a notebook, or the table's own "65.55.44.109|1|0|0 …"
      std::string list;
      for (const char ch : m.public_ips) list += ch == '[' || ch == ']' || ch == '\'' || ch == '"' || ch == ',' ? ' ' : ch;
      std::string joined;
      for (const std::string& part : split(list, ' '))
        if (!part.empty()) joined += (joined.empty() ? "" : " ") + part;
      m.row->set_string(m.row->table().find(out ? "DestPublicIps" : "SrcPublicIps"), joined);
    }
    if (!m.vm_ip.empty() && m.text(out ? "SrcIp" : "DestIp").empty())
      m.row->set_string(m.row->table().find(out ? "SrcIp" : "DestIp"), m.vm_ip);
  } else if (name == "ThreatIntelIndicators") {
    if (!has("Observables")) {
      auto found = observables_of_pattern(m.text("Pattern"));
      if (found.empty() && has("ObservableValue"))
        if (Observable o = classify(m.text("ObservableValue")); !o.type.empty()) found.push_back(std::move(o));
      if (!found.empty()) m.row->set_dynamic(m.row->table().find("Observables"), observables_json(found));
    }
  } else if (name == "ThreatIntelligenceIndicator") {
    // Judgement reads the newer table: each row of the old one is there, too.
    Indicator x{.id = m.text("IndicatorId"),
                .name = m.text("ThreatType"),
                .description = m.text("Description"),
                .pattern = {},
                .source = m.text("SourceSystem")};
    for (const std::string_view column :
         {"NetworkIP", "NetworkDestinationIP", "NetworkSourceIP", "NetworkCidrBlock", "NetworkDestinationCidrBlock",
          "NetworkSourceCidrBlock", "DomainName", "Url", "FileHashValue", "EmailSourceIpAddress", "EmailSenderAddress"})
      if (const std::string v = m.text(column); !v.empty()) {
        Observable o = classify(v);
        if (o.type.empty() && column == "DomainName") o = {"domain-name", to_lower(v)};
        if (o.type.empty() && column == "Url") o = {"url", v};
        if (!o.type.empty() && std::find(x.observables.begin(), x.observables.end(), o) == x.observables.end())
          x.observables.push_back(std::move(o));
      }
    if (!x.observables.empty()) {
      x.created = x.modified = time;
      const auto ticks = [&](std::string_view column) -> std::optional<Ticks> {
        const int c = m.row->table().find(column);
        if (c < 0 || m.row->is_null(c, at)) return {};
        return m.row->number(c, at);
      };
      x.valid_until = ticks("ExpirationDateTime");
      if (has("Active")) x.active = ticks("Active").value_or(1) != 0;
      if (has("ConfidenceScore"))
        x.confidence = static_cast<int>(std::clamp(m.row->real(m.row->table().find("ConfidenceScore"), at), 0.0, 100.0));
      if (const std::string tags = m.text("Tags"); !tags.empty()) x.tags.push_back(tags);
      add_indicator(x, m.source, m.sink);
    }
  }
  return true;
}

void TableRows::finish() {
  if (!impl_) return;
  Impl& m = *impl_;
  for (auto& [name, t] : m.tables) {
    if (t.batch) m.flush_open(t, true);
    for (const Covers& c : kCovers)
      if (c.table == name)
        for (const auto& [cluster, span] : t.spans)
          m.sink.covered({.cluster = cluster,
                          .scope = "cluster",
                          .name = {},
                          .source = std::string(c.source),
                          .table = name,
                          .from = span.from,
                          .to = span.to,
                          .completeness = c.completeness,
                          .rows = span.rows});
    t.spans.clear();
    if (!t.left_out.empty()) {
      std::string names;
      size_t n = 0;
      for (const auto& [column, count] : t.left_out) {
        if (++n > 6) break;
        names += (names.empty() ? "" : ", ") + column;
      }
      if (t.left_out.size() > 6) names += fmt::format(" and {} more", t.left_out.size() - 6);
      m.sink.note(fmt::format("{} has no such columns, left out: {}", name, terminal_safe(names)));
      t.left_out.clear();
    }
    for (const auto& [column, count] : t.unreadable)
      m.sink.note(fmt::format("{}.{}: {} did not fit its type and stayed empty", name, column, count_of(count, "value")));
    t.unreadable.clear();
  }
  if (m.audit) m.audit->finish();
  if (m.payloads) m.payloads->finish();
}

}  // namespace egret::ingest
