#include "perturbations/sinc.h"

#include <gtest/gtest.h>

#include <cmath>

#include "perturbations/measure.h"
#include "tests/perturbations/signals.h"

namespace tagbench {
namespace {

TEST(SincTest, InterpolatesATone) {
  const std::vector<double> tone = to_double(testing::sine(1000.0, 0.5, 0.2).samples);
  for (const double time : {1000.0, 1000.25, 1600.5, 2000.9}) {
    // Table of 512 steps per crossing: -100 dB.
    EXPECT_NEAR(sinc_value(tone, time, 1.0), 0.5 * std::sin(2.0 * M_PI * 1000.0 * time / 16000.0), 2e-5) << time;
  }
}

TEST(SincTest, FullBandGivesTheSamplesThemselves) {
  const std::vector<double> noise = to_double(testing::hiss(400).samples);
  // Table of 512 steps per crossing: -100 dB.
  for (const size_t i : {size_t{100}, size_t{201}})
    EXPECT_NEAR(sinc_value(noise, static_cast<double>(i), kSincFullBand), noise[i], 1e-5);
}

TEST(SincTest, IsZeroFarBeyondTheEnds) {
  const std::vector<double> ones(100, 1.0);
  EXPECT_EQ(sinc_value(ones, -65.0, 1.0), 0.0);
  EXPECT_EQ(sinc_value(ones, 164.5, 1.0), 0.0);
  EXPECT_EQ(sinc_value({}, 0.0, 1.0), 0.0);
}

TEST(SincTest, ResamplingDownRemovesWhatWouldFold) {
  const std::vector<double> high = to_double(testing::sine(6000.0, 0.5, 0.5).samples);
  const std::vector<double> half = sinc_resample(high, 0.5, 4000);
  double largest = 0.0;
  for (size_t i = 500; i < 3500; ++i) largest = std::max(largest, std::fabs(half[i]));
  // The Kaiser window's stop band lies below -140 dB, the table's steps at -100 dB.
  EXPECT_LT(largest, 1e-4);
}

}  // namespace
}  // namespace tagbench
