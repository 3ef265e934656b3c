#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "harness/audio/audio_file.h"
#include "harness/core/errors.h"
#include "tests/audio/fixtures.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::message_of;
using testing::snr_db;

constexpr ResampleQuality kQualities[] = {ResampleQuality::kBest, ResampleQuality::kMedium, ResampleQuality::kFastest};

Waveform tone(double hz, int sample_rate_hz, int64_t samples) {
  Waveform waveform;
  waveform.sample_rate_hz = sample_rate_hz;
  for (int64_t i = 0; i < samples; ++i) {
    waveform.samples.push_back(
        static_cast<float>(0.5 * std::sin(6.283185307179586 * hz * static_cast<double>(i) / sample_rate_hz)));
  }
  return waveform;
}

struct Rates {
  int from_hz;
  int to_hz;
};

TEST(ResampleTest, KeepsAToneAtTheSignalToNoiseRatioOfEachQuality) {
  // Measured over these rates: 128 to 276, 114 to 142 and 104 to 131 dB, the least at 192 to 16 kHz each. 3 dB for
  // other machines' arithmetic.
  const double least_db[] = {125.0, 111.0, 101.0};
  for (const Rates rates : {Rates{44100, 16000},
                            {48000, 16000},
                            {22050, 16000},
                            {8000, 16000},
                            {16000, 44100},
                            {192000, 16000},
                            {4000, 16000},
                            {44100, 48000}}) {
    for (size_t q = 0; q < 3; ++q) {
      const Waveform input = tone(1000.0, rates.from_hz, rates.from_hz);
      const Waveform output = resample(input, rates.to_hz, kQualities[q]);
      const Waveform ideal = tone(1000.0, rates.to_hz, rates.to_hz);
      ASSERT_EQ(output.size(), ideal.size());
      const auto edge = static_cast<size_t>(rates.to_hz / 10);
      const double db = snr_db(ideal.samples, output.samples, edge, output.samples.size() - edge);
      std::printf("%d %d %d %f\n", rates.from_hz, rates.to_hz, (int)q, db);
      EXPECT_GT(db, least_db[q]) << rates.from_hz << " to " << rates.to_hz << ", "
                                 << resample_quality_name(kQualities[q]);
    }
  }
}

TEST(ResampleTest, SuppressesWhatTheNewRateCannotHold) {
  // The stop band begins above the new Nyquist frequency by the width of the transition: 10 kHz is beyond it for all
  // three.
  const double most_db[] = {-120.0, -105.0, -90.0};
  for (size_t q = 0; q < 3; ++q) {
    const Waveform output = resample(tone(10000.0, 44100, 44100), 16000, kQualities[q]);
    double energy = 0.0;
    for (size_t i = 1600; i + 1600 < output.samples.size(); ++i)
      energy += static_cast<double>(output.samples[i]) * output.samples[i];
    const double rms = std::sqrt(energy / static_cast<double>(output.samples.size() - 3200));
    EXPECT_LT(20.0 * std::log10(rms / (0.5 / std::sqrt(2.0)) + 1e-15), most_db[q])
        << resample_quality_name(kQualities[q]);
  }
}

TEST(ResampleTest, ReturnsTheInputAtItsOwnRate) {
  const Waveform input = testing::music_like(16000, 1000);
  EXPECT_EQ(resample(input, 16000).samples, input.samples);
}

TEST(ResampleTest, GivesTheRoundedNumberOfSamples) {
  for (const Rates rates :
       {Rates{44100, 16000}, {16000, 44100}, {48000, 16000}, {11025, 16000}, {8000, 12000}, {192000, 4000}}) {
    for (const int64_t samples : {0, 1, 2, 3, 5, 100, 441, 1000, 44100, 100001}) {
      const Waveform output = resample(tone(440.0, rates.from_hz, samples), rates.to_hz, ResampleQuality::kFastest);
      const auto expected = std::llround(static_cast<long double>(samples) * rates.to_hz / rates.from_hz);
      EXPECT_EQ(output.size(), expected) << samples << " samples, " << rates.from_hz << " to " << rates.to_hz;
      EXPECT_EQ(output.sample_rate_hz, rates.to_hz);
    }
  }
}

TEST(ResampleTest, GivesTheSameSamplesEachTime) {
  const Waveform input = testing::music_like(44100, 20000);
  for (const ResampleQuality quality : kQualities)
    EXPECT_EQ(resample(input, 16000, quality).samples, resample(input, 16000, quality).samples);
}

TEST(ResampleTest, NamesItsQualities) {
  EXPECT_EQ(resample_quality_name(ResampleQuality::kBest), "best");
  EXPECT_EQ(resample_quality_name(ResampleQuality::kMedium), "medium");
  EXPECT_EQ(resample_quality_name(ResampleQuality::kFastest), "fastest");
}

TEST(ResampleTest, RefusesRatesOutOfRange) {
  for (const int rate : {-1, 0, 999, 768001}) {
    EXPECT_THAT(message_of([&] { resample(tone(100.0, 16000, 10), rate); }),
                HasSubstr("1000 to 768000 Hz was expected, got " + std::to_string(rate)));
  }
  Waveform unset;
  unset.samples = {0.0F};
  EXPECT_THROW(resample(unset, 16000), DataError);
  EXPECT_THAT(message_of([] { resample(tone(100.0, 1000, 10), 768000); }), HasSubstr("a factor of 256"));
}

}  // namespace
}  // namespace tagbench
