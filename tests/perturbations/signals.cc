#include "tests/perturbations/signals.h"

#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <stdexcept>

#include "harness/core/rng.h"
#include "perturbations/condition.h"
#include "perturbations/fft.h"

namespace tagbench::testing {

Waveform sine(double frequency_hz, double amplitude, double duration_s, int sample_rate_hz) {
  Waveform waveform;
  waveform.sample_rate_hz = sample_rate_hz;
  waveform.samples.resize(static_cast<size_t>(std::llround(duration_s * sample_rate_hz)));
  for (size_t i = 0; i < waveform.samples.size(); ++i) {
    waveform.samples[i] =
        static_cast<float>(amplitude * std::sin(2.0 * M_PI * frequency_hz * static_cast<double>(i) / sample_rate_hz));
  }
  return waveform;
}

Waveform silence(int64_t samples, int sample_rate_hz) {
  return {std::vector<float>(static_cast<size_t>(samples), 0.0F), sample_rate_hz};
}

Waveform music(double duration_s, int sample_rate_hz) {
  Waveform waveform = silence(std::llround(duration_s * sample_rate_hz), sample_rate_hz);
  Rng rng(7, {"music"});
  const double fundamentals_hz[] = {220.0, 277.2, 329.6};
  for (size_t i = 0; i < waveform.samples.size(); ++i) {
    const double t = static_cast<double>(i) / sample_rate_hz;
    double value = 0.0;
    for (const double f : fundamentals_hz) {
      for (int harmonic = 1; harmonic <= 4; ++harmonic) {
        value += 0.06 / harmonic * std::sin(2.0 * M_PI * harmonic * f * t + 0.2 * std::sin(2.0 * M_PI * 5.0 * t));
      }
    }
    const double since_beat = std::fmod(t, 0.25);
    value += 0.1 * std::exp(-60.0 * since_beat) * rng.normal();
    waveform.samples[i] = static_cast<float>(value * (0.6 + 0.4 * std::cos(2.0 * M_PI * 0.3 * t)));
  }
  return waveform;
}

Waveform hiss(int64_t samples, int sample_rate_hz) {
  Waveform waveform = silence(samples, sample_rate_hz);
  Rng rng(8, {"hiss"});
  for (float& sample : waveform.samples) sample = static_cast<float>(0.1 * rng.normal());
  return waveform;
}

double peak_frequency_hz(const Waveform& waveform) {
  constexpr size_t kFrame = 8192;
  const RealFft fft(2 * kFrame);
  std::vector<double> windowed(fft.size(), 0.0);
  std::vector<std::complex<double>> spectrum(fft.bins());
  std::vector<double> peaks;
  for (size_t begin = 0; begin + kFrame <= waveform.samples.size(); begin += kFrame / 4) {
    for (size_t i = 0; i < kFrame; ++i) {
      const double window = 0.5 - 0.5 * std::cos(2.0 * M_PI * static_cast<double>(i) / static_cast<double>(kFrame));
      windowed[i] = window * static_cast<double>(waveform.samples[begin + i]);
    }
    fft.forward(windowed.data(), spectrum.data());
    size_t best = 1;
    for (size_t k = 1; k + 1 < spectrum.size(); ++k) {
      if (std::norm(spectrum[k]) > std::norm(spectrum[best])) best = k;
    }
    const double left = std::log(std::norm(spectrum[best - 1]));
    const double middle = std::log(std::norm(spectrum[best]));
    const double right = std::log(std::norm(spectrum[best + 1]));
    const double offset = 0.5 * (left - right) / (left - 2.0 * middle + right);
    peaks.push_back((static_cast<double>(best) + offset) * waveform.sample_rate_hz / static_cast<double>(fft.size()));
  }
  if (peaks.empty()) throw std::logic_error("peak_frequency_hz: too few samples");
  std::sort(peaks.begin(), peaks.end());
  return peaks[peaks.size() / 2];
}

double band_db(const Waveform& waveform, double low_hz, double high_hz) {
  constexpr size_t kFrame = 2048;
  const RealFft fft(kFrame);
  std::vector<double> windowed(kFrame);
  std::vector<std::complex<double>> spectrum(fft.bins());
  const double bin_hz = waveform.sample_rate_hz / static_cast<double>(kFrame);
  double sum = 0.0;
  int frames = 0;
  for (size_t begin = 0; begin + kFrame <= waveform.samples.size(); begin += kFrame / 2, ++frames) {
    for (size_t i = 0; i < kFrame; ++i) {
      const double window = 0.5 - 0.5 * std::cos(2.0 * M_PI * static_cast<double>(i) / static_cast<double>(kFrame));
      windowed[i] = window * static_cast<double>(waveform.samples[begin + i]);
    }
    fft.forward(windowed.data(), spectrum.data());
    for (size_t k = 0; k < spectrum.size(); ++k) {
      const double frequency_hz = static_cast<double>(k) * bin_hz;
      if (frequency_hz >= low_hz && frequency_hz < high_hz) sum += std::norm(spectrum[k]);
    }
  }
  return 10.0 * std::log10(sum / frames);
}

double snr_db(const std::vector<float>& reference, const std::vector<float>& test) {
  if (reference.size() != test.size()) throw std::logic_error("snr_db: lengths differ");
  double signal = 0.0;
  double error = 0.0;
  for (size_t i = 0; i < reference.size(); ++i) {
    const double difference = static_cast<double>(reference[i]) - static_cast<double>(test[i]);
    signal += static_cast<double>(reference[i]) * static_cast<double>(reference[i]);
    error += difference * difference;
  }
  return error == 0.0 ? 1000.0 : 10.0 * std::log10(signal / error);
}

double rms(const std::vector<float>& samples, size_t begin, size_t end) {
  double sum = 0.0;
  for (size_t i = begin; i < end; ++i) sum += static_cast<double>(samples[i]) * static_cast<double>(samples[i]);
  return std::sqrt(sum / static_cast<double>(end - begin));
}

bool all_finite(const std::vector<float>& samples) {
  for (const float sample : samples) {
    if (!std::isfinite(sample)) return false;
  }
  return true;
}

Waveform read_sound(const std::string& path) {
  SF_INFO info{};
  SNDFILE* file = sf_open(path.c_str(), SFM_READ, &info);
  if (file == nullptr || info.channels != 1) throw std::runtime_error("cannot read " + path);
  Waveform waveform = silence(info.frames, info.samplerate);
  sf_readf_float(file, waveform.samples.data(), info.frames);
  sf_close(file);
  return waveform;
}

Perturbed applied(const std::string& condition, const Waveform& input, uint64_t seed) {
  return Condition::parse(condition).apply(input, seed, "track");
}

}  // namespace tagbench::testing
