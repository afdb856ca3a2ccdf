#pragma once
// What a table is: the one declaration from which DDL, decoders, the KQL binder, completion and docs are derived.
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/type.h"

namespace egret::model {

struct Column {
  std::string name;
  Type type = Type::kString;
  std::string doc = {};     // meaning and unit
  bool is_address = false;  // the store keeps base::IpAddress::value beside it, as column "<name>$ip" HUGEINT, null where it is no address
  bool added = false;       // ours: the published table lacks it
};

// Columns that every stored table has without declaring them; KQL may name them, `*` does not show them.
//   _RowId         long      unique in the data folder, grows with ingestion; evidence cites it
//   _IngestionTime datetime  what ingestion_time() returns
//   _SourceId      int       the EgretSources row of the file it came from
inline constexpr std::string_view kHiddenColumns[] = {"_RowId", "_IngestionTime", "_SourceId"};

struct Table {
  std::string name;
  std::string doc = {};
  std::string origin = {};  // "Azure Monitor", "ASIM", "Egret"
  std::vector<Column> columns;
  bool open = false;  // AzureDiagnostics: further columns are typed by their suffix

  int find(std::string_view column) const;  // exact name; -1 when absent
  void build_index();                       // call after columns are complete

 private:
  std::unordered_map<std::string, int> index_;
};

}  // namespace egret::model
