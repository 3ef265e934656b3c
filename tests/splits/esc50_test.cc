#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "harness/core/errors.h"
#include "splits/published_splits.h"
#include "splits/verify.h"
#include "tests/splits/small_corpus.h"

namespace tagbench {
namespace {

using ::testing::ElementsAre;
using testing::has_note;
using ::testing::HasSubstr;
using testing::load;
using testing::message_of;
using testing::write_stub;
using testing::write_text;

constexpr const char* kEscHeader = "filename,fold,target,category,esc10,src_file,take\n";

// `per_fold` clips of each of the 50 classes in each of the five folds, in the owner's layout; the classes 0, 5, 10,
// ... form ESC-10.
class Esc50Test : public ::testing::Test {
 protected:
  void make(int per_fold, const std::string& extension = ".wav") {
    rows_.clear();
    for (int fold = 1; fold <= 5; ++fold) {
      for (int target = 0; target < 50; ++target) {
        for (int i = 0; i < per_fold; ++i) {
          const std::string source = std::to_string(10000 * fold + 100 * target + i / 2);
          const std::string take(1, static_cast<char>('A' + i % 2));
          const std::string stem = std::to_string(fold) + "-" + source + "-" + take + "-" + std::to_string(target);
          rows_.push_back(stem + ".wav," + std::to_string(fold) + "," + std::to_string(target) + ",class" +
                          std::to_string(target) + "," + (target % 5 == 0 ? "True" : "False") + "," + source + "," +
                          take + "\n");
          write_stub(root_ / "audio" / (stem + extension));
        }
      }
    }
    write_csv();
  }
  void write_csv() {
    std::string text = kEscHeader;
    for (const std::string& row : rows_) text += row;
    write_text(root_ / "meta" / "esc50.csv", text);
  }
  std::string complaint_about(const std::string& row) {
    write_text(root_ / "meta" / "esc50.csv", kEscHeader + row + "\n");
    return message_of([&] { load("esc50", root_); });
  }
  struct Root {
    testing::TemporaryDirectory folder;
    std::filesystem::path operator/(const std::string& name) const { return folder / name; }
    operator const testing::TemporaryDirectory&() const { return folder; }
  } root_;
  std::vector<std::string> rows_;
};

TEST_F(Esc50Test, ReadsTheOwnersLayout) {
  make(8);
  const Dataset dataset = load("esc50", root_);
  EXPECT_EQ(dataset.name, "esc50");
  EXPECT_EQ(dataset.task, TaskKind::kMulticlass);
  EXPECT_EQ(dataset.n_tracks(), 2000);
  ASSERT_EQ(dataset.n_tags(), 50);
  EXPECT_EQ(dataset.tags[7], "class7");
  ASSERT_EQ(dataset.splits.size(), 5U);
  for (const Split& split : dataset.splits) EXPECT_THAT(testing::part_counts(split), ElementsAre(1600, 0, 400));
  EXPECT_EQ(testing::part_of(dataset, dataset.splits[2], "3-30000-A-0"), Part::kTest);
  EXPECT_TRUE(dataset.notes.empty()) << dataset.notes.front();
}

TEST_F(Esc50Test, WhereCountsAloneAreOnRecordTheReportSaysSo) {
  make(8);
  const Dataset dataset = load("esc50", root_);
  VerifyReport report;
  report.splits = check_published_splits(dataset);
  EXPECT_EQ(report.splits[0].message,
            "split fold1: the counts are as published (ids are not on record; karolpiczak/ESC-50, meta/esc50.csv)");
  const Json json = verify_json(report, dataset);
  EXPECT_EQ(json["splits"][0]["compared"], "counts");
  EXPECT_TRUE(json["splits"][0]["as_published"].is_null());
  EXPECT_TRUE(report.good());
}

TEST_F(Esc50Test, SubsetEsc10RemapsTheTenClasses) {
  make(8, ".ogg");
  const Dataset dataset = load("esc50", root_, {{"subset", "esc10"}});
  EXPECT_EQ(dataset.name, "esc50:subset=esc10");
  EXPECT_EQ(dataset.n_tracks(), 400);
  EXPECT_THAT(dataset.tags, ElementsAre("class0", "class5", "class10", "class15", "class20", "class25", "class30",
                                        "class35", "class40", "class45"));
  EXPECT_EQ(testing::labels_of(dataset, "1-11000-A-10"), "0010000000");
  EXPECT_EQ(dataset.tracks.front().audio.extension(), ".ogg");
}

TEST_F(Esc50Test, TheNextFoldValidatesOnRequest) {
  make(8);
  const Dataset dataset = load("esc50", root_, {{"valid_fold", "next"}});
  EXPECT_EQ(dataset.name, "esc50:valid_fold=next");
  for (const Split& split : dataset.splits) EXPECT_THAT(testing::part_counts(split), ElementsAre(1200, 400, 400));
  EXPECT_EQ(testing::part_of(dataset, dataset.splits[4], "1-10000-A-0"), Part::kValid);
}

TEST_F(Esc50Test, TellsAPartialCopy) {
  make(1);
  EXPECT_TRUE(
      has_note(load("esc50", root_),
               "a partial copy: 400 clips in each fold are the owner's, meta/esc50.csv lists 50, 50, 50, 50, 50"));
  rows_.erase(std::remove_if(rows_.begin(), rows_.end(),
                             [](const std::string& row) { return row.find("False") != std::string::npos; }),
              rows_.end());
  write_csv();
  EXPECT_THAT(message_of([&] { load("esc50", root_); }),
              HasSubstr("lists the ten classes of ESC-10 only (set subset=esc10)"));
  std::filesystem::remove_all(root_ / "audio");
  EXPECT_THAT(
      message_of([&] {
        load("esc50", root_, {{"subset", "esc10"}});
      }),
      ::testing::AllOf(HasSubstr("50 of 50 listed audio files are missing"), HasSubstr("the first is listed in "),
                       HasSubstr("esc50.csv, line 2; "), HasSubstr("missing=keep")));
}

TEST_F(Esc50Test, RejectsDamagedRowsNamingTheLine) {
  EXPECT_THAT(complaint_about("1-5-A-0.wav,6,0,dog,True,5,A"),
              HasSubstr("esc50.csv, line 2: fold must be a whole number from 1 to 5, found '6'"));
  EXPECT_THAT(complaint_about("1-5-A-0.wav,2,0,dog,True,5,A"),
              HasSubstr("line 2: fold, src_file, take and target make the file name '2-5-A-0', found '1-5-A-0'"));
  EXPECT_THAT(complaint_about("1-5-A-50.wav,1,50,dog,True,5,A"),
              HasSubstr("target must be a whole number from 0 to 49"));
  EXPECT_THAT(complaint_about("1-5-A-0.wav,1,0,dog,maybe,5,A"), HasSubstr("esc10 must be True or False"));
  EXPECT_THAT(complaint_about("../1-5-A-0.wav,1,0,dog,True,5,A"), HasSubstr("a plain file name was expected"));
  EXPECT_THAT(complaint_about("1-5-A-0.wav,1,0,dog,True,5,A\n1-5-A-0.wav,1,0,dog,True,5,A"),
              HasSubstr("appeared before, on line 2"));
  EXPECT_THAT(complaint_about("1-5-A-0.wav,1,0,dog,True,5,A\n1-6-A-0.wav,1,0,cat,True,6,A"),
              HasSubstr("target 0 is called both 'dog' and 'cat'"));
  EXPECT_THAT(complaint_about("1-5-A-0.wav,1,0,dog,True,5,A"), HasSubstr("50 classes were expected"));
  write_text(root_ / "meta" / "esc50.csv", "filename,fold\n1-5-A-0.wav,1\n");
  EXPECT_THAT(message_of([&] { load("esc50", root_); }), HasSubstr("column 'category' is missing"));
}

TEST(Esc50RealTest, ReadsTheRealEsc10WithItsCounts) {
  TAGBENCH_REQUIRE_SHARED("data/esc10");
  const Dataset dataset =
      load_dataset("esc50", {{"root", testing::shared_path("data/esc10").string()}, {"subset", "esc10"}});
  EXPECT_EQ(dataset.n_tracks(), 400);
  EXPECT_THAT(dataset.tags, ElementsAre("dog", "rooster", "rain", "sea_waves", "crackling_fire", "crying_baby",
                                        "sneezing", "clock_tick", "helicopter", "chainsaw"));
  for (const Split& split : dataset.splits) {
    EXPECT_THAT(testing::part_counts(split), ElementsAre(320, 0, 80));
    for (int64_t tag = 0; tag < 10; ++tag) {
      int64_t positives = 0;
      for (const int64_t track : tracks_of(split, Part::kTest)) positives += dataset.label(track, tag);
      EXPECT_EQ(positives, 8);
    }
  }
  std::set<std::string> sources;
  for (const Track& track : dataset.tracks) sources.insert(track.group);
  EXPECT_EQ(sources.size(), 304U);
  EXPECT_EQ(dataset.group_kind, "recording");
  for (const char* valid_fold : {"none", "next"}) {
    for (const SplitCheck& check :
         check_published_splits(load_dataset("esc50", {{"root", testing::shared_path("data/esc10").string()},
                                                       {"subset", "esc10"},
                                                       {"valid_fold", valid_fold}}))) {
      EXPECT_TRUE(check.matches) << check.message;
      EXPECT_EQ(check.compared, "manifest");
    }
  }
  EXPECT_TRUE(dataset.notes.empty()) << dataset.notes.front();
}

}  // namespace
}  // namespace tagbench
