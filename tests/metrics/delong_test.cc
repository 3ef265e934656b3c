#include "harness/metrics/delong.h"

#include <gmock/gmock.h>

#include <cmath>

#include "harness/core/errors.h"
#include "tests/metrics/fixtures.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::tagbench::testing::binormal;
using ::tagbench::testing::normal_share;
using ::tagbench::testing::one_tag;
using ::tagbench::testing::TaggingData;

// The midrank form of Sun and Xu with numpy 1.24.2 and scipy 1.10.1 (rankdata, cov, norm.ppf, t quantile by
// betaincinv); their rounding remains.
constexpr double kDelongTolerance = 1e-12;
std::vector<uint8_t> labels_of_twelve() {
  return {1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0};
}

std::vector<double> scores_of_a() {
  return {0.9, 0.8, 0.7, 0.55, 0.3, 0.6, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1};
}

std::vector<double> scores_of_b() {
  return {0.7, 0.9, 0.4, 0.35, 0.5, 0.6, 0.5, 0.45, 0.2, 0.3, 0.25, 0.1};
}

DelongComparison comparison_of(const TaggingData& a, const TaggingData& b, int64_t tag = 0) {
  return compare_placements({placements(a.label_matrix(), a.score_matrix(), tag)},
                            {placements(b.label_matrix(), b.score_matrix(), tag)});
}

TEST(DelongTest, MatchesHandComputation) {
  // Positives 3, 1; negatives 2, 0. Placements of positives 1, 1/2 and of negatives 1/2, 1: variances 1/8 each, over 2
  // each.
  const TaggingData data = one_tag({1, 1, 0, 0}, {3.0, 1.0, 2.0, 0.0});
  const DelongEstimate estimate = delong_per_tag(data.label_matrix(), data.score_matrix())[0];
  EXPECT_DOUBLE_EQ(*estimate.roc_auc.value, 0.75);
  EXPECT_DOUBLE_EQ(*estimate.standard_error, std::sqrt(0.125 / 2.0 + 0.125 / 2.0));
}

TEST(DelongTest, EqualsTheMidrankForm) {
  const TaggingData data = one_tag(labels_of_twelve(), scores_of_a());
  const DelongEstimate estimate = delong_per_tag(data.label_matrix(), data.score_matrix())[0];
  EXPECT_NEAR(*estimate.standard_error, 0.11218303799418806, kDelongTolerance);
  EXPECT_NEAR(estimate.interval->low, 0.382788429508748, kDelongTolerance);
  EXPECT_NEAR(estimate.interval->high, 0.9866793284053977, kDelongTolerance);
}

TEST(DelongTest, PairedComparisonEqualsTheMidrankForm) {
  const TaggingData a = one_tag(labels_of_twelve(), scores_of_a());
  const TaggingData b = one_tag(labels_of_twelve(), scores_of_b());
  const DelongComparison found = comparison_of(a, b);
  EXPECT_NEAR(*found.difference.value, 0.08571428571428596, kDelongTolerance);
  EXPECT_NEAR(*found.standard_error, 0.13627702877384937, kDelongTolerance);
  EXPECT_NEAR(*found.z, 0.6289709020331529, kDelongTolerance);
  EXPECT_NEAR(*found.p_value, 0.5293681061847966, kDelongTolerance);
  EXPECT_NEAR(found.interval->low, -0.18138378260258742, kDelongTolerance);
  EXPECT_NEAR(found.interval->high, 0.35281235403115935, kDelongTolerance);
}

TEST(DelongTest, EqualRankingsDoNotDiffer) {
  const TaggingData a = one_tag(labels_of_twelve(), scores_of_a());
  TaggingData b = a;
  for (double& score : b.scores) score = 100.0 * score - 7.0;
  const DelongComparison found = comparison_of(a, b);
  EXPECT_EQ(*found.difference.value, 0.0);
  EXPECT_EQ(*found.p_value, 1.0);
  EXPECT_TRUE(found.interval->contains(0.0));
}

