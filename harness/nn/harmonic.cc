#include "harness/nn/harmonic.h"

#include <cmath>

namespace tagbench {

std::vector<double> harmonic_centres_hz() {
  constexpr double kLowestMidiNote = 24.0;
  constexpr double kStepsPerSemitone = 2.0;
  std::vector<double> centres;
  for (int64_t harmonic = 1; harmonic <= HarmonicSpectrogramImpl::kHarmonics; ++harmonic) {
    for (int64_t level = 0; level < HarmonicSpectrogramImpl::kLevels; ++level) {
      const double midi = kLowestMidiNote + static_cast<double>(level) / kStepsPerSemitone;
      centres.push_back(static_cast<double>(harmonic) * 440.0 * std::exp2((midi - 69.0) / 12.0));
    }
  }
  return centres;
}

HarmonicSpectrogramImpl::HarmonicSpectrogramImpl()
    : bw_Q(register_parameter("bw_Q", torch::ones({1}))),
      spec(register_module("spec", PowerSpectrogram())),
      centres_hz_(torch::tensor(harmonic_centres_hz(), torch::kFloat64).to(torch::kFloat32)),
      bins_hz_(torch::linspace(0.0, 8000.0, kFftBins, torch::kFloat32)) {}

torch::Tensor HarmonicSpectrogramImpl::filter_bank() const {
  const torch::Tensor centre = centres_hz_.to(bw_Q).unsqueeze(0);  // [1, 768]
  const torch::Tensor bin = bins_hz_.to(bw_Q).unsqueeze(1);        // [257, 1]
  const torch::Tensor bandwidth = (0.1079 * centre + 24.7) / bw_Q;
  return torch::clamp_min(1.0 - 2.0 * (bin - centre).abs() / bandwidth, 0.0);  // [257, 768]
}

torch::Tensor HarmonicSpectrogramImpl::forward(const torch::Tensor& power_spectrogram) {
  const FullPrecisionGuard full_precision;
  const torch::Tensor bands = torch::matmul(power_spectrogram.transpose(1, 2), filter_bank()).transpose(1, 2);
  const int64_t n_frames = power_spectrogram.size(2);
  // [B, 768, L] to [B, 6, 128, L]
  return power_to_db(bands.reshape({bands.size(0), kHarmonics, kLevels, n_frames}));
}

}  // namespace tagbench
