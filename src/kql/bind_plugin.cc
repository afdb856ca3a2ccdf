// evaluate: the plugins. Those whose columns depend on the rows look at them while compiling (Options::look).
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "kql/binder.h"

namespace egret::kql {
using model::Type;

std::optional<model::Batch> Binder::look(const Syntax* at, Node* n) {
  if (!options_.look || !unsupported.empty() || !diagnostics_.empty()) return {};
  Query query;
  query.shape = std::make_shared<model::Table>();
  for (const Column& c : n->columns)
    if (!c.hidden) query.shape->columns.push_back({.name = std::string(c.name), .type = c.type});
  query.shape->build_index();
  query.sql = render(plan, n, query.tables);
  plan.forget();
  auto rows = options_.look(query);
  if (!rows) {
    error(at, fmt::format("the rows that {} depends on could not be read: {}", at->text, rows.error().message));
    return {};
  }
  return *std::move(rows);
}

namespace {

Type type_of_values(std::string_view types) {
  std::optional<Type> one;
  for (const std::string& t : split(types, ',')) {
    if (t == "null" || t.empty()) continue;
    Type found = Type::kDynamic;
    if (t == "string") found = Type::kString;
    if (t == "long" || t == "int") found = Type::kLong;
    if (t == "double" || t == "real") found = Type::kReal;
    if (t == "bool") found = Type::kBool;
    if (one && *one != found) {
      const bool numbers = is_numeric(*one) && is_numeric(found);
      one = numbers ? Type::kReal : Type::kDynamic;
    } else if (!one) {
      one = found;
    }
  }
  return one.value_or(Type::kString);
}

}  // namespace

Node* Binder::evaluate(const Syntax* op, Node* in, Env* env) {
  const std::string_view plugin = op->left->text;
  if (plugin == "bag_unpack") return bag_unpack(op, in, env);
  if (plugin == "pivot") return pivot(op, in, env);
  if (plugin == "ipv4_lookup") return ipv4_lookup(op, in, env);
  if (plugin == "narrow") return narrow(in);
  if (plugin == "identity") return in;
  not_supported(op->left, fmt::format("the plugin {}", plugin));
  return broken_table();
}

// bag_unpack(Bag [, prefix [, conflict [, ignored]]]) [: (declared columns)]
Node* Binder::bag_unpack(const Syntax* op, Node* in, Env* env) {
  const Syntax* call = op->left;
  if (call->args.empty() || call->args[0]->kind != Kind::kName) {
    error(call, "bag_unpack takes a dynamic column");
    return broken_table();
  }
  const std::string_view bag_name = call->args[0]->text;
  Node* n = prepare(plan.over(in), {}, env, kColumns);
  const int bag = n->find(bag_name);
  if (bag < 0) {
    if (!n->open_shape)
      error(call->args[0], fmt::format("no column is named '{}'", bag_name), near_column(bag_name, Scope{.node = n}, env));
    return n->open_shape ? n : broken_table();
  }
  if (n->columns[static_cast<size_t>(bag)].type != Type::kDynamic && !n->columns[static_cast<size_t>(bag)].bad) {
    error(call->args[0],
          fmt::format("bag_unpack needs a dynamic column, '{}' is a {}", bag_name,
                      model::type_name(n->columns[static_cast<size_t>(bag)].type)),
          "parse it first: extend Bag = parse_json(Text)");
    return broken_table();
  }
  std::string prefix, conflict = "error";
  for (size_t i = 1; i < call->args.size(); ++i) {
    const Syntax* a = call->args[i];
    const std::string value = a->kind == Kind::kNamed
                                  ? (a->text == "ignoredProperties" ? std::string() : constant_string(a->left, env, a->text))
                              : i < 3 ? constant_string(a, env, "this argument")
                                      : std::string();
    const std::string_view name = a->kind == Kind::kNamed ? a->text : i == 1 ? "OutputColumnPrefix" : "columnsConflict";
    if (name == "OutputColumnPrefix") prefix = value;
    if (name == "columnsConflict") conflict = value;
  }
  const Column source = n->columns[static_cast<size_t>(bag)];
  const std::vector<Column> before = n->columns;
  const auto unpacked = [&](std::string_view key, Type type) {
    Bound b;
    b.v = convert({.sql = fmt::format("k_dyn_path({}, {})", source.sql, sql_string(path_key(key))), .type = Type::kDynamic}, type);
    b.deps = source.deps;
    b.bad = source.bad;
    return b;
  };
  if (op->right) {
    // A declared result: nothing to look at.
    n->columns.clear();
    std::vector<Column> hidden;
    for (const Syntax* c : op->right->args) {
      if (c->kind == Kind::kStar) {
        for (const Column& column : before)
          if (!column.hidden && column.name != bag_name) n->columns.push_back(column);
        continue;
      }
      const auto same = std::find_if(before.begin(), before.end(),
                                     [&](const Column& column) { return column.name == c->text && column.name != bag_name; });
      if (same != before.end()) {
        if (n->find(c->text) < 0) n->columns.push_back(*same);
        continue;
      }
      std::string_view key = c->text;
      if (!prefix.empty() && key.starts_with(prefix)) key.remove_prefix(prefix.size());
      put_column(n, c->text, unpacked(key, c->type));
    }
    return n;
  }
  Node* keys = plan.over(in);
  keys->order.clear();
  const Column below = keys->columns[static_cast<size_t>(keys->find(bag_name))];
  keys->columns.clear();
  plan.add(keys, "k", Type::kString, plan.keep(fmt::format("unnest(json_keys({}))", below.sql)), below.deps);
  plan.add(keys, "b", Type::kDynamic, below.sql, below.deps);
  keys->always = {0};
  Node* types = plan.over(keys);
  const std::string_view k = types->columns[0].sql, b = types->columns[1].sql;
  const Deps both = plan.keep(std::vector<Dep>{dep(0, 0), dep(0, 1)});
  types->columns.clear();
  types->grouped = true;
  plan.add(types, "Key", Type::kString, k, both);
  plan.add(types, "Types", Type::kString, plan.keep(fmt::format("string_agg(DISTINCT k_dyn_type(k_dyn_get({}, {})), ',')", b, k)), both);
  types->group.push_back({k, both});
  types->order.push_back({k, both});
  const auto rows = look(call, types);
  std::erase_if(n->columns, [&](const Column& c) { return c.name == bag_name; });
  if (!rows) {
    if (diagnostics_.empty()) {
      if (!options_.look) cannot_run("bag_unpack() needs to look at the rows");
      n->open_shape = true;
    }
    return n;
  }
  for (size_t i = 0; i < rows->rows(); ++i) {
    const std::string key(rows->text(0, i));
    const std::string_view name = plan.keep(prefix + key);
    if (const int there = n->find(name); there >= 0 && !n->columns[static_cast<size_t>(there)].hidden) {
      if (conflict == "keep_source") continue;
      if (conflict == "error") {
        error(call, fmt::format("bag_unpack makes a column '{}', which is there already", name),
              "give a prefix: bag_unpack(Bag, \"bag_\")");
        continue;
      }
    }
    put_column(n, name, unpacked(key, type_of_values(rows->text(1, i))));
  }
  return n;
}

// pivot(Column [, aggregate [, keys …]])
Node* Binder::pivot(const Syntax* op, Node* in, Env* env) {
  const Syntax* call = op->left;
  if (call->args.empty()) {
    error(call, "pivot takes a column");
    return broken_table();
  }
  const std::string pivot_name = auto_name(call->args[0], env);
  const Syntax* aggregate_call = call->args.size() > 1 ? call->args[1] : nullptr;
  // Keys: the ones given, else every column that is neither pivoted nor aggregated.
  SyntaxTree& tree = trees_.emplace_back();
  const auto make = [&](Kind kind, std::string_view text) {
    Syntax& s = tree.nodes.emplace_back();
    s.kind = kind;
    s.text = text;
    s.offset = call->offset;
    s.end = call->end;
    return &s;
  };
  Syntax* summarize_op = make(Kind::kOperator, "summarize");
  Syntax* value = make(Kind::kNamed, "$value");
  value->left = aggregate_call ? const_cast<Syntax*>(aggregate_call) : make(Kind::kCall, "count");
  summarize_op->args.push_back(value);
  if (call->args.size() > 2) {
    summarize_op->by.assign(call->args.begin() + 2, call->args.end());
  } else {
    const std::function<bool(const Syntax*, std::string_view)> names = [&](const Syntax* s, std::string_view name) {
      if (!s) return false;
      if (s->kind == Kind::kName && s->text == name) return true;
      if (names(s->left, name) || names(s->right, name)) return true;
      return std::any_of(s->args.begin(), s->args.end(), [&](const Syntax* a) { return names(a, name); });
    };
    for (const Column& c : in->columns)
      if (!c.hidden && c.name != pivot_name && !names(aggregate_call, c.name)) summarize_op->by.push_back(make(Kind::kName, c.name));
  }
  const size_t key_count = summarize_op->by.size();
  Syntax* pivot_key = make(Kind::kNamed, "$pivot");
  pivot_key->left = call->args[0];
  summarize_op->by.push_back(pivot_key);
  Node* grouped = summarize(summarize_op, in, env);
  grouped->shared = true;
  if (grouped->open_shape && grouped->columns.empty()) return grouped;
  const auto finish_open = [&]() {
    Node* n = plan.over(grouped);
    std::erase_if(n->columns, [](const Column& c) { return c.name == "$value" || c.name == "$pivot"; });
    n->open_shape = true;
    return n;
  };
  const int p = grouped->find("$pivot"), v = grouped->find("$value");
  if (p < 0 || v < 0 || grouped->columns[static_cast<size_t>(p)].bad) return finish_open();
  Node* values = plan.over(grouped);
  const Typed as_text =
      convert({.sql = std::string(values->columns[static_cast<size_t>(p)].sql), .type = values->columns[static_cast<size_t>(p)].type},
              Type::kString);
  Node* wanted = plan.over(grouped);
  wanted->columns.clear();
  wanted->distinct = true;
  const Deps pivot_deps = plan.keep(std::vector<Dep>{dep(0, static_cast<size_t>(p))});
  plan.add(wanted, "Value", Type::kString, plan.keep(as_text.sql), pivot_deps);
  const auto rows = look(call, wanted);
  if (!rows) {
    if (diagnostics_.empty() && !options_.look) cannot_run("pivot() needs to look at the rows");
    return finish_open();
  }
  std::vector<std::string> names;
  for (size_t i = 0; i < rows->rows(); ++i) names.emplace_back(rows->text(0, i));
  std::sort(names.begin(), names.end());
  Node* n = plan.over(grouped);
  const Column val = n->columns[static_cast<size_t>(v)];
  std::vector<Column> keys(n->columns.begin(), n->columns.begin() + static_cast<std::ptrdiff_t>(key_count));
  n->columns = keys;
  n->grouped = true;
  for (Column& c : n->columns) n->group.push_back({c.sql, c.deps});
  const bool zero = !aggregate_call || aggregate_call->text == "count" || aggregate_call->text == "countif" ||
                    aggregate_call->text == "sum" || aggregate_call->text == "dcount" || aggregate_call->text == "sumif";
  for (const std::string& name : names) {
    std::string sql = fmt::format("any_value({}) FILTER (WHERE {} = {})", val.sql, as_text.sql, sql_string(name));
    if (val.type == Type::kString) sql = fmt::format("coalesce({}, '')", sql);
    if (zero) sql = fmt::format("coalesce({}, 0)", sql);
    plan.add(n, plan.keep(name), val.type, plan.keep(sql),
             plan.keep(std::vector<Dep>{dep(0, static_cast<size_t>(p)), dep(0, static_cast<size_t>(v))}));
  }
  return n;
}

// ipv4_lookup(Table, Address, Range [, return_unmatched = true])
Node* Binder::ipv4_lookup(const Syntax* op, Node* in, Env* env) {
  const Syntax* call = op->left;
  if (call->args.size() < 3) {
    error(call, "ipv4_lookup takes a table, the address and the table's range column");
    return broken_table();
  }
  Node* right = table(call->args[0], env);
  bool unmatched = false;
  for (const Syntax* a : call->args)
    if (a->kind == Kind::kNamed && a->text == "return_unmatched") {
      const Bound b = bind(a->left, env, Scope{});
      unmatched = b.v.literal && std::get_if<bool>(&*b.v.literal) && std::get<bool>(*b.v.literal);
    }
  Node* left = prepare(plan.over(in), {}, env, kColumns);
  left->order.clear();
  const Bound address = bind(call->args[1], env, Scope{.node = left});
  Column& key = plan.add(left, "$address", Type::kString, plan.keep(convert(address.v, Type::kString).sql), address.deps);
  key.hidden = true;
  key.bad = address.bad;
  const size_t key_index = left->columns.size() - 1;
  const int range = right->find(call->args[2]->text);
  if (range < 0) {
    if (!right->open_shape)
      error(call->args[2], fmt::format("no column is named '{}'", call->args[2]->text),
            near_column(call->args[2]->text, Scope{.node = right}, env));
    Node* n = plan.over(left);
    n->open_shape = true;
    return n;
  }
  Node* n = plan.make(Node::Kind::kSelect);
  n->inputs = {left, right};
  n->depth = std::max(left->depth, right->depth) + 1;
  n->open_shape = left->open_shape || right->open_shape;
  for (size_t side = 0; side < 2; ++side) {
    Node* input = n->inputs[side];
    for (size_t i = 0; i < input->columns.size(); ++i) {
      Column c = input->columns[i];
      if (c.hidden) continue;
      std::string name(c.name);
      for (int suffix = 1; n->find(name) >= 0; ++suffix) name = fmt::format("{}{}", c.name, suffix);
      const bool missing = side == 1 && unmatched && c.type == Type::kString;
      const std::string sql = fmt::format("{}.{}", side ? "r" : "l", c.id);
      Column& added = plan.add(n, plan.keep(name), c.type, plan.keep(missing ? fmt::format("coalesce({}, '')", sql) : sql),
                               plan.keep(std::vector<Dep>{dep(side, i)}));
      added.trivial = !missing;
      added.bad = c.bad;
    }
  }
  n->uses = {dep(0, key_index), dep(1, static_cast<size_t>(range))};
  const Typed test = scalar_call(call, "ipv4_is_in_range",
                                 {Typed{.sql = fmt::format("l.{}", left->columns[key_index].id), .type = Type::kString},
                                  Typed{.sql = fmt::format("r.{}", right->columns[static_cast<size_t>(range)].id), .type = Type::kString}});
  n->from =
      plan.keep(fmt::format("\x02"
                            "0\x02 AS l {} \x02"
                            "1\x02 AS r ON {}",
                            unmatched ? "LEFT JOIN" : "JOIN", is_bad(test) ? "false" : test.sql));
  return n;
}

// Every cell as a row of its own.
Node* Binder::narrow(Node* in) {
  Node* n = plan.over(in);
  std::string row = "row_number() OVER () - 1";
  std::string names, cells;
  std::vector<Dep> deps;
  for (const Column& c : n->columns) {
    if (c.hidden) continue;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", sql_string(c.name));
    cells += fmt::format("{}{}", cells.empty() ? "" : ", ", convert({.sql = std::string(c.sql), .type = c.type}, Type::kString).sql);
    deps.insert(deps.end(), c.deps.begin(), c.deps.end());
  }
  const Deps all = plan.keep(deps);
  n->columns.clear();
  plan.add(n, "Row", Type::kLong, plan.keep(row), {});
  plan.add(n, "Column", Type::kString, plan.keep(fmt::format("unnest([{}])", names)), {});
  plan.add(n, "Value", Type::kString, plan.keep(fmt::format("unnest([{}])", cells)), all);
  n->always = {1, 2};
  n->window = true;
  return n;
}

}  // namespace egret::kql
