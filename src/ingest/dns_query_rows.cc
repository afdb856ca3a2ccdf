#include "ingest/dns_query_rows.h"

#include <simdjson.h>

#include "base/dns_names.h"
#include "base/json.h"
#include "base/text.h"
#include "ingest/json_dom.h"
#include "ingest/row_setter.h"

namespace egret::ingest {

void dns_query_log_row(const model::Batch& b, size_t row, std::string_view cluster, Sink& sink) {
  const auto text = [&](std::string_view column) { return b.text(b.column(column), row); };
  const auto whole = [&](std::string_view column) {
    const int c = b.column(column);
    return b.is_null(c, row) ? std::optional<int64_t>() : std::optional<int64_t>(b.number(c, row));
  };
  // [{"RData":"192.0.2.1","Type":"A","Class":"IN","TTL":300}, …]
  std::string addresses, names;
  const std::string answers(text("Answer"));
  thread_local simdjson::dom::parser parser;
  js::Element list;
  if (parser.parse(answers.data(), answers.size(), true).get(list) == simdjson::SUCCESS)
    js::each(list, [&](const js::Element& record) {
      const std::string_view data = js::text(record, "RData"), type = js::text(record, "Type");
      if (data.empty()) return;
      names += (names.empty() ? "" : ",") + std::string(data);
      if (type == "A" || type == "AAAA") addresses += (addresses.empty() ? "" : ",") + json_quote(data);
    });
  const auto code = whole("ResponseCode");
  const std::string type(text("QueryType"));
  RowSetter(sink.rows("ASimDnsActivityLogs"))
      .time("TimeGenerated", b.number(b.column("TimeGenerated"), row))
      .text("EventVendor", "Microsoft")
      .text("EventProduct", "Azure DNS")
      .text("EventType", "Query")
      .text("EventSubType", "response")
      .text("EventResult", code.value_or(0) == 0 ? "Success" : "Failure")
      .text("EventResultDetails", dns_code_name(static_cast<int>(code.value_or(0))))
      .address("SrcIpAddr", text("SourceIpAddress"))
      .integer("SrcPortNumber", whole("SourcePort"))
      .address("DstIpAddr", text("DestinationIpAddress"))
      .text("DnsQuery", dns_name(text("QueryName")))
      .integer("DnsQueryType", dns_type_number(type))
      .text("DnsQueryTypeName", type)
      .integer("DnsResponseCode", code)
      .text("DnsResponseName", names)
      .text("NetworkProtocol", iequals(text("Transport"), "tcp") ? "TCP" : "UDP")
      .integer("DnsNetworkDuration", whole("QueryResponseTime"))
      .text("Cluster", cluster)
      .json("Answers", addresses.empty() ? "" : "[" + addresses + "]");
}

}  // namespace egret::ingest
