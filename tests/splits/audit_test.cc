#include "splits/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/audio/audio_file.h"
#include "harness/audio/codec.h"
#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "tests/splits/small_corpus.h"

namespace tagbench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::write_text;

// Six pieces of music; `copy` is piece 0 byte by byte, `louder` piece 1 encoded anew, `mute` silence.
class AuditTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (uint64_t i = 0; i < 6; ++i) write_wav(folder_ / ("p" + std::to_string(i) + ".wav"), piece(i));
    std::filesystem::copy_file(folder_ / "p0.wav", folder_ / "copy.wav");
    write_wav(folder_ / "louder.wav", through_codec(piece(1), {Codec::kMp3, 48.0}));
    Waveform mute = piece(0);
    std::fill(mute.samples.begin(), mute.samples.end(), 0.0F);
    write_wav(folder_ / "mute.wav", mute);
    write_text(folder_ / "labels.csv",
               "path,artist,split,x,y,z\n"
               "p0.wav,ann,train,1,0,0\np1.wav,bob,train,1,1,0\np2.wav,cy,train,0,0,0\n"
               "p3.wav,ann,valid,1,0,0\np4.wav,dan,test,0,1,0\np5.wav,bob,test,0,1,0\n"
               "copy.wav,eve,test,0,1,0\nlouder.wav,,test,1,1,0\nmute.wav,fay,test,1,0,0\n");
  }
  static Waveform piece(uint64_t i) { return testing::made_music(i, 9.0, 16000); }
  testing::TemporaryDirectory folder_;
};

TEST_F(AuditTest, FindsSharedArtistsSoundsAndTagsThatCannotBeScored) {
  const Dataset dataset = testing::load("folder", folder_);
  const AuditReport report = audit_dataset(dataset, {});
  ASSERT_EQ(report.pairs.size(), 2U) << audit_text(report, dataset);
  EXPECT_EQ(report.pairs[0].sameness, Sameness::kSameFile);
  EXPECT_FALSE(report.pairs[0].same_labels);
  EXPECT_EQ(report.pairs[1].sameness, Sameness::kNearSound);
  EXPECT_TRUE(report.pairs[1].same_labels);
  EXPECT_EQ(report.n_compared, 8);
  EXPECT_THAT(report.not_compared, ElementsAre("mute.wav: silent"));

  const SplitAudit& split = report.splits.at(0);
  EXPECT_THAT(split.tracks, ElementsAre(3, 1, 5));
  EXPECT_THAT(split.without_tags, ElementsAre(1, 0, 0));
  EXPECT_THAT(split.same_sound_pairs, ElementsAre(2, 0, 0));
  EXPECT_EQ(split.artists.n_names, 6);
  EXPECT_EQ(split.artists.n_known, 8);
  // train/test share bob, train/valid share ann.
  EXPECT_THAT(split.artists.shared_names, ElementsAre(1, 1, 0));
  EXPECT_THAT(split.artists.leaked_tracks, ElementsAre(1, 1, 0));
  EXPECT_THAT(split.artists.tracks_in_second, ElementsAre(4, 1, 4));
  EXPECT_EQ(split.albums.n_known, 0);
  EXPECT_EQ(split.recordings.n_known, 0);
  EXPECT_TRUE(report.identity_only.empty());
  EXPECT_THAT(split.tags[1].positive, ElementsAre(1, 0, 4));
  EXPECT_THAT(split.tags[2].negative, ElementsAre(3, 1, 5));
}

TEST_F(AuditTest, ListsTestTracksOfUnseenArtists) {
  const Dataset dataset = testing::load("folder", folder_);
  // dan, eve, fay; bob is known from training, and nobody knows who plays `louder`.
  EXPECT_THAT(unseen_artist_tracks(dataset, dataset.splits[0]), ElementsAre(4, 6, 8));
}

