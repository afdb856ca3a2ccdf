#pragma once
// All tables that Egret knows: the published Azure Monitor schema (content/tables/azure-monitor.tsv), and the declarations
// of those that Egret fills (content/tables/NAME.yaml), which document, extend, or define a table anew.
#include <string>
#include <string_view>
#include <vector>

#include "model/table.h"

namespace egret::model {

// The table of that exact name, or null. Loaded on first use; lives as long as the program. Thread-safe.
const Table* find_table(std::string_view name);
std::vector<std::string> table_names();           // all, sorted
std::vector<std::string> declared_table_names();  // those with a content/tables/NAME.yaml

}  // namespace egret::model
