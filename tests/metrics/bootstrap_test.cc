#include "harness/metrics/bootstrap.h"

#include <gmock/gmock.h>

#include <cmath>

#include "harness/core/errors.h"
#include "tests/metrics/fixtures.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::tagbench::testing::binormal;
using ::tagbench::testing::message_of;
using ::tagbench::testing::normal_share;
using ::tagbench::testing::one_tag;
using ::tagbench::testing::TaggingData;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TaggingReplicates bootstrap(const TaggingData& data, const BootstrapOptions& options,
                            const std::vector<int64_t>& groups = {}, bool multiclass = false) {
  return bootstrap_metrics(data.label_matrix(), data.score_matrix(), groups, options, multiclass);
}

BootstrapOptions options_of(int resamples, uint64_t seed = 1, int threads = 1) {
  BootstrapOptions options;
  options.resamples = resamples;
  options.seed = seed;
  options.threads = threads;
  return options;
}

// The tracks written out, each as often as it was drawn.
TaggingData written_out(const TaggingData& data, const std::vector<int32_t>& count_of_track) {
  TaggingData resample{0, data.n_tags, {}, {}, {}};
  const auto n_tags = static_cast<size_t>(data.n_tags);
  for (size_t track = 0; track < count_of_track.size(); ++track) {
    for (int32_t copy = 0; copy < count_of_track[track]; ++copy) {
      ++resample.n_tracks;
      for (size_t i = track * n_tags; i < (track + 1) * n_tags; ++i) {
        resample.labels.push_back(data.labels[i]);
        resample.scores.push_back(data.scores[i]);
        if (!data.known.empty()) resample.known.push_back(data.known[i]);
      }
    }
  }
  return resample;
}

void expect_same(const MetricValue& expected, const std::optional<double>& found) {
  ASSERT_EQ(expected.value.has_value(), found.has_value());
  // Sums of at most a thousand terms of size 1, taken in another order.
  if (found) {
    EXPECT_NEAR(*found, *expected.value, 1e-12);
  }
}

void expect_same_metrics(const TaggingMetrics& expected, const TaggingReplicates& found, size_t r) {
  const auto expect_both = [&](const MetricValue& roc_auc, const MetricValue& precision,
                               const TaggingReplicates::Averages& averages) {
    expect_same(roc_auc, averages.roc_auc.values[r]);
    expect_same(precision, averages.average_precision.values[r]);
  };
  for (size_t k = 0; k < expected.per_tag.size(); ++k) {
    expect_both(expected.per_tag[k].roc_auc, expected.per_tag[k].average_precision, found.per_tag[k]);
  }
  expect_both(expected.macro.roc_auc, expected.macro.average_precision, found.macro);
  expect_both(expected.micro.roc_auc, expected.micro.average_precision, found.micro);
  expect_both(expected.weighted.roc_auc, expected.weighted.average_precision, found.weighted);
  expect_same(expected.log_loss, found.log_loss.values[r]);
  expect_same(expected.accuracy, found.accuracy.values[r]);
}

// Scores of one decimal in [0, 1], so there are ties and log losses; the third tag is rare enough to vanish at times.
TaggingData tied_data() {
  TaggingData data = binormal(60, 3, 0.3, 1.0, 11);
  for (double& score : data.scores) score = std::round(10.0 * normal_share(score)) / 10.0;
  for (size_t track = 0; track < 60; ++track) data.labels[3 * track + 2] = track < 2 ? 1 : 0;
  Rng rng(12, {"mask"});
  for (size_t i = 0; i < data.labels.size(); ++i) data.known.push_back(rng.uniform() < 0.8 ? 1 : 0);
  return data;
}

