#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "perturbations/measure.h"
#include "tests/perturbations/signals.h"

namespace tagbench {
namespace {

using testing::applied;

TEST(LevelsTest, GainIsExactAndNeverClips) {
  const Waveform clip = testing::music(0.2);
  const Perturbed result = applied("gain:gain_db=20", clip);
  for (size_t i = 0; i < clip.samples.size(); ++i) ASSERT_FLOAT_EQ(result.waveform.samples[i], 10.0F * clip.samples[i]);
  EXPECT_EQ(result.reached.at("gain_db"), 20.0);
  EXPECT_GT(peak(result.waveform.samples), 1.0);
}

TEST(LevelsTest, ClippingFlattensTheShareOfSamplesAboveTheThreshold) {
  const Waveform tone = testing::sine(100.0, 0.8, 1.0);
  const Perturbed result = applied("clipping:drive_db=6.0206", tone);
  // A sine exceeds half its amplitude for 2/3 of the time.
  EXPECT_NEAR(result.reached.at("clipped_fraction"), 2.0 / 3.0, 0.01);
  EXPECT_NEAR(testing::rms(result.waveform.samples), testing::rms(tone.samples), 1e-5);
  const double top = peak(result.waveform.samples);
  const auto at_top = std::count_if(result.waveform.samples.begin(), result.waveform.samples.end(),
                                    [&](float sample) { return std::fabs(static_cast<double>(sample)) > top - 1e-6; });
  EXPECT_NEAR(static_cast<double>(at_top) / 16000.0, 2.0 / 3.0, 0.01);
}

TEST(LevelsTest, PhaseFlipMakesAComb) {
  // At full depth and 0.5 ms the zeros lie at the multiples of 2 kHz, the tops between them.
  const auto gain = [](double frequency_hz, const std::string& settings) {
    const Waveform tone = testing::sine(frequency_hz, 0.5, 0.5);
    return testing::rms(applied("phase_flip:" + settings, tone).waveform.samples, 1000, 7000) /
           testing::rms(tone.samples, 1000, 7000);
  };
  EXPECT_NEAR(gain(2000.0, "depth=1"), 0.0, 1e-5);
  EXPECT_NEAR(gain(1000.0, "depth=1"), 1.0, 1e-5);
  EXPECT_NEAR(gain(2000.0, "depth=0.5"), 0.5, 1e-5);
  EXPECT_NEAR(gain(440.0, "depth=1,delay_ms=0"), 0.0, 1e-6);
}

TEST(LevelsTest, PolarityTurnsTheWaveformOverAt180Degrees) {
  const Waveform clip = testing::music(0.2);
  const std::vector<float> turned = applied("polarity", clip).waveform.samples;
  for (size_t i = 0; i < clip.samples.size(); ++i) ASSERT_EQ(turned[i], -clip.samples[i]);
}

TEST(LevelsTest, PolarityTurnsEveryFrequencyByTheSameAngle) {
  for (const double frequency_hz : {100.0, 1000.0, 6000.0}) {
    const Waveform tone = testing::sine(frequency_hz, 0.5, 1.0);
    const std::vector<float> turned = applied("polarity:phase_deg=60", tone).waveform.samples;
    double in_phase = 0.0;
    double quadrature = 0.0;
    for (size_t i = 4000; i < 12000; ++i) {
      const double angle = 2.0 * M_PI * frequency_hz * static_cast<double>(i) / 16000.0;
      in_phase += static_cast<double>(turned[i]) * std::sin(angle);
      quadrature += static_cast<double>(turned[i]) * std::cos(angle);
    }
    // Window of the Hilbert transform's kernel: 0.1 % above 100 Hz.
    EXPECT_NEAR(std::hypot(in_phase, quadrature) / 2000.0, 1.0, 2e-3) << frequency_hz;
    EXPECT_NEAR(std::fabs(std::atan2(quadrature, in_phase)) * 180.0 / M_PI, 60.0, 0.2) << frequency_hz;
  }
}

}  // namespace
}  // namespace tagbench
