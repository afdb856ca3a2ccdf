#include "drill/render.h"

#include <fmt/format.h>

#include <fstream>

#include "drill/truth.h"
#include "drill/writers.h"

namespace egret::drill {

Result<Rendered> render(const Scenario& scenario, const RenderOptions& options) {
  Profile profile{options.profile, options.profile == "everything" ? 2 : options.profile == "recommended" ? 1 : 0};
  const World world = simulate(scenario, options.seed, options.scale);
  const std::filesystem::path evidence = options.out / "evidence";
  std::error_code ec;
  if (std::filesystem::exists(evidence, ec) && !std::filesystem::is_empty(evidence, ec))
    return usage_error(fmt::format("{} is not empty", evidence.string()), "choose another --out, or remove the folder");
  std::filesystem::create_directories(evidence, ec);
  if (ec) return unavailable(fmt::format("{} cannot be made: {}", evidence.string(), ec.message()));

  Output out(evidence, options.gzip);
  Ledger ledger;
  for (const Cluster& c : world.clusters) {
    ledger.contacts.emplace_back(c.contacts.size(), uint8_t{0});
    ledger.pods.emplace_back(c.pods.size(), uint8_t{0});
  }
  Pen shared{world, out, ledger, profile, Random(world.seed).fork("writers"), scenario.removed};
  write_alerts(shared);
  write_intel(shared);
  if (shared.has("releases")) write_releases(shared);
  for (uint32_t i = 0; i < world.clusters.size(); ++i) {
    // Each source draws from a generator of its own, so that a profile changes what is written and nothing else.
    const auto with = [&](std::string_view source, void (*write)(Pen&, uint32_t), int level) {
      if (profile.level < level || !shared.has(source)) return;
      Pen pen{world,           out, ledger, profile, Random(world.seed).fork("writer " + world.clusters[i].name + std::string(source)),
              scenario.removed};
      write(pen, i);
    };
    with("vnet-flow", write_flow_logs, 0);
    with("inventory", write_inventory, 0);
    with("audit", write_audit, 0);
    with("kubectl", write_objects, 0);
    with("containers", write_containers, 0);
    with("activity", write_activity, 0);
    with("envoy", write_mesh, 1);
    with("autoscaler", write_autoscaler, 1);
    with("firewall", write_firewall, 1);
    with("firewall-dns", write_dns_proxy, 1);
    with("dns-query-logs", write_dns_policy, 1);
    with("app-insights", write_application, 1);
    with("key-vault", write_key_vault, 1);
    with("coredns", write_coredns, 1);
    with("dns-answers", write_dns_answers, 2);
    with("zeek-conn", write_pod_flows, 2);
  }
  TRY_VOID(out.finish());

  const Truth truth = tell_truth(world, ledger, profile, options.seed);
  Rendered r;
  r.evidence = evidence;
  r.truth = options.out / "truth.json";
  std::ofstream file(r.truth, std::ios::binary);
  file << truth.json;
  file.close();
  if (!file) return unavailable(fmt::format("{} cannot be written", r.truth.string()));
  r.totals = out.totals();
  r.cluster = world.clusters[world.affected].name;
  for (const TrueOwner& o : truth.owners) r.owner += fmt::format("{}{}/{}/{}", r.owner.empty() ? "" : ", ", o.ns, o.kind, o.name);
  r.name = world.endpoints[world.target].name;
  r.address = ip_text(world.accused);
  r.knowable = truth.knowable;
  r.why = truth.why;
  r.contacts = truth.contacts;
  for (const Cluster& c : world.clusters) r.connections += c.contacts.size();
  return r;
}

}  // namespace egret::drill
