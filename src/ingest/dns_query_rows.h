#pragma once
// What follows from a row of DNSQueryLogs, which a DNS security policy of a virtual network writes: a row of ASimDnsActivityLogs with the
// answers. Its source is the machine that asked Azure's resolver: the node of the CoreDNS pod for what pods ask.
// https://learn.microsoft.com/azure/azure-monitor/reference/tables/dnsquerylogs
#include <string_view>

#include "ingest/decoder.h"

namespace egret::ingest {

void dns_query_log_row(const model::Batch& rows, size_t row, std::string_view cluster, Sink& sink);

}  // namespace egret::ingest
