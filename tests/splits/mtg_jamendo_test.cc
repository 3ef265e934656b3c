#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

constexpr const char* kJamendoHeader = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\r\n";

class MtgJamendoTest : public ::testing::Test {
 protected:
  std::filesystem::path list(const std::string& part, int split = 0) const {
    return folder_.path() / "data/splits" / ("split-" + std::to_string(split)) /
           ("autotagging_top50tags-" + part + ".tsv");
  }
  void write_lists(int split = 0) {
    write_text(list("train", split),
               std::string(kJamendoHeader) +
                   "track_0000241\tartist_000005\talbum_000033\t41/241.mp3\t190.1\tgenre---rock\tinstrument---piano\r\n"
                   "track_0001100\tartist_000006\talbum_000034\t00/1100.mp3\t30.5\tgenre---pop\r\n");
    write_text(
        list("validation", split),
        std::string(kJamendoHeader) + "track_0000005\tartist_000007\talbum_000035\t05/5.mp3\t60.0\tgenre---rock\r\n");
    write_text(list("test", split), std::string(kJamendoHeader) +
                                        "track_0000777\tartist_000008\talbum_000036\t77/"
                                        "777.mp3\t61.0\tgenre---pop\tgenre---rock\tinstrument---piano\r\n");
  }
  void write_audio(const std::string& folder, const std::string& extension) {
    for (const char* name : {"41/241", "00/1100", "05/5", "77/777"}) write_stub(folder_ / (folder + name + extension));
  }
  std::string complaint_about(const std::string& row) {
    write_lists();
    write_text(list("validation"), kJamendoHeader + row + "\r\n");
    return message_of([&] { load("mtg_jamendo", folder_); });
  }
  testing::TemporaryDirectory folder_;
};

TEST_F(MtgJamendoTest, ReadsRowsOfAnyWidthWithTagsInSortedOrder) {
  write_lists();
  write_lists(1);
  write_audio("", ".mp3");
  const Dataset dataset = load("mtg_jamendo", folder_);
  EXPECT_EQ(dataset.name, "mtg_jamendo");
  EXPECT_THAT(dataset.tags, ElementsAre("genre---pop", "genre---rock", "instrument---piano"));
  EXPECT_EQ(testing::labels_of(dataset, "track_0000241"), "011");
  EXPECT_EQ(testing::labels_of(dataset, "track_0000777"), "111");
  ASSERT_EQ(dataset.splits.size(), 2U);
  EXPECT_EQ(dataset.splits[0].name, "split-0");
  EXPECT_THAT(testing::part_counts(dataset.splits[0]), ElementsAre(2, 1, 1));
  EXPECT_EQ(dataset.tracks[0].group, "artist_000005");
  EXPECT_EQ(dataset.tracks[0].album, "album_000033");
  EXPECT_FLOAT_EQ(dataset.tracks[0].expected_s, 190.1F);
  EXPECT_TRUE(has_note(dataset, "split-2 is not there"));
}

TEST_F(MtgJamendoTest, FindsTheLowRateVersion) {
  write_lists();
  write_audio("audio-low/", ".low.mp3");
  const Dataset dataset = load("mtg_jamendo", folder_);
  EXPECT_EQ(dataset.tracks[0].audio, "audio-low/41/241.low.mp3");
  EXPECT_TRUE(has_note(dataset, "4 tracks are read from the low-rate version"));
}

TEST_F(MtgJamendoTest, FindsTheAudioOfAHalfDownloadedSet) {
  write_lists();
  write_stub(folder_ / "raw_30s/audio/77/777.mp3");
  const Dataset dataset = load("mtg_jamendo", folder_, {{"missing", "keep"}});
  EXPECT_EQ(dataset.tracks[0].audio, "raw_30s/audio/41/241.mp3");
  EXPECT_THAT(message_of([&] { load("mtg_jamendo", folder_); }),
              HasSubstr("autotagging_top50tags-train.tsv, line 2; all below"));
}

TEST_F(MtgJamendoTest, AnUnusableChecksumListIsTold) {
  write_lists();
  write_audio("", ".mp3");
  const std::filesystem::path list = folder_ / "data/download/raw_30s_audio_sha256_tracks.txt";
  const std::string digest(64, 'a');
  write_text(list, digest + " *41/241.mp3\nSHA256 (77/777.mp3) = " + digest + "\n");
  const Dataset dataset = load("mtg_jamendo", folder_);
  EXPECT_EQ(verify_dataset(dataset, {}).checksum_failure, "");
  EXPECT_EQ(find_dataset("mtg_jamendo").checksums(dataset).size(), 2U);
  write_text(list, digest + " *\n");
  const VerifyReport report = verify_dataset(dataset, {});
  EXPECT_THAT(report.checksum_failure, HasSubstr("tracks.txt, line 1: a digest and a file name were expected"));
  EXPECT_THAT(verify_text(report, dataset), HasSubstr("the owner's checksums were not compared: "));
  EXPECT_THAT(verify_json(report, dataset)["checksum_failure"].get<std::string>(), HasSubstr("line 1"));
}

