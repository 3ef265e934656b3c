#include "harness/metrics/delong.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

#include "harness/core/errors.h"
#include "harness/metrics/track_terms.h"

namespace tagbench {
namespace {

// The share of `sorted` below `score`, half of the equal ones included.
double share_below(const std::vector<double>& sorted, double score) {
  const auto range = std::equal_range(sorted.begin(), sorted.end(), score);
  const auto below = static_cast<double>(range.first - sorted.begin());
  const auto equal = static_cast<double>(range.second - range.first);
  return (below + 0.5 * equal) / static_cast<double>(sorted.size());
}

// Sums of squares and products over groups of what each class's values exceed their mean by.
struct GroupSums {
  double positives = 0.0;
  double negatives = 0.0;
  double products = 0.0;
  double n_groups_with_positives = 0.0;
  double n_groups_with_negatives = 0.0;
  double n_groups = 0.0;  // with either
};

GroupSums group_sums(const Placements& placed, double mean) {
  struct Group {
    double positives = 0.0, negatives = 0.0;
    bool has_positives = false, has_negatives = false;
  };
  std::vector<Group> groups(static_cast<size_t>(placed.n_groups));
  for (size_t i = 0; i < placed.positives.size(); ++i) {
    Group& group = groups[static_cast<size_t>(placed.groups_of_positives[i])];
    group.positives += placed.positives[i] - mean;
    group.has_positives = true;
  }
  for (size_t i = 0; i < placed.negatives.size(); ++i) {
    Group& group = groups[static_cast<size_t>(placed.groups_of_negatives[i])];
    group.negatives += placed.negatives[i] - mean;
    group.has_negatives = true;
  }
  GroupSums sums;
  for (const Group& group : groups) {
    sums.positives += group.positives * group.positives;
    sums.negatives += group.negatives * group.negatives;
    sums.products += group.positives * group.negatives;
    sums.n_groups_with_positives += group.has_positives ? 1.0 : 0.0;
    sums.n_groups_with_negatives += group.has_negatives ? 1.0 : 0.0;
    sums.n_groups += group.has_positives || group.has_negatives ? 1.0 : 0.0;
  }
  return sums;
}

// A ROC-AUC on one fold's tracks, or the difference of two, with its variance.
struct FoldValue {
  double value = 0.0;
  double variance = 0.0;
  double inverse_freedom = 0.0;  // 1 / degrees of freedom of the variance, which two samples estimate
  std::string reason;            // why there is no variance
};

// From the placements, or from the differences of two systems' placements. Degrees of freedom after Welch and
// Satterthwaite.
FoldValue fold_value(const Placements& placed) {
  FoldValue fold;
  fold.value = arithmetic_mean(placed.positives);
  const GroupSums sums = group_sums(placed, fold.value);
  if (sums.n_groups_with_positives < 2.0 || sums.n_groups_with_negatives < 2.0) {
    const std::string few = sums.n_groups_with_positives < 2.0 ? "positives" : "negatives";
    const bool single = (few == "positives" ? placed.positives : placed.negatives).size() < 2;
    fold.reason = single ? "fewer than two " + few : "the " + few + " are of one group";
    return fold;
  }
  const auto m = static_cast<double>(placed.positives.size());
  const auto n = static_cast<double>(placed.negatives.size());
  const auto corrected = [](double n_groups) { return n_groups / (n_groups - 1.0); };
  const double of_positives = corrected(sums.n_groups_with_positives) * sums.positives / (m * m);
  const double of_negatives = corrected(sums.n_groups_with_negatives) * sums.negatives / (n * n);
  fold.variance = of_positives + of_negatives + 2.0 * corrected(sums.n_groups) * sums.products / (m * n);
  const double both = of_positives + of_negatives;
  if (both > 0.0) {
    fold.inverse_freedom = (of_positives * of_positives / (sums.n_groups_with_positives - 1.0) +
                            of_negatives * of_negatives / (sums.n_groups_with_negatives - 1.0)) /
                           (both * both);
  }
  return fold;
}

FoldValue fold_difference(const Placements& a, const Placements& b) {
  if (a.groups_of_positives != b.groups_of_positives || a.groups_of_negatives != b.groups_of_negatives) {
    throw std::logic_error("compare_placements: placements of different tracks");
  }
  Placements differences = a;
  for (size_t i = 0; i < a.positives.size(); ++i) differences.positives[i] -= b.positives[i];
  for (size_t i = 0; i < a.negatives.size(); ++i) differences.negatives[i] -= b.negatives[i];
  return fold_value(differences);
}

// Equal placements leave rounding below this; the smallest true variance, one tied pair among 10^5 x 10^5, is near
// 1e-20.
constexpr double kNoVariance = 1e-28;

}  // namespace

std::vector<DelongEstimate> delong_per_tag(const LabelMatrix& labels, const ScoreMatrix& scores,
                                           const std::vector<int64_t>& groups, double level) {
  compute_metrics(labels, scores);  // for what it rejects
  std::vector<DelongEstimate> estimates;
  for (int64_t tag = 0; tag < labels.n_tags; ++tag)
    estimates.push_back(estimate_placements({placements(labels, scores, tag, groups)}, level));
  return estimates;
}

Placements placements(const LabelMatrix& labels, const ScoreMatrix& scores, int64_t tag,
                      const std::vector<int64_t>& groups) {
  if (!groups.empty() && static_cast<int64_t>(groups.size()) != labels.n_tracks) {
    throw DataError("placements: expected one group for each of " + std::to_string(labels.n_tracks) +
                    " tracks, found " + std::to_string(groups.size()));
  }
  std::vector<double> positives;
  std::vector<double> negatives;
  Placements result;
  std::map<int64_t, int64_t> numbers;
  for (int64_t track = 0; track < labels.n_tracks; ++track) {
    const auto i = static_cast<size_t>(track * labels.n_tags + tag);
    if (!is_known(labels, i)) continue;
    int64_t number = result.n_groups;
    if (!groups.empty() && groups[static_cast<size_t>(track)] >= 0) {
      number = numbers.emplace(groups[static_cast<size_t>(track)], number).first->second;
    }
    if (number == result.n_groups) ++result.n_groups;
    const bool positive = labels.values[i] != 0;
    (positive ? positives : negatives).push_back(scores.at(track, tag));
    (positive ? result.groups_of_positives : result.groups_of_negatives).push_back(number);
  }
  if (positives.empty() || negatives.empty()) {
    result.reason = std::string("no ") + (positives.empty() ? "positives" : "negatives") + " among the known labels";
    return result;
  }
  std::vector<double> sorted = negatives;
  std::sort(sorted.begin(), sorted.end());
  for (const double score : positives) result.positives.push_back(share_below(sorted, score));
  sorted = positives;
  std::sort(sorted.begin(), sorted.end());
  for (const double score : negatives) result.negatives.push_back(1.0 - share_below(sorted, score));
  return result;
}

Placements mean_of(const std::vector<Placements>& trainings) {
  if (trainings.empty()) throw std::logic_error("mean_of: no placements");
  Placements mean = trainings.front();
  const auto n = static_cast<double>(trainings.size());
  for (size_t t = 1; t < trainings.size(); ++t) {
    if (trainings[t].groups_of_positives != mean.groups_of_positives ||
        trainings[t].groups_of_negatives != mean.groups_of_negatives) {
      throw std::logic_error("mean_of: placements of different tracks");
    }
    for (size_t i = 0; i < mean.positives.size(); ++i) mean.positives[i] += trainings[t].positives[i];
    for (size_t i = 0; i < mean.negatives.size(); ++i) mean.negatives[i] += trainings[t].negatives[i];
  }
  for (double& value : mean.positives) value /= n;
  for (double& value : mean.negatives) value /= n;
  return mean;
}

DelongEstimate estimate_placements(const std::vector<Placements>& folds, double level) {
  check_level(level);
  if (folds.empty()) throw std::logic_error("estimate_placements: no folds");
  const auto n_folds = static_cast<double>(folds.size());
  DelongEstimate estimate;
  double roc_auc = 0.0;
  double variance = 0.0;
  double weighted_freedom = 0.0;  // sum of squared variances over their degrees of freedom
  for (const Placements& fold : folds) {
    if (!fold.reason.empty()) {
      estimate.roc_auc.reason = fold.reason;
      estimate.reason = fold.reason;
      return estimate;
    }
    const FoldValue of_fold = fold_value(fold);
    const double share = of_fold.variance / (n_folds * n_folds);
    roc_auc += of_fold.value / n_folds;
    variance += share;
    weighted_freedom += share * share * of_fold.inverse_freedom;
    if (estimate.reason.empty()) estimate.reason = of_fold.reason;
  }
  estimate.roc_auc.value = roc_auc;
  if (!estimate.reason.empty()) return estimate;
  if (variance <= kNoVariance || roc_auc <= 0.0 || roc_auc >= 1.0) {
    estimate.standard_error = 0.0;
    estimate.reason = "the estimated variance is 0";
    return estimate;
  }
  estimate.standard_error = std::sqrt(variance);
  const double logit = std::log(roc_auc / (1.0 - roc_auc));
  const double step = t_half_width(level, variance * variance / weighted_freedom) * *estimate.standard_error /
                      (roc_auc * (1.0 - roc_auc));
  estimate.interval = Interval{1.0 / (1.0 + std::exp(step - logit)), 1.0 / (1.0 + std::exp(-step - logit))};
  return estimate;
}

DelongComparison compare_placements(const std::vector<Placements>& folds_of_a,
                                    const std::vector<Placements>& folds_of_b, double level) {
  const double half_width = normal_half_width(level);
  if (folds_of_a.size() != folds_of_b.size() || folds_of_a.empty()) {
    throw std::logic_error("compare_placements: as many folds of a as of b are needed");
  }
  const auto n_folds = static_cast<double>(folds_of_a.size());
  DelongComparison comparison;
  double difference = 0.0;
  double variance = 0.0;
  for (size_t fold = 0; fold < folds_of_a.size(); ++fold) {
    const std::string& reason = folds_of_a[fold].reason;
    if (!reason.empty()) {
      comparison.difference.reason = reason;
      comparison.reason = reason;
      return comparison;
    }
    const FoldValue of_fold = fold_difference(folds_of_a[fold], folds_of_b[fold]);
    difference += of_fold.value / n_folds;
    variance += of_fold.variance / (n_folds * n_folds);
    if (comparison.reason.empty()) comparison.reason = of_fold.reason;
  }
  comparison.difference.value = difference;
  if (!comparison.reason.empty()) return comparison;
  if (variance > kNoVariance) {
    const double error = std::sqrt(variance);
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
  return comparison;
}

}  // namespace tagbench
