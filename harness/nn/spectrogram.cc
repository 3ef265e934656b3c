#include "harness/nn/spectrogram.h"

#include "harness/core/errors.h"
#include "harness/core/hash.h"
#include "harness/core/npy.h"

namespace tagbench {
namespace {

// "T = 59049", "T >= 48000", "T = 327424..655103"
std::string range_text(const char* letter, int64_t minimum, int64_t maximum) {
  const std::string low = std::to_string(minimum);
  if (maximum == minimum) return std::string(letter) + " = " + low;
  if (maximum == kAnyLength) return std::string(letter) + " >= " + low;
  return std::string(letter) + " = " + low + ".." + std::to_string(maximum);
}

void check_input(const std::string& owner, const torch::Tensor& input, const std::string& expected, bool fits) {
  if (!fits) throw UsageError(owner + ": expected input " + expected + ", got " + shape_text(input.sizes().vec()));
  if (!input.is_floating_point()) {
    throw UsageError(owner + ": expected floating-point input, got " + std::string(input.dtype().name()));
  }
}

}  // namespace

void check_waveform(const std::string& owner, const torch::Tensor& waveform, int64_t minimum_samples,
                    int64_t maximum_samples) {
  const bool fits = waveform.dim() == 2 && waveform.size(0) >= 1 && waveform.size(1) >= minimum_samples &&
                    waveform.size(1) <= maximum_samples;
  check_input(owner, waveform, "[B, T] with " + range_text("T", minimum_samples, maximum_samples), fits);
}

void check_features(const std::string& owner, const torch::Tensor& features, int64_t n_bands, int64_t minimum_frames,
                    int64_t maximum_frames) {
  const bool fits = features.dim() == 3 && features.size(0) >= 1 && features.size(1) == n_bands &&
                    features.size(2) >= minimum_frames && features.size(2) <= maximum_frames;
  const std::string expected =
      "[B, " + std::to_string(n_bands) + ", L] with " + range_text("L", minimum_frames, maximum_frames);
  check_input(owner, features, expected, fits);
}

std::string buffer_hash(const torch::Tensor& buffer) {
  const torch::Tensor bytes = buffer.detach().cpu().contiguous();
  return xxh128_hex(bytes.data_ptr(), static_cast<size_t>(bytes.numel() * bytes.element_size()));
}

PowerSpectrogramImpl::PowerSpectrogramImpl() {
  window = register_buffer("window", torch::hann_window(kFftSize, /*periodic=*/true, torch::kFloat32));
}

torch::Tensor PowerSpectrogramImpl::forward(const torch::Tensor& waveform) {
  const FullPrecisionGuard full_precision;
  check_waveform("power spectrogram", waveform, kMinimumSamples);
  const torch::Tensor spectrum =
      torch::stft(waveform, kFftSize, kHopSamples, kFftSize, window, /*center=*/true, "reflect",
                  /*normalized=*/false, /*onesided=*/true, /*return_complex=*/true);  // [B, 257, L]
  return squared_magnitude(spectrum);
}

torch::Tensor squared_magnitude(const torch::Tensor& spectrum) {
  const torch::Tensor imaginary = torch::imag(spectrum);
  return torch::addcmul(torch::real(spectrum).square(), imaginary, imaginary);
}

torch::Tensor power_to_db(const torch::Tensor& power) {
  constexpr double kSmallestPower = 1e-10;
  return 10.0 * torch::log10(torch::clamp_min(power, kSmallestPower));
}

}  // namespace tagbench
