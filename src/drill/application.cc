// Application Insights (AppRequests, AppDependencies) and the audit log of the Key Vault that the fleet uses.
#include <fmt/format.h>

#include <algorithm>

#include "drill/requests.h"
#include "drill/writers.h"

namespace egret::drill {
namespace {

// Which workloads carry the SDK.
bool instrumented(const World& world, const Workload& x) {
  return !x.system && (x.language == "dotnet" || x.language == "java" || x.language == "node") &&
         (x.ssrf || Random(world.seed).fork("sdk " + x.name).chance(0.6));
}

void common(TableFile& t, const World& world, const Cluster& c, const Pod& p, const Workload& x, Random& r) {
  (void)world;
  t.text("AppRoleName", x.name).text("AppRoleInstance", p.name).text("AppVersion", c.placements[p.placement].revisions[p.revision].tag);
  t.text("OperationId", r.hex(32))
      .text("Id", r.hex(16))
      .number("ItemCount", 1)
      .text("SDKVersion", x.language == "dotnet" ? "rddf:2.22.0-997"
                          : x.language == "java" ? "java:3.6.2"
                                                 : "node:2.9.6");
  t.text("ClientType", "PC").text("SourceSystem", "Azure");
}

}  // namespace

void write_application(Pen& pen, uint32_t index) {
  const World& world = pen.world;
  const Cluster& c = world.clusters[index];
  Random random = pen.random;
  const auto [gap_from, gap_to] = pen.gap(c, "app insights");
  {
    TableFile t(pen, c, "AppRequests");
    for (const Inbound& q : c.inbound) {
      const Pod& p = c.pods[q.pod];
      const Workload& x = world.workload_of(c, p);
      if (!instrumented(world, x) || (q.at >= gap_from && q.at < gap_to)) continue;
      const Request r = request_of(world, c, x, q);
      t.begin(q.at).text("Name", r.action).text("OperationName", r.action).text("Url", fmt::format("https://{}{}", r.host, r.target));
      t.text("ResultCode", std::to_string(q.status))
          .boolean("Success", q.status < 400)
          .number("DurationMs", q.ms)
          .text("ClientIP", "0.0.0.0");
      common(t, world, c, p, x, random);
      t.end();
    }
  }
  TableFile t(pen, c, "AppDependencies");
  for (uint32_t i = 0; i < c.contacts.size(); ++i) {
    const Contact& k = c.contacts[i];
    if (k.pod == kHostProcess || k.dns_only || (k.at >= gap_from && k.at < gap_to)) continue;
    const Pod& p = c.pods[k.pod];
    const Workload& x = world.workload_of(c, p);
    // The SDK sees what goes through the language's own clients: not a shell, not a miner.
    const bool seen = !k.culprit || x.ssrf || world.scenario->classification != "TruePositive";
    if (!instrumented(world, x) || !seen) continue;
    const Endpoint& e = world.endpoints[k.endpoint];
    const bool sql = k.port == 1433;
    t.begin(k.at)
        .text("DependencyType", sql ? "SQL" : "HTTP")
        .text("Target", sql ? e.name + " | orders" : e.name)
        .text("Name", sql                   ? "SQL: " + e.name
                      : k.culprit && x.ssrf ? "POST /u"
                                            : "GET /");
    t.text("Data", sql ? "SELECT 1" : fmt::format("https://{}{}", e.name, k.culprit && x.ssrf ? "/u" : "/"))
        .text("ResultCode", sql ? "0" : "200")
        .boolean("Success", true)
        .number("DurationMs", k.duration_ms);
    common(t, world, c, p, x, random);
    t.end();
    pen.ledger.contacts[index][i] |= kPodRow | kAnswerRow;
    pen.ledger.pods[index][k.pod] = 1;
  }
  pen.ledger.sources.insert("app-insights");
}

void write_key_vault(Pen& pen, uint32_t index) {
  const World& world = pen.world;
  const Cluster& c = world.clusters[index];
  Random random = pen.random;
  struct Read {
    Micros at;
    std::string operation, secret, identity, agent;
    Ip caller;
  };
  const std::string vault = fmt::format("kv-{}-{}", world.organisation, c.region.substr(0, 6));
  std::vector<Read> reads;
  for (const Pod& p : c.pods) {
    const Workload& x = world.workload_of(c, p);
    if (x.system || x.secrets.empty()) continue;
    for (const auto& s : x.secrets) {
      if (p.started >= world.from && p.started < world.to)
        reads.push_back({p.started + random.between(800, 4000) * 1000, "SecretGet", s, x.name,
                         "azsdk-net-Security.KeyVault.Secrets/4.6.0 (.NET 8.0.8; Debian GNU/Linux 12)", random.pick(c.egress_ips)});
      for (Micros t = std::max(p.started, world.from) + random.between(0, 7200) * kSecond; t < std::min(p.ended, world.to);
           t += random.between(5400, 9000) * kSecond)
        reads.push_back({t, "SecretGet", s, x.name, "azsdk-net-Security.KeyVault.Secrets/4.6.0 (.NET 8.0.8; Debian GNU/Linux 12)",
                         random.pick(c.egress_ips)});
    }
  }
  // A token got through the hole is used from the pod, then from outside.
  Micros last = 0;
  for (const Inbound& q : c.inbound) {
    if (!q.ssrf || q.path % 2 != 0 || q.at - last < 10 * kMinute) continue;
    last = q.at;
    const Workload& x = world.workload_of(c, c.pods[q.pod]);
    const Ip from = random.chance(0.6) ? q.client : random.pick(c.egress_ips);
    reads.push_back({q.at + 4 * kSecond, "SecretList", "", x.name, "python-requests/2.31.0", from});
    int n = 0;
    for (const auto& s : x.secrets) reads.push_back({q.at + (5 + n++) * kSecond, "SecretGet", s, x.name, "python-requests/2.31.0", from});
  }
  if (reads.empty()) return;
  std::stable_sort(reads.begin(), reads.end(), [](const Read& a, const Read& b) { return a.at < b.at; });
  std::string resource =
      fmt::format("/SUBSCRIPTIONS/{}/RESOURCEGROUPS/{}/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/{}", c.subscription, c.resource_group, vault);
  for (char& ch : resource) ch = static_cast<char>(std::toupper(ch));
  size_t i = 0;
  for (Micros hour = world.from / kHour * kHour; hour < world.to; hour += kHour) {
    const size_t first = i;
    while (i < reads.size() && reads[i].at < hour + kHour) ++i;
    if (i == first) continue;
    const std::string when = iso(hour);
    Output::File file(pen.out, "key-vault",
                      fmt::format("{}/insights-logs-auditevent/resourceId={}/y={}/m={}/d={}/h={}/m=00/PT1H.json", c.name, resource,
                                  when.substr(0, 4), when.substr(5, 2), when.substr(8, 2), when.substr(11, 2)));
    for (size_t k = first; k < i; ++k) {
      const Read& r = reads[k];
      if (r.at < world.from || r.at >= world.to) continue;
      Random who = Random(world.seed).fork("identity " + r.identity);
      const std::string oid = who.uuid(), app = who.uuid();
      const std::string id = r.secret.empty() ? fmt::format("https://{}.vault.azure.net/secrets", vault)
                                              : fmt::format("https://{}.vault.azure.net/secrets/{}", vault, r.secret);
      fmt::format_to(
          std::back_inserter(file.text()),
          R"({{"time":"{}","category":"AuditEvent","operationName":"{}","resultType":"Success","correlationId":"{}","callerIpAddress":"{}","identity":{{"claim":{{"oid":"{}","appid":"{}","xms_az_rid":"","xms_mirid":"/subscriptions/{}/resourcegroups/{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-{}","http://schemas.microsoft.com/identity/claims/objectidentifier":"{}"}}}},"properties":{{"id":"{}","clientInfo":"{}","requestUri":"{}?api-version=7.4","httpStatusCode":200,"isAccessPolicyMatch":true,"tlsVersion":"TLS1_3"}},"resourceId":"{}","operationVersion":"7.4","resultSignature":"OK","durationMs":"{}"}})",
          iso(r.at, 7), r.operation, random.uuid(), ip_text(r.caller), oid, app, c.subscription, c.resource_group, r.identity, oid, id,
          r.agent, id, resource, random.between(9, 60));
      file.text() += '\n';
      file.row();
    }
  }
  pen.ledger.sources.insert("key-vault");
}

}  // namespace egret::drill
