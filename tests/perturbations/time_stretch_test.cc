#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "harness/core/npy.h"
#include "harness/core/text.h"
#include "perturbations/condition.h"
#include "tests/perturbations/signals.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using testing::applied;
using testing::message_of;

class TimeStretchTest : public ::testing::TestWithParam<std::string> {};

TEST_P(TimeStretchTest, ChangesTheDurationByTheRateToTheSample) {
  for (const int64_t samples : {int64_t{1}, int64_t{2}, int64_t{999}, int64_t{1024}, int64_t{2047}, int64_t{16001}}) {
    const Waveform clip = testing::hiss(samples);
    for (const std::string rate : {"2^-0.5", "2^0.5", "0.25", "4", "1.1"}) {
      const Perturbed result = applied("time_stretch:rate=" + rate + ",engine=" + GetParam(), clip);
      const double ratio = parse_real_expression(rate).value();
      EXPECT_EQ(result.waveform.size(), std::llround(static_cast<double>(samples) / ratio))
          << samples << " at " << rate;
      EXPECT_TRUE(testing::all_finite(result.waveform.samples));
    }
  }
}

TEST_P(TimeStretchTest, KeepsThePitchOfATone) {
  // Rubber Band R2 takes the rounding noise of some pure tones (440 Hz) for transients and makes them beat.
  const Waveform tone = testing::sine(1000.0, 0.5, 2.0);
  for (const std::string rate : {"2^-0.5", "2^0.5"}) {
    const Perturbed result = applied("time_stretch:rate=" + rate + ",engine=" + GetParam(), tone);
    EXPECT_NEAR(testing::peak_frequency_hz(result.waveform), 1000.0, 0.5) << rate;
    EXPECT_NEAR(result.reached.at("rate"), parse_real_expression(rate).value(), 1e-4);
  }
}

TEST_P(TimeStretchTest, MovesAnEventToItsNewTime) {
  Waveform clip = testing::silence(32000);
  const Waveform burst = testing::hiss(800);
  std::copy(burst.samples.begin(), burst.samples.end(), clip.samples.begin() + 16000);
  for (const std::string rate : {"2^-0.5", "2^0.5"}) {
    const Perturbed result = applied("time_stretch:rate=" + rate + ",engine=" + GetParam(), clip);
    double sum = 0.0;
    double moment = 0.0;
    for (size_t i = 0; i < result.waveform.samples.size(); ++i) {
      const double power = std::pow(static_cast<double>(result.waveform.samples[i]), 2.0);
      sum += power;
      moment += power * static_cast<double>(i);
    }
    // Within a hop and a half of the engines' windows.
    EXPECT_NEAR(moment / sum, 16400.0 / parse_real_expression(rate).value(), 768.0) << rate;
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, TimeStretchTest,
                         ::testing::Values("rubberband_r2", "rubberband_r3", "phase_vocoder"));

TEST(TimeStretchParityTest, PhaseVocoderAgreesWithReferenceClips) {
  TAGBENCH_REQUIRE_SHARED("parity/stretch/meta.json");
  for (const std::string clip : {"joram", "tones"}) {
    const Waveform input{read_npy(testing::shared_path("parity/stretch/" + clip + "_in.npy")).as_float(), 16000};
    for (const auto& [file, rate] : {std::pair("stretch_m05", "2^-0.5"), std::pair("stretch_p05", "2^0.5")}) {
      const auto expected =
          read_npy(testing::shared_path("parity/stretch/" + clip + "_" + file + "_librosa.npy")).as_float();
      const Waveform found = applied(std::string("time_stretch:engine=phase_vocoder,rate=") + rate, input).waveform;
      ASSERT_EQ(found.samples.size(), expected.size());
      const double snr = testing::snr_db(expected, found.samples);
      RecordProperty(clip + "_" + file, format_fixed(snr, 1));
      // Stated with the references, which are rounded to single precision throughout.
      EXPECT_GE(snr, 40.0) << clip << " " << file;
    }
  }
}

TEST(TimeStretchParityTest, RubberBandAgreesWithReferenceClips) {
  TAGBENCH_REQUIRE_SHARED("parity/stretch/meta.json");
  for (const std::string clip : {"joram", "tones"}) {
    Waveform input{read_npy(testing::shared_path("parity/stretch/" + clip + "_in.npy")).as_float(), 16000};
    for (float& sample : input.samples) sample = std::nearbyint(sample * 32768.0F) / 32768.0F;
    for (const auto& [file, rate] : {std::pair("stretch_m05", "2^-0.5"), std::pair("stretch_p05", "2^0.5")}) {
      const std::string reference = "parity/stretch/" + clip + "_" + file + "_rubberband.npy";
      const Waveform expected{read_npy(testing::shared_path(reference)).as_float(), 16000};
      const Waveform found = applied(std::string("time_stretch:rate=") + rate, input).waveform;
      ASSERT_EQ(found.samples.size(), expected.samples.size());
      // The references went through 16-bit files on both sides. On music that leaves above 50 dB; on pure tones the
      // last bit decides where the engine resets its phases, so there only the pitch can be compared.
      if (clip == "joram") {
        EXPECT_GE(testing::snr_db(expected.samples, found.samples), 50.0) << file;
      }
      EXPECT_NEAR(testing::peak_frequency_hz(found), testing::peak_frequency_hz(expected), 0.5) << reference;
    }
  }
}

TEST(TimeStretchParityTest, LeavesHeadroomAsTheCommandLineToolDoes) {
  // Stretching a clip at full scale makes peaks beyond it; the tool starts over with less gain and so stays below.
  Waveform loud = testing::music(2.0);
  float largest = 0.0F;
  for (const float sample : loud.samples) largest = std::max(largest, std::fabs(sample));
  for (float& sample : loud.samples) sample /= largest;
  const Perturbed result = applied("time_stretch:rate=2^-0.5", loud);
  for (const float sample : result.waveform.samples) ASSERT_LE(std::fabs(sample), 1.0F);
  EXPECT_LE(result.reached.at("headroom_gain_db"), 0.0);
  EXPECT_GE(result.reached.at("headroom_gain_db"), 20.0 * std::log10(0.75) - 1e-6);
}

TEST(TimeStretchParityTest, RejectsBadParameters) {
  EXPECT_THAT(message_of([] { Condition::parse("time_stretch:rate=0"); }),
              ::testing::HasSubstr("from 0.25 to 4, got '0'"));
  EXPECT_THAT(message_of([] { Condition::parse("time_stretch:rate=inf"); }),
              ::testing::HasSubstr("a finite number, got 'inf'"));
  EXPECT_THAT(message_of([] { Condition::parse("time_stretch:rate=fast"); }), ::testing::HasSubstr("got 'fast'"));
  EXPECT_THAT(message_of([] { Condition::parse("time_stretch"); }), ::testing::HasSubstr("option 'rate' is required"));
}

}  // namespace
}  // namespace tagbench
