#pragma once

#include <cstdint>
#include <initializer_list>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

namespace tagbench {

// The only source of randomness in the program. A generator is made from a key (seed, purpose, track id, condition,
// ...), never from a clock, a thread or the order of calls, so results do not depend on any of them.
//
// Generator: xoshiro256** (Blackman and Vigna 2018), its state filled by splitmix64 from the 64-bit hash of the key.
// Draws are defined here rather than by the standard library's distributions, whose values differ between
// implementations.
class Rng {
 public:
  Rng(uint64_t seed, std::initializer_list<std::string_view> key);

  uint64_t next();
  // Uniform on [0, 1), 53 bits.
  double uniform();
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  // Uniform integer in [0, n). n must be positive. Unbiased (rejection).
  int64_t below(int64_t n);
  // Standard normal (Marsaglia's polar method).
  double normal();

  // Fisher-Yates.
  template <typename T>
  void shuffle(std::vector<T>& values) {
    for (size_t i = values.size(); i > 1; --i) {
      std::swap(values[i - 1], values[static_cast<size_t>(below(static_cast<int64_t>(i)))]);
    }
  }
  // A random order of 0 .. n-1.
  std::vector<int64_t> permutation(int64_t n) {
    std::vector<int64_t> order(static_cast<size_t>(n));
    std::iota(order.begin(), order.end(), int64_t{0});
    shuffle(order);
    return order;
  }

 private:
  uint64_t state_[4];
  double spare_normal_ = 0.0;
  bool has_spare_ = false;
};

// A 64-bit number derived from a key, to seed generators that are not ours (LibTorch's).
uint64_t derived_seed(uint64_t seed, std::initializer_list<std::string_view> key);

}  // namespace tagbench
