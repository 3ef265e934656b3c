#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/metrics/metrics.h"
#include "harness/metrics/statistics.h"

// Bootstrap over tracks (Efron 1979), or over groups of tracks where tracks of one artist are not independent (Field
// and Welsh 2007: whole groups are drawn with replacement, as many as there are).
//
// Two steps. bootstrap_metrics gives every metric's value in every resample, its replicates. Which tracks are in a
// resample depends on the seed, the number of tracks and the groups alone, so replicates of several score sets on the
// same tracks are paired, and any figure made from them (a difference, a mean drop, a ratio) has an interval:
// combine().
namespace tagbench {

struct BootstrapOptions {
  int resamples = 2000;  // 1 to 1,000,000
  uint64_t seed = 1;
  int threads = 1;  // results do not depend on it
};

// The jackknife leaves out one track (or group) at a time; where there are more than this, a random part of them at a
// time, which estimates the same skewness.
constexpr int kMaxJackknifeParts = 320;

// One metric over the resamples.
struct Replicates {
  MetricValue estimate;                       // on the tracks as they are
  std::vector<std::optional<double>> values;  // [resamples]; absent where the metric is undefined in the resample
  // With one part of the tracks left out, a part at a time; absent as above. See kMaxJackknifeParts.
  std::vector<std::optional<double>> jackknife;
  // Of how many independent things the scarcest kind is made: groups (tracks) that have the tag or, if fewer, that lack
  // it; all groups for metrics over all tags.
  int64_t n_units = 0;
  uint64_t plan = 0;  // equal for replicates that are paired
  // Of means of average precision over tags, and of what is made from them: see estimate_of.
  bool recentred = false;
};

// The same thing for every metric of TaggingMetrics.
template <typename T>
struct PerMetric {
  struct Averages {
    T roc_auc;
    T average_precision;
  };
  Averages macro;
  Averages micro;
  Averages weighted;
  std::vector<Averages> per_tag;
  T log_loss;
  T accuracy;
};

using TaggingReplicates = PerMetric<Replicates>;

// Every metric in every resample. `groups` is empty, or holds one number per track: equal numbers are one group,
// negative ones stand alone. Macro and weighted means run, as always, over the tags that are defined in the resample.
// Errors: as compute_metrics; UsageError for options out of range; DataError if `groups` has another length than the
// tracks, or a resample would count more than 2^32 pairs. Cost: 2,000 resamples of 5,000 x 50 in about 0.4 s on one
// core; 64 bytes per track and 4 per pair, and 16 per value.
TaggingReplicates bootstrap_metrics(const LabelMatrix& labels, const ScoreMatrix& scores,
                                    const std::vector<int64_t>& groups, const BootstrapOptions& options,
                                    bool multiclass = false);

// Group numbers for names (artists); tracks with an empty name stand alone.
std::vector<int64_t> group_indices(const std::vector<std::string>& names);

// How often each of n_groups is drawn in resample number `resample`; adds up to n_groups.
std::vector<int32_t> resample_counts(int64_t n_groups, uint64_t seed, int64_t resample);

// Made from the values of several replicates, in the order given.
using Figure = std::function<std::optional<double>(const std::vector<double>&)>;

// A figure of several paired replicates: of their estimates, and of their values resample by resample. Absent where one
// of them is absent or the figure is. Errors: std::logic_error for replicates of different plans.
Replicates combine(const std::vector<const Replicates*>& replicates, const Figure& figure);

// A figure of replicates of different tracks (the folds of a data set), drawn apart: with other seeds or other tracks.
// The results pair with those of the same folds in the same order. Errors: std::logic_error for two replicates of one
// plan, or of different numbers of resamples.
Replicates combine_independent(const std::vector<const Replicates*>& replicates, const Figure& figure);

// The mean of paired replicates (trainings with several seeds, scored on the same tracks), and of replicates drawn
// apart (folds). One alone is returned as it is. Errors: as combine and combine_independent; std::logic_error for none.
Replicates mean_of_paired(const std::vector<const Replicates*>& replicates);
Replicates mean_of_independent(const std::vector<const Replicates*>& replicates);

// a - b.
Replicates difference(const Replicates& a, const Replicates& b);

struct Estimate {
  MetricValue value;
  std::optional<Interval> interval;      // see estimate_of
  std::optional<double> standard_error;  // deviation of the replicates
  int64_t n_undefined = 0;               // resamples in which the metric is undefined; they are left out
  std::string reason;                    // why interval and standard error are absent
};

// The interval is Efron's (1987) BCa interval: percentiles of the replicates, moved by the bias of their median and by
// their skewness (from the jackknife), which plain percentiles of a ROC-AUC near 1, or of an average precision, get
// wrong. Where few tracks have (or lack) a tag it is widened by Student's t with n_units - 1 degrees of freedom and
// sqrt(n / (n - 1)), after Hesterberg (2015). If all replicates are equal, it is that one value.
//
// Average precision is too high on few positives, and higher still on resamples (a positive drawn twice ranks beside
// itself). The mean over many rare tags does not average this out, while it narrows the interval: moved by the bias of
// the median, the interval would lie beside every value of interest. Macro and weighted means of average precision are
// therefore intervals for the value to expect on test sets of this size, not on endless ones: their replicates are
// moved onto the estimate first, and BCa corrects what skewness is left.
//
// Coverage of the 95 % interval, simulated with normal scores (ROC-AUC 0.76 to 0.95): 92 to 98 % for tags with 15
// positives or more, 90 to 98 % with 5 to 10; macro and micro ROC-AUC and micro average precision 91 to 97 %; macro
// average precision 91 to 97 % (10 to 50 tags with 6 to 130 positives each).
//
// Absent, with a reason, for fewer than two units, and where the metric is undefined in more than half of the
// resamples.
//
// Errors: UsageError for a level outside (0, 1).
Estimate estimate_of(const Replicates& replicates, double level = 0.95);
PerMetric<Estimate> estimates_of(const TaggingReplicates& replicates, double level = 0.95);

// a - b on the same tracks.
struct Comparison {
  Estimate difference;
  // Two-sided, of no difference: 1 minus the level at which the interval just touches 0. Where 0 lies past the last
  // replicate, by the normal distribution with the replicates' deviation.
  std::optional<double> p_value;
};

Comparison compare(const Replicates& a, const Replicates& b, double level = 0.95);

// For each system, whether it is as good as the best within the paired interval: the system with the best estimate, and
// every one whose interval of the difference from it contains 0 (or cannot be told). Systems without an estimate are
// false.
std::vector<bool> ties_with_best(const std::vector<const Replicates*>& systems, bool higher_is_better,
                                 double level = 0.95);

}  // namespace tagbench
