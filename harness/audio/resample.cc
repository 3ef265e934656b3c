#include <samplerate.h>

#include <cmath>
#include <stdexcept>

#include "harness/audio/audio_file.h"
#include "harness/core/errors.h"

namespace tagbench {
namespace {

int converter(ResampleQuality quality) {
  switch (quality) {
    case ResampleQuality::kBest:
      return SRC_SINC_BEST_QUALITY;
    case ResampleQuality::kMedium:
      return SRC_SINC_MEDIUM_QUALITY;
    case ResampleQuality::kFastest:
      return SRC_SINC_FASTEST;
  }
  throw std::logic_error("resample: unknown quality");
}

}  // namespace

std::string resample_quality_name(ResampleQuality quality) {
  switch (quality) {
    case ResampleQuality::kBest:
      return "best";
    case ResampleQuality::kMedium:
      return "medium";
    case ResampleQuality::kFastest:
      return "fastest";
  }
  throw std::logic_error("resample: unknown quality");
}

Waveform resample(const Waveform& input, int sample_rate_hz, ResampleQuality quality) {
  for (const int rate : {input.sample_rate_hz, sample_rate_hz}) {
    if (rate < 1000 || rate > 768000) {
      throw DataError("resample: a sample rate from 1000 to 768000 Hz was expected, got " + std::to_string(rate) +
                      " Hz");
    }
  }
  if (input.sample_rate_hz == sample_rate_hz) return input;
  const double ratio = static_cast<double>(sample_rate_hz) / input.sample_rate_hz;
  if (src_is_valid_ratio(ratio) == 0) {
    throw DataError("resample: at most a factor of 256 between rates was expected, got " +
                    std::to_string(input.sample_rate_hz) + " to " + std::to_string(sample_rate_hz) + " Hz");
  }
  // In integers: a product in floating point can fall on the wrong side of a half.
  const int64_t doubled = 2 * input.size() * sample_rate_hz + input.sample_rate_hz;
  const int64_t wanted = doubled / (2 * int64_t{input.sample_rate_hz});
  Waveform output;
  output.sample_rate_hz = sample_rate_hz;
  if (input.samples.empty()) return output;
  // Samples that the converter does not reach stay zero.
  output.samples.assign(static_cast<size_t>(wanted) + 1, 0.0F);
  SRC_DATA data{};
  data.data_in = input.samples.data();
  data.data_out = output.samples.data();
  data.input_frames = input.size();
  data.output_frames = output.size();
  data.src_ratio = ratio;
  const int error = src_simple(&data, converter(quality), 1);
  if (error != 0) throw std::runtime_error(std::string("resample: libsamplerate failed: ") + src_strerror(error));
  output.samples.resize(static_cast<size_t>(wanted));
  return output;
}

}  // namespace tagbench
