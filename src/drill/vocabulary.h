#pragma once
// The words and the products of the invented fleets: regions, providers' ranges, published software that clusters run, names of
// applications. Facts about the outside world only; what a drill makes of them is the scenario's.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace egret::drill {

struct Region {
  std::string_view name, label, abbreviation;  // canadacentral, Canada Central, cac
};
extern const std::vector<Region> kRegions;

struct Provider {
  std::string_view name;
  bool shared;
  std::vector<std::string_view> ranges;  // CIDR
};
extern const std::vector<Provider> kProviders;
const Provider& provider(std::string_view name);

// Published software as clusters run it.
struct Product {
  std::string_view id, ns, kind, name, image, tag, container;
  bool host_network, dns_default, always;  // always: every AKS cluster has it
  std::vector<std::string_view> talks_to;  // names; {region}, {workspace}, {registry}, {id} are filled in
  std::vector<std::string_view> others;    // further containers
  std::string_view label_key;
};
extern const std::vector<Product> kProducts;
extern const std::vector<Product> kFurtherProducts;  // run only where a scenario asks for them
const Product* product(std::string_view id);

// Names that applications talk to, with the provider of their addresses.
struct Service {
  std::string_view name, provider;
  uint16_t port;
};
extern const std::vector<Service> kServices;
std::string_view provider_of(std::string_view name);  // by suffix; hosting where unknown

extern const std::vector<std::string_view> kRoles, kTeams, kOrganisations, kSuffixes, kVendors, kPeople;

}  // namespace egret::drill
