#include "harness/metrics/statistics.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "harness/core/errors.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::tagbench::testing::message_of;

// Reference values of this file: scipy 1.10.1, printed with repr(); 1e-12 leaves room for its own rounding.
constexpr double kTolerance = 1e-12;

TEST(StatisticsTest, SummaryEqualsScipysTInterval) {
  // numpy.std(ddof=1); scipy.stats.t.interval(0.95, 4, loc=mean, scale=sem)
  const SampleSummary summary = summarize_sample({0.91, 0.93, 0.905, 0.92, 0.935});
  EXPECT_EQ(summary.n, 5);
  EXPECT_NEAR(*summary.mean, 0.92, kTolerance);
  EXPECT_NEAR(*summary.deviation, 0.012747548783981974, kTolerance);
  EXPECT_NEAR(summary.interval->low, 0.9041718276095834, kTolerance);
  EXPECT_NEAR(summary.interval->high, 0.9358281723904165, kTolerance);
  EXPECT_EQ(summary.reason, "");
}

TEST(StatisticsTest, SummaryOfTooFewValuesSaysWhy) {
  EXPECT_FALSE(summarize_sample({}).mean.has_value());
  EXPECT_EQ(summarize_sample({}).reason, "no values");
  const SampleSummary one = summarize_sample({0.5});
  EXPECT_EQ(*one.mean, 0.5);
  EXPECT_FALSE(one.deviation.has_value());
  EXPECT_FALSE(one.interval.has_value());
  EXPECT_EQ(one.reason, "one value has no deviation");
}

TEST(StatisticsTest, HolmMatchesHandComputation) {
  // Ascending: 0.005 x 5, 0.01 x 4, 0.03 x 3, 0.04 x 2 (raised to 0.09), 0.5 x 1.
  const auto adjusted = holm_adjusted({0.01, 0.04, 0.03, 0.005, 0.5});
  const double expected[] = {0.04, 0.09, 0.09, 0.025, 0.5};
  for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(*adjusted[i], expected[i], kTolerance);
}

TEST(StatisticsTest, BenjaminiHochbergMatchesHandComputation) {
  // Ascending: 0.005 x 5/1, 0.01 x 5/2, 0.03 x 5/3, 0.04 x 5/4, 0.5 x 5/5; lowered to the smallest from the right.
  const auto adjusted = benjamini_hochberg_adjusted({0.01, 0.04, 0.03, 0.005, 0.5});
  const double expected[] = {0.025, 0.05, 0.05, 0.025, 0.5};
  for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(*adjusted[i], expected[i], kTolerance);
}

TEST(StatisticsTest, CorrectionsSkipAbsentTestsAndStopAtOne) {
  const auto holm = holm_adjusted({std::nullopt, 0.02, 0.9, 0.8});
  EXPECT_FALSE(holm[0].has_value());
  EXPECT_NEAR(*holm[1], 0.06, kTolerance);
  EXPECT_EQ(*holm[2], 1.0);
  EXPECT_EQ(*holm[3], 1.0);
  const auto hochberg = benjamini_hochberg_adjusted({0.02, std::nullopt});
  EXPECT_EQ(*hochberg[0], 0.02);
  EXPECT_FALSE(hochberg[1].has_value());
  EXPECT_TRUE(holm_adjusted({}).empty());
}

TEST(StatisticsTest, NormalAndTEqualScipys) {
  EXPECT_NEAR(normal_p_value(1.5), 0.13361440253771614, kTolerance);
  EXPECT_EQ(normal_p_value(-1.5), normal_p_value(1.5));
  EXPECT_NEAR(normal_half_width(0.95), 1.959963984540054, kTolerance);
  // Through scipy.special.betaincinv(7.5 / 2, 1 / 2, 0.05); scipy.stats.t.ppf itself is only good to 3e-10 here.
  EXPECT_NEAR(t_half_width(0.95, 7.5), 2.333039626864975, kTolerance);
}

TEST(StatisticsTest, QuantilesEqualNumpys) {
  const std::vector<double> sorted = {1.0, 2.0, 4.0, 8.0};
  const double expected[][2] = {{0.0, 1.0}, {0.1, 1.3}, {0.5, 3.0}, {0.9, 6.8}, {1.0, 8.0}};
  for (const auto& [q, value] : expected) EXPECT_NEAR(quantile_of_sorted(sorted, q), value, kTolerance);
  EXPECT_EQ(quantile_of_sorted({3.0}, 0.7), 3.0);
}

TEST(StatisticsTest, RejectsImpossibleInput) {
  EXPECT_EQ(message_of([] {
              summarize_sample({0.5, std::numeric_limits<double>::infinity()});
            }),
            "statistics: expected finite values, found inf (value 1, counted from 0)");
  EXPECT_EQ(message_of([] {
              holm_adjusted({0.5, 1.5});
            }),
            "statistics: expected p-values in [0, 1], found 1.5 (test 1, counted from 0)");
  EXPECT_THROW(benjamini_hochberg_adjusted({std::nan("")}), DataError);
  EXPECT_EQ(message_of([] { normal_half_width(95.0); }),
            "statistics: expected a level between 0 and 1 (0.95 for 95 %), found 95");
  EXPECT_THROW(summarize_sample({0.5}, std::nan("")), UsageError);
}

}  // namespace
}  // namespace tagbench
