#include "results/run_gaps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/results/synthetic_run.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using testing::add_cell;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::SyntheticCell;
using testing::SyntheticScores;

class RunGapsTest : public ::testing::Test {
 protected:
  testing::TemporaryDirectory folder_;
  RunStore run_ = RunStore::create(folder_ / "run");

  RunGaps gaps(const std::string& condition = "") { return run_gaps(run_, run_.rows(), condition); }
};

TEST_F(RunGapsTest, FinishedRunLacksNothing) {
  for (const int64_t seed : {1, 2}) {
    SyntheticCell cell;
    cell.seed = seed;
    add_cell(run_, cell);
  }
  testing::add_failed_cell(run_, {"fcn"}, "no memory");
  SyntheticCell second{"fcn"};
  second.seed = 2;
  add_cell(run_, second);
  run_.write_run_json({{"status", "done, with failed cells"},
                       {"models", {"short", "fcn"}},
                       {"splits", {"default"}},
                       {"seeds", {"1", "2"}},
                       {"conditions", {"clean"}}});
  EXPECT_THAT(gaps().unfinished, IsEmpty());
  EXPECT_THAT(gaps().missing, IsEmpty());
}

TEST_F(RunGapsTest, MissingRowsAreCountedAndTheFirstNamed) {
  add_cell(run_, SyntheticCell{});
  run_.write_run_json({{"status", "done"},
                       {"models", {"short", "fcn", "musicnn"}},
                       {"seeds", {"1", "2"}},
                       {"conditions", {"clean", "gain:db=3"}}});
  EXPECT_THAT(gaps().unfinished, IsEmpty());
  EXPECT_THAT(gaps().missing, ElementsAre(HasSubstr("missing: short, split default, seed 1, gain:db=3 (and 2 more)"),
                                          HasSubstr("without any row: fcn (and 1 more)")));
  EXPECT_THAT(gaps("clean").missing,
              ElementsAre(HasSubstr("missing: short, split default, seed 2, clean"), HasSubstr("fcn")));
}

TEST_F(RunGapsTest, GivenWeightsAreExpectedOnce) {
  SyntheticScores given = testing::synthetic_scores({});
  given.row.cell.weights_sha256 = std::string(64, '1');
  given.row.cell.seed = 0;
  add_cell(run_, given);
  run_.write_run_json({{"status", "done"}, {"models", {"short"}}, {"seeds", {"1", "2", "3"}}});
  EXPECT_THAT(gaps().missing, IsEmpty());
}

TEST_F(RunGapsTest, UnfinishedRunsSayWhatIsMissing) {
  add_cell(run_, SyntheticCell{});
  EXPECT_THAT(gaps().unfinished, ElementsAre(HasSubstr("run.json is missing")));
  run_.write_run_json(Json::object());
  EXPECT_THAT(gaps().unfinished, ElementsAre(HasSubstr("status in run.json: not given")));
  run_.write_run_json({{"status", "incomplete"}});
  std::filesystem::create_directories(run_.cell_directory("ffff"));
  EXPECT_THAT(gaps().unfinished, ElementsAre(HasSubstr("incomplete"),
                                             AllOf(HasSubstr("row.json: 1, the first is "), HasSubstr("cells/ffff"))));
}

}  // namespace
}  // namespace tagbench
