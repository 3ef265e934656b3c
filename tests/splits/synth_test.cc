#include "splits/synth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "harness/audio/audio_file.h"
#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/json.h"
#include "splits/render_score.h"
#include "splits/score.h"
#include "tests/splits/small_corpus.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::message_of;
using testing::write_text;

SynthSettings tiny() {
  SynthSettings settings;
  settings.tracks = 4;
  settings.seconds = 3.0;
  return settings;
}

std::string bytes_of(const std::filesystem::path& path) {
  return read_text_file(path);
}

class SynthTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(SynthSettings().soundfont))
      GTEST_SKIP() << "no sound font " << SynthSettings().soundfont;
  }
  testing::TemporaryDirectory root_;
};

TEST_F(SynthTest, RendersOnFirstLoadAndReadsBack) {
  const Dataset dataset = testing::load("synth", root_, {{"tracks", "4"}, {"seconds", "3"}});
  EXPECT_EQ(dataset.name, "synth:tracks=4,seconds=3");
  EXPECT_EQ(dataset.n_tracks(), 4);
  EXPECT_EQ(dataset.n_tags(), 24);
  EXPECT_EQ(dataset.task, TaskKind::kMultilabel);
  for (const Track& track : dataset.tracks) {
    EXPECT_FALSE(track.group.empty());
    EXPECT_EQ(std::filesystem::file_size(root_.path() / track.audio), 44U + 2U * 3U * 16000U);
    for (const char* extension : {".mid", ".json", ".csv"}) {
      EXPECT_TRUE(std::filesystem::exists((root_.path() / track.audio).replace_extension(extension)));
    }
  }
  EXPECT_EQ(testing::load("synth", root_, {{"tracks", "4"}, {"seconds", "3"}}).splits[0].sha256,
            dataset.splits[0].sha256);
}

TEST_F(SynthTest, EqualSettingsGiveEqualBytes) {
  const testing::TemporaryDirectory other;
  generate_synthetic_corpus(root_.path(), tiny());
  SynthSettings one_thread = tiny();
  one_thread.threads = 1;
  generate_synthetic_corpus(other.path(), one_thread);
  size_t n_files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_.path())) {
    if (!entry.is_regular_file()) continue;
    const auto relative = std::filesystem::relative(entry.path(), root_.path());
    EXPECT_EQ(bytes_of(entry.path()), bytes_of(other.path() / relative)) << relative;
    ++n_files;
  }
  EXPECT_EQ(n_files, 4U * 4U + 3U);
}

TEST_F(SynthTest, ResumesWhereItWasStopped) {
  generate_synthetic_corpus(root_.path(), tiny());
  const std::filesystem::path first = root_ / "clips" / "synth_00001.wav";
  const std::filesystem::path second = root_ / "clips" / "synth_00002.wav";
  const std::string golden = bytes_of(second);
  const auto untouched = std::filesystem::last_write_time(first);
  std::filesystem::remove(second);
  std::filesystem::remove(root_ / "labels.csv");
  generate_synthetic_corpus(root_.path(), tiny());
  EXPECT_EQ(bytes_of(second), golden);
  EXPECT_EQ(std::filesystem::last_write_time(first), untouched);
  EXPECT_TRUE(std::filesystem::exists(root_ / "labels.csv"));
}

TEST_F(SynthTest, StoredScoreRendersToTheStoredSound) {
  generate_synthetic_corpus(root_.path(), tiny());
  const std::string wav = bytes_of(root_ / "clips" / "synth_00003.wav");
  const Waveform waveform = render_score(read_score(root_ / "clips" / "synth_00003.json"), {});
  ASSERT_EQ(wav.size(), 44U + 2U * waveform.samples.size());
  for (size_t i = 0; i < waveform.samples.size(); ++i) {
    const auto low = static_cast<unsigned char>(wav[44 + 2 * i]);
    const auto high = static_cast<signed char>(wav[45 + 2 * i]);
    ASSERT_EQ(high * 256 + low, std::lround(32767.0 * static_cast<double>(waveform.samples[i]))) << i;
  }
}

