#include "splits/multitrack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/errors.h"
#include "harness/core/json.h"
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

class MultitrackTest : public ::testing::Test {
 protected:
  void medleydb(const std::string& id, const std::string& artist, const std::string& bleed = "no") {
    write_text(folder_ / ("MedleyDB/Metadata/" + id + "_METADATA.yaml"),
               "album: X\nartist: " + artist + "\nhas_bleed: '" + bleed +
                   "'\nstems:\n  S01:\n    component: ''\n    filename: " + id +
                   "_STEM_01.wav\n    instrument: drum set\n"
                   "  S02:\n    filename: " +
                   id +
                   "_STEM_02.wav\n    instrument: [cello, Violin]\n"
                   "  S03:\n    filename: " +
                   id + "_STEM_03.wav\n    instrument:\n");
    write_stub(folder_ / ("MedleyDB/Audio/" + id + "/" + id + "_MIX.wav"));
    write_stub(folder_ / ("MedleyDB/Audio/" + id + "/" + id + "_STEMS/" + id + "_STEM_01.wav"));
  }
  void activation(const std::string& id, const std::string& text, const std::string& version = "v2") {
    write_text(folder_ / ("MedleyDB/Annotations/Activation_Confidence/" + version + "/" + id + "_ACTIVATION_CONF.lab"),
               text);
  }
  testing::TemporaryDirectory folder_;
};

TEST_F(MultitrackTest, FindsBothCollectionsAndLeavesBleedOut) {
  medleydb("AnArtist_Song", "An Artist");
  medleydb("AnArtist_Other", "an artist");
  medleydb("Loud_Bleeding", "Loud", "yes");
  activation("AnArtist_Song", "time,S01,S02,S03\n0.0000,0.9,0.1,1.0\n0.0464,0.4,0.2,1.0\n1.0217,0.1,0.2,1.0\n");
  for (const char* folder : {"mixing_secrets/metadata/", "mixing_secrets/Medley_Format/Audio/Band_Tune/"}) {
    write_text(folder_ / (std::string(folder) + "Band_Tune_METADATA.yaml"),
               "artist: The Band\nhas_bleed: 'no'\nstems:\n  S01: {filename: a.wav, instrument: electronic organ}\n");
  }
  write_stub(folder_ / "mixing_secrets/Medley_Format/Audio/Band_Tune/Band_Tune_MIX.wav");
  for (int i = 0; i < 6; ++i) medleydb("Solo" + std::to_string(i) + "_Piece", "Solo " + std::to_string(i));

  const Dataset dataset = load("multitrack", folder_, {{"valid_fraction", "0.2"}});
  EXPECT_EQ(dataset.n_tags(), 18);
  EXPECT_EQ(dataset.n_tracks(), 9);
  // With activations only what sounds counts; a stem never reaching one half does not.
  EXPECT_EQ(testing::labels_of(dataset, "AnArtist_Song"), "100000000000000000");
  EXPECT_EQ(testing::labels_of(dataset, "AnArtist_Other"), "100000000000001100");
  EXPECT_EQ(testing::labels_of(dataset, "Band_Tune"), "000000000000100000");
  EXPECT_EQ(testing::part_of(dataset, dataset.splits[0], "AnArtist_Song"),
            testing::part_of(dataset, dataset.splits[0], "AnArtist_Other"));
  EXPECT_TRUE(has_note(dataset, "1 songs left out whose stems bleed"));
  EXPECT_TRUE(has_note(dataset, "8 songs have no _ACTIVATION_CONF.lab file"));
  EXPECT_TRUE(has_note(dataset, "9 bleed-free songs"));
}

TEST_F(MultitrackTest, TakesTheSecondVersionOfActivationsAndTells) {
  for (int i = 0; i < 6; ++i) medleydb("Solo" + std::to_string(i) + "_Piece", "Solo " + std::to_string(i));
  activation("Solo0_Piece", "time,S01,S02\n0.0,0.9,0.1\n", "original");
  activation("Solo0_Piece", "time,S01,S02\n0.0,0.1,0.9\n", "v2");
  activation("Solo1_Piece", "time,S01,S02\n0.0,0.9,0.1\n", "original");
  const Dataset dataset = load("multitrack", folder_);
  EXPECT_EQ(testing::labels_of(dataset, "Solo0_Piece"), "000000000000001100");
  EXPECT_EQ(testing::labels_of(dataset, "Solo1_Piece"), "100000000000000000");
  EXPECT_TRUE(has_note(dataset, "1 songs have activations of both versions: those in v2 are used"));
}

