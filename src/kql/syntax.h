#pragma once
// The tree that the parser makes: what was written, nothing resolved. One node type serves expressions, operators and
// statements, so that walking is one loop; `kind` says which fields mean something.
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "kql/function.h"

namespace egret::kql {

enum class Kind : uint8_t {
  kBad,       // was reported
  kLiteral,   // type, value
  kName,      // text
  kStar,      // *
  kWildcard,  // text: Security*
  kCall,      // text(args); left: what stands before the dot, if any (database("x").f())
  kMember,    // left.text
  kIndex,     // left[args[0]]
  kUnary,     // text: - +; left
  kBinary,    // text; left, right
  kAnd,
  kOr,        // args, two or more
  kBetween,   // left between (args[0] .. args[1]); text: between or !between
  kIn,        // left text (args); text: in, !in~, has_any …
  kNamed,     // text = left; by: further names of (a, b) = f()
  kList,      // (args)
  kTyped,     // text: type — a column declaration; value: default literal in left
  kSchema,    // (args of kTyped), a tabular parameter's type; kStar in args when (*)
  kPipe,      // args[0] | args[1] | …; args[0] may be an operator that is its own source
  kOperator,  // text; args, by, params, left, right as each operator has it (parser_operators.cc)
  kOrdered,   // left, text: "asc" or "desc"; value: true nulls first, false nulls last, none default
  kFunction,  // (args: kTyped) { body }: body in right
  kBody,      // args: statements; the last one is the value
  kLet,       // text = left
  kSet,
  kDeclare,
  kIgnored,
};

struct Syntax;
struct Parameter {
  std::string_view name;
  Syntax* value;
  uint32_t offset, end;
};

struct Syntax {
  Kind kind = Kind::kBad;
  model::Type type = model::Type::kString;
  bool flag = false;  // kTyped: the type was written; kFunction: a view; kOperator: see each
  uint32_t offset = 0, end = 0;
  std::string_view text;
  Typed::Value value;
  Syntax* left = nullptr;
  Syntax* right = nullptr;
  std::vector<Syntax*> args;
  std::vector<Syntax*> by;
  std::vector<Parameter> params;

  const Parameter* param(std::string_view name) const {
    for (const Parameter& p : params)
      if (p.name == name) return &p;
    return nullptr;
  }
};

// Owns a tree and the texts that are not in the source (decoded strings).
struct SyntaxTree {
  std::deque<Syntax> nodes;
  std::deque<std::string> texts;
  Syntax* root = nullptr;  // kBody
};

}  // namespace egret::kql
