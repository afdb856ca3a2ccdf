// egret collect: the commands that bring the logs an investigation needs, best value first. Nothing is run.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "ingest/times.h"

namespace egret::cli {
namespace {

struct Target {
  std::string cluster, group, subscription, workspace, storage, context, firewall, address, out;
  std::string from, to;  // RFC 3339
  std::string hours;     // for kubectl --since
};

struct Step {
  std::string what, why, needs;
  std::vector<std::string> commands;
};

// A shell word: quoted where it has to be.
std::string word(std::string_view s) {
  if (!s.empty() && s.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@") == std::string_view::npos)
    return std::string(s);
  std::string out = "'";
  for (const char c : s) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

std::string query(const Target& t, std::string_view kql, std::string_view file) {
  return fmt::format("az monitor log-analytics query -w {} --timespan {}/{} --analytics-query {} -o json > {}", word(t.workspace), t.from,
                     t.to, word(kql), word(t.out + "/" + std::string(file)));
}

std::vector<Step> steps(const Target& t) {
  const std::string folder = t.out + "/" + t.cluster;
  const std::string k = "kubectl --context " + word(t.context);
  const std::string in = fmt::format("_ResourceId endswith \"/managedclusters/{}\"", to_lower(t.cluster));
  std::vector<Step> s;
  s.push_back({"the alert itself",
               "everything starts from its address, node and time",
               "Security Reader",
               {fmt::format("mkdir -p {}", word(folder)),
                fmt::format("az security alert list{} -o json > {}",
                            t.subscription.empty() ? "" : " --subscription " + word(t.subscription), word(t.out + "/alerts.json"))}});
  s.push_back({"what runs now, and what did",
               "candidates, their owners, addresses, start times and images; without it no owner has a name",
               "read access to the cluster",
               {fmt::format("{} get pods -A -o json > {}", k, word(folder + "/pods.json")),
                fmt::format("{} get nodes -o json > {}", k, word(folder + "/nodes.json")),
                fmt::format("{} get replicasets,deployments,daemonsets,statefulsets,cronjobs,jobs,controllerrevisions -A -o json > {}", k,
                            word(folder + "/workloads.json")),
                fmt::format("{} get configmaps,services -A -o json > {}", k, word(folder + "/config.json")),
                fmt::format("{} get events -A -o json > {}", k, word(folder + "/events.json"))}});
  s.push_back({"pods that are gone",
               "the inventory of Container Insights remembers pods and nodes that ran then",
               "Log Analytics Reader",
               {query(t, fmt::format("KubePodInventory | where {}", in), t.cluster + "/KubePodInventory.json"),
                query(t, fmt::format("KubeNodeInventory | where {}", in), t.cluster + "/KubeNodeInventory.json"),
                query(t, fmt::format("KubeEvents | where {}", in), t.cluster + "/KubeEvents.json")}});
  s.push_back(
      {"the audit log",
       "starts of pods and nodes to the second, releases and configuration changes, and who made them",
       "Log Analytics Reader; diagnostic setting kube-audit-admin or kube-audit",
       {query(t,
              fmt::format(
                  "union isfuzzy=true AKSAuditAdmin, AKSAudit | where {} | where Verb in (\"create\", \"update\", \"patch\", \"delete\")",
                  in),
              t.cluster + "/AKSAuditAdmin.json"),
        query(t,
              fmt::format("AzureDiagnostics | where ResourceId endswith \"/MANAGEDCLUSTERS/{}\" and Category in (\"kube-audit-admin\", "
                          "\"cluster-autoscaler\")",
                          t.cluster),
              t.cluster + "/AzureDiagnostics.json"),
        query(t, fmt::format("AKSControlPlane | where {} and Category == \"cluster-autoscaler\"", in),
              t.cluster + "/AKSControlPlane.json")}});
  const std::string dns = t.from.empty() ? "" : " --since-time=" + t.from;
  s.push_back({"the names asked for",
               "which pod asked for the name behind the address just before; needs CoreDNS's log plugin to have been on",
               "read access to pod logs",
               {fmt::format("{} logs -n kube-system -l k8s-app=kube-dns --prefix --timestamps --tail=-1{} > {}", k, dns,
                            word(folder + "/coredns.log")),
                query(t, fmt::format("ContainerLogV2 | where {} and PodNamespace == \"kube-system\" and ContainerName == \"coredns\"", in),
                      t.cluster + "/ContainerLogV2-coredns.json")}});
  if (!t.storage.empty()) {
    // Azure writes one blob an hour and network interface below the flow log's id.
    s.push_back(
        {"the flow logs",
         "the contacts themselves, with ports, bytes and times, by node",
         "Storage Blob Data Reader",
         {fmt::format("az storage blob download-batch --auth-mode login --account-name {} -s insights-logs-flowlogflowevent -d {} "
                      "--pattern '*/y={}/m={}/d={}/*'",
                      word(t.storage), word(t.out + "/flow-logs"), t.from.substr(0, 4), t.from.substr(5, 2), t.from.substr(8, 2)),
          fmt::format("az storage blob download-batch --auth-mode login --account-name {} -s insights-logs-networksecuritygroupflowevent "
                      "-d {} --pattern '*/y={}/m={}/d={}/*'",
                      word(t.storage), word(t.out + "/flow-logs"), t.from.substr(0, 4), t.from.substr(5, 2), t.from.substr(8, 2))}});
  } else {
    s.push_back(
        {"the flow logs",
         "the contacts themselves; with --storage the raw blobs, here the aggregates of traffic analytics",
         "Log Analytics Reader",
         {query(t,
                t.address.empty()
                    ? "NTANetAnalytics | where SubType == \"FlowLog\""
                    : fmt::format("NTANetAnalytics | where SubType == \"FlowLog\" and (DestIp == \"{0}\" or DestPublicIps has \"{0}\")",
                                  t.address),
                "NTANetAnalytics.json")}});
  }
  s.push_back(
      {"the mesh's access logs",
       "a workload with a sidecar that logged nothing then is out; one that logged the contact is found",
       "read access to pod logs; only with Istio",
       {fmt::format("for p in $({} get pods -A -o jsonpath='{{range "
                    ".items[?(@.spec.containers[*].name==\"istio-proxy\")]}}{{.metadata.namespace}}/{{.metadata.name}} {{end}}'); do {} "
                    "logs -n \"${{p%/*}}\" \"${{p#*/}}\" -c istio-proxy --timestamps{} > {}/\"${{p%/*}}_${{p#*/}}_istio-proxy.log\"; done",
                    k, k, dns, word(folder))}});
  const std::string where_address = t.address.empty() ? "" : fmt::format(" | where DestinationIp == \"{}\"", t.address);
  s.push_back({"the firewall",
               "names and denials at the edge, and what its DNS proxy answered",
               "Log Analytics Reader; only with Azure Firewall",
               {query(t, "AZFWNetworkRule" + where_address, "AZFWNetworkRule.json"),
                query(t, "AZFWApplicationRule", "AZFWApplicationRule.json"), query(t, "AZFWDnsQuery", "AZFWDnsQuery.json")}});
  s.push_back(
      {"releases and changes from outside",
       "to tie the first contact to a release, and credentials to rotate if it is bad",
       "Log Analytics Reader",
       {query(t, fmt::format("AzureActivity | where tolower(_ResourceId) contains \"{}\"", to_lower(t.cluster)), "AzureActivity.json"),
        query(t, "AZKVAuditLogs", "AZKVAuditLogs.json"),
        query(t, "AzureDiagnostics | where ResourceProvider == \"MICROSOFT.KEYVAULT\"", "AzureDiagnostics-keyvault.json")}});
  s.push_back({"what the application saw",
               "dependencies and requests around the contact",
               "Log Analytics Reader; only with Application Insights",
               {query(t, "AppDependencies", "AppDependencies.json"), query(t, "AppRequests", "AppRequests.json")}});
  return s;
}

int run(const std::vector<std::string>& args) {
  std::vector<std::string> clusters;
  std::string since, until, format = "text", now_text;
  Target t{.cluster = {},
           .group = {},
           .subscription = {},
           .workspace = {},
           .storage = {},
           .context = {},
           .firewall = {},
           .address = {},
           .out = "evidence",
           .from = {},
           .to = {},
           .hours = {}};
  bool print = false;
  Options o("collect", "prints the az and kubectl commands that export what an investigation needs, best value first; runs nothing",
            "Each command writes into the folder that egret investigate then reads. What your fleet does not log gives empty files, which "
            "do no harm.\n\n"
            "Example: egret collect --print --cluster prod-ca --since 2022-04-01T05:00Z --until 2022-04-01T08:00Z --workspace 1b6f… "
            "--address 34.117.59.81");
  o.flag("--print", print, "print the commands (the only thing that this command does)");
  o.values("--cluster", clusters, "NAME", "AKS cluster; repeat it for more, also for one that does not show the contact, to compare");
  o.value("--since", since, "TIME", "begin, an hour before the first contact at least: a time, or a span before now (6h, 2d)");
  o.value("--until", until, "TIME", "end (default: now)");
  o.value("--workspace", t.workspace, "ID", "Log Analytics workspace id (a GUID)");
  o.value("--storage", t.storage, "ACCOUNT", "storage account of the flow logs");
  o.value("--subscription", t.subscription, "ID", "subscription of the alerts");
  o.value("--address", t.address, "IP", "the address of the alert, to keep exports small");
  o.value("--out", t.out, "DIR", "folder to write to (default: evidence)");
  o.choice("--format", format, {"text", "sh", "json"}, "how to print: with reasons, as a shell script, as JSON");
  o.value("--now", now_text, "TIME", "take this for now");
  if (const auto code = o.parse(args)) return *code;
  if (!print)
    return report(Error{ErrorKind::kUsage, "egret collect only prints: say --print", "egret collect --print --cluster NAME --since 6h"});
  if (clusters.empty()) return report(Error{ErrorKind::kUsage, "--cluster is missing", "name the cluster of the alert: --cluster NAME"});
  const auto now = now_from(now_text);
  if (!now) return report(now.error());
  const auto moment = [&](const std::string& text) -> std::optional<Ticks> {
    if (text.size() >= 2 && text.find_first_not_of("0123456789") == text.size() - 1) {
      const Ticks unit = text.back() == 'm' ? kTicksPerMinute : text.back() == 'h' ? kTicksPerHour : text.back() == 'd' ? kTicksPerDay : 0;
      if (unit && text.size() < 8) return *now - std::stoll(text.substr(0, text.size() - 1)) * unit;
    }
    return ingest::parse_time(text);
  };
  const auto from = moment(since.empty() ? "24h" : since);
  const auto to = until.empty() ? std::optional(*now) : moment(until);
  if (!from)
    return report(
        Error{ErrorKind::kUsage, fmt::format("--since {} is no time", since), "write 2022-04-01T05:00Z, or 6h for six hours ago"});
  if (!to) return report(Error{ErrorKind::kUsage, fmt::format("--until {} is no time", until), "write 2022-04-01T08:00Z"});
  if (*to <= *from) return report(Error{ErrorKind::kUsage, "--until is not after --since", {}});
  const auto whole = [](Ticks x) { return format_datetime(x - x % kTicksPerSecond); };
  t.from = whole(*from);
  t.to = whole(*to);
  const bool no_workspace = t.workspace.empty();
  if (no_workspace) t.workspace = "$WORKSPACE";
  std::vector<std::pair<std::string, std::vector<Step>>> all;
  std::vector<std::string> printed;
  for (const std::string& c : clusters) {
    t.cluster = c;
    t.context = c;
    std::vector<Step> mine = steps(t);
    // What is not of one cluster is asked for once.
    for (Step& s : mine)
      std::erase_if(s.commands,
                    [&](const std::string& command) { return std::find(printed.begin(), printed.end(), command) != printed.end(); });
    std::erase_if(mine, [](const Step& s) { return s.commands.empty(); });
    for (Step& s : mine)
      for (std::string& command : s.commands) {
        printed.push_back(command);
        for (size_t at = 0; (at = command.find("'$WORKSPACE'", at)) != std::string::npos;) command.replace(at, 12, "\"$WORKSPACE\"");
      }
    all.emplace_back(c, std::move(mine));
  }
  if (format == "json") {
    JsonWriter w(2);
    w.begin_array();
    for (const auto& [cluster, list] : all)
      for (const Step& s : list) {
        w.begin_object()
            .key("cluster")
            .string(cluster)
            .key("what")
            .string(s.what)
            .key("why")
            .string(s.why)
            .key("needs")
            .string(s.needs)
            .key("commands")
            .begin_array();
        for (const std::string& c : s.commands) w.string(c);
        w.end_array().end_object();
      }
    w.end_array();
    fmt::print("{}\n", std::move(w).take());
    return kDone;
  }
  const bool script = format == "sh";
  if (script) fmt::print("#!/bin/sh\n# Each step may fail by itself where a log is not there.\n");
  if (no_workspace)
    fmt::print(
        "{}WORKSPACE=$(az aks show -g GROUP -n {} --query addonProfiles.omsagent.config.logAnalyticsWorkspaceResourceID -o tsv | xargs "
        "-I{{}} az monitor log-analytics workspace show --ids {{}} --query customerId -o tsv)\n",
        script ? "" : "# first: the workspace that the cluster logs to (or give --workspace)\n", word(clusters[0]));
  for (const auto& [cluster, list] : all) {
    if (all.size() > 1) fmt::print("\n# ===== {} =====\n", cluster);
    int n = 0;
    for (const Step& s : list) {
      fmt::print("\n# {}. {}: {} ({})\n", ++n, s.what, s.why, s.needs);
      for (const std::string& c : s.commands) fmt::print("{}\n", c);
    }
  }
  fmt::print("\n# then\negret investigate {}\n", word(t.out));
  return kDone;
}

}  // namespace

extern const Command kCollect;
const Command kCollect{"collect", "print the commands that export what an investigation needs", run};

}  // namespace egret::cli