TEST(DelongTest, UndefinedCasesSayWhy) {
  const auto estimate = [](std::vector<uint8_t> labels, std::vector<double> scores) {
    const TaggingData data = one_tag(std::move(labels), std::move(scores));
    return delong_per_tag(data.label_matrix(), data.score_matrix())[0];
  };
  EXPECT_EQ(estimate({0, 0}, {0.1, 0.2}).reason, "no positives among the known labels");
  EXPECT_EQ(estimate({1, 0, 0}, {0.1, 0.2, 0.3}).reason, "fewer than two positives");
  EXPECT_EQ(estimate({1, 1, 0}, {0.1, 0.2, 0.3}).reason, "fewer than two negatives");
  const DelongEstimate perfect = estimate({1, 1, 0, 0}, {4.0, 3.0, 2.0, 1.0});
  EXPECT_EQ(*perfect.roc_auc.value, 1.0);
  EXPECT_FALSE(perfect.interval.has_value());
  EXPECT_EQ(perfect.reason, "the estimated variance is 0");
}

TEST(DelongTest, PerfectAgainstReversedRankingHasNoTest) {
  const TaggingData a = one_tag({1, 1, 0, 0}, {4.0, 3.0, 2.0, 1.0});
  const TaggingData b = one_tag({1, 1, 0, 0}, {1.0, 2.0, 3.0, 4.0});
  const DelongComparison found = comparison_of(a, b);
  EXPECT_EQ(*found.difference.value, 1.0);
  EXPECT_FALSE(found.p_value.has_value());
  EXPECT_EQ(found.reason, "the estimated variance is 0");
}

TEST(DelongTest, OnlyKnownLabelsCount) {
  TaggingData data = one_tag(labels_of_twelve(), scores_of_a());
  data.labels.push_back(1);
  data.scores.push_back(0.0);
  data.n_tracks += 1;
  data.known.assign(13, 1);
  data.known[12] = 0;
  EXPECT_NEAR(*delong_per_tag(data.label_matrix(), data.score_matrix())[0].standard_error, 0.11218303799418806,
              kDelongTolerance);
}

TEST(DelongTest, EstimatesOfGroupsAndFoldsFollowFromThoseOfTracks) {
  const TaggingData a = one_tag(labels_of_twelve(), scores_of_a());
  const DelongEstimate alone = delong_per_tag(a.label_matrix(), a.score_matrix())[0];
  const DelongEstimate groups_of_one =
      delong_per_tag(a.label_matrix(), a.score_matrix(), {7, 3, 9, 1, 2, 5, 4, 0, 8, 6, 11, 10})[0];
  EXPECT_EQ(groups_of_one.interval->low, alone.interval->low);
  EXPECT_EQ(groups_of_one.interval->high, alone.interval->high);
  // Copies in one group hold no more than one of them.
  TaggingData a3{36, 1, {}, {}, {}};
  std::vector<int64_t> groups;
  for (size_t i = 0; i < 36; ++i) {
    a3.labels.push_back(a.labels[i / 3]);
    a3.scores.push_back(a.scores[i / 3]);
    groups.push_back(static_cast<int64_t>(i / 3));
  }
  const DelongEstimate copies = delong_per_tag(a3.label_matrix(), a3.score_matrix(), groups)[0];
  EXPECT_NEAR(copies.interval->low, alone.interval->low, kDelongTolerance);
  EXPECT_NEAR(copies.interval->high, alone.interval->high, kDelongTolerance);
  // Four folds of equal variance halve the error.
  const Placements placed = placements(a.label_matrix(), a.score_matrix(), 0);
  const DelongEstimate folds = estimate_placements({placed, placed, placed, placed});
  EXPECT_NEAR(*folds.roc_auc.value, *alone.roc_auc.value, kDelongTolerance);
  EXPECT_NEAR(*folds.standard_error, *alone.standard_error / 2.0, kDelongTolerance);
  EXPECT_THROW(estimate_placements({}), std::logic_error);
}

