// Network interfaces as `az network nic list` and `az vmss nic list` print them: which node had which address. Nodes of AKS are machines
// of scale sets (their names are the set's and the instance's number to the base of 36) or machines whose own name is the node's.
#include <charconv>

#include "base/text.h"
#include "ingest/decoder.h"
#include "ingest/json_file.h"
#include "ingest/row_setter.h"

namespace egret::ingest {
namespace {

// The segment after that one, in any case.
std::string_view after(std::string_view id, std::string_view segment) {
  const std::string lower = to_lower(id), key = "/" + std::string(segment) + "/";
  const size_t at = lower.find(key);
  if (at == std::string::npos) return {};
  const std::string_view rest = id.substr(at + key.size());
  return rest.substr(0, rest.find('/'));
}

// aks-np1-12345678-vmss, 35 → aks-np1-12345678-vmss00000z
std::string node_of(std::string_view id) {
  const std::string_view set = after(id, "virtualmachinescalesets"), machine = after(id, "virtualmachines");
  if (set.empty()) return to_lower(machine);
  uint64_t n = 0;
  const auto [end, ec] = std::from_chars(machine.data(), machine.data() + machine.size(), n);
  if (ec != std::errc() || end != machine.data() + machine.size()) return to_lower(machine);  // flexible sets name their machines
  std::string digits(6, '0');
  for (size_t i = digits.size(); i-- > 0 && n; n /= 36) digits[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[n % 36];
  return to_lower(set) + digits;
}

void decode(const Source& source, Sink& sink) {
  const Ticks time = source.modified_at ? source.modified_at : source.read_at;
  int64_t others = 0;
  each_record(source, sink,
              [&](const js::Element& e, std::string_view text, uint64_t line) {
                const auto properties = js::get(e, "properties");  // REST; az flattens them
                const auto either = [&](std::string_view key) {
                  const auto direct = js::get(e, key);
                  return direct ? direct : js::get(properties, key);
                };
                const auto configurations = either("ipConfigurations");
                if (!js::is_array(configurations)) return sink.error(line, "a network interface without ipConfigurations", text);
                const auto machine = either("virtualMachine");
                const std::string node = node_of(machine ? js::text(*machine, "id") : std::string_view());
                // Of a private endpoint or a machine that is no node.
                if (!node.starts_with("aks")) {
                  ++others;
                  return;
                }
                std::string_view ip, first;
                js::each(configurations, [&](const js::Element& c) {
                  const auto p = js::get(c, "properties");
                  const auto member = [&](std::string_view key) {
                    const auto direct = js::get(c, key);
                    return direct ? direct : js::get(p, key);
                  };
                  const std::string_view address = js::text(member("privateIPAddress")).empty() ? js::text(member("privateIpAddress"))
                                                                                                : js::text(member("privateIPAddress"));
                  if (first.empty()) first = address;
                  if (js::boolean(member("primary"))) ip = address;
                });
                if (ip.empty()) ip = first;
                RowSetter(sink.rows("EgretKubeObjects"))
                    .time("TimeGenerated", time)
                    .text("Verb", "observed")
                    .text("Cluster", source.cluster)
                    .text("Kind", "Node")
                    .text("Name", node)
                    .address("Ip", ip)
                    .text("Source", "azure");
              },
              {"value"});
  if (others)
    sink.note(std::to_string(others) + (others == 1 ? " network interface is" : " network interfaces are") +
              " of no node of AKS (private endpoints, other machines) and tell nothing here");
}

int recognise(std::string_view head, std::string_view) {
  return json_with(head, {"\"ipConfigurations\"", "Microsoft.Network/networkInterfaces"}) ||
                 json_with(head, {"\"ipConfigurations\"", "/networkInterfaces/", "\"virtualMachine\""})
             ? 90
             : 0;
}

}  // namespace

extern const Decoder kAzureNics;
const Decoder kAzureNics{"azure-nics", "az network nic list, az vmss nic list: which node has which address", "EgretKubeObjects", recognise,
                         decode};

}  // namespace egret::ingest
