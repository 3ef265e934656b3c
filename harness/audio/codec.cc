#include "harness/audio/codec.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "harness/audio/audio_file.h"
#include "harness/audio/sound_file.h"
#include "harness/core/errors.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

// LAME's encoder delay and the decoder's: what is left in front where a frame is too small for the tag that tells them.
constexpr int64_t kMp3DelaySamples = 576 + 529;
// libsndfile maps the compression level 0 .. 1 to these, highest first.
constexpr double kOpusHighestKbps = 256.0;
constexpr double kOpusLowestKbps = 6.0;

struct Mp3Band {
  int highest_rate_hz;
  double lowest_kbps;
  double highest_kbps;
  std::vector<double> allowed_kbps;
};

const Mp3Band& mp3_band(int rate_hz) {
  static const std::vector<double> kMpeg1 = {32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320};
  static const std::vector<double> kMpeg2 = {8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160};
  static const std::vector<double> kMpeg25 = {8, 16, 24, 32, 40, 48, 56, 64};
  static const std::array<Mp3Band, 3> kBands = {
      {{12000, 8, 64, kMpeg25}, {24000, 8, 160, kMpeg2}, {48000, 32, 320, kMpeg1}}};
  for (const Mp3Band& band : kBands) {
    if (rate_hz <= band.highest_rate_hz) return band;
  }
  throw std::logic_error("codec: no MPEG version has " + std::to_string(rate_hz) + " Hz");
}

[[noreturn]] void fail_bit_rate(const CodecSettings& settings, const std::string& expected) {
  throw UsageError(codec_name(settings.codec) + ": bit rate must be " + expected + ", got " +
                   format_real(settings.bit_rate_kbps));
}

const std::vector<int>& codec_rates(Codec codec) {
  static const std::vector<int> kMp3 = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000};
  static const std::vector<int> kOpus = {8000, 12000, 16000, 24000, 48000};
  // Others work as well, these have settings of their own in libvorbis.
  static const std::vector<int> kVorbis = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000};
  return codec == Codec::kMp3 ? kMp3 : (codec == Codec::kOpus ? kOpus : kVorbis);
}

bool offers(Codec codec, int rate_hz, double kbps) {
  if (codec != Codec::kMp3) return true;
  const auto& allowed = mp3_band(rate_hz).allowed_kbps;
  return std::find(allowed.begin(), allowed.end(), kbps) != allowed.end();
}

int choose_rate(int rate_hz, const CodecSettings& settings) {
  int below = 0;
  for (const int candidate : codec_rates(settings.codec)) {
    if (!offers(settings.codec, candidate, settings.bit_rate_kbps)) continue;
    if (candidate >= rate_hz) return candidate;
    below = candidate;
  }
  if (below == 0)
    fail_bit_rate(settings,
                  "one of 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 192, 224, 256, 320 kbit/s");
  return below;
}

int sndfile_format(Codec codec) {
  switch (codec) {
    case Codec::kMp3:
      return SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III;
    case Codec::kVorbis:
      return SF_FORMAT_OGG | SF_FORMAT_VORBIS;
    case Codec::kOpus:
      return SF_FORMAT_OGG | SF_FORMAT_OPUS;
  }
  throw std::logic_error("codec: unknown codec");
}

std::string encode(const float* samples, int64_t count, int rate_hz, Codec codec, double level) {
  MemoryFile memory;
  SF_INFO info{};
  info.samplerate = rate_hz;
  info.channels = 1;
  info.format = sndfile_format(codec);
  SndfilePtr file = open_memory(memory, SFM_WRITE, info);
  if (!file) throw std::runtime_error(codec_name(codec) + ": libsndfile cannot encode: " + sf_strerror(nullptr));
  // The return values of both commands say nothing; what comes out is looked at.
  if (codec == Codec::kMp3) {
    int mode = SF_BITRATE_MODE_CONSTANT;
    sf_command(file.get(), SFC_SET_BITRATE_MODE, &mode, sizeof mode);
  }
  sf_command(file.get(), SFC_SET_COMPRESSION_LEVEL, &level, sizeof level);
  // In blocks: libvorbis copies what it is given in one call onto the stack.
  constexpr int64_t kBlock = 65536;
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t block = std::min(kBlock, count - begin);
    if (sf_writef_float(file.get(), samples + begin, block) != block) {
      throw std::runtime_error(codec_name(codec) + ": libsndfile failed while encoding");
    }
  }
  if (sf_close(file.release()) != 0) {
    throw std::runtime_error(codec_name(codec) + ": libsndfile failed while encoding");
  }
  return std::move(memory.bytes);
}

