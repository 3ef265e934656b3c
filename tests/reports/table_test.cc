#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>

#include "harness/metrics/delong.h"
#include "perturbations/condition.h"
#include "reports/report.h"
#include "results/scored_tracks.h"
#include "tests/results/synthetic_run.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

namespace fs = std::filesystem;
using testing::add_cell;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::SyntheticCell;
using testing::SyntheticScores;
using testing::TemporaryDirectory;

const ReportOptions kQuick{200, 1};

class TableTest : public ::testing::Test {
 protected:
  TemporaryDirectory folder_;
  RunStore run_ = RunStore::create(folder_ / "run");

  // The metric's table; fails the test if there is another number of them.
  ResultTable table(const std::string& metric, const ReportOptions& options = kQuick) {
    ResultTable found;
    int n = 0;
    for (const ResultTable& each : build_tables(run_, options)) {
      if (each.metric != metric) continue;
      found = each;
      ++n;
    }
    EXPECT_EQ(n, 1);
    return found;
  }

  Row add(const std::string& model, const std::string& condition, double skill, int64_t seed = 1,
          const std::string& split = "default") {
    SyntheticCell cell;
    cell.model = model;
    cell.condition = condition;
    cell.skill = skill;
    cell.seed = seed;
    cell.split = split;
    return add_cell(run_, cell);
  }
};

TEST_F(TableTest, ALargeDifferenceIsSureAmongTwelveArchitectures) {
  for (int i = 0; i < 12; ++i) add("net" + std::to_string(i), "clean", i == 0 ? 3.0 : 0.3);
  const ResultTable roc = table("roc_auc");
  ASSERT_EQ(roc.comparisons.size(), 66U);
  for (const LineComparison& item : roc.comparisons) {
    const bool with_best = roc.lines[item.a].model_label == "net0" || roc.lines[item.b].model_label == "net0";
    EXPECT_EQ(item.is_sure(), with_best) << roc.lines[item.a].model_label << " " << roc.lines[item.b].model_label;
  }
}

TEST_F(TableTest, FiguresAreOfTheFoldsThatHaveAllTheirConditions) {
  const Row clean = add("short", "clean", 2.0, 1, "fold1");
  add("short", "clean", 0.2, 1, "fold2");
  const Row noise = add("short", "white_noise:alpha=0.1", 1.0, 1, "fold1");
  testing::write_run_order(run_, {"short"}, {"clean", "white_noise:alpha=0.1"});
  const ResultTable roc = table("roc_auc");
  const double expected = *clean.metrics->macro.roc_auc.value - *noise.metrics->macro.roc_auc.value;
  EXPECT_NEAR(*roc.lines[0].mean_drop.mean, expected, 1e-12);
  EXPECT_NEAR(*roc.lines[0].robustness.drops[1].mean, expected, 1e-12);
  EXPECT_EQ(roc.lines[0].robustness.drops[1].n, 1);
  EXPECT_FALSE(roc.lines[0].robustness.drops[1].low.has_value());
}

TEST_F(TableTest, ShowsStoredMetricsWithArchitecturesDownAndConditionsAcross) {
  const Row short_clean = add("short", "clean", 1.0);
  const Row short_noise = add("short", "white_noise:alpha=0.1", 0.5);
  const Row short_drc = add("short", "drc:preset=speech", 0.7);
  add("fcn", "clean", 0.9);
  testing::write_run_order(run_, {"short", "fcn"}, {"clean", "white_noise:alpha=0.1", "drc:preset=speech"});
  const ResultTable roc = table("roc_auc");
  EXPECT_THAT(roc.conditions, ElementsAre("clean", "white_noise:alpha=0.1", "drc:preset=speech"));
  ASSERT_EQ(roc.lines.size(), 2U);
  EXPECT_EQ(roc.lines[0].model_label, "short");
  EXPECT_EQ(roc.lines[1].model_label, "fcn");
  const double clean = *short_clean.metrics->macro.roc_auc.value;
  const double noise = *short_noise.metrics->macro.roc_auc.value;
  const double drc = *short_drc.metrics->macro.roc_auc.value;
  EXPECT_EQ(roc.lines[0].values[0].mean, clean);
  EXPECT_EQ(roc.lines[0].values[1].mean, noise);
  EXPECT_FALSE(roc.lines[0].values[0].deviation.has_value());
  EXPECT_NEAR(*roc.lines[0].mean_drop.mean, clean - (noise + drc) / 2.0, 1e-15);
  EXPECT_EQ(roc.lines[0].parameters, short_clean.parameters);
  EXPECT_EQ(roc.split_sha256, short_clean.cell.split_sha256);
  EXPECT_EQ(table("average_precision").lines[0].values[0].mean, short_clean.metrics->macro.average_precision.value);
}

