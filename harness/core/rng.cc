#include "harness/core/rng.h"

#include <cmath>
#include <stdexcept>
#include <string>

#include "harness/core/hash.h"

namespace tagbench {
namespace {

uint64_t rotate_left(uint64_t x, unsigned k) {
  return (x << k) | (x >> (64U - k));
}

uint64_t splitmix64(uint64_t& state) {
  state += 0x9E3779B97F4A7C15ULL;
  uint64_t z = state;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

}  // namespace

uint64_t derived_seed(uint64_t seed, std::initializer_list<std::string_view> key) {
  // Parts are length-prefixed, so ("ab", "c") and ("a", "bc") are different keys.
  std::string bytes;
  for (const std::string_view part : key) {
    bytes += std::to_string(part.size());
    bytes += ':';
    bytes += part;
  }
  return xxh64(bytes, seed);
}

Rng::Rng(uint64_t seed, std::initializer_list<std::string_view> key) {
  uint64_t state = derived_seed(seed, key);
  for (uint64_t& word : state_) word = splitmix64(state);
}

uint64_t Rng::next() {
  const uint64_t result = rotate_left(state_[1] * 5U, 7U) * 9U;
  const uint64_t shifted = state_[1] << 17U;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = rotate_left(state_[3], 45U);
  return result;
}

double Rng::uniform() {
  return static_cast<double>(next() >> 11U) * 0x1.0p-53;
}

int64_t Rng::below(int64_t n) {
  if (n <= 0) throw std::logic_error("Rng::below: n must be positive, got " + std::to_string(n));
  const auto range = static_cast<uint64_t>(n);
  const uint64_t limit = UINT64_MAX - UINT64_MAX % range;
  uint64_t value = next();
  while (value >= limit) value = next();
  return static_cast<int64_t>(value % range);
}

double Rng::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_normal_;
  }
  double u = 0.0;
  double v = 0.0;
  double s = 0.0;
  do {
    u = 2.0 * uniform() - 1.0;
    v = 2.0 * uniform() - 1.0;
    s = u * u + v * v;
  } while (s >= 1.0 || s == 0.0);
  const double factor = std::sqrt(-2.0 * std::log(s) / s);
  spare_normal_ = v * factor;
  has_spare_ = true;
  return u * factor;
}

}  // namespace tagbench
