#include "store/parquet_encoding.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>

namespace egret::store {
namespace {

constexpr size_t kBlock = 128, kMiniBlocks = 4, kMiniBlock = kBlock / kMiniBlocks;

void put_varint(std::string& out, uint64_t v) {
  while (v >= 0x80) {
    out.push_back(static_cast<char>(v | 0x80));
    v >>= 7;
  }
  out.push_back(static_cast<char>(v));
}

uint64_t zigzag(int64_t v) { return static_cast<uint64_t>(v) << 1 ^ static_cast<uint64_t>(v >> 63); }

// n values of that many bits each, lowest bit first. n * width is a multiple of 8.
template <typename T>
void pack(std::string& out, const T* values, size_t n, unsigned width) {
  if (width == 0) return;
  size_t at = out.size();
  out.resize(at + n * width / 8);
  uint64_t held = 0;
  unsigned bits = 0;
  for (size_t i = 0; i < n; ++i) {
    const auto v = static_cast<uint64_t>(values[i]);
    held |= v << bits;
    bits += width;
    if (bits < 64) continue;
    std::memcpy(out.data() + at, &held, 8);
    at += 8;
    bits -= 64;
    held = bits ? v >> (width - bits) : 0;
  }
  std::memcpy(out.data() + at, &held, bits / 8);
}

// One run of the RLE / bit-packing hybrid: n times the same, or n values padded to groups of eight.
void put_run(std::string& out, uint32_t value, size_t n, unsigned width) {
  put_varint(out, n << 1);
  out.append(reinterpret_cast<const char*>(&value), (width + 7) / 8);
}

template <typename T>
void put_packed(std::string& out, std::span<const T> values, unsigned width) {
  const size_t whole = values.size() / 8 * 8;
  put_varint(out, (values.size() + 7) / 8 << 1 | 1);
  pack(out, values.data(), whole, width);
  if (whole == values.size()) return;
  std::array<T, 8> rest{};
  std::copy(values.begin() + static_cast<std::ptrdiff_t>(whole), values.end(), rest.begin());
  pack(out, rest.data(), rest.size(), width);
}

uint64_t hash_of(std::string_view s) {
  constexpr uint64_t kPrime = 0x9e3779b97f4a7c15ull;
  uint64_t h = s.size() * kPrime, word = 0;
  while (s.size() >= 8) {
    std::memcpy(&word, s.data(), 8);
    h = (std::rotl(h, 29) ^ word) * kPrime;
    s.remove_prefix(8);
  }
  word = 0;
  std::memcpy(&word, s.data(), s.size());
  h = (std::rotl(h, 29) ^ word) * kPrime;
  return h ^ h >> 32;
}

}  // namespace

void ThriftWriter::field(int number, int type) {
  const int step = number - last_.back();
  assert(step > 0 && step < 16);
  out_.push_back(static_cast<char>(step << 4 | type));
  last_.back() = number;
}

void ThriftWriter::i32(int number, int64_t v) {
  field(number, kI32);
  put_varint(out_, zigzag(v));
}

void ThriftWriter::i64(int number, int64_t v) {
  field(number, 6);
  put_varint(out_, zigzag(v));
}

void ThriftWriter::binary(int number, std::string_view v) {
  field(number, kBinary);
  element(v);
}

void ThriftWriter::begin_struct(int number) {
  field(number, kStruct);
  begin_element();
}

void ThriftWriter::begin_list(int number, int element_type, size_t n) {
  field(number, 9);
  if (n < 15) {
    out_.push_back(static_cast<char>(n << 4 | static_cast<size_t>(element_type)));
  } else {
    out_.push_back(static_cast<char>(0xf0 | element_type));
    put_varint(out_, n);
  }
}

void ThriftWriter::element(int32_t v) { put_varint(out_, zigzag(v)); }

void ThriftWriter::element(std::string_view v) {
  put_varint(out_, v.size());
  out_.append(v);
}

void ThriftWriter::begin_element() { last_.push_back(0); }

void ThriftWriter::end_struct() {
  out_.push_back('\0');
  last_.pop_back();
}

void put_delta(std::string& out, std::span<const int64_t> values, int bits) {
  put_varint(out, kBlock);
  put_varint(out, kMiniBlocks);
  put_varint(out, values.size());
  put_varint(out, zigzag(values.empty() ? 0 : values[0]));
  std::array<uint64_t, kBlock> above{};  // the block's smallest difference
  for (size_t from = 1; from < values.size(); from += kBlock) {
    const size_t n = std::min(kBlock, values.size() - from);
    std::array<int64_t, kBlock> deltas;
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < n; ++i) {
      const uint64_t d = static_cast<uint64_t>(values[from + i]) - static_cast<uint64_t>(values[from + i - 1]);
      deltas[i] = bits == 32 ? static_cast<int32_t>(d) : static_cast<int64_t>(d);
      least = std::min(least, deltas[i]);
    }
    for (size_t i = 0; i < n; ++i) {
      above[i] = static_cast<uint64_t>(deltas[i]) - static_cast<uint64_t>(least);
      if (bits == 32) above[i] &= 0xffffffffu;
    }
    std::fill(above.begin() + static_cast<std::ptrdiff_t>(n), above.end(), 0);
    put_varint(out, zigzag(least));
    std::array<unsigned, kMiniBlocks> widths;
    for (size_t m = 0; m < kMiniBlocks; ++m) {
      uint64_t all = 0;
      for (size_t i = 0; i < kMiniBlock; ++i) all |= above[m * kMiniBlock + i];
      widths[m] = static_cast<unsigned>(std::bit_width(all));
      out.push_back(static_cast<char>(widths[m]));
    }
    for (size_t m = 0; m * kMiniBlock < n; ++m) pack(out, above.data() + m * kMiniBlock, kMiniBlock, widths[m]);
  }
}