TEST(DelongTest, GroupsOfOneChangeNothingAndCopiesDoNotCountTwice) {
  const TaggingData a = one_tag(labels_of_twelve(), scores_of_a());
  const TaggingData b = one_tag(labels_of_twelve(), scores_of_b());
  const auto compare = [](const TaggingData& first, const TaggingData& second, const std::vector<int64_t>& groups) {
    return compare_placements({placements(first.label_matrix(), first.score_matrix(), 0, groups)},
                              {placements(second.label_matrix(), second.score_matrix(), 0, groups)});
  };
  const double alone = *compare(a, b, {}).standard_error;
  EXPECT_EQ(*compare(a, b, {7, 3, 9, 1, 2, 5, 4, 0, 8, 6, 11, 10}).standard_error, alone);
  // Every track three times over holds no more than once, if the copies are one group.
  TaggingData a3{36, 1, {}, {}, {}};
  TaggingData b3{36, 1, {}, {}, {}};
  std::vector<int64_t> groups;
  for (size_t i = 0; i < 36; ++i) {
    a3.labels.push_back(a.labels[i / 3]);
    a3.scores.push_back(a.scores[i / 3]);
    b3.scores.push_back(b.scores[i / 3]);
    groups.push_back(static_cast<int64_t>(i / 3));
  }
  b3.labels = a3.labels;
  EXPECT_NEAR(*compare(a3, b3, groups).standard_error, alone, kDelongTolerance);
  EXPECT_LT(*compare(a3, b3, {}).standard_error, 0.7 * alone);
}

// Obuchowski's formulas by hand. Differences of placements: 1/2, 0 of the positives and 1/2, 0 of the negatives, beyond
// their mean by +-1/4. Two groups of one positive and one negative each: the classes give 2 (2/16) / 4 = 1/16 each and
// the products twice 2 (+-2/16) / 4 = +-1/8, so the variance is 1/4 or 0.
TEST(DelongTest, GroupedVarianceMatchesHandComputation) {
  const TaggingData a = one_tag({1, 0, 1, 0}, {3.0, 2.0, 1.0, 0.0});
  const TaggingData b = one_tag({1, 0, 1, 0}, {1.5, 2.0, 1.0, 0.0});
  const auto compare = [&](const std::vector<int64_t>& groups) {
    return compare_placements({placements(a.label_matrix(), a.score_matrix(), 0, groups)},
                              {placements(b.label_matrix(), b.score_matrix(), 0, groups)});
  };
  EXPECT_DOUBLE_EQ(*compare({}).difference.value, 0.25);
  EXPECT_DOUBLE_EQ(*compare({}).standard_error, std::sqrt(1.0 / 8.0));
  EXPECT_DOUBLE_EQ(*compare({0, 0, 1, 1}).standard_error, 0.5);
  EXPECT_EQ(compare({0, 1, 1, 0}).reason, "the estimated variance is 0");
  EXPECT_EQ(compare({0, 0, 0, 1}).reason, "the positives are of one group");
}

TEST(DelongTest, TrainingsAreAveragedAndFoldsAreIndependent) {
  const TaggingData a = one_tag(labels_of_twelve(), scores_of_a());
  const TaggingData b = one_tag(labels_of_twelve(), scores_of_b());
  const Placements of_a = placements(a.label_matrix(), a.score_matrix(), 0);
  const Placements of_b = placements(b.label_matrix(), b.score_matrix(), 0);
  const DelongComparison once = compare_placements({of_a}, {of_b});
  EXPECT_NEAR(*compare_placements({mean_of({of_a, of_b})}, {of_b}).difference.value, *once.difference.value / 2.0,
              kDelongTolerance);
  const DelongComparison twice = compare_placements({of_a, of_a}, {of_b, of_b});
  EXPECT_NEAR(*twice.difference.value, *once.difference.value, kDelongTolerance);
  EXPECT_NEAR(*twice.standard_error, *once.standard_error / std::sqrt(2.0), kDelongTolerance);
  EXPECT_THROW(compare_placements({of_a}, {}), std::logic_error);
  const TaggingData other = one_tag({1, 0, 1, 0}, {3.0, 2.0, 1.0, 0.0});
  EXPECT_THROW(compare_placements({of_a}, {placements(other.label_matrix(), other.score_matrix(), 0)}),
               std::logic_error);
}

