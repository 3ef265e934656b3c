#include "harness/metrics/metrics.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "harness/core/errors.h"
#include "harness/core/json.h"
#include "harness/core/npy.h"
#include "harness/core/rng.h"
#include "tests/metrics/fixtures.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::tagbench::testing::message_of;
using ::tagbench::testing::one_tag;
using ::tagbench::testing::shared_path;
using ::tagbench::testing::TaggingData;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TaggingMetrics metrics_of(const TaggingData& data, bool multiclass = false) {
  return compute_metrics(data.label_matrix(), data.score_matrix(), multiclass);
}

TaggingData random_data(int64_t n_tracks, int64_t n_tags, int levels, uint64_t seed) {
  Rng rng(seed, {"metrics_test"});
  TaggingData data{n_tracks, n_tags, {}, {}, {}};
  for (int64_t i = 0; i < n_tracks * n_tags; ++i) {
    const bool positive = rng.uniform() < 0.2;
    const double score = rng.normal() + (positive ? 1.0 : 0.0);
    data.labels.push_back(positive ? 1 : 0);
    data.scores.push_back(levels > 0 ? std::floor(score * levels) / levels : score);
  }
  return data;
}

// The definition itself: every pair of a positive and a negative.
double roc_auc_over_all_pairs(const std::vector<uint8_t>& labels, const std::vector<double>& scores) {
  double won = 0.0;
  double pairs = 0.0;
  for (size_t i = 0; i < labels.size(); ++i) {
    for (size_t j = 0; j < labels.size(); ++j) {
      if (labels[i] == 0 || labels[j] != 0) continue;
      pairs += 1.0;
      if (scores[i] > scores[j]) won += 1.0;
      if (scores[i] == scores[j]) won += 0.5;
    }
  }
  return won / pairs;
}

// The mean over positives of the precision among all tracks that score at least as high.
double average_precision_over_all_pairs(const std::vector<uint8_t>& labels, const std::vector<double>& scores) {
  double sum = 0.0;
  double n_positives = 0.0;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == 0) continue;
    double hits = 0.0;
    double retrieved = 0.0;
    for (size_t j = 0; j < labels.size(); ++j) {
      if (scores[j] < scores[i]) continue;
      retrieved += 1.0;
      hits += labels[j];
    }
    sum += hits / retrieved;
    n_positives += 1.0;
  }
  return sum / n_positives;
}

void expect_value(const Json& expected, const MetricValue& found, const std::string& what) {
  // Pair counts are exact and sums compensated: what remains is the reference's own rounding.
  constexpr double kRounding = 1e-12;
  ASSERT_TRUE(found.value.has_value()) << what << ": " << found.reason;
  EXPECT_NEAR(*found.value, expected.get<double>(), kRounding) << what;
}

TEST(MetricsTest, EqualsScikitLearnOnAllReferenceCases) {
  TAGBENCH_REQUIRE_SHARED("parity/metrics/expected.json");
  const Json reference = read_json(shared_path("parity/metrics/expected.json"));
  ASSERT_FALSE(reference.at("cases").empty());
  for (const auto& [name, expected] : reference.at("cases").items()) {
    SCOPED_TRACE(name);
    const NpyArray label_array = read_npy(shared_path("parity/metrics/" + expected.at("labels").get<std::string>()));
    const NpyArray score_array = read_npy(shared_path("parity/metrics/" + expected.at("scores").get<std::string>()));
    ASSERT_EQ(label_array.shape, score_array.shape);
    ASSERT_EQ(label_array.descr, "|u1");
    const int64_t n = score_array.shape.at(0);
    const int64_t k = score_array.shape.at(1);
    const std::vector<float> float32 = score_array.descr == "<f4" ? score_array.as_float() : std::vector<float>();
    const std::vector<double> float64 = score_array.descr == "<f8" ? score_array.as_double() : std::vector<double>();
    const ScoreMatrix scores{n, k, float32.empty() ? nullptr : float32.data(),
                             float64.empty() ? nullptr : float64.data()};
    const TaggingMetrics found = compute_metrics({n, k, label_array.bytes.data(), nullptr}, scores);

    std::vector<int64_t> one_class;
    for (size_t tag = 0; tag < found.per_tag.size(); ++tag) {
      const std::string what = "tag " + std::to_string(tag);
      const Json& roc_auc = expected.at("roc_auc_per_tag").at(tag);
      if (roc_auc.is_null()) {
        EXPECT_FALSE(found.per_tag[tag].roc_auc.value.has_value());
        EXPECT_THAT(found.per_tag[tag].roc_auc.reason, HasSubstr("among the known labels"));
        one_class.push_back(static_cast<int64_t>(tag));
      } else {
        expect_value(roc_auc, found.per_tag[tag].roc_auc, what);
      }
      if (found.per_tag[tag].n_positive == 0) {
        EXPECT_FALSE(found.per_tag[tag].average_precision.value.has_value());
      } else {
        expect_value(expected.at("average_precision_per_tag").at(tag), found.per_tag[tag].average_precision, what);
      }
    }
    EXPECT_EQ(found.undefined_tags, one_class);
    expect_value(expected.at("roc_auc_macro_over_defined_tags"), found.macro.roc_auc, "macro");
    expect_value(expected.at("average_precision_macro_over_tags_with_positives"), found.macro.average_precision,
                 "macro");
    expect_value(expected.at("roc_auc_micro"), found.micro.roc_auc, "micro");
    expect_value(expected.at("average_precision_micro"), found.micro.average_precision, "micro");
    if (!expected.at("roc_auc_weighted").is_null()) {
      expect_value(expected.at("roc_auc_weighted"), found.weighted.roc_auc, "weighted");
    }
    expect_value(expected.at("average_precision_weighted"), found.weighted.average_precision, "weighted");
  }
}

