#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/errors.h"
#include "harness/core/files.h"
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

class GtzanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_text(folder_ / "train_filtered.txt", "blues/blues.00029.wav\njazz/jazz.00054.wav\n");
    write_text(folder_ / "valid_filtered.txt", "rock/rock.00001.wav\r\n");
    write_text(folder_ / "test_filtered.txt", "\npop/pop.00003.wav\n");
  }
  void write_audio(const std::string& folder, const std::string& extension) {
    for (const char* name : {"blues/blues.00029", "jazz/jazz.00054", "rock/rock.00001", "pop/pop.00003"})
      write_stub(folder_ / (folder + name + extension));
  }
  testing::TemporaryDirectory folder_;
};

TEST_F(GtzanTest, MapsListedNamesToTheOriginalExtension) {
  write_audio("genres/", ".au");
  const Dataset dataset = load("gtzan", folder_);
  EXPECT_EQ(dataset.task, TaskKind::kMulticlass);
  EXPECT_THAT(testing::part_counts(dataset.splits[0]), ElementsAre(2, 1, 1));
  EXPECT_EQ(dataset.tracks[0].audio, "genres/blues/blues.00029.au");
  EXPECT_EQ(testing::labels_of(dataset, "pop/pop.00003"), "0000000100");
  EXPECT_FALSE(has_note(dataset, "cut short"));
  EXPECT_TRUE(has_note(dataset, "443 / 197 / 290 were expected, found 2 / 1 / 1"));
}

TEST_F(GtzanTest, AcceptsWavCopiesAndTellsTheTruncatedClip) {
  write_audio("genres_original/", ".wav");
  const Dataset dataset = load("gtzan", folder_);
  EXPECT_EQ(dataset.tracks[0].audio, "genres_original/blues/blues.00029.wav");
  EXPECT_TRUE(has_note(dataset, "jazz/jazz.00054.wav (training part) is cut short"));
}

TEST_F(GtzanTest, AcceptsAByteOrderMark) {
  write_audio("", ".au");
  write_text(folder_ / "test_filtered.txt", "\xEF\xBB\xBFpop/pop.00003.wav\n");
  EXPECT_THAT(testing::part_counts(load("gtzan", folder_).splits[0]), ElementsAre(2, 1, 1));
}

TEST_F(GtzanTest, RejectsDamagedLists) {
  write_audio("", ".au");
  write_text(folder_ / "test_filtered.txt", "pop/pop.00003.wav\npopp/popp.00004.wav\n");
  EXPECT_THAT(message_of([&] { load("gtzan", folder_); }),
              HasSubstr("test_filtered.txt, line 2: a file as blues/blues.00029.wav was expected, found 'popp/"));
  write_text(folder_ / "test_filtered.txt", "rock/rock.00001.wav\n");
  EXPECT_THAT(message_of([&] { load("gtzan", folder_); }),
              HasSubstr("test_filtered.txt, line 1: the file 'rock/rock.00001' appeared before, on line 1 of " +
                        (folder_ / "valid_filtered.txt").string()));
  write_text(folder_ / "test_filtered.txt", "pop/pop.\xFF.wav\n");
  EXPECT_THAT(message_of([&] { load("gtzan", folder_); }), HasSubstr("test_filtered.txt, line 1: text must be UTF-8"));
  std::filesystem::remove(folder_ / "test_filtered.txt");
  EXPECT_THAT(message_of([&] { load("gtzan", folder_); }),
              HasSubstr("fetch it from github.com/jongpillee/music_dataset_split"));
}

TEST_F(GtzanTest, TheRealListsHaveThePublishedCounts) {
  TAGBENCH_REQUIRE_SHARED("data/lists/gtzan");
  const Dataset dataset = load(
      "gtzan", folder_,
      {{"lists", std::filesystem::absolute(testing::shared_path("data/lists/gtzan")).string()}, {"missing", "keep"}});
  EXPECT_THAT(testing::part_counts(dataset.splits[0]), ElementsAre(443, 197, 290));
  const auto per_genre = [&](Part part) {
    std::vector<int64_t> counts(10, 0);
    for (const int64_t track : tracks_of(dataset.splits[0], part)) {
      for (int64_t genre = 0; genre < 10; ++genre) counts[static_cast<size_t>(genre)] += dataset.label(track, genre);
    }
    return counts;
  };
  EXPECT_THAT(per_genre(Part::kTrain), ElementsAre(46, 48, 45, 42, 47, 43, 44, 41, 43, 44));
  EXPECT_THAT(per_genre(Part::kValid), ElementsAre(23, 20, 23, 22, 18, 17, 20, 13, 17, 24));
  EXPECT_TRUE(check_published_splits(dataset)[0].matches);
}

TEST_F(GtzanTest, NamesThePartsOfTheRealListsThatWereChanged) {
  TAGBENCH_REQUIRE_SHARED("data/lists/gtzan");
  for (const char* part : {"train", "valid", "test"}) {
    const std::string name = std::string(part) + "_filtered.txt";
    std::string text = read_text_file(testing::shared_path("data/lists/gtzan/" + name));
    const std::string mine = std::string(part) == "train" ? "blues/blues.00029.wav" : "blues/blues.00012.wav";
    const std::string other = std::string(part) == "train" ? "blues/blues.00012.wav" : "blues/blues.00029.wav";
    const size_t at = text.find(mine);
    if (std::string(part) == "valid") {
      ASSERT_EQ(at, std::string::npos);
    } else {
      ASSERT_NE(at, std::string::npos);
      text.replace(at, mine.size(), other);
    }
    write_text(folder_ / name, text);
  }
  const SplitCheck check = check_published_splits(load("gtzan", folder_, {{"missing", "keep"}}))[0];
  EXPECT_FALSE(check.matches);
  EXPECT_THAT(check.message,
              HasSubstr("the ids of the train part are not the published ones; the ids of the test part"));
  EXPECT_THAT(check.message, ::testing::Not(HasSubstr("valid part")));
}

TEST_F(GtzanTest, FindsTheAudioOfAHalfDownloadedSet) {
  write_stub(folder_ / "genres/pop/pop.00003.au");
  EXPECT_EQ(load("gtzan", folder_, {{"missing", "keep"}}).tracks[3].audio, "genres/pop/pop.00003.au");
}

}  // namespace
}  // namespace tagbench
