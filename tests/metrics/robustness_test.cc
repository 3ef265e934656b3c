#include "harness/metrics/robustness.h"

#include <gmock/gmock.h>

#include <limits>

#include "harness/core/errors.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::tagbench::testing::message_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;

TEST(RobustnessTest, DropsAndMeansMatchHandComputation) {
  const OptionalValues perturbed = {0.75, 0.5, 1.0};
  EXPECT_THAT(drops(0.875, perturbed), ElementsAre(0.125, 0.375, -0.125));
  EXPECT_DOUBLE_EQ(*mean_over_conditions(perturbed).value, 0.75);
  EXPECT_DOUBLE_EQ(*mean_drop(0.875, perturbed).value, 0.125);
}

TEST(RobustnessTest, RelativeRobustnessCountsFromChance) {
  // Beyond chance: 0.4 clean; 0.3 and 0.1 perturbed, 0.2 on average.
  EXPECT_DOUBLE_EQ(*relative_robustness(0.9, {0.8, 0.6}, 0.5).value, 0.5);
  EXPECT_DOUBLE_EQ(*relative_robustness(0.8, {0.8}, 0.5).value, 1.0);
  EXPECT_EQ(relative_robustness(0.5, {0.8}, 0.5).reason, "the clean value is not above chance");
}

TEST(RobustnessTest, MeanCorruptionErrorMatchesHandComputation) {
  // First ladder: errors 0.25 + 0.5 against 0.5 + 1: 0.5. Second: 0.5 against 0.25: 2. Mean 1.25.
  const std::vector<SeverityLadder> ladders = {{{0.75, 0.5}, {0.5, 0.0}}, {{0.5}, {0.75}}};
  EXPECT_DOUBLE_EQ(*mean_corruption_error(ladders).value, 1.25);
  // Beyond clean (0.875 and 1): 0.125 + 0.375 against 0.5 + 1: 1/3. Second: 0.375 against 0.25: 1.5.
  EXPECT_DOUBLE_EQ(*relative_mean_corruption_error(ladders, 0.875, 1.0).value, (1.0 / 3.0 + 1.5) / 2.0);
}

TEST(RobustnessTest, ReferenceHasMeanCorruptionErrorOne) {
  const OptionalValues values = {0.9, 0.7, 0.6};
  EXPECT_DOUBLE_EQ(*mean_corruption_error({{values, values}}).value, 1.0);
  EXPECT_DOUBLE_EQ(*relative_mean_corruption_error({{values, values}}, 0.95, 0.95).value, 1.0);
}

TEST(RobustnessTest, MeanCorruptionErrorNeedsAReferenceThatErrs) {
  EXPECT_EQ(mean_corruption_error({{{0.5}, {1.0}}}).reason, "the reference makes no error");
  EXPECT_EQ(relative_mean_corruption_error({{{0.5}, {0.9}}}, 0.9, 0.9).reason, "the reference loses nothing");
  EXPECT_EQ(mean_corruption_error({}).reason, "no perturbation");
  EXPECT_EQ(mean_corruption_error({{{}, {}}}).reason, "no severity");
  EXPECT_EQ(mean_corruption_error({{{0.5}, {std::nullopt}}}).reason,
            "severity of the reference 0 (counted from 0) has no value");
}

TEST(RobustnessTest, AreaUnderSeverityIsTheMeanHeight) {
  EXPECT_DOUBLE_EQ(*area_under_severity({0.0, 1.0, 2.0}, {0.75, 0.75, 0.75}).value, 0.75);
  // Trapezoids 0.75 x 1 and 0.25 x 2 over 3.
  EXPECT_DOUBLE_EQ(*area_under_severity({0.0, 1.0, 3.0}, {1.0, 0.5, 0.0}).value, (0.75 + 0.5) / 3.0);
  EXPECT_EQ(area_under_severity({0.0}, {1.0}).reason, "one severity makes no curve");
}

TEST(RobustnessTest, EqualValuesShareTheirRank) {
  EXPECT_THAT(ranks({0.5, 0.9, 0.5, 0.1}), ElementsAre(2.5, 1.0, 2.5, 4.0));
  EXPECT_THAT(ranks({std::nullopt, 0.9, 0.5}), ElementsAre(std::nullopt, Optional(1.0), Optional(2.0)));
}

TEST(RobustnessTest, RankChangeIsPositiveForASystemThatClimbs) {
  EXPECT_THAT(rank_changes({0.9, 0.8, 0.7}, {0.5, 0.7, 0.6}), ElementsAre(-2.0, 1.0, 1.0));
  // The third system has no value under the condition, so the fourth is third of three on clean already.
  EXPECT_THAT(rank_changes({0.9, 0.8, 0.7, 0.6}, {0.5, 0.4, std::nullopt, 0.6}),
              ElementsAre(Optional(-1.0), Optional(-1.0), std::nullopt, Optional(2.0)));
}

TEST(RobustnessTest, MissingConditionMakesFiguresUndefined) {
  const OptionalValues perturbed = {0.5, std::nullopt};
  EXPECT_EQ(mean_over_conditions(perturbed).reason, "condition 1 (counted from 0) has no value");
  EXPECT_FALSE(mean_drop(0.9, perturbed).value.has_value());
  EXPECT_FALSE(relative_robustness(0.9, perturbed, 0.5).value.has_value());
  EXPECT_EQ(mean_drop(std::nullopt, {0.5}).reason, "the clean condition has no value");
  EXPECT_THAT(drops(0.75, perturbed), ElementsAre(Optional(0.25), std::nullopt));
  EXPECT_EQ(mean_over_conditions({}).reason, "no condition");
}

TEST(RobustnessTest, RejectsImpossibleInput) {
  EXPECT_EQ(message_of([] { mean_over_conditions({std::numeric_limits<double>::infinity()}); }),
            "robustness: expected finite values, found inf");
  EXPECT_EQ(message_of([] {
              area_under_severity({0.0, 0.0}, {1.0, 1.0});
            }),
            "area_under_severity: expected ascending severities, found 0 after 0");
  EXPECT_THAT(message_of([] { area_under_severity({0.0}, {1.0, 1.0}); }), HasSubstr("found 1 and 2"));
  EXPECT_THROW(rank_changes({0.5}, {}), DataError);
  EXPECT_THROW(mean_corruption_error({{{0.5}, {}}}), DataError);
}

}  // namespace
}  // namespace tagbench