TEST_F(TableTest, ConditionThatWasNotComputedHasAReasonAndNoMeanDrop) {
  add("short", "clean", 1.0);
  add("short", "white_noise:alpha=0.1", 0.5);
  add("fcn", "clean", 0.9);
  const ResultTable roc = table("roc_auc");
  EXPECT_FALSE(roc.lines[0].values[1].mean.has_value());
  EXPECT_EQ(roc.lines[0].model_label, "fcn");
  EXPECT_EQ(roc.lines[0].values[1].reason, "not computed");
  EXPECT_THAT(roc.lines[0].mean_drop.reason, HasSubstr("white_noise:alpha=0.1"));
  EXPECT_THAT(roc.notes, Contains(AllOf(HasSubstr("Rows are missing"), HasSubstr("fcn"))));
}

TEST_F(TableTest, OnlyASureDifferenceMarksTheBest) {
  add("weak", "clean", 0.2);
  add("strong", "clean", 2.0);
  ResultTable roc = table("roc_auc");
  EXPECT_TRUE(roc.lines[0].values[0].best);
  EXPECT_EQ(roc.lines[0].model_label, "strong");
  EXPECT_FALSE(roc.lines[1].values[0].best);
  add("as_strong", "clean", 2.0);
  roc = table("roc_auc");
  for (const ResultTable::Line& line : roc.lines) EXPECT_FALSE(line.values[0].best) << line.model_label;
  EXPECT_THAT(roc.notes, Contains(HasSubstr("No value is marked as best")));
}

TEST_F(TableTest, OneArchitectureAloneIsNotMarked) {
  add("short", "clean", 2.0);
  EXPECT_FALSE(table("roc_auc").lines[0].values[0].best);
}

TEST_F(TableTest, WithoutResamplesThereAreNoIntervalsAndNoMarks) {
  add("weak", "clean", 0.2);
  add("strong", "clean", 2.0);
  const ResultTable roc = table("roc_auc", {0, 1});
  EXPECT_FALSE(roc.lines[0].values[0].best);
  EXPECT_FALSE(roc.lines[0].values[0].low.has_value());
}

TEST_F(TableTest, WorkBeyondTheLimitIsLeftOutAndSaid) {
  add("strong", "clean", 2.0);
  ReportOptions options = kQuick;
  options.most_resampled_labels = 1000;
  const ResultTable roc = table("roc_auc", options);
  EXPECT_EQ(roc.resamples, 0);
  EXPECT_THAT(roc.notes, Contains(HasSubstr("No intervals")));
}

TEST_F(TableTest, IntervalsHoldTheEstimateAlsoForAveragePrecisionOfFewPositives) {
  SyntheticCell cell;
  cell.task = "multiclass";
  cell.n_tags = 15;
  cell.n_tracks = 90;
  cell.skill = 0.3;
  add_cell(run_, cell);
  for (const char* metric : {"accuracy", "roc_auc", "average_precision"}) {
    const TableValue value = table(metric).lines[0].values[0];
    ASSERT_TRUE(value.low.has_value()) << metric;
    EXPECT_LT(*value.low, *value.mean) << metric;
    EXPECT_GT(*value.high, *value.mean) << metric;
  }
}

TEST_F(TableTest, SeedsAreAveragedWithTheirDeviation) {
  std::vector<double> values;
  for (const int64_t seed : {1, 2, 3}) values.push_back(*add("short", "clean", 1.0, seed).metrics->macro.roc_auc.value);
  const ResultTable roc = table("roc_auc");
  const double mean = (values[0] + values[1] + values[2]) / 3.0;
  double sum = 0.0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  EXPECT_NEAR(*roc.lines[0].values[0].mean, mean, 1e-15);
  EXPECT_NEAR(*roc.lines[0].values[0].deviation, std::sqrt(sum / 2.0), 1e-15);
  EXPECT_EQ(roc.lines[0].values[0].n, 3);
  EXPECT_THAT(roc.notes, Contains(HasSubstr("3 seeds")));
}