TEST_F(MtgJamendoTest, RejectsDamagedLists) {
  EXPECT_THAT(complaint_about("track_0000005\tartist_000007\talbum_000035\t05/5.mp3\t60.0"),
              HasSubstr("autotagging_top50tags-validation.tsv, line 2: at least 6 fields were expected"));
  EXPECT_THAT(complaint_about("track_0000005\tartist_000007\talbum_000035\t06/5.mp3\t60.0\tgenre---pop"),
              HasSubstr("the path of track_0000005 must be '05/5.mp3', found '06/5.mp3'"));
  EXPECT_THAT(complaint_about("5\tartist_000007\talbum_000035\t05/5.mp3\t60.0\tgenre---pop"),
              HasSubstr("an id as track_0000241 was expected"));
  EXPECT_THAT(complaint_about("track_0000005\ta\tb\t05/5.mp3\tlong\tgenre---pop"),
              HasSubstr("a duration in seconds was expected, found 'long'"));
  EXPECT_THAT(complaint_about("track_0000005\ta\tb\t05/5.mp3\t60.0\tpop"),
              HasSubstr("a tag as genre---rock, instrument---piano or mood/theme---calm"));
  EXPECT_THAT(complaint_about("track_0000005\ta\tb\t05/5.mp3\t60.0\tgenre---pop\tgenre---pop"),
              HasSubstr("a tag is listed twice"));
  EXPECT_THAT(complaint_about(
                  "track_0000241\tartist_000005\talbum_000033\t41/241.mp3\t190.1\tgenre---rock\tinstrument---piano"),
              HasSubstr("track_0000241 appeared before in split-0 (train); each track belongs to one part"));
  EXPECT_THAT(complaint_about("track_0000241\tartist_000005\talbum_000033\t41/241.mp3\t190.1\tgenre---rock"),
              HasSubstr("the tags of track_0000241 differ from those in another list"));
  write_lists();
  write_text(list("test"), "TRACK_ID\tARTIST_ID\n");
  EXPECT_THAT(message_of([&] { load("mtg_jamendo", folder_); }),
              HasSubstr("line 1: the header 'TRACK_ID ARTIST_ID ALBUM_ID PATH DURATION TAGS'"));
  std::filesystem::remove(list("test"));
  EXPECT_THAT(message_of([&] { load("mtg_jamendo", folder_); }),
              HasSubstr("clone github.com/MTG/mtg-jamendo-dataset into root"));
}

TEST_F(MtgJamendoTest, TheRealListsHaveThePublishedCounts) {
  TAGBENCH_REQUIRE_SHARED("data/lists/jamendo");
  std::filesystem::create_directories(folder_ / "data/splits");
  std::filesystem::create_directory_symlink(
      std::filesystem::absolute(testing::shared_path("data/lists/jamendo/split-0")), folder_ / "data/splits/split-0");
  const struct {
    const char* subset;
    int64_t n_tags;
    std::vector<size_t> counts;
    std::vector<int64_t> assignments;
  } expected[] = {{"top50", 50, {32136, 10888, 11356}, {94953, 37140, 34878}},
                  {"instrument", 40, {14395, 5466, 5115}, {33196, 18485, 12468}},
                  {"moodtheme", 56, {9949, 3802, 4231}, {17885, 6306, 7564}}};
  for (const auto& list : expected) {
    SCOPED_TRACE(list.subset);
    const Dataset dataset = load("mtg_jamendo", folder_, {{"subset", list.subset}, {"missing", "keep"}});
    EXPECT_EQ(dataset.n_tags(), list.n_tags);
    EXPECT_EQ(testing::part_counts(dataset.splits[0]), list.counts);
    for (size_t p = 0; p < 3; ++p) {
      int64_t assignments = 0;
      for (const int64_t track : tracks_of(dataset.splits[0], static_cast<Part>(p + 1))) {
        for (int64_t tag = 0; tag < dataset.n_tags(); ++tag) assignments += dataset.label(track, tag);
      }
      EXPECT_EQ(assignments, list.assignments[p]);
    }
    EXPECT_TRUE(check_published_splits(dataset)[0].matches) << check_published_splits(dataset)[0].message;
    // The owners keep artists apart.
    EXPECT_FALSE(has_note(dataset, "tracks in more than one part"));
  }
}

}  // namespace
}  // namespace tagbench
