#pragma once
// What follows from Azure Firewall's rows: DNS rows from its DNS proxy, and rows of the structured tables from the texts that it wrote
// into AzureDiagnostics before those tables were there.
#include <string>
#include <string_view>

#include "ingest/decoder.h"

namespace egret::ingest {

struct FirewallContext {
  Ticks time = 0;
  std::string cluster = {}, resource_id = {};
};

// "TCP request from 10.0.0.4:44432 to 10.1.6.7:80. Action: Allow. Rule Collection: a. Rule: b", "HTTPS request from … to name:443. Url: …",
// "DNS Request: 10.0.0.7:48197 - 15676 AAAA IN name. udp 55 false 512 NOERROR qr,rd,ra 0 0.002s". False when it is none of these.
bool firewall_text_rows(std::string_view text, const FirewallContext& context, Sink& sink);
// The ASimDnsActivityLogs row of an AZFWDnsQuery row.
void firewall_dns_row(const model::Batch& rows, size_t row, std::string_view cluster, Sink& sink);
// The text of a JSON string with its quotes ("\"a\\nb\"" → a, line end, b); the input itself when it is none.
std::string json_text(std::string_view quoted);

}  // namespace egret::ingest
