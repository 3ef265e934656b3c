#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <vector>

#include "harness/nn/spectrogram.h"

namespace tagbench {

// Learnable harmonic filters (Won, Chun, Nieto, Serra 2020, "Data-driven harmonic filters for audio representation
// learning") in the form that the 2020 evaluation of music taggers uses.
//
// Band (h, k) is centred on c = h f_k, h = 1..6, f_k = 440 * 2^((24 + k/2 - 69) / 12) Hz, k = 0..127 (C1 upwards,
// half-semitone steps). Its bandwidth is b = (0.1079 c + 24.7) / Q with one learned Q; the weight of a bin at f Hz is
// max(0, 1 - 2 |f - c| / b).
//
// Parameter `bw_Q` [1], initially 1; buffer `spec.window` [512].
class HarmonicSpectrogramImpl : public torch::nn::Module {
 public:
  static constexpr int64_t kHarmonics = 6;
  static constexpr int64_t kLevels = 128;

  HarmonicSpectrogramImpl();

  // Waveform [B, T] to power spectrogram [B, 257, L]: the part with nothing to learn.
  torch::Tensor power(const torch::Tensor& waveform) { return spec->forward(waveform); }
  // Power spectrogram [B, 257, L] to decibels [B, 6, 128, L].
  torch::Tensor forward(const torch::Tensor& power_spectrogram);
  // [257, 768], harmonic-major, in the precision of bw_Q.
  torch::Tensor filter_bank() const;

  torch::Tensor bw_Q;
  PowerSpectrogram spec;

 private:
  torch::Tensor centres_hz_;  // [768], not part of the published state
  torch::Tensor bins_hz_;     // [257], likewise
};
TORCH_MODULE(HarmonicSpectrogram);

// The 768 centre frequencies, harmonic-major.
std::vector<double> harmonic_centres_hz();

}  // namespace tagbench
