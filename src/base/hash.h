#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace egret {

std::string sha256_hex(std::string_view bytes);

// SHA-256 of what arrives in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(std::string_view bytes);
  std::string hex();  // ends it

 private:
  void* context_;
};

}  // namespace egret
