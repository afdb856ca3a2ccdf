#pragma once
// YAML documents as JSON text, so that one reader serves both forms of `kubectl get`.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace egret::ingest {

struct YamlDocument {
  std::string json;
  size_t line = 1;  // where it begins
};

// Empty documents are left out. A document that does not parse ends the list: the error names its line.
struct YamlDocuments {
  std::vector<YamlDocument> documents;
  std::string error;  // empty when all of the text was read
  size_t error_line = 0;
};

YamlDocuments yaml_to_json(std::string_view yaml);

}  // namespace egret::ingest