TEST_F(TableTest, FoldsAreAveragedInOneTable) {
  std::vector<double> values;
  for (const std::string split : {"fold1", "fold2", "fold10"}) {
    values.push_back(*add("short", "clean", 1.0, 1, split).metrics->macro.roc_auc.value);
  }
  const ResultTable roc = table("roc_auc");
  EXPECT_EQ(roc.split, "fold1 to fold10");
  EXPECT_NEAR(*roc.lines[0].values[0].mean, (values[0] + values[1] + values[2]) / 3.0, 1e-15);
  EXPECT_TRUE(roc.lines[0].values[0].low.has_value());
  EXPECT_THAT(roc.notes, Contains(HasSubstr("each fold drawn apart")));
}

TEST_F(TableTest, OtherNamedSplitsAreNotAveraged) {
  add("short", "clean", 1.0, 1, "split-0");
  add("short", "clean", 1.0, 1, "split-1");
  EXPECT_EQ(build_tables(run_, kQuick).size(), 4U);
}

TEST_F(TableTest, RowsOfAnotherSplitHashOrPrecisionStandApartAndAreNamed) {
  add("short", "clean", 1.0);
  SyntheticScores other = testing::synthetic_scores({});
  other.row.cell.split_sha256 = "0123456789abcdef";
  add_cell(run_, other);
  other = testing::synthetic_scores({});
  other.row.cell.precision = "bf16";
  add_cell(run_, other);
  const std::vector<ResultTable> tables = build_tables(run_, kQuick);
  ASSERT_EQ(tables.size(), 6U);
  for (const ResultTable& each : tables) {
    EXPECT_EQ(each.lines.size(), 1U);
    EXPECT_EQ(each.lines[0].values[0].n, 1);
    EXPECT_THAT(each.notes, Contains(AllOf(HasSubstr("not to be merged"), HasSubstr("precision"))));
  }
}

TEST_F(TableTest, FoldsOfTwoAssignmentsAreNotAveraged) {
  add("short", "clean", 1.0, 1, "fold1");
  add("short", "clean", 1.0, 1, "fold2");
  SyntheticCell cell;
  cell.split = "fold2";
  SyntheticScores other = testing::synthetic_scores(cell);
  other.row.cell.split_sha256 = "other";
  add_cell(run_, other);
  const std::vector<ResultTable> tables = build_tables(run_, kQuick);
  ASSERT_EQ(tables.size(), 6U);
  for (const ResultTable& each : tables) EXPECT_EQ(each.splits.size(), 1U);
}

TEST_F(TableTest, TwoVersionsOfAPerturbationAreTwoColumns) {
  add("short", "clean", 1.0);
  add("short", "white_noise:alpha=0.1", 0.5);
  SyntheticCell cell;
  cell.condition = "white_noise:alpha=0.1";
  SyntheticScores other = testing::synthetic_scores(cell);
  other.row.cell.condition_key = "white_noise@2";
  add_cell(run_, other);
  EXPECT_EQ(table("roc_auc").conditions.size(), 3U);
}

TEST_F(TableTest, OneLabelWithTwoWeightsIsTwoLines) {
  SyntheticScores first = testing::synthetic_scores({});
  first.row.cell.weights_sha256 = "aaaaaaaaaaaa";
  add_cell(run_, first);
  first.row.cell.weights_sha256 = "bbbbbbbbbbbb";
  add_cell(run_, first);
  const ResultTable roc = table("roc_auc");
  ASSERT_EQ(roc.lines.size(), 2U);
  EXPECT_THAT(roc.lines[0].model_label, HasSubstr("aaaaaaaa"));
}