void put_levels(std::string& out, std::span<const uint8_t> valid, size_t rows) {
  const size_t length_at = out.size();
  out.resize(length_at + 4);
  const auto there = valid.empty() ? rows : static_cast<size_t>(std::count(valid.begin(), valid.end(), 1));
  if (there == rows || there == 0) {
    put_run(out, there ? 1 : 0, rows, 1);
  } else {
    put_packed(out, valid, 1);
  }
  const auto length = static_cast<uint32_t>(out.size() - length_at - 4);
  std::memcpy(out.data() + length_at, &length, 4);
}

void put_first_index(std::string& out, size_t rows) {
  out.push_back(1);  // bits of an index
  if (rows) put_run(out, 0, rows, 1);
}

void put_indexes(std::string& out, std::span<const uint32_t> indexes, size_t distinct) {
  if (distinct <= 1) return put_first_index(out, indexes.size());
  const auto width = static_cast<unsigned>(std::bit_width(distinct - 1));
  out.push_back(static_cast<char>(width));
  if (indexes.empty()) return;
  put_packed(out, indexes, width);
}

void put_bytes(std::string& out, std::string_view value) {
  put_raw(out, static_cast<uint32_t>(value.size()));
  out.append(value);
}

TextDictionary::TextDictionary() : slots_(1024, 0) {}

uint32_t TextDictionary::index(std::string_view text) {
  if (!texts_.empty() && texts_[last_] == text) return last_;  // runs are common
  const uint64_t hash = hash_of(text);
  size_t slot = hash & (slots_.size() - 1);
  for (; slots_[slot]; slot = (slot + 1) & (slots_.size() - 1)) {
    const uint32_t at = slots_[slot] - 1;
    if (hashes_[at] == hash && texts_[at] == text) return last_ = at;
  }
  texts_.push_back(text);
  hashes_.push_back(hash);
  slots_[slot] = static_cast<uint32_t>(texts_.size());
  last_ = static_cast<uint32_t>(texts_.size() - 1);
  if (texts_.size() * 2 > slots_.size()) grow();
  return last_;
}

void TextDictionary::grow() {
  slots_.assign(slots_.size() * 4, 0);
  for (size_t i = 0; i < texts_.size(); ++i) {
    size_t slot = hashes_[i] & (slots_.size() - 1);
    while (slots_[slot]) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = static_cast<uint32_t>(i + 1);
  }
}

}  // namespace egret::store
