#pragma once
// The alert between what happened and the forms in which it is handed out.
#include <string>
#include <utility>
#include <vector>

#include "drill/writers.h"

namespace egret::drill {

struct Alert {
  std::string type, name, description, severity = "High", provider, product = "Azure Security Center", tactics, techniques, steps;
  std::vector<std::pair<std::string, std::string>> properties;
  std::string entities;  // as the column Entities has them: a JSON list, with $ref
  std::string compromised, resource, id;
  Micros start = 0, end = 0, made = 0;
};

// ExtendedProperties as a JSON object.
std::string properties_json(const Alert& alert);

void write_portal_alert(Pen& pen, const Alert& alert);     // the portal's "Export to CSV" of the table's rows
void write_graph_alert(Pen& pen, const Alert& alert);      // Microsoft Graph, security/alerts_v2
void write_logic_app_alert(Pen& pen, const Alert& alert);  // what the trigger of a workflow automation gets

}  // namespace egret::drill