TEST_F(TableTest, FailedCellsAreCountedWithTheirMessage) {
  add("short", "clean", 1.0);
  SyntheticCell cell;
  cell.condition = "white_noise:alpha=0.1";
  testing::add_failed_cell(run_, cell, "no memory left");
  const ResultTable roc = table("roc_auc");
  EXPECT_EQ(roc.lines[0].n_failed, 1);
  EXPECT_EQ(roc.lines[0].values[1].reason, "failed: no memory left");
  EXPECT_THAT(roc.notes,
              Contains(AllOf(HasSubstr("Failed"), HasSubstr("white_noise:alpha=0.1"), HasSubstr("no memory left"))));
}

TEST_F(TableTest, OmissionsAreCountedAndNamed) {
  SyntheticScores made = testing::synthetic_scores({});
  for (size_t track = 0; track < 60; ++track) made.labels[track * 4] = 0;
  std::vector<uint8_t> labels = made.labels;
  made.row.metrics = compute_metrics({60, 4, labels.data(), nullptr}, {60, 4, made.scores.data(), nullptr});
  made.row.n_short_tracks = 7;
  for (int i = 0; i < 9; ++i) made.row.failures.push_back({"lost" + std::to_string(i) + ".wav", "empty file"});
  add_cell(run_, made);
  const ResultTable roc = table("roc_auc");
  EXPECT_THAT(roc.notes, Contains(AllOf(HasSubstr("Undefined tags"), HasSubstr("1 of 4: tag0"))));
  EXPECT_THAT(roc.notes,
              Contains(AllOf(HasSubstr("9 tracks"), HasSubstr("lost0.wav (empty file)"), HasSubstr("and 4 more"))));
  EXPECT_THAT(roc.notes, Contains(HasSubstr("7 of 60")));
  EXPECT_EQ(roc.lines[0].n_tracks_left_out, 9);
}

TEST_F(TableTest, MissingScoresAreToldAndTheValuesStand) {
  const Row row = add("short", "clean", 1.0);
  fs::remove(run_.cell_directory(row.cell.key()) / "scores.npy");
  const ResultTable roc = table("roc_auc");
  EXPECT_TRUE(roc.lines[0].values[0].mean.has_value());
  EXPECT_FALSE(roc.lines[0].values[0].low.has_value());
  EXPECT_THAT(roc.notes, Contains(AllOf(HasSubstr("No interval"), HasSubstr("scores.npy"))));
}

TEST_F(TableTest, CellsOfDifferentTracksAreComparedOnThoseTheyShare) {
  add("weak", "clean", 0.2);
  SyntheticCell cell;
  cell.model = "strong";
  cell.skill = 2.0;
  SyntheticScores strong = testing::synthetic_scores(cell);
  strong.track_ids.pop_back();
  strong.groups.pop_back();
  strong.labels.resize(59 * 4);
  strong.scores.resize(59 * 4);
  strong.row.n_tracks = 59;
  strong.row.metrics = compute_metrics({59, 4, strong.labels.data(), nullptr}, {59, 4, strong.scores.data(), nullptr});
  add_cell(run_, strong);
  const ResultTable roc = table("roc_auc");
  EXPECT_TRUE(roc.lines[0].values[0].best);
  EXPECT_THAT(roc.notes, Contains(HasSubstr("59 tracks that all hold")));
}

TEST_F(TableTest, ThroughputStandsBesideAccuracyUnlessInvalid) {
  add("short", "clean", 1.0);
  add("fcn", "clean", 1.0);
  ThroughputRow row;
  row.model_label = "short";
  row.part = "whole";
  row.precision = "fp32";
  row.device = "cpu";
  row.threads = 2;
  row.batch = 16;
  row.clips_per_s = 17.5;
  ThroughputRow single = row;
  single.batch = 1;
  single.clips_per_s.reset();
  single.p50_ms = 61.0;
  ThroughputRow invalid = row;
  invalid.model_label = "fcn";
  invalid.valid = false;
  invalid.invalid_reason = "load 3.1";
  run_.write_throughput({row, single, invalid});
  const ResultTable roc = table("roc_auc");
  EXPECT_EQ(roc.lines[1].clips_per_s, 17.5);
  EXPECT_EQ(roc.lines[1].latency_p50_ms, 61.0);
  EXPECT_FALSE(roc.lines[0].clips_per_s.has_value());
  EXPECT_EQ(roc.lines[0].throughput_note, "invalid: load 3.1");
  EXPECT_THAT(roc.notes, Contains(HasSubstr("cpu, 2 threads, fp32")));
}

