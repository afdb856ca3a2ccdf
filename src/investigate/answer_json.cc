#include "investigate/answer_json.h"

#include <simdjson.h>

#include "base/json.h"
#include "investigate/fields.h"

namespace egret::investigate {

namespace {

constexpr Classification kAll[] = {Classification::kTruePositive, Classification::kBenignPositive, Classification::kFalsePositive,
                                   Classification::kUndetermined};

class Writer {
 public:
  Writer(JsonWriter& w, bool facts) : w_(w), facts_(facts) {}
  bool with_facts() const { return facts_; }

  template <class T>
  void operator()(std::string_view name, const T& value, std::string_view) {
    w_.key(name);
    write(value);
  }
  void time(std::string_view name, Ticks t, std::string_view) {
    w_.key(name);
    if (t == 0)
      w_.null();
    else
      w_.string(format_datetime(t));
  }
  template <class F>
  void object(std::string_view name, std::string_view, F body) {
    w_.key(name);
    w_.begin_object();
    body();
    w_.end_object();
  }

  void write(const std::string& s) { w_.string(s); }
  void write(int64_t n) { w_.number(n); }
  void write(int n) { w_.number(static_cast<int64_t>(n)); }
  void write(double d) { w_.number(d); }
  void write(bool b) { w_.boolean(b); }
  void write(Classification c) { w_.string(classification_name(c)); }
  template <class T>
  void write(const std::optional<T>& o) {
    if (o)
      write(*o);
    else
      w_.null();
  }
  template <class T>
  void write(const std::vector<T>& list) {
    w_.begin_array();
    for (const T& x : list) write(x);
    w_.end_array();
  }
  template <class T>
    requires std::is_class_v<T>
  void write(const T& value) {
    w_.begin_object();
    fields(*this, value);
    w_.end_object();
  }

 private:
  JsonWriter& w_;
  bool facts_;
};

// Reads what is there; a member that is absent or null keeps its default, one of another type is an error.
class Reader {
 public:
  explicit Reader(simdjson::dom::element e) : at_(e) {}
  bool with_facts() const { return true; }
  std::string error;

  template <class T>
  void operator()(std::string_view name, T& into, std::string_view) {
    simdjson::dom::element e;
    if (at_[name].get(e) || e.is_null()) return;
    read(name, e, into);
  }
  void time(std::string_view name, Ticks& into, std::string_view) {
    std::string_view text;
    if (at_[name].get(text)) return;
    if (const auto t = parse_iso_datetime(text))
      into = *t;
    else
      fail(name);
  }
  template <class F>
  void object(std::string_view name, std::string_view, F body) {
    simdjson::dom::element inner;
    if (at_[name].get(inner)) return;
    const auto outer = at_;
    at_ = inner;
    body();
    at_ = outer;
  }

 private:
  void fail(std::string_view name) {
    if (error.empty()) error = "'" + std::string(name) + "' is not what it should be";
  }
  void read(std::string_view name, simdjson::dom::element e, std::string& into) {
    std::string_view s;
    if (e.get(s))
      fail(name);
    else
      into = s;
  }
  void read(std::string_view name, simdjson::dom::element e, int64_t& into) {
    if (e.get(into)) fail(name);
  }
  void read(std::string_view name, simdjson::dom::element e, int& into) {
    int64_t n = 0;
    read(name, e, n);
    into = static_cast<int>(n);
  }
  void read(std::string_view name, simdjson::dom::element e, double& into) {
    if (e.get(into)) fail(name);
  }
  void read(std::string_view name, simdjson::dom::element e, bool& into) {
    if (e.get(into)) fail(name);
  }
  void read(std::string_view name, simdjson::dom::element e, Classification& into) {
    std::string s;
    read(name, e, s);
    for (const Classification c : kAll) {
      if (s == classification_name(c)) {
        into = c;
        return;
      }
    }
    fail(name);
  }
  template <class T>
  void read(std::string_view name, simdjson::dom::element e, std::optional<T>& into) {
    into.emplace();
    read(name, e, *into);
  }
  template <class T>
  void read(std::string_view name, simdjson::dom::element e, std::vector<T>& into) {
    simdjson::dom::array list;
    if (e.get(list)) return fail(name);
    for (const auto x : list) read(name, x, into.emplace_back());
  }
  template <class T>
    requires std::is_class_v<T>
  void read(std::string_view name, simdjson::dom::element e, T& into) {
    if (!e.is_object()) return fail(name);
    const auto outer = at_;
    at_ = e;
    fields(*this, into);
    at_ = outer;
  }

