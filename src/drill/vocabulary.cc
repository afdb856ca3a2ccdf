#include "drill/vocabulary.h"

#include <cassert>

namespace egret::drill {

const std::vector<Region> kRegions = {
    {"canadacentral", "Canada Central", "cac"},  {"canadaeast", "Canada East", "cae"},
    {"westeurope", "West Europe", "weu"},        {"northeurope", "North Europe", "neu"},
    {"eastus", "East US", "eus"},                {"eastus2", "East US 2", "eus2"},
    {"centralus", "Central US", "cus"},          {"westus2", "West US 2", "wus2"},
    {"westus3", "West US 3", "wus3"},            {"southcentralus", "South Central US", "scus"},
    {"uksouth", "UK South", "uks"},              {"francecentral", "France Central", "frc"},
    {"germanywestcentral", "Germany West Central", "gwc"}, {"switzerlandnorth", "Switzerland North", "szn"},
    {"swedencentral", "Sweden Central", "swc"},  {"norwayeast", "Norway East", "noe"},
    {"australiaeast", "Australia East", "aue"},  {"southeastasia", "Southeast Asia", "sea"},
    {"japaneast", "Japan East", "jpe"},          {"brazilsouth", "Brazil South", "brs"},
};

const std::vector<Provider> kProviders = {
    {"cloudflare", true, {"104.16.0.0/13", "104.24.0.0/14", "172.64.0.0/13", "162.158.0.0/15", "188.114.96.0/20"}},
    {"fastly", true, {"151.101.0.0/16", "199.232.0.0/16", "146.75.0.0/17"}},
    {"akamai", true, {"23.32.0.0/11", "23.192.0.0/11", "104.64.0.0/10"}},
    {"azure", false, {"20.33.0.0/16", "20.150.0.0/15", "40.74.0.0/15", "52.224.0.0/11", "20.38.0.0/16", "13.64.0.0/11"}},
    {"azurefd", true, {"13.107.246.0/24", "13.107.213.0/24", "150.171.84.0/22"}},
    {"aws", false, {"52.16.0.0/15", "54.72.0.0/13", "3.208.0.0/12", "34.192.0.0/12"}},
    {"google", false, {"142.250.0.0/15", "34.64.0.0/10"}},
    {"github", false, {"140.82.112.0/20", "185.199.108.0/22"}},
    {"hosting", false, {"45.76.0.0/16", "185.220.100.0/22", "194.165.16.0/23", "91.92.240.0/20", "159.65.0.0/16", "95.216.0.0/16", "51.68.0.0/16", "141.98.8.0/22"}},
};

const Provider& provider(std::string_view name) {
  for (const auto& p : kProviders)
    if (p.name == name) return p;
  assert(false);
  return kProviders.back();
}

// The last four fields are: names talked to, further containers, key of the app label.
const std::vector<Product> kProducts = {
    {"ama-logs", "kube-system", "DaemonSet", "ama-logs", "mcr.microsoft.com/azuremonitor/containerinsights/ciprod", "3.1.17", "ama-logs", false, false, true,
     {"{workspace}.ods.opinsights.azure.com", "{workspace}.oms.opinsights.azure.com", "global.handler.control.monitor.azure.com"}, {"ama-logs-prometheus"}, "component"},
    {"kube-proxy", "kube-system", "DaemonSet", "kube-proxy", "mcr.microsoft.com/oss/kubernetes/kube-proxy", "v1.29.9", "kube-proxy", true, true, true, {}, {}, "component"},
    {"azure-cns", "kube-system", "DaemonSet", "azure-cns", "mcr.microsoft.com/containernetworking/azure-cns", "v1.6.13", "cns-container", true, true, true, {"dc.services.visualstudio.com"}, {}, "k8s-app"},
    {"azure-ip-masq-agent", "kube-system", "DaemonSet", "azure-ip-masq-agent", "mcr.microsoft.com/aks/ip-masq-agent-v2", "v0.1.13", "azure-ip-masq-agent", true, true, true, {}, {}, "k8s-app"},
    {"cloud-node-manager", "kube-system", "DaemonSet", "cloud-node-manager", "mcr.microsoft.com/oss/kubernetes/azure-cloud-node-manager", "v1.29.9", "cloud-node-manager", true, true, true, {"management.azure.com"}, {}, "k8s-app"},
    {"csi-azuredisk-node", "kube-system", "DaemonSet", "csi-azuredisk-node", "mcr.microsoft.com/oss/kubernetes-csi/azuredisk-csi", "v1.29.9", "azuredisk", true, true, true, {}, {"node-driver-registrar", "liveness-probe"}, "app"},
    {"csi-azurefile-node", "kube-system", "DaemonSet", "csi-azurefile-node", "mcr.microsoft.com/oss/kubernetes-csi/azurefile-csi", "v1.30.6", "azurefile", true, true, true, {}, {"node-driver-registrar", "liveness-probe"}, "app"},
    {"defender-collector", "kube-system", "DaemonSet", "microsoft-defender-collector-ds", "mcr.microsoft.com/azuredefender/stable/security-publisher", "1.0.189", "microsoft-defender-pod-collector", false, false, true,
     {"{workspace}.ods.opinsights.azure.com", "{region}.dp.kubernetesconfiguration.azure.com"}, {"microsoft-defender-low-level-collector"}, "app"},
    {"secrets-store", "kube-system", "DaemonSet", "aks-secrets-store-csi-driver", "mcr.microsoft.com/oss/kubernetes-csi/secrets-store/driver", "v1.4.6", "secrets-store", false, false, false, {}, {"node-driver-registrar"}, "app"},
    {"coredns", "kube-system", "Deployment", "coredns", "mcr.microsoft.com/oss/kubernetes/coredns", "v1.11.3", "coredns", false, true, true, {}, {}, "k8s-app"},
    {"coredns-autoscaler", "kube-system", "Deployment", "coredns-autoscaler", "mcr.microsoft.com/oss/kubernetes/autoscaler/cluster-proportional-autoscaler", "v1.8.11", "autoscaler", false, false, true, {}, {}, "k8s-app"},
    {"konnectivity", "kube-system", "Deployment", "konnectivity-agent", "mcr.microsoft.com/oss/kubernetes/apiserver-network-proxy/agent", "v0.30.3", "konnectivity-agent", false, false, true, {"{cluster}.hcp.{region}.azmk8s.io"}, {}, "app"},
    {"metrics-server", "kube-system", "Deployment", "metrics-server", "mcr.microsoft.com/oss/kubernetes/metrics-server", "v0.7.2", "metrics-server", false, false, true, {}, {"metrics-server-vpa"}, "k8s-app"},
    {"ama-logs-rs", "kube-system", "Deployment", "ama-logs-rs", "mcr.microsoft.com/azuremonitor/containerinsights/ciprod", "3.1.17", "ama-logs", false, false, true,
     {"{workspace}.ods.opinsights.azure.com", "{workspace}.oms.opinsights.azure.com"}, {}, "rsName"},
    {"azure-policy", "kube-system", "Deployment", "azure-policy", "mcr.microsoft.com/azure-policy/policy-kubernetes-addon-prod", "1.8.0", "azure-policy", false, false, true, {"data.policy.core.windows.net", "store.policy.core.windows.net", "login.microsoftonline.com"}, {}, "app"},
    {"gatekeeper-audit", "gatekeeper-system", "Deployment", "gatekeeper-audit", "mcr.microsoft.com/oss/v2/open-policy-agent/gatekeeper", "v3.17.1", "gatekeeper-audit-container", false, false, true, {}, {}, "control-plane"},
    {"gatekeeper-controller", "gatekeeper-system", "Deployment", "gatekeeper-controller", "mcr.microsoft.com/oss/v2/open-policy-agent/gatekeeper", "v3.17.1", "gatekeeper-controller-container", false, false, true, {}, {}, "control-plane"},
    {"node-exporter", "monitoring", "DaemonSet", "prometheus-node-exporter", "quay.io/prometheus/node-exporter", "v1.8.2", "node-exporter", true, true, false, {}, {}, "app.kubernetes.io/name"},
    {"kured", "kured", "DaemonSet", "kured", "ghcr.io/kubereboot/kured", "1.16.2", "kured", false, false, false, {"hooks.slack.com"}, {}, "name"},
    {"omsagent", "kube-system", "DaemonSet", "omsagent", "mcr.microsoft.com/azuremonitor/containerinsights/ciprod", "ciprod03172022", "omsagent", false, false, false, {"{workspace}.ods.opinsights.azure.com", "{workspace}.oms.opinsights.azure.com"}, {"omsagent-prometheus"}, "component"},
    {"datadog-agent", "datadog", "DaemonSet", "datadog-agent", "gcr.io/datadoghq/agent", "7.58.1", "agent", false, false, false, {"intake.profile.datadoghq.eu", "7-58-1-app.agent.datadoghq.eu", "agent-http-intake.logs.datadoghq.eu"}, {"trace-agent", "process-agent"}, "app"},
    {"newrelic-infra", "newrelic", "DaemonSet", "nri-bundle-newrelic-infrastructure", "newrelic/infrastructure-bundle", "3.2.57", "agent", false, false, false, {"infra-api.newrelic.com", "metric-api.newrelic.com"}, {"kubelet"}, "app.kubernetes.io/name"},
    {"oneagent", "dynatrace", "DaemonSet", "dynakube-oneagent", "public.ecr.aws/dynatrace/dynatrace-oneagent", "1.299.43", "dynatrace-oneagent", true, false, false, {"{id}.live.dynatrace.com"}, {}, "app.kubernetes.io/name"},
    {"splunk-otel", "splunk", "DaemonSet", "splunk-otel-collector-agent", "quay.io/signalfx/splunk-otel-collector", "0.109.0", "otel-collector", false, false, false, {"ingest.eu0.signalfx.com", "api.eu0.signalfx.com"}, {}, "app"},
    {"elastic-agent", "elastic", "DaemonSet", "elastic-agent", "docker.elastic.co/beats/elastic-agent", "8.15.3", "elastic-agent", false, false, false, {"{id}.fleet.westeurope.azure.elastic-cloud.com"}, {}, "app"},
    {"fluent-bit", "logging", "DaemonSet", "fluent-bit", "cr.fluentbit.io/fluent/fluent-bit", "3.1.9", "fluent-bit", false, false, false, {"{id}.us-east-1.es.amazonaws.com"}, {}, "app.kubernetes.io/name"},
    {"grafana-agent", "monitoring", "DaemonSet", "grafana-agent", "docker.io/grafana/agent", "v0.43.3", "grafana-agent", false, false, false, {"prometheus-prod-24-prod-eu-west-2.grafana.net", "logs-prod-012.grafana.net"}, {"config-reloader"}, "app.kubernetes.io/name"},
    {"falco", "falco", "DaemonSet", "falco", "docker.io/falcosecurity/falco", "0.39.1", "falco", false, false, false, {"falcosecurity.github.io", "ghcr.io"}, {"falcoctl-artifact-follow"}, "app.kubernetes.io/name"},
    {"gpu-driver", "gpu-operator", "DaemonSet", "nvidia-driver-daemonset", "nvcr.io/nvidia/driver", "550.90.07", "nvidia-driver-ctr", true, true, false, {"developer.download.nvidia.com"}, {}, "app"},
    {"ingress-nginx", "ingress-nginx", "Deployment", "ingress-nginx-controller", "registry.k8s.io/ingress-nginx/controller", "v1.11.3", "controller", false, false, false, {}, {}, "app.kubernetes.io/name"},
    {"cert-manager", "cert-manager", "Deployment", "cert-manager", "quay.io/jetstack/cert-manager-controller", "v1.16.1", "cert-manager-controller", false, false, false, {"acme-v02.api.letsencrypt.org"}, {}, "app"},
    {"external-dns", "external-dns", "Deployment", "external-dns", "registry.k8s.io/external-dns/external-dns", "v0.15.0", "external-dns", false, false, false, {"management.azure.com", "login.microsoftonline.com"}, {}, "app.kubernetes.io/name"},
    {"argocd-repo", "argocd", "Deployment", "argocd-repo-server", "quay.io/argoproj/argocd", "v2.12.6", "argocd-repo-server", false, false, false, {"github.com", "charts.bitnami.com", "ghcr.io"}, {}, "app.kubernetes.io/name"},
    {"flux-source", "flux-system", "Deployment", "source-controller", "ghcr.io/fluxcd/source-controller", "v1.4.1", "manager", false, false, false, {"github.com", "ghcr.io"}, {}, "app"},
    {"keda", "keda", "Deployment", "keda-operator", "ghcr.io/kedacore/keda", "2.15.1", "keda-operator", false, false, false, {"{id}.servicebus.windows.net", "login.microsoftonline.com"}, {}, "app"},
    {"istiod", "istio-system", "Deployment", "istiod", "docker.io/istio/pilot", "1.23.3", "discovery", false, false, false, {}, {}, "app"},
    {"kube-state-metrics", "monitoring", "Deployment", "kube-state-metrics", "registry.k8s.io/kube-state-metrics/kube-state-metrics", "v2.13.0", "kube-state-metrics", false, false, false, {}, {}, "app.kubernetes.io/name"},
    {"prometheus", "monitoring", "StatefulSet", "prometheus-kube-prometheus-stack-prometheus", "quay.io/prometheus/prometheus", "v2.54.1", "prometheus", false, false, false, {"{id}.{region}.prometheus.monitor.azure.com"}, {"config-reloader"}, "app.kubernetes.io/name"},
    {"velero", "velero", "Deployment", "velero", "docker.io/velero/velero", "v1.14.1", "velero", false, false, false, {"{id}.blob.core.windows.net", "management.azure.com"}, {}, "component"},
    {"trivy-operator", "trivy-system", "Deployment", "trivy-operator", "ghcr.io/aquasecurity/trivy-operator", "0.22.0", "trivy-operator", false, false, false, {"ghcr.io", "mirror.gcr.io"}, {}, "app.kubernetes.io/name"},
};

const Product* product(std::string_view id) {
  for (const auto& p : kProducts)
    if (p.id == id) return &p;
  return nullptr;
}

const std::vector<Service> kServices = {
    {"api.stripe.com", "aws", 443},          {"api.twilio.com", "aws", 443},          {"api.sendgrid.com", "aws", 443},
    {"hooks.slack.com", "aws", 443},         {"api.github.com", "github", 443},       {"o448212.ingest.sentry.io", "google", 443},
    {"api.segment.io", "aws", 443},          {"maps.googleapis.com", "google", 443},  {"fcm.googleapis.com", "google", 443},
    {"cdn.jsdelivr.net", "cloudflare", 443}, {"registry.npmjs.org", "cloudflare", 443}, {"pypi.org", "fastly", 443},
    {"files.pythonhosted.org", "fastly", 443}, {"api.openai.com", "cloudflare", 443}, {"app.launchdarkly.com", "fastly", 443},
    {"events.launchdarkly.com", "fastly", 443}, {"api.pagerduty.com", "aws", 443},    {"api.exchangerate.host", "cloudflare", 443},
    {"api.mapbox.com", "aws", 443},          {"api.adyen.com", "akamai", 443},        {"login.microsoftonline.com", "azure", 443},
    {"graph.microsoft.com", "azure", 443},   {"management.azure.com", "azure", 443},  {"dc.services.visualstudio.com", "azure", 443},
    {"crl3.digicert.com", "cloudflare", 80}, {"ocsp.digicert.com", "cloudflare", 80}, {"api.nuget.org", "azurefd", 443},
    {"www.recaptcha.net", "google", 443},    {"api.hubapi.com", "cloudflare", 443},   {"api.intercom.io", "aws", 443},
    {"api.mailgun.net", "google", 443},      {"api.paypal.com", "fastly", 443},       {"eu.i.posthog.com", "aws", 443},
    {"data.fixer.io", "cloudflare", 80},     {"www.ecb.europa.eu", "akamai", 443},    {"sqs.eu-west-1.amazonaws.com", "aws", 443},
    {"s3.eu-central-1.amazonaws.com", "aws", 443}, {"api.weatherapi.com", "cloudflare", 443}, {"api.shopify.com", "cloudflare", 443},
    {"api.contentful.com", "fastly", 443},
};

std::string_view provider_of(std::string_view name) {
  for (const auto& s : kServices)
    if (s.name == name) return s.provider;
  constexpr std::pair<std::string_view, std::string_view> kBySuffix[] = {
      {".azure.com", "azure"},     {".windows.net", "azure"},      {".azmk8s.io", "azure"},     {".azurecr.io", "azure"},
      {".microsoft.com", "azurefd"}, {".microsoftonline.com", "azure"}, {".visualstudio.com", "azure"}, {".amazonaws.com", "aws"},
      {".datadoghq.eu", "aws"},    {".newrelic.com", "cloudflare"}, {".dynatrace.com", "aws"},   {".signalfx.com", "aws"},
      {".elastic-cloud.com", "azure"}, {".grafana.net", "google"}, {"github.com", "github"},    {"ghcr.io", "github"},
      {".github.io", "github"},    {".letsencrypt.org", "cloudflare"}, {".bitnami.com", "aws"}, {".gcr.io", "google"},
      {".nvidia.com", "akamai"},   {".ubuntu.com", "hosting"}};
  for (const auto& [suffix, p] : kBySuffix)
    if (name.ends_with(suffix)) return p;
  return "hosting";
}

const std::vector<std::string_view> kRoles = {
    "checkout", "catalog", "pricing", "ledger", "invoice", "payments", "shipping", "search", "profile", "notification", "recommendation",
    "session", "gateway", "identity", "risk", "fraud", "reporting", "exports", "imports", "webhook", "media", "thumbnail", "pdf-render",
    "mail", "loyalty", "coupon", "inventory", "warehouse", "returns", "tracking", "audit-trail", "consent", "scheduler", "translation",
    "feedback", "reviews", "subscription", "quota", "billing", "tax", "refunds", "settlement", "onboarding", "documents", "signing",
    "metering", "telemetry-relay", "geo", "routing", "fleet", "device", "config-sync", "ratings", "wishlist", "basket", "orders"};
const std::vector<std::string_view> kTeams = {"shop", "core", "platform", "finance", "commerce", "growth", "data", "mobile", "partner", "ops",
                                              "customer", "logistics", "insights", "backoffice", "edge", "content"};
const std::vector<std::string_view> kOrganisations = {"northwind", "tailspin", "fabrikam", "wingtip", "adatum", "litware", "proseware", "lamna",
                                                      "trey", "woodgrove", "relecloud", "vanarsdel", "munson", "bellows", "humongous", "datum"};
const std::vector<std::string_view> kSuffixes = {"", "-api", "-service", "-svc", "-worker", "-backend", "-server"};
const std::vector<std::string_view> kVendors = {"metricflow", "pingdeck", "sdktrace", "loopstat", "beacontag", "mirrorbox", "cachelane", "featurekit",
                                                "signalhub", "packhive", "usagely", "crashpane", "formlane", "trackwell"};
const std::vector<std::string_view> kPeople = {"a.keller", "m.okafor", "j.lind", "s.moreau", "t.ivanova", "r.castillo", "h.tanaka", "b.novak", "l.haddad", "d.osei"};

}  // namespace egret::drill
