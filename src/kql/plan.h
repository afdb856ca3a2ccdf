#pragma once
// The logical plan: a graph of blocks, each one SELECT over its inputs, a stored table, or a union. Operators extend the block
// they find as long as that keeps its meaning, and stack another one on it where it would not. Nothing is text until
// render(): only then is known which columns anybody needs and which blocks are needed twice (these become CTEs).
#include <cstdint>
#include <deque>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/type.h"

namespace egret::kql {

// What an expression needs: a column of an input (input << 20 | index), or a subquery (kSubquery | index in Plan::subqueries).
using Dep = uint32_t;
using Deps = std::span<const Dep>;
inline constexpr Dep kSubquery = 0x8000'0000;
constexpr Dep dep(size_t input, size_t column) { return static_cast<Dep>(input << 20 | column); }

struct Column {
  std::string_view name;  // as KQL knows it
  std::string_view stem;  // the name without the number that a join gave it; empty: as it is
  std::string_view id;    // quoted identifier by which blocks above know it; unique in its block without regard to case
  std::string_view sql;   // expression over the inputs
  model::Type type = model::Type::kString;
  bool trivial = false;  // an input's column or a literal: may be repeated instead of stacking a block
  bool hidden = false;   // nameable, not part of *
  bool bad = false;      // its expression has an error, which was reported
  bool constant = false;
  bool used = false;  // render(): somebody above needs it
  Deps deps = {};
};

struct Clause {
  std::string_view sql;
  Deps deps;
  std::string_view suffix = {};  // of a sort key: " DESC NULLS LAST"
};

struct Node {
  enum class Kind : uint8_t { kTable, kSelect, kUnion };
  Kind kind = Kind::kSelect;
  std::vector<Column> columns;
  std::vector<Node*> inputs;
  std::string_view table;  // kTable
  // kSelect. The from clause names input n as \x02n\x02; empty: the only input, or none.
  std::string_view from;
  std::vector<Dep> uses;       // by the from clause
  std::vector<size_t> always;  // columns that make or drop rows (unnest): needed even when nobody names them
  std::vector<Clause> where, group, order;
  std::string_view limit;
  std::string_view distinct_on;
  bool grouped = false;  // aggregated, with or without keys
  bool distinct = false;
  bool window = false;           // has window functions or unnest: filters go above
  bool open_shape = false;       // what columns it has is not known (an error, or an open table)
  bool shared = false;           // bound to a name: not to be changed any more
  bool lateral = false;          // input 1 refers to the columns of input 0 through `outer`
  Node* outer_source = nullptr;  // lateral: the block inside input 1 whose column i stands for column outer[i] of input 0
  std::vector<int> outer;
  int depth = 1;
  // render()
  bool reached = false;
  int refs = 0;
  std::string cte;

  int find(std::string_view name) const;
  bool limited() const { return !limit.empty(); }
};

struct Plan {
  std::pmr::monotonic_buffer_resource memory;
  std::deque<std::string> texts;
  std::deque<Node> nodes;
  std::vector<Node*> subqueries;
  size_t text_bytes = 0;
  int next_id = 0;

  std::string_view keep(std::string text);
  Deps keep(const std::vector<Dep>& deps);
  Node* make(Node::Kind kind);
  // A block over one input that passes everything on.
  Node* over(Node* input);
  // A quoted identifier for a new column of that KQL name in the block.
  std::string_view fresh_id(const Node& node, std::string_view name);
  // Forgets what render() noted, so that it may run again.
  void forget();
  Column& add(Node* node, std::string_view name, model::Type type, std::string_view sql, Deps deps);
};

std::string quote_id(std::string_view name);
// The text of a subquery inside an expression, replaced while rendering.
std::string subquery_mark(size_t index);

// One SELECT of the root's visible columns. Tables read are added to `tables`.
std::string render(Plan& plan, Node* root, std::vector<std::string>& tables);

}  // namespace egret::kql
