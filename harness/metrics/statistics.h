#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Intervals and tests on plain numbers. Bootstrap over tracks: bootstrap.h; DeLong: delong.h.
namespace tagbench {

struct Interval {
  double low = 0.0;
  double high = 0.0;
  bool contains(double value) const { return low <= value && value <= high; }
};

// Errors of all functions here: UsageError for a level outside (0, 1); DataError for values that are not finite.

// Mean and spread of a few repetitions (seeds, folds), with Student's t interval of the mean.
struct SampleSummary {
  int64_t n = 0;
  std::optional<double> mean;        // absent for n = 0
  std::optional<double> deviation;   // sample standard deviation, n - 1 below; absent for n < 2
  std::optional<Interval> interval;  // mean +- t(n - 1) deviation / sqrt(n); absent for n < 2
  std::string reason;                // why something is absent
};
SampleSummary summarize_sample(const std::vector<double>& values, double level = 0.95);

// The mean alone, of at least one value; whether they are finite is the caller's business.
double arithmetic_mean(const std::vector<double>& values);
// The squared standard error of the mean of independent repetitions; absent for fewer than two.
std::optional<double> squared_error_of_mean(const std::vector<double>& values);

// Adjusted p-values of a family of tests, in the order given; compare each with the level wanted for the family. Absent
// p-values (tests that could not be made) stay absent and do not count in the family's size.
// Errors: DataError for a p-value outside [0, 1].
//
// Holm (1979): controls the chance of any false positive, whatever the dependence between tests.
std::vector<std::optional<double>> holm_adjusted(const std::vector<std::optional<double>>& p_values);
// Benjamini and Hochberg (1995): controls the expected share of false positives among the positives.
std::vector<std::optional<double>> benjamini_hochberg_adjusted(const std::vector<std::optional<double>>& p_values);

// Two-sided p-value of a standard normal statistic.
double normal_p_value(double z);
// The z with probability `level` between -z and z.
double normal_half_width(double level);
// The same of Student's t.
double t_half_width(double level, double degrees_of_freedom);

// Quantile, q in [0, 1], of ascending values: linear between the order statistics at (n - 1) q (type 7 of Hyndman and
// Fan 1996, the default of numpy and R). `sorted` must not be empty.
double quantile_of_sorted(const std::vector<double>& sorted, double q);

// Throws UsageError unless 0 < level < 1.
void check_level(double level);

}  // namespace tagbench
