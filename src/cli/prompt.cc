#include "cli/prompt.h"

#include <histedit.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "base/text.h"

namespace egret::cli {
namespace {

// The last statement of the text: what stands behind the last ';' that is in no string, comment or bracket.
std::string_view last_statement(std::string_view text) {
  size_t start = 0;
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' || c == '\'') {
      const bool verbatim = i > 0 && text[i - 1] == '@';
      for (++i; i < text.size() && text[i] != c; ++i)
        if (text[i] == '\\' && !verbatim) ++i;
    } else if (c == '/' && i + 1 < text.size() && text[i + 1] == '/') {
      i = std::min(text.find('\n', i), text.size());
    } else if (c == '(' || c == '[' || c == '{') {
      ++depth;
    } else if (c == ')' || c == ']' || c == '}') {
      --depth;
    } else if (c == ';' && depth <= 0) {
      start = i + 1;
    }
  }
  return trim(text.substr(std::min(start, text.size())));
}

// Libedit calls these with the EditLine; its client data is the Session.
struct Session {
  const PromptCalls* calls;
  bool more = false;  // a query has begun
};

Session& session_of(EditLine* el) {
  void* data = nullptr;
  el_get(el, EL_CLIENTDATA, &data);
  return *static_cast<Session*>(data);
}

const char* prompt_text(EditLine* el) { return session_of(el).more ? "  ...> " : "egret> "; }

bool word_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

unsigned char complete(EditLine* el, int) {
  const LineInfo* line = el_line(el);
  const char* from = line->cursor;
  while (from > line->buffer && word_letter(from[-1])) --from;
  const std::string_view part(from, static_cast<size_t>(line->cursor - from));
  if (part.empty()) return CC_ERROR;
  std::vector<std::string_view> found;
  for (const std::string& w : session_of(el).calls->words)
    if (w.size() >= part.size() && iequals(std::string_view(w).substr(0, part.size()), part)) found.push_back(w);
  if (found.empty()) return CC_ERROR;
  size_t same = found[0].size();
  for (const std::string_view w : found) {
    size_t n = 0;
    while (n < same && n < w.size() && w[n] == found[0][n]) ++n;
    same = n;
  }
  if (same >= part.size() && (found.size() == 1 || same > part.size())) {
    const std::string text(found[0].substr(0, same));
    el_deletestr(el, static_cast<int>(part.size()));
    el_insertstr(el, text.c_str());
    return CC_REFRESH;
  }
  std::string list = "\n";
  for (size_t i = 0; i < found.size() && i < 40; ++i) list += std::string(found[i]) + (i % 4 == 3 ? "\n" : "   ");
  if (found.size() > 40) list += "… " + std::to_string(found.size() - 40) + " more";
  std::printf("%s\n", list.c_str());
  std::fflush(stdout);
  return CC_REDISPLAY;
}

volatile std::sig_atomic_t interrupted = 0;
void on_interrupt(int) { interrupted = 1; }

}  // namespace

bool query_is_complete(std::string_view text, std::string_view line) {
  if (trim(text).empty()) return false;
  if (trim(line).empty()) return true;
  text = trim(text);
  if (!text.ends_with(';')) return false;
  // A let, set or declare needs the query that it is for.
  text.remove_suffix(1);
  const std::string_view last = last_statement(text);
  if (last.empty()) return true;
  const std::string word(last.substr(0, last.find_first_of(" \t\n(")));
  return word != "let" && word != "set" && word != "declare" && word != "alias" && word != "restrict";
}

void prompt(const PromptCalls& calls, const std::string& history) {
  Session session{.calls = &calls};
  EditLine* el = el_init("egret", stdin, stdout, stderr);
  History* past = history_init();
  if (!el || !past) return;
  HistEvent event;
  ::history(past, &event, H_SETSIZE, 2000);
  ::history(past, &event, H_SETUNIQUE, 1);
  if (!history.empty()) ::history(past, &event, H_LOAD, history.c_str());
  el_set(el, EL_CLIENTDATA, &session);
  el_set(el, EL_PROMPT, prompt_text);
  el_set(el, EL_EDITOR, "emacs");
  el_set(el, EL_HIST, ::history, past);
  el_set(el, EL_ADDFN, "egret-complete", "completes the word", complete);
  el_set(el, EL_BIND, "^I", "egret-complete", nullptr);
  el_set(el, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  el_source(el, nullptr);  // the user's own ~/.editrc

  struct sigaction act{}, before{};
  act.sa_handler = on_interrupt;  // without SA_RESTART: reading the line ends, and with it what was typed
  sigaction(SIGINT, &act, &before);

  std::string text;
  for (;;) {
    session.more = !text.empty();
    interrupted = 0;
    int count = 0;
    errno = 0;
    const char* got = el_gets(el, &count);
    if (interrupted || (!got && errno == EINTR)) {
      std::printf("^C\n");
      text.clear();
      el_reset(el);
      continue;
    }
    if (!got || count <= 0) {
      std::printf("\n");
      break;
    }
    std::string line(got, static_cast<size_t>(count));
    while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
    if (!trim(line).empty()) ::history(past, &event, H_ENTER, line.c_str());
    if (text.empty() && trim(line).starts_with('.')) {
      std::vector<std::string> words;
      for (const std::string& w : split(trim(line).substr(1), ' '))
        if (!w.empty()) words.push_back(w);
      if (!words.empty() && !calls.command(words)) break;
      continue;
    }
    text += line;
    const bool run = query_is_complete(text, line);
    text += '\n';
    if (trim(text).empty()) text.clear();
    if (!run) continue;
    sigaction(SIGINT, &before, nullptr);  // the query has its own
    calls.run(text);
    sigaction(SIGINT, &act, nullptr);
    text.clear();
  }
  sigaction(SIGINT, &before, nullptr);
  if (!history.empty()) {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(history).parent_path(), ignored);
    const mode_t mask = umask(077);  // queries name what is looked for
    ::history(past, &event, H_SAVE, history.c_str());
    umask(mask);
  }
  history_end(past);
  el_end(el);
}

}  // namespace egret::cli