TEST(MetricsTest, MatchesHandComputationWithTies) {
  // Positives 0.9, 0.5, 0.1; negatives 0.5, 0.1. Pairs: 2 + 1.5 + 0.5 of 6. Thresholds 0.9, 0.5, 0.1 retrieve 1, 3, 5
  // tracks and 1, 2, 3 positives: (1 + 2/3 + 3/5) / 3.
  const TaggingMetrics found = metrics_of(one_tag({1, 1, 0, 1, 0}, {0.9, 0.5, 0.5, 0.1, 0.1}));
  EXPECT_DOUBLE_EQ(*found.per_tag[0].roc_auc.value, 4.0 / 6.0);
  EXPECT_DOUBLE_EQ(*found.per_tag[0].average_precision.value, (1.0 + 2.0 / 3.0 + 3.0 / 5.0) / 3.0);
  EXPECT_EQ(found.per_tag[0].n_positive, 3);
  EXPECT_EQ(found.per_tag[0].n_known, 5);
}

// 3,000 tracks take the radix sort, 40 the small sort.
TEST(MetricsTest, MatchesTheDefinitionOverAllPairs) {
  for (const int64_t n_tracks : {int64_t{40}, int64_t{3000}}) {
    for (const int levels : {0, 1, 10}) {
      const TaggingData data = random_data(n_tracks, 1, levels, 7);
      const TaggingMetrics found = metrics_of(data);
      // Both sides add up to 3,000 terms of size 1 in double.
      EXPECT_NEAR(*found.per_tag[0].roc_auc.value, roc_auc_over_all_pairs(data.labels, data.scores), 1e-12);
      EXPECT_NEAR(*found.per_tag[0].average_precision.value, average_precision_over_all_pairs(data.labels, data.scores),
                  1e-12);
    }
  }
}

TEST(MetricsTest, GivesTheSameForFloat32AndFloat64) {
  TaggingData data = random_data(2000, 3, 0, 8);
  const std::vector<float> narrow(data.scores.begin(), data.scores.end());
  data.scores.assign(narrow.begin(), narrow.end());
  const TaggingMetrics wide = metrics_of(data);
  const TaggingMetrics found =
      compute_metrics(data.label_matrix(), {data.n_tracks, data.n_tags, narrow.data(), nullptr});
  EXPECT_EQ(*found.macro.roc_auc.value, *wide.macro.roc_auc.value);
  EXPECT_EQ(*found.micro.average_precision.value, *wide.micro.average_precision.value);
}

TEST(MetricsTest, MicroIsTheFlattenedMatrixAndWeightedFollowsThePositives) {
  const TaggingData data = random_data(200, 4, 10, 9);
  const TaggingMetrics found = metrics_of(data);
  EXPECT_NEAR(*found.micro.roc_auc.value, roc_auc_over_all_pairs(data.labels, data.scores), 1e-12);
  EXPECT_NEAR(*found.micro.average_precision.value, average_precision_over_all_pairs(data.labels, data.scores), 1e-12);
  double sum = 0.0;
  double weights = 0.0;
  for (const TagMetrics& tag : found.per_tag) {
    sum += static_cast<double>(tag.n_positive) * *tag.roc_auc.value;
    weights += static_cast<double>(tag.n_positive);
  }
  EXPECT_NEAR(*found.weighted.roc_auc.value, sum / weights, 1e-14);  // four terms of size 1
}

TEST(MetricsTest, ZerosOfEitherSignAreTied) {
  EXPECT_EQ(*metrics_of(one_tag({1, 0}, {-0.0, 0.0})).per_tag[0].roc_auc.value, 0.5);
  EXPECT_EQ(*metrics_of(one_tag({1, 0}, {0.0, -0.0})).per_tag[0].roc_auc.value, 0.5);
}