TEST_F(AuditTest, ReportsAsJsonAndText) {
  const Dataset dataset = testing::load("folder", folder_);
  const AuditReport report = audit_dataset(dataset, {});
  const Json json = audit_json(report, dataset);
  EXPECT_EQ(json["pairs"][0]["sameness"], "same_file");
  EXPECT_EQ(json["pairs"][1]["second"], "louder.wav");
  EXPECT_EQ(json["splits"][0]["artists"]["shared"]["train/test"]["leaked_tracks"], 1);
  EXPECT_EQ(json["splits"][0]["test_tracks_of_unseen_artists"], 3);
  EXPECT_EQ(json["splits"][0]["parts"]["test"]["tags_without_positives"], Json::array({"z"}));
  EXPECT_EQ(json["splits"][0]["tags"]["x"]["train"]["positive"], 2);
  const std::string text = audit_text(report, dataset);
  EXPECT_THAT(text, HasSubstr("train/test: 1 shared; 1 of 4 test tracks (25.0 %) share their artist with train"));
  EXPECT_THAT(text, HasSubstr("no positive example of z"));
  EXPECT_THAT(text, HasSubstr("albums: unknown"));
  EXPECT_THAT(text, HasSubstr("same_file\tp0.wav\tcopy.wav"));
  EXPECT_THAT(text, HasSubstr("labels differ"));
}

TEST_F(AuditTest, RemembersWhatItHeardAndListensToChangedFilesAgain) {
  AuditOptions options;
  options.state = folder_ / "state/audit.bin";
  const Dataset dataset = testing::load("folder", folder_);
  const std::string whole = audit_text(audit_dataset(dataset, options), dataset);
  const std::string state = read_text_file(options.state);
  EXPECT_EQ(audit_text(audit_dataset(dataset, options), dataset), whole);
  EXPECT_EQ(read_text_file(options.state), state);
  // Cut in the middle of a record: the rest is heard anew.
  write_text(options.state, state.substr(0, state.size() * 2 / 3));
  EXPECT_EQ(audit_text(audit_dataset(dataset, options), dataset), whole);
  EXPECT_EQ(read_text_file(options.state).size(), state.size());
  std::string damaged = state;
  damaged[damaged.size() / 2] = static_cast<char>(~damaged[damaged.size() / 2]);
  write_text(options.state, damaged);
  EXPECT_EQ(audit_text(audit_dataset(dataset, options), dataset), whole);
  write_wav(folder_ / "copy.wav", testing::made_music(77, 9.0, 16000));
  EXPECT_EQ(audit_dataset(dataset, options).pairs.size(), 1U);
}

TEST_F(AuditTest, TellsClipsTooShortForANearMatchApart) {
  write_wav(folder_ / "p2.wav", testing::made_music(2, 2.0, 16000));
  std::filesystem::copy_file(folder_ / "p2.wav", folder_ / "p5.wav", std::filesystem::copy_options::overwrite_existing);
  const Dataset dataset = testing::load("folder", folder_);
  const AuditReport report = audit_dataset(dataset, {});
  EXPECT_EQ(report.n_compared, 8);
  EXPECT_THAT(report.identity_only, ElementsAre("p2.wav", "p5.wav"));
  EXPECT_EQ(report.pairs.size(), 3U);
  EXPECT_EQ(audit_json(report, dataset)["compared_for_identity_only"], Json::array({"p2.wav", "p5.wav"}));
  EXPECT_THAT(audit_text(report, dataset),
              HasSubstr("8 sounds compared, 2 of them for identity only (too little sound for a near match): p2.wav, "
                        "p5.wav; 1 not: mute.wav: silent"));
}

