#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/errors.h"
#include "splits/published_splits.h"
#include "tests/splits/small_corpus.h"

namespace tagbench {
namespace {

using testing::has_note;
using ::testing::HasSubstr;
using testing::load;
using testing::message_of;
using testing::write_stub;
using testing::write_text;

class IrmasTest : public ::testing::Test {
 protected:
  void make() {
    for (const char* code : {"cel", "cla", "voi"}) {
      for (int recording = 1; recording <= 12; ++recording) {
        for (int clip = 1; clip <= 3; ++clip) {
          write_stub(folder_ / (std::string("IRMAS-TrainingData/") + code + "/[" + code + "][cla]00" +
                                std::to_string(recording) + "__" + std::to_string(clip) + ".wav"));
        }
      }
    }
    test_clip("IRMAS-TestingData-Part1/Part1/(02) dont kill the whale-1", "gel\t\nvoi\r\n");
    test_clip("IRMAS-TestingData-Part1/Part1/(02) dont kill the whale-2", "voi  \n\n");
    test_clip("IRMAS-TestingData-Part2/IRTestingData-Part2/02 - caf\xE9-10", "pia\n");
    test_clip("IRMAS-TestingData-Part3/Part3/x-1", "cla\n");
    write_text(folder_ / "IRMAS-TestingData-Part3/README.txt", "read me");
  }
  void test_clip(const std::string& stem, const std::string& codes) {
    write_stub(folder_ / (stem + ".wav"));
    write_text(folder_ / (stem + ".txt"), codes);
  }
  std::string complaint() {
    return message_of([&] { load("irmas", folder_); });
  }
  testing::TemporaryDirectory folder_;
};

TEST_F(IrmasTest, LabelsTrainingByFolderAndTestByTextFile) {
  make();
  const Dataset dataset = load("irmas", folder_);
  EXPECT_EQ(dataset.task, TaskKind::kMultilabel);
  EXPECT_EQ(dataset.n_tags(), 11);
  EXPECT_EQ(dataset.n_tracks(), 3 * 36 + 4);
  // [cla] in the name of a cello clip means classical music.
  EXPECT_EQ(testing::labels_of(dataset, "train/cel/[cel][cla]001__1"), "10000000000");
  EXPECT_EQ(testing::labels_of(dataset, "test/Part1/(02) dont kill the whale-1"), "00001000001");
  EXPECT_EQ(testing::labels_of(dataset, "test/Part2/02 - caf%E9-10"), "00000010000");
  EXPECT_EQ(testing::part_counts(dataset.splits[0])[2], 4U);
  EXPECT_TRUE(has_note(dataset, "108 training clips, the owners distribute 6705"));
}

TEST_F(IrmasTest, DrawsValidationByRecordingAndGroupsTestClips) {
  make();
  const Dataset dataset = load("irmas", folder_);
  const std::vector<size_t> counts = testing::part_counts(dataset.splits[0]);
  EXPECT_NEAR(static_cast<double>(counts[1]), 0.15 * 108, 3.0);
  EXPECT_EQ(counts[1] % 3, 0U);
  EXPECT_FALSE(has_note(dataset, "tracks in more than one part"));
  EXPECT_EQ(dataset.tracks[static_cast<size_t>(dataset.n_tracks()) - 4].group, "test/(02) dont kill the whale");
}

TEST_F(IrmasTest, TellsMissingPartsAndLabelsWithoutSound) {
  make();
  std::filesystem::remove_all(folder_ / "IRMAS-TestingData-Part2");
  std::filesystem::remove(folder_ / "IRMAS-TestingData-Part3/Part3/x-1.wav");
  const Dataset dataset = load("irmas", folder_);
  EXPECT_TRUE(has_note(dataset, "the folder IRMAS-TestingData-Part2 is not there"));
  EXPECT_TRUE(has_note(dataset, "1 label files of IRMAS-TestingData-Part3 have no .wav: Part3/x-1.txt"));
}

TEST_F(IrmasTest, AHalfDownloadedSetIsNotAsPublished) {
  make();
  const std::vector<SplitCheck> checks = check_published_splits(load("irmas", folder_));
  EXPECT_FALSE(checks[0].matches);
  EXPECT_THAT(checks[0].message, HasSubstr("train and valid together 6705 were expected, found 108"));
  EXPECT_TRUE(check_published_splits(load("irmas", folder_, {{"valid_fraction", "0"}, {"seed", "3"}}))[0].known);
}

TEST_F(IrmasTest, NamesBothFilesOfOneId) {
  make();
  write_stub(folder_ / "IRMAS-TrainingData/IRMAS-TrainingData/cel/[cel][cla]001__1.wav");
  EXPECT_THAT(complaint(), HasSubstr("the track id 'train/cel/[cel][cla]001__1' appears twice: "
                                     "IRMAS-TrainingData/IRMAS-TrainingData/cel/[cel][cla]001__1.wav and "
                                     "IRMAS-TrainingData/cel/[cel][cla]001__1.wav"));
}

TEST_F(IrmasTest, RejectsDamagedFiles) {
  make();
  write_text(folder_ / "IRMAS-TestingData-Part3/Part3/x-1.txt", "cla\nkazoo\n");
  EXPECT_THAT(complaint(), HasSubstr("x-1.txt, line 2: an instrument code as 'cel' was expected, found 'kazoo'"));
  write_text(folder_ / "IRMAS-TestingData-Part3/Part3/x-1.txt", "\n");
  EXPECT_THAT(complaint(), HasSubstr("at least one instrument code was expected"));
  std::filesystem::remove(folder_ / "IRMAS-TestingData-Part3/Part3/x-1.txt");
  EXPECT_THAT(complaint(),
              HasSubstr("1 clips of IRMAS-TestingData-Part3 have no .txt with their instruments: Part3/x-1.wav"));
  make();
  write_stub(folder_ / "IRMAS-TrainingData/kazoo/a__1.wav");
  EXPECT_THAT(complaint(), HasSubstr("is in no folder of an instrument"));
  std::filesystem::remove_all(folder_ / "IRMAS-TrainingData");
  EXPECT_THAT(complaint(), HasSubstr("unpack IRMAS-TrainingData.zip below root"));
}

}  // namespace
}  // namespace tagbench
