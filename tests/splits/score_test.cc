#include "splits/score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/errors.h"
#include "tests/splits/small_corpus.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::message_of;
using testing::write_text;

Score two_parts() {
  Score score;
  score.duration_s = 2.0;
  score.us_per_quarter = 500000;
  score.tonic = 9;
  score.minor = true;
  ScorePart flute;
  flute.instrument = "flute";
  flute.program = 73;
  flute.notes = {{0, 480, 72, 90}, {480, 960, 76, 80}};
  ScorePart drums;
  drums.instrument = "drums";
  drums.percussion = true;
  drums.notes = {{240, 60, 36, 100}};
  score.parts = {flute, drums};
  return score;
}

TEST(ScoreTest, MidiFileHasKnownBytes) {
  Score score = two_parts();
  score.parts.resize(1);
  score.parts[0].notes.resize(1);
  const std::string header("MThd\0\0\0\6\0\1\0\2\1\xE0", 14);
  const std::string conductor(
      "MTrk\0\0\0\x1A\0\xFF\x51\3\x07\xA1\x20\0\xFF\x58\4\4\2\x18\x08\0\xFF\x59\2\0\1\x8F\0\xFF\x2F\0", 34);
  const std::string name("MTrk\0\0\0\x2A\0\xFF\x03\5flute", 17);
  const std::string settings("\0\xB0\0\0\0\xC0\x49\0\xB0\x07\x64\0\xB0\x0A\x40\0\xB0\x5B\x28", 19);
  const std::string note("\0\x90\x48\x5A\x83\x60\x80\x48\0\x8B\x20\xFF\x2F\0", 14);
  EXPECT_EQ(midi_file(score), header + conductor + name + settings + note);
}

TEST(ScoreTest, PercussionUsesChannelTenAndPitchedPartsAvoidIt) {
  Score score = two_parts();
  for (int i = 0; i < 14; ++i) score.parts.push_back(score.parts[0]);
  const std::vector<int> channels = midi_channels(score);
  EXPECT_EQ(channels[0], 0);
  EXPECT_EQ(channels[1], 9);
  EXPECT_EQ(channels.back(), 15);
  EXPECT_EQ(std::count(channels.begin(), channels.end(), 9), 1);
  score.parts.push_back(score.parts[0]);
  EXPECT_THROW(midi_channels(score), std::logic_error);
}

TEST(ScoreTest, JsonReadsBackTheSameScore) {
  const testing::TemporaryDirectory folder;
  const Score score = two_parts();
  write_text(folder / "score.json", score_json(score));
  const Score back = read_score(folder / "score.json");
  EXPECT_EQ(score_json(back), score_json(score));
  EXPECT_EQ(midi_file(back), midi_file(score));
}

TEST(ScoreTest, ReaderRejectsWhatIsOutOfRange) {
  const testing::TemporaryDirectory folder;
  const std::string good = score_json(two_parts());
  const auto complaint = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    write_text(folder / "score.json", text);
    return message_of([&] { read_score(folder / "score.json"); });
  };
  EXPECT_THAT(complaint("tagbench score 1", "other"), HasSubstr("'format' must be 'tagbench score 1'"));
  EXPECT_THAT(complaint("\"us_per_quarter\":500000", "\"us_per_quarter\":0"),
              HasSubstr("'us_per_quarter' must be a whole number from 1000 to 16777215"));
  EXPECT_THAT(complaint("\"duration_s\":2.0", "\"duration_s\":1e300"),
              HasSubstr("'duration_s' must be a number from 0.001 to 14400"));
  EXPECT_THAT(complaint("[0,480,72,90]", "[0,480,128,90]"), HasSubstr("'notes' must be a whole number from 0 to 127"));
  EXPECT_THAT(complaint("[0,480,72,90]", "[0,480,72]"), HasSubstr("'notes' must be lists of four numbers"));
  EXPECT_THAT(complaint("\"mode\":\"minor\"", "\"mode\":\"dorian\""), HasSubstr("'mode' must be major or minor"));
  EXPECT_THAT(complaint("\"parts\"", "\"party\""), HasSubstr("'parts' is missing"));
}

TEST(ScoreTest, ActivityIsSortedAndEndsWithTheClip) {
  EXPECT_EQ(activity_csv(two_parts()),
            "instrument,onset_s,duration_s,midi_pitch,velocity\nflute,0.0000,0.5000,72,90\ndrums,0.2500,0.0625,36,100\n"
            "flute,0.5000,1.0000,76,80\n");
  Score cut = two_parts();
  cut.duration_s = 1.0;
  EXPECT_THAT(activity_csv(cut), HasSubstr("flute,0.5000,0.5000,76,80"));
}

}  // namespace
}  // namespace tagbench
