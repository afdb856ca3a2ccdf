#include "base/embedded.h"

#include <fstream>
#include <map>
#include <sstream>

// Made by cmake/Embed.cmake; ends with a null name.
struct EmbeddedEntry {
  const char* name;
  const char* begin;
  const char* end;
};
extern "C" const EmbeddedEntry egret_embedded_index[];

namespace egret {
namespace {

std::filesystem::path& override_folder() {
  static std::filesystem::path folder;
  return folder;
}

std::optional<std::string> read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return {};
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

}  // namespace

void set_content_override(std::filesystem::path folder) { override_folder() = std::move(folder); }

std::string_view embedded_text(std::string_view path) {
  for (const EmbeddedEntry* e = egret_embedded_index; e->name; ++e)
    if (path == e->name) return {e->begin, static_cast<size_t>(e->end - e->begin)};
  return {};
}

std::vector<ContentFile> content_files(std::string_view folder) {
  const std::string prefix = std::string(folder) + "/";
  std::map<std::string, ContentFile> found;
  for (const EmbeddedEntry* e = egret_embedded_index; e->name; ++e)
    if (std::string_view(e->name).starts_with(prefix))
      found[e->name] = {e->name, std::string(e->begin, static_cast<size_t>(e->end - e->begin)), "built in"};
  std::error_code ec;
  if (!override_folder().empty()) {
    const auto root = override_folder() / folder;
    for (std::filesystem::recursive_directory_iterator it(root, ec), end; !ec && it != end; it.increment(ec)) {
      if (!it->is_regular_file(ec)) continue;
      const std::string path = prefix + it->path().lexically_relative(root).generic_string();
      if (auto text = read(it->path())) found[path] = {path, *std::move(text), it->path().string()};
    }
  }
  std::vector<ContentFile> out;
  for (auto& [path, file] : found) out.push_back(std::move(file));
  return out;
}

std::optional<ContentFile> content_file(std::string_view path) {
  if (!override_folder().empty()) {
    const auto p = override_folder() / path;
    if (auto text = read(p)) return ContentFile{std::string(path), *std::move(text), p.string()};
  }
  if (const auto text = embedded_text(path); text.data()) return ContentFile{std::string(path), std::string(text), "built in"};
  return {};
}

}  // namespace egret
