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

TEST(TimingTest, VinylSpeedMovesTempoAndPitchTogether) {
  const Waveform tone = testing::sine(1000.0, 0.5, 2.0);
  for (const double rate : {0.5, 0.9, 1.35, 2.0}) {
    const Perturbed result = applied("vinyl_speed:rate=" + std::to_string(rate), tone);
    EXPECT_EQ(result.waveform.size(), std::llround(32000.0 / rate));
    EXPECT_NEAR(testing::peak_frequency_hz(result.waveform), 1000.0 * rate, 0.2);
    EXPECT_NEAR(result.reached.at("semitones"), 12.0 * std::log2(rate), 1e-9);
    EXPECT_NEAR(testing::rms(result.waveform.samples), 0.5 / std::sqrt(2.0), 2e-3);
  }
}

TEST(TimingTest, VibratoSwingsThePitchByTheDepth) {
  const Waveform tone = testing::sine(1000.0, 0.5, 2.0);
  const std::vector<float> out = applied("vibrato:depth_cents=100,rate_hz=2", tone).waveform.samples;
  // Periods between rising zero crossings, averaged over ten, tell the frequency of the moment.
  std::vector<double> crossings;
  for (size_t i = 2001; i < 30000; ++i) {
    if (out[i - 1] < 0.0F && out[i] >= 0.0F) {
      const double a = static_cast<double>(out[i - 1]);
      const double b = static_cast<double>(out[i]);
      crossings.push_back(static_cast<double>(i) - b / (b - a));
    }
  }
  double highest_hz = 0.0;
  double lowest_hz = 1e9;
  for (size_t i = 10; i < crossings.size(); ++i) {
    const double frequency_hz = 10.0 * 16000.0 / (crossings[i] - crossings[i - 10]);
    highest_hz = std::max(highest_hz, frequency_hz);
    lowest_hz = std::min(lowest_hz, frequency_hz);
  }
  // The speed swings evenly around 1, so a semitone up is 1.029 semitones down.
  EXPECT_NEAR(highest_hz, 1000.0 * std::exp2(1.0 / 12.0), 1.0);
  EXPECT_NEAR(lowest_hz, 1000.0 * (2.0 - std::exp2(1.0 / 12.0)), 1.0);
}

TEST(TimingTest, VibratoLosesNoHighFrequencies) {
  const Waveform noise = testing::hiss(32000);
  for (const std::string depth : {"0.01", "10"}) {
    const Waveform out = applied("vibrato:depth_cents=" + depth, noise).waveform;
    for (double low_hz = 1000.0; low_hz < 7500.0; low_hz += 500.0) {
      // The interpolator passes what lies below 0.92 of the Nyquist frequency; 10 cents move half of the time above it.
      EXPECT_NEAR(testing::band_db(out, low_hz, low_hz + 500.0), testing::band_db(noise, low_hz, low_hz + 500.0), 0.2)
          << depth << " from " << low_hz;
    }
  }
}

TEST(TimingTest, TimeOffsetRotatesTheTrack) {
  Waveform clip = testing::silence(10, 1000);
  for (size_t i = 0; i < 10; ++i) clip.samples[i] = static_cast<float>(i);
  EXPECT_THAT(applied("time_offset:shift_s=0.003", clip).waveform.samples,
              ::testing::ElementsAre(7, 8, 9, 0, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(applied("time_offset:shift_s=-0.003", clip).waveform.samples,
              ::testing::ElementsAre(3, 4, 5, 6, 7, 8, 9, 0, 1, 2));
  EXPECT_EQ(applied("time_offset:shift_s=0.01", clip).waveform.samples, clip.samples);
  EXPECT_EQ(applied("time_offset:shift_s=0.0031", clip).reached.at("shift_s"), 0.003);
}

TEST(TimingTest, PacketLossSilencesWholePacketsInTheShareAsked) {
  const Waveform noise = testing::hiss(32000);
  const Perturbed result = applied("packet_loss:loss_percent=25,packet_ms=20", noise);
  int lost = 0;
  for (size_t packet = 0; packet < 100; ++packet) {
    const auto begin = result.waveform.samples.begin() + static_cast<std::ptrdiff_t>(packet * 320);
    const auto zeros = std::count(begin, begin + 320, 0.0F);
    const bool untouched =
        std::equal(begin, begin + 320, noise.samples.begin() + static_cast<std::ptrdiff_t>(packet * 320));
    EXPECT_TRUE(zeros == 320 || untouched) << packet;
    lost += zeros == 320 ? 1 : 0;
  }
  EXPECT_EQ(lost, 25);
  EXPECT_EQ(result.reached.at("loss_percent"), 25.0);
  const Perturbed all = applied("packet_loss:loss_percent=100", noise);
  EXPECT_EQ(all.waveform.samples, std::vector<float>(32000, 0.0F));
}

}  // namespace
}  // namespace tagbench
