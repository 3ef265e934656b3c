#include "reports/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "harness/core/files.h"
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
using testing::message_of;
using testing::SyntheticCell;
using testing::SyntheticScores;
using testing::TemporaryDirectory;

constexpr CompareOptions kFewResamples{200, 1, 1, true};

class CompareTest : public ::testing::Test {
 protected:
  TemporaryDirectory folder_;
  RunStore a_ = RunStore::create(folder_ / "a");
  RunStore b_ = RunStore::create(folder_ / "b");

  void SetUp() override {
    for (const RunStore* run : {&a_, &b_}) run->write_run_json({{"status", "done"}});
  }
  RunComparison compare() {
    return compare_runs(ComparedSide::open(folder_ / "a"), ComparedSide::open(folder_ / "b"), kFewResamples);
  }
};

// One tag of B is turned into noise.
SyntheticScores with_broken_tag(const SyntheticCell& cell, size_t tag) {
  SyntheticScores made = testing::synthetic_scores(cell);
  for (size_t track = 0; track < 60; ++track)
    made.scores[track * 4 + tag] = static_cast<float>((track * 37) % 60) / 60.0F;
  made.row.metrics = compute_metrics({60, 4, made.labels.data(), nullptr}, {60, 4, made.scores.data(), nullptr});
  return made;
}

TEST_F(CompareTest, EqualRunsDifferByNothing) {
  SyntheticCell cell;
  add_cell(a_, cell);
  add_cell(b_, cell);
  const RunComparison comparison = compare();
  ASSERT_EQ(comparison.overall.size(), 2U);
  for (const PairedDifference& item : comparison.overall) {
    EXPECT_EQ(item.difference, 0.0);
    EXPECT_EQ(item.low, 0.0);
    EXPECT_EQ(item.high, 0.0);
    EXPECT_EQ(item.p_value, 1.0);
    EXPECT_FALSE(item.matters());
  }
  EXPECT_TRUE(comparison.settings.empty());
  EXPECT_TRUE(comparison.notes.empty());
  EXPECT_TRUE(comparison.gaps.empty());
}

TEST_F(CompareTest, BrokenTagComesFirst) {
  SyntheticCell cell;
  cell.skill = 2.0;
  const Row row = add_cell(a_, cell);
  const SyntheticScores broken = with_broken_tag(cell, 2);
  add_cell(b_, broken);
  const RunComparison comparison = compare();
  EXPECT_EQ(comparison.per_tag.at(0).tag, "tag2");
  EXPECT_TRUE(comparison.per_tag.at(0).matters());
  EXPECT_LT(*comparison.per_tag.at(0).high, 0.0);
  for (const PairedDifference& item : comparison.per_tag) EXPECT_EQ(item.matters(), item.tag == "tag2") << item.tag;
  EXPECT_TRUE(comparison.overall.at(0).matters());
  for (const PairedDifference& item : comparison.overall) {
    if (item.metric != "roc_auc") continue;
    EXPECT_NEAR(*item.difference, *broken.row.metrics->macro.roc_auc.value - *row.metrics->macro.roc_auc.value, 1e-12);
  }
  EXPECT_THAT(comparison_table(comparison), AllOf(HasSubstr("B lower"), HasSubstr("tag2"), HasSubstr("p adjusted")));
}

TEST_F(CompareTest, FoldsAndSeedsAreAveraged) {
  double sum_a = 0.0;
  double sum_b = 0.0;
  for (const char* split : {"fold1", "fold2"}) {
    for (const int64_t seed : {1, 2}) {
      SyntheticCell cell;
      cell.split = split;
      cell.seed = seed;
      sum_a += *add_cell(a_, cell).metrics->macro.roc_auc.value;
      cell.skill = 0.8;
      sum_b += *add_cell(b_, cell).metrics->macro.roc_auc.value;
    }
  }
  const RunComparison comparison = compare();
  ASSERT_EQ(comparison.overall.size(), 2U);
  for (const PairedDifference& item : comparison.overall) {
    EXPECT_EQ(item.n_tracks, 120);
    if (item.metric == "roc_auc") {
      EXPECT_NEAR(*item.difference, (sum_b - sum_a) / 4.0, 1e-12);
    }
  }
}

