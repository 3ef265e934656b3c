#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/metrics/metrics.h"
#include "harness/metrics/statistics.h"

// ROC-AUC of one tag with DeLong's variance, and the paired test of two score sets on the same tracks.
//
// Source: DeLong, DeLong and Clarke-Pearson (1988), "Comparing the areas under two or more correlated receiver
// operating characteristic curves: a nonparametric approach", Biometrics 44; in O(n log n) as Sun and Xu (2014), "Fast
// implementation of DeLong's algorithm". Where tracks come in groups (artists), the variance is that of clustered data
// of Obuchowski (1997), "Nonparametric analysis of clustered ROC curve data", Biometrics 53, which is DeLong's where
// every track stands alone.
namespace tagbench {

struct DelongEstimate {
  MetricValue roc_auc;
  std::optional<double> standard_error;  // absent for fewer than two positives or two negatives
  std::optional<Interval> interval;      // absent also where the estimated variance is 0 (perfect separation)
  std::string reason;                    // why error or interval are absent
};

struct DelongComparison {
  MetricValue difference;  // ROC-AUC of a minus ROC-AUC of b
  std::optional<double> standard_error;
  std::optional<Interval> interval;
  std::optional<double> z;
  std::optional<double> p_value;  // two-sided, of no difference; 1 for scores of equal ranking
  std::string reason;
};

// One estimate per tag, over the known labels. The interval is symmetric on the logit scale, so it stays within (0, 1)
// and keeps its coverage near 1, where the symmetric one loses it; it takes Student's t with the degrees of freedom of
// Welch and Satterthwaite, since rare tags have few positives. (pROC's is roc_auc +- 1.96 standard_error.)
// Coverage of the 95 % interval, simulated with normal scores: 91 to 96 % for tags with 10 positives or more.
// `groups`: see placements(). Errors: as compute_metrics; UsageError for a level outside (0, 1).
std::vector<DelongEstimate> delong_per_tag(const LabelMatrix& labels, const ScoreMatrix& scores,
                                           const std::vector<int64_t>& groups = {}, double level = 0.95);

// For each of a tag's tracks, the share of the other class that it ranks on the right side of, ties counted half. The
// mean of either list is the ROC-AUC, so lists of several trainings on the same tracks may be averaged.
struct Placements {
  std::vector<double> positives;
  std::vector<double> negatives;
  std::vector<int64_t> groups_of_positives;  // numbers from 0; a track without a group has one of its own
  std::vector<int64_t> groups_of_negatives;
  int64_t n_groups = 0;
  std::string reason;  // why there is no ROC-AUC; empty where there is one
};

// Of the known labels. `groups` is empty, or holds one number per track: equal numbers are one group, negative ones
// stand alone. Errors: DataError if `groups` has another length than the tracks.
Placements placements(const LabelMatrix& labels, const ScoreMatrix& scores, int64_t tag,
                      const std::vector<int64_t>& groups = {});

// Of several trainings. Errors: std::logic_error for other tracks, or none.
Placements mean_of(const std::vector<Placements>& trainings);

// The ROC-AUC of one system, averaged over folds, which count as independent; the interval as in delong_per_tag.
// Errors: std::logic_error for no folds; UsageError for a level outside (0, 1).
DelongEstimate estimate_placements(const std::vector<Placements>& folds, double level = 0.95);

// a minus b on the same tracks, averaged over folds, which count as independent; the interval is symmetric about the
// difference. Errors: std::logic_error for other tracks of a and b, other numbers of folds, or none; UsageError for a
// level outside (0, 1).
DelongComparison compare_placements(const std::vector<Placements>& folds_of_a,
                                    const std::vector<Placements>& folds_of_b, double level = 0.95);

}  // namespace tagbench
