#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "harness/core/errors.h"
#include "harness/metrics/metrics.h"

// What one pair or one track adds to a metric that is a plain mean: shared by the metrics and their bootstrap.
namespace tagbench {

inline bool is_known(const LabelMatrix& labels, size_t i) {
  return labels.known == nullptr || labels.known[i] != 0;
}

template <typename Score>
bool is_probability(Score score) {
  return score >= Score{0} && score <= Score{1};
}

// Binary cross-entropy of one pair, the probability clipped to [eps, 1 - eps] of its own type.
template <typename Score>
double pair_log_loss(uint8_t label, Score score) {
  constexpr double kEpsilon = std::numeric_limits<Score>::epsilon();
  const double probability = std::min(std::max(static_cast<double>(score), kEpsilon), 1.0 - kEpsilon);
  return label != 0 ? -std::log(probability) : -std::log1p(-probability);
}

// Whether the highest score (the first of equals) is the labelled tag's; nothing if not all labels of the track are
// known. Errors: DataError if the track has not exactly one positive.
template <typename Score>
std::optional<bool> classified_right(const LabelMatrix& labels, const Score* scores, int64_t track) {
  const auto n_tags = static_cast<size_t>(labels.n_tags);
  const size_t row = static_cast<size_t>(track) * n_tags;
  int n_positive = 0;
  size_t best = 0;
  size_t labelled = 0;
  for (size_t k = 0; k < n_tags; ++k) {
    if (!is_known(labels, row + k)) return std::nullopt;
    if (scores[row + k] > scores[row + best]) best = k;
    if (labels.values[row + k] == 0) continue;
    ++n_positive;
    labelled = k;
  }
  if (n_tags == 0) return std::nullopt;
  if (n_positive != 1) {
    throw DataError("metrics: expected one positive label per track of a multiclass task, found " +
                    std::to_string(n_positive) + " (track " + std::to_string(track) + ", counted from 0)");
  }
  return best == labelled;
}

}  // namespace tagbench
