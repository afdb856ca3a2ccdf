// Joins the tables of functions, looks rows up and calls them.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/text.h"
#include "kql/functions/tables.h"

namespace egret::kql {
namespace {

using model::Type;

constexpr const FunctionTable* kTables[] = {
    &functions::kConversions, &functions::kOperators, &functions::kLogic,
    &functions::kMath,        &functions::kStrings,   &functions::kPatterns,
    &functions::kOldPatterns, &functions::kTerms,     &functions::kDynamic,
    &functions::kArrays,      &functions::kSets,      &functions::kBags,
    &functions::kDatetime,    &functions::kIp,        &functions::kEncoding,
    &functions::kParsing,     &functions::kSeries,    &functions::kSeriesStatistics,
    &functions::kGeo,         &functions::kPayload,   &functions::kUnits,
    &functions::kPunycode,
};

const std::unordered_map<std::string_view, const ScalarFunction*>& by_name() {
  static const auto index = [] {
    std::unordered_map<std::string_view, const ScalarFunction*> rows;
    for (const FunctionTable* table : kTables)
      for (const ScalarFunction& f : table->functions) rows.emplace(f.name, &f);
    return rows;
  }();
  return index;
}

std::optional<Type> type_of_letter(char c) {
  switch (c) {
    case 'b': return Type::kBool;
    case 'i': return Type::kInt;
    case 'l': return Type::kLong;
    case 'r': return Type::kReal;
    case 's': return Type::kString;
    case 't': return Type::kDatetime;
    case 'p': return Type::kTimespan;
    case 'd': return Type::kDynamic;
    case 'g': return Type::kGuid;
    default: return {};  // a: as it is
  }
}

std::string joined(std::span<const Typed> args, size_t from) {
  std::string out;
  for (size_t i = from; i < args.size(); ++i) {
    if (i > from) out += ", ";
    out += args[i].sql;
  }
  return out;
}

// Replaces {n}, {*} and {n*} in the row's SQL.
std::string fill(std::string_view sql, std::span<const Typed> args) {
  std::string out;
  while (!sql.empty()) {
    const size_t open = sql.find('{');
    out += sql.substr(0, open);
    if (open == std::string_view::npos) break;
    const size_t close = sql.find('}', open);
    const std::string_view what = sql.substr(open + 1, close - open - 1);
    sql.remove_prefix(close + 1);
    size_t n = 0;
    for (const char c : what)
      if (c >= '0' && c <= '9') n = n * 10 + static_cast<size_t>(c - '0');
    if (what.ends_with('*')) {
      const std::string list = joined(args, n);
      if (list.empty() && out.ends_with(", ")) out.resize(out.size() - 2);  // "k_f({0}, {1*})" without more arguments
      out += list;
    } else {
      out += n < args.size() ? args[n].sql : "NULL";
    }
  }
  return out;
}

}  // namespace

const ScalarFunction* find_scalar(std::string_view name) {
  const auto it = by_name().find(name);
  return it == by_name().end() ? nullptr : it->second;
}

std::vector<std::string> scalar_names() {
  std::vector<std::string> names;
  for (const auto& [name, f] : by_name())
    if (f->replaced_by.empty()) names.emplace_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

Emitted call_scalar(const ScalarFunction& f, std::span<const Typed> args, const EmitContext& context) {
  const int given = static_cast<int>(args.size());
  if (given < f.min_args || given > f.max_args) {
    const std::string wanted = f.min_args == f.max_args   ? std::to_string(f.min_args)
                               : f.max_args >= kAnyNumber ? fmt::format("{} or more", f.min_args)
                                                          : fmt::format("{} to {}", f.min_args, f.max_args);
    return std::unexpected(
        fmt::format("{}() takes {} {}, {} given: {}", f.name, wanted, wanted == "1" ? "argument" : "arguments", given, f.syntax));
  }
  bool constant = !f.is_volatile;
  for (const Typed& a : args) constant &= a.is_constant;
  std::vector<Typed> converted(args.begin(), args.end());
  Type result = Type::kString;
  if (!f.types.empty()) {
    const size_t arrow = f.types.find('>');
    size_t at = 0;
    for (int i = 0; i < given; ++i) {
      if (at < arrow && f.types[at] == '*') --at;
      const char letter = at < arrow ? f.types[at] : 'a';
      if (const auto type = type_of_letter(letter)) {
        auto fitting = coerce(args[static_cast<size_t>(i)], *type);
        if (!fitting) return std::unexpected(fmt::format("argument {} of {}() {}", i + 1, f.name, fitting.error()));
        converted[static_cast<size_t>(i)] = *std::move(fitting);
      }
      ++at;
    }
    result = type_of_letter(f.types[arrow + 1]).value_or(args.empty() ? Type::kString : args[0].type);
  }
  if (f.emit) {
    auto emitted = f.emit(converted, context);
    if (emitted && f.is_volatile) emitted->is_constant = false;
    return emitted;
  }
  return Typed{.sql = fill(f.sql, converted), .type = result, .is_constant = constant};
}

Emitted call_scalar(std::string_view name, std::span<const Typed> args, const EmitContext& context) {
  const ScalarFunction* f = find_scalar(name);
  if (!f) return std::unexpected(fmt::format("there is no function {}()", name));
  return call_scalar(*f, args, context);
}

std::vector<const Native*> all_natives() {
  std::vector<const Native*> natives;
  for (const FunctionTable* table : kTables)
    for (const Native& n : table->natives) natives.push_back(&n);
  return natives;
}

}  // namespace egret::kql
