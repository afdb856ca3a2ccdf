// Clusters, names on the internet, and the workloads that the fleet runs.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/ip.h"
#include "base/time.h"
#include "drill/stages.h"
#include "drill/vocabulary.h"

namespace egret::drill {

std::string ip_text(Ip ip) { return fmt::format("{}.{}.{}.{}", ip >> 24, (ip >> 16) & 255, (ip >> 8) & 255, ip & 255); }

std::string iso(Micros t, int digits) {
  const Civil c = civil_from_ticks(kUnixEpochTicks + t * 10);
  std::string s = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second);
  if (digits > 0) s += '.' + fmt::format("{:06}", t % kSecond).append(4, '0').substr(0, static_cast<size_t>(digits));
  return s + 'Z';
}

Ip parse_ip(std::string_view text) {
  const auto a = IpAddress::parse(text);
  assert(a && a->is_v4());
  return a->v4_value();
}

Ip address_of(std::string_view name, Random& random) {
  const auto& ranges = provider(name).ranges;
  const auto c = Cidr::parse(ranges[random.below(ranges.size())]);
  assert(c);
  const uint32_t size = 1U << (128 - c->prefix);
  return c->base.v4_value() + 1 + static_cast<uint32_t>(random.below(size - 2));
}

std::vector<Ip> World::resolve(uint32_t endpoint, uint32_t region, Micros at) const {
  const Endpoint& e = endpoints[endpoint];
  const auto& pool = e.pools[region];
  if (e.rotate_minutes == 0 || pool.size() <= 2) return pool;
  const auto slot = static_cast<uint64_t>(at / (e.rotate_minutes * kMinute));
  Random pick = Random(seed).fork(e.name, slot * 64 + region);
  const size_t first = pick.below(pool.size());
  return {pool[first], pool[(first + 1) % pool.size()]};
}

