#include "harness/metrics/ranked_list.h"

namespace tagbench {
namespace {

// Adds the weights of n tracks to `sums`; returns the end of the tracks.
const uint32_t* add_weights(const uint32_t* tracks, size_t n, const TrackWeights& weights, LaneCounts& sums) {
  LaneCounts local = sums;
  for (const uint32_t* end = tracks + n; tracks != end; ++tracks) {
    const LaneCounts& weight = weights[*tracks];
    for (size_t lane = 0; lane < kLanes; ++lane) local[lane] += weight[lane];
  }
  sums = local;
  return tracks;
}

}  // namespace

WeightedRanking RankedList::evaluate(const TrackWeights& weights) const {
  WeightedRanking result{};
  LaneCounts negatives{};
  LaneCounts all_positives{};
  const uint32_t* next = tracks_.data();
  for (const Step& step : steps_) {
    next = add_weights(next, step.n_above, weights, negatives);
    const LaneCounts negatives_above = negatives;
    next = add_weights(next, step.n_tied, weights, negatives);
    LaneCounts positives{};
    next = add_weights(next, step.n_positives, weights, positives);
    for (size_t lane = 0; lane < kLanes; ++lane) {
      all_positives[lane] += positives[lane];
      const auto in_group = static_cast<double>(positives[lane]);
      const auto true_positives = static_cast<double>(all_positives[lane]);
      const auto false_positives = static_cast<double>(negatives[lane]);
      result.twice_lost[lane] += in_group * (static_cast<double>(negatives_above[lane]) + false_positives);
      // in_group is 0 where nothing has been retrieved yet.
      result.precision_sum[lane] += in_group * true_positives / std::max(true_positives + false_positives, 1.0);
    }
  }
  add_weights(next, static_cast<size_t>(tracks_.data() + tracks_.size() - next), weights, negatives);
  for (size_t lane = 0; lane < kLanes; ++lane) {
    result.positives[lane] = static_cast<double>(all_positives[lane]);
    result.negatives[lane] = static_cast<double>(negatives[lane]);
  }
  return result;
}

}  // namespace tagbench
