#pragma once

#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <cstdint>
#include <limits>
#include <string>

namespace tagbench {

// The short-time spectrum that every front end here starts from.
inline constexpr int64_t kFftSize = 512;  // also the window's length
inline constexpr int64_t kHopSamples = 256;
inline constexpr int64_t kFftBins = kFftSize / 2 + 1;

// No upper limit on the number of samples or frames.
inline constexpr int64_t kAnyLength = std::numeric_limits<int64_t>::max();

// Frames of a centred spectrogram of that many samples.
constexpr int64_t frame_count(int64_t n_samples) {
  return n_samples / kHopSamples + 1;
}

// Keeps autocast from lowering the precision of what is computed while it lives: the decibel scale shows rounding far
// below the spectrum's maximum, so front ends run in the precision of their input.
class FullPrecisionGuard {
 private:
  c10::impl::ExcludeDispatchKeyGuard guard_{c10::autocast_dispatch_keyset};
};

// Errors: UsageError that begins with `owner` unless `waveform` is a floating-point [B, T] with B >= 1 and T within the
// limits.
void check_waveform(const std::string& owner, const torch::Tensor& waveform, int64_t minimum_samples,
                    int64_t maximum_samples = kAnyLength);

// Errors: UsageError that begins with `owner` unless `features` is a floating-point [B, n_bands, L] with B >= 1 and L
// within the limits.
void check_features(const std::string& owner, const torch::Tensor& features, int64_t n_bands, int64_t minimum_frames,
                    int64_t maximum_frames = kAnyLength);

// Identifies the values of a buffer in Tagger::front_end_key().
std::string buffer_hash(const torch::Tensor& buffer);

// Power spectrogram, waveform [B, T] to [B, 257, L]: frames of 512 samples every 256, centred on sample 0, 256, ...
// with 256 samples reflected at both ends, a periodic Hann window, squared magnitude without scaling, L =
// frame_count(T).
//
// Buffer: `window` [512]. Needs at least 257 samples, which is what reflection takes.
class PowerSpectrogramImpl : public torch::nn::Module {
 public:
  PowerSpectrogramImpl();
  torch::Tensor forward(const torch::Tensor& waveform);

  static constexpr int64_t kMinimumSamples = kFftSize / 2 + 1;
  torch::Tensor window;
};
TORCH_MODULE(PowerSpectrogram);

// |z|^2 of a complex tensor.
torch::Tensor squared_magnitude(const torch::Tensor& spectrum);

// 10 log10(max(power, 1e-10)): reference 1, floor -100 dB, no upper limit.
torch::Tensor power_to_db(const torch::Tensor& power);

}  // namespace tagbench
