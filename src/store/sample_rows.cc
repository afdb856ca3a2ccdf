#include "store/sample_rows.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/duration.h"
#include "base/json.h"
#include "base/text.h"
#include "model/catalogue.h"

namespace egret::store {
namespace {

using model::Type;

// A mistake in the samples; caught in read_sample_cases, never leaves this file.
struct Mistake {
  YAML::Mark mark;
  std::string message, hint;
};

[[noreturn]] void fail(const YAML::Node& node, std::string message, std::string hint = {}) {
  throw Mistake{node.Mark(), std::move(message), std::move(hint)};
}

bool quoted(const YAML::Node& scalar) { return scalar.Tag() == "!"; }

std::optional<int64_t> as_integer(std::string_view text) {
  int64_t v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return v;
}

std::optional<double> as_real(std::string_view text) {
  double v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return {};
  return v;
}

bool is_null_scalar(const YAML::Node& node) {
  return node.IsNull() || (node.IsScalar() && !quoted(node) && (node.Scalar() == "~" || node.Scalar() == "null"));
}

void write_json(const YAML::Node& node, JsonWriter& out, int depth = 0) {
  if (depth > 64) fail(node, "this value is nested too deeply");
  if (is_null_scalar(node)) {
    out.null();
  } else if (node.IsSequence()) {
    out.begin_array();
    for (const auto& item : node) write_json(item, out, depth + 1);
    out.end_array();
  } else if (node.IsMap()) {
    out.begin_object();
    for (const auto& entry : node) {
      out.key(entry.first.as<std::string>());
      write_json(entry.second, out, depth + 1);
    }
    out.end_object();
  } else if (const std::string text = node.Scalar(); quoted(node)) {
    out.string(text);
  } else if (text == "true" || text == "false") {
    out.boolean(text == "true");
  } else if (const auto i = as_integer(text)) {
    out.number(*i);
  } else if (const auto r = as_real(text)) {
    out.number(*r);
  } else {
    out.string(text);
  }
}

std::string to_json(const YAML::Node& node) {
  // A quoted scalar that is JSON already is taken as it is: '{"a": 1}'.
  if (node.IsScalar() && !node.Scalar().empty() && (node.Scalar()[0] == '{' || node.Scalar()[0] == '[')) return node.Scalar();
  JsonWriter w;
  write_json(node, w);
  return std::move(w).take();
}

std::string scalar(const YAML::Node& node, std::string_view what) {
  if (!node.IsScalar()) fail(node, fmt::format("{} must be a single value", what));
  return node.Scalar();
}

Type guess_type(const YAML::Node& value) {
  if (!value.IsScalar()) return Type::kDynamic;
  if (quoted(value)) return Type::kString;
  const std::string& text = value.Scalar();
  if (text == "true" || text == "false") return Type::kBool;
  if (as_integer(text)) return Type::kLong;
  if (as_real(text)) return Type::kReal;
  if (text.size() >= 10 && text[4] == '-' && parse_iso_datetime(text)) return Type::kDatetime;
  return Type::kString;
}

bool is_directive(std::string_view key) { return key == "repeat" || key == "every" || key == "vary"; }

// The shape of a table that nobody declared, read off its sample values.
std::shared_ptr<model::Table> guess_table(const std::string& name, const YAML::Node& rows) {
  auto table = std::make_shared<model::Table>();
  table->name = name;
  std::map<std::string, size_t> seen;
  const auto take = [&](const std::string& column, const YAML::Node& value) {
    if (is_null_scalar(value)) return;
    const Type type = guess_type(value);
    const auto [at, fresh] = seen.emplace(column, table->columns.size());
    if (fresh) {
      table->columns.push_back({.name = column, .type = type});
    } else if (Type& known = table->columns[at->second].type; known != type) {
      const bool numbers = (known == Type::kLong || known == Type::kReal) && (type == Type::kLong || type == Type::kReal);
      known = numbers ? Type::kReal : Type::kString;
    }
  };
  for (const auto& row : rows) {
    if (!row.IsMap()) fail(row, "a row is a mapping of columns to values");
    for (const auto& cell : row) {
      const std::string key = cell.first.as<std::string>();
      if (key == "vary" && cell.second.IsMap()) {
        for (const auto& varied : cell.second)
          for (const auto& value : varied.second) take(varied.first.as<std::string>(), value);
      } else if (!is_directive(key)) {
        take(key, cell.second);
      }
    }
  }
  table->build_index();
  return table;
}

void set_cell(model::Batch& batch, int column, const YAML::Node& value, Ticks shift) {
  const model::Column& c = batch.table().columns[static_cast<size_t>(column)];
  if (is_null_scalar(value)) return;
  if (c.type == Type::kDynamic) return batch.set_dynamic(column, to_json(value));
  if (c.type == Type::kString && !value.IsScalar()) return batch.set_string(column, to_json(value));  // a string column that holds JSON
  const std::string text = scalar(value, c.name);
  const auto wrong = [&]() { fail(value, fmt::format("'{}' is not a {}, which {} is", text, model::type_name(c.type), c.name)); };
  switch (c.type) {
    case Type::kString: return batch.set_string(column, text);
    case Type::kGuid: return batch.set_guid(column, to_lower(text));
    case Type::kBool:
      if (text != "true" && text != "false") wrong();
      return batch.set_bool(column, text == "true");
    case Type::kInt:
    case Type::kLong: {
      if (const auto i = as_integer(text)) return batch.set_int(column, *i);
      const auto r = as_real(text);  // 2.5e9
      if (!r || *r > 9e18 || *r < -9e18) wrong();
      return batch.set_int(column, static_cast<int64_t>(r.value_or(0)));
    }
    case Type::kReal:
    case Type::kDecimal: {
      const auto r = as_real(text);
      if (!r) wrong();
      return batch.set_real(column, r.value_or(0));
    }
    case Type::kDatetime: {
      const auto t = parse_iso_datetime(text);
      if (!t) wrong();
      return batch.set_datetime(column, t.value_or(0) + shift);
    }
    case Type::kTimespan: {
      const auto t = parse_duration(text);
      if (!t) wrong();
      return batch.set_timespan(column, t.value_or(0));
    }
    case Type::kDynamic: break;
  }
}

constexpr int64_t kMostRepeats = 100'000;

void add_rows(model::Batch& batch, const YAML::Node& row, Ticks& latest) {
  if (!row.IsMap()) fail(row, "a row is a mapping of columns to values");
  int64_t repeat = 1;
  Ticks every = 0;
  struct Cell {
    int column;
    std::vector<YAML::Node> values;
  };
  std::vector<Cell> cells;
  const auto column_of = [&](const YAML::Node& key) {
    const std::string name = key.as<std::string>();
    const int column = batch.find_column(name);
    if (column < 0) {
      std::vector<std::string> names;
      for (const model::Column& c : batch.table().columns) names.push_back(c.name);
      const std::string near = near_name(name, names);
      fail(key, fmt::format("{} has no column '{}'", batch.table().name, name),
           near.empty() ? "" : fmt::format("did you mean '{}'?", near));
    }
    return column;
  };
  for (const auto& cell : row) {
    const std::string key = scalar(cell.first, "a column's name");
    if (key == "repeat") {
      const auto n = as_integer(scalar(cell.second, "repeat"));
      if (!n || *n < 1 || *n > kMostRepeats) fail(cell.second, fmt::format("repeat is a number from 1 to {}", kMostRepeats));
      repeat = n.value_or(1);
    } else if (key == "every") {
      const auto span = parse_duration(scalar(cell.second, "every"));
      if (!span) fail(cell.second, "every is a length of time, such as 1h or 30s");
      every = span.value_or(0);
    } else if (key == "vary") {
      if (!cell.second.IsMap()) fail(cell.second, "vary is a mapping of columns to lists of values");
      for (const auto& varied : cell.second) {
        if (!varied.second.IsSequence() || varied.second.size() == 0) fail(varied.second, "vary takes a list of values for each column");
        cells.push_back({column_of(varied.first), {varied.second.begin(), varied.second.end()}});
      }
    } else {
      cells.push_back({column_of(cell.first), {cell.second}});
    }
  }
  for (int64_t i = 0; i < repeat; ++i) {
    batch.add_row();
    for (const Cell& c : cells) {
      set_cell(batch, c.column, c.values[static_cast<size_t>(i) % c.values.size()], i * every);
      if (batch.table().columns[static_cast<size_t>(c.column)].type == Type::kDatetime && !batch.is_null(c.column, batch.rows() - 1))
        latest = std::max(latest, batch.number(c.column, batch.rows() - 1));
    }
  }
}

SampleCase read_case(const YAML::Node& node, std::span<const model::Table* const> tables) {
  if (!node.IsMap()) fail(node, "a test is a mapping with name, given and expect");
  SampleCase sample;
  sample.line = node.Mark().line + 1;
  Ticks latest = 0;
  bool has_expect = false;
  for (const auto& entry : node) {
    const std::string key = scalar(entry.first, "a key");
    const YAML::Node& value = entry.second;
    if (key == "name") {
      sample.name = scalar(value, "name");
    } else if (key == "now") {
      const auto t = parse_iso_datetime(scalar(value, "now"));
      if (!t) fail(value, fmt::format("now is a time, such as 2022-04-01T06:14:00Z, not '{}'", value.Scalar()));
      sample.now = t.value_or(0);
    } else if (key == "given") {
      if (is_null_scalar(value)) continue;
      if (!value.IsMap()) fail(value, "given is a mapping of tables to lists of rows");
      for (const auto& table : value) {
        const std::string name = scalar(table.first, "a table's name");
        if (!table.second.IsSequence()) fail(table.second, fmt::format("the rows of {} are a list", name));
        const model::Table* known = nullptr;
        for (const model::Table* t : tables)
          if (t->name == name) known = t;
        if (!known) known = model::find_table(name);
        model::Batch batch = known ? model::Batch(*known) : model::Batch(guess_table(name, table.second));
        for (const auto& row : table.second) add_rows(batch, row, latest);
        sample.given.push_back(std::move(batch));
      }
    } else if (key == "expect") {
      has_expect = true;
      if (is_null_scalar(value)) continue;
      if (!value.IsSequence()) fail(value, "expect is a list of rows; [] when the query must find nothing");
      for (const auto& row : value) {
        if (!row.IsMap()) fail(row, "an expected row is a mapping of columns to values");
        std::vector<ExpectedCell> cells;
        for (const auto& cell : row)
          cells.push_back({scalar(cell.first, "a column's name"), cell.second.IsScalar()        ? cell.second.Scalar()
                                                                  : is_null_scalar(cell.second) ? ""
                                                                                                : to_json(cell.second)});
        sample.expect.push_back(std::move(cells));
      }
    } else if (key == "other_rows") {
      sample.other_rows = scalar(value, "other_rows") == "true";
    } else {
      const std::string near = near_name(key, std::vector<std::string>{"name", "now", "given", "expect", "other_rows"});
      fail(entry.first, fmt::format("a test has no key '{}'", key),
           near.empty() ? "its keys are name, now, given, expect, other_rows" : fmt::format("did you mean '{}'?", near));
    }
  }
  if (!has_expect) fail(node, "this test has no 'expect': it would prove nothing", "write expect: [] when the query must find nothing");
  if (sample.expect.empty() && sample.other_rows) fail(node, "a test that expects nothing and allows other rows proves nothing");
  if (sample.now == 0) sample.now = latest + kTicksPerSecond;
  if (sample.name.empty()) sample.name = fmt::format("line {}", sample.line);
  return sample;
}

}  // namespace

Result<std::vector<SampleCase>> read_sample_cases(std::string_view yaml, std::string_view file,
                                                  std::span<const model::Table* const> tables) {
  std::vector<SampleCase> cases;
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    if (!root.IsMap() || !root["tests"] || is_null_scalar(root["tests"])) return cases;
    if (!root["tests"].IsSequence()) fail(root["tests"], "tests is a list");
    for (const auto& node : root["tests"]) cases.push_back(read_case(node, tables));
  } catch (const Mistake& m) {
    return usage_error(fmt::format("{}:{}:{}: error: {}", file, m.mark.line + 1, m.mark.column + 1, m.message), m.hint);
  } catch (const YAML::Exception& e) {
    return usage_error(fmt::format("{}:{}:{}: error: {}", file, e.mark.line + 1, e.mark.column + 1, e.msg));
  }
  return cases;
}

Result<std::unique_ptr<Engine>> sample_engine(const SampleCase& sample) {
  TRY(auto engine, Engine::open({.folder = {}, .memory_bytes = 512ULL << 20, .threads = 1}));
  for (const model::Batch& batch : sample.given) {
    if (model::find_table(batch.table().name)) {
      TRY_VOID(engine->append(batch, sample.now));
    } else {
      TRY_VOID(engine->put_temporary(batch.table().name, batch));
    }
  }
  TRY_VOID(engine->commit());
  return engine;
}

Result<std::vector<std::string>> run_sample_case(const SampleCase& sample, std::string_view query) {
  TRY(const auto engine, sample_engine(sample));
  TRY(const model::Batch result, engine->query(query, sample.now));
  return compare_rows(sample, result);
}

}  // namespace egret::store