TEST_F(TableTest, MulticlassRunsHaveAnAccuracyTableFirst) {
  SyntheticCell cell;
  cell.task = "multiclass";
  const Row row = add_cell(run_, cell);
  const std::vector<ResultTable> tables = build_tables(run_, kQuick);
  ASSERT_EQ(tables.size(), 3U);
  EXPECT_EQ(tables[0].metric, "accuracy");
  EXPECT_EQ(tables[0].lines[0].values[0].mean, row.metrics->accuracy.value);
}

TEST_F(TableTest, ResultsDoNotDependOnTheNumberOfCellsComputedTogether) {
  add("short", "clean", 1.0);
  const TableValue alone = table("roc_auc").lines[0].values[0];
  add("zulu", "clean", 0.5);
  const TableValue together = table("roc_auc").lines[0].values[0];
  EXPECT_EQ(alone.low, together.low);
  EXPECT_EQ(alone.high, together.high);
}

TEST_F(TableTest, IntervalsAreThoseOfTheBootstrap) {
  const Row row = add("short", "clean", 1.0);
  const TaggingReplicates replicates = resample(scored_tracks(run_, row), row.cell.split + " " + row.cell.split_sha256,
                                                false, kQuick.resamples, kQuick.seed, 1);
  for (const char* metric : {"roc_auc", "average_precision"}) {
    const Interval expected = *estimate_of(replicates_of(replicates, metric)).interval;
    const TableValue value = table(metric).lines[0].values[0];
    EXPECT_EQ(value.low, expected.low) << metric;
    EXPECT_EQ(value.high, expected.high) << metric;
  }
}

TEST_F(TableTest, DeviationIsOverSeedsWithFoldsAveragedWithinEach) {
  std::map<int64_t, double> means;
  for (const int64_t seed : {1, 2}) {
    for (const std::string split : {"fold1", "fold2"})
      means[seed] += *add("short", "clean", seed == 1 ? 1.0 : 0.7, seed, split).metrics->macro.roc_auc.value / 2.0;
  }
  const ResultTable roc = table("roc_auc");
  EXPECT_NEAR(*roc.lines[0].values[0].deviation, std::abs(means[1] - means[2]) / std::sqrt(2.0), 1e-15);
  EXPECT_EQ(roc.lines[0].values[0].n, 4);
  EXPECT_THAT(roc.notes, Contains(HasSubstr("deviation over seeds")));
}

TEST_F(TableTest, EveryPairIsComparedUnderEveryConditionAndCorrectedAfterHolm) {
  std::map<std::string, double> clean;
  for (const char* model : {"a", "b", "c"}) {
    const double skill = model[0] == 'c' ? 1.4 : model[0] == 'a' ? 0.5 : 0.52;
    clean[model] = *add(model, "clean", skill).metrics->macro.roc_auc.value;
    add(model, "gain:gain_db=3", 0.5 * skill);
  }
  const ResultTable roc = table("roc_auc");
  ASSERT_EQ(roc.comparisons.size(), 9U);
  std::vector<std::optional<double>> p_values;
  for (size_t i = 0; i < 3; ++i) {
    const LineComparison& item = roc.comparisons[i];
    EXPECT_EQ(item.condition, "clean");
    EXPECT_NEAR(*item.difference, clean[roc.lines[item.a].model_label] - clean[roc.lines[item.b].model_label], 1e-15);
    EXPECT_TRUE(item.low < item.difference && item.difference < item.high);
    EXPECT_FALSE(item.seed_error.has_value());
    EXPECT_EQ(item.is_sure(), item.b == 2) << item.a << " " << item.b;
    p_values.push_back(item.p_value);
  }
  const auto adjusted = holm_adjusted(p_values);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(roc.comparisons[i].p_adjusted, adjusted[i]);
  EXPECT_EQ(roc.comparisons[3].condition, "gain:gain_db=3");
  EXPECT_EQ(roc.comparisons[6].condition, "mean drop");
}

