#pragma once
// The scalar functions of the language. One function is one place: its row (documentation, arguments, SQL) and, where the
// engine has nothing of the same meaning, a native kernel stand together in one file of functions/. functions/all.cc joins
// the tables; the binder looks rows up, the store registers the kernels as vectorised functions of the engine.
//
// To add one: a row in the ROWS of the file of its subject, a kernel beside it if needed, a case in tests/data/kql/.
#include <cstdint>
#include <cstring>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/time.h"
#include "model/type.h"

namespace egret::kql {

// ---- what the binder hands over and gets back ----

// A typed expression of SQL. `sql` is safe to put between commas and beside an operator (parenthesised where it must be).
// Strings are never NULL; the binder guarantees it for columns, rows of this table keep it for results.
struct Typed {
  std::string sql;
  model::Type type = model::Type::kString;
  bool is_constant = false;  // the same for every row
  // The value where it is known while compiling: nothing for null; bool, long (also int, datetime, timespan), real, text
  // (also dynamic as JSON text, guid). The outer optional says whether it is known.
  using Value = std::variant<std::monostate, bool, int64_t, double, std::string>;
  std::optional<Value> literal = {};
  bool is_null_literal = false;  // long(null) …: takes any type in iff, case and coalesce
};

struct EmitContext {
  Ticks now = 0;
};

using Emitted = std::expected<Typed, std::string>;  // the error is a sentence without final stop

inline constexpr int kAnyNumber = 1'000;

struct ScalarFunction {
  std::string_view name;
  std::string_view syntax;  // "substring(source, start [, length])"
  std::string_view doc;     // one line
  int min_args = 0, max_args = 0;
  // How arguments are converted and what comes back: one letter each, '>' and the result's letter. b bool, i int, l long,
  // r real, s string, t datetime, p timespan, d dynamic (any value, converted), g guid, a any (left as it is); a '*' repeats
  // the letter before it. Empty when `emit` does it all.
  std::string_view types = {};
  // "k_f({0}, {1})": {n} is the n-th converted argument or NULL when absent, {*} all, comma-separated, {2*} those from the third on.
  std::string_view sql = {};
  Emitted (*emit)(std::span<const Typed> args, const EmitContext& context) = nullptr;
  std::string_view replaced_by = {};  // an obsolete name: what to write instead (it still works)
  bool is_volatile = false;           // rand(), new_guid(): not the same for every row although its arguments are
};

// Case-sensitive, as the language is. Null when there is none.
const ScalarFunction* find_scalar(std::string_view name);
std::vector<std::string> scalar_names();  // sorted, without obsolete ones
// Checks the number of arguments, converts them, and emits. The binder calls this one.
Emitted call_scalar(const ScalarFunction& function, std::span<const Typed> args, const EmitContext& context);
Emitted call_scalar(std::string_view name, std::span<const Typed> args, const EmitContext& context);

// ---- conversions, for the binder too ----

// What toX() does: total, gives null (or '') where there is no value of that type. Literals are folded.
Typed convert(const Typed& value, model::Type to);
// What happens to an argument by itself: numbers widen, dynamic becomes what is asked for, null fits everywhere; else an error.
std::expected<Typed, std::string> coerce(const Typed& value, model::Type to);
// The type that both fit into (iff, case, coalesce, union, join keys); nothing when there is none.
std::optional<model::Type> common_type(model::Type a, model::Type b);
bool is_numeric(model::Type t);  // int, long, real, decimal

std::string sql_string(std::string_view text);              // 'it''s'
Typed typed_literal(model::Type type, Typed::Value value);  // with its SQL
Typed typed_null(model::Type type);

// The steps of a constant dynamic path for k_dyn_path: ".key" and "#index" one after another ("." and "#" and "~" in keys are
// escaped). x.a["b c"][0] is k_dyn_path(x, '.a.b c#0').
std::string path_key(std::string_view key);
std::string path_index(int64_t index);

// ---- kernels ----
//
// A kernel is a plain function of one row. Its signature has a letter for each argument: b BOOLEAN, i INTEGER, l BIGINT (long,
// datetime, timespan), h HUGEINT, r DOUBLE, s VARCHAR that holds a string (NULL reads as ''), d VARCHAR that holds dynamic or guid
// text; '*' repeats. A NULL argument makes the result NULL, except 's' and capital letters, whose kernel asks args.null(i).
//
// Kernels that operators need (strings case-insensitive unless _cs; a term is a maximal run of letters and digits):
//   k_has k_has_cs k_hasprefix k_hasprefix_cs k_hassuffix k_hassuffix_cs (text, term) > b
//   k_contains k_contains_cs k_startswith k_startswith_cs k_endswith k_endswith_cs (text, part) > b
//   k_equals_ci (a, b) > b           =~
//   k_has_any k_has_all (text, JSON array of terms) > b
//   k_in k_in_ci (value as dynamic, JSON array) > b     for `in` over a dynamic array; constants are better as SQL IN
//   k_matches_regex (text, pattern) > b
//   k_dyn_get (dynamic, key) > d      k_dyn_at (dynamic, index; negative from the end) > d
//   k_dyn_path (dynamic, path) > d    k_dyn_path_string (dynamic, path) > s, which is tostring(x.a.b) in one go
//   k_dyn_equals (d, d) > b           deep, 1 == 1.0, order of keys ignored
//   k_dyn_to_string k_dyn_to_long k_dyn_to_real k_dyn_to_bool k_dyn_to_datetime k_dyn_to_timespan k_dyn_to_guid (dynamic)
//   k_datetime_text k_timespan_text k_real_text (value) > s       as tostring() writes them
//   k_dyn_from_string k_dyn_from_datetime k_dyn_from_timespan k_dyn_from_real (value) > d; convert(x, kDynamic) chooses
//   k_dyn_parse (text) > d            parse_json: JSON text, or the text as a JSON string when it is none
//   k_pack_array (d*) > d             k_pack_bag (key, value, key, value …) (all D) > d; a NULL value is written null
//   k_bag_merge (d*) > d              of bags; for aggregates: k_bag_merge_all (JSON array of bags) > d, k_array_distinct (array) > d
//   k_array_length (d) > l            k_bag_keys (d) > d     k_dyn_type (D) > s: array, dictionary, string, long …
//   k_ip_key (text) > h               IpAddress::value, NULL when it is no address
//   k_bin_long (value, size) k_bin_real                     floor to a multiple; bin_at(x, size, at) = at + k_bin_long(x - at, size)

// The engine's cell of text (16 bytes; up to 12 of them lie inside).
struct TextCell {
  uint32_t length;
  char inlined[12];
  std::string_view view() const {
    if (length <= 12) return {inlined, length};
    const char* far;
    std::memcpy(&far, inlined + 4, sizeof far);
    return {far, length};
  }
};

struct ArgColumn {
  const void* data = nullptr;
  const uint64_t* valid = nullptr;  // null: all valid
};

// One row of arguments. Text lives until the kernel returns.
class Args {
 public:
  Args(const ArgColumn* columns, size_t count) : columns_(columns), count_(count) {}
  size_t count() const { return count_; }
  bool null(size_t i) const { return columns_[i].valid && !((columns_[i].valid[row >> 6] >> (row & 63)) & 1); }
  std::string_view text(size_t i) const { return null(i) ? std::string_view{} : at<TextCell>(i).view(); }
  int64_t integer(size_t i) const { return at<int64_t>(i); }  // letter l
  int32_t int32(size_t i) const { return at<int32_t>(i); }    // letter i
  double real(size_t i) const { return at<double>(i); }
  bool boolean(size_t i) const { return at<uint8_t>(i) != 0; }
  unsigned __int128 huge(size_t i) const { return at<unsigned __int128>(i); }
  size_t row = 0;

