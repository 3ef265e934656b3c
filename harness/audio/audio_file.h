#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "harness/core/waveform.h"

namespace tagbench {

struct AudioInfo {
  int64_t frames = 0;  // samples per channel
  int sample_rate_hz = 0;
  int channels = 0;
  std::string format;  // "WAV", "FLAC", "OGG/Vorbis", "OGG/Opus", "MPEG/Layer III", ...
  double duration_s() const { return sample_rate_hz > 0 ? static_cast<double>(frames) / sample_rate_hz : 0.0; }
};

struct DecodeOptions {
  // Rounds every decoded sample to k/32768 (clipped to 16 bits) before channels are averaged. Published predictions on
  // low-bit-rate MP3 are only reproduced so: what stands in the empty upper bands is the decoder's rounding floor.
  bool round_to_16_bits = true;
  // Longer files are an error, not a silent cut.
  double max_duration_s = 4 * 3600.0;
};

// Errors for all three: DataError "PATH: what was expected, what was found" for a missing, empty, truncated or
// non-audio file, a file without samples, samples that are not finite, a rate outside 1,000 to 768,000 Hz, or more than
// 64 channels.
// probe_audio does not decode: of a FLAC or damaged MP3 file it tells the length that the header promises.
AudioInfo probe_audio(const std::filesystem::path& path);
// All channels averaged into one, at the file's own rate. WAV, FLAC, Ogg Vorbis, Opus, MP3 (libsndfile).
Waveform decode_audio(const std::filesystem::path& path, const DecodeOptions& options = {});
// 32-bit float WAV, atomically.
void write_wav(const std::filesystem::path& path, const Waveform& waveform);

enum class ResampleQuality { kBest, kMedium, kFastest };
std::string resample_quality_name(ResampleQuality quality);  // "best", "medium", "fastest"

// libsamplerate's windowed sinc; round(n * to / from) samples (libsamplerate itself may give one less: the end is
// zero-padded). The same rate returns the input unchanged. Errors: DataError if the rate is out of range.
Waveform resample(const Waveform& input, int sample_rate_hz, ResampleQuality quality = ResampleQuality::kBest);

}  // namespace tagbench