TEST_F(MultitrackTest, TakesIdsThatAreNotUtf8) {
  for (int i = 0; i < 6; ++i) medleydb("Solo" + std::to_string(i) + "_Piece", "Solo " + std::to_string(i));
  write_text(folder_ / "Caf\xE9_METADATA.yaml", "artist: A\nhas_bleed: 'no'\nstems: {S01: {instrument: flute}}\n");
  const Dataset dataset = load("multitrack", folder_, {{"missing", "keep"}});
  EXPECT_TRUE(has_note(dataset, "Caf%E9_MIX.wav"));
  for (const std::string& note : dataset.notes) EXPECT_NO_THROW(Json(note).dump());
}

TEST_F(MultitrackTest, GivesInstrumentsPerSecond) {
  medleydb("A_B", "A");
  activation("A_B", "time,S01,S02,S03\n0.0,0.9,0.1,0\n0.5,0.4,0.2,0\n1.2,0.1,0.5,0\n2.9,0.1,0.2,0\n");
  const std::vector<Multitrack> songs = find_multitracks(folder_.path());
  ASSERT_EQ(songs.size(), 1U);
  EXPECT_EQ(songs[0].mix, "MedleyDB/Audio/A_B/A_B_MIX.wav");
  EXPECT_THAT(songs[0].stems[1].instruments, ElementsAre("cello", "violin"));
  EXPECT_TRUE(songs[0].stems[2].instruments.empty());
  const std::vector<uint8_t> seconds =
      instrument_seconds(songs[0], read_stem_activity(folder_.path() / songs[0].activation));
  ASSERT_EQ(seconds.size(), 3U * 18U);
  const auto active = [&](size_t second, size_t tag) { return seconds[second * 18 + tag]; };
  EXPECT_EQ(active(0, 0), 1);   // drum set
  EXPECT_EQ(active(0, 14), 0);  // cello
  EXPECT_EQ(active(1, 14), 1);
  EXPECT_EQ(active(1, 15), 1);  // violin
  EXPECT_EQ(active(2, 0), 0);
}

TEST_F(MultitrackTest, RejectsDamagedFiles) {
  medleydb("A_B", "A");
  const auto complaint = [&](const std::string& text) {
    activation("A_B", text);
    return message_of([&] { load("multitrack", folder_); });
  };
  EXPECT_THAT(complaint("t,S01\n"), HasSubstr("line 1: the header time,S01,S02,... was expected"));
  EXPECT_THAT(complaint("time,S01\n0,0.5,0.5\n"), HasSubstr("line 2: 2 fields expected"));
  EXPECT_THAT(complaint("time,S01\n0,1.5\n"), HasSubstr("an activation from 0 to 1 was expected, found '1.5'"));
  EXPECT_THAT(complaint("time,S01\n1,0.5\n0.5,0.5\n"),
              HasSubstr("line 3: a time in seconds later than the row before"));
  EXPECT_THAT(complaint("time,S01\n"), HasSubstr("no activations"));
  const auto metadata = [&](const std::string& text) {
    write_text(folder_ / "MedleyDB/Metadata/A_B_METADATA.yaml", text);
    return message_of([&] { load("multitrack", folder_); });
  };
  EXPECT_THAT(metadata("artist: A\nstems: {}\n"), HasSubstr("the field 'has_bleed' is missing"));
  EXPECT_THAT(metadata("artist: A\nhas_bleed: maybe\nstems: {}\n"), HasSubstr("must be 'yes' or 'no'"));
  EXPECT_THAT(metadata("artist: A\nhas_bleed: 'no'\n"), HasSubstr("the field 'stems' is missing"));
  EXPECT_THAT(metadata("artist: [\n"), HasSubstr("not valid YAML"));
}

}  // namespace
}  // namespace tagbench
