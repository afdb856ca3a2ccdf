#pragma once
// DuckDB's C API with ownership. Nothing outside src/store includes this.
#include <duckdb.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace egret::store {

// Owns one C handle; Destroy is duckdb_destroy_x or duckdb_close.
template <typename T, auto Destroy>
class Handle {
 public:
  Handle() = default;
  explicit Handle(T raw) : raw_(raw) {}
  Handle(Handle&& o) noexcept : raw_(std::exchange(o.raw_, nullptr)) {}
  Handle& operator=(Handle&& o) noexcept {
    std::swap(raw_, o.raw_);
    return *this;
  }
  ~Handle() {
    if (raw_) Destroy(&raw_);
  }
  T get() const { return raw_; }
  T* out() { return &raw_; }
  explicit operator bool() const { return raw_ != nullptr; }

 private:
  T raw_ = nullptr;
};

using DatabaseHandle = Handle<duckdb_database, duckdb_close>;
using ConnectionHandle = Handle<duckdb_connection, duckdb_disconnect>;
using ChunkHandle = Handle<duckdb_data_chunk, duckdb_destroy_data_chunk>;
using TypeHandle = Handle<duckdb_logical_type, duckdb_destroy_logical_type>;
using PreparedHandle = Handle<duckdb_prepared_statement, duckdb_destroy_prepare>;
using StatementsHandle = Handle<duckdb_extracted_statements, duckdb_destroy_extracted>;
using AppenderHandle = Handle<duckdb_appender, duckdb_appender_destroy>;

// A result whose chunks are fetched one after another.
class DuckResult {
 public:
  DuckResult() = default;
  DuckResult(DuckResult&& o) noexcept : raw_(std::exchange(o.raw_, {})), live_(std::exchange(o.live_, false)) {}
  DuckResult& operator=(DuckResult&&) = delete;
  ~DuckResult() {
    if (live_) duckdb_destroy_result(&raw_);
  }
  duckdb_result* out() {
    live_ = true;
    return &raw_;
  }
  duckdb_result& raw() { return raw_; }
  std::string error();

 private:
  duckdb_result raw_ = {};
  bool live_ = false;
};

class Connection {
 public:
  static Result<Connection> open(duckdb_database database);
  duckdb_connection get() const { return handle_.get(); }
  Result<void> execute(const std::string& sql);
  // All values as text, NULL as ''. For small housekeeping queries.
  Result<std::vector<std::vector<std::string>>> rows(const std::string& sql);

 private:
  ConnectionHandle handle_;
};

std::string quote_identifier(std::string_view name);  // "a""b"
std::string quote_text(std::string_view text);        // 'it''s'
// The engine's message without its advice and source excerpt: first line, no "Binder Error: " in front.
std::string short_message(std::string_view message);

}  // namespace egret::store
