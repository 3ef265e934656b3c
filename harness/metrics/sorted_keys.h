#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

// Scores as unsigned integers that sort as the scores do.
namespace tagbench {

// Equal scores give equal keys (-0.0 counts as 0.0), greater scores greater keys, infinities included. No NaN.
inline uint32_t order_key(float score) {
  score += 0.0F;  // -0.0 becomes 0.0
  uint32_t bits = 0;
  std::memcpy(&bits, &score, sizeof bits);
  return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}

inline uint64_t order_key(double score) {
  score += 0.0;
  uint64_t bits = 0;
  std::memcpy(&bits, &score, sizeof bits);
  constexpr uint64_t kSign = uint64_t{1} << 63U;
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

// Ascending, in place. Least-significant-digit radix sort; `scratch` grows to n and is reused from call to call.
template <typename Key>
void sort_keys(Key* keys, size_t n, std::vector<Key>& scratch) {
  constexpr size_t kSmall = 1024;  // below this, clearing the histograms costs more than sorting
  if (n < kSmall) {
    std::sort(keys, keys + n);
    return;
  }
  constexpr unsigned kBits = 11;
  constexpr size_t kBuckets = size_t{1} << kBits;
  constexpr size_t kDigits = (sizeof(Key) * 8 + kBits - 1) / kBits;
  std::vector<std::array<size_t, kBuckets>> counts(kDigits);
  for (auto& histogram : counts) histogram.fill(0);
  for (size_t i = 0; i < n; ++i) {
    for (size_t d = 0; d < kDigits; ++d) ++counts[d][(keys[i] >> (kBits * d)) & (kBuckets - 1)];
  }
  if (scratch.size() < n) scratch.resize(n);
  Key* from = keys;
  Key* to = scratch.data();
  for (size_t d = 0; d < kDigits; ++d) {
    auto& offsets = counts[d];
    if (offsets[(from[0] >> (kBits * d)) & (kBuckets - 1)] == n) continue;  // one value of this digit only
    size_t sum = 0;
    for (size_t& offset : offsets) sum += std::exchange(offset, sum);
    for (size_t i = 0; i < n; ++i) to[offsets[(from[i] >> (kBits * d)) & (kBuckets - 1)]++] = from[i];
    std::swap(from, to);
  }
  if (from != keys) std::copy(from, from + n, keys);
}

}  // namespace tagbench
