#include "harness/run/sweep.h"

#include <fstream>

#include "harness/core/errors.h"
#include "models/registry.h"
#include "splits/synth.h"
#include "tests/run/small_corpus.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

class SweepTest : public ::testing::Test {
 protected:
  SweepTest() {
    testing::write_small_corpus(directory_.path(), 10, 4.0);
    dataset_ = load_dataset("folder", {{"root", directory_.path().string()}});
    for (int64_t t = 0; t < dataset_.n_tracks(); ++t) tracks_.push_back(t);
    torch::manual_seed(1);
    const ModelEntry& entry = find_model("short");
    for (const char* width : {"3", "4"})
      taggers_.push_back(entry.make(Options("short", entry.options, {{"n_channels", width}}), 3));
  }

  std::vector<SweepResult> run(const std::string& condition, int threads,
                               const std::filesystem::path& kept = std::filesystem::path()) {
    PcmCache cache({directory_.path() / "cache", uint64_t{1} << 30U, {}, ResampleQuality::kBest});
    const TrackAudio audio(dataset_, cache);
    const Condition parsed = Condition::parse(condition);
    RenderedTracks rendered({kept, uint64_t{1} << 30U, {}, ResampleQuality::kBest});
    return sweep(taggers_, {audio, rendered, tracks_, parsed, 0, protocol_, {}, threads, false, "test"});
  }

  testing::TemporaryDirectory directory_;
  Dataset dataset_;
  std::vector<int64_t> tracks_;
  std::vector<std::shared_ptr<Tagger>> taggers_;
  Protocol protocol_ = load_protocol("quick");
};

TEST_F(SweepTest, DoesNotDependOnTheNumberOfRenderingThreads) {
  const auto one = run("white_noise:alpha=0.4", 1);
  const auto five = run("white_noise:alpha=0.4", 5);
  ASSERT_EQ(one.size(), 2U);
  EXPECT_EQ(one[0].tracks, tracks_);
  EXPECT_EQ(one[0].scores, five[0].scores);
  EXPECT_EQ(one[1].scores, five[1].scores);
  ASSERT_EQ(one[0].reached.count("snr_db"), 1U);
  EXPECT_EQ(one[0].reached.at("snr_db").n, 10);
}

TEST_F(SweepTest, KeptRenderingsGiveTheSameResultsToTheBit) {
  const std::filesystem::path kept = directory_ / "kept";
  for (const char* condition : {"white_noise:snr_db=10", "chain:[time_stretch:rate=1.5, mp3:kbps=64]", "clean"}) {
    const auto without = run(condition, 2);
    const auto first = run(condition, 2, kept);
    const auto again = run(condition, 3, kept);
    for (const auto& results : {first, again}) {
      EXPECT_EQ(results[0].scores, without[0].scores) << condition;
      ASSERT_EQ(results[0].reached.size(), without[0].reached.size()) << condition;
      for (const auto& [name, summary] : without[0].reached) {
        const ReachedSummary& found = results[0].reached.at(name);
        EXPECT_EQ(found.mean, summary.mean) << condition << " " << name;
        EXPECT_EQ(found.minimum, summary.minimum) << condition << " " << name;
        EXPECT_EQ(found.n, summary.n) << condition << " " << name;
      }
    }
  }
  // Two conditions, ten tracks; clean audio is not kept twice.
  size_t n_kept = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kept))
    n_kept += entry.path().extension() == ".pcm" ? 1 : 0;
  EXPECT_EQ(n_kept, 20U);
}

TEST_F(SweepTest, ADamagedKeptRenderingIsMadeAnew) {
  const std::filesystem::path kept = directory_ / "kept";
  const auto first = run("white_noise:snr_db=10", 2, kept);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kept)) {
    if (entry.path().extension() != ".pcm") continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(1000);
    file.write("damage", 6);
  }
  EXPECT_EQ(run("white_noise:snr_db=10", 2, kept)[0].scores, first[0].scores);
}

TEST_F(SweepTest, AScorePlayedWithoutAChangeScoresAsTheClip) {
  if (!std::filesystem::exists(SynthSettings().soundfont)) GTEST_SKIP() << "no sound font";
  dataset_ = load_dataset("synth", {{"root", (directory_ / "synth").string()}, {"tracks", "4"}, {"seconds", "4"}});
  tracks_ = {0, 1, 2, 3};
  const auto clean = run("clean", 2);
  EXPECT_EQ(run("oracle_pitch_shift:semitones=0", 2)[0].scores, clean[0].scores);
  const auto higher = run("oracle_pitch_shift:semitones=1", 2);
  EXPECT_NE(higher[0].scores, clean[0].scores);
  EXPECT_EQ(higher[0].scores, run("oracle_pitch_shift:semitones=1", 1)[0].scores);
  EXPECT_EQ(higher[0].reached.at("semitones").mean, 1.0);
  EXPECT_EQ(run("oracle_time_stretch:rate=2", 2)[0].n_short_tracks, 4);
}

TEST_F(SweepTest, AnUnreadableTrackIsLeftOutAndNamed) {
  std::filesystem::remove(directory_ / "audio/track3.wav");
  const auto results = run("clean", 2);
  EXPECT_EQ(results[0].tracks.size(), 9U);
  ASSERT_EQ(results[0].failures.size(), 1U);
  EXPECT_NE(results[0].failures[0].message.find("track3.wav"), std::string::npos);
}

TEST_F(SweepTest, ATaggerThatFailsDoesNotStopTheOthers) {
  {
    const torch::NoGradGuard no_gradient;
    taggers_[0]->parameters().back().fill_(NAN);
  }
  const auto results = run("clean", 2);
  EXPECT_NE(results[0].error.find("not finite"), std::string::npos);
  EXPECT_TRUE(results[1].error.empty());
  EXPECT_EQ(results[1].tracks.size(), 10U);
}

TEST_F(SweepTest, TracksMadeShorterThanAChunkAreCounted) {
  // 4 s / 2^0.5 = 2.83 s, below the chunk's 3.69 s.
  const auto results = run("time_stretch:rate=2^0.5", 2);
  EXPECT_EQ(results[0].n_short_tracks, 10);
}

}  // namespace
}  // namespace tagbench
