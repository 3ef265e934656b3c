#pragma once

#include <vector>

#include "harness/core/waveform.h"

namespace tagbench {

// Butterworth filters of order 8 (48 dB per octave; -3 dB at the cut-off), causal, by the bilinear transform with the
// cut-off pre-warped. Nothing lies above half the sample rate: a low-pass with a cut-off there or beyond returns the
// input, a high-pass zeros.
std::vector<double> low_pass(const std::vector<double>& input, double cutoff_hz, int sample_rate_hz);
std::vector<double> high_pass(const std::vector<double>& input, double cutoff_hz, int sample_rate_hz);

// Convolution with a symmetric or antisymmetric kernel of odd length, the delay of its centre removed: as many samples
// as `input`.
std::vector<double> centred_convolution(const std::vector<double>& input, const std::vector<double>& kernel);

}  // namespace tagbench
