#include "perturbations/recordings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "harness/audio/audio_file.h"
#include "perturbations/condition.h"
#include "tests/perturbations/signals.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using testing::applied;
using ::testing::HasSubstr;
using testing::message_of;
using testing::TemporaryDirectory;

TEST(RecordingsTest, PicksAmongTheSoundFilesOfAFolderByKey) {
  const TemporaryDirectory folder;
  std::filesystem::create_directory(folder / "below");
  write_wav(folder / "one.wav", testing::hiss(100));
  write_wav(folder.path() / "below" / "two.WAV", testing::hiss(200));
  std::ofstream(folder / "notes.txt") << "no sound";
  const Recordings recordings("noise_recording", folder.path().string(), 10.0);
  const std::vector<int64_t> sizes_in_order = {200, 100};  // below/two.WAV, one.wav
  std::set<int64_t> sizes;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Rng rng(seed, {"pick"});
    Rng again(seed, {"pick"});
    const auto picked = recordings.pick(rng, 16000);
    EXPECT_EQ(picked.waveform->samples, recordings.pick(again, 16000).waveform->samples);
    EXPECT_EQ(picked.waveform->size(), sizes_in_order.at(picked.index));
    sizes.insert(picked.waveform->size());
  }
  EXPECT_EQ(sizes, (std::set<int64_t>{100, 200}));
}

TEST(RecordingsTest, ConditionKeyFollowsTheContentNotThePlace) {
  const TemporaryDirectory here;
  const TemporaryDirectory there;
  write_wav(here / "n.wav", testing::hiss(100));
  write_wav(there / "n.wav", testing::hiss(100));
  const auto key = [](const TemporaryDirectory& folder) {
    return Condition::parse("noise_recording:snr_db=10,path=" + folder.path().string()).key();
  };
  EXPECT_EQ(key(here), key(there));
  EXPECT_THAT(key(here), HasSubstr("path=sha256:"));
  const std::string before = key(here);
  write_wav(here / "n.wav", testing::hiss(101));
  EXPECT_NE(key(here), before);
}

TEST(RecordingsTest, NoiseIsRepeatedAndReachesTheSnr) {
  const TemporaryDirectory folder;
  write_wav(folder / "n.wav", testing::hiss(1000));
  const Waveform clip = testing::music(1.0);
  const Perturbed result = applied("noise_recording:snr_db=15,path=" + (folder / "n.wav").string(), clip);
  EXPECT_NEAR(result.reached.at("snr_db"), 15.0, 1e-3);
  EXPECT_EQ(result.reached.at("recording_index"), 0.0);
  for (size_t i = 5000; i < 6000; ++i) {
    const float now = result.waveform.samples[i] - clip.samples[i];
    const float later = result.waveform.samples[i + 1000] - clip.samples[i + 1000];
    ASSERT_NEAR(now, later, 1e-6);
  }
}

TEST(RecordingsTest, ImpulseResponseDelaysByNothingAndEchoesWhereItSays) {
  const TemporaryDirectory folder;
  Waveform response = testing::silence(3000);
  response.samples[500] = 0.8F;
  response.samples[1500] = 0.4F;
  write_wav(folder / "ir.wav", response);
  Waveform click = testing::silence(8000);
  click.samples[100] = 1.0F;
  const std::vector<float> out =
      applied("impulse_response:wet=1,path=" + (folder / "ir.wav").string(), click).waveform.samples;
  // Energy 1 is shared between the direct sound and an echo of half its height, 1,000 samples later.
  EXPECT_NEAR(out[100], 1.0 / std::sqrt(1.25), 1e-5);
  EXPECT_NEAR(out[1100], 0.5 / std::sqrt(1.25), 1e-5);
  EXPECT_NEAR(out[600], 0.0, 1e-5);
}

TEST(RecordingsTest, NamesWhatIsMissing) {
  const TemporaryDirectory folder;
  EXPECT_THAT(
      message_of([] { Condition::parse("noise_recording:snr_db=0,path=/no/such/place"); }),
      HasSubstr("noise_recording: path must name a sound file or a folder of them, found nothing at '/no/such/place'"));
  EXPECT_THAT(message_of([&] { Condition::parse("impulse_response:wet=1,path=" + folder.path().string()); }),
              HasSubstr("sound files were expected in '"));
  EXPECT_THAT(message_of([] { Condition::parse("noise_recording:snr_db=0"); }), HasSubstr("option 'path' is required"));
}

TEST(RecordingsTest, RefusesABadFileOfAFolderBeforeAnyTrack) {
  const TemporaryDirectory folder;
  write_wav(folder / "good.wav", testing::hiss(100));
  const auto message = [&] {
    return message_of([&] { Condition::parse("impulse_response:wet=1,path=" + folder.path().string()); });
  };
  EXPECT_EQ(Condition::parse("impulse_response:wet=1,path=" + folder.path().string()).random(), true);
  std::ofstream(folder / "broken.wav") << "this is no sound";
  EXPECT_THAT(message(),
              HasSubstr("impulse_response: a recording cannot be used: " + (folder / "broken.wav").string()));
  write_wav(folder / "broken.wav", testing::silence(31 * 1000, 1000));
  EXPECT_THAT(message(), HasSubstr("broken.wav: at most 30 s were expected, found 31.0 s"));
}

TEST(RecordingsTest, AFileThatFailsLaterSaysThatItIsNotTheTrack) {
  const TemporaryDirectory folder;
  write_wav(folder / "n.wav", testing::hiss(1000));
  const Condition condition = Condition::parse("noise_recording:snr_db=0,path=" + (folder / "n.wav").string());
  std::filesystem::remove(folder / "n.wav");
  EXPECT_THAT(message_of([&] { condition.apply(testing::music(0.1), 1, "track"); }),
              HasSubstr("noise_recording: the recording failed, not the track: " + (folder / "n.wav").string() + ": "));
}

}  // namespace
}  // namespace tagbench
