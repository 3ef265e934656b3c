#pragma once

#include <optional>
#include <vector>

#include "harness/metrics/metrics.h"

// Figures that say how much of a metric a system keeps under perturbation. All take values of one metric for which
// higher is better and 1 is perfect (ROC-AUC, average precision, accuracy), on the same tracks. For intervals, apply
// them to paired replicates: combine() in bootstrap.h.
//
// A condition without a value makes every figure over conditions undefined: a mean over fewer conditions is another
// figure. Errors of all functions: DataError for values that are not finite.
namespace tagbench {

using OptionalValues = std::vector<std::optional<double>>;

// clean - perturbed, per condition.
OptionalValues drops(std::optional<double> clean, const OptionalValues& perturbed);

// Mean over the perturbed conditions, clean not among them.
MetricValue mean_over_conditions(const OptionalValues& perturbed);

// clean - mean over the perturbed conditions.
MetricValue mean_drop(std::optional<double> clean, const OptionalValues& perturbed);

// (mean over conditions - chance) / (clean - chance): the share of what the system knows beyond chance that survives.
// 1: no loss; 0: at chance; above 1: better when perturbed. Chance is 0.5 for ROC-AUC, the tag's share of positives for
// average precision, 1 / classes for balanced accuracy. Undefined unless clean is above chance.
MetricValue relative_robustness(std::optional<double> clean, const OptionalValues& perturbed, double chance);

// A perturbation at its severities, mildest first.
struct SeverityLadder {
  OptionalValues system;
  OptionalValues reference;  // the reference architecture's, as many
};

// Mean corruption error. Per perturbation, the sum over severities of the system's error (1 - value) divided by the
// reference's sum; then the mean over perturbations. 1: as good as the reference; below: better. Undefined where the
// reference makes no error.
// Source: Hendrycks and Dietterich (2019), "Benchmarking neural network robustness to common corruptions and
// perturbations", section 4. Differs: a ratio, not per cent; any metric with 1 as its best value.
MetricValue mean_corruption_error(const std::vector<SeverityLadder>& ladders);

// The same of the errors beyond the clean error: how much each loses, compared with what the reference loses. Undefined
// where the reference loses nothing.
MetricValue relative_mean_corruption_error(const std::vector<SeverityLadder>& ladders,
                                           std::optional<double> clean_system, std::optional<double> clean_reference);

// Area under the metric as a function of severity by the trapezoid rule, divided by the range of severities: the mean
// height of the curve, in the metric's unit. `severities` ascend strictly and start with the clean value's, usually 0,
// 1, 2, ... Errors: DataError for severities that do not ascend, or another number of them than of values; undefined
// for fewer than two.
MetricValue area_under_severity(const std::vector<double>& severities, const OptionalValues& values);

// Ranks of systems, 1 for the highest value; equal values share the mean of their ranks. Absent values have no rank.
OptionalValues ranks(const OptionalValues& values);

// Rank on clean minus rank under the condition, per system: positive for a system that climbs. Only systems with both
// values are ranked.
OptionalValues rank_changes(const OptionalValues& clean, const OptionalValues& perturbed);

}  // namespace tagbench
