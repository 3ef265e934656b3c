#pragma once

#include <cstdint>
#include <vector>

namespace tagbench {

// One channel of audio. Full scale is [-1, 1]; values outside it are legal and kept.
struct Waveform {
  std::vector<float> samples;
  int sample_rate_hz = 0;

  int64_t size() const { return static_cast<int64_t>(samples.size()); }
  double duration_s() const { return sample_rate_hz > 0 ? static_cast<double>(samples.size()) / sample_rate_hz : 0.0; }
};

// A borrowed view of samples owned elsewhere (a memory-mapped cache entry, a Waveform).
struct SampleSpan {
  const float* data = nullptr;
  int64_t size = 0;
};

}  // namespace tagbench
