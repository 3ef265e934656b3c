#include "perturbations/noise.h"

#include <gtest/gtest.h>

#include <cmath>

#include "perturbations/measure.h"
#include "tests/perturbations/signals.h"

namespace tagbench {
namespace {

using testing::applied;

// Fall in dB from one band to one four times as high, of equal width: per octave half of it.
double slope_db_per_octave(const std::vector<double>& noise, double low_hz) {
  const Waveform waveform{to_float(noise), 16000};
  const double low = testing::band_db(waveform, low_hz, low_hz * 1.4) - 10.0 * std::log10(low_hz);
  const double high = testing::band_db(waveform, low_hz * 4.0, low_hz * 5.6) - 10.0 * std::log10(low_hz * 4.0);
  return (high - low) / 2.0;
}

TEST(NoiseTest, PinkFallsByThreeAndBrownBySixDbPerOctave) {
  Rng rng(11, {"colours"});
  const std::vector<double> pink = pink_noise(800000, 16000, rng);
  const std::vector<double> brown = brown_noise(800000, 16000, rng);
  const std::vector<double> white = white_noise(800000, rng);
  for (const double low_hz : {100.0, 250.0, 700.0}) {
    // The bands hold some 2,000 independent values each: 0.1 dB per octave is about three standard errors.
    EXPECT_NEAR(slope_db_per_octave(white, low_hz), 0.0, 0.3) << low_hz;
    EXPECT_NEAR(slope_db_per_octave(pink, low_hz), -3.01, 0.3) << low_hz;
    EXPECT_NEAR(slope_db_per_octave(brown, low_hz), -6.02, 0.3) << low_hz;
  }
}

TEST(NoiseTest, ColouredNoiseReachesRequestedSnr) {
  const Waveform clip = testing::music(1.0);
  for (const std::string name : {"pink_noise", "brown_noise"}) {
    const Perturbed result = applied(name + ":snr_db=12", clip);
    // Rounding of the sum to single precision.
    EXPECT_NEAR(result.reached.at("snr_db"), 12.0, 1e-3);
    EXPECT_NEAR(testing::snr_db(clip.samples, result.waveform.samples), 12.0, 1e-3);
    EXPECT_EQ(applied(name + ":snr_db=12", testing::silence(100)).reached.count("snr_db"), 0U);
  }
}

}  // namespace
}  // namespace tagbench
