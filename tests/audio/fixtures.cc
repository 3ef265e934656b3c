#include "tests/audio/fixtures.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "harness/core/rng.h"

namespace tagbench::testing {

Waveform music_like(int sample_rate_hz, int64_t samples) {
  constexpr double kTwoPi = 6.283185307179586;
  Rng rng(1, {"audio fixture"});
  Waveform waveform;
  waveform.sample_rate_hz = sample_rate_hz;
  for (int64_t i = 0; i < samples; ++i) {
    const double t = static_cast<double>(i) / sample_rate_hz;
    const double since = std::fmod(t, 0.25);
    double value = 0.0;
    for (const double hz : {220.0, 277.2, 329.6, 880.0}) value += 0.1 * std::sin(kTwoPi * hz * (1.0 + 0.3 * t) * t);
    value = value * std::exp(-4.0 * since) + 0.3 * std::exp(-200.0 * since) * rng.normal();
    waveform.samples.push_back(static_cast<float>(std::min(std::max(value, -0.9), 0.9)));
  }
  return waveform;
}

void write_audio(const std::filesystem::path& path, int format, int sample_rate_hz, int channels,
                 const std::vector<float>& samples, bool variable_rate) {
  SF_INFO info{};
  info.format = format;
  info.samplerate = sample_rate_hz;
  info.channels = channels;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  if (file == nullptr) throw std::runtime_error(path.string() + ": " + sf_strerror(nullptr));
  if ((format & SF_FORMAT_TYPEMASK) == SF_FORMAT_MPEG) {
    int mode = variable_rate ? SF_BITRATE_MODE_VARIABLE : SF_BITRATE_MODE_CONSTANT;
    sf_command(file, SFC_SET_BITRATE_MODE, &mode, sizeof mode);
    // High enough for frames in which LAME's tag has room.
    double level = 0.3;
    sf_command(file, SFC_SET_COMPRESSION_LEVEL, &level, sizeof level);
  }
  const auto frames = static_cast<sf_count_t>(samples.size()) / channels;
  const sf_count_t written = sf_writef_float(file, samples.data(), frames);
  if (sf_close(file) != 0 || written != frames) throw std::runtime_error(path.string() + ": not written");
}

std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::string wav_bytes(int sample_rate_hz, int channels, const std::vector<int16_t>& samples) {
  std::string bytes;
  const auto put = [&](uint32_t value, int count) {
    for (int i = 0; i < count; ++i) bytes += static_cast<char>((value >> (8 * i)) & 255U);
  };
  const auto data = static_cast<uint32_t>(samples.size() * 2);
  const auto rate = static_cast<uint32_t>(sample_rate_hz);
  const auto block = static_cast<uint32_t>(channels) * 2;
  bytes += "RIFF";
  put(36 + data, 4);
  bytes += "WAVEfmt ";
  put(16, 4);
  put(1, 2);
  put(static_cast<uint32_t>(channels), 2);
  put(rate, 4);
  put(rate * block, 4);
  put(block, 2);
  put(16, 2);
  bytes += "data";
  put(data, 4);
  for (const int16_t sample : samples) put(static_cast<uint16_t>(sample), 2);
  return bytes;
}

double snr_db(const std::vector<float>& reference, const std::vector<float>& signal, size_t begin, size_t end) {
  double energy = 0.0;
  double error = 0.0;
  for (size_t i = begin; i < end; ++i) {
    const double difference = static_cast<double>(signal[i]) - reference[i];
    energy += static_cast<double>(reference[i]) * reference[i];
    error += difference * difference;
  }
  return 10.0 * std::log10(energy / std::max(error, 1e-30));
}

}  // namespace tagbench::testing
