#include "perturbations/filters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "perturbations/condition.h"
#include "perturbations/measure.h"
#include "tests/perturbations/signals.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using testing::applied;
using testing::message_of;

// Gain of the steady part of a tone, in dB.
double gain_db(const std::string& condition, double frequency_hz, double amplitude = 0.5) {
  const Waveform tone = testing::sine(frequency_hz, amplitude, 1.0);
  const std::vector<float> out = applied(condition, tone).waveform.samples;
  return 20.0 * std::log10(testing::rms(out, 8000, 12000) / testing::rms(tone.samples, 8000, 12000));
}

// Butterworth, order 8, after the bilinear transform.
double butterworth_db(double frequency_hz, double cutoff_hz, bool high) {
  const double ratio = std::tan(M_PI * frequency_hz / 16000.0) / std::tan(M_PI * cutoff_hz / 16000.0);
  return -10.0 * std::log10(1.0 + std::pow(high ? 1.0 / ratio : ratio, 16.0));
}

TEST(FiltersTest, LowPassHasTheButterworthResponse) {
  for (const double frequency_hz : {200.0, 900.0, 1000.0, 1100.0, 1500.0, 2000.0}) {
    EXPECT_NEAR(gain_db("low_pass:cutoff_hz=1000", frequency_hz), butterworth_db(frequency_hz, 1000.0, false), 0.05)
        << frequency_hz;
  }
}

TEST(FiltersTest, HighPassHasTheButterworthResponse) {
  for (const double frequency_hz : {500.0, 700.0, 1000.0, 1100.0, 4000.0, 7900.0}) {
    EXPECT_NEAR(gain_db("high_pass:cutoff_hz=1000", frequency_hz), butterworth_db(frequency_hz, 1000.0, true), 0.05)
        << frequency_hz;
  }
}

TEST(FiltersTest, CutOffsBeyondTheBandAreDefined) {
  const Waveform clip = testing::music(0.2);
  EXPECT_EQ(applied("low_pass:cutoff_hz=8000", clip).waveform.samples, clip.samples);
  EXPECT_EQ(applied("low_pass:cutoff_hz=9000", clip).reached.at("cutoff_hz"), 8000.0);
  EXPECT_EQ(applied("high_pass:cutoff_hz=8000", clip).waveform.samples, std::vector<float>(clip.samples.size(), 0.0F));
}

TEST(FiltersTest, TelephonePassesSpeechAndLittleElse) {
  EXPECT_NEAR(gain_db("telephone", 1000.0), 0.0, 0.2);
  EXPECT_LT(gain_db("telephone", 120.0), -35.0);
  EXPECT_LT(gain_db("telephone", 6000.0), -35.0);
}

TEST(FiltersTest, MuLawKeepsTheRatioToItsNoiseOverLevels) {
  for (const double amplitude : {0.9, 0.1, 0.01}) {
    const Waveform tone = testing::sine(1000.0, amplitude, 0.5);
    const std::vector<float> smooth = applied("telephone:mu_law=false", tone).waveform.samples;
    const std::vector<float> coded = applied("telephone", tone).waveform.samples;
    // 8 bits of mu-law give 33 to 40 dB where a linear code would lose 40 dB on the way.
    const double snr = testing::snr_db(smooth, coded);
    EXPECT_GT(snr, 30.0) << amplitude;
    EXPECT_LT(snr, 45.0) << amplitude;
  }
}

TEST(FiltersTest, TiltIsStraightInOctaves) {
  const Waveform noise = testing::hiss(160000);
  const Waveform tilted = applied("tilt:slope_db=-3", noise).waveform;
  EXPECT_NEAR(testing::band_db(tilted, 400.0, 800.0) - testing::band_db(noise, 400.0, 800.0) -
                  (testing::band_db(tilted, 1600.0, 3200.0) - testing::band_db(noise, 1600.0, 3200.0)),
              6.0, 0.3);
  EXPECT_NEAR(testing::rms(tilted.samples), testing::rms(noise.samples), 1e-4);
  const Waveform brighter = applied("tilt:slope_db=3", noise).waveform;
  EXPECT_GT(testing::band_db(brighter, 4000.0, 7000.0), testing::band_db(noise, 4000.0, 7000.0) + 1.0);
}

TEST(FiltersTest, TiltKeepsEventsInPlace) {
  Waveform click = testing::silence(16000);
  click.samples[8000] = 1.0F;
  const std::vector<float> out = applied("tilt:slope_db=-6", click).waveform.samples;
  EXPECT_EQ(std::max_element(out.begin(), out.end()) - out.begin(), 8000);
}

TEST(FiltersTest, ResampleLosesWhatIsAboveHalfTheLowerRate) {
  EXPECT_NEAR(gain_db("resample:rate_hz=8000", 3000.0), 0.0, 0.05);
  EXPECT_LT(gain_db("resample:rate_hz=8000", 5000.0), -60.0);
  const Waveform clip = testing::music(0.3);
  EXPECT_EQ(applied("resample:rate_hz=16000", clip).waveform.samples, clip.samples);
  EXPECT_EQ(applied("resample:rate_hz=22050", clip).reached.at("rate_hz"), 16000.0);
  for (const int64_t samples : {1, 7, 999, 16001}) {
    EXPECT_EQ(applied("resample:rate_hz=11025", testing::hiss(samples)).waveform.size(), samples);
  }
}

TEST(FiltersTest, RejectsBadParameters) {
  EXPECT_EQ(message_of([] { Condition::parse("telephone:low_hz=4000"); }),
            "telephone: low_hz must be below high_hz, got 4000 and 3400");
  EXPECT_THAT(message_of([] { Condition::parse("resample:rate_hz=999"); }),
              ::testing::HasSubstr("from 1000 to 768000 Hz, got '999'"));
  EXPECT_THAT(message_of([] { Condition::parse("low_pass"); }), ::testing::HasSubstr("option 'cutoff_hz' is required"));
}

}  // namespace
}  // namespace tagbench
