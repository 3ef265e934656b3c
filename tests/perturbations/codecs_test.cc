#include "perturbations/codecs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "perturbations/condition.h"
#include "tests/perturbations/signals.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using testing::applied;
using ::testing::HasSubstr;
using testing::message_of;

TEST(CodecsTest, StayAlignedWithTheTrack) {
  const Waveform clip = testing::music(2.0);
  for (const std::string text : {"mp3:kbps=64", "vorbis:kbps=64", "opus:kbps=64"}) {
    const std::vector<float> out = applied(text, clip).waveform.samples;
    int best = 0;
    double best_sum = 0.0;
    for (int lag = -600; lag <= 600; ++lag) {
      double sum = 0.0;
      for (int i = 8000; i < 24000; ++i) {
        sum += static_cast<double>(clip.samples[static_cast<size_t>(i)]) *
               static_cast<double>(out[static_cast<size_t>(i + lag)]);
      }
      if (sum > best_sum) {
        best_sum = sum;
        best = lag;
      }
    }
    // Opus' resampler at 16 kHz is off by a few samples at most.
    EXPECT_LE(std::abs(best), 3) << text;
  }
}

TEST(CodecsTest, ReachAboutTheBitRateAsked) {
  const Waveform clip = testing::music(4.0);
  for (const double kbps : {16.0, 32.0, 64.0}) {
    const double mp3 = applied("mp3:kbps=" + std::to_string(static_cast<int>(kbps)), clip).reached.at("kbps");
    // Constant rate, plus a frame or two in a clip of four seconds.
    EXPECT_NEAR(mp3, kbps, 0.05 * kbps);
    const double opus = applied("opus:kbps=" + std::to_string(kbps), clip).reached.at("kbps");
    EXPECT_NEAR(opus, kbps, 0.35 * kbps);
  }
}

TEST(CodecsTest, LowerBitRatesLoseMore) {
  const Waveform clip = testing::music(2.0);
  const auto snr = [&](const std::string& text) {
    return testing::snr_db(clip.samples, applied(text, clip).waveform.samples);
  };
  EXPECT_GT(snr("mp3:kbps=96"), snr("mp3:kbps=16") + 3.0);
  EXPECT_GT(snr("vorbis:kbps=96"), snr("vorbis:kbps=24") + 3.0);
}

TEST(CodecsTest, VorbisFindsASampleRateThatHasTheBitRate) {
  struct Case {
    int rate_hz;
    double kbps;
    double codec_rate_hz;
  };
  for (const Case& c : {Case{8000, 64, 16000}, Case{44100, 32, 16000}, Case{16000, 128, 44100}, Case{22050, 16, 8000},
                        Case{16000, 24, 16000}, Case{44100, 240, 44100}, Case{12000, 20, 12000}}) {
    const Waveform clip = testing::music(0.5, c.rate_hz);
    const Perturbed result = through_codec_at(clip, Codec::kVorbis, c.kbps);
    EXPECT_EQ(result.reached.at("codec_rate_hz"), c.codec_rate_hz) << c.rate_hz << " at " << c.kbps;
    EXPECT_EQ(result.waveform.size(), clip.size());
    EXPECT_EQ(result.waveform.sample_rate_hz, c.rate_hz);
  }
}

TEST(CodecsTest, RejectBitRatesThatDoNotExist) {
  EXPECT_THAT(message_of([] { Condition::parse("mp3:kbps=65"); }),
              HasSubstr("mp3: unknown kbps '65'; did you mean '6"));
  EXPECT_THAT(message_of([] { Condition::parse("opus:kbps=5"); }), HasSubstr("from 6 to 256 kbit/s, got '5'"));
  EXPECT_THAT(message_of([] { Condition::parse("vorbis:kbps=nan"); }), HasSubstr("finite number"));
}

}  // namespace
}  // namespace tagbench
