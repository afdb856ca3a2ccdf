#include "store/natives.h"

#include <array>
#include <cctype>
#include <memory>

#include "kql/function.h"

namespace egret::store {
namespace {

using kql::ArgColumn;
using kql::Args;
using kql::Native;
using kql::Out;
using kql::TextCell;

static_assert(sizeof(TextCell) == sizeof(duckdb_string_t));

duckdb_type type_of(char letter) {
  switch (std::tolower(static_cast<unsigned char>(letter))) {
    case 'b': return DUCKDB_TYPE_BOOLEAN;
    case 'i': return DUCKDB_TYPE_INTEGER;
    case 'l': return DUCKDB_TYPE_BIGINT;
    case 'h': return DUCKDB_TYPE_HUGEINT;
    case 'r': return DUCKDB_TYPE_DOUBLE;
    default: return DUCKDB_TYPE_VARCHAR;
  }
}

void assign_text(void* vector, uint64_t row, const char* text, size_t length) {
  duckdb_vector_assign_string_element_len(static_cast<duckdb_vector>(vector), row, text, length);
}

// The kernel's own NULL handling of argument i: strings read as '', capital letters ask.
bool sees_null(std::string_view arguments, size_t i) {
  if (i >= arguments.size() || arguments[i] == '*') i = arguments.size() - 2;
  const char c = arguments[i];
  return c == 's' || std::isupper(static_cast<unsigned char>(c));
}

void call(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const Native& native = *static_cast<const Native*>(duckdb_scalar_function_get_extra_info(info));
  constexpr size_t kInPlace = 16;
  std::array<ArgColumn, kInPlace> few;
  std::array<bool, kInPlace> few_nullable;
  std::vector<ArgColumn> many;
  std::unique_ptr<bool[]> many_nullable;
  const size_t count = duckdb_data_chunk_get_column_count(input);
  ArgColumn* columns = few.data();
  bool* nullable = few_nullable.data();
  if (count > kInPlace) {
    many.resize(count);
    many_nullable = std::make_unique<bool[]>(count);
    columns = many.data();
    nullable = many_nullable.get();
  }
  const std::string_view arguments = native.signature.substr(0, native.signature.find('>'));
  for (size_t i = 0; i < count; ++i) {
    duckdb_vector v = duckdb_data_chunk_get_vector(input, i);
    columns[i] = {duckdb_vector_get_data(v), duckdb_vector_get_validity(v)};
    nullable[i] = sees_null(arguments, i);
  }
  duckdb_vector_ensure_validity_writable(output);
  Args args(columns, count);
  Out out(duckdb_vector_get_data(output), duckdb_vector_get_validity(output), output, assign_text);
  native.run(args, out, duckdb_data_chunk_get_size(input), nullable);
}

}  // namespace

Result<void> register_natives(Connection& connection) {
  for (const Native* native : kql::all_natives()) {
    Handle<duckdb_scalar_function, duckdb_destroy_scalar_function> f(duckdb_create_scalar_function());
    const std::string name(native->sql_name);
    duckdb_scalar_function_set_name(f.get(), name.c_str());
    const size_t arrow = native->signature.find('>');
    for (size_t i = 0; i < arrow; ++i) {
      const TypeHandle type(duckdb_create_logical_type(type_of(native->signature[i])));
      if (i + 1 < arrow && native->signature[i + 1] == '*') {
        duckdb_scalar_function_set_varargs(f.get(), type.get());
        break;
      }
      duckdb_scalar_function_add_parameter(f.get(), type.get());
    }
    const TypeHandle result(duckdb_create_logical_type(type_of(native->signature[arrow + 1])));
    duckdb_scalar_function_set_return_type(f.get(), result.get());
    duckdb_scalar_function_set_special_handling(f.get());
    if (native->is_volatile) duckdb_scalar_function_set_volatile(f.get());
    duckdb_scalar_function_set_extra_info(f.get(), const_cast<Native*>(native), nullptr);
    duckdb_scalar_function_set_function(f.get(), call);
    if (duckdb_register_scalar_function(connection.get(), f.get()) == DuckDBError)
      return internal_error("kernel " + name + " could not be registered");
  }
  return {};
}

}  // namespace egret::store