Waveform decode(std::string bytes, Codec codec) {
  MemoryFile memory{std::move(bytes), 0};
  SF_INFO info{};
  const SndfilePtr file = open_memory(memory, SFM_READ, info);
  if (!file)
    throw std::runtime_error(codec_name(codec) + ": libsndfile cannot decode what it encoded: " + sf_strerror(nullptr));
  Waveform output;
  output.sample_rate_hz = info.samplerate;
  std::vector<float> block(8192);
  while (true) {
    const int64_t count = sf_readf_float(file.get(), block.data(), static_cast<sf_count_t>(block.size()));
    if (count <= 0) break;
    output.samples.insert(output.samples.end(), block.begin(), block.begin() + count);
  }
  return output;
}

// The identification header tells the rate that libvorbis means by a quality (as `oggenc -b` uses it).
double vorbis_nominal_kbps(int rate_hz, double level) {
  const std::array<float, 64> silence{};
  const std::string bytes = encode(silence.data(), silence.size(), rate_hz, Codec::kVorbis, level);
  constexpr size_t kNominalOffset = 20;
  const size_t header = bytes.find("\x01vorbis");
  if (header == std::string::npos || header + kNominalOffset + 4 > bytes.size()) {
    throw std::runtime_error("vorbis: the encoder wrote no identification header");
  }
  uint32_t nominal = 0;
  for (size_t i = 4; i-- > 0;)
    nominal = (nominal << 8U) | static_cast<unsigned char>(bytes[header + kNominalOffset + i]);
  return nominal / 1000.0;
}

double vorbis_level(int rate_hz, const CodecSettings& settings) {
  const double highest = vorbis_nominal_kbps(rate_hz, 0.0);
  const double lowest = vorbis_nominal_kbps(rate_hz, 1.0);
  const double wanted = settings.bit_rate_kbps;
  // The highest nominal rate is a hair below the round number that it stands for.
  constexpr double kSlack = 0.1;
  if (wanted < lowest - kSlack || wanted > highest + kSlack) {
    fail_bit_rate(settings, "from " + format_fixed(lowest, 0) + " to " + format_fixed(highest, 0) + " kbit/s at " +
                                std::to_string(rate_hz) + " Hz");
  }
  double best = 0.0;
  double worst = 1.0;
  constexpr int kHalvings = 12;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (best + worst) / 2.0;
    (vorbis_nominal_kbps(rate_hz, middle) > wanted ? best : worst) = middle;
  }
  return (best + worst) / 2.0;
}

double compression_level(int rate_hz, const CodecSettings& settings) {
  double highest = kOpusHighestKbps;
  double lowest = kOpusLowestKbps;
  if (settings.codec == Codec::kVorbis) return vorbis_level(rate_hz, settings);
  if (settings.codec == Codec::kMp3) {
    highest = mp3_band(rate_hz).highest_kbps;
    lowest = mp3_band(rate_hz).lowest_kbps;
  } else if (settings.bit_rate_kbps < lowest || settings.bit_rate_kbps > highest) {
    fail_bit_rate(settings, "from 6 to 256 kbit/s");
  }
  return (highest - settings.bit_rate_kbps) / (highest - lowest);
}

