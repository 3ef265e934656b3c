#pragma once

#include <string>
#include <vector>

#include "harness/core/options.h"
#include "perturbations/perturbation.h"

namespace tagbench {

// The engines that pitch_shift and time_stretch share.
enum class StretchEngine { kRubberBandR2, kRubberBandR3, kPhaseVocoder };

OptionSpec engine_option();
// Errors: std::logic_error for a text that engine_option() does not allow.
StretchEngine engine_from(const std::string& text);

// `input` at `rate` times the speed, the pitch kept: length_at_rate(n, rate) samples. Reached: rate (input samples over
// those that the engine gave before they were cut or filled up; left out where it gave none), headroom_gain_db (Rubber
// Band).
Perturbed stretch_time(const Waveform& input, double rate, StretchEngine engine);
// `input` moved by `semitones`, the duration kept. Reached: semitones, headroom_gain_db (Rubber Band).
Perturbed shift_pitch(const Waveform& input, double semitones, StretchEngine engine);

}  // namespace tagbench