TEST_F(TableTest, SpreadOverSeedsStandsBesideTheInterval) {
  for (const char* model : {"a", "b"}) {
    for (const int64_t seed : {1, 2, 3}) add(model, "clean", 1.0, seed);
  }
  const ResultTable roc = table("roc_auc");
  ASSERT_EQ(roc.comparisons.size(), 1U);
  const double of_a = *roc.lines[0].values[0].deviation;
  const double of_b = *roc.lines[1].values[0].deviation;
  EXPECT_NEAR(*roc.comparisons[0].seed_error, std::sqrt((of_a * of_a + of_b * of_b) / 3.0), 1e-15);
}

TEST_F(TableTest, TagsAreComparedAfterDelongOverGroups) {
  const Row a = add("a", "clean", 1.5);
  const Row b = add("b", "clean", 0.5);
  const ResultTable roc = table("roc_auc");
  ASSERT_EQ(roc.tag_comparisons.size(), 4U);
  const ScoredTracks of_a = scored_tracks(run_, a);
  const ScoredTracks of_b = scored_tracks(run_, b);
  const std::vector<int64_t> groups = group_indices(of_a.groups);
  std::vector<std::optional<double>> p_values;
  for (size_t t = 0; t < 4; ++t) {
    const auto tag = static_cast<int64_t>(t);
    const DelongComparison expected =
        compare_placements({placements(of_a.label_matrix(), of_a.score_matrix(), tag, groups)},
                           {placements(of_b.label_matrix(), of_b.score_matrix(), tag, groups)});
    EXPECT_EQ(roc.tag_comparisons[t].tag, "tag" + std::to_string(t));
    EXPECT_NEAR(*roc.tag_comparisons[t].difference,
                *a.metrics->per_tag[t].roc_auc.value - *b.metrics->per_tag[t].roc_auc.value, 1e-12);
    EXPECT_EQ(roc.tag_comparisons[t].p_value, expected.p_value);
    EXPECT_EQ(roc.tag_comparisons[t].low, expected.interval->low);
    p_values.push_back(expected.p_value);
  }
  const auto adjusted = benjamini_hochberg_adjusted(p_values);
  for (size_t t = 0; t < 4; ++t) EXPECT_EQ(roc.tag_comparisons[t].p_adjusted, adjusted[t]);
  ASSERT_EQ(roc.tag_estimates.size(), 8U);
  const auto estimates = delong_per_tag(of_b.label_matrix(), of_b.score_matrix(), groups);
  for (size_t t = 0; t < 4; ++t) {
    const TagEstimate& found = roc.tag_estimates[4 + t];
    EXPECT_EQ(found.line, 1U);
    EXPECT_EQ(found.tag, "tag" + std::to_string(t));
    EXPECT_NEAR(*found.roc_auc, *b.metrics->per_tag[t].roc_auc.value, 1e-12);
    EXPECT_EQ(found.low, estimates[t].interval->low);
    EXPECT_EQ(found.high, estimates[t].interval->high);
  }
  EXPECT_TRUE(table("average_precision").tag_comparisons.empty());
}

// An interrupted run of seeds and folds: a fold with more seeds than another weighs no more, in the value as in its
// interval.
TEST_F(TableTest, FoldsWeighTheSameWhateverTheirSeeds) {
  std::vector<double> of_fold1;
  for (int64_t seed = 1; seed <= 3; ++seed)
    of_fold1.push_back(*add("short", "clean", 0.3, seed, "fold1").metrics->macro.roc_auc.value);
  const double of_fold2 = *add("short", "clean", 2.5, 1, "fold2").metrics->macro.roc_auc.value;
  const ResultTable roc = table("roc_auc");
  const TableValue& value = roc.lines[0].values[0];
  EXPECT_NEAR(*value.mean, ((of_fold1[0] + of_fold1[1] + of_fold1[2]) / 3.0 + of_fold2) / 2.0, 1e-12);
  EXPECT_LE(*value.low, *value.mean);
  EXPECT_GE(*value.high, *value.mean);
  EXPECT_FALSE(value.deviation.has_value());  // one seed has both folds
  EXPECT_THAT(roc.notes, Contains(AllOf(HasSubstr("Rows are missing"), HasSubstr("clean 4 of 6"))));
}