// 37 resamples: two full blocks of lanes and a part of one.
TEST(BootstrapTest, ReplicatesEqualMetricsOfResamplesWrittenOut) {
  const TaggingData data = tied_data();
  const TaggingReplicates found = bootstrap(data, options_of(37, 5));
  bool vanished = false;
  for (size_t r = 0; r < 37; ++r) {
    const TaggingData resample = written_out(data, resample_counts(60, 5, static_cast<int64_t>(r)));
    EXPECT_EQ(resample.n_tracks, 60);
    expect_same_metrics(compute_metrics(resample.label_matrix(), resample.score_matrix()), found, r);
    vanished = vanished || !found.per_tag[2].roc_auc.values[r];
  }
  EXPECT_TRUE(vanished) << "the rare tag should be missing from some resample";
}

TEST(BootstrapTest, GroupsAreDrawnWhole) {
  const TaggingData data = tied_data();
  std::vector<int64_t> groups;
  for (int64_t track = 0; track < 60; ++track) groups.push_back(track < 10 ? -1 : 100 - track / 7);
  std::vector<int64_t> numbers;  // as the draws count them: by first appearance
  for (size_t track = 0; track < 60; ++track) {
    numbers.push_back(track < 10 ? static_cast<int64_t>(track) : 10 + static_cast<int64_t>(track / 7 - 1));
  }
  const int64_t n_groups = numbers.back() + 1;
  const TaggingReplicates found = bootstrap(data, options_of(20, 5), groups);
  for (size_t r = 0; r < 20; ++r) {
    const std::vector<int32_t> counts = resample_counts(n_groups, 5, static_cast<int64_t>(r));
    std::vector<int32_t> count_of_track(60);
    for (size_t track = 0; track < 60; ++track) count_of_track[track] = counts[static_cast<size_t>(numbers[track])];
    const TaggingData resample = written_out(data, count_of_track);
    expect_same_metrics(compute_metrics(resample.label_matrix(), resample.score_matrix()), found, r);
  }
}

TEST(BootstrapTest, AccuracyOfMulticlassResamplesIsTheirOwn) {
  TaggingData data{40, 3, {}, {}, {}};
  Rng rng(2, {"multiclass"});
  for (int64_t track = 0; track < 40; ++track) {
    const int64_t label = rng.below(3);
    for (int64_t tag = 0; tag < 3; ++tag) {
      data.labels.push_back(tag == label ? 1 : 0);
      data.scores.push_back(rng.uniform() + (tag == label ? 0.4 : 0.0));
    }
  }
  const TaggingReplicates found = bootstrap(data, options_of(20, 9), {}, true);
  for (size_t r = 0; r < 20; ++r) {
    const TaggingData resample = written_out(data, resample_counts(40, 9, static_cast<int64_t>(r)));
    expect_same(compute_metrics(resample.label_matrix(), resample.score_matrix(), true).accuracy,
                found.accuracy.values[r]);
  }
  EXPECT_FALSE(found.log_loss.values[0].has_value());
}

TEST(BootstrapTest, ResultsDoNotDependOnThreadsAndDoOnTheSeed) {
  const TaggingData data = tied_data();
  const TaggingReplicates one = bootstrap(data, options_of(100, 1, 1));
  const TaggingReplicates four = bootstrap(data, options_of(100, 1, 4));
  EXPECT_EQ(one.macro.average_precision.values, four.macro.average_precision.values);
  EXPECT_EQ(one.micro.roc_auc.jackknife, four.micro.roc_auc.jackknife);
  EXPECT_NE(one.macro.roc_auc.values, bootstrap(data, options_of(100, 2)).macro.roc_auc.values);
}

TEST(BootstrapTest, JackknifeLeavesOutOneTrackAtATime) {
  const TaggingData data = one_tag({1, 0, 1, 0, 0}, {0.9, 0.8, 0.7, 0.3, 0.1});
  std::vector<std::optional<double>> found = bootstrap(data, options_of(1)).per_tag[0].roc_auc.jackknife;
  std::sort(found.begin(), found.end());
  // Without 0.9: 2 of 3 pairs; without 0.8: 4 of 4; without 0.7: 3 of 3; without 0.3 or 0.1: 3 of 4.
  EXPECT_THAT(found, ElementsAre(2.0 / 3.0, 0.75, 0.75, 1.0, 1.0));
}

