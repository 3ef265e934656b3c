#include "harness/metrics/delong.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "harness/metrics/track_terms.h"

namespace tagbench {
namespace {

// For each of a class's tracks, the share of the other class that it ranks on the right side of, ties counted half.
struct Placements {
  std::vector<double> positives;
  std::vector<double> negatives;
};

// The share of `sorted` below `score`, half of the equal ones included.
double share_below(const std::vector<double>& sorted, double score) {
  const auto range = std::equal_range(sorted.begin(), sorted.end(), score);
  const auto below = static_cast<double>(range.first - sorted.begin());
  const auto equal = static_cast<double>(range.second - range.first);
  return (below + 0.5 * equal) / static_cast<double>(sorted.size());
}

Placements placements(const LabelMatrix& labels, const ScoreMatrix& scores, int64_t tag) {
  std::vector<double> positives;
  std::vector<double> negatives;
  for (int64_t track = 0; track < labels.n_tracks; ++track) {
    const auto i = static_cast<size_t>(track * labels.n_tags + tag);
    if (!is_known(labels, i)) continue;
    (labels.values[i] != 0 ? positives : negatives).push_back(scores.at(track, tag));
  }
  Placements result;
  std::vector<double> sorted = negatives;
  std::sort(sorted.begin(), sorted.end());
  for (const double score : positives) result.positives.push_back(share_below(sorted, score));
  sorted = positives;
  std::sort(sorted.begin(), sorted.end());
  for (const double score : negatives) result.negatives.push_back(1.0 - share_below(sorted, score));
  return result;
}

double variance_of(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0.0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return squares / (n - 1.0);
}

struct Variance {
  double value = 0.0;
  double degrees_of_freedom = 0.0;
};

// Of a ROC-AUC, from its placements; of the difference of two, from the differences of their placements. Degrees of
// freedom after Welch and Satterthwaite, since the variance is itself estimated from two samples.
Variance roc_auc_variance(const Placements& placed) {
  const auto m = static_cast<double>(placed.positives.size());
  const auto n = static_cast<double>(placed.negatives.size());
  const double of_positives = variance_of(placed.positives) / m;
  const double of_negatives = variance_of(placed.negatives) / n;
  const double value = of_positives + of_negatives;
  return {value, value * value / (of_positives * of_positives / (m - 1.0) + of_negatives * of_negatives / (n - 1.0))};
}

Placements differences(Placements a, const Placements& b) {
  for (size_t i = 0; i < a.positives.size(); ++i) a.positives[i] -= b.positives[i];
  for (size_t i = 0; i < a.negatives.size(); ++i) a.negatives[i] -= b.negatives[i];
  return a;
}

std::string too_few(const TagMetrics& tag) {
  if (tag.n_positive < 2) return "fewer than two positives";
  if (tag.n_known - tag.n_positive < 2) return "fewer than two negatives";
  return {};
}

// Equal placements leave rounding below this; the smallest true variance, one tied pair among 10^5 x 10^5, is near
// 1e-20.
constexpr double kNoVariance = 1e-28;

}  // namespace

std::vector<DelongEstimate> delong_per_tag(const LabelMatrix& labels, const ScoreMatrix& scores, double level) {
  check_level(level);
  const TaggingMetrics metrics = compute_metrics(labels, scores);
  std::vector<DelongEstimate> estimates;
  for (int64_t tag = 0; tag < labels.n_tags; ++tag) {
    const TagMetrics& found = metrics.per_tag[static_cast<size_t>(tag)];
    DelongEstimate estimate{found.roc_auc, {}, {}, found.roc_auc.value ? too_few(found) : found.roc_auc.reason};
    if (estimate.reason.empty()) {
      const Variance variance = roc_auc_variance(placements(labels, scores, tag));
      const double roc_auc = *found.roc_auc.value;
      if (variance.value <= kNoVariance || roc_auc <= 0.0 || roc_auc >= 1.0) {
        estimate.standard_error = 0.0;
        estimate.reason = "the estimated variance is 0";
      } else {
        estimate.standard_error = std::sqrt(variance.value);
        const double logit = std::log(roc_auc / (1.0 - roc_auc));
        const double step =
            t_half_width(level, variance.degrees_of_freedom) * *estimate.standard_error / (roc_auc * (1.0 - roc_auc));
        estimate.interval = Interval{1.0 / (1.0 + std::exp(step - logit)), 1.0 / (1.0 + std::exp(-step - logit))};
      }
    }
    estimates.push_back(std::move(estimate));
  }
  return estimates;
}

std::vector<DelongComparison> delong_comparison_per_tag(const LabelMatrix& labels, const ScoreMatrix& a,
                                                        const ScoreMatrix& b, double level) {
  const double half_width = normal_half_width(level);
  const TaggingMetrics metrics_a = compute_metrics(labels, a);
  const TaggingMetrics metrics_b = compute_metrics(labels, b);
  std::vector<DelongComparison> comparisons;
  for (int64_t tag = 0; tag < labels.n_tags; ++tag) {
    const TagMetrics& of_a = metrics_a.per_tag[static_cast<size_t>(tag)];
    const TagMetrics& of_b = metrics_b.per_tag[static_cast<size_t>(tag)];
    DelongComparison comparison;
    if (!of_a.roc_auc.value) {
      comparison.difference.reason = of_a.roc_auc.reason;
      comparison.reason = of_a.roc_auc.reason;
    } else {
      const double difference = *of_a.roc_auc.value - *of_b.roc_auc.value;
      comparison.difference.value = difference;
      comparison.reason = too_few(of_a);
      if (comparison.reason.empty()) {
        const Variance variance = roc_auc_variance(differences(placements(labels, a, tag), placements(labels, b, tag)));
        if (variance.value > kNoVariance) {
          const double error = std::sqrt(variance.value);
          comparison.standard_error = error;
          comparison.interval = Interval{difference - half_width * error, difference + half_width * error};
          comparison.z = difference / error;
          comparison.p_value = normal_p_value(*comparison.z);
        } else {
          comparison.standard_error = 0.0;
          if (difference == 0.0) {
            comparison.interval = Interval{0.0, 0.0};
            comparison.p_value = 1.0;
          } else {
            comparison.reason = "the estimated variance is 0";
          }
        }
      }
    }
    comparisons.push_back(std::move(comparison));
  }
  return comparisons;
}

}  // namespace tagbench
