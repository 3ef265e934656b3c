#include "splits/render_score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "harness/core/errors.h"
#include "tests/splits/small_corpus.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::message_of;

// One long note of the square lead, whose fundamental is strong.
Score one_note(int pitch, double duration_s) {
  Score score;
  score.duration_s = duration_s;
  score.reverb_level = 0.0;
  ScorePart part;
  part.instrument = "synthesizer";
  part.program = 80;
  part.notes = {{0, 480 * 8, pitch, 100}};
  score.parts = {part};
  return score;
}

// Magnitude of the waveform at one frequency, between 0.2 s and the end.
double magnitude_at(const Waveform& waveform, double frequency_hz) {
  double re = 0;
  double im = 0;
  for (size_t i = static_cast<size_t>(waveform.sample_rate_hz / 5); i < waveform.samples.size(); ++i) {
    const double phase = 2.0 * M_PI * frequency_hz * static_cast<double>(i) / waveform.sample_rate_hz;
    re += static_cast<double>(waveform.samples[i]) * std::cos(phase);
    im += static_cast<double>(waveform.samples[i]) * std::sin(phase);
  }
  return std::hypot(re, im);
}

double frequency_of(int pitch) {
  return 440.0 * std::exp2((pitch - 69) / 12.0);
}

class RenderScoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(RenderOptions().soundfont))
      GTEST_SKIP() << "no sound font " << RenderOptions().soundfont;
  }
};

TEST_F(RenderScoreTest, SoundsTheWrittenPitchAtTheStatedPeakAndLength) {
  const Waveform waveform = render_score(one_note(69, 1.0), {});
  EXPECT_EQ(waveform.sample_rate_hz, 16000);
  EXPECT_EQ(waveform.size(), 16000);
  float peak = 0;
  for (const float sample : waveform.samples) peak = std::max(peak, std::abs(sample));
  EXPECT_FLOAT_EQ(peak, static_cast<float>(kSynthPeak));
  for (const int other : {66, 68, 70, 72})
    EXPECT_GT(magnitude_at(waveform, 440.0), 5.0 * magnitude_at(waveform, frequency_of(other)));
}

TEST_F(RenderScoreTest, TransposesByWholeSemitones) {
  RenderOptions up;
  up.transpose_semitones = 3;
  const Waveform waveform = render_score(one_note(69, 1.0), up);
  EXPECT_GT(magnitude_at(waveform, frequency_of(72)), 5.0 * magnitude_at(waveform, 440.0));
  // The transposed score is the score written higher.
  EXPECT_EQ(waveform.samples, render_score(one_note(72, 1.0), {}).samples);
}

TEST_F(RenderScoreTest, TempoRatioMovesOnsetsAndLengthButNotPitch) {
  Score score = one_note(69, 2.0);
  score.parts[0].notes[0].onset_ticks = 960;  // 1 s
  RenderOptions fast;
  fast.tempo_ratio = 2.0;
  const Waveform waveform = render_score(score, fast);
  EXPECT_EQ(waveform.size(), 16000);
  size_t first = 0;
  while (first < waveform.samples.size() && std::abs(waveform.samples[first]) < 0.01F) ++first;
  // FluidSynth begins notes at blocks of 64 samples; the attack takes a few milliseconds.
  EXPECT_NEAR(static_cast<double>(first) / 16000.0, 0.5, 0.02);
  EXPECT_GT(magnitude_at(waveform, 440.0), 5.0 * magnitude_at(waveform, 415.3));
}

TEST_F(RenderScoreTest, PercussionIsNotTransposed) {
  Score score = one_note(69, 1.0);
  score.parts[0].instrument = "drums";
  score.parts[0].percussion = true;
  score.parts[0].program = 0;
  score.parts[0].notes = {{0, 60, 38, 100}};
  RenderOptions up;
  up.transpose_semitones = 5;
  EXPECT_EQ(render_score(score, up).samples, render_score(score, {}).samples);
}

TEST_F(RenderScoreTest, TransposesByFractionsOfASemitone) {
  for (const double semitones : {0.25, -0.5, 2.75}) {
    RenderOptions options;
    options.transpose_semitones = semitones;
    const Waveform waveform = render_score(one_note(69, 1.0), options);
    const double wanted_hz = 440.0 * std::exp2(semitones / 12.0);
    // 3 Hz are an eighth of a semitone here and more than twice the resolution of the 0.8 s that are looked at.
    for (const double other_hz : {wanted_hz - 3.0, wanted_hz + 3.0})
      EXPECT_GT(magnitude_at(waveform, wanted_hz), 2.0 * magnitude_at(waveform, other_hz)) << semitones;
  }
}

TEST_F(RenderScoreTest, WrittenGainIsThatOfTheUnchangedScore) {
  const Score score = one_note(69, 1.0);
  RenderOptions up;
  up.transpose_semitones = 3;
  up.tempo_ratio = 2.0;
  const float gain = written_gain(score, up);
  RenderOptions written;
  written.gain = gain;
  EXPECT_EQ(render_score(score, written).samples, render_score(score, {}).samples);
  up.gain = gain;
  Waveform changed = render_score(score, up);
  up.gain = 1.0F;
  const Waveform bare = render_score(score, up);
  for (size_t i = 0; i < bare.samples.size(); ++i) ASSERT_EQ(changed.samples[i], bare.samples[i] * gain);
}

TEST_F(RenderScoreTest, RendersTheSameSamplesAgain) {
  EXPECT_EQ(render_score(one_note(60, 0.5), {}).samples, render_score(one_note(60, 0.5), {}).samples);
}

TEST_F(RenderScoreTest, RejectsOptionsOutOfRangeSilenceAndFontsThatAreNone) {
  const auto complaint = [](const Score& score, const RenderOptions& options) {
    return message_of([&] { render_score(score, options); });
  };
  RenderOptions options;
  options.transpose_semitones = 25;
  EXPECT_THAT(complaint(one_note(60, 0.5), options), HasSubstr("transpose_semitones must be from -24 to 24, got 25"));
  options.transpose_semitones = 24;
  EXPECT_THAT(complaint(one_note(110, 0.5), options),
              HasSubstr("takes the synthesizer to MIDI pitch 134, outside 0 to 127"));
  options = {};
  options.tempo_ratio = 5.0;
  EXPECT_THAT(complaint(one_note(60, 0.5), options), HasSubstr("tempo_ratio must be from 0.25 to 4, got 5"));
  options = {};
  options.sample_rate_hz = 100;
  EXPECT_THAT(complaint(one_note(60, 0.5), options), HasSubstr("sample_rate_hz must be from 8000 to 96000, got 100"));
  options = {};
  options.soundfont = "/nowhere.sf2";
  EXPECT_THAT(complaint(one_note(60, 0.5), options), HasSubstr("cannot load the sound font /nowhere.sf2"));
  Score empty = one_note(60, 0.5);
  empty.parts[0].notes.clear();
  EXPECT_THAT(complaint(empty, {}), HasSubstr("nothing sounds"));
}

}  // namespace
}  // namespace tagbench