// scipy 1.10.1: stats.bootstrap((labels, scores), metric, paired=True, n_resamples=20000, method="BCa") with
// roc_auc_score and average_precision_score of scikit-learn 1.2.1, mean of three seeds. Its interval lacks the factor
// for few positives, which is undone by the level. Both are random: bounds of three seeds lie within 0.015 of each
// other.
TEST(BootstrapTest, IntervalsEqualScipysWithinTheirRandomness) {
  std::vector<uint8_t> labels;
  std::vector<double> scores;
  for (int i = 0; i < 40; ++i) {
    labels.push_back(i % 10 == 0 || i % 10 == 3 || i % 10 == 7 ? 1 : 0);
    scores.push_back(std::fmod(0.618034 * (i + 1), 1.0) + 0.25 * labels.back());
  }
  constexpr double kLevel = 0.912652133522151;  // 1 - 2 t.sf(norm.ppf(0.975) / sqrt(12 / 11), 11)
  const TaggingReplicates replicates = bootstrap(one_tag(labels, scores), options_of(20000));
  const Estimate roc_auc = estimate_of(replicates.per_tag[0].roc_auc, kLevel);
  EXPECT_NEAR(roc_auc.interval->low, 0.549, 0.015);
  EXPECT_NEAR(roc_auc.interval->high, 0.904, 0.015);
  EXPECT_NEAR(*roc_auc.standard_error, 0.0886, 0.002);
  const Estimate precision = estimate_of(replicates.per_tag[0].average_precision, kLevel);
  EXPECT_NEAR(precision.interval->low, 0.396, 0.015);
  EXPECT_NEAR(precision.interval->high, 0.868, 0.015);
  EXPECT_NEAR(*precision.standard_error, 0.1167, 0.002);
}

// 1,600 intervals each: the share covered has a standard error of 0.55 %.
TEST(BootstrapTest, IntervalsCoverThePopulationValueNinetyFivePerCentOfTheTime) {
  constexpr int kSimulations = 160;
  int n_covered = 0;
  int n_intervals = 0;
  for (int simulation = 0; simulation < kSimulations; ++simulation) {
    const auto seed = static_cast<uint64_t>(simulation);
    const TaggingReplicates replicates = bootstrap(binormal(150, 10, 0.2, 1.5, seed), options_of(500, seed));
    for (const auto& tag : replicates.per_tag) {
      ++n_intervals;
      if (estimate_of(tag.roc_auc).interval->contains(normal_share(1.5 / std::sqrt(2.0)))) ++n_covered;
    }
  }
  EXPECT_EQ(n_intervals, 1600);
  EXPECT_GT(n_covered, 0.93 * n_intervals);
  EXPECT_LT(n_covered, 0.97 * n_intervals);
}

// Fifteen tags with six positives each, where average precision is 0.3 on average and 0.2 on endless tracks. 300
// intervals: the share covered has a standard error of 1.3 %, twice that is left.
TEST(BootstrapTest, IntervalsOfMeanAveragePrecisionCoverItsExpectationOverTestSetsOfThisSize) {
  constexpr int kSimulations = 300;
  constexpr double kShift = 1.0;
  const auto draw = [](uint64_t seed) { return binormal(90, 15, 1.0 / 15.0, kShift, seed); };
  double expectation = 0.0;
  for (uint64_t simulation = 0; simulation < 2000; ++simulation) {
    const TaggingData data = draw(10000 + simulation);
    expectation += *compute_metrics(data.label_matrix(), data.score_matrix()).macro.average_precision.value / 2000.0;
  }
  int n_covered = 0;
  for (uint64_t simulation = 0; simulation < kSimulations; ++simulation) {
    const TaggingReplicates replicates = bootstrap(draw(simulation), options_of(500, simulation));
    const Estimate estimate = estimate_of(replicates.macro.average_precision);
    if (estimate.interval->contains(expectation)) ++n_covered;
    EXPECT_TRUE(estimate.interval->contains(*estimate.value.value));
  }
  EXPECT_GT(n_covered, 0.924 * kSimulations);
  EXPECT_LT(n_covered, 0.985 * kSimulations);
}

