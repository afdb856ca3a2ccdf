#include "capture/identity.h"

#include "base/text.h"

namespace egret::capture {
namespace {

constexpr std::string_view kTitle = "Egret capture";

struct Field {
  std::string_view name;
  std::string Identity::* member;
};
constexpr Field kFields[] = {
    {"cluster", &Identity::cluster},   {"namespace", &Identity::name_space}, {"pod", &Identity::pod},     {"uid", &Identity::pod_uid},
    {"workload", &Identity::workload}, {"container", &Identity::container},  {"image", &Identity::image}, {"node", &Identity::node}};

}  // namespace

std::string identity_comment(const Identity& identity) {
  std::string out(kTitle);
  out += identity.pod.empty() ? " of a network namespace" : " of one pod";
  const auto add = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out.append("\n").append(name).append(": ");
    for (const char c : value) out += static_cast<unsigned char>(c) < 32 ? ' ' : c;
  };
  for (const Field& f : kFields) add(f.name, identity.*f.member);
  std::vector<std::string> addresses;
  for (const IpAddress& a : identity.addresses) addresses.push_back(a.to_string());
  add("addresses", join(addresses, ", "));
  return out;
}

std::optional<Identity> identity_from_comment(std::string_view comment) {
  if (!comment.starts_with(kTitle)) return {};
  Identity out;
  for (const std::string& line : split(comment.substr(kTitle.size()), '\n')) {
    const size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const std::string_view name = std::string_view(line).substr(0, colon), value = trim(std::string_view(line).substr(colon + 2));
    for (const Field& f : kFields)
      if (f.name == name) out.*f.member = value;
    if (name == "addresses")
      for (const std::string& one : split(value, ','))
        if (const auto a = IpAddress::parse(trim(one)); a && out.addresses.size() < 64) out.addresses.push_back(*a);
  }
  return out;
}

}  // namespace egret::capture
