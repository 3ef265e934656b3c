#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/waveform.h"
#include "splits/score.h"

namespace tagbench {

struct RenderOptions {
  int sample_rate_hz = 16000;  // 8,000 to 96,000
  std::filesystem::path soundfont = "/usr/share/sounds/sf2/sf_GMbank.sf2";
  // The same score in another key or at another tempo: what a pitch shift or time stretch of the audio tries to
  // imitate. Percussion is not transposed. Fractions of a semitone are played with the pitch wheel.
  double transpose_semitones = 0.0;  // -24 .. 24
  double tempo_ratio = 1.0;          // 0.25 .. 4; 2 plays twice as fast and halves the duration
  std::optional<float> gain;         // absent: the one that gives a peak of kSynthPeak
};

// The score through FluidSynth (offline, one core) and a General MIDI sound font, both channels averaged, times the
// gain. round(duration_s / tempo_ratio * sample_rate_hz) samples; what still sounds then is cut. Same
// score, options, FluidSynth and sound font: same samples. Presets that the font lacks in a bank other than 0 are taken
// from bank 0. Errors: DataError if the sound font cannot be loaded or lacks a program, or if nothing sounds;
// UsageError for options out of range or a transposition that leaves the MIDI range.
Waveform render_score(const Score& score, const RenderOptions& options);

// The gain of the score as written, in its own key and tempo. A changed score played with it is as loud as its parts
// are, and differs from the written one in the change alone; its peaks may lie above kSynthPeak, and above 1.
float written_gain(const Score& score, RenderOptions options);

constexpr double kSynthPeak = 0.8;

std::string fluidsynth_version();

}  // namespace tagbench
