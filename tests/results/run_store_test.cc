#include "results/run_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/npy.h"
#include "tests/results/synthetic_run.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

namespace fs = std::filesystem;
using testing::add_cell;
using testing::add_failed_cell;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using testing::SyntheticCell;
using testing::SyntheticScores;
using testing::TemporaryDirectory;

TEST(RunStoreTest, FinishedCellReadsBackAsItWasWritten) {
  const TemporaryDirectory folder;
  const RunStore run = RunStore::create(folder / "run");
  SyntheticCell cell;
  cell.task = "partial";
  cell.unknown_share = 0.3;
  const SyntheticScores made = testing::synthetic_scores(cell);
  const std::string key = made.row.cell.key();
  EXPECT_FALSE(run.is_finished(key));
  add_cell(run, made);
  EXPECT_TRUE(run.is_finished(key));
  const std::vector<Row> rows = RunStore::open(folder / "run").rows();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].to_json().dump(), made.row.to_json().dump());
  EXPECT_EQ(rows[0].seconds, 1.5);
  const RunStore::Scores scores = run.scores(rows[0]);
  EXPECT_EQ(scores.track_ids, made.track_ids);
  EXPECT_EQ(scores.groups, made.groups);
  EXPECT_EQ(scores.labels, made.labels);
  EXPECT_EQ(scores.scores, made.scores);
  EXPECT_THAT(scores.labels, ::testing::Contains(kMissingLabel));
}

TEST(RunStoreTest, AwkwardIdsAndTagNamesSurvive) {
  const TemporaryDirectory folder;
  const RunStore run = RunStore::create(folder / "run");
  SyntheticScores made = testing::synthetic_scores({});
  made.row.tags = {"id", "a,b", "say \"x\"", "línea\nzwei"};
  made.track_ids[0] = "dir, with comma/\"t\".wav";
  add_cell(run, made);
  const RunStore::Scores scores = run.scores(run.rows().at(0));
  EXPECT_EQ(scores.track_ids[0], made.track_ids[0]);
  EXPECT_EQ(scores.labels, made.labels);
}

TEST(RunStoreTest, RowFileHasTheSameBytesWhateverTheTimeTaken) {
  const TemporaryDirectory folder;
  const RunStore run = RunStore::create(folder / "run");
  SyntheticScores made = testing::synthetic_scores({});
  add_cell(run, made);
  const fs::path path = run.cell_directory(made.row.cell.key()) / "row.json";
  const std::string before = read_text_file(path);
  made.row.seconds = 99.0;
  add_cell(run, made);
  EXPECT_EQ(read_text_file(path), before);
  EXPECT_EQ(run.rows().at(0).seconds, 99.0);
}

TEST(RunStoreTest, CellWithoutRowIsNotFinished) {
  const TemporaryDirectory folder;
  const RunStore run = RunStore::create(folder / "run");
  const Row row = add_cell(run, SyntheticCell{});
  fs::remove(run.cell_directory(row.cell.key()) / "row.json");
  EXPECT_FALSE(run.is_finished(row.cell.key()));
  EXPECT_TRUE(run.rows().empty());
  EXPECT_FALSE(run.row(row.cell.key()).has_value());
}

TEST(RunStoreTest, OnlyOneClaimsACell) {
  const TemporaryDirectory folder;
  const RunStore run = RunStore::create(folder / "run");
  {
    const auto first = run.claim("00");
    ASSERT_TRUE(first.has_value());
    EXPECT_FALSE(RunStore::open(folder / "run").claim("00").has_value());
    EXPECT_TRUE(run.claim("01").has_value());
  }
  EXPECT_TRUE(run.claim("00").has_value());
}

