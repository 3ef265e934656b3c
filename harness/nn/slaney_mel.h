#pragma once

#include <torch/types.h>

namespace tagbench {

// The mel spectrogram of the MTG-Jamendo dataset's baseline: 12 kHz waveform [B, T] to decibels [B, 96, floor(T / 256)
// + 2].
//
// Frames of 512 samples every 256, the first centred on sample 0 with zeros outside; symmetric Hann window (denominator
// 511), not normalised; power; 96 triangles on Slaney's scale from 0 to 6000 Hz (66.7 Hz per mel below 1 kHz, ln(6.4) /
// 27 per mel above), each scaled by 2 / (its width in Hz); 20 log10(max(power, 1e-10)), so the floor is -200. Frames
// follow the dataset's extraction (Essentia's cutter), which emits one more than a centred transform: 1366 of 349200
// samples.
//
// The factor 20 on a power is the published code's; the published weights' statistics suggest features of half that
// range, see VggMediaeval.
class SlaneyMelSpectrogram {
 public:
  static constexpr int64_t kBands = 96;
  static constexpr int64_t kMinimumSamples = 256;

  SlaneyMelSpectrogram();
  torch::Tensor forward(const torch::Tensor& waveform) const;

 private:
  torch::Tensor window_;  // [512]
  torch::Tensor bank_;    // [257, 96]
};

}  // namespace tagbench