// Tracks of a group share their label and half of their score's variance.
TEST(BootstrapTest, IntervalsOfGroupedTracksCoverOnlyWithGroups) {
  constexpr int64_t kGroups = 80;
  constexpr int64_t kTracksPerGroup = 5;
  constexpr int64_t kTags = 10;
  std::vector<int64_t> groups;
  for (int64_t track = 0; track < kGroups * kTracksPerGroup; ++track) groups.push_back(track / kTracksPerGroup);
  int n_covered = 0;
  int n_covered_without = 0;
  int n_intervals = 0;
  for (uint64_t simulation = 0; simulation < 80; ++simulation) {
    Rng rng(simulation, {"grouped"});
    TaggingData data{kGroups * kTracksPerGroup, kTags, {}, {}, {}};
    data.labels.resize(static_cast<size_t>(data.n_tracks * kTags));
    data.scores.resize(data.labels.size());
    for (int64_t tag = 0; tag < kTags; ++tag) {
      for (int64_t group = 0; group < kGroups; ++group) {
        const bool positive = rng.uniform() < 0.3;
        const double of_group = rng.normal() + (positive ? 1.5 : 0.0);
        for (int64_t track = group * kTracksPerGroup; track < (group + 1) * kTracksPerGroup; ++track) {
          data.labels[static_cast<size_t>(track * kTags + tag)] = positive ? 1 : 0;
          data.scores[static_cast<size_t>(track * kTags + tag)] = of_group + rng.normal();
        }
      }
    }
    const double population = normal_share(1.5 / 2.0);  // the difference of two scores has variance 4
    const TaggingReplicates with_groups = bootstrap(data, options_of(500, simulation), groups);
    const TaggingReplicates without = bootstrap(data, options_of(500, simulation));
    for (size_t k = 0; k < static_cast<size_t>(kTags); ++k) {
      ++n_intervals;
      if (estimate_of(with_groups.per_tag[k].roc_auc).interval->contains(population)) ++n_covered;
      if (estimate_of(without.per_tag[k].roc_auc).interval->contains(population)) ++n_covered_without;
    }
  }
  EXPECT_GT(n_covered, 0.93 * n_intervals);
  EXPECT_LT(n_covered, 0.97 * n_intervals);
  EXPECT_LT(n_covered_without, 0.80 * n_intervals);
}

TEST(BootstrapTest, ComparisonOfEquallyGoodSystemsRejectsFivePerCentOfTheTime) {
  int n_rejected = 0;
  int n_tests = 0;
  for (uint64_t simulation = 0; simulation < 160; ++simulation) {
    const TaggingData a = binormal(150, 10, 0.2, 1.5, simulation);
    TaggingData b = a;
    Rng rng(simulation, {"bootstrap_test"});
    for (size_t i = 0; i < b.scores.size(); ++i) {
      const double mean = b.labels[i] != 0 ? 1.5 : 0.0;
      b.scores[i] = mean + 0.8 * (a.scores[i] - mean) + 0.6 * rng.normal();
    }
    const TaggingReplicates of_a = bootstrap(a, options_of(500, simulation));
    const TaggingReplicates of_b = bootstrap(b, options_of(500, simulation));
    for (size_t k = 0; k < of_a.per_tag.size(); ++k) {
      ++n_tests;
      if (*compare(of_a.per_tag[k].roc_auc, of_b.per_tag[k].roc_auc).p_value < 0.05) ++n_rejected;
    }
  }
  EXPECT_GT(n_rejected, 0.03 * n_tests);
  EXPECT_LT(n_rejected, 0.07 * n_tests);
}

