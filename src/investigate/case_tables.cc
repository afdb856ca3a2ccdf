#include "investigate/case_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"

namespace egret::investigate {

namespace {

using model::Column;
using model::Type;

constexpr size_t kPrintedRows = 100;  // of a printed datatable; contacts beyond say so in a comment

const model::Table& shape(std::string_view name) {
  static const std::vector<model::Table> all = [] {
    const auto make = [](std::string n, std::vector<Column> columns) {
      model::Table t;
      t.name = std::move(n);
      t.columns = std::move(columns);
      t.build_index();
      return t;
    };
    std::vector<model::Table> v;
    v.push_back(make("CaseAlert", {{.name = "AlertId"},
                                   {.name = "Rule"},
                                   {.name = "Time", .type = Type::kDatetime},
                                   {.name = "EndTime", .type = Type::kDatetime},
                                   {.name = "Severity"},
                                   {.name = "Cluster"},
                                   {.name = "Address"},
                                   {.name = "Port", .type = Type::kInt},
                                   {.name = "Name"},
                                   {.name = "From", .type = Type::kDatetime},
                                   {.name = "To", .type = Type::kDatetime}}));
    v.push_back(make("CaseContacts", {{.name = "Contact", .type = Type::kInt},
                                      {.name = "Time", .type = Type::kDatetime},
                                      {.name = "Cluster"},
                                      {.name = "Node"},
                                      {.name = "Source"},
                                      {.name = "Destination"},
                                      {.name = "Name"},
                                      {.name = "Port", .type = Type::kInt},
                                      {.name = "BytesOut", .type = Type::kLong},
                                      {.name = "BytesIn", .type = Type::kLong},
                                      {.name = "Blocked", .type = Type::kBool}}));
    v.push_back(make("CaseOwners", {{.name = "Cluster"},
                                    {.name = "Namespace"},
                                    {.name = "Kind"},
                                    {.name = "Name"},
                                    {.name = "Workload"},
                                    {.name = "Container"},
                                    {.name = "Probability", .type = Type::kReal},
                                    {.name = "Share", .type = Type::kReal}}));
    v.push_back(make("CaseNames", {{.name = "Name"}, {.name = "Address"}, {.name = "Cluster"}, {.name = "How"}}));
    return v;
  }();
  for (const auto& t : all) {
    if (t.name == name) return t;
  }
  return all.front();
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

bool names(std::string_view query, std::string_view word) {
  for (size_t at = query.find(word); at != std::string_view::npos; at = query.find(word, at + 1)) {
    if ((at == 0 || !is_word(query[at - 1])) && (at + word.size() == query.size() || !is_word(query[at + word.size()]))) return true;
  }
  return false;
}

std::string literal(const model::Batch& b, int column, size_t row) {
  const Type type = b.table().columns[static_cast<size_t>(column)].type;
  switch (type) {
    case Type::kString: return json_quote(b.text(column, row));
    case Type::kDatetime: return b.is_null(column, row) ? "datetime(null)" : "datetime(" + format_datetime(b.number(column, row)) + ")";
    default: return b.is_null(column, row) ? fmt::format("{}(null)", model::type_name(type)) : b.to_text(column, row);
  }
}

}  // namespace

CaseTables::CaseTables(const Answer& answer, Ticks from, Ticks to) : from_(from), to_(to) { build(answer); }

void CaseTables::build(const Answer& a) {
  batches_.clear();
  {
    auto& b = batches_.emplace_back(shape("CaseAlert"));
    b.add_row();
    b.set_string(0, a.alert.id);
    b.set_string(1, a.alert.rule);
    b.set_datetime(2, a.contacts.empty() ? a.alert.time : a.contacts.front().time);
    b.set_datetime(3, std::max({a.alert.end_time, a.alert.time, a.contacts.empty() ? Ticks{0} : a.contacts.back().time}));
    b.set_string(4, a.alert.severity);
    b.set_string(5, a.alert.cluster);
    b.set_string(6, a.alert.address);
    if (a.alert.port) b.set_int(7, *a.alert.port);
    b.set_string(8, a.alert.name);
    b.set_datetime(9, from_);
    b.set_datetime(10, to_);
  }
  {
    auto& b = batches_.emplace_back(shape("CaseContacts"));
    int n = 0;
    for (const auto& c : a.contacts) {
      b.add_row();
      b.set_int(0, ++n);
      b.set_datetime(1, c.time);
      b.set_string(2, c.cluster);
      b.set_string(3, c.node);
      b.set_string(4, c.source);
      b.set_string(5, c.destination);
      b.set_string(6, c.name);
      b.set_int(7, c.port);
      b.set_int(8, c.bytes_out);
      b.set_int(9, c.bytes_in);
      b.set_bool(10, c.blocked);
    }
  }
  {
    // The owners: those with a share, or without shares the most probable one. Someone of little probability is nobody's owner.
    auto& b = batches_.emplace_back(shape("CaseOwners"));
    for (const auto& c : a.candidates) {
      double share = 0;
      for (const auto& o : a.owners) {
        if (o.candidate == c.id() && (o.cluster.empty() || o.cluster == c.cluster)) share += o.share;
      }
      const bool first = a.owner() == &c;
      if (c.kind == "unknown" || (share <= 0 && !first) || c.probability < 0.05) continue;
      b.add_row();
      b.set_string(0, c.cluster);
      b.set_string(1, c.ns);
      b.set_string(2, c.kind);
      b.set_string(3, c.name);
      b.set_string(4, c.id());
      b.set_string(5, c.container);
      b.set_real(6, c.probability);
      b.set_real(7, share > 0 ? share : 1);
    }
  }
  {
    auto& b = batches_.emplace_back(shape("CaseNames"));
    for (const auto& n : a.cause.names) {
      b.add_row();
      b.set_string(0, n.name);
      b.set_string(1, n.address);
      b.set_string(2, n.cluster);
      b.set_string(3, n.source);
    }
  }
}

Result<void> CaseTables::put(store::Engine& engine, const Answer& answer) {
  build(answer);
  for (const auto& b : batches_) TRY_VOID(engine.put_temporary(b.table().name, b));
  return {};
}

std::string CaseTables::printed(std::string_view query) const {
  std::string out;
  for (const auto& b : batches_) {
    const auto& t = b.table();
    if (!names(query, t.name)) continue;
    if (b.rows() > kPrintedRows) out += fmt::format("// {}: the first {} of {} rows\n", t.name, kPrintedRows, b.rows());
    out += "let " + t.name + " = datatable(";
    for (size_t c = 0; c < t.columns.size(); ++c)
      out += fmt::format("{}{}:{}", c ? ", " : "", t.columns[c].name, model::type_name(t.columns[c].type));
    out += ") [";
    for (size_t r = 0; r < std::min(b.rows(), kPrintedRows); ++r) {
      out += r ? ",\n  " : "\n  ";
      for (size_t c = 0; c < t.columns.size(); ++c) out += (c ? ", " : "") + literal(b, static_cast<int>(c), r);
    }
    out += "];\n";
  }
  return out + std::string(query);
}

Result<std::pair<Ticks, Ticks>> flow_span(store::Engine& engine, const Answer& a, Ticks now) {
  const std::string cluster = json_quote(a.alert.cluster);
  const std::string where = a.alert.cluster.empty() ? "" : "| where Cluster == " + cluster + " or isempty(Cluster) ";
  TRY(const auto covered,
      engine.query(
          "EgretCoverage | where Source in ('vnet-flow', 'nsg-flow', 'zeek-conn', 'firewall-network', 'flow-analytics', 'sensor') " +
              where + "| summarize From = min(StartTime), To = max(EndTime), Rows = count()",
          now));
  if (covered.rows() == 1 && !covered.is_null(0, 0) && !covered.is_null(1, 0)) return std::pair{covered.number(0, 0), covered.number(1, 0)};
  TRY(const auto seen, engine.query("EgretFlows " + where + "| summarize From = min(Time), To = max(Time)", now));
  if (seen.rows() == 1 && !seen.is_null(0, 0) && !seen.is_null(1, 0)) return std::pair{seen.number(0, 0), seen.number(1, 0)};
  const Ticks t = a.alert.time ? a.alert.time : now;
  return std::pair{t - kTicksPerHour, t + kTicksPerHour};
}

}  // namespace egret::investigate
