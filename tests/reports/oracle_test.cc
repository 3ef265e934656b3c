#include "reports/oracle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/report.h"
#include "tests/results/synthetic_run.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class OracleTest : public ::testing::Test {
 protected:
  Row add(const std::string& condition, const std::string& key, double skill, int64_t seed = 1,
          const std::string& split = "default") {
    testing::SyntheticCell cell;
    cell.condition = condition;
    cell.skill = skill;
    cell.seed = seed;
    cell.split = split;
    testing::SyntheticScores made = testing::synthetic_scores(cell);
    made.row.cell.condition_key = key;
    return testing::add_cell(run_, made);
  }
  Row clean(int64_t seed = 1, const std::string& split = "default") { return add("clean", "clean", 2.0, seed, split); }
  Row oracle(int64_t seed = 1, const std::string& split = "default") {
    return add("oracle_pitch_shift@3", "oracle_pitch_shift/1:semitones=1", 1.5, seed, split);
  }
  Row r2(int64_t seed = 1, const std::string& split = "default") {
    return add("pitch_shift:semitones=1", "pitch_shift/1:engine=rubberband_r2,semitones=1", 0.4, seed, split);
  }
  void fail_r2(const std::string& split) {
    testing::SyntheticCell cell;
    cell.condition = "pitch_shift:semitones=1";
    cell.split = split;
    testing::SyntheticScores made = testing::synthetic_scores(cell);
    made.row.cell.condition_key = "pitch_shift/1:engine=rubberband_r2,semitones=1";
    made.row.status = "failed";
    made.row.message = "broken";
    made.row.metrics.reset();
    made.row.n_tracks = 0;
    run_.finish_cell(made.row, {}, {}, {}, {});
  }
  ResultTable table(int resamples = 200) { return build_tables(run_, {resamples, 1})[0]; }

  testing::TemporaryDirectory folder_;
  RunStore run_ = RunStore::create(folder_ / "run");
};

double roc_auc(const Row& row) {
  return *row.metrics->macro.roc_auc.value;
}

TEST_F(OracleTest, SetsTheTrueLossBesideTheProcessedOne) {
  const double of_clean = roc_auc(clean());
  const double of_oracle = roc_auc(oracle());
  const double of_r2 = roc_auc(r2());
  const ResultTable found = table();
  ASSERT_EQ(found.oracle.size(), 1U);
  const OracleLine& line = found.oracle[0];
  EXPECT_EQ(line.model_label, "short");
  EXPECT_EQ(line.engine, "rubberband_r2");
  EXPECT_NEAR(*line.true_loss.mean, of_clean - of_oracle, 1e-12);
  EXPECT_NEAR(*line.processed_loss.mean, of_clean - of_r2, 1e-12);
  EXPECT_NEAR(*line.artefact.mean, of_oracle - of_r2, 1e-12);
  EXPECT_LT(*line.artefact.low, *line.artefact.mean);
  EXPECT_GT(*line.artefact.low, 0.0);  // skills of 1.5 and 0.4 are far apart
  EXPECT_GT(*line.artefact.high, *line.artefact.mean);
  EXPECT_EQ(line.artefact.n, 1);
}

TEST_F(OracleTest, OneLinePerEngineAndOnlyForTheSameChange) {
  clean();
  oracle();
  r2();
  add("pitch_shift:semitones=1,engine=rubberband_r3", "pitch_shift/1:engine=rubberband_r3,semitones=1", 0.6);
  add("pitch_shift:semitones=2", "pitch_shift/1:engine=rubberband_r2,semitones=2", 0.3);
  add("chain:[pitch_shift:semitones=1,mp3:kbps=64]",
      "chain:[pitch_shift/1:engine=rubberband_r2,semitones=1,mp3/1:kbps=64]", 0.3);
  const ResultTable found = table(0);
  ASSERT_EQ(found.oracle.size(), 2U);
  EXPECT_EQ(found.oracle[0].engine, "rubberband_r2");
  EXPECT_EQ(found.oracle[1].engine, "rubberband_r3");
  EXPECT_FALSE(found.oracle[1].artefact.low.has_value());
}

