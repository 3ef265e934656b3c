#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/errors.h"
#include "tests/splits/small_corpus.h"

namespace tagbench {
namespace {

using testing::has_note;
using ::testing::HasSubstr;
using testing::load;
using testing::message_of;
using testing::write_stub;

class BallroomTest : public ::testing::Test {
 protected:
  void make() {
    int number = 100000;
    for (const char* name : {"ChaChaCha", "Jive", "Quickstep", "Rumba-American", "Rumba-Misc", "Samba", "Tango",
                             "VienneseWaltz", "Waltz"}) {
      const std::string folder = std::string("BallroomData/") + name + "/";
      for (int i = 0; i < 12; ++i) write_stub(folder_ / (folder + "Media-" + std::to_string(number++) + ".wav"));
    }
    write_stub(folder_ / "BallroomData/Samba/Albums-Latin_Jam-06.wav");
    write_stub(folder_ / "BallroomData/Samba/Albums-Latin_Jam-15.wav");
    write_stub(folder_ / "BallroomData/nada/readme.txt");
    write_stub(folder_ / "BallroomData/extras/what.wav");
  }
  testing::TemporaryDirectory folder_;
};

TEST_F(BallroomTest, ReadsFoldersAndDrawsStratifiedFolds) {
  make();
  const Dataset dataset = load("ballroom", folder_);
  EXPECT_EQ(dataset.n_tags(), 8);
  EXPECT_EQ(dataset.n_tracks(), 9 * 12 + 2);
  ASSERT_EQ(dataset.splits.size(), 10U);
  for (const Split& split : dataset.splits) {
    for (int64_t tag = 0; tag < 8; ++tag) {
      int64_t positives = 0;
      for (const int64_t track : tracks_of(split, Part::kTest)) positives += dataset.label(track, tag);
      EXPECT_GE(positives, 1) << split.name << " " << dataset.tags[static_cast<size_t>(tag)];
      // A tenth of 12, 14 or 24 files.
      EXPECT_LE(positives, 3) << split.name;
    }
    EXPECT_EQ(testing::part_of(dataset, split, "Albums-Latin_Jam-06"),
              testing::part_of(dataset, split, "Albums-Latin_Jam-15"));
  }
  // Rumba comes in several folders.
  EXPECT_EQ(testing::labels_of(dataset, "Media-100036"), "00010000");
  EXPECT_EQ(testing::labels_of(dataset, "Media-100048"), "00010000");
}

TEST_F(BallroomTest, NamesBothFilesOfOneIdAndReadsAHalfDownloadedSet) {
  make();
  std::filesystem::remove_all(folder_ / "BallroomData/ChaChaCha");
  EXPECT_EQ(load("ballroom", folder_).n_tracks(), 8 * 12 + 2);
  write_stub(folder_ / "BallroomData/Waltz/Albums-Latin_Jam-06.wav");
  EXPECT_THAT(
      message_of([&] { load("ballroom", folder_); }),
      HasSubstr("the track id 'Albums-Latin_Jam-06' appears twice: BallroomData/Samba/Albums-Latin_Jam-06.wav and "
                "BallroomData/Waltz/Albums-Latin_Jam-06.wav"));
}

TEST_F(BallroomTest, FoldsDependOnTheSeedAlone) {
  make();
  const std::string sha256 = load("ballroom", folder_).splits[0].sha256;
  EXPECT_EQ(load("ballroom", folder_).splits[0].sha256, sha256);
  EXPECT_NE(load("ballroom", folder_, {{"seed", "1"}}).splits[0].sha256, sha256);
  EXPECT_EQ(load("ballroom", folder_, {{"folds", "5"}}).splits.size(), 5U);
}

TEST_F(BallroomTest, TellsForeignFoldersPartialCopiesAndWrongRoots) {
  make();
  const Dataset dataset = load("ballroom", folder_);
  EXPECT_TRUE(has_note(dataset, "the folder 'extras' is no class of Ballroom"));
  EXPECT_TRUE(has_note(dataset, "110 files, the owners distribute 698"));
  EXPECT_TRUE(has_note(dataset, "the owners give no folds: drawn with seed 0"));
  std::filesystem::remove_all(folder_ / "BallroomData");
  EXPECT_THAT(message_of([&] { load("ballroom", folder_); }), HasSubstr("unpack data1.tar.gz below root"));
}

}  // namespace
}  // namespace tagbench
