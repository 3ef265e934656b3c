#pragma once

#include <cstdint>
#include <vector>

#include "harness/core/waveform.h"

namespace tagbench {

enum class RubberBandVersion { kR2, kR3 };

struct RubberBandResult {
  std::vector<float> samples;
  int64_t rendered = 0;  // samples that the engine gave, before cutting or filling up
  double gain = 1.0;     // below 1 where the output would have clipped
};

// What `rubberband --tempo 1/time_ratio --frequency pitch_scale IN OUT` (with -3 for R3) of version 3.1.2 writes to a
// float file, cut or zero-padded to `length` samples: offline mode, every option at its default, in blocks of 1,024
// samples, since the output depends on the block size. The tool starts over with a gain of 0.999 / |sample| where a
// sample reaches full scale, and then clips at a gain of 0.75; so do we. Its result does not depend on threads.
RubberBandResult rubberband_render(const Waveform& input, double time_ratio, double pitch_scale,
                                   RubberBandVersion version, int64_t length);

}  // namespace tagbench
