#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/rng.h"
#include "harness/metrics/metrics.h"

namespace tagbench::testing {

// Owns what the matrices borrow.
struct TaggingData {
  int64_t n_tracks = 0;
  int64_t n_tags = 0;
  std::vector<uint8_t> labels;
  std::vector<double> scores;
  std::vector<uint8_t> known;

  LabelMatrix label_matrix() const { return {n_tracks, n_tags, labels.data(), known.empty() ? nullptr : known.data()}; }
  ScoreMatrix score_matrix() const { return {n_tracks, n_tags, nullptr, scores.data()}; }
};

inline TaggingData one_tag(std::vector<uint8_t> labels, std::vector<double> scores) {
  const auto n = static_cast<int64_t>(labels.size());
  return {n, 1, std::move(labels), std::move(scores), {}};
}

// Negatives score N(0, 1), positives N(shift, 1): the ROC-AUC of the population is normal_share(shift / sqrt(2)).
inline TaggingData binormal(int64_t n_tracks, int64_t n_tags, double share_of_positives, double shift, uint64_t seed) {
  Rng rng(seed, {"binormal"});
  TaggingData data{n_tracks, n_tags, {}, {}, {}};
  for (int64_t i = 0; i < n_tracks * n_tags; ++i) {
    const bool positive = rng.uniform() < share_of_positives;
    data.labels.push_back(positive ? 1 : 0);
    data.scores.push_back(rng.normal() + (positive ? shift : 0.0));
  }
  return data;
}

// The standard normal's share below x.
inline double normal_share(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

}  // namespace tagbench::testing