TEST(RunStoreTest, RowsComeAsTheRunListsThemAndUnknownOnesLast) {
  const TemporaryDirectory folder;
  const RunStore run = RunStore::create(folder / "run");
  for (const std::string model : {"alpha", "zeta", "beta", "gamma"}) {
    for (const std::string condition : {"white_noise:alpha=0.1", "clean"}) {
      SyntheticCell cell;
      cell.model = model;
      cell.condition = condition;
      add_cell(run, cell);
    }
  }
  testing::write_run_order(run, {"zeta", "beta"}, {"clean"});
  std::vector<std::string> order;
  for (const Row& row : run.rows()) order.push_back(row.model_label + " " + row.cell.condition);
  EXPECT_THAT(order,
              ElementsAre("zeta clean", "zeta white_noise:alpha=0.1", "beta clean", "beta white_noise:alpha=0.1",
                          "alpha clean", "alpha white_noise:alpha=0.1", "gamma clean", "gamma white_noise:alpha=0.1"));
}

TEST(RunStoreTest, SeedsAreSortedBySize) {
  const TemporaryDirectory folder;
  const RunStore run = RunStore::create(folder / "run");
  for (const int64_t seed : {10, 9, 100}) {
    SyntheticCell cell;
    cell.seed = seed;
    add_cell(run, cell);
  }
  std::vector<int64_t> order;
  for (const Row& row : run.rows()) order.push_back(row.cell.seed);
  EXPECT_THAT(order, ElementsAre(9, 10, 100));
}

TEST(RunStoreTest, FailedCellIsStoredWithoutScores) {
  const TemporaryDirectory folder;
  const RunStore run = RunStore::create(folder / "run");
  const Row row = add_failed_cell(run, {}, "no memory left");
  const std::vector<Row> rows = run.rows();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].status, "failed");
  EXPECT_THAT(message_of([&] { run.scores(rows[0]); }), HasSubstr("no memory left"));
}

TEST(RunStoreTest, DamagedRowIsNamed) {
  const TemporaryDirectory folder;
  const RunStore run = RunStore::create(folder / "run");
  const Row row = add_cell(run, SyntheticCell{});
  const fs::path path = run.cell_directory(row.cell.key()) / "row.json";
  const std::string whole = read_text_file(path);
  write_file_atomically(path, whole.substr(0, whole.size() / 2));
  EXPECT_THAT(message_of([&] { run.rows(); }), AllOf(HasSubstr(path.string()), HasSubstr("not valid JSON")));
  write_file_atomically(path, "");
  EXPECT_THAT(message_of([&] { run.rows(); }), HasSubstr(path.string()));
}

TEST(RunStoreTest, RenamedCellFolderIsAnError) {
  const TemporaryDirectory folder;
  const RunStore run = RunStore::create(folder / "run");
  const Row row = add_cell(run, SyntheticCell{});
  fs::rename(run.cell_directory(row.cell.key()), run.cell_directory("0123"));
  EXPECT_THAT(message_of([&] { run.rows(); }), AllOf(HasSubstr("0123"), HasSubstr(row.cell.key())));
}

TEST(RunStoreTest, ScoreFilesThatDoNotFitTheRowAreNamed) {
  const TemporaryDirectory folder;
  const RunStore run = RunStore::create(folder / "run");
  const SyntheticScores made = testing::synthetic_scores({});
  const Row row = add_cell(run, made);
  const fs::path directory = run.cell_directory(row.cell.key());
  write_npy(directory / "scores.npy", {4, 60}, made.scores.data());
  EXPECT_THAT(message_of([&] { run.scores(row); }),
              AllOf(HasSubstr("scores.npy"), HasSubstr("[60, 4]"), HasSubstr("[4, 60]")));
  add_cell(run, made);
  const std::string csv = read_text_file(directory / "tracks.csv");
  write_file_atomically(directory / "tracks.csv", csv.substr(0, csv.rfind('\n', csv.size() - 2) + 1));
  EXPECT_THAT(message_of([&] { run.scores(row); }),
              AllOf(HasSubstr("tracks.csv"), HasSubstr("60 tracks"), HasSubstr("found 59")));
  write_file_atomically(directory / "tracks.csv", "id,group,tag0\n");
  EXPECT_THAT(message_of([&] { run.scores(row); }), HasSubstr("columns"));
  std::string wrong = csv;
  wrong.replace(wrong.find(",0"), 2, ",2");
  write_file_atomically(directory / "tracks.csv", wrong);
  EXPECT_THAT(message_of([&] { run.scores(row); }), HasSubstr("0, 1 or ?, found '2"));
  fs::remove(directory / "scores.npy");
  EXPECT_THAT(message_of([&] { run.scores(row); }), HasSubstr("scores.npy"));
}