TEST(BootstrapTest, PValueAndIntervalAgreeOnWhetherSystemsDiffer) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const TaggingData a = binormal(120, 1, 0.3, 1.5, seed);
    TaggingData b = a;
    Rng rng(seed, {"noise"});
    for (double& score : b.scores) score += 0.6 * rng.normal();
    const Comparison found =
        compare(bootstrap(a, options_of(400)).macro.roc_auc, bootstrap(b, options_of(400)).macro.roc_auc);
    // Near 0.05 the interval interpolates between two replicates where the p-value counts them.
    if (std::abs(*found.p_value - 0.05) < 0.01) continue;
    EXPECT_EQ(*found.p_value < 0.05, !found.difference.interval->contains(0.0)) << "seed " << seed;
  }
}

// By a normal distribution past the last replicate, so that it can stand a correction for many comparisons.
TEST(BootstrapTest, PValueOfALargeDifferenceIsNotLimitedByTheResamples) {
  const TaggingData a = binormal(400, 1, 0.3, 3.0, 1);
  TaggingData b = a;
  Rng rng(1, {"noise"});
  for (double& score : b.scores) score += 4.0 * rng.normal();
  const Comparison found =
      compare(bootstrap(a, options_of(200)).macro.roc_auc, bootstrap(b, options_of(200)).macro.roc_auc);
  const double z = *found.difference.value.value / *found.difference.standard_error;
  ASSERT_GT(z, 5.0);
  EXPECT_GT(*found.p_value, 0.0);
  EXPECT_LT(*found.p_value, 1e-4);
}

TEST(BootstrapTest, ComparisonsAreAntisymmetric) {
  const TaggingReplicates a = bootstrap(binormal(100, 2, 0.3, 2.0, 1), options_of(300));
  const TaggingReplicates b = bootstrap(binormal(100, 2, 0.3, 0.5, 2), options_of(300));
  EXPECT_DOUBLE_EQ(*compare(a.micro.roc_auc, b.micro.roc_auc).difference.value.value,
                   *a.micro.roc_auc.estimate.value - *b.micro.roc_auc.estimate.value);
  // Quantiles and normal shares mirror each other up to rounding.
  EXPECT_NEAR(compare(a.macro.average_precision, b.macro.average_precision).difference.interval->low,
              -compare(b.macro.average_precision, a.macro.average_precision).difference.interval->high, 1e-9);
  EXPECT_NEAR(*compare(a.per_tag[1].roc_auc, b.per_tag[1].roc_auc).p_value,
              *compare(b.per_tag[1].roc_auc, a.per_tag[1].roc_auc).p_value, 1e-9);
  EXPECT_EQ(compare(a.accuracy, b.accuracy).difference.reason, "defined for multiclass tasks only");
}

TEST(BootstrapTest, SystemDoesNotDifferFromItself) {
  const Replicates a = bootstrap(binormal(50, 1, 0.3, 1.0, 1), options_of(200)).macro.roc_auc;
  const Comparison found = compare(a, a);
  EXPECT_EQ(*found.difference.value.value, 0.0);
  EXPECT_EQ(found.difference.interval->low, 0.0);
  EXPECT_EQ(found.difference.interval->high, 0.0);
  EXPECT_NEAR(*found.p_value, 1.0, 1e-12);
}

