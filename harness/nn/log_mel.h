#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <cstdint>
#include <string>

#include "harness/nn/spectrogram.h"

namespace tagbench {

// [257, n_mels] float32: triangles on the HTK scale, mel = 2595 log10(1 + f / 700), between n_mels + 2 points equally
// spaced in mel from 0 to 8000 Hz, sampled at the 257 bin frequencies linspace(0, 8000); peak near 1, no area
// normalisation. With 128 bands, band 0 holds no bin and is zero. Computed in single precision step by step, which
// reproduces torchaudio 0.13's bank to the last place; the one in the published weights differs by up to 1.5e-5.
// Errors: UsageError unless n_mels is 1..512.
torch::Tensor htk_mel_filter_bank(int64_t n_mels);

class MelScaleImpl : public torch::nn::Module {
 public:
  explicit MelScaleImpl(int64_t n_mels);
  // [B, 257, L] to [B, n_mels, L].
  torch::Tensor forward(const torch::Tensor& power);
  torch::Tensor fb;  // buffer [257, n_mels]
};
TORCH_MODULE(MelScale);

// Mel power spectrogram for 16 kHz audio, waveform [B, T] to [B, n_mels, L]. Buffers `spectrogram.window` and
// `mel_scale.fb`, which a checkpoint replaces by its own.
class MelSpectrogramImpl : public torch::nn::Module {
 public:
  explicit MelSpectrogramImpl(int64_t n_mels);
  torch::Tensor forward(const torch::Tensor& waveform);
  // Settings and buffers, for Tagger::front_end_key().
  std::string key() const;

  PowerSpectrogram spectrogram;
  MelScale mel_scale;
};
TORCH_MODULE(MelSpectrogram);

}  // namespace tagbench