TEST(RunStoreTest, SizesThatDoNotFitAreRefusedBeforeAnythingIsWritten) {
  const TemporaryDirectory folder;
  const RunStore run = RunStore::create(folder / "run");
  SyntheticScores made = testing::synthetic_scores({});
  made.scores.pop_back();
  EXPECT_THROW(add_cell(run, made), std::logic_error);
  EXPECT_FALSE(fs::exists(run.cell_directory(made.row.cell.key())));
}

TEST(RunStoreTest, OtherFoldersAreNoRuns) {
  const TemporaryDirectory folder;
  EXPECT_THAT(message_of([&] { RunStore::open(folder / "nowhere"); }), HasSubstr("no such folder"));
  EXPECT_THAT(message_of([&] { RunStore::open(folder.path()); }), HasSubstr("tagbench run -o"));
  write_file_atomically(folder / "scores.npy", "x");
  EXPECT_THAT(message_of([&] { RunStore::open(folder / "scores.npy"); }), HasSubstr("found a file"));
}

TEST(RunStoreTest, RunsOfOtherSchemaVersionsAreRefused) {
  const TemporaryDirectory folder;
  const RunStore run = RunStore::create(folder / "run");
  run.write_run_json({{"status", "done"}});
  EXPECT_EQ(run.read_run_json()["status"], "done");
  run.write_run_json({{"schema_version", kRunSchemaVersion}});
  EXPECT_EQ(run.read_run_json()["schema_version"], kRunSchemaVersion);
  run.write_run_json({{"schema_version", 2}});
  EXPECT_THAT(message_of([&] { run.read_run_json(); }), AllOf(HasSubstr("run.json: runs of schema version 1"),
                                                              HasSubstr("found version 2; use the newer tagbench")));
  run.write_run_json({{"schema_version", "one"}});
  EXPECT_THAT(message_of([&] { run.read_run_json(); }), HasSubstr("run the experiment again"));
}

TEST(RunStoreTest, ThroughputReadsBackAndANewMeasurementReplacesTheOld) {
  const TemporaryDirectory folder;
  const RunStore run = RunStore::create(folder / "run");
  ThroughputRow row;
  row.model_label = "short (n_channels=16)";
  row.part = "whole";
  row.precision = "fp32";
  row.device = "cpu";
  row.threads = 2;
  row.batch = 16;
  row.clips_per_s = 17.25;
  row.valid = false;
  row.invalid_reason = "load 3.1";
  ThroughputRow other = row;
  other.model_label = "short_n_channels=16_";
  run.write_throughput({row, other});
  row.clips_per_s = 18.5;
  run.write_throughput({row});
  const std::vector<ThroughputRow> read = run.throughput();
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].to_json().dump(), row.to_json().dump());
  EXPECT_EQ(read[1].to_json().dump(), other.to_json().dump());
  EXPECT_FALSE(read[0].p50_ms.has_value());
}

TEST(RunStoreTest, DamagedThroughputIsNamed) {
  const TemporaryDirectory folder;
  const RunStore run = RunStore::create(folder / "run");
  write_file_atomically(folder / "run/bench/x.json", "{\"schema_version\": 1, \"rows\": [{\"part\": 3}]}");
  EXPECT_THAT(message_of([&] { run.throughput(); }),
              AllOf(HasSubstr("bench/x.json"), HasSubstr("model_label"), HasSubstr("measure again")));
  write_file_atomically(folder / "run/bench/x.json", "{\"schema_version\": 7, \"rows\": []}");
  EXPECT_THAT(message_of([&] { run.throughput(); }), HasSubstr("found version 7"));
}

}  // namespace
}  // namespace tagbench
