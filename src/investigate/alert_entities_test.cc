#include "investigate/alert_entities.h"

#include <gtest/gtest.h>

namespace egret::investigate {
namespace {

TEST(AlertEntities, DefenderNetworkLayerAlertOfANode) {
  Alert a;
  read_entities(
      {.entities =
           R"([{"$id":"1","HostName":"aks-pool1-1234-vmss000003","AzureID":"/subscriptions/s/resourceGroups/MC_rg_prod-ca_canadacentral/providers/Microsoft.Compute/virtualMachineScaleSets/aks-pool1-1234-vmss/virtualMachines/3","Type":"host"},
                                 {"$id":"2","Address":"172.64.80.1","Location":{"CountryCode":"US","Asn":13335},"Type":"ip"}])",
       .properties = R"({"Victim IP":"10.224.0.7","Attacker IP":"IP Address: 172.64.80.1","Number of Connections":"2"})",
       .description = {},
       .compromised = {},
       .resource_id = {}},
      a);
  EXPECT_EQ(a.address, "172.64.80.1");
  EXPECT_EQ(a.source_address, "10.224.0.7");
  EXPECT_EQ(a.node, "aks-pool1-1234-vmss000003");
}

TEST(AlertEntities, AttackersSourceAddressIsTheDestination) {
  Alert a;
  read_entities({.entities = R"([{"$id":"1","Address":"198.51.100.7","Type":"ip"},{"$id":"2","Address":"10.41.0.7","Type":"ip"}])",
                 .properties = R"({"Attacker source IP":"IP Address: 198.51.100.7","Victim IP":"10.41.0.7"})",
                 .description = {},
                 .compromised = {},
                 .resource_id = {}},
                a);
  EXPECT_EQ(a.address, "198.51.100.7");
  EXPECT_EQ(a.source_address, "10.41.0.7");
}

TEST(AlertEntities, YourMachineIsTheVictim) {
  Alert a;
  read_entities(
      {.entities = {},
       .properties = {},
       .description = "Network traffic analysis indicates that your machine (IP 20.48.1.9) has communicated with what is possibly "
                      "a Command and Control center.",
       .compromised = {},
       .resource_id = {}},
      a);
  EXPECT_EQ(a.address, "");
  EXPECT_EQ(a.source_address, "20.48.1.9");
}

TEST(AlertEntities, ScaleSetInstanceIsANodeName) {
  Alert a;
  read_entities(
      {.entities = {},
       .properties = {},
       .description = {},
       .compromised = {},
       .resource_id =
           "/subscriptions/s/resourceGroups/MC_x/providers/Microsoft.Compute/virtualMachineScaleSets/aks-np-1-vmss/virtualMachines/38"},
      a);
  EXPECT_EQ(a.node, "aks-np-1-vmss000012");
}

TEST(AlertEntities, KubernetesPodAndConnection) {
  Alert a;
  read_entities(
      {.entities =
           R"([{"Type":"K8s-cluster","CloudResource":{"ResourceId":"/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/prod-we","Type":"azure-resource"}},
                                 {"Type":"K8s-namespace","Name":"shop"},{"Type":"K8s-pod","Name":"cart-6c5-x2x"},
                                 {"Type":"network-connection","SourceAddress":{"Address":"10.1.0.4","Type":"ip"},"DestinationAddress":{"Address":"198.51.100.7","Type":"ip"},"DestinationPort":443}])",
       .properties = "not json",
       .description = {},
       .compromised = {},
       .resource_id = {}},
      a);
  EXPECT_EQ(a.cluster, "prod-we");
  EXPECT_EQ(a.pod, "shop/cart-6c5-x2x");
  EXPECT_EQ(a.address, "198.51.100.7");
  EXPECT_EQ(a.port, 443);
}

TEST(AlertEntities, PublicVictimIsNotTheDestination) {
  Alert a;
  read_entities({.entities = R"([{"Type":"ip","Address":"20.48.1.9"},{"Type":"ip","Address":"185.220.101.47"}])",
                 .properties = R"({"victim IP":"20.48.1.9"})",
                 .description = {},
                 .compromised = {},
                 .resource_id = {}},
                a);
  EXPECT_EQ(a.address, "185.220.101.47");
  EXPECT_EQ(a.source_address, "20.48.1.9");
}

TEST(AlertEntities, OnlyTheSentenceNamesTheAddress) {
  Alert a;
  read_entities({.entities = "[]",
                 .properties = "{}",
                 .description = "Your machine (IP 10.0.0.4) has communicated with 203.0.113.9, possibly a Command and Control center.",
                 .compromised = "aks-np-1-vmss000001",
                 .resource_id = {}},
                a);
  EXPECT_EQ(a.address, "203.0.113.9");
  EXPECT_EQ(a.source_address, "10.0.0.4");
  EXPECT_EQ(a.node, "aks-np-1-vmss000001");
}

}  // namespace
}  // namespace egret::investigate
