#pragma once
// The few encodings of Apache Parquet that sealed files use, byte for byte as github.com/apache/parquet-format (Encodings.md,
// thrift/parquet.thrift) describes them. Everything appends to a string.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace egret::store {

// Thrift's compact protocol, as much as a footer and page headers need. Field numbers must ascend within a struct.
class ThriftWriter {
 public:
  explicit ThriftWriter(std::string& out) : out_(out) {}
  void i32(int field, int64_t v);
  void i64(int field, int64_t v);
  void binary(int field, std::string_view v);
  void begin_struct(int field);
  void begin_list(int field, int element_type, size_t n);  // n elements follow: element(), or begin_element() … end_struct()
  void element(int32_t v);
  void element(std::string_view v);
  void begin_element();
  void end_struct();  // also ends the outermost, which nothing begins

  static constexpr int kI32 = 5, kBinary = 8, kStruct = 12;

 private:
  void field(int number, int type);
  std::string& out_;
  std::vector<int> last_{0};
};

// DELTA_BINARY_PACKED. `bits` is the column's width, 32 or 64: differences wrap at it.
void put_delta(std::string& out, std::span<const int64_t> values, int bits);

// Definition levels of an optional column in a data page of version 1: 1 where valid[i], behind their length. No `valid`: all are 1.
void put_levels(std::string& out, std::span<const uint8_t> valid, size_t rows);

// RLE_DICTIONARY: the width of an index and the indexes; or as many times the first.
void put_indexes(std::string& out, std::span<const uint32_t> indexes, size_t distinct);
void put_first_index(std::string& out, size_t rows);

// PLAIN BYTE_ARRAY.
void put_bytes(std::string& out, std::string_view value);

// Little-endian, as PLAIN and statistics have it.
template <typename T>
void put_raw(std::string& out, T v) {
  out.append(reinterpret_cast<const char*>(&v), sizeof v);
}

// The distinct texts of a column, numbered as they come. It borrows them: they must outlive it.
class TextDictionary {
 public:
  TextDictionary();
  uint32_t index(std::string_view text);
  size_t size() const { return texts_.size(); }
  const std::vector<std::string_view>& texts() const { return texts_; }

 private:
  void grow();
  std::vector<std::string_view> texts_;
  std::vector<uint64_t> hashes_;
  std::vector<uint32_t> slots_;  // index + 1; 0: free. A power of two, at most half full.
  uint32_t last_ = 0;
};

}  // namespace egret::store
