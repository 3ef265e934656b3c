#include <gtest/gtest.h>

#include <cmath>

#include "perturbations/measure.h"
#include "tests/perturbations/signals.h"

namespace tagbench {
namespace {

using testing::applied;

TEST(ReverbTest, TailOfAClickFallsBy60DbInRt60) {
  for (const double rt60_s : {0.3, 1.0}) {
    Waveform click = testing::silence(32000);
    click.samples[0] = 1.0F;
    const Perturbed result = applied("reverb:rt60_s=" + std::to_string(rt60_s), click);
    const std::vector<float>& out = result.waveform.samples;
    // Between a tenth and six tenths of the tail it falls by 30 dB; each window holds hundreds of independent values.
    const auto window_db = [&](double share) {
      const auto centre = static_cast<size_t>(share * rt60_s * 16000.0);
      const auto half = static_cast<size_t>(0.05 * rt60_s * 16000.0);
      return 20.0 * std::log10(testing::rms(out, centre - half, centre + half));
    };
    EXPECT_NEAR(window_db(0.1) - window_db(0.6), 30.0, 1.5) << rt60_s;
    // Fluctuation of the energy that is left at -35 dB.
    EXPECT_NEAR(result.reached.at("rt60_s"), rt60_s, 0.05 * rt60_s);
  }
}

TEST(ReverbTest, DirectToReverberantRatioIsMet) {
  Waveform click = testing::silence(32000);
  click.samples[0] = 1.0F;
  for (const double drr_db : {-6.0, 0.0, 12.0}) {
    const std::vector<float> out =
        applied("reverb:rt60_s=0.5,drr_db=" + std::to_string(drr_db), click).waveform.samples;
    const std::vector<float> tail(out.begin() + 1, out.end());
    EXPECT_NEAR(ratio_db(static_cast<double>(out[0]) * static_cast<double>(out[0]), energy(tail)).value(), drr_db,
                1e-3);
  }
}

TEST(ReverbTest, KeepsTheLoudness) {
  const Waveform clip = testing::music(1.0);
  EXPECT_NEAR(applied("reverb@5", clip).reached.at("loudness_change_db"), 0.0, 1e-4);
}

}  // namespace
}  // namespace tagbench