TEST_F(CompareTest, OtherSplitsAreNotCompared) {
  SyntheticScores made = testing::synthetic_scores({});
  add_cell(a_, made);
  made.row.cell.split_sha256 = "other";
  add_cell(b_, made);
  const RunComparison comparison = compare();
  EXPECT_TRUE(comparison.overall.empty());
  EXPECT_THAT(comparison.notes, Contains(AllOf(HasSubstr("Not compared, split: default"), HasSubstr("(other) in B"))));
  EXPECT_THAT(comparison_table(comparison), HasSubstr("Nothing could be compared"));
}

TEST_F(CompareTest, OtherLabelsAreNotCompared) {
  SyntheticScores made = testing::synthetic_scores({});
  add_cell(a_, made);
  made.labels[0] = static_cast<uint8_t>(1 - made.labels[0]);
  made.row.metrics = compute_metrics({60, 4, made.labels.data(), nullptr}, {60, 4, made.scores.data(), nullptr});
  add_cell(b_, made);
  const RunComparison comparison = compare();
  EXPECT_TRUE(comparison.overall.empty());
  EXPECT_THAT(comparison.notes, Contains(HasSubstr("different labels")));
}

TEST_F(CompareTest, TracksOfOneSideOnlyAreLeftOutAndCounted) {
  add_cell(a_, SyntheticCell{});
  SyntheticScores shorter = testing::synthetic_scores({});
  shorter.track_ids.erase(shorter.track_ids.begin());
  shorter.groups.erase(shorter.groups.begin());
  shorter.labels.erase(shorter.labels.begin(), shorter.labels.begin() + 4);
  shorter.scores.erase(shorter.scores.begin(), shorter.scores.begin() + 4);
  shorter.row.n_tracks = 59;
  shorter.row.metrics =
      compute_metrics({59, 4, shorter.labels.data(), nullptr}, {59, 4, shorter.scores.data(), nullptr});
  add_cell(b_, shorter);
  const RunComparison comparison = compare();
  ASSERT_FALSE(comparison.overall.empty());
  EXPECT_EQ(comparison.overall[0].n_tracks, 59);
  EXPECT_EQ(comparison.overall[0].difference, 0.0);
  EXPECT_THAT(comparison.notes, Contains(HasSubstr("1 tracks that not all cells have")));
}

TEST_F(CompareTest, FailedMissingAndDamagedCellsAreTold) {
  SyntheticCell cell;
  add_cell(a_, cell);
  testing::add_failed_cell(b_, cell, "no memory");
  cell.condition = "drc:preset=speech";
  const Row row = add_cell(a_, cell);
  cell.condition = "gain:db=3";
  add_cell(b_, cell);
  cell.condition = "hum:hz=50";
  const Row lost = add_cell(a_, cell);
  add_cell(b_, cell);
  fs::remove(a_.cell_directory(lost.cell.key()) / "scores.npy");
  const RunComparison comparison = compare();
  EXPECT_THAT(comparison.notes, Contains(HasSubstr("a cell failed in B")));
  EXPECT_THAT(comparison.notes, Contains(AllOf(HasSubstr("Only in A"), HasSubstr("drc:preset=speech"))));
  EXPECT_THAT(comparison.notes, Contains(AllOf(HasSubstr("Only in B"), HasSubstr("gain:db=3"))));
  EXPECT_THAT(comparison.notes, Contains(AllOf(HasSubstr("hum:hz=50"), HasSubstr("scores.npy"))));
}

// A run of two protocols against one of a single protocol: only equal cells meet.
TEST_F(CompareTest, ProtocolsAndWeightsOfOneNameAreNotAveraged) {
  SyntheticScores made = testing::synthetic_scores({});
  add_cell(b_, made);
  add_cell(a_, made);
  SyntheticCell worse;
  worse.skill = 0.1;
  SyntheticScores other = testing::synthetic_scores(worse);
  other.row.cell.protocol = "quick";
  other.row.cell.protocol_sha256 = std::string(64, 'e');
  add_cell(a_, other);
  other.row.cell.weights_sha256 = std::string(64, '1');
  add_cell(a_, other);
  const RunComparison comparison = compare();
  ASSERT_EQ(comparison.overall.size(), 2U);
  for (const PairedDifference& item : comparison.overall) EXPECT_EQ(item.difference, 0.0);
  EXPECT_THAT(comparison.overall[0].subject, HasSubstr("protocol won2020"));
  EXPECT_THAT(comparison.notes, ElementsAre(AllOf(HasSubstr("Only in A"), HasSubstr("(and 1 more)"))));
}