TEST(MetricsTest, InfinitiesAreOrderedAndTieWithThemselves) {
  EXPECT_EQ(*metrics_of(one_tag({1, 0, 0}, {kInfinity, 1e308, -kInfinity})).per_tag[0].roc_auc.value, 1.0);
  EXPECT_EQ(*metrics_of(one_tag({1, 0}, {-kInfinity, -1e308})).per_tag[0].roc_auc.value, 0.0);
  EXPECT_EQ(*metrics_of(one_tag({1, 0}, {kInfinity, kInfinity})).per_tag[0].roc_auc.value, 0.5);
}

TEST(MetricsTest, OneUnitInTheLastPlaceIsNoTie) {
  const double above = std::nextafter(0.3, 1.0);
  EXPECT_EQ(*metrics_of(one_tag({1, 0}, {above, 0.3})).per_tag[0].roc_auc.value, 1.0);
  EXPECT_EQ(*metrics_of(one_tag({1, 0}, {-0.3, -above})).per_tag[0].roc_auc.value, 1.0);
}

TEST(MetricsTest, TagWithoutPositivesHasNoMetricButAReason) {
  const TaggingData data{3, 2, {0, 1, 0, 0, 0, 1}, {0.1, 0.9, 0.2, 0.3, 0.3, 0.8}, {}};
  const TaggingMetrics found = metrics_of(data);
  EXPECT_FALSE(found.per_tag[0].roc_auc.value.has_value());
  EXPECT_EQ(found.per_tag[0].roc_auc.reason, "no positives among the known labels");
  EXPECT_FALSE(found.per_tag[0].average_precision.value.has_value());
  EXPECT_THAT(found.undefined_tags, ElementsAre(0));
  EXPECT_EQ(*found.macro.roc_auc.value, 1.0);
  EXPECT_EQ(*found.weighted.average_precision.value, 1.0);
}

TEST(MetricsTest, TagWithPositivesOnlyHasAveragePrecisionOne) {
  const TaggingMetrics found = metrics_of(one_tag({1, 1}, {0.1, 0.9}));
  EXPECT_EQ(found.per_tag[0].roc_auc.reason, "no negatives among the known labels");
  EXPECT_EQ(*found.per_tag[0].average_precision.value, 1.0);
  EXPECT_EQ(*found.macro.average_precision.value, 1.0);
  EXPECT_EQ(found.macro.roc_auc.reason, "no tag with both classes among its known labels");
  EXPECT_EQ(found.micro.roc_auc.reason, "no negatives among the known labels");
  EXPECT_THAT(found.undefined_tags, ElementsAre(0));
}

TEST(MetricsTest, OnlyKnownLabelsCount) {
  TaggingData masked = one_tag({1, 7, 0, 1, 0}, {0.9, 0.95, 0.5, 0.4, 0.1});
  masked.known = {1, 0, 1, 1, 1};
  const TaggingMetrics found = metrics_of(masked);
  const TaggingMetrics wanted = metrics_of(one_tag({1, 0, 1, 0}, {0.9, 0.5, 0.4, 0.1}));
  EXPECT_EQ(found.per_tag[0].n_known, 4);
  EXPECT_EQ(found.per_tag[0].n_positive, 2);
  EXPECT_EQ(*found.per_tag[0].roc_auc.value, *wanted.per_tag[0].roc_auc.value);
  EXPECT_EQ(*found.micro.average_precision.value, *wanted.micro.average_precision.value);
  EXPECT_EQ(*found.log_loss.value, *wanted.log_loss.value);
}

TEST(MetricsTest, NothingKnownOrNoTracksGivesReasons) {
  TaggingData unknown = one_tag({1, 0}, {0.9, 0.1});
  unknown.known = {0, 0};
  EXPECT_EQ(metrics_of(unknown).per_tag[0].roc_auc.reason, "no known labels");
  EXPECT_EQ(metrics_of(unknown).log_loss.reason, "no known labels");
  const TaggingMetrics empty = compute_metrics({0, 2, nullptr, nullptr}, {0, 2, nullptr, nullptr}, true);
  EXPECT_EQ(empty.per_tag.size(), 2U);
  EXPECT_THAT(empty.undefined_tags, ElementsAre(0, 1));
  EXPECT_EQ(empty.micro.average_precision.reason, "no known labels");
  EXPECT_EQ(empty.accuracy.reason, "no track with known labels");
  const TaggingMetrics no_tags = compute_metrics({3, 0, nullptr, nullptr}, {3, 0, nullptr, nullptr}, true);
  EXPECT_THAT(no_tags.per_tag, IsEmpty());
  EXPECT_FALSE(no_tags.macro.roc_auc.value.has_value());
}