TEST(BootstrapTest, CombinesAnyFigureOfPairedReplicates) {
  const Replicates a = bootstrap(binormal(50, 1, 0.3, 1.0, 1), options_of(50)).macro.roc_auc;
  const Replicates b = bootstrap(binormal(50, 1, 0.3, 1.0, 2), options_of(50)).macro.roc_auc;
  const Replicates mean = combine(
      {&a, &b}, [](const std::vector<double>& values) { return std::optional<double>((values[0] + values[1]) / 2.0); });
  EXPECT_DOUBLE_EQ(*mean.estimate.value, (*a.estimate.value + *b.estimate.value) / 2.0);
  EXPECT_DOUBLE_EQ(*mean.values[7], (*a.values[7] + *b.values[7]) / 2.0);
  const Replicates none = combine({&a}, [](const std::vector<double>&) { return std::optional<double>(); });
  EXPECT_EQ(estimate_of(none).reason, "the figure is undefined for these values");
}

TEST(BootstrapTest, CombinesFoldsThatWereDrawnApart) {
  const auto mean_of_two = [](const std::vector<double>& values) {
    return std::optional<double>((values[0] + values[1]) / 2.0);
  };
  const Replicates a = bootstrap(binormal(50, 1, 0.3, 1.0, 1), options_of(50, 1)).macro.roc_auc;
  const Replicates b = bootstrap(binormal(40, 1, 0.3, 1.0, 2), options_of(50, 2)).macro.roc_auc;
  const Replicates mean = combine_independent({&a, &b}, mean_of_two);
  EXPECT_DOUBLE_EQ(*mean.values[7], (*a.values[7] + *b.values[7]) / 2.0);
  EXPECT_EQ(mean.jackknife.size(), 90U);
  EXPECT_DOUBLE_EQ(*mean.jackknife[60], (*a.estimate.value + *b.jackknife[10]) / 2.0);
  EXPECT_EQ(mean.n_units, 90);
  EXPECT_NE(mean.plan, combine_independent({&b, &a}, mean_of_two).plan);
  EXPECT_THROW(combine_independent({&a, &a}, mean_of_two), std::logic_error);
}

TEST(BootstrapTest, MeansOfOneAreThatOneAndOfSeveralKeepThePlan) {
  const Replicates first = bootstrap(binormal(50, 2, 0.3, 1.0, 1), options_of(50)).macro.average_precision;
  const Replicates second = bootstrap(binormal(50, 2, 0.3, 1.0, 2), options_of(50)).macro.average_precision;
  EXPECT_EQ(mean_of_independent({&first}).plan, first.plan);
  const Replicates mean = mean_of_paired({&first, &second});
  EXPECT_EQ(mean.plan, first.plan);
  EXPECT_TRUE(mean.recentred);
  EXPECT_DOUBLE_EQ(*mean.estimate.value, (*first.estimate.value + *second.estimate.value) / 2.0);
  EXPECT_DOUBLE_EQ(*mean.values[7], (*first.values[7] + *second.values[7]) / 2.0);
  EXPECT_THROW(mean_of_paired({}), std::logic_error);
}

TEST(BootstrapTest, ReplicatesOfOtherTracksOrSeedsAreNotPaired) {
  const TaggingData data = binormal(50, 1, 0.3, 1.0, 1);
  const Replicates a = bootstrap(data, options_of(50)).macro.roc_auc;
  EXPECT_THROW(difference(a, bootstrap(data, options_of(50, 2)).macro.roc_auc), std::logic_error);
  EXPECT_THROW(difference(a, bootstrap(data, options_of(49)).macro.roc_auc), std::logic_error);
  EXPECT_THROW(difference(a, bootstrap(binormal(51, 1, 0.3, 1.0, 1), options_of(50)).macro.roc_auc), std::logic_error);
  EXPECT_THROW(difference(a, bootstrap(data, options_of(50), std::vector<int64_t>(50, 3)).macro.roc_auc),
               std::logic_error);
}

