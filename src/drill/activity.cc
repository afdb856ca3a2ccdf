// The subscription's activity log (AzureActivity): what the control plane did to scale sets and clusters.
#include <fmt/format.h>

#include <algorithm>

#include "drill/writers.h"

namespace egret::drill {

void write_activity(Pen& pen, uint32_t index) {
  const World& world = pen.world;
  const Cluster& c = world.clusters[index];
  Random random = pen.random;
  TableFile t(pen, c, "AzureActivity");
  const std::string scale_set = fmt::format("/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachineScaleSets/{}",
                                            c.subscription, c.node_group, c.vmss);
  const std::string caller = Random(world.seed).fork("aks identity " + c.name).uuid();
  const auto row = [&](Micros at, std::string_view operation, std::string_view status, const std::string& resource) {
    if (at < world.from || at >= world.to) return;
    t.begin(at)
        .text("OperationNameValue", operation)
        .text("ActivityStatusValue", status)
        .text("Level", "Informational")
        .text("CategoryValue", "Administrative")
        .text("Caller", caller);
    t.text("CallerIpAddress", ip_text(c.api_server))
        .text("ResourceGroup", c.node_group)
        .text("ResourceProviderValue", "MICROSOFT.COMPUTE")
        .text("SubscriptionId", c.subscription)
        .text("CorrelationId", random.uuid());
    t.text("EventDataId", random.uuid())
        .text("Hierarchy", world.tenant + '/' + c.subscription)
        .text("Authorization", fmt::format(R"({{"action":"{}","scope":"{}"}})", operation, resource))
        .text("ResourceId", resource);
    t.end();
  };
  for (const Change& ch : c.changes) {
    if (ch.what == Change::What::kScaleUp) {
      row(ch.at + 3 * kSecond, "MICROSOFT.COMPUTE/VIRTUALMACHINESCALESETS/WRITE", "Start", scale_set);
      row(ch.at + 60 * kSecond, "MICROSOFT.COMPUTE/VIRTUALMACHINESCALESETS/WRITE", "Success", scale_set);
    } else if (ch.what == Change::What::kNodeDelete) {
      row(ch.at - 90 * kSecond, "MICROSOFT.COMPUTE/VIRTUALMACHINESCALESETS/DELETE/ACTION", "Start", scale_set);
      row(ch.at + 40 * kSecond, "MICROSOFT.COMPUTE/VIRTUALMACHINESCALESETS/DELETE/ACTION", "Success", scale_set);
    }
  }
  for (Micros at = world.from + random.between(0, 3600) * kSecond; at < world.to; at += random.between(3600, 9000) * kSecond)
    row(at, "MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/LISTCLUSTERUSERCREDENTIAL/ACTION", "Success", c.resource_id);
}

}  // namespace egret::drill
