#include "harness/metrics/statistics.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "harness/core/errors.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

// Positions of the tests that were made, by ascending p-value.
std::vector<size_t> order_by_p_value(const std::vector<std::optional<double>>& p_values) {
  std::vector<size_t> order;
  for (size_t i = 0; i < p_values.size(); ++i) {
    if (!p_values[i]) continue;
    if (!(*p_values[i] >= 0.0 && *p_values[i] <= 1.0)) {
      throw DataError("statistics: expected p-values in [0, 1], found " + format_real(*p_values[i]) + " (test " +
                      std::to_string(i) + ", counted from 0)");
    }
    order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return *p_values[a] < *p_values[b]; });
  return order;
}

}  // namespace

void check_level(double level) {
  if (!(level > 0.0 && level < 1.0)) {
    throw UsageError("statistics: expected a level between 0 and 1 (0.95 for 95 %), found " + format_real(level));
  }
}

double normal_p_value(double z) {
  return std::erfc(std::abs(z) / std::sqrt(2.0));
}

double normal_half_width(double level) {
  check_level(level);
  return boost::math::quantile(boost::math::normal(), 0.5 + level / 2.0);
}

double t_half_width(double level, double degrees_of_freedom) {
  check_level(level);
  return boost::math::quantile(boost::math::students_t(degrees_of_freedom), 0.5 + level / 2.0);
}

double quantile_of_sorted(const std::vector<double>& sorted, double q) {
  if (sorted.empty() || !(q >= 0.0 && q <= 1.0))
    throw std::logic_error("quantile_of_sorted: no values, or q outside [0, 1]");
  const double position = static_cast<double>(sorted.size() - 1) * q;
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  const double fraction = position - static_cast<double>(below);
  return sorted[below] + fraction * (sorted[above] - sorted[below]);
}

double arithmetic_mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::optional<double> squared_error_of_mean(const std::vector<double>& values) {
  const std::optional<double> deviation = summarize_sample(values).deviation;
  if (!deviation) return std::nullopt;
  return *deviation * *deviation / static_cast<double>(values.size());
}

SampleSummary summarize_sample(const std::vector<double>& values, double level) {
  check_level(level);
  SampleSummary summary;
  summary.n = static_cast<int64_t>(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      throw DataError("statistics: expected finite values, found " + format_real(values[i]) + " (value " +
                      std::to_string(i) + ", counted from 0)");
    }
  }
  if (values.empty()) {
    summary.reason = "no values";
    return summary;
  }
  const auto n = static_cast<double>(values.size());
  const double mean = arithmetic_mean(values);
  summary.mean = mean;
  if (values.size() < 2) {
    summary.reason = "one value has no deviation";
    return summary;
  }
  double squares = 0.0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / (n - 1.0));
  summary.deviation = deviation;
  const double half_width = t_half_width(level, n - 1.0) * deviation / std::sqrt(n);
  summary.interval = Interval{mean - half_width, mean + half_width};
  return summary;
}

std::vector<std::optional<double>> holm_adjusted(const std::vector<std::optional<double>>& p_values) {
  const std::vector<size_t> order = order_by_p_value(p_values);
  std::vector<std::optional<double>> adjusted(p_values.size());
  double largest = 0.0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    const auto remaining = static_cast<double>(order.size() - rank);
    largest = std::max(largest, std::min(1.0, remaining * *p_values[order[rank]]));
    adjusted[order[rank]] = largest;
  }
  return adjusted;
}

std::vector<std::optional<double>> benjamini_hochberg_adjusted(const std::vector<std::optional<double>>& p_values) {
  const std::vector<size_t> order = order_by_p_value(p_values);
  std::vector<std::optional<double>> adjusted(p_values.size());
  const auto n = static_cast<double>(order.size());
  double smallest = 1.0;
  for (size_t rank = order.size(); rank-- > 0;) {
    smallest = std::min(smallest, n / static_cast<double>(rank + 1) * *p_values[order[rank]]);
    adjusted[order[rank]] = smallest;
  }
  return adjusted;
}

}  // namespace tagbench
