#include "harness/metrics/robustness.h"

#include <cmath>
#include <string>

#include "harness/core/errors.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

void check_finite(std::optional<double> value) {
  if (value && !std::isfinite(*value)) {
    throw DataError("robustness: expected finite values, found " + format_real(*value));
  }
}

void check_finite(const OptionalValues& values) {
  for (const std::optional<double>& value : values) check_finite(value);
}

void check_same_size(const char* who, size_t expected, size_t found) {
  if (expected != found) {
    throw DataError(std::string(who) + ": expected lists of one length, found " + std::to_string(expected) + " and " +
                    std::to_string(found));
  }
}

// The sum, or nothing and the reason.
MetricValue sum_of(const OptionalValues& values, const std::string& kind) {
  check_finite(values);
  double sum = 0.0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i]) return undefined_metric(kind + " " + std::to_string(i) + " (counted from 0) has no value");
    sum += *values[i];
  }
  if (values.empty()) return undefined_metric("no " + kind);
  return {sum, {}};
}

// Per ladder, the system's sum of (best - value) over the reference's, averaged.
MetricValue mean_error_ratio(const std::vector<SeverityLadder>& ladders, double system_best, double reference_best,
                             const std::string& reason_for_zero) {
  if (ladders.empty()) return undefined_metric("no perturbation");
  double total = 0.0;
  for (const SeverityLadder& ladder : ladders) {
    check_same_size("mean_corruption_error", ladder.system.size(), ladder.reference.size());
    MetricValue system = sum_of(ladder.system, "severity");
    MetricValue reference = sum_of(ladder.reference, "severity of the reference");
    if (!system.value) return system;
    if (!reference.value) return reference;
    const auto n = static_cast<double>(ladder.system.size());
    const double reference_error = n * reference_best - *reference.value;
    if (!(reference_error > 0.0)) return undefined_metric(reason_for_zero);
    total += (n * system_best - *system.value) / reference_error;
  }
  return {total / static_cast<double>(ladders.size()), {}};
}

}  // namespace

OptionalValues drops(std::optional<double> clean, const OptionalValues& perturbed) {
  check_finite(clean);
  check_finite(perturbed);
  OptionalValues result;
  for (const std::optional<double>& value : perturbed) {
    result.push_back(clean && value ? std::optional<double>(*clean - *value) : std::nullopt);
  }
  return result;
}

MetricValue mean_over_conditions(const OptionalValues& perturbed) {
  const MetricValue sum = sum_of(perturbed, "condition");
  return sum.value ? MetricValue{*sum.value / static_cast<double>(perturbed.size()), {}} : sum;
}

MetricValue mean_drop(std::optional<double> clean, const OptionalValues& perturbed) {
  check_finite(clean);
  const MetricValue mean = mean_over_conditions(perturbed);
  if (!clean) return undefined_metric("the clean condition has no value");
  return mean.value ? MetricValue{*clean - *mean.value, {}} : mean;
}

MetricValue relative_robustness(std::optional<double> clean, const OptionalValues& perturbed, double chance) {
  check_finite(clean);
  check_finite(std::optional<double>(chance));
  MetricValue mean = mean_over_conditions(perturbed);
  if (!clean) return undefined_metric("the clean condition has no value");
  if (!mean.value) return mean;
  if (*clean <= chance) return undefined_metric("the clean value is not above chance");
  return {(*mean.value - chance) / (*clean - chance), {}};
}

MetricValue mean_corruption_error(const std::vector<SeverityLadder>& ladders) {
  return mean_error_ratio(ladders, 1.0, 1.0, "the reference makes no error");
}

MetricValue relative_mean_corruption_error(const std::vector<SeverityLadder>& ladders,
                                           std::optional<double> clean_system, std::optional<double> clean_reference) {
  check_finite(clean_system);
  check_finite(clean_reference);
  if (!clean_system || !clean_reference) return undefined_metric("the clean condition has no value");
  return mean_error_ratio(ladders, *clean_system, *clean_reference, "the reference loses nothing");
}

MetricValue area_under_severity(const std::vector<double>& severities, const OptionalValues& values) {
  check_same_size("area_under_severity", severities.size(), values.size());
  for (size_t i = 0; i < severities.size(); ++i) {
    check_finite(std::optional<double>(severities[i]));
    if (i > 0 && severities[i] <= severities[i - 1]) {
      throw DataError("area_under_severity: expected ascending severities, found " + format_real(severities[i]) +
                      " after " + format_real(severities[i - 1]));
    }
  }
  MetricValue sum = sum_of(values, "severity");
  if (!sum.value) return sum;
  if (values.size() < 2) return undefined_metric("one severity makes no curve");
  double area = 0.0;
  for (size_t i = 1; i < values.size(); ++i) {
    area += 0.5 * (*values[i] + *values[i - 1]) * (severities[i] - severities[i - 1]);
  }
  return {area / (severities.back() - severities.front()), {}};
}

OptionalValues ranks(const OptionalValues& values) {
  check_finite(values);
  OptionalValues result(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i]) continue;
    double rank = 0.5;
    for (const std::optional<double>& other : values) {
      if (!other) continue;
      if (*other > *values[i]) rank += 1.0;
      if (*other == *values[i]) rank += 0.5;  // itself included
    }
    result[i] = rank;
  }
  return result;
}

OptionalValues rank_changes(const OptionalValues& clean, const OptionalValues& perturbed) {
  check_same_size("rank_changes", clean.size(), perturbed.size());
  OptionalValues ranked_clean(clean.size());
  OptionalValues ranked_perturbed(clean.size());
  for (size_t i = 0; i < clean.size(); ++i) {
    if (!clean[i] || !perturbed[i]) continue;
    ranked_clean[i] = clean[i];
    ranked_perturbed[i] = perturbed[i];
  }
  const OptionalValues before = ranks(ranked_clean);
  const OptionalValues after = ranks(ranked_perturbed);
  OptionalValues changes(clean.size());
  for (size_t i = 0; i < clean.size(); ++i) {
    if (before[i] && after[i]) changes[i] = *before[i] - *after[i];
  }
  return changes;
}

}  // namespace tagbench
