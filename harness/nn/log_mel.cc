#include "harness/nn/log_mel.h"

#include <cmath>

#include "harness/core/errors.h"

namespace tagbench {

torch::Tensor htk_mel_filter_bank(int64_t n_mels) {
  constexpr int64_t kMaximumBands = 512;
  constexpr double kTopHz = 8000.0;
  if (n_mels < 1 || n_mels > kMaximumBands) {
    throw UsageError("mel filter bank: n_mels must be from 1 to 512, got " + std::to_string(n_mels));
  }
  const double top_mel = 2595.0 * std::log10(1.0 + kTopHz / 700.0);
  const torch::Tensor edges_mel = torch::linspace(0.0, top_mel, n_mels + 2, torch::kFloat32);
  const torch::Tensor edges_hz = 700.0 * (torch::pow(10.0, edges_mel / 2595.0) - 1.0);                 // [n_mels + 2]
  const torch::Tensor widths_hz = edges_hz.diff();                                                     // [n_mels + 1]
  const torch::Tensor bins_hz = torch::linspace(0.0, kTopHz, kFftBins, torch::kFloat32).unsqueeze(1);  // [257, 1]
  const torch::Tensor rising = (bins_hz - edges_hz.narrow(0, 0, n_mels)) / widths_hz.narrow(0, 0, n_mels);
  const torch::Tensor falling = (edges_hz.narrow(0, 2, n_mels) - bins_hz) / widths_hz.narrow(0, 1, n_mels);
  return torch::clamp_min(torch::minimum(rising, falling), 0.0);  // [257, n_mels]
}

MelScaleImpl::MelScaleImpl(int64_t n_mels) {
  fb = register_buffer("fb", htk_mel_filter_bank(n_mels));
}

torch::Tensor MelScaleImpl::forward(const torch::Tensor& power) {
  const FullPrecisionGuard full_precision;
  return torch::matmul(power.transpose(1, 2), fb).transpose(1, 2);
}

MelSpectrogramImpl::MelSpectrogramImpl(int64_t n_mels)
    : spectrogram(register_module("spectrogram", PowerSpectrogram())),
      mel_scale(register_module("mel_scale", MelScale(n_mels))) {}

torch::Tensor MelSpectrogramImpl::forward(const torch::Tensor& waveform) {
  return mel_scale->forward(spectrogram->forward(waveform));
}

std::string MelSpectrogramImpl::key() const {
  return "mel 512/256 reflect, window " + buffer_hash(spectrogram->window) + ", bank " + buffer_hash(mel_scale->fb);
}

}  // namespace tagbench
