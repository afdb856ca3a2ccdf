// What containers printed: applications in every profile, system namespaces (the autoscaler's events among them) from
// recommended on.
#include <fmt/format.h>

#include <algorithm>

#include "drill/requests.h"
#include "drill/writers.h"

namespace egret::drill {

void write_containers(Pen& pen, uint32_t index) {
  const World& world = pen.world;
  const Cluster& c = world.clusters[index];
  Random random = pen.random;
  struct Line {
    Micros at;
    uint32_t pod;
    std::string text, level;
  };
  std::vector<Line> lines;
  for (uint32_t i = 0; i < c.pods.size(); ++i) {
    const Pod& p = c.pods[i];
    const Workload& x = world.workload_of(c, p);
    if (x.system) continue;
    Random r = random.fork(p.uid);
    std::vector<Micros> starts = {p.started};
    starts.insert(starts.end(), p.restarts.begin(), p.restarts.end());
    const std::string tag = c.placements[p.placement].revisions[p.revision].tag;
    for (const Micros s : starts) {
      if (x.language == "dotnet")
        lines.push_back({s + 900'000, i, "info: Microsoft.Hosting.Lifetime[14] Now listening on: http://[::]:8080", "info"});
      else if (x.language == "java")
        lines.push_back({s + 4'200'000, i,
                         fmt::format("{} INFO 1 --- [main] o.s.b.w.embedded.tomcat.TomcatWebServer : Tomcat started on port 8080 (http)",
                                     iso(s + 4'200'000, 3)),
                         "info"});
      else
        lines.push_back({s + 700'000, i,
                         fmt::format(R"({{"level":"info","time":"{}","msg":"started","version":"{}"}})", iso(s + 700'000, 3), tag),
                         "info"});
    }
    for (Micros t = std::max(p.started, world.from) + static_cast<Micros>(r.exponential(600) * kSecond); t < std::min(p.ended, world.to);
         t += static_cast<Micros>(r.exponential(900) * kSecond))
      lines.push_back({t, i,
                       r.chance(0.1) ? "warn: request took longer than 1000 ms"
                                     : fmt::format("processed {} items in {} ms", r.between(1, 90), r.between(3, 900)),
                       r.chance(0.1) ? "warning" : "info"});
  }
  std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.at < b.at; });
  TableFile t(pen, c, "ContainerLogV2");
  for (const Line& l : lines) {
    if (l.at < world.from || l.at >= world.to) continue;
    const Pod& p = c.pods[l.pod];
    const Workload& x = world.workload_of(c, p);
    pen.ledger.pods[index][l.pod] = 1;
    t.begin(l.at)
        .text("Computer", c.nodes[p.node].name)
        .text("ContainerId", p.container_id)
        .text("ContainerName", x.container)
        .text("PodName", p.name)
        .text("PodNamespace", x.ns);
    t.text("LogMessage", l.text).text("LogSource", "stdout").text("LogLevel", l.level).text("KubernetesMetadata", "");
    t.end();
  }
}

void write_autoscaler(Pen& pen, uint32_t index) {
  const World& world = pen.world;
  const Cluster& c = world.clusters[index];
  Random random = pen.random;
  std::string resource = c.resource_id;
  for (char& ch : resource) ch = static_cast<char>(std::toupper(ch));
  const std::string pod = fmt::format("cluster-autoscaler-{}-{}", random.kube_suffix(10), random.kube_suffix(5));
  std::vector<std::pair<Micros, std::string>> lines;
  const auto klog = [](Micros t, std::string_view text) {
    const std::string i = iso(t, 6);
    return fmt::format("I{}{} {}       1 {}", i.substr(5, 2), i.substr(8, 2), i.substr(11, 15), text);
  };
  int size = 0;
  for (const Node& n : c.nodes) size += n.created < world.from ? 1 : 0;
  for (const Change& ch : c.changes) {
    if (ch.what == Change::What::kScaleUp) {
      lines.emplace_back(ch.at, klog(ch.at, fmt::format("scale_up.go:477] Best option to resize: {}", c.vmss)));
      lines.emplace_back(ch.at + 2000, klog(ch.at + 2000, "scale_up.go:481] Estimated 1 nodes needed in " + c.vmss));
      lines.emplace_back(ch.at + 4000, klog(ch.at + 4000, fmt::format("scale_up.go:601] Final scale-up plan: [{{{} {}->{} (max: 10)}}]",
                                                                      c.vmss, size, size + 1)));
      lines.emplace_back(ch.at + 6000,
                         klog(ch.at + 6000, fmt::format("scale_up.go:700] Scale-up: setting group {} size to {}", c.vmss, size + 1)));
      ++size;
    } else if (ch.what == Change::What::kNodeDelete) {
      const Micros at = ch.at - 4 * kMinute;
      lines.emplace_back(at, klog(at, fmt::format("scale_down.go:1053] Scale-down: removing empty node {}", c.nodes[ch.node].name)));
      --size;
    }
  }
  for (Micros t = world.from; t < world.to; t += 10 * kMinute)
    lines.emplace_back(t, klog(t, "static_autoscaler.go:511] No unschedulable pods"));
  std::stable_sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  size_t i = 0;
  for (Micros hour = world.from / kHour * kHour; hour < world.to; hour += kHour) {
    const std::string when = iso(hour);
    Output::File file(pen.out, "cluster-autoscaler",
                      fmt::format("{}/insights-logs-cluster-autoscaler/resourceId={}/y={}/m={}/d={}/h={}/m=00/PT1H.json", c.name, resource,
                                  when.substr(0, 4), when.substr(5, 2), when.substr(8, 2), when.substr(11, 2)));
    for (; i < lines.size() && lines[i].first < hour + kHour; ++i) {
      fmt::format_to(
          std::back_inserter(file.text()),
          R"({{ "category": "cluster-autoscaler", "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read", "properties": {{"log":{},"stream":"stderr","pod":"{}"}}, "resourceId": "{}", "serviceBuild": "na", "time": "{}"}})",
          json_quote(lines[i].second + "\n"), pod, resource, iso(lines[i].first + 8000, 7));
      file.text() += '\n';
      file.row();
    }
  }
  pen.ledger.sources.insert("cluster-autoscaler");
}

}  // namespace egret::drill
