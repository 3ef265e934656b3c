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
// implementation of DeLong's algorithm". Tracks count as independent: where tracks of one artist cluster, use the
// bootstrap of bootstrap.h, which can resample artists.
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
// Errors: as compute_metrics; UsageError for a level outside (0, 1).
std::vector<DelongEstimate> delong_per_tag(const LabelMatrix& labels, const ScoreMatrix& scores, double level = 0.95);

// One comparison per tag. The interval is symmetric about the difference.
// Errors: as delong_per_tag.
std::vector<DelongComparison> delong_comparison_per_tag(const LabelMatrix& labels, const ScoreMatrix& a,
                                                        const ScoreMatrix& b, double level = 0.95);

}  // namespace tagbench
