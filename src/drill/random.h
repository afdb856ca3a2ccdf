#pragma once
// The only source of chance in a drill: splitmix64, forked by label, so that the same seed gives the same bytes and a draw added
// in one place leaves every other place as it was.
#include <cassert>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace egret::drill {

// Both ends belong to it. A scenario writes "3..8", "4" or "0.2..0.5".
struct Range {
  double low = 0, high = 0;
};

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    return mix(state_);
  }
  // A generator of its own for the thing that the label and number name; does not advance this one.
  Random fork(std::string_view label, uint64_t n = 0) const {
    uint64_t h = 0xcbf29ce484222325ULL ^ origin();
    for (const char c : label) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return Random(mix(h ^ mix(n + 0x9e3779b97f4a7c15ULL)));
  }
  // 0 … n-1
  uint64_t below(uint64_t n) {
    assert(n > 0);
    return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * n) >> 64);
  }
  int64_t between(int64_t low, int64_t high) { return low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low + 1))); }
  double real() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }  // [0, 1)
  double real(double low, double high) { return low + real() * (high - low); }
  double real(Range r) { return real(r.low, r.high); }
  int64_t whole(Range r) { return between(std::llround(r.low), std::llround(r.high)); }
  bool chance(double p) { return real() < p; }
  double exponential(double mean) { return -mean * std::log1p(-real()); }

  template <typename T>
  const T& pick(const std::vector<T>& from) {
    assert(!from.empty());
    return from[below(from.size())];
  }
  template <typename T>
  T pick(std::initializer_list<T> from) {
    return from.begin()[below(from.size())];
  }
  template <typename T>
  void shuffle(std::vector<T>& v) {
    for (size_t i = v.size(); i > 1; --i) std::swap(v[i - 1], v[below(i)]);
  }

  std::string hex(size_t digits) {
    std::string s;
    while (s.size() < digits) s += "0123456789abcdef"[below(16)];
    return s;
  }
  std::string uuid() { return hex(8) + '-' + hex(4) + "-4" + hex(3) + '-' + "89ab"[below(4)] + hex(3) + '-' + hex(12); }
  // The alphabet of Kubernetes' random name suffixes: no vowels, no 0, 1, 3.
  std::string kube_suffix(size_t n) {
    std::string s;
    while (s.size() < n) s += "bcdfghjklmnpqrstvwxz2456789"[below(27)];
    return s;
  }

 private:
  static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  uint64_t origin() const { return state_; }
  uint64_t state_;
};

}  // namespace egret::drill
