#pragma once

#include <cstdint>
#include <vector>

namespace tagbench {

// Band-limited interpolation by a windowed sinc with 64 zero crossings on each side, Kaiser window with beta 14.77,
// roll-off 0.9476.
//
// Source: resampy 0.2, "kaiser_best".
constexpr double kSincRollOff = 0.9475937167399596;
// The scale at which the cut-off is the Nyquist frequency itself: the value at a sample's own time is that sample.
constexpr double kSincFullBand = 1.0 / kSincRollOff;

// The signal's value at `time`, in samples; beyond its ends it is zero. The cut-off (-6 dB) is `scale` times the
// roll-off, as a share of the Nyquist frequency.
double sinc_value(const std::vector<double>& signal, double time, double scale);

// Sample i of the result is the input at time i / ratio, so `ratio` is the new sample rate over the old one. Exactly
// `length` samples; those beyond the input's end are zero.
std::vector<double> sinc_resample(const std::vector<double>& input, double ratio, int64_t length);

}  // namespace tagbench