TEST(MetricsTest, LogLossIsMeanBinaryCrossEntropyClippedAtEpsilon) {
  const TaggingMetrics found = metrics_of(one_tag({1, 0, 0}, {0.8, 0.4, 0.1}));
  EXPECT_NEAR(*found.log_loss.value, -(std::log(0.8) + std::log(0.6) + std::log(0.9)) / 3.0,
              1e-15);  // rounding of three terms
  EXPECT_DOUBLE_EQ(*metrics_of(one_tag({0}, {1.0})).log_loss.value, 52.0 * std::log(2.0));
  const uint8_t label = 1;
  const float score = 0.0F;
  EXPECT_DOUBLE_EQ(*compute_metrics({1, 1, &label, nullptr}, {1, 1, &score, nullptr}).log_loss.value,
                   23.0 * std::log(2.0));
}

TEST(MetricsTest, LogLossNeedsProbabilities) {
  const TaggingMetrics found = metrics_of(one_tag({1, 0}, {1.5, 0.25}));
  EXPECT_FALSE(found.log_loss.value.has_value());
  EXPECT_EQ(found.log_loss.reason, "scores are no probabilities: 1.5 (track 0, tag 0, counted from 0)");
  EXPECT_EQ(*found.per_tag[0].roc_auc.value, 1.0);
}

TEST(MetricsTest, AccuracyTakesTheFirstOfEqualScores) {
  // Tracks: right; tie won by the first (right); tie lost to the first (wrong); wrong.
  const TaggingData data{4, 2, {1, 0, 1, 0, 0, 1, 0, 1}, {0.9, 0.1, 0.5, 0.5, 0.5, 0.5, 0.7, 0.3}, {}};
  EXPECT_EQ(*metrics_of(data, true).accuracy.value, 0.5);
  EXPECT_EQ(metrics_of(data, false).accuracy.reason, "defined for multiclass tasks only");
}

TEST(MetricsTest, AccuracyLeavesOutTracksWithUnknownLabels) {
  TaggingData data{2, 2, {1, 0, 0, 0}, {0.9, 0.1, 0.9, 0.1}, {1, 1, 0, 0}};
  EXPECT_EQ(*metrics_of(data, true).accuracy.value, 1.0);
}

TEST(MetricsTest, RejectsNanNamingTrackAndTag) {
  TaggingData data = random_data(3, 4, 0, 1);
  data.scores[2 * 4 + 1] = std::nan("");
  EXPECT_EQ(message_of([&] { metrics_of(data); }),
            "metrics: expected scores that are numbers, found NaN (track 2, tag 1, counted from 0)");
  data.known.assign(12, 0);
  EXPECT_THROW(metrics_of(data), DataError);
}

TEST(MetricsTest, RejectsLabelsAndMasksOtherThanZeroAndOne) {
  TaggingData data = random_data(3, 4, 0, 1);
  data.labels[5] = 2;
  EXPECT_EQ(message_of([&] { metrics_of(data); }),
            "metrics: expected labels 0 or 1, found 2 (track 1, tag 1, counted from 0)");
  data.labels[5] = 0;
  data.known.assign(12, 1);
  data.known[11] = 255;
  EXPECT_EQ(message_of([&] { metrics_of(data); }),
            "metrics: expected a mask of 0 and 1, found 255 (track 2, tag 3, counted from 0)");
}

TEST(MetricsTest, RejectsShapesThatDifferOrAreTooLarge) {
  const TaggingData data = random_data(3, 4, 0, 1);
  EXPECT_EQ(message_of([&] {
              compute_metrics(data.label_matrix(), {4, 3, nullptr, data.scores.data()});
            }),
            "metrics: expected scores of the labels' shape [3, 4], found [4, 3]");
  const int64_t huge = int64_t{1} << 40U;
  EXPECT_THAT(message_of([&] {
                compute_metrics({huge, huge, nullptr, nullptr}, {huge, huge, nullptr, nullptr});
              }),
              HasSubstr("at most 2^32 pairs"));
  EXPECT_THROW(compute_metrics(data.label_matrix(), {3, 4, nullptr, nullptr}), std::logic_error);
}

TEST(MetricsTest, RejectsMulticlassTracksWithoutExactlyOnePositive) {
  const TaggingData two{2, 2, {1, 0, 1, 1}, {0.9, 0.1, 0.9, 0.1}, {}};
  EXPECT_EQ(message_of([&] { metrics_of(two, true); }),
            "metrics: expected one positive label per track of a multiclass task, found 2 (track 1, counted from 0)");
  const TaggingData none{1, 2, {0, 0}, {0.9, 0.1}, {}};
  EXPECT_THAT(message_of([&] { metrics_of(none, true); }), HasSubstr("found 0 (track 0"));
}

}  // namespace
}  // namespace tagbench