// The constant bit rate of an MP3 stream, from the number of bytes of its frames.
void require_mp3_bit_rate(const std::string& bytes, int64_t samples, int rate_hz, double wanted_kbps) {
  // The encoder flushes a few frames and may add one of its own.
  const double frame_samples = rate_hz >= 32000 ? 1152.0 : 576.0;
  const double frame_bytes = wanted_kbps * 125.0 * frame_samples / rate_hz;
  const double frames = static_cast<double>(bytes.size()) / frame_bytes;
  const double needed = static_cast<double>(samples) / frame_samples;
  constexpr double kMostExtraFrames = 8.0;
  if (frames < needed - 1.0 || frames > needed + kMostExtraFrames) {
    throw std::runtime_error("mp3: " + format_real(wanted_kbps) + " kbit/s at " + std::to_string(rate_hz) +
                             " Hz were asked of the encoder, it wrote " + std::to_string(bytes.size()) + " bytes for " +
                             std::to_string(samples) + " samples");
  }
}

// LAME ends the whole process on samples of 1e10, and the others give silence for loud ones.
constexpr float kLargestSample = 1e4F;

void require_encodable(const Waveform& input, const std::string& who) {
  float peak = 0.0F;
  for (const float sample : input.samples) {
    if (!std::isfinite(sample)) throw DataError(who + ": finite samples were expected, found NaN or infinity");
    peak = std::max(peak, std::fabs(sample));
  }
  if (peak > kLargestSample) {
    throw DataError(who + ": a peak of at most " + std::to_string(static_cast<int>(kLargestSample)) +
                    " times full scale was expected, found " + format_real(static_cast<double>(peak)) +
                    " (lower the level before encoding)");
  }
}

}  // namespace

std::string codec_name(Codec codec) {
  switch (codec) {
    case Codec::kMp3:
      return "mp3";
    case Codec::kVorbis:
      return "vorbis";
    case Codec::kOpus:
      return "opus";
  }
  throw std::logic_error("codec: unknown codec");
}

Waveform through_codec(const Waveform& input, const CodecSettings& settings, CodecReport* report) {
  if (!(settings.bit_rate_kbps > 0.0)) fail_bit_rate(settings, "a positive number of kbit/s");
  const int codec_rate_hz = choose_rate(input.sample_rate_hz, settings);
  const double level = compression_level(codec_rate_hz, settings);
  require_encodable(input, codec_name(settings.codec));
  if (report != nullptr) *report = {0.0, codec_rate_hz};
  if (input.samples.empty()) return input;

  const QuietStderr quiet;
  Waveform prepared = resample(input, codec_rate_hz);
  const size_t count = prepared.samples.size();
  // A handful of samples makes no frame; silence behind them does.
  constexpr size_t kFewestSamples = 8192;
  prepared.samples.resize(std::max(count, kFewestSamples), 0.0F);
  std::string bytes = encode(prepared.samples.data(), prepared.size(), codec_rate_hz, settings.codec, level);
  if (report != nullptr)
    report->bit_rate_kbps = static_cast<double>(bytes.size()) * 8.0 / 1000.0 / prepared.duration_s();
  if (settings.codec == Codec::kMp3)
    require_mp3_bit_rate(bytes, prepared.size(), codec_rate_hz, settings.bit_rate_kbps);
  Waveform decoded = decode(std::move(bytes), settings.codec);
  if (decoded.sample_rate_hz != codec_rate_hz)
    throw std::runtime_error(codec_name(settings.codec) + ": the encoder changed the sample rate");
  const int64_t surplus = decoded.size() - prepared.size();
  const int64_t delay = settings.codec == Codec::kMp3 && surplus > 0 ? kMp3DelaySamples : 0;
  if (surplus < delay) {
    throw std::runtime_error(codec_name(settings.codec) + ": " + std::to_string(prepared.size()) +
                             " samples went in, " + std::to_string(decoded.size()) + " came out");
  }
  decoded.samples.erase(decoded.samples.begin(), decoded.samples.begin() + delay);
  decoded.samples.resize(count);
  Waveform output = resample(decoded, input.sample_rate_hz);
  // Two roundings of the length, there and back, differ by a sample at most.
  output.samples.resize(input.samples.size(), 0.0F);
  return output;
}

}  // namespace tagbench