// A condition that left tracks out: drops are of the tracks that both hold, value and interval alike.
TEST_F(TableTest, DropsAreOfTheTracksThatAllConditionsHold) {
  SyntheticCell cell;
  SyntheticScores clean = testing::synthetic_scores(cell);
  cell.condition = "white_noise:alpha=0.1";
  cell.skill = 0.5;
  SyntheticScores noise = testing::synthetic_scores(cell);
  const auto metrics_of = [](const SyntheticScores& made, int64_t n) {
    return compute_metrics({n, 4, made.labels.data(), nullptr}, {n, 4, made.scores.data(), nullptr});
  };
  noise.track_ids.resize(30);
  noise.groups.resize(30);
  noise.labels.resize(30 * 4);
  noise.scores.resize(30 * 4);
  noise.row.n_tracks = 30;
  noise.row.metrics = metrics_of(noise, 30);
  add_cell(run_, clean);
  add_cell(run_, noise);
  testing::write_run_order(run_, {"short"}, {"clean", "white_noise:alpha=0.1"});
  const ResultTable roc = table("roc_auc");
  const double expected = *metrics_of(clean, 30).macro.roc_auc.value - *noise.row.metrics->macro.roc_auc.value;
  EXPECT_TRUE(roc.on_common_tracks);
  EXPECT_NEAR(*roc.lines[0].mean_drop.mean, expected, 1e-9);
  EXPECT_NEAR(*roc.lines[0].robustness.drops[1].mean, expected, 1e-9);
  EXPECT_LE(*roc.lines[0].mean_drop.low, expected);
  EXPECT_GE(*roc.lines[0].mean_drop.high, expected);
  EXPECT_EQ(roc.lines[0].values[0].mean, clean.row.metrics->macro.roc_auc.value);
}

TEST_F(TableTest, StepsOfALadderCountUnderWhateverName) {
  std::vector<double> values = {*add("short", "clean", 2.0).metrics->macro.roc_auc.value};
  double skill = 1.5;
  for (const char* condition : {"pitch_shift@1", "pitch_shift:semitones=2", "pitch_shift@3"}) {
    SyntheticCell cell;
    cell.condition = condition;
    cell.skill = skill;
    SyntheticScores made = testing::synthetic_scores(cell);
    // The second is what step 2 is called where the run names it by its setting.
    const bool by_setting = cell.condition.find('@') == std::string::npos;
    made.row.cell.condition_key = Condition::parse(by_setting ? "pitch_shift@2" : cell.condition).key();
    values.push_back(*add_cell(run_, made).metrics->macro.roc_auc.value);
    skill *= 0.6;
  }
  testing::write_run_order(run_, {"short"}, {"clean", "pitch_shift@1", "pitch_shift:semitones=2", "pitch_shift@3"});
  const ResultTable roc = table("roc_auc");
  ASSERT_EQ(roc.ladders, std::vector<std::string>{"pitch_shift"});
  EXPECT_NEAR(*roc.lines[0].robustness.severity_areas.at(0).mean,
              (0.5 * values[0] + values[1] + values[2] + 0.5 * values[3]) / 3.0, 1e-12);
}

