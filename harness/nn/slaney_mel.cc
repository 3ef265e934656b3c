#include "harness/nn/slaney_mel.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "harness/nn/spectrogram.h"

namespace tagbench {
namespace {

constexpr double kTopHz = 6000.0;
constexpr double kLinearHzPerMel = 200.0 / 3.0;
constexpr double kLogStartHz = 1000.0;
constexpr double kLogStartMel = kLogStartHz / kLinearHzPerMel;

double log_step() {
  return std::log(6.4) / 27.0;
}

double mel_of_hz(double hz) {
  return hz < kLogStartHz ? hz / kLinearHzPerMel : kLogStartMel + std::log(hz / kLogStartHz) / log_step();
}

double hz_of_mel(double mel) {
  return mel < kLogStartMel ? mel * kLinearHzPerMel : kLogStartHz * std::exp((mel - kLogStartMel) * log_step());
}

torch::Tensor slaney_bank() {
  constexpr int64_t kBands = SlaneyMelSpectrogram::kBands;
  const auto edge_hz = [](int64_t point) {
    return hz_of_mel(mel_of_hz(kTopHz) * static_cast<double>(point) / static_cast<double>(kBands + 1));
  };
  torch::Tensor bank = torch::zeros({kFftBins, kBands}, torch::kFloat32);
  auto weight = bank.accessor<float, 2>();
  for (int64_t band = 0; band < kBands; ++band) {
    const double low_hz = edge_hz(band);
    const double centre_hz = edge_hz(band + 1);
    const double high_hz = edge_hz(band + 2);
    for (int64_t bin = 0; bin < kFftBins; ++bin) {
      const double hz = kTopHz * static_cast<double>(bin) / static_cast<double>(kFftBins - 1);
      const double triangle = std::min((hz - low_hz) / (centre_hz - low_hz), (high_hz - hz) / (high_hz - centre_hz));
      weight[bin][band] = static_cast<float>(std::max(0.0, triangle) * 2.0 / (high_hz - low_hz));
    }
  }
  return bank;
}

torch::Tensor symmetric_hann() {
  constexpr double kPi = 3.14159265358979323846;
  std::vector<double> values(kFftSize);
  for (size_t n = 0; n < values.size(); ++n) {
    values[n] = 0.5 - 0.5 * std::cos(2.0 * kPi * static_cast<double>(n) / static_cast<double>(kFftSize - 1));
  }
  return torch::tensor(values, torch::kFloat64).to(torch::kFloat32);
}

}  // namespace

SlaneyMelSpectrogram::SlaneyMelSpectrogram() : window_(symmetric_hann()), bank_(slaney_bank()) {}

torch::Tensor SlaneyMelSpectrogram::forward(const torch::Tensor& waveform) const {
  const FullPrecisionGuard full_precision;
  check_waveform("slaney mel spectrogram", waveform, kMinimumSamples);
  const int64_t n_frames = waveform.size(1) / kHopSamples + 2;
  const int64_t padded_samples = (n_frames - 1) * kHopSamples + kFftSize;
  const int64_t before = kFftSize / 2;
  const torch::Tensor padded = torch::constant_pad_nd(waveform, {before, padded_samples - before - waveform.size(1)});
  const torch::Tensor spectrum =
      torch::stft(padded, kFftSize, kHopSamples, kFftSize, window_.to(waveform), /*center=*/false, "reflect",
                  /*normalized=*/false, /*onesided=*/true, /*return_complex=*/true);  // [B, 257, L]
  const torch::Tensor bands = torch::matmul(squared_magnitude(spectrum).transpose(1, 2), bank_.to(waveform));
  return (2.0 * power_to_db(bands)).transpose(1, 2).contiguous();  // [B, 96, L]
}

}  // namespace tagbench
