#include "perturbations/drc.h"

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
using testing::message_of;

// The presets once more, as published: pairs of input and output level, and the gain on top.
struct Published {
  std::string name;
  std::vector<std::pair<double, double>> points;
  double gain_db;
};

const std::vector<Published>& published_presets() {
  static const std::vector<Published> presets = {
      {"radio", {{-90, -90}, {-70, -70}, {-60, -20}, {0, 0}}, -5},
      {"film_standard", {{-90, -90}, {-70, -64}, {-43, -37}, {-31, -31}, {-21, -21}, {0, -20}}, 0},
      {"film_light", {{-90, -90}, {-70, -64}, {-53, -47}, {-41, -41}, {-21, -21}, {0, -20}}, 0},
      {"music_standard", {{-90, -90}, {-70, -58}, {-55, -43}, {-31, -31}, {-21, -21}, {0, -20}}, 0},
      {"music_light", {{-90, -90}, {-70, -58}, {-65, -53}, {-41, -41}, {-21, -21}, {0, -11}}, 0},
      {"speech", {{-90, -90}, {-70, -55}, {-50, -35}, {-31, -31}, {-21, -21}, {0, -20}}, 0},
  };
  return presets;
}

double expected_output_db(const Published& preset, double input_db) {
  const auto& points = preset.points;
  if (input_db <= points.front().first) return input_db + points.front().second - points.front().first + preset.gain_db;
  for (size_t i = 1; i < points.size(); ++i) {
    if (input_db <= points[i].first) {
      const double share = (input_db - points[i - 1].first) / (points[i].first - points[i - 1].first);
      return points[i - 1].second + share * (points[i].second - points[i - 1].second) + preset.gain_db;
    }
  }
  return points.back().second + preset.gain_db;
}

double db(double amplitude) {
  return 20.0 * std::log10(amplitude);
}

TEST(DrcTest, StaticCurveOfASteadySquareWaveIsThePreset) {
  // |x| of a square wave is its level, which the follower reaches after many decay times; 8 kHz keeps the test short.
  const int rate_hz = 1000;
  for (const Published& preset : published_presets()) {
    // The radio preset decays in 1 s: 16 of its time constants bring the follower from 0 dB to within e^-16 = -139 dB
    // of the level.
    const size_t samples = static_cast<size_t>(rate_hz) * (preset.name == "radio" ? 16 : 5);
    for (double level_db = -80.0; level_db <= 0.0; level_db += 2.5) {
      Waveform square = testing::silence(static_cast<int64_t>(samples), rate_hz);
      const double amplitude = std::pow(10.0, level_db / 20.0);
      for (size_t i = 0; i < samples; ++i) square.samples[i] = static_cast<float>(i % 2 == 0 ? amplitude : -amplitude);
      const Perturbed result = applied("drc:preset=" + preset.name, square);
      const double output_db = db(std::fabs(static_cast<double>(result.waveform.samples[samples / 2 * 2 - 2])));
      // The knees round the corners by at most 0.01 dB times the change of slope, which is below 4 (radio: 5 to 1/3).
      EXPECT_NEAR(output_db, expected_output_db(preset, level_db), 0.03) << preset.name << " at " << level_db << " dB";
    }
  }
}

// What the follower makes of a steady full-scale sine: the c at which rises and falls balance.
double follower_level_of_sine(double attack_s, double decay_s) {
  double low = 0.0;
  double high = 1.0;
  for (int step = 0; step < 60; ++step) {
    const double c = 0.5 * (low + high);
    double rise = 0.0;
    double fall = 0.0;
    for (int i = 0; i < 10000; ++i) {
      const double difference = std::sin(M_PI / 2.0 * (i + 0.5) / 10000.0) - c;
      (difference > 0.0 ? rise : fall) += std::fabs(difference);
    }
    (rise / attack_s > fall / decay_s ? low : high) = c;
  }
  return low;
}