TEST_F(CompareTest, WhatDiffersBetweenTwoCounterpartsIsTold) {
  SyntheticScores made = testing::synthetic_scores({});
  add_cell(a_, made);
  made.row.cell.protocol_sha256 = std::string(64, 'e');
  made.row.cell.weights_sha256 = std::string(64, '1');
  add_cell(b_, made);
  const RunComparison comparison = compare();
  EXPECT_EQ(comparison.overall.size(), 2U);
  EXPECT_THAT(comparison.notes, ElementsAre(AllOf(HasSubstr("Compared although they differ, weights: trained in the "
                                                            "run in A, 111111111111 in B; protocol: won2020 ("),
                                                  HasSubstr("short, split default, clean"))));
}

TEST_F(CompareTest, OneUnreadableFoldIsLeftOut) {
  for (const char* split : {"fold1", "fold2", "fold3"}) {
    SyntheticCell cell;
    cell.split = split;
    add_cell(a_, cell);
    SyntheticScores made = testing::synthetic_scores(cell);
    if (cell.split == "fold2") made.scores[5] = std::nanf("");
    add_cell(b_, made);
  }
  const RunComparison comparison = compare();
  ASSERT_EQ(comparison.overall.size(), 2U);
  EXPECT_EQ(comparison.overall[0].n_tracks, 120);
  EXPECT_TRUE(comparison.overall[0].low);
  EXPECT_THAT(comparison.notes, ElementsAre(AllOf(HasSubstr("Left out of the folds compared"), HasSubstr("fold2"),
                                                  HasSubstr("scores.npy"))));
}

TEST_F(CompareTest, WithoutScoresTheValuesOfTheRowsStand) {
  SyntheticCell cell;
  const Row of_a = add_cell(a_, cell);
  cell.skill = 0.8;
  const Row of_b = add_cell(b_, cell);
  fs::remove(b_.cell_directory(of_b.cell.key()) / "scores.npy");
  RunComparison comparison = compare();
  ASSERT_EQ(comparison.overall.size(), 2U);
  EXPECT_EQ(comparison.per_tag.size(), 8U);
  for (const PairedDifference& item : comparison.overall) {
    if (item.metric == "roc_auc") {
      EXPECT_NEAR(*item.difference, *of_b.metrics->macro.roc_auc.value - *of_a.metrics->macro.roc_auc.value, 1e-12);
    }
    EXPECT_FALSE(item.low);
    EXPECT_FALSE(item.p_value);
    EXPECT_THAT(item.reason, HasSubstr("no interval"));
  }
  EXPECT_THAT(comparison.notes,
              ElementsAre(AllOf(HasSubstr("without interval"), HasSubstr(of_b.cell.key() + "/scores.npy"))));

  // Counts tell that the labels are others.
  SyntheticScores other = testing::synthetic_scores(cell);
  other.labels[0] = static_cast<uint8_t>(1 - other.labels[0]);
  other.row.metrics = compute_metrics({60, 4, other.labels.data(), nullptr}, {60, 4, other.scores.data(), nullptr});
  add_cell(b_, other);
  fs::remove(b_.cell_directory(of_b.cell.key()) / "scores.npy");
  comparison = compare();
  EXPECT_TRUE(comparison.overall.empty());
  EXPECT_THAT(comparison.notes, ElementsAre(HasSubstr("labels: other numbers of positives")));
}

TEST_F(CompareTest, HalfWrittenRunsAreTold) {
  add_cell(a_, SyntheticCell{});
  add_cell(b_, SyntheticCell{});
  b_.write_run_json({{"status", "interrupted"}, {"models", {"short", "fcn"}}});
  fs::create_directories(a_.cell_directory("begun"));
  const RunComparison comparison = compare();
  EXPECT_THAT(comparison.gaps,
              ElementsAre(AllOf(HasSubstr("A: Cells begun"), HasSubstr("cells/begun")),
                          HasSubstr("B: The run is not finished"), HasSubstr("B: run.json lists architectures")));
  EXPECT_THAT(comparison_table(comparison), HasSubstr("status in run.json: interrupted"));
  EXPECT_EQ(comparison_json(comparison)["gaps"].size(), 3U);
}