namespace {

uint32_t add_endpoint(World& w, std::string name, uint16_t port, std::string_view by, Random random) {
  for (uint32_t i = 0; i < w.endpoints.size(); ++i)
    if (w.endpoints[i].name == name && w.endpoints[i].port == port) return i;
  Endpoint e;
  e.name = std::move(name);
  e.port = port;
  e.provider = by;
  e.shared = provider(by).shared;
  e.ttl = static_cast<uint32_t>(random.pick({30U, 60U, 60U, 120U, 300U}));
  const bool regional = e.shared || random.chance(0.3);
  const size_t size = e.shared ? static_cast<size_t>(random.between(2, 6)) : static_cast<size_t>(random.between(1, 3));
  for (size_t r = 0; r < w.regions.size(); ++r) {
    if (r > 0 && !regional) {
      e.pools.push_back(e.pools[0]);
      continue;
    }
    std::vector<Ip> pool;
    for (size_t i = 0; i < size; ++i) pool.push_back(address_of(by, random));
    e.pools.push_back(std::move(pool));
  }
  if (e.shared) e.rotate_minutes = static_cast<int>(random.pick({5, 10, 30}));
  w.endpoints.push_back(std::move(e));
  return static_cast<uint32_t>(w.endpoints.size() - 1);
}

std::string fill(std::string text, const World& w, std::string_view region, Random& random) {
  const auto replace = [&](std::string_view what, const std::string& with) {
    for (size_t at; (at = text.find(what)) != std::string::npos;) text.replace(at, what.size(), with);
  };
  replace("{workspace}", w.workspace_id);
  replace("{region}", std::string(region));
  replace("{cluster}", "aks-" + random.hex(8));
  replace("{id}", std::string(random.pick(kVendors)) + random.hex(4));
  return text;
}

Habit background(uint32_t endpoint, Random& random) {
  Habit h;
  h.endpoint = endpoint;
  const double mean = std::exp(random.real(std::log(240.0), std::log(5400.0)));
  h.every = {mean, mean};
  h.out = {300, 300 + random.real(200, 6000)};
  h.in = {500, 500 + random.real(500, 40000)};
  h.lasts = {0.05, random.real(0.2, 8)};
  h.scattered = random.chance(0.6);
  return h;
}

Workload from_product(World& w, const Product& p, Random random) {
  Workload x;
  x.ns = p.ns;
  x.kind = p.kind;
  x.name = p.name;
  x.container = p.container;
  x.image = p.image;
  x.host_network = p.host_network;
  x.dns_default = p.dns_default;
  x.system = true;
  x.app_label = p.name;
  x.app_label_key = p.label_key;
  x.service_account = x.name;
  x.replicas = p.kind == "Deployment" ? (p.id == "coredns" || p.id == "konnectivity" || p.id == "metrics-server" ? 2 : 1) : 1;
  for (const auto o : p.others) x.images_side.emplace_back(o);
  for (const auto t : p.talks_to) {
    const std::string name = fill(std::string(t), w, w.regions[0], random);
    Habit h = background(add_endpoint(w, name, 443, provider_of(name), random.fork(name)), random);
    h.every = {600, 600};
    h.scattered = random.chance(0.4);
    x.habits.push_back(h);
    Habit start = h;  // what reports on its own start does so at once
    start.on = Act::On::kContainerStart;
    start.wait = {1, 8};
    x.habits.push_back(start);
    if (random.chance(0.3)) x.env.emplace_back("ENDPOINT", "https://" + name);
  }
  if (p.id == "ama-logs" || p.id == "omsagent") {
    x.config_maps = {"container-azm-ms-agentconfig"};
    x.secrets = {p.id == "omsagent" ? "omsagent-secret" : "ama-logs-secret"};
    x.env = {{"AKS_RESOURCE_ID", ""}, {"CONTROLLER_TYPE", "DaemonSet"}, {"USING_AAD_MSI_AUTH", "true"}};
  } else if (random.chance(0.4)) {
    x.config_maps = {x.name + "-config"};
  }
  return x;
}

std::string registry_image(const World& w, std::string_view team, std::string_view name, Random& random) {
  return random.chance(0.5) ? fmt::format("{}.azurecr.io/{}", w.registry, name)
                            : fmt::format("{}.azurecr.io/{}/{}", w.registry, team, name);
}

Workload invented(World& w, std::string_view kind, std::string_view role, std::string_view language, Random& random) {
  Workload x;
  const std::string_view team = random.pick(kTeams);
  x.ns = random.chance(0.5) ? std::string(role) : fmt::format("{}{}", team, random.chance(0.3) ? "-prod" : "");
  x.name = std::string(role) + std::string(random.pick(kSuffixes));
  x.kind = kind;
  x.container = random.chance(0.5) ? x.name : "app";
  x.image = registry_image(w, team, x.name, random);
  constexpr std::string_view kLanguages[] = {"dotnet", "java", "node", "python", "go"};
  x.language = language.empty() ? std::string(kLanguages[random.below(5)]) : std::string(language);
  x.app_label = x.name;
  x.app_label_key = random.chance(0.3) ? "app.kubernetes.io/name" : "app";
  x.service_account = random.chance(0.5) ? x.name : "default";
  x.replicas = static_cast<int>(random.between(1, 4));
  if (x.language == "dotnet") x.env = {{"ASPNETCORE_ENVIRONMENT", "Production"}, {"ASPNETCORE_URLS", "http://+:8080"}};
  if (x.language == "java") x.env = {{"JAVA_TOOL_OPTIONS", "-XX:MaxRAMPercentage=75"}, {"SPRING_PROFILES_ACTIVE", "prod"}};
  if (x.language == "node") x.env = {{"NODE_ENV", "production"}};
  x.env.emplace_back("LOG_LEVEL", "info");
  x.config_maps = {x.name + (random.chance(0.5) ? "-config" : "-settings")};
  if (random.chance(0.4)) x.secrets = {x.name + "-secrets"};
  return x;
}

void background_app(World& w, Workload& x, const std::vector<std::string>& own, Random& random) {
  const int64_t n = random.between(1, 4);
  for (int64_t i = 0; i < n; ++i) {
    const Service& s = random.pick(kServices);
    const uint32_t e = add_endpoint(w, std::string(s.name), s.port, s.provider, Random(w.seed).fork(s.name));
    x.habits.push_back(background(e, random));
    if (random.chance(0.4)) x.env.emplace_back(fmt::format("{}_URL", i == 0 ? "UPSTREAM" : "SERVICE"), fmt::format("https://{}", s.name));
  }
  if (random.chance(0.6)) {
    const std::string& name = random.pick(own);
    const uint16_t port = name.ends_with(".database.windows.net") ? 1433 : name.ends_with(".redis.cache.windows.net") ? 6380 : 443;
    Habit h = background(add_endpoint(w, name, port, "azure", Random(w.seed).fork(name)), random);
    h.every = {300, 300};
    x.habits.push_back(h);
  }
  if (random.chance(0.3)) {  // a check at start that most programs have: licence, feature flags, telemetry
    Habit h = background(x.habits[random.below(x.habits.size())].endpoint, random);
    h.on = Act::On::kContainerStart;
    h.wait = {1, 20};
    x.habits.push_back(h);
  }
}

std::string draw_name(const World& w, const std::string& pattern, Random& random) {
  if (pattern == "*storage")  // an account of somebody's
    return fmt::format("st{}{}.blob.core.windows.net", random.pick({"data", "backup", "arch", "export", "prod"}), random.hex(6));
  if (pattern == "*bucket")
    return fmt::format("{}-{}.s3.{}.amazonaws.com", random.pick(kVendors), random.pick({"drop", "media", "public", "assets"}),
                       random.pick({"eu-west-1", "us-east-1", "eu-central-1"}));
  if (pattern == "*partner")
    return fmt::format("{}.{}{}", random.pick({"hooks", "callbacks", "events", "notify"}), random.pick(kVendors),
                       random.pick({".com", ".io", ".eu"}));
  if (pattern == "*dga") {
    std::string s;
    const auto n = static_cast<size_t>(random.between(11, 17));
    while (s.size() < n) s += static_cast<char>('a' + random.below(26));
    return s + random.pick({".top", ".xyz", ".info", ".site", ".cc"});
  }
  if (pattern == "*lookalike") {
    return fmt::format("{}-{}{}", random.pick({"cdn", "static", "update", "api", "assets", "sync"}), random.pick(kVendors),
                       random.pick({".com", ".net", ".io", ".cloud"}));
  }
  if (pattern == "*vendor")
    return fmt::format("{}.{}{}", random.pick({"telemetry", "ingest", "collect", "api", "edge", "updates"}), random.pick(kVendors),
                       random.pick({".io", ".com", ".dev"}));
  if (pattern == "*mirror")
    return fmt::format("{}.{}{}", random.pick({"mirror", "packages", "repo", "dl"}), random.pick(kVendors),
                       random.pick({".org", ".io", ".net"}));
  if (pattern == "*pool")
    return fmt::format("{}.{}{}", random.pick({"pool", "eu.stratum", "xmr", "gulf"}), random.pick(kVendors),
                       random.pick({"pool.com", "mine.pro", "-xmr.net"}));
  (void)w;
  return pattern;
}

// What a scenario leaves no choice about draws nothing.
std::string one_of(const std::vector<std::string>& from, Random& random) { return from.size() == 1 ? from[0] : random.pick(from); }

Habit habit_of(const Actor& actor, const Act& a, uint32_t endpoint) {
  Habit h;
  h.endpoint = endpoint;
  h.on = a.on;
  h.bad_only = a.bad_only;
  h.after_config = a.after_config;
  h.exfil_dns = a.exfil_dns;
  h.after_break_in = a.after_break_in;
  h.only_asks = a.only_asks;
  h.literal = a.literal;
  h.scattered = a.scattered;
  h.chance = a.chance;
  h.wait = a.wait;
  h.every = a.every;
  h.repeat = a.repeat;
  h.out = a.out;
  h.in = a.in;
  h.lasts = a.lasts;
  h.culprit = !actor.bystander;
  h.only_affected = a.where == "affected";
  return h;
}

void add_clusters(World& w, const Scale& scale, Random random) {
  const Scenario& s = *w.scenario;
  const size_t n = scale.clusters > 0 ? static_cast<size_t>(scale.clusters) : static_cast<size_t>(random.whole(s.clusters));
  std::vector<size_t> order(kRegions.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  random.shuffle(order);
  const bool one_subscription = random.chance(0.5);
  const std::string first_subscription = random.uuid();
  const int64_t style = random.between(0, 3);
  const bool mesh = random.chance(s.mesh), firewall = random.chance(s.firewall);
  const Ip pods = parse_ip(random.pick({"10.244.0.0", "10.244.0.0", "192.168.0.0", "172.16.0.0", "100.64.0.0"}));
  w.affected = static_cast<uint32_t>(random.below(n));
  for (size_t i = 0; i < order.size(); ++i)
    if (kRegions[order[i]].name == s.affected_region) std::swap(order[i], order[w.affected % order.size()]);
  for (size_t i = 0; i < n; ++i) {
    const Region& r = kRegions[order[i % order.size()]];
    Cluster c;
    c.region = r.name;
    c.region_index = static_cast<uint32_t>(i);
    w.regions.push_back(c.region);
    switch (style) {
      case 0: c.name = fmt::format("aks-{}-prod-{}", w.organisation, r.abbreviation); break;
      case 1: c.name = fmt::format("{}-{}-aks-{:02}", w.organisation, r.abbreviation, i / order.size() + 1); break;
      case 2: c.name = fmt::format("aks-prod-{}", r.name); break;
      default: c.name = fmt::format("k8s-{}-{}", r.abbreviation, w.organisation);
    }
    if (i >= order.size()) c.name += fmt::format("-{}", i / order.size() + 1);
    c.subscription = one_subscription ? first_subscription : random.uuid();
    c.resource_group = random.chance(0.5) ? fmt::format("rg-{}-{}", w.organisation, r.abbreviation) : fmt::format("{}-aks", r.name);
    c.node_group = fmt::format("MC_{}_{}_{}", c.resource_group, c.name, c.region);
    c.resource_id = fmt::format("/subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService/managedClusters/{}",
                                c.subscription, c.resource_group, c.name);
    c.uid = random.uuid();
    c.vnet = fmt::format("vnet-{}", c.name);
    c.subnet = "snet-aks-nodes";
    c.vmss =
        fmt::format("aks-{}-{:08}-vmss", random.pick({"nodepool1", "default", "userpool", "apps"}), random.between(10000000, 49999999));
    c.vnet_base = parse_ip("10.0.0.0") + static_cast<Ip>(random.between(1, 200) << 16) + static_cast<Ip>(i << 8);
    c.pod_base = pods;  // the overlay ranges of a fleet are mostly all the same
    c.dns_service = parse_ip("10.0.0.10");
    c.api_server = address_of("azure", random);
    for (int64_t k = random.between(1, 2); k > 0; --k) c.egress_ips.push_back(address_of("azure", random));
    c.firewall = firewall;
    c.firewall_ip = c.vnet_base + (200 << 8) + 4;
    c.mesh = mesh;
    c.affected = i == w.affected;
    c.workspace = random.chance(0.5) ? fmt::format("log-{}-{}", w.organisation, r.abbreviation) : fmt::format("{}-logs", c.name);
    c.domain = fmt::format("{}.internal.cloudapp.net", random.kube_suffix(26));
    c.version = "1.29.9";
    c.inventory_minutes = static_cast<int>(random.pick({10, 10, 15, 15}));
    c.skew = random.chance(0.08) ? random.between(-1200, 1200) * 1000 : random.between(-20, 20) * 1000;
    w.clusters.push_back(std::move(c));
  }
}

}  // namespace

void build_fleet(World& w, const Scale& scale, const Random& root) {
  const Scenario& s = *w.scenario;
  Random random = root.fork("fleet");
  w.organisation = random.pick(kOrganisations);
  w.domain = w.organisation + random.pick({".com", ".io", ".net"});
  w.tenant = random.uuid();
  w.workspace_id = random.uuid();
  w.workspace_group = "rg-" + w.organisation + "-monitor";
  w.registry = "acr" + w.organisation + random.pick({"", "prod", "01"});
  const double hours = scale.hours > 0 ? scale.hours : static_cast<double>(random.whole(s.hours));
  // A window that ends at an investigation, some minute of some day of the last years.
  w.to = (1'672'531'200 + random.between(0, 1000 * 86400) / 60 * 60 + random.between(5, 50)) * kSecond;
  w.from = w.to - static_cast<Micros>(hours * kHour);
  add_clusters(w, scale, random.fork("clusters"));

  // The destinations of the scenario.
  const Cluster& affected = w.clusters[w.affected];
  std::vector<uint32_t> destination(s.destinations.size());
  for (size_t i = 0; i < s.destinations.size(); ++i) {
    const Destination& d = s.destinations[i];
    Random r = random.fork("destination", i);
    std::string by = d.hosting == "cdn"     ? std::string(random.pick({"cloudflare", "fastly", "akamai"}))
                     : d.hosting == "cloud" ? std::string(r.pick({"aws", "google"}))
                                            : d.hosting;
    // A name of the scenario is apart from what the rest of the fleet asks for.
    std::string name;
    if (d.sibling_of.empty()) {
      name = draw_name(w, r.pick(d.names), r);
    } else {
      size_t of = 0;
      while (s.destinations[of].id != d.sibling_of) ++of;
      assert(of < i);  // the parser saw to it
      const std::string other = w.endpoints[destination[of]].name;
      by = w.endpoints[destination[of]].provider;
      const bool deep = std::count(other.begin(), other.end(), '.') > 1;
      const std::string domain = deep ? other.substr(other.find('.') + 1) : other;
      do name = fmt::format("{}.{}", r.pick({"docs", "status", "www", "files", "auth", "blog", "img"}), domain);
      while (name == other);
    }
    const uint32_t e = add_endpoint(w, std::move(name), static_cast<uint16_t>(r.whole(d.port)), by, r.fork("addresses"));
    Endpoint& point = w.endpoints[e];
    point.rotate_minutes = 0;
    point.listed = d.listed;
    point.confidence = static_cast<int>(r.whole(d.confidence));
    for (size_t k = 0; k < point.pools.size(); ++k) {
      if (!d.regional && k > 0) point.pools[k] = point.pools[0];
      if (d.regional) point.pools[k] = {address_of(by, r)};
    }
    if (point.pools[0].size() > 1)
      for (auto& pool : point.pools) pool.resize(1);
    if (!d.address.empty()) point.pools[affected.region_index] = {parse_ip(d.address)};
    destination[i] = e;
    if (i == 0) {
      w.target = e;
      w.accused = point.pools[affected.region_index][0];
    }
  }
  for (size_t i = 0; i < s.destinations.size(); ++i) {
    if (s.destinations[i].same_address_as.empty()) continue;
    for (size_t j = 0; j < s.destinations.size(); ++j)
      if (s.destinations[j].id == s.destinations[i].same_address_as) {
        w.endpoints[destination[i]].pools = w.endpoints[destination[j]].pools;
        w.endpoints[destination[i]].provider = w.endpoints[destination[j]].provider;
        w.endpoints[destination[i]].shared = w.endpoints[destination[j]].shared;
      }
  }

  // What every cluster has, and what this fleet chose.
  for (const Product& p : kProducts) {
    const bool mesh_part = p.id == "istiod";
    const bool chosen =
        p.always || (mesh_part ? w.clusters[0].mesh : p.id != "omsagent" && random.fork("choose " + std::string(p.id)).chance(0.4));
    if (chosen) w.workloads.push_back(from_product(w, p, random.fork(p.id)));
  }
  std::vector<std::string> own = {fmt::format("{}.azurecr.io", w.registry),
                                  fmt::format("st{}{}.blob.core.windows.net", w.organisation, random.hex(4)),
                                  fmt::format("kv-{}-{}.vault.azure.net", w.organisation, random.hex(3)),
                                  fmt::format("sb-{}.servicebus.windows.net", w.organisation),
                                  fmt::format("sql-{}.database.windows.net", w.organisation),
                                  fmt::format("redis-{}.redis.cache.windows.net", w.organisation)};
  std::vector<std::string_view> roles(kRoles.begin(), kRoles.end());
  random.shuffle(roles);
  const int64_t apps = random.whole(s.apps);
  size_t role = 0;
  for (int64_t i = 0; i < apps; ++i, ++role) {
    Random r = random.fork("app", static_cast<uint64_t>(i));
    const double draw = r.real();
    const std::string_view kind = draw < 0.72 ? "Deployment" : draw < 0.86 ? "StatefulSet" : "CronJob";
    Workload x = invented(w, kind, roles[role], "", r);
    if (kind == "CronJob") {
      x.every_minutes = r.pick({15, 30, 60});
      x.schedule = x.every_minutes == 60 ? fmt::format("{} * * * *", r.between(0, 59)) : fmt::format("*/{} * * * *", x.every_minutes);
    }
    x.sidecar = w.clusters[0].mesh && kind != "CronJob" && r.chance(0.85);
    x.sees_ingress = kind == "Deployment" && r.chance(0.5);
    background_app(w, x, own, r);
    w.workloads.push_back(std::move(x));
  }

  // Those that the scenario is about.
  const Random injected = random.fork("injected");
  const auto make = [&](const Actor& a, Random r) {
    Workload x;
    if (!a.products.empty()) {
      const Product* p = product(r.pick(a.products));
      assert(p != nullptr);
      std::erase_if(w.workloads, [&](const Workload& k) { return k.name == p->name && k.ns == p->ns; });
      if (p->id == "omsagent") std::erase_if(w.workloads, [](const Workload& k) { return k.name.starts_with("ama-logs"); });
      x = from_product(w, *p, r.fork("product"));
    } else if (a.kind == "HostProcess") {
      x.ns = "node";
      x.name = a.roles.empty() ? "unattended-upgrade" : one_of(a.roles, r);
      x.system = x.host_network = x.dns_default = true;
    } else {
      const std::string chosen = a.roles.empty() ? std::string(roles[role++]) : one_of(a.roles, r);
      x = invented(w, a.kind, chosen, a.language, r);
      background_app(w, x, own, r);
      x.sees_ingress = a.ssrf || (a.kind == "Deployment" && r.chance(0.3));
    }
    x.kind = a.kind;
    x.actor = a.id;
    x.host_network = x.host_network || a.host_network;
    x.dns_default = x.dns_default || a.host_network;
    x.sidecar = !x.system && a.sidecar == "mesh" && w.clusters[0].mesh && !x.host_network && a.kind != "CronJob" && a.kind != "Job" &&
                a.kind != "Pod";
    x.only_affected = a.where == "affected";
    if (a.kind == "Deployment" || a.kind == "StatefulSet") x.replicas = static_cast<int>(r.whole(a.replicas));
    if (a.kind == "CronJob") {
      x.every_minutes = a.schedule.empty() ? 60 : std::atoi(a.schedule.c_str());
      x.schedule = x.every_minutes >= 60 ? fmt::format("{} */{} * * *", r.between(0, 59), x.every_minutes / 60)
                                         : fmt::format("*/{} * * * *", x.every_minutes);
      if (x.every_minutes == 60) x.schedule = fmt::format("{} * * * *", r.between(0, 59));
    }
    x.criticality = a.critical;
    x.ssrf = a.ssrf;
    x.names_target = a.names_target;
    if (a.secrets) x.secrets = {x.name + "-db", x.name + "-signing-key", x.name + "-psp-api-key"};
    if (a.runs.high > 0)
      x.runs = a.runs;
    else if (a.kind == "Job")
      x.runs = {900, 3600};
    x.kept = static_cast<Micros>(a.kept) * kSecond;
    x.on_nodes = a.on_nodes;
    x.created_by = a.created_by;
    if (!a.injected.empty()) x.injected = Random(injected).pick(a.injected);  // the same for all copies
    x.pull_always = a.pull_always;
    x.shell = a.shell;
    if (a.shell) x.sees_ingress = true;
    if (!a.images.empty()) {
      const std::string image = r.pick(a.images);
      x.image = image.substr(0, image.rfind(':'));
      x.first_tag = image.substr(image.rfind(':') + 1);
    }
    if (a.kind == "Pod") {  // as kubectl run makes one
      x.app_label_key = "run";
      x.container = x.name;
      x.config_maps.clear();
      x.secrets.clear();
      x.habits.clear();
    }
    for (const Act& act : a.acts) {
      size_t d = 0;
      while (s.destinations[d].id != act.to) ++d;
      // What published software asks for anyway is asked for as the scenario says.
      std::erase_if(x.habits, [&](const Habit& h) { return x.system && !h.culprit && h.endpoint == destination[d] && !a.bystander; });
      x.habits.push_back(habit_of(a, act, destination[d]));
      for (uint32_t k = 0; !act.of.empty() && k < w.workloads.size(); ++k)
        if (w.workloads[k].actor == act.of) x.habits.back().of = k;
      auto& env = act.bad_only ? x.bad_env : x.env;
      if (a.names_target)
        env.emplace_back("REMOTE_ENDPOINT", fmt::format("{}:{}", w.endpoints[destination[d]].name, w.endpoints[destination[d]].port));
    }
    return x;
  };
  for (size_t i = 0; i < s.actors.size(); ++i) {
    const Actor& a = s.actors[i];
    const int64_t copies = a.copies.high > 1 ? random.fork("copies", i).whole(a.copies) : 1;
    for (int64_t k = 0; k < copies; ++k)
      w.workloads.push_back(make(a, k == 0 ? random.fork("actor", i) : random.fork("actor copy", i * 64 + static_cast<uint64_t>(k))));
  }
  for (Workload& x : w.workloads) {
    const Actor* a = x.actor.empty() ? nullptr : s.actor(x.actor);
    if (a == nullptr || a->config_of.empty()) continue;
    const auto other = std::find_if(w.workloads.begin(), w.workloads.end(), [&](const Workload& y) { return y.actor == a->config_of; });
    x.ns = other->ns;
    x.config_maps = other->config_maps;
  }
  // Names are unique, as Kubernetes wants them.
  std::set<std::string> taken;
  for (auto& x : w.workloads) {
    const std::string base = x.name;
    for (int n = 2; !taken.insert(x.ns + '/' + x.name).second; ++n) x.name = fmt::format("{}-{}", base, n);
  }
  for (auto& c : w.clusters) {
    Random r = root.fork("place " + c.name);
    for (uint32_t i = 0; i < w.workloads.size(); ++i) {
      const Workload& x = w.workloads[i];
      if (x.kind == "HostProcess" || (x.only_affected && !c.affected)) continue;
      if (x.actor.empty() && !x.system && r.chance(0.12)) continue;  // not every region has everything
      Placement p;
      p.workload = i;
      p.uid = r.uuid();
      p.replicas = x.replicas;
      c.placements.push_back(std::move(p));
    }
  }
}

}  // namespace egret::drill
