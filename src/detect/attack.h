#pragma once
// Names that a rule file may use: Sentinel's tactics, MITRE ATT&CK techniques (content/attack.tsv), entity types and their identifiers.
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace egret::detect {

std::span<const std::string_view> tactic_names();
// "T1041" or "T1071.001"; ICS ("T0885") has four digits too. False for what is not of that form.
bool is_technique_form(std::string_view id);
// The name of an Enterprise technique ("Exfiltration Over C2 Channel"); empty when the table has none.
std::string_view technique_name(std::string_view id);
std::vector<std::string> technique_ids();

struct EntityType {
  std::string_view name;         // as rules write it: "IP"
  std::string_view alert_type;   // as SecurityAlert.Entities writes it: "ip"
  std::string_view identifiers;  // separated by spaces; the first is the one that Egret shows
};
std::span<const EntityType> entity_types();
const EntityType* find_entity_type(std::string_view name);  // any case
bool has_identifier(const EntityType& type, std::string_view identifier);

}  // namespace egret::detect
