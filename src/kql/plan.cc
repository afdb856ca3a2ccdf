#include "kql/plan.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace egret::kql {

int Node::find(std::string_view name) const {
  for (size_t i = 0; i < columns.size(); ++i)
    if (columns[i].name == name) return static_cast<int>(i);
  return -1;
}

std::string_view Plan::keep(std::string text) {
  text_bytes += text.size();
  return texts.emplace_back(std::move(text));
}

Deps Plan::keep(const std::vector<Dep>& deps) {
  if (deps.empty()) return {};
  Dep* copy = static_cast<Dep*>(memory.allocate(deps.size() * sizeof(Dep), alignof(Dep)));
  std::copy(deps.begin(), deps.end(), copy);
  return {copy, deps.size()};
}

Node* Plan::make(Node::Kind kind) {
  Node& n = nodes.emplace_back();
  n.kind = kind;
  return &n;
}

Node* Plan::over(Node* input) {
  Node* n = make(Node::Kind::kSelect);
  n->inputs = {input};
  n->depth = input->depth + 1;
  n->open_shape = input->open_shape;
  n->columns.reserve(input->columns.size() + 4);
  Dep* all = static_cast<Dep*>(memory.allocate(std::max<size_t>(1, input->columns.size()) * sizeof(Dep), alignof(Dep)));
  for (size_t i = 0; i < input->columns.size(); ++i) {
    Column c = input->columns[i];
    all[i] = dep(0, i);
    c.sql = c.id;
    c.trivial = true;
    c.used = false;
    c.deps = Deps(all + i, 1);
    n->columns.push_back(c);
  }
  return n;
}

std::string quote_id(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;  // NUL and the marks of this file must not get in
  }
  out += '"';
  return out;
}

std::string_view Plan::fresh_id(const Node& node, std::string_view name) {
  std::string id = quote_id(name.empty() ? "_" : name);
  const auto taken = [&](const std::vector<Column>& columns) {
    for (const Column& c : columns)
      if (c.id.size() == id.size() && iequals(c.id, id)) return true;
    return false;
  };
  bool clash = taken(node.columns);
  for (const Node* input : node.inputs) clash = clash || taken(input->columns);
  if (clash) {
    id.pop_back();
    id += '$' + std::to_string(++next_id) + '"';
  }
  return keep(std::move(id));
}

Column& Plan::add(Node* node, std::string_view name, model::Type type, std::string_view sql, Deps deps) {
  Column c;
  c.name = name;
  c.type = type;
  c.sql = sql;
  c.deps = deps;
  c.id = fresh_id(*node, name);
  return node->columns.emplace_back(c);
}

void Plan::forget() {
  for (Node& n : nodes) {
    n.reached = false;
    n.refs = 0;
    n.cte.clear();
    for (Column& c : n.columns) c.used = false;
  }
}

std::string subquery_mark(size_t index) { return "\x01" + std::to_string(index) + "\x01"; }

namespace {

class Renderer {
 public:
  Renderer(Plan& plan, std::vector<std::string>& tables) : plan_(plan), tables_(tables) {}

  std::string run(Node* root) {
    for (size_t i = 0; i < root->columns.size(); ++i)
      if (!root->columns[i].hidden) need(root, i);
    root->refs = 1;
    reach(root);
    std::string main = select(root);
    std::string out;
    for (const std::string& cte : ctes_) {
      out += out.empty() ? "WITH " : ", ";
      out += cte;
    }
    if (!out.empty()) out += ' ';
    return out + main;
  }

 private:
  void need(Node* n, size_t i) {
    Column& c = n->columns[i];
    if (c.used) return;
    c.used = true;
    if (n->kind == Node::Kind::kUnion) {
      for (Node* leg : n->inputs) need(leg, i);
      return;
    }
    need(n, c.deps);
  }

  void need(Node* n, Deps deps) {
    for (const Dep d : deps) {
      if (d & kSubquery) {
        Node* s = plan_.subqueries[d & ~kSubquery];
        ++s->refs;
        for (size_t i = 0; i < s->columns.size(); ++i)
          if (!s->columns[i].hidden) need(s, i);
        reach(s);
      } else {
        const size_t input = d >> 20, column = d & 0xfffff;
        if (input < n->inputs.size() && column < n->inputs[input]->columns.size()) need(n->inputs[input], column);
      }
    }
  }

  void reach(Node* n) {
    if (n->reached) return;
    n->reached = true;
    if (n->distinct) {
      for (size_t i = 0; i < n->columns.size(); ++i)
        if (!n->columns[i].hidden) need(n, i);
    }
    for (Node* input : n->inputs) {
      ++input->refs;
      reach(input);
    }
    need(n, n->uses);
    for (const size_t i : n->always) need(n, i);
    for (const auto* clauses : {&n->where, &n->group, &n->order})
      for (const Clause& c : *clauses) need(n, c.deps);
    if (n->lateral) {
      for (size_t i = 0; i < n->outer.size(); ++i)
        if (n->outer_source->columns[i].used || n->outer_source->distinct) need(n->inputs[0], static_cast<size_t>(n->outer[i]));
    }
  }

