#include "perturbations/codecs.h"

#include <array>
#include <limits>

#include "harness/audio/audio_file.h"

namespace tagbench {
namespace {

// Nominal bit rates of libvorbis for one channel, from its lowest to its highest quality.
struct VorbisRange {
  int highest_rate_hz;
  double lowest_kbps;
  double highest_kbps;
};
constexpr std::array<VorbisRange, 6> kVorbisRanges = {{{8000, 14, 42},
                                                       {12000, 20, 50},
                                                       {16000, 24, 100},
                                                       {24000, 24, 90},
                                                       {32000, 42, 190},
                                                       {std::numeric_limits<int>::max(), 48, 240}}};

bool vorbis_offers(int rate_hz, double kbps) {
  for (const VorbisRange& range : kVorbisRanges) {
    if (rate_hz <= range.highest_rate_hz) return kbps >= range.lowest_kbps && kbps <= range.highest_kbps;
  }
  return false;
}

int working_rate_hz(int rate_hz, Codec codec, double kbps) {
  if (codec != Codec::kVorbis || vorbis_offers(rate_hz, kbps)) return rate_hz;
  if (kbps < 24.0) return 8000;
  return kbps <= 100.0 ? 16000 : 44100;
}

}  // namespace

Perturbed through_codec_at(const Waveform& input, Codec codec, double kbps) {
  CodecSettings settings;
  settings.codec = codec;
  settings.bit_rate_kbps = kbps;
  CodecReport report;
  Perturbed result;
  result.waveform = input;
  if (input.samples.empty()) return result;
  const int working_hz = working_rate_hz(input.sample_rate_hz, codec, kbps);
  result.waveform = resample(through_codec(resample(input, working_hz), settings, &report), input.sample_rate_hz);
  // Two roundings of the length, there and back.
  result.waveform.samples.resize(input.samples.size(), 0.0F);
  result.reached["kbps"] = report.bit_rate_kbps;
  result.reached["codec_rate_hz"] = report.codec_rate_hz;
  return result;
}

}  // namespace tagbench
