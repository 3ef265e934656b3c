#include "perturbations/noise.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "perturbations/measure.h"

namespace tagbench {
namespace {

// The factor that mix_by_weight applies to the raw noise, alpha left out.
double peak_scale(const std::vector<float>& x, const std::vector<double>& raw_noise) {
  if (x.size() != raw_noise.size()) throw std::logic_error("mix_by_weight: noise and samples differ in number");
  double noise_peak = 0.0;
  for (const double value : raw_noise) noise_peak = std::max(noise_peak, std::fabs(value));
  if (noise_peak == 0.0) return 0.0;
  return static_cast<double>(*std::max_element(x.begin(), x.end())) / noise_peak;
}

}  // namespace

std::vector<double> white_noise(int64_t n, Rng& rng) {
  std::vector<double> noise(static_cast<size_t>(n));
  for (double& value : noise) value = rng.normal();
  return noise;
}

namespace {

constexpr double kColourFromHz = 20.0;

// A section with a pole and, above it, a zero falls by 6 dB per octave between the two.
class PoleZero {
 public:
  PoleZero(double pole_hz, double zero_hz, double sample_rate_hz)
      : pole_(std::exp(-2.0 * M_PI * pole_hz / sample_rate_hz)),
        zero_(std::exp(-2.0 * M_PI * zero_hz / sample_rate_hz)) {}
  double next(double x) {
    const double y = x - zero_ * previous_x_ + pole_ * previous_y_;
    previous_x_ = x;
    previous_y_ = y;
    return y;
  }

 private:
  double pole_;
  double zero_;
  double previous_x_ = 0.0;
  double previous_y_ = 0.0;
};

std::vector<double> coloured_noise(int64_t n, int sample_rate_hz, std::vector<PoleZero> sections, Rng& rng) {
  const auto next = [&] {
    double value = rng.normal();
    for (PoleZero& section : sections) value = section.next(value);
    return value;
  };
  // The slowest pole has a time constant of 8 ms; after a quarter of a second it has forgotten its start.
  for (int i = 0; i < sample_rate_hz / 4; ++i) next();
  std::vector<double> noise(static_cast<size_t>(n));
  for (double& value : noise) value = next();
  return noise;
}

}  // namespace

std::vector<double> pink_noise(int64_t n, int sample_rate_hz, Rng& rng) {
  // A pole per octave, each followed by a zero half an octave above: 3 dB per octave on average, with a ripple of 0.1
  // dB.
  std::vector<PoleZero> sections;
  for (double pole_hz = kColourFromHz; pole_hz < sample_rate_hz / 2.0; pole_hz *= 2.0) {
    sections.emplace_back(pole_hz, pole_hz * std::sqrt(2.0), sample_rate_hz);
  }
  return coloured_noise(n, sample_rate_hz, sections, rng);
}

std::vector<double> brown_noise(int64_t n, int sample_rate_hz, Rng& rng) {
  // A zero so high that it vanishes leaves the pole alone.
  constexpr double kNowhereHz = 1e9;
  return coloured_noise(n, sample_rate_hz, {PoleZero(kColourFromHz, kNowhereHz, sample_rate_hz)}, rng);
}

std::vector<float> mix_by_weight(const std::vector<float>& x, const std::vector<double>& raw_noise, double alpha) {
  const double scale = peak_scale(x, raw_noise);
  std::vector<float> y(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    y[i] = static_cast<float>((1.0 - alpha) * static_cast<double>(x[i]) + alpha * (raw_noise[i] * scale));
  }
  return y;
}

std::optional<double> snr_of_weight(const std::vector<float>& x, const std::vector<double>& raw_noise, double alpha) {
  const double noise_gain = alpha * peak_scale(x, raw_noise);
  const double track_gain = 1.0 - alpha;
  return ratio_db(track_gain * track_gain * energy(x), noise_gain * noise_gain * energy(raw_noise));
}

Perturbed mix_at_snr(const Waveform& x, const std::vector<double>& noise, double snr_db) {
  if (x.samples.size() != noise.size()) throw std::logic_error("mix_at_snr: noise and samples differ in number");
  Perturbed result;
  result.waveform = x;
  const double track_energy = energy(x.samples);
  const double noise_energy = energy(noise);
  if (!(track_energy > 0.0) || !(noise_energy > 0.0)) return result;
  const double gain = std::sqrt(track_energy / noise_energy) * from_db(-snr_db);
  double added = 0.0;
  for (size_t i = 0; i < noise.size(); ++i) {
    const float before = x.samples[i];
    const auto after = static_cast<float>(static_cast<double>(before) + gain * noise[i]);
    result.waveform.samples[i] = after;
    const double difference = static_cast<double>(after) - static_cast<double>(before);
    added += difference * difference;
  }
  record(result.reached, "snr_db", ratio_db(track_energy, added));
  return result;
}

}  // namespace tagbench
