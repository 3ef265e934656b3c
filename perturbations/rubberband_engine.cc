#include "perturbations/rubberband_engine.h"

#include <rubberband/RubberBandStretcher.h>

#include <algorithm>
#include <cmath>
#include <memory>

namespace tagbench {
namespace {

using RubberBand::RubberBandStretcher;

constexpr int64_t kBlock = 1024;
constexpr float kHeadroom = 0.999F;
constexpr float kLowestGain = 0.75F;

// The library writes its remarks to stderr otherwise.
struct SilentLogger : RubberBandStretcher::Logger {
  void log(const char*) override {}
  void log(const char*, double) override {}
  void log(const char*, double, double) override {}
};

struct Stretched {
  std::vector<float> samples;
  std::vector<size_t> block_ends;  // how many samples there were after each block of input
};

void drain(RubberBandStretcher& stretcher, std::vector<float>& samples) {
  for (int available = stretcher.available(); available > 0; available = stretcher.available()) {
    const size_t before = samples.size();
    samples.resize(before + static_cast<size_t>(available));
    float* target = samples.data() + before;
    samples.resize(before + stretcher.retrieve(&target, static_cast<size_t>(available)));
  }
}

Stretched stretch(const Waveform& input, double time_ratio, double pitch_scale, RubberBandVersion version) {
  const RubberBandStretcher::Options options =
      RubberBandStretcher::OptionProcessOffline | RubberBandStretcher::OptionThreadingNever |
      (version == RubberBandVersion::kR3 ? RubberBandStretcher::OptionEngineFiner
                                         : RubberBandStretcher::OptionEngineFaster);
  RubberBandStretcher stretcher(static_cast<size_t>(input.sample_rate_hz), 1, std::make_shared<SilentLogger>(), options,
                                time_ratio, pitch_scale);
  stretcher.setExpectedInputDuration(input.samples.size());
  stretcher.setMaxProcessSize(static_cast<size_t>(kBlock));
  const auto for_each_block = [&](const auto& consume) {
    for (int64_t begin = 0; begin < input.size(); begin += kBlock) {
      const float* block = input.samples.data() + begin;
      const int64_t count = std::min(kBlock, input.size() - begin);
      consume(&block, static_cast<size_t>(count), begin + count == input.size());
    }
  };
  Stretched result;
  for_each_block([&](const float* const* block, size_t count, bool last) { stretcher.study(block, count, last); });
  for_each_block([&](const float* const* block, size_t count, bool last) {
    stretcher.process(block, count, last);
    drain(stretcher, result.samples);
    result.block_ends.push_back(result.samples.size());
  });
  return result;
}

// The gain after the first block in which a sample, times `gain`, clips; within the block the last such sample decides.
// Equal to `gain` if none does.
float gain_without_clipping(const Stretched& stretched, float gain) {
  size_t begin = 0;
  for (const size_t end : stretched.block_ends) {
    bool clipped = false;
    for (size_t i = begin; i < end; ++i) {
      const float value = gain * stretched.samples[i];
      if (value >= 1.0F || value < -1.0F) {
        clipped = true;
        gain = kHeadroom / std::fabs(stretched.samples[i]);
      }
    }
    if (clipped) return gain;
    begin = end;
  }
  return gain;
}

}  // namespace

RubberBandResult rubberband_render(const Waveform& input, double time_ratio, double pitch_scale,
                                   RubberBandVersion version, int64_t length) {
  RubberBandResult result;
  if (!input.samples.empty() && length > 0) {
    const Stretched stretched = stretch(input, time_ratio, pitch_scale, version);
    float gain = 1.0F;
    for (float next = gain_without_clipping(stretched, gain); next != gain;
         next = gain_without_clipping(stretched, gain)) {
      gain = std::max(next, kLowestGain);
      if (next <= kLowestGain) break;
    }
    result.gain = static_cast<double>(gain);
    result.rendered = static_cast<int64_t>(stretched.samples.size());
    result.samples.reserve(stretched.samples.size());
    for (const float sample : stretched.samples) result.samples.push_back(std::clamp(gain * sample, -1.0F, 1.0F));
  }
  result.samples.resize(static_cast<size_t>(length), 0.0F);
  return result;
}

}  // namespace tagbench