  simdjson::dom::element at_;
};

// Writes JSON Schema; walks default values, and one element of every list.
class Schema {
 public:
  explicit Schema(JsonWriter& w) : w_(w) {}
  bool with_facts() const { return false; }

  template <class T>
  void operator()(std::string_view name, const T& value, std::string_view doc) {
    note(name);
    w_.key(name).begin_object();
    w_.key("description").string(doc);
    describe(value);
    w_.end_object();
  }
  void time(std::string_view name, Ticks, std::string_view doc) {
    note(name);
    w_.key(name).begin_object();
    w_.key("description").string(doc);
    w_.key("type").begin_array().string("string").string("null").end_array();
    w_.key("format").string("date-time");
    w_.end_object();
  }
  template <class F>
  void object(std::string_view name, std::string_view doc, F body) {
    note(name);
    w_.key(name).begin_object();
    w_.key("description").string(doc);
    properties(body);
    w_.end_object();
  }
  template <class F>
  void properties(F body) {
    std::vector<std::string> outer;
    outer.swap(names_);
    w_.key("type").string("object");
    w_.key("properties").begin_object();
    body();
    w_.end_object();
    w_.key("required").begin_array();
    for (const auto& n : names_) w_.string(n);
    w_.end_array();
    names_.swap(outer);
  }

 private:
  void note(std::string_view name) { names_.emplace_back(name); }
  void describe(const std::string&) { w_.key("type").string("string"); }
  void describe(int64_t) { w_.key("type").string("integer"); }
  void describe(int) { w_.key("type").string("integer"); }
  void describe(double) { w_.key("type").string("number"); }
  void describe(bool) { w_.key("type").string("boolean"); }
  void describe(Classification) {
    w_.key("enum").begin_array();
    for (const Classification c : kAll) w_.string(classification_name(c));
    w_.end_array();
  }
  template <class T>
  void describe(const std::optional<T>&) {
    w_.key("anyOf").begin_array();
    w_.begin_object();
    describe(T{});
    w_.end_object();
    w_.begin_object().key("type").string("null").end_object();
    w_.end_array();
  }
  template <class T>
  void describe(const std::vector<T>&) {
    w_.key("type").string("array");
    w_.key("items").begin_object();
    describe(T{});
    w_.end_object();
  }
  template <class T>
    requires std::is_class_v<T>
  void describe(const T& value) {
    properties([&] { fields(*this, value); });
  }

  JsonWriter& w_;
  std::vector<std::string> names_;
};

}  // namespace

std::string answer_json(const Answer& answer, bool with_facts, int indent) {
  JsonWriter w(indent);
  Writer(w, with_facts).write(answer);
  return std::move(w).take();
}

Result<Answer> answer_from_json(std::string_view json) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(json);
  simdjson::dom::element root;
  if (const auto e = parser.parse(padded).get(root))
    return usage_error(std::string("the stored answer is not JSON: ") + simdjson::error_message(e));
  Answer answer;
  Reader reader(root);
  fields(reader, answer);
  if (!reader.error.empty()) return usage_error("the stored answer cannot be read: " + reader.error);
  return answer;
}

std::string answer_schema() {
  JsonWriter w(2);
  w.begin_object();
  w.key("$schema").string("https://json-schema.org/draft/2020-12/schema");
  w.key("title").string("The answer of egret investigate --format json");
  Schema schema(w);
  const Answer answer;
  schema.properties([&] { fields(schema, answer); });
  w.end_object();
  return std::move(w).take() + "\n";
}

}  // namespace egret::investigate
