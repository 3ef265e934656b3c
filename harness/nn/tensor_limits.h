#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

// Bounds that every reader of weights keeps. Far above what real networks need, low enough that a hostile file costs
// little.
namespace tagbench {

constexpr size_t kMaxTensors = 65536;
constexpr size_t kMaxDimensions = 16;
constexpr size_t kMaxKeyBytes = 1024;

// a * b, or nothing if that exceeds an int64. Both must be at least 0.
inline std::optional<int64_t> checked_product(int64_t a, int64_t b) {
  if (a != 0 && b > std::numeric_limits<int64_t>::max() / a) return std::nullopt;
  return a * b;
}

// Product of the sizes (1 for none), or nothing if a size is negative or the product, even without its zeros, exceeds
// an int64.
inline std::optional<int64_t> checked_element_count(const std::vector<int64_t>& sizes) {
  int64_t count = 1;
  bool empty = false;
  for (const int64_t size : sizes) {
    if (size < 0) return std::nullopt;
    if (size == 0) {
      empty = true;
      continue;
    }
    const std::optional<int64_t> product = checked_product(count, size);
    if (!product) return std::nullopt;
    count = *product;
  }
  return empty ? 0 : count;
}

}  // namespace tagbench