TEST_F(AuditTest, NamesGroupsByTheirKind) {
  Dataset dataset = testing::load("folder", folder_);
  dataset.group_kind = "recording";
  for (Track& track : dataset.tracks) track.recording = track.group;
  AuditOptions options;
  options.audio = false;
  const AuditReport report = audit_dataset(dataset, options);
  const std::string text = audit_text(report, dataset);
  EXPECT_THAT(text, HasSubstr("artists: unknown"));
  EXPECT_THAT(text, HasSubstr("recordings: 6 over 8 tracks"));
  EXPECT_THAT(text, HasSubstr("share their recording with train"));
  EXPECT_THAT(text, HasSubstr("3 test tracks are of unseen recordings"));
  const Json json = audit_json(report, dataset);
  EXPECT_EQ(json["group_kind"], "recording");
  EXPECT_EQ(json["splits"][0]["artists"]["tracks_known"], 0);
  EXPECT_EQ(json["splits"][0]["recordings"]["shared"]["train/test"]["leaked_tracks"], 1);
  EXPECT_TRUE(json["splits"][0]["test_tracks_of_unseen_artists"].is_null());
  EXPECT_EQ(json["splits"][0]["test_tracks_of_unseen_groups"], 3);
  // Groups of which a user's file does not tell the kind.
  write_text(folder_ / "labels.csv", "path,group,split,x\np1.wav,a,train,1\np2.wav,a,test,1\n");
  const Dataset grouped = testing::load("folder", folder_);
  EXPECT_THAT(audit_text(audit_dataset(grouped, options), grouped), HasSubstr("groups: 1 over 2 tracks"));
}

TEST_F(AuditTest, NoOtherFileIsTakenForAState) {
  AuditOptions options;
  options.state = folder_ / "labels.csv";
  const Dataset dataset = testing::load("folder", folder_);
  EXPECT_THAT(testing::message_of([&] { audit_dataset(dataset, options); }),
              HasSubstr("data audit: the state file " + options.state.string() + ": 'tagbench audit state 2' was"));
  EXPECT_THAT(read_text_file(options.state), HasSubstr("p5.wav,bob"));
}

TEST_F(AuditTest, WorksWithoutTheSound) {
  std::filesystem::remove(folder_ / "p0.wav");
  AuditOptions options;
  options.audio = false;
  const Dataset dataset = testing::load("folder", folder_);
  const AuditReport report = audit_dataset(dataset, options);
  EXPECT_TRUE(report.pairs.empty());
  EXPECT_THAT(report.splits[0].artists.shared_names, ElementsAre(1, 1, 0));
  const AuditReport heard = audit_dataset(dataset, {});
  EXPECT_THAT(heard.not_compared, ElementsAre("p0.wav: the file is not there", "mute.wav: silent"));
}

TEST_F(AuditTest, TellsTwoTracksOfOneFile) {
  write_text(folder_ / "labels.csv", "path,id,split,x\np1.wav,a,train,1\n./p1.wav,b,test,1\n");
  AuditOptions options;
  options.audio = false;
  const Dataset dataset = testing::load("folder", folder_);
  EXPECT_THAT(audit_text(audit_dataset(dataset, options), dataset), HasSubstr("one file, two tracks: a, b"));
}

TEST(AuditRealTest, TheJamendoSplitSharesNoArtistOrAlbum) {
  TAGBENCH_REQUIRE_SHARED("data/lists/jamendo");
  const testing::TemporaryDirectory folder;
  std::filesystem::create_directories(folder / "data/splits");
  std::filesystem::create_directory_symlink(
      std::filesystem::absolute(testing::shared_path("data/lists/jamendo/split-0")), folder / "data/splits/split-0");
  const Dataset dataset = testing::load("mtg_jamendo", folder, {{"missing", "keep"}});
  AuditOptions options;
  options.audio = false;
  const AuditReport report = audit_dataset(dataset, options);
  EXPECT_THAT(report.splits[0].artists.shared_names, ElementsAre(0, 0, 0));
  EXPECT_THAT(report.splits[0].albums.shared_names, ElementsAre(0, 0, 0));
  EXPECT_EQ(unseen_artist_tracks(dataset, dataset.splits[0]).size(), 11356U);
  EXPECT_TRUE(report.same_path.empty());
}

}  // namespace
}  // namespace tagbench
