#pragma once
// A mistake in a content file, with its place: every mistake of a file is reported at once, as a compiler would.
#include <string>
#include <string_view>
#include <vector>

namespace egret::detect {

struct Diagnostic {
  int line = 1, column = 1;  // 1-based; column counts bytes
  int length = 1;            // of what the caret underlines
  std::string message;       // what is wrong and what was expected, without final stop
  std::string hint;          // the next step or a near name; may be empty
  bool warning = false;
};

// "name:line:column: error: message", the line, a caret under the place, and the hint; one block each, in order of place.
std::string format_diagnostics(std::string_view text, std::string_view name, std::vector<Diagnostic> diagnostics, bool colours = false);
bool has_errors(const std::vector<Diagnostic>& diagnostics);

}  // namespace egret::detect
