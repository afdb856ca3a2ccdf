#pragma once
// The content that is built into the binary (content/ of the source tree), and the user's folder that overrides it by path.
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace egret {

struct ContentFile {
  std::string path;  // relative to content/, e.g. "evidence/dns-question.yaml"
  std::string text;
  std::string origin;  // "built in" or the file's own path
};

// Files below `folder` ("evidence"), by path. A file of the same relative path in the override folder wins.
std::vector<ContentFile> content_files(std::string_view folder);
std::optional<ContentFile> content_file(std::string_view path);
// View of a built-in file without copying; it lives as long as the program. Empty when there is none.
std::string_view embedded_text(std::string_view path);
// Set once by the command line (--content DIR) before anything is read.
void set_content_override(std::filesystem::path folder);

}  // namespace egret
