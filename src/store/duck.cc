#include "store/duck.h"

namespace egret::store {

std::string DuckResult::error() {
  const char* text = duckdb_result_error(&raw_);
  return text ? text : "unknown error";
}

Result<Connection> Connection::open(duckdb_database database) {
  Connection c;
  if (duckdb_connect(database, c.handle_.out()) == DuckDBError) return internal_error("the engine gave no connection");
  return c;
}

Result<void> Connection::execute(const std::string& sql) {
  DuckResult result;
  if (duckdb_query(get(), sql.c_str(), result.out()) == DuckDBError)
    return internal_error(short_message(result.error()) + " (in: " + sql.substr(0, 200) + ")");
  return {};
}

Result<std::vector<std::vector<std::string>>> Connection::rows(const std::string& sql) {
  DuckResult result;
  if (duckdb_query(get(), sql.c_str(), result.out()) == DuckDBError) return internal_error(short_message(result.error()));
  std::vector<std::vector<std::string>> rows;
  const idx_t columns = duckdb_column_count(&result.raw()), count = duckdb_row_count(&result.raw());
  for (idx_t r = 0; r < count; ++r) {
    std::vector<std::string>& row = rows.emplace_back();
    for (idx_t c = 0; c < columns; ++c) {
      char* text = duckdb_value_varchar(&result.raw(), c, r);
      row.emplace_back(text ? text : "");
      duckdb_free(text);
    }
  }
  return rows;
}

namespace {
std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out += quote;
}
}  // namespace

std::string quote_identifier(std::string_view name) { return quoted(name, '"'); }
std::string quote_text(std::string_view text) { return quoted(text, '\''); }

std::string short_message(std::string_view message) {
  message = message.substr(0, message.find('\n'));
  const size_t colon = message.find("Error: ");
  if (colon != std::string_view::npos && colon < 40) message.remove_prefix(colon + 7);
  return std::string(message);
}

}  // namespace egret::store