TEST_F(OracleTest, FoldsAndSeedsAreAveraged) {
  double artefact = 0.0;
  for (const char* split : {"fold1", "fold2"}) {
    for (const int64_t seed : {1, 2}) {
      clean(seed, split);
      artefact += (roc_auc(oracle(seed, split)) - roc_auc(r2(seed, split))) / 4.0;
    }
  }
  const OracleLine line = table().oracle.at(0);
  EXPECT_EQ(line.artefact.n, 4);
  EXPECT_NEAR(*line.artefact.mean, artefact, 1e-12);
  EXPECT_TRUE(line.artefact.deviation.has_value());
  EXPECT_LT(*line.artefact.low, artefact);
}

TEST_F(OracleTest, TracksThatOneCellLacksAreLeftOutOfAllThree) {
  clean();
  oracle();
  testing::SyntheticCell cell;
  cell.condition = "pitch_shift:semitones=1";
  cell.skill = 0.4;
  testing::SyntheticScores made = testing::synthetic_scores(cell);
  made.row.cell.condition_key = "pitch_shift/1:engine=rubberband_r2,semitones=1";
  made.track_ids.pop_back();
  made.groups.pop_back();
  made.labels.resize(made.labels.size() - static_cast<size_t>(cell.n_tags));
  made.scores.resize(made.scores.size() - static_cast<size_t>(cell.n_tags));
  --made.row.n_tracks;
  made.row.metrics = compute_metrics({made.row.n_tracks, cell.n_tags, made.labels.data(), nullptr},
                                     {made.row.n_tracks, cell.n_tags, made.scores.data(), nullptr}, false);
  const Row processed = testing::add_cell(run_, made);
  const OracleLine line = table().oracle.at(0);
  // All three on the 59 tracks: their differences add up.
  EXPECT_NEAR(*line.processed_loss.mean - *line.true_loss.mean, *line.artefact.mean, 1e-12);
  EXPECT_NE(*line.processed_loss.mean, roc_auc(clean()) - roc_auc(processed));
}

TEST_F(OracleTest, NothingIsShownWithoutAPair) {
  clean();
  r2();
  EXPECT_THAT(table().oracle, IsEmpty());
  for (const ReportFormat& format : report_formats())
    EXPECT_THAT(format.write(run_, {table(0)}), Not(HasSubstr("processed loss"))) << format.name;
}

TEST_F(OracleTest, AFailedCellIsAReasonNotANumber) {
  clean();
  oracle();
  fail_r2("default");
  const OracleLine line = table().oracle.at(0);
  EXPECT_FALSE(line.artefact.mean.has_value());
  EXPECT_THAT(line.artefact.reason, HasSubstr("broken"));
}

TEST_F(OracleTest, AFailedCellOfOneFoldLeavesTheOthersAndIsCounted) {
  const double artefact = [&] {
    clean(1, "fold1");
    return roc_auc(oracle(1, "fold1")) - roc_auc(r2(1, "fold1"));
  }();
  clean(1, "fold2");
  oracle(1, "fold2");
  fail_r2("fold2");
  const ResultTable found = table();
  EXPECT_NEAR(*found.oracle.at(0).artefact.mean, artefact, 1e-12);
  EXPECT_THAT(found.notes, ::testing::Contains(HasSubstr("1 comparisons of a fold and seed are left out")));
}

TEST_F(OracleTest, EveryFormatOfTablesShowsIt) {
  clean();
  oracle();
  r2();
  for (const char* name : {"md", "latex", "html"}) {
    EXPECT_THAT(find_report_format(name).write(run_, {table()}),
                AllOf(HasSubstr("processed loss"), HasSubstr("artefact")))
        << name;
  }
  const Json json = Json::parse(find_report_format("json").write(run_, {table()}));
  EXPECT_EQ(json["tables"][0]["oracle"][0]["engine"], "rubberband_r2");
}

}  // namespace
}  // namespace tagbench