TEST_F(CompareTest, TwoRowsAreComparedWhateverTheirModel) {
  SyntheticCell cell;
  const Row first = add_cell(a_, cell);
  cell.model = "fcn";
  cell.condition = "drc:preset=speech";
  const Row second = add_cell(a_, cell);
  const ComparedSide a = ComparedSide::open(a_.cell_directory(first.cell.key()));
  const ComparedSide b = ComparedSide::open(a_.cell_directory(second.cell.key()) / "row.json");
  EXPECT_TRUE(a.single_row);
  const RunComparison comparison = compare_runs(a, b, kFewResamples);
  ASSERT_EQ(comparison.overall.size(), 2U);
  EXPECT_EQ(comparison.overall[0].subject, "short | fcn");
  EXPECT_EQ(comparison.overall[0].condition, "clean | drc:preset=speech");
}

TEST_F(CompareTest, SettingsAndSpeedAreCompared) {
  add_cell(a_, SyntheticCell{});
  SyntheticCell cell;
  cell.seed = 2;
  add_cell(b_, cell);
  write_file_atomically(folder_ / "a/config.resolved.yaml", "dataset: {name: synth, tracks: 60}\nmodels: [short]\n");
  write_file_atomically(folder_ / "b/config.resolved.yaml",
                        "dataset: {name: synth, tracks: 90}\nmodels: [short, fcn]\n");
  write_file_atomically(folder_ / "a/env.json", "{\"libtorch\": \"1.13\", \"cpu\": {\"cores\": 2}}");
  write_file_atomically(folder_ / "b/env.json", "{\"libtorch\": \"2.6\", \"cpu\": {\"cores\": 2}}");
  ThroughputRow row;
  row.model_label = "short";
  row.part = "whole";
  row.precision = "fp32";
  row.device = "cpu";
  row.threads = 2;
  row.batch = 16;
  row.clips_per_s = 10.0;
  row.clips_per_s_spread = 0.1;
  a_.write_throughput({row});
  row.clips_per_s = 12.0;
  b_.write_throughput({row});
  const RunComparison comparison = compare();
  const auto has = [&](const std::string& name, const std::string& a, const std::string& b) {
    for (const SettingDifference& item : comparison.settings) {
      if (item.name == name && item.a == a && item.b == b) return true;
    }
    return false;
  };
  EXPECT_TRUE(has("dataset.tracks", "60", "90"));
  EXPECT_TRUE(has("models[1]", "(absent)", "fcn"));
  EXPECT_TRUE(has("libtorch", "1.13", "2.6"));
  EXPECT_TRUE(has("seed", "1", "2"));
  EXPECT_FALSE(has("cpu.cores", "2", "2"));
  ASSERT_EQ(comparison.speed.size(), 1U);
  EXPECT_TRUE(comparison.speed[0].beyond_spread);
  EXPECT_THAT(comparison_table(comparison), AllOf(HasSubstr("1.20"), HasSubstr("dataset.tracks")));
  EXPECT_EQ(comparison_json(comparison)["speed"][0]["b"], 12.0);
}

TEST_F(CompareTest, ScoreFilesNeedTheSameLabels) {
  const SyntheticScores made = testing::synthetic_scores({});
  ScoredTracks a;
  a.n_tracks = 60;
  a.n_tags = 4;
  a.labels = made.labels;
  a.float32 = made.scores;
  ScoredTracks b = a;
  b.float32[0] = 0.5F;
  const RunComparison comparison = compare_score_files(a, b, "a.npy", "b.npy", kFewResamples);
  EXPECT_EQ(comparison.overall.size(), 2U);
  EXPECT_EQ(comparison.per_tag.size(), 8U);
  b.labels[0] = static_cast<uint8_t>(1 - b.labels[0]);
  EXPECT_THAT(message_of([&] { compare_score_files(a, b, "a", "b", kFewResamples); }), HasSubstr("labels"));
}

}  // namespace
}  // namespace tagbench