  // Replaces \x01n\x01 by subquery n.
  void append(std::string& out, std::string_view sql) {
    for (size_t from = 0;;) {
      const size_t mark = sql.find('\x01', from);
      out += sql.substr(from, mark - from);
      if (mark == std::string_view::npos) return;
      const size_t close = sql.find('\x01', mark + 1);
      size_t index = 0;
      for (const char c : sql.substr(mark + 1, close - mark - 1)) index = index * 10 + static_cast<size_t>(c - '0');
      Node* s = plan_.subqueries[index];
      out += '(';
      if (s->refs > 1) {
        out += "SELECT ";
        bool first = true;
        for (const Column& c : s->columns) {
          if (c.hidden) continue;
          if (!first) out += ", ";
          first = false;
          out += c.id;
        }
        out += " FROM " + reference(s);
      } else {
        out += select(s);
      }
      out += ')';
      from = close + 1;
    }
  }

  std::string reference(Node* n) {
    if (n->kind == Node::Kind::kTable) {
      tables_.emplace_back(n->table);
      return quote_id(n->table);
    }
    if (n->refs > 1 && !passes_on(n)) {
      if (n->cte.empty()) {
        n->cte = "\"$" + std::to_string(++plan_.next_id) + "\"";
        const std::string text = select(n);
        ctes_.push_back(n->cte + " AS MATERIALIZED (" + text + ")");
      }
      return n->cte;
    }
    return "(" + select(n) + ")";
  }

  // A block that only renames what a table has is cheaper repeated than materialised.
  static bool passes_on(const Node* n) {
    return n->kind == Node::Kind::kSelect && n->inputs.size() == 1 && n->inputs[0]->kind == Node::Kind::kTable && n->from.empty() &&
           n->where.empty() && !n->grouped && !n->distinct && !n->window && !n->limited() && n->order.empty();
  }

  std::string select(Node* n) {
    if (n->kind == Node::Kind::kUnion) {
      std::string out;
      for (Node* leg : n->inputs) {
        if (!out.empty()) out += " UNION ALL ";
        out += leg->order.empty() && !leg->limited() ? select(leg) : "(" + select(leg) + ")";
      }
      return out;
    }
    if (n->kind == Node::Kind::kTable) {
      std::string out = "SELECT ";
      bool first = true;
      for (const Column& c : n->columns) {
        if (!c.used) continue;
        if (!first) out += ", ";
        first = false;
        out += c.id;
      }
      return out + (first ? "1 FROM " : " FROM ") + reference(n);
    }
    std::string out = "SELECT ";
    if (!n->distinct_on.empty()) {
      out += "DISTINCT ON (";
      out += n->distinct_on;
      out += ") ";
    } else if (n->distinct) {
      out += "DISTINCT ";
    }
    bool first = true;
    for (const Column& c : n->columns) {
      if (!c.used) continue;
      if (!first) out += ", ";
      first = false;
      append(out, c.sql);
      if (c.sql != c.id) {
        out += " AS ";
        out += c.id;
      }
    }
    if (first) out += '1';
    if (!n->from.empty()) {
      out += " FROM ";
      for (size_t from = 0;;) {
        const size_t mark = n->from.find('\x02', from);
        append(out, n->from.substr(from, mark - from));
        if (mark == std::string_view::npos) break;
        const size_t close = n->from.find('\x02', mark + 1);
        out += reference(n->inputs[static_cast<size_t>(n->from[mark + 1] - '0')]);
        from = close + 1;
      }
    } else if (!n->inputs.empty()) {
      out += " FROM " + reference(n->inputs[0]);
    }
    clauses(out, n->where, " WHERE ", " AND ");
    clauses(out, n->group, " GROUP BY ", ", ");
    clauses(out, n->order, " ORDER BY ", ", ");
    if (n->limited()) {
      out += " LIMIT ";
      append(out, n->limit);
    }
    return out;
  }

  void clauses(std::string& out, const std::vector<Clause>& list, std::string_view word, std::string_view separator) {
    bool first = true;
    for (const Clause& c : list) {
      out += first ? word : separator;
      first = false;
      append(out, c.sql);
      out += c.suffix;
    }
  }

  Plan& plan_;
  std::vector<std::string>& tables_;
  std::vector<std::string> ctes_;
};

}  // namespace

std::string render(Plan& plan, Node* root, std::vector<std::string>& tables) {
  std::string sql = Renderer(plan, tables).run(root);
  std::sort(tables.begin(), tables.end());
  tables.erase(std::unique(tables.begin(), tables.end()), tables.end());
  return sql;
}

}  // namespace egret::kql
