#include "ingest/yaml_json.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <istream>
#include <map>
#include <streambuf>

#include "base/json.h"

namespace egret::ingest {
namespace {

// Reads a view without copying it.
struct ViewBuffer : std::streambuf {
  explicit ViewBuffer(std::string_view s) {
    char* p = const_cast<char*>(s.data());
    setg(p, p, p + s.size());
  }
};

bool is_json_number(std::string_view s) {
  size_t i = 0;
  const auto digits = [&] {
    const size_t from = i;
    while (i < s.size() && s[i] >= '0' && s[i] <= '9') ++i;
    return i > from;
  };
  if (i < s.size() && s[i] == '-') ++i;
  if (i < s.size() && s[i] == '0')
    ++i;
  else if (!digits())
    return false;
  if (i < s.size() && s[i] == '.') {
    ++i;
    if (!digits()) return false;
  }
  if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
    ++i;
    if (i < s.size() && (s[i] == '+' || s[i] == '-')) ++i;
    if (!digits()) return false;
  }
  return i == s.size() && s.size() < 25;
}

// Writes JSON from parser events. Anchors are remembered as text; their expansion is bounded.
class Writer final : public YAML::EventHandler {
 public:
  explicit Writer(size_t limit) : limit_(limit) {}

  std::string out;
  size_t line = 0;
  int position = -1;
  bool too_large = false;

  void OnDocumentStart(const YAML::Mark& mark) override {
    line = static_cast<size_t>(mark.line) + 1;
    position = mark.pos;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t anchor) override { value(anchor, "null"); }
  void OnAlias(const YAML::Mark&, YAML::anchor_t anchor) override {
    const auto it = anchors_.find(anchor);
    before();
    append(it == anchors_.end() ? "null" : it->second);
    after();
  }
  void OnScalar(const YAML::Mark&, const std::string& tag, YAML::anchor_t anchor, const std::string& text) override {
    const bool plain = tag == "?" || tag.empty();
    const bool is_key = !stack_.empty() && stack_.back().map && !stack_.back().have_key;
    if (!is_key && plain) {
      if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return value(anchor, "null");
      if (text == "true" || text == "True" || text == "TRUE") return value(anchor, "true");
      if (text == "false" || text == "False" || text == "FALSE") return value(anchor, "false");
      if (is_json_number(text)) return value(anchor, text);
    }
    value(anchor, json_quote(text));
  }
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(false, anchor);
  }
  void OnSequenceEnd() override { close(']'); }
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value) override { open(true, anchor); }
  void OnMapEnd() override { close('}'); }

 private:
  struct Level {
    bool map, have_key = false, first = true, as_key = false;
    YAML::anchor_t anchor;
    size_t start;
  };
  void append(std::string_view s) {
    if (out.size() + s.size() > limit_) {
      too_large = true;
      return;
    }
    out += s;
  }
  void before() {
    if (stack_.empty()) return;
    Level& l = stack_.back();
    if (l.map && l.have_key) return;
    if (!l.first) append(",");
    l.first = false;
  }
  void after() {
    if (stack_.empty() || !stack_.back().map) return;
    Level& l = stack_.back();
    if (!l.have_key) append(":");
    l.have_key = !l.have_key;
  }
  void value(YAML::anchor_t anchor, std::string_view json) {
    before();
    append(json);
    if (anchor) anchors_[anchor] = json;
    after();
  }
  void open(bool map, YAML::anchor_t anchor) {
    before();
    stack_.push_back({.map = map, .anchor = anchor, .start = out.size()});
    // A map or list as a key has no form in JSON: it is written as a value of the key "?".
    if (stack_.size() > 1) {
      Level& parent = stack_[stack_.size() - 2];
      if (parent.map && !parent.have_key) {
        append("\"?\":");
        stack_.back().as_key = true;
        stack_.back().start = out.size();
      }
    }
    append(map ? "{" : "[");
  }
  void close(char c) {
    const Level l = stack_.back();
    stack_.pop_back();
    append(std::string_view(&c, 1));
    if (l.anchor && !too_large) anchors_[l.anchor] = out.substr(l.start);
    if (l.as_key) {
      append(",\"?value\":");
      stack_.back().have_key = true;
      return;
    }
    after();
  }

  std::vector<Level> stack_;
  std::map<YAML::anchor_t, std::string> anchors_;
  size_t limit_;
};

}  // namespace

YamlDocuments yaml_to_json(std::string_view yaml) {
  YamlDocuments result;
  ViewBuffer buffer(yaml);
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    for (int last = -1;;) {
      Writer w(yaml.size() * 8 + (16 << 20));
      if (!parser.HandleNextDocument(w)) break;
      // On a token that can begin nothing (a comma) the parser gives an empty document and stays where it is.
      if (w.position == last) {
        result.error = "no value can begin here";
        result.error_line = w.line;
        break;
      }
      last = w.position;
      if (w.too_large) {
        result.error = "aliases expand to far more than the file holds";
        result.error_line = w.line;
        break;
      }
      if (!w.out.empty() && w.out != "null") result.documents.push_back({std::move(w.out), w.line});
    }
  } catch (const YAML::Exception& e) {
    result.error = e.msg;
    result.error_line = static_cast<size_t>(e.mark.line) + 1;
  } catch (const std::exception& e) {
    result.error = e.what();
  }
  return result;
}

}  // namespace egret::ingest