TEST_F(TableTest, RobustnessFiguresAreThoseOfTheirDefinitions) {
  const std::vector<std::string> conditions = {"clean", "mp3@1", "mp3@2", "gain:gain_db=3"};
  std::map<std::string, std::vector<double>> values;
  for (const char* model : {"a", "b"}) {
    double skill = model[0] == 'a' ? 1.2 : 1.0;
    for (const std::string& condition : conditions) {
      values[model].push_back(*add(model, condition, skill).metrics->macro.roc_auc.value);
      skill *= model[0] == 'a' ? 0.6 : 0.8;
    }
  }
  testing::write_run_order(run_, {"a", "b"}, conditions);
  ReportOptions options = kQuick;
  options.reference = "b";
  const ResultTable roc = table("roc_auc", options);
  EXPECT_EQ(roc.reference, "b");
  EXPECT_EQ(roc.ladders, std::vector<std::string>{"mp3"});
  const std::vector<double>& a = values["a"];
  const std::vector<double>& b = values["b"];
  const RobustnessFigures& figures = roc.lines[0].robustness;
  const auto near = [](const TableValue& value, double expected) {
    EXPECT_NEAR(*value.mean, expected, 1e-12);
    EXPECT_LE(*value.low, expected);
    EXPECT_GE(*value.high, expected);
  };
  EXPECT_FALSE(figures.drops[0].mean.has_value());
  for (size_t c = 1; c < 4; ++c) near(figures.drops[c], a[0] - a[c]);
  near(figures.perturbed_mean, (a[1] + a[2] + a[3]) / 3.0);
  near(figures.relative_robustness, ((a[1] + a[2] + a[3]) / 3.0 - 0.5) / (a[0] - 0.5));
  near(figures.corruption_error, ((2.0 - a[1] - a[2]) / (2.0 - b[1] - b[2]) + (1.0 - a[3]) / (1.0 - b[3])) / 2.0);
  near(figures.relative_corruption_error,
       ((2.0 * a[0] - a[1] - a[2]) / (2.0 * b[0] - b[1] - b[2]) + (a[0] - a[3]) / (b[0] - b[3])) / 2.0);
  near(figures.severity_areas.at(0), (0.5 * a[0] + a[1] + 0.5 * a[2]) / 2.0);
  EXPECT_EQ(figures.ranks[0], a[0] > b[0] ? 1.0 : 2.0);
  EXPECT_EQ(figures.rank_changes[3], *figures.ranks[0] - *figures.ranks[3]);
  EXPECT_EQ(roc.lines[1].robustness.corruption_error.mean, 1.0);
  options.reference = "c";
  EXPECT_THAT(testing::message_of([&] { build_tables(run_, options); }),
              AllOf(HasSubstr("reference architecture"), HasSubstr("'c'")));
}

TEST_F(TableTest, FiguresOverAConditionThatIsMissingSayWhich) {
  add("a", "clean", 1.0);
  add("a", "mp3@1", 0.8);
  add("b", "clean", 1.0);
  const RobustnessFigures figures = table("roc_auc").lines[1].robustness;
  EXPECT_EQ(figures.relative_robustness.reason, "no value under mp3@1");
  EXPECT_FALSE(figures.corruption_error.mean.has_value());
}

TEST_F(TableTest, CellsWithOtherLabelsForTheSameTracksAreNotPaired) {
  add("weak", "clean", 0.2);
  SyntheticCell cell;
  cell.model = "strong";
  cell.skill = 2.0;
  SyntheticScores strong = testing::synthetic_scores(cell);
  strong.labels[0] = static_cast<uint8_t>(1 - strong.labels[0]);
  strong.row.metrics = compute_metrics({60, 4, strong.labels.data(), nullptr}, {60, 4, strong.scores.data(), nullptr});
  add_cell(run_, strong);
  const ResultTable roc = table("roc_auc");
  EXPECT_THAT(roc.notes, Contains(HasSubstr("different labels for the same tracks")));
  EXPECT_THAT(roc.notes, Contains(HasSubstr("Single tags are not compared")));
  EXPECT_FALSE(roc.lines[0].values[0].best);
  EXPECT_TRUE(roc.lines[0].values[0].low.has_value());
  EXPECT_FALSE(roc.comparisons.at(0).difference.has_value());
}

TEST_F(TableTest, SeedsWithOtherGroupsOrTracksAreDrawnOnWhatTheyShare) {
  add("short", "clean", 1.0, 1);
  SyntheticCell cell;
  cell.seed = 2;
  SyntheticScores second = testing::synthetic_scores(cell);
  second.groups.assign(60, "");
  add_cell(run_, second);
  EXPECT_TRUE(table("roc_auc").lines[0].values[0].low.has_value());
}

TEST_F(TableTest, RowsOfOtherTagsStandApart) {
  add("short", "clean", 1.0);
  SyntheticCell cell;
  cell.model = "fcn";
  SyntheticScores other = testing::synthetic_scores(cell);
  other.row.tags[1] = "another";
  add_cell(run_, other);
  const std::vector<ResultTable> tables = build_tables(run_, kQuick);
  ASSERT_EQ(tables.size(), 4U);
  EXPECT_THAT(tables[0].notes, Contains(AllOf(HasSubstr("not to be merged"), HasSubstr("tags 4 ("))));
}

TEST_F(TableTest, EmptyRunHasNoTables) {
  EXPECT_TRUE(build_tables(run_, kQuick).empty());
}

}  // namespace
}  // namespace tagbench
