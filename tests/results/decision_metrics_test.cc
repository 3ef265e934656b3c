#include "results/decision_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::message_of;

// Two tags, four tracks. With threshold 0.5: tag 0 has 2 true positives of 3 decided and 2 real ones, tag 1 none of 1
// decided and 1 real one.
const std::vector<uint8_t> kLabels = {1, 0, 1, 1, 0, 0, 0, 0};
const std::vector<double> kScores = {0.9, 0.8, 0.6, 0.5, 0.7, 0.2, 0.1, 0.1};

double value(const std::string& metric, const std::string& decision) {
  return *decision_metric({4, 2, kLabels.data(), nullptr}, {4, 2, nullptr, kScores.data()}, metric, decision).value;
}

TEST(DecisionMetricsTest, FixedThresholdIsStrict) {
  EXPECT_DOUBLE_EQ(value("precision_macro", "0.5"), (2.0 / 3.0 + 0.0) / 2.0);
  EXPECT_DOUBLE_EQ(value("recall_macro", "0.5"), (1.0 + 0.0) / 2.0);  // a score of 0.5 is not above 0.5
  EXPECT_DOUBLE_EQ(value("f1_macro", "0.5"), (0.8 + 0.0) / 2.0);
  EXPECT_DOUBLE_EQ(value("precision_micro", "0.5"), 2.0 / 4.0);
  EXPECT_DOUBLE_EQ(value("recall_micro", "0.5"), 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(value("f1_micro", "0.5"), 4.0 / 7.0);
}

TEST(DecisionMetricsTest, OracleTakesTheBestScoreAndLeavesTheTrackAtItOut) {
  // Tag 0: "0.6 or more" has F1 0.8, the best; strictly above it stand 0.9 and 0.7: one true positive of two.
  // Tag 1: "0.5 or more" has F1 2/3; strictly above it stands 0.8, a negative.
  EXPECT_DOUBLE_EQ(value("precision_macro", "oracle"), 0.25);
  EXPECT_DOUBLE_EQ(value("recall_macro", "oracle"), 0.25);
}

TEST(DecisionMetricsTest, UnknownLabelsDoNotCount) {
  const std::vector<uint8_t> known = {1, 0, 1, 1, 0, 1, 1, 1};
  const MetricValue precision =
      decision_metric({4, 2, kLabels.data(), known.data()}, {4, 2, nullptr, kScores.data()}, "precision_micro", "0.4");
  EXPECT_DOUBLE_EQ(*precision.value, 1.0);
  const std::vector<uint8_t> none(8, 0);
  const MetricValue undefined =
      decision_metric({4, 2, kLabels.data(), none.data()}, {4, 2, nullptr, kScores.data()}, "f1_macro", "0.4");
  EXPECT_FALSE(undefined.value.has_value());
  EXPECT_EQ(undefined.reason, "no known labels");
}

TEST(DecisionMetricsTest, BadRequestsAreRefused) {
  EXPECT_THAT(message_of([] { value("f1_makro", "0.5"); }), HasSubstr("did you mean 'f1_macro'"));
  EXPECT_THAT(message_of([] { value("f1_macro", "best"); }), HasSubstr("'best'"));
  std::vector<double> scores = kScores;
  scores[3] = std::nan("");
  EXPECT_THAT(message_of([&] {
                decision_metric({4, 2, kLabels.data(), nullptr}, {4, 2, nullptr, scores.data()}, "f1_macro", "0.5");
              }),
              HasSubstr("track 1, tag 1"));
}

}  // namespace
}  // namespace tagbench