// Tracks of a group share their label and half of the variance of each system's score.
TEST(DelongTest, GroupedTestRejectsFivePerCentOfTheTimeAndTheUngroupedMore) {
  constexpr int64_t kGroups = 80;
  constexpr int64_t kPerGroup = 5;
  constexpr int kTags = 2000;
  int n_rejected = 0;
  int n_rejected_without = 0;
  std::vector<int64_t> groups;
  for (int64_t track = 0; track < kGroups * kPerGroup; ++track) groups.push_back(track / kPerGroup);
  Rng rng(5, {"delong_test", "grouped"});
  for (int tag = 0; tag < kTags; ++tag) {
    TaggingData a{kGroups * kPerGroup, 1, {}, {}, {}};
    TaggingData b = a;
    for (int64_t group = 0; group < kGroups; ++group) {
      const bool positive = rng.uniform() < 0.3;
      const double of_a = rng.normal() + (positive ? 1.5 : 0.0);
      const double of_b = rng.normal() + (positive ? 1.5 : 0.0);
      for (int64_t track = 0; track < kPerGroup; ++track) {
        a.labels.push_back(positive ? 1 : 0);
        a.scores.push_back(of_a + rng.normal());
        b.scores.push_back(of_b + rng.normal());
      }
    }
    b.labels = a.labels;
    const auto p_value = [&](const std::vector<int64_t>& given) {
      return *compare_placements({placements(a.label_matrix(), a.score_matrix(), 0, given)},
                                 {placements(b.label_matrix(), b.score_matrix(), 0, given)})
                  .p_value;
    };
    if (p_value(groups) < 0.05) ++n_rejected;
    if (p_value({}) < 0.05) ++n_rejected_without;
  }
  // 2,000 tests: the share rejected has a standard error of 0.5 %; the normal approximation rejects somewhat too often
  // with 24 groups of positives.
  EXPECT_GT(n_rejected, 0.03 * kTags);
  EXPECT_LT(n_rejected, 0.075 * kTags);
  EXPECT_GT(n_rejected_without, 0.15 * kTags);
}

TEST(DelongTest, RejectsBadLevelsAndScores) {
  TaggingData data = one_tag(labels_of_twelve(), scores_of_a());
  EXPECT_THROW(delong_per_tag(data.label_matrix(), data.score_matrix(), {}, 1.0), UsageError);
  data.scores[0] = std::nan("");
  EXPECT_THROW(delong_per_tag(data.label_matrix(), data.score_matrix()), DataError);
}

// 4,000 intervals: the share covered has a standard error of 0.35 %.
TEST(DelongTest, IntervalsCoverThePopulationValueNinetyFivePerCentOfTheTime) {
  int n_covered = 0;
  constexpr int64_t kTags = 4000;
  const TaggingData data = binormal(200, kTags, 0.2, 1.5, 1);
  for (const DelongEstimate& estimate : delong_per_tag(data.label_matrix(), data.score_matrix())) {
    if (estimate.interval->contains(normal_share(1.5 / std::sqrt(2.0)))) ++n_covered;
  }
  EXPECT_GT(n_covered, 0.93 * kTags);
  EXPECT_LT(n_covered, 0.97 * kTags);
}

TEST(DelongTest, TestOfEquallyGoodSystemsRejectsFivePerCentOfTheTime) {
  int n_rejected = 0;
  constexpr int64_t kTags = 4000;
  const TaggingData a = binormal(200, kTags, 0.2, 1.5, 2);
  TaggingData b = a;
  Rng rng(3, {"delong_test"});
  // Part of the noise is shared, so the systems are correlated.
  for (size_t i = 0; i < b.scores.size(); ++i) {
    const double mean = b.labels[i] != 0 ? 1.5 : 0.0;
    b.scores[i] = mean + 0.8 * (a.scores[i] - mean) + 0.6 * rng.normal();
  }
  for (int64_t tag = 0; tag < kTags; ++tag) {
    const DelongComparison each = comparison_of(a, b, tag);
    if (*each.p_value < 0.05) ++n_rejected;
  }
  EXPECT_GT(n_rejected, 0.03 * kTags);
  EXPECT_LT(n_rejected, 0.07 * kTags);
}

}  // namespace
}  // namespace tagbench
