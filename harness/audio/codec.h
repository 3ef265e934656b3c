#pragma once

#include <string>

#include "harness/core/waveform.h"

namespace tagbench {

enum class Codec { kMp3, kVorbis, kOpus };
std::string codec_name(Codec codec);  // "mp3", "vorbis", "opus"

struct CodecSettings {
  Codec codec = Codec::kMp3;
  // MP3 (LAME, constant rate): one of 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 192, 224, 256, 320.
  // Opus (variable rate around this): 6 to 256.
  // Vorbis (variable rate; the quality whose nominal rate this is): 14 to 42 at 8 kHz, 24 to 100 at 16 kHz, 24 to 90 at
  // 22.05 kHz, 48 to 240 at 44.1 and 48 kHz.
  double bit_rate_kbps = 64.0;
};

struct CodecReport {
  double bit_rate_kbps = 0.0;  // bits that came out, container included, over the duration
  int codec_rate_hz = 0;       // the sample rate at which the codec worked
};

// Encodes and decodes (libsndfile, in memory, one channel): same rate and number of samples as the input, the codec's
// delay removed. MP3 and Vorbis are aligned to the sample, Opus to 0.15 ms (its low bit rates shift by themselves). The
// audio is resampled where a codec lacks its rate or, for MP3, offers the bit rate at other rates only (8 to 64 kbit/s
// at 8 to 12 kHz, 8 to 160 at 16 to 24 kHz, 32 to 320 from 32 kHz): the nearest one above is taken, else the highest
// below. The same input gives the same samples. An empty waveform comes back empty (and reports 0). Errors: UsageError
// for a bit rate that the codec does not have; DataError for samples that are not finite, a peak above 10,000 times
// full scale (LAME would end the process, the others give silence), or a sample rate outside 1,000 to 768,000 Hz.
Waveform through_codec(const Waveform& input, const CodecSettings& settings, CodecReport* report = nullptr);

}  // namespace tagbench
