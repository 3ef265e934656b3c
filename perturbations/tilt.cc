#include <algorithm>
#include <cmath>
#include <complex>

#include "perturbations/fft.h"
#include "perturbations/filters.h"
#include "perturbations/makers.h"
#include "perturbations/measure.h"

namespace tagbench {
namespace {

// Symmetric, an eighth of a second long, under a Hann window: resolves 16 Hz.
std::vector<double> tilt_kernel(double slope_db, int sample_rate_hz) {
  constexpr double kPivotHz = 1000.0;
  constexpr double kLowestHz = 20.0;
  const size_t half = static_cast<size_t>(sample_rate_hz) / 16;
  const RealFft fft(fft_size_at_least(8 * half));
  std::vector<std::complex<double>> spectrum(fft.bins());
  for (size_t k = 0; k < spectrum.size(); ++k) {
    const double frequency_hz = static_cast<double>(k) * sample_rate_hz / static_cast<double>(fft.size());
    spectrum[k] = from_db(slope_db * std::log2(std::max(frequency_hz, kLowestHz) / kPivotHz));
  }
  std::vector<double> response(fft.size());
  fft.inverse(spectrum.data(), response.data());
  std::vector<double> kernel(2 * half + 1);
  for (size_t i = 0; i <= half; ++i) {
    const double window = 0.5 + 0.5 * std::cos(M_PI * static_cast<double>(i) / static_cast<double>(half + 1));
    kernel[half - i] = kernel[half + i] = response[i] * window;
  }
  return kernel;
}

class Tilt : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "tilt";
      f.summary = "Tilts the spectrum, darker or brighter, and keeps the loudness.";
      f.source =
          "definition: a gain of slope_db log2(f / 1000 Hz) from 20 Hz on, linear phase; then the energy of the input";
      f.parameters = {required_real("slope_db", "dB per octave", -12.0, 12.0, "brighter if positive")};
      f.ladder = {"slope_db=-1.5", "slope_db=-2.8", "slope_db=-4", "slope_db=-5.2", "slope_db=-6.3"};
      f.ladder_reason = "log-mel change of 3.6, 6.8, 9.9, 13.2, 16.3 dB";
      f.identity = "slope_db=0";
      f.may_falsify = {"recording"};
      return f;
    }();
    return facts;
  }

  explicit Tilt(const Options& options) : slope_db_(options.real("slope_db")) {}
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& /*rng*/) const override {
    Perturbed result;
    const std::vector<double> kernel = tilt_kernel(slope_db_, input.sample_rate_hz);
    const std::vector<double> tilted = centred_convolution(to_double(input.samples), kernel);
    result.waveform = {with_energy(tilted, energy(input.samples)), input.sample_rate_hz};
    result.reached["slope_db"] = slope_db_;
    return result;
  }

 private:
  double slope_db_;
};

}  // namespace

PerturbationEntry tilt_entry() {
  return entry_of<Tilt>();
}

}  // namespace tagbench
