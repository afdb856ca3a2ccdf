#pragma once
// The prompt of `egret query`: lines of a terminal become queries and commands, with editing, history and completion (libedit).
//
//   A query may have many lines. It runs at an empty line, or at once where a line ends with ';' and is no statement for the next.
//   A line that begins with '.' is a command: .help .tables .schema .functions .format .quit
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace egret::cli {

// Whether what was typed so far is to run now; `line` is its last line, without the line break.
bool query_is_complete(std::string_view text, std::string_view line);

struct PromptCalls {
  std::function<void(const std::string& query)> run;
  // words[0] is the command without its dot; false ends the prompt.
  std::function<bool(const std::vector<std::string>& words)> command;
  std::vector<std::string> words;  // that Tab completes
};

// Reads until the end of input (Ctrl-D) or .quit. `history`: the file that keeps lines between sessions; empty: none.
void prompt(const PromptCalls& calls, const std::string& history);

}  // namespace egret::cli
