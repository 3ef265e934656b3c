#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "harness/metrics/sorted_keys.h"
#include "harness/metrics/track_terms.h"

namespace tagbench {

// Resamples that are evaluated side by side; the inner loops run over them and are vectorised by the compiler.
constexpr size_t kLanes = 16;
using LaneCounts = std::array<uint32_t, kLanes>;
using LaneValues = std::array<double, kLanes>;

// How often each track occurs in each of kLanes resamples: [n_tracks][kLanes].
using TrackWeights = std::vector<LaneCounts>;

// What a list's metrics are made of, per resample.
struct WeightedRanking {
  LaneValues positives;  // number of positives, counted with weights
  LaneValues negatives;
  LaneValues twice_lost;     // pairs in the wrong order count two, tied pairs one
  LaneValues precision_sum;  // over positives, of the precision at their score
};

// One tag's pairs (or all tags') sorted once, so that each resample is one walk from the highest score down. The walk
// only stops at scores that positives have; the negatives between are summed in a run.
class RankedList {
 public:
  // The known pairs of tags [first_tag, end_tag).
  template <typename Score>
  RankedList(const LabelMatrix& labels, const Score* scores, int64_t first_tag, int64_t end_tag) {
    using Key = decltype(order_key(Score{}));
    struct Pair {
      Key key;
      uint32_t track;
      uint8_t label;
    };
    std::vector<Pair> pairs;
    for (int64_t track = 0; track < labels.n_tracks; ++track) {
      for (int64_t tag = first_tag; tag < end_tag; ++tag) {
        const auto i = static_cast<size_t>(track * labels.n_tags + tag);
        if (is_known(labels, i))
          pairs.push_back({order_key(scores[i]), static_cast<uint32_t>(track), labels.values[i]});
      }
    }
    // Descending; within equal scores negatives first. The track breaks further ties, so the order is one and the same.
    std::sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) {
      if (a.key != b.key) return a.key > b.key;
      if (a.label != b.label) return a.label < b.label;
      return a.track < b.track;
    });
    tracks_.reserve(pairs.size());
    size_t run_begin = 0;
    size_t i = 0;
    while (i < pairs.size()) {
      const size_t group_begin = i;
      while (i < pairs.size() && pairs[i].key == pairs[group_begin].key && pairs[i].label == 0) ++i;
      const size_t positives_begin = i;
      while (i < pairs.size() && pairs[i].key == pairs[group_begin].key) ++i;
      if (i == positives_begin) continue;
      steps_.push_back({static_cast<uint32_t>(group_begin - run_begin),
                        static_cast<uint32_t>(positives_begin - group_begin),
                        static_cast<uint32_t>(i - positives_begin)});
      run_begin = i;
    }
    for (const Pair& pair : pairs) tracks_.push_back(pair.track);
  }

  WeightedRanking evaluate(const TrackWeights& weights) const;

 private:
  struct Step {
    uint32_t n_above;      // negatives since the last step, above this score
    uint32_t n_tied;       // negatives of this score
    uint32_t n_positives;  // of this score
  };

  std::vector<uint32_t> tracks_;  // step by step: negatives above, negatives tied, positives; then the negatives below
  std::vector<Step> steps_;
};

}  // namespace tagbench