TEST_F(SynthTest, PlayedWithoutAChangeAClipIsTheStoredOne) {
  const Dataset dataset = testing::load("synth", root_, {{"tracks", "4"}, {"seconds", "3"}});
  for (const Track& track : dataset.tracks) {
    const Waveform stored = decode_audio(root_.path() / track.audio);
    EXPECT_EQ(dataset.play(track, {}).samples, stored.samples) << track.id;
    EXPECT_EQ(dataset.play(track, {0.0, 2.0}).size(), stored.size() / 2);
    const Waveform higher = dataset.play(track, {1.0, 1.0});
    EXPECT_EQ(higher.size(), stored.size());
    EXPECT_NE(higher.samples, stored.samples);
    EXPECT_EQ(higher.samples, dataset.play(track, {1.0, 1.0}).samples);
  }
}

TEST_F(SynthTest, RefusesToPlayWithAnotherRendererThanTheClips) {
  const Dataset dataset = testing::load("synth", root_, {{"tracks", "4"}, {"seconds", "3"}});
  Json settings = read_json(root_ / "corpus.json");
  settings["fluidsynth"] = "1.0";
  write_json(root_ / "corpus.json", settings);
  EXPECT_THAT(message_of([&] { dataset.play(dataset.tracks[0], {}); }),
              HasSubstr("was rendered with fluidsynth \"1.0\", here it is"));
}

TEST_F(SynthTest, ScoresAndLabelsAreTheSameOnEveryMachine) {
  generate_synthetic_corpus(root_.path(), tiny());
  std::string scores = bytes_of(root_ / "labels.csv");
  for (int i = 1; i <= 4; ++i) scores += bytes_of(root_ / "clips" / ("synth_0000" + std::to_string(i) + ".mid"));
  EXPECT_EQ(sha256_hex(scores), "e4a67dc45aaffadaa2618b9b1b77e6214034e52ce2348cff19cc00cc40a28fe1");
}

TEST_F(SynthTest, SamplesAreTheSameWithTheSameRendererAndNearOtherwise) {
  generate_synthetic_corpus(root_.path(), tiny());
  const std::string wav = bytes_of(root_ / "clips" / "synth_00001.wav");
  const Json settings = read_json(root_ / "corpus.json");
  const bool same_renderer =
      settings["fluidsynth"] == "2.3.1" &&
      settings["soundfont_sha256"] == "9f39fc53bd3a1a69f13cb486838944eded358b3b6e8afbd6c1c2c33675b2034b";
  double energy = 0;
  for (size_t i = 44; i + 1 < wav.size(); i += 2) {
    const int sample = static_cast<signed char>(wav[i + 1]) * 256 + static_cast<unsigned char>(wav[i]);
    energy += std::pow(sample / 32768.0, 2);
  }
  const double rms = std::sqrt(energy / (3.0 * 16000.0));
  // Any General MIDI renderer plays the same notes at similar levels.
  EXPECT_GT(rms, 0.03);
  EXPECT_LT(rms, 0.4);
  if (same_renderer) {
    EXPECT_EQ(sha256_hex(wav), "e8872fb60098e5a850ab5fa34256ce4fdbba72da3cde435a4f836590e9bf34b5");
  }
}

TEST_F(SynthTest, OtherSettingsInTheSameFolderAreAnErrorThatSaysWhatToDo) {
  generate_synthetic_corpus(root_.path(), tiny());
  SynthSettings other = tiny();
  other.seed = 7;
  EXPECT_THAT(message_of([&] { generate_synthetic_corpus(root_.path(), other); }),
              HasSubstr("holds a synthetic corpus with seed=0, wanted is 7 (ask for the stored settings, choose "
                        "another root, or delete"));
  write_text(root_ / "labels.csv", "path,id,split,x\nclips/synth_00001.wav,1,train,1\n");
  EXPECT_THAT(message_of([&] {
                testing::load("synth", root_, {{"tracks", "4"}, {"seconds", "3"}});
              }),
              HasSubstr("labels.csv was changed"));
}

TEST_F(SynthTest, LeavesForeignFoldersAlone) {
  write_text(root_ / "labels.csv", "mine");
  EXPECT_THAT(message_of([&] { generate_synthetic_corpus(root_.path(), tiny()); }),
              HasSubstr("that is not of a synthetic corpus"));
  EXPECT_EQ(bytes_of(root_ / "labels.csv"), "mine");
}

TEST_F(SynthTest, NamesAMissingSoundFont) {
  SynthSettings settings = tiny();
  settings.soundfont = "/nowhere/font.sf2";
  EXPECT_THAT(message_of([&] { generate_synthetic_corpus(root_.path(), settings); }),
              HasSubstr("the sound font /nowhere/font.sf2 is not there (install the package csound-soundfont"));
}

}  // namespace
}  // namespace tagbench
