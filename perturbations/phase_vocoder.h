#pragma once

#include <cstdint>
#include <vector>

namespace tagbench {

// Plain phase vocoder in double precision: frames of 2,048 samples, hop 512, periodic Hann window, magnitudes
// interpolated between neighbouring frames, phases accumulated, no phase or magnitude locking. `rate` > 1 is faster.
//
// Returns exactly `length` samples. Memory does not grow with the input beyond input and output. An input shorter than
// the window is reflected as often as it takes.
//
// Source: librosa 0.7.2, effects.time_stretch (Ellis 2002); differs from it by double instead of single precision.
std::vector<double> phase_vocoder_stretch(const std::vector<float>& input, double rate, int64_t length);

// phase_vocoder_stretch to round(n 2^(semitones/12)) samples, then sinc_resample back to the input's length.
//
// Source: librosa 0.7.2, effects.pitch_shift.
std::vector<double> phase_vocoder_pitch_shift(const std::vector<float>& input, double semitones);

}  // namespace tagbench
