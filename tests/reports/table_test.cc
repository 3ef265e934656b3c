#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "reports/report.h"
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

constexpr ReportOptions kQuick{200, 1};

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
  EXPECT_THAT(roc.notes, Contains(AllOf(HasSubstr("Fewer rows"), HasSubstr("fcn"))));
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

TEST_F(TableTest, EmptyRunHasNoTables) {
  EXPECT_TRUE(build_tables(run_, kQuick).empty());
}

}  // namespace
}  // namespace tagbench