TEST(DrcTest, StaticCurveOfASteadySineIsThePreset) {
  for (const Published& preset : published_presets()) {
    const bool radio = preset.name == "radio";
    const double factor = follower_level_of_sine(radio ? 0.01 : 0.1, radio ? 1.0 : 0.3);
    for (const double level_db : {-75.0, -62.0, -50.0, -35.0, -25.0, -15.0, -5.0, 0.0}) {
      const double amplitude = std::pow(10.0, level_db / 20.0);
      const Waveform input = testing::sine(1237.0, amplitude, radio ? 16.0 : 5.0, 8000);
      const Perturbed result = applied("drc:preset=" + preset.name, input);
      const size_t n = input.samples.size();
      const double gain_db =
          db(testing::rms(result.waveform.samples, n - 4000, n) / testing::rms(input.samples, n - 4000, n));
      const double follower_db = level_db + db(factor);
      // The follower ripples by a fraction of a percent around its mean, times the largest slope (5 for radio).
      EXPECT_NEAR(gain_db, expected_output_db(preset, follower_db) - follower_db, 0.15)
          << preset.name << " at " << level_db;
    }
  }
}

TEST(DrcTest, EqualsSoxOnReferenceClips) {
  TAGBENCH_REQUIRE_SHARED("parity/drc/meta.json");
  for (const std::string clip : {"joram", "joramfade"}) {
    const Waveform input = testing::read_sound(testing::shared_path("parity/drc/" + clip + "_in.wav").string());
    for (const std::string preset : {"music_standard", "speech"}) {
      const std::string stem = "parity/drc/" + clip + "_" + preset;
      const Waveform expected = testing::read_sound(testing::shared_path(stem + "_float.wav").string());
      const Waveform found = applied("drc:preset=" + preset, input).waveform;
      const Waveform quantised = applied("drc:round_to_16_bits=true,preset=" + preset, input).waveform;
      const Waveform expected_16 = testing::read_sound(testing::shared_path(stem + "_pcm16.wav").string());
      ASSERT_EQ(found.samples.size(), expected.samples.size());
      for (size_t i = 0; i < found.samples.size(); ++i) {
        // The tolerance stated with the references; their arithmetic is 32-bit integers.
        ASSERT_NEAR(found.samples[i], expected.samples[i], 2e-6) << clip << " " << preset << " sample " << i;
        // SoX dithers its 16-bit output by up to 1.5 steps of 1/32768.
        ASSERT_NEAR(quantised.samples[i], expected_16.samples[i], 1e-4);
      }
    }
  }
}

TEST(DrcTest, TwoPresetsAgreeAboveMinus31Db) {
  const Waveform loud = testing::sine(440.0, 0.5, 2.0);
  EXPECT_EQ(applied("drc:preset=music_standard", loud).waveform.samples,
            applied("drc:preset=speech", loud).waveform.samples);
}

TEST(DrcTest, AttenuatesTheStartBecauseTheFollowerStartsAtFullScale) {
  const Waveform tone = testing::sine(440.0, 0.05, 4.0);
  const std::vector<float> out = applied("drc:preset=music_standard", tone).waveform.samples;
  const double start_db = db(testing::rms(out, 0, 800) / testing::rms(tone.samples, 0, 800));
  const double end_db = db(testing::rms(out, 60000, 64000) / testing::rms(tone.samples, 60000, 64000));
  EXPECT_LT(start_db, -10.0);
  EXPECT_NEAR(end_db, 0.0,
              0.1);  // -26 dB lies where the curve is the identity, and the sine's follower level is near its peak
}

TEST(DrcTest, ClipsWhatIsBeyondFullScale) {
  Waveform input = testing::sine(440.0, 3.0, 1.0);
  const Waveform clipped = [&] {
    Waveform copy = input;
    for (float& sample : copy.samples) sample = std::clamp(sample, -1.0F, 1.0F);
    return copy;
  }();
  EXPECT_EQ(applied("drc:preset=speech", input).waveform.samples,
            applied("drc:preset=speech", clipped).waveform.samples);
}

TEST(DrcTest, NamesTheNearestPreset) {
  const std::string message = message_of([] { Condition::parse("drc:preset=music_standart"); });
  EXPECT_THAT(message, ::testing::HasSubstr("drc: unknown preset 'music_standart'; did you mean 'music_standard'?"));
  EXPECT_THAT(message_of([] { Condition::parse("drc"); }), ::testing::HasSubstr("option 'preset' is required"));
}

}  // namespace
}  // namespace tagbench
