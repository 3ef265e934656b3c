#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "harness/core/errors.h"
#include "splits/published_splits.h"
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

constexpr const char* kUrbanHeader = "slice_file_name,fsID,start,end,salience,fold,classID,class\n";

class Urbansound8kTest : public ::testing::Test {
 protected:
  void write(const std::string& rows) {
    write_text(folder_ / "UrbanSound8K/metadata/UrbanSound8K.csv", kUrbanHeader + rows);
  }
  std::string complaint_about(const std::string& row) {
    write(row + "\n");
    return message_of([&] { load("urbansound8k", folder_); });
  }
  testing::TemporaryDirectory folder_;
};

TEST_F(Urbansound8kTest, ReadsFoldsFromTheParentFolderToo) {
  std::string rows;
  for (int fold = 1; fold <= 10; ++fold) {
    const std::string file = std::to_string(fold) + "-3-0-0.wav";
    rows += file + "," + std::to_string(fold) + ",0.5,4.5,1," + std::to_string(fold) + ",3,dog_bark\n";
    write_stub(folder_ / ("UrbanSound8K/audio/fold" + std::to_string(fold) + "/" + file));
  }
  write(rows);
  const Dataset dataset = load("urbansound8k", folder_);
  ASSERT_EQ(dataset.splits.size(), 10U);
  EXPECT_THAT(testing::part_counts(dataset.splits[0]), ElementsAre(8, 1, 1));
  EXPECT_EQ(testing::part_of(dataset, dataset.splits[9], "1-3-0-0"), Part::kValid);
  EXPECT_EQ(testing::labels_of(dataset, "1-3-0-0"), "0001000000");
  EXPECT_FLOAT_EQ(dataset.tracks[0].expected_s, 4.0F);
  EXPECT_TRUE(has_note(dataset, "lists 10 slices, the owner's 8732"));
  EXPECT_THAT(testing::part_counts(load("urbansound8k", folder_, {{"valid_fold", "none"}}).splits[0]),
              ElementsAre(9, 0, 1));
}

TEST_F(Urbansound8kTest, RejectsDamagedRows) {
  EXPECT_THAT(complaint_about("1-3-0-0.wav,1,0,4,1,11,3,dog_bark"),
              HasSubstr("UrbanSound8K.csv, line 2: fold must be a whole number from 1 to 10, found '11'"));
  EXPECT_THAT(complaint_about("1-3-0-0.wav,1,0,4,1,1.9,3,dog_bark"),
              HasSubstr("fold must be a whole number from 1 to 10, found '1.9'"));
  EXPECT_THAT(complaint_about("1-3-0-0.wav,1,0,4,1,1,3.5,dog_bark"),
              HasSubstr("classID must be a whole number from 0 to 9, found '3.5'"));
  EXPECT_THAT(complaint_about("1-3-0-0.wav,2,0,4,1,1,3,dog_bark"),
              HasSubstr("a file name '2-3-occurrence-slice.wav' was expected"));
  EXPECT_THAT(complaint_about("1-3-0-0.wav,1,0,4,1,1,3,siren"), HasSubstr("classID 3 is dog_bark, found 'siren'"));
  EXPECT_THAT(complaint_about("1-3-0-0.wav,1,5,4,1,1,3,dog_bark"), HasSubstr("end must be a number from 5"));
  EXPECT_THAT(complaint_about("1-3-0-0.wav,1,0,4,1,1,3,dog_bark\n1-3-0-0.wav,1,0,4,1,1,3,dog_bark"),
              HasSubstr("line 3: the slice '1-3-0-0.wav' appeared before"));
  EXPECT_THAT(complaint_about("1-3-0-0.wav,1,0,4"), HasSubstr("line 2: 8 fields expected as in the header, found 4"));
}

TEST_F(Urbansound8kTest, TheRealMetadataHaveThePublishedCounts) {
  TAGBENCH_REQUIRE_SHARED("data/lists/us8k");
  std::filesystem::create_directories(folder_ / "metadata");
  std::filesystem::copy(testing::shared_path("data/lists/us8k/UrbanSound8K.csv"),
                        folder_ / "metadata/UrbanSound8K.csv");
  const Dataset dataset = load("urbansound8k", folder_, {{"missing", "keep"}});
  EXPECT_EQ(dataset.n_tracks(), 8732);
  EXPECT_THAT(testing::part_counts(dataset.splits[0]), ElementsAre(6971, 888, 873));
  std::set<std::string> sources;
  for (const Track& track : dataset.tracks) sources.insert(track.group);
  EXPECT_EQ(sources.size(), 1297U);
  for (const char* valid_fold : {"next", "none"}) {
    const Dataset folds = load("urbansound8k", folder_, {{"valid_fold", valid_fold}, {"missing", "keep"}});
    for (const SplitCheck& check : check_published_splits(folds)) {
      EXPECT_TRUE(check.matches) << check.message;
      EXPECT_EQ(check.compared, "manifest");
    }
  }
  // The owners' folds are not quite what they say: five recordings have slices in two folds.
  EXPECT_TRUE(has_note(dataset, "split fold1: 5 of 1297 recordings"));
}

}  // namespace
}  // namespace tagbench
