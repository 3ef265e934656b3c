#include "reports/tag_selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/report.h"
#include "tests/results/synthetic_run.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::message_of;

TEST(TagKindsTest, ReadsTheWordsOfATagsName) {
  for (const char* tag : {"fast", "Slow", "mood/theme---fast", "up-tempo", "Uptempo", "genre---downtempo", "120 bpm",
                          "120bpm", "tempo:slow"}) {
    EXPECT_THAT(kinds_of_tag(tag), ElementsAre("tempo")) << tag;
  }
  for (const char* tag : {"C major", "f# minor", "Bb maj", "e flat minor", "a-moll", "key: G"})
    EXPECT_THAT(kinds_of_tag(tag), ElementsAre("key")) << tag;
  for (const char* tag : {"quiet", "loud", "mood/theme---soft"})
    EXPECT_THAT(kinds_of_tag(tag), ElementsAre("loudness")) << tag;
  for (const char* tag : {"lo-fi", "lofi", "low fi", "noisy", "distorted guitar", "live", "reverb"})
    EXPECT_THAT(kinds_of_tag(tag), ElementsAre("recording")) << tag;
  // A transposition keeps the mode; "breakfast", "soft rock" and "live music" are no statements about what is changed.
  for (const char* tag : {"minor", "major", "breakfast", "soft rock", "live music", "noise rock", "", "---", "guitar",
                          "a capella", "b minority"}) {
    EXPECT_THAT(kinds_of_tag(tag), IsEmpty()) << tag;
  }
}

class TagSelectionTest : public ::testing::Test {
 protected:
  TagSelectionTest() {
    for (const auto& [condition, skill] :
         {std::pair("clean", 0.9), std::pair("time_stretch:rate=2", 0.6), std::pair("mp3:kbps=32", 0.3)}) {
      testing::SyntheticCell cell;
      cell.condition = condition;
      cell.skill = skill;
      testing::SyntheticScores made = testing::synthetic_scores(cell);
      made.row.tags = {"fast", "guitar", "slow", "lo-fi"};
      rows_.push_back(testing::add_cell(run_, made));
    }
    write_run_json({{"time_stretch:rate=2", {"tempo"}}, {"mp3:kbps=32", {"recording"}}, {"clean", Json::array()}});
  }

  void write_run_json(const Json& may_falsify) {
    run_.write_run_json({{"schema_version", 1},
                         {"status", "finished"},
                         {"conditions", {"clean", "time_stretch:rate=2", "mp3:kbps=32"}},
                         {"may_falsify", may_falsify}});
  }

  std::vector<ResultTable> tables(FalsifiedTags falsified, int resamples = 200) {
    ReportOptions options;
    options.resamples = resamples;
    options.falsified_tags = falsified;
    return build_tables(run_, options);
  }

  testing::TemporaryDirectory folder_;
  RunStore run_ = RunStore::create(folder_ / "run");
  std::vector<Row> rows_;
};

TEST_F(TagSelectionTest, FindsTheTagsThatTheRunsConditionsMayFalsify) {
  const std::vector<FalsifiedTag> found = falsified_tags(run_, rows_, {});
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].tag, "fast");
  EXPECT_THAT(found[0].conditions, ElementsAre("time_stretch:rate=2"));
  EXPECT_EQ(found[1].tag, "slow");
  EXPECT_EQ(found[2].tag, "lo-fi");
  EXPECT_THAT(found[2].conditions, ElementsAre("mp3:kbps=32"));
}

TEST_F(TagSelectionTest, GivenKindsReplaceWhatTheNameSays) {
  const auto found = falsified_tags(run_, rows_, {{"fast", "none"}, {"guitar", "recording"}});
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].tag, "guitar");
  EXPECT_THAT(message_of([&] {
                falsified_tags(run_, rows_, {{"guitr", "tempo"}});
              }),
              HasSubstr("unknown tag 'guitr'; did you mean 'guitar'?"));
  EXPECT_THAT(message_of([&] {
                falsified_tags(run_, rows_, {{"guitar", "temp"}});
              }),
              HasSubstr("unknown kind of tag 'temp'; did you mean 'tempo'?"));
}

TEST_F(TagSelectionTest, OmittedTagsCountUnderNoCondition) {
  const ResultTable all = tables(FalsifiedTags::kKeep)[0];
  const ResultTable omitted = tables(FalsifiedTags::kOmit)[0];
  EXPECT_EQ(all.tags_shown, "");
  EXPECT_EQ(omitted.tags_shown, "without 3 tags that conditions may falsify");
  for (size_t c = 0; c < 3; ++c) {
    EXPECT_EQ(all.lines[0].values[c].mean, rows_[c].metrics->macro.roc_auc.value);
    // Only "guitar" is left.
    EXPECT_EQ(omitted.lines[0].values[c].mean, rows_[c].metrics->per_tag[1].roc_auc.value);
    EXPECT_LT(*omitted.lines[0].values[c].low, *omitted.lines[0].values[c].mean);
    EXPECT_GT(*omitted.lines[0].values[c].high, *omitted.lines[0].values[c].mean);
  }
  EXPECT_THAT(omitted.notes, Contains(HasSubstr("fast (time_stretch:rate=2), slow (time_stretch:rate=2), lo-fi "
                                                "(mp3:kbps=32)")));
}

TEST_F(TagSelectionTest, ApartShowsThemInTablesOfTheirOwn) {
  const std::vector<ResultTable> both = tables(FalsifiedTags::kApart, 0);
  ASSERT_EQ(both.size(), 4U);
  EXPECT_EQ(both[0].tags_shown, "without 3 tags that conditions may falsify");
  EXPECT_EQ(both[2].metric, "roc_auc");
  EXPECT_EQ(both[2].tags_shown, "only 3 tags that conditions may falsify");
  const auto& tags = rows_[1].metrics->per_tag;
  EXPECT_NEAR(*both[2].lines[0].values[1].mean,
              (*tags[0].roc_auc.value + *tags[2].roc_auc.value + *tags[3].roc_auc.value) / 3.0, 1e-15);
}

TEST_F(TagSelectionTest, WhereNoTagIsConcernedTheTableIsWholeAndSaysSo) {
  write_run_json({{"time_stretch:rate=2", {"key"}}});
  const ResultTable table = tables(FalsifiedTags::kOmit, 0)[0];
  EXPECT_EQ(table.tags_shown, "");
  EXPECT_EQ(table.lines[0].values[1].mean, rows_[1].metrics->macro.roc_auc.value);
  EXPECT_THAT(table.notes, Contains(HasSubstr("none is left out")));
}

TEST_F(TagSelectionTest, MeansThatCannotBeNarrowedAreAbsentWithAReason) {
  const Row narrow = TagSelection::without(falsified_tags(run_, rows_, {})).narrowed(rows_[0]);
  EXPECT_FALSE(narrow.metrics->micro.roc_auc.value.has_value());
  EXPECT_EQ(narrow.metrics->micro.roc_auc.reason, "not computed for a selection of tags");
  EXPECT_EQ(narrow.tags, rows_[0].tags);
}

}  // namespace
}  // namespace tagbench