 private:
  template <typename T>
  const T& at(size_t i) const {
    return static_cast<const T*>(columns_[i].data)[row];
  }
  const ArgColumn* columns_;
  size_t count_;
};

// Where one row's result goes. Exactly one of these is called once.
class Out {
 public:
  using Assign = void (*)(void* vector, uint64_t row, const char* text, size_t length);
  Out(void* data, uint64_t* valid, void* vector, Assign assign) : data_(data), valid_(valid), vector_(vector), assign_(assign) {}
  void null() { valid_[row >> 6] &= ~(uint64_t{1} << (row & 63)); }
  void text(std::string_view v) { assign_(vector_, row, v.data(), v.size()); }
  void integer(int64_t v) { static_cast<int64_t*>(data_)[row] = v; }
  void real(double v) { static_cast<double*>(data_)[row] = v; }
  void boolean(bool v) { static_cast<uint8_t*>(data_)[row] = v; }
  void huge(unsigned __int128 v) { static_cast<unsigned __int128*>(data_)[row] = v; }
  size_t row = 0;
  std::string scratch;  // a buffer that keeps its memory between rows; empty it first

 private:
  void* data_;
  uint64_t* valid_;
  void* vector_;
  Assign assign_;
};

struct Native {
  std::string_view sql_name;   // "k_has"
  std::string_view signature;  // "ss>b"
  // Runs rows [0, n). nullable[i] says that a NULL of argument i is the kernel's own business.
  void (*run)(Args& args, Out& out, size_t n, const bool* nullable);
  bool is_volatile = false;
};

template <auto Kernel>
void run_kernel(Args& args, Out& out, size_t n, const bool* nullable) {
  for (size_t row = 0; row < n; ++row) {
    args.row = out.row = row;
    bool null = false;
    for (size_t i = 0; i < args.count(); ++i) null |= !nullable[i] && args.null(i);
    if (null) {
      out.null();
    } else {
      Kernel(args, out);
    }
  }
}
// {"k_has", "ss>b", kernel} as a row: native<kernel>("k_has", "ss>b")
template <auto Kernel>
constexpr Native native(std::string_view name, std::string_view signature, bool is_volatile = false) {
  return {name, signature, run_kernel<Kernel>, is_volatile};
}

// All of them, for the store to register.
std::vector<const Native*> all_natives();

// A file of functions/ ends with one of these, listed in all.cc.
struct FunctionTable {
  std::span<const ScalarFunction> functions;
  std::span<const Native> natives;
};

}  // namespace egret::kql