TEST(BootstrapTest, EqualPartitionsUnderOtherNumbersArePaired) {
  const TaggingData data = binormal(4, 1, 0.5, 1.0, 3);
  const Replicates a = bootstrap(data, options_of(20), {5, 5, 9, -1}).macro.roc_auc;
  const Replicates b = bootstrap(data, options_of(20), {0, 0, 7, 2}).macro.roc_auc;
  EXPECT_EQ(a.plan, b.plan);
  EXPECT_EQ(a.values, b.values);
}

TEST(BootstrapTest, OnlyClearlyWorseSystemsAreNoTieWithTheBest) {
  const TaggingData good = binormal(300, 1, 0.3, 2.0, 1);
  TaggingData near = good;
  near.scores[0] += 0.01;
  const TaggingData bad = {good.n_tracks, 1, good.labels, std::vector<double>(300, 0.5), {}};
  const Replicates of_good = bootstrap(good, options_of(400)).macro.roc_auc;
  const Replicates of_near = bootstrap(near, options_of(400)).macro.roc_auc;
  const Replicates of_bad = bootstrap(bad, options_of(400)).macro.roc_auc;
  Replicates none = of_bad;
  none.estimate = {std::nullopt, "failed"};
  EXPECT_THAT(ties_with_best({&of_bad, &of_good, &none, &of_near}, true), ElementsAre(false, true, false, true));
  EXPECT_THAT(ties_with_best({&of_bad, &of_good}, false), ElementsAre(true, false));
  EXPECT_TRUE(ties_with_best({}, true).empty());
}

TEST(BootstrapTest, IntervalNeedsTwoTracksOfEachKindAndMostResamples) {
  const TaggingReplicates single = bootstrap(one_tag({1, 0, 0, 0}, {0.9, 0.5, 0.3, 0.1}), options_of(100));
  const Estimate estimate = estimate_of(single.per_tag[0].roc_auc);
  EXPECT_EQ(*estimate.value.value, 1.0);
  EXPECT_FALSE(estimate.interval.has_value());
  EXPECT_EQ(estimate.reason, "fewer than two tracks (or groups) of one kind");
  EXPECT_GT(estimate.n_undefined, 0);
  Replicates rare = single.per_tag[0].roc_auc;
  rare.n_units = 2;
  for (size_t r = 0; r < 51; ++r) rare.values[r] = std::nullopt;
  EXPECT_THAT(estimate_of(rare).reason, HasSubstr("of 100 resamples"));
}

TEST(BootstrapTest, UndefinedMetricsKeepTheirReason) {
  const TaggingReplicates found = bootstrap(one_tag({0, 0}, {0.5, 0.3}), options_of(10));
  EXPECT_EQ(estimates_of(found).per_tag[0].roc_auc.reason, "no positives among the known labels");
  EXPECT_EQ(estimates_of(found).accuracy.value.reason, "defined for multiclass tasks only");
  const TaggingReplicates empty =
      bootstrap_metrics({0, 1, nullptr, nullptr}, {0, 1, nullptr, nullptr}, {}, options_of(10));
  EXPECT_EQ(estimates_of(empty).micro.roc_auc.reason, "no known labels");
}

TEST(BootstrapTest, NamesBecomeGroupsAndEmptyNamesStandAlone) {
  EXPECT_THAT(group_indices({"b", "", "a", "b", ""}), ElementsAre(0, -1, 1, 0, -1));
}

TEST(BootstrapTest, RejectsImpossibleInput) {
  const TaggingData data = binormal(10, 2, 0.5, 1.0, 1);
  EXPECT_EQ(message_of([&] { bootstrap(data, options_of(0)); }),
            "bootstrap: expected between 1 and 1000000 resamples, found 0");
  EXPECT_EQ(message_of([&] {
              bootstrap(data, options_of(10), {1, 2});
            }),
            "metrics: expected one group for each of 10 tracks, found 2");
  const TaggingReplicates found = bootstrap(data, options_of(10));
  EXPECT_THROW(estimate_of(found.macro.roc_auc, 0.0), UsageError);
}

}  // namespace
}  // namespace tagbench
