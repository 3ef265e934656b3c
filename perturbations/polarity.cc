#include <cmath>

#include "perturbations/filters.h"
#include "perturbations/makers.h"
#include "perturbations/measure.h"

namespace tagbench {
namespace {

// Antisymmetric, an eighth of a second long, under a Hann window: accurate from some 20 Hz to 20 Hz below half the
// sample rate.
std::vector<double> hilbert_kernel(int sample_rate_hz) {
  const auto half = static_cast<size_t>(sample_rate_hz) / 16;
  std::vector<double> kernel(2 * half + 1, 0.0);
  for (size_t i = 1; i <= half; i += 2) {
    const double window = 0.5 + 0.5 * std::cos(M_PI * static_cast<double>(i) / static_cast<double>(half + 1));
    kernel[half + i] = 2.0 / (M_PI * static_cast<double>(i)) * window;
    kernel[half - i] = -kernel[half + i];
  }
  return kernel;
}

class Polarity : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "polarity";
      f.summary = "Turns the phase of every frequency by the same angle; 180 degrees turn the waveform over.";
      f.source = "definition: cos(angle) x + sin(angle) H(x), H the Hilbert transform; exactly -x at 180 degrees";
      f.parameters = {real_option("phase_deg", "180", "degrees", -180.0, 180.0, "angle")};
      f.ladder = {"phase_deg=36", "phase_deg=72", "phase_deg=108", "phase_deg=144", "phase_deg=180"};
      f.ladder_reason =
          "equal angles, not equal audible steps: hardly audible at any, and the last, like all of them, leaves "
          "magnitudes as they are, so a drop in score is the model's own; log-mel change of 0.0, 0.0, 0.0, 0.0, 0.0 dB";
      f.identity = "phase_deg=0";
      return f;
    }();
    return facts;
  }

  explicit Polarity(const Options& options) : phase_deg_(options.real("phase_deg")) {}
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& /*rng*/) const override {
    Perturbed result;
    result.waveform = input;
    result.reached["phase_deg"] = phase_deg_;
    if (phase_deg_ == 0.0) return result;
    if (std::fabs(phase_deg_) == 180.0) {
      for (float& sample : result.waveform.samples) sample = -sample;
      return result;
    }
    const double angle = phase_deg_ * M_PI / 180.0;
    std::vector<double> kernel = hilbert_kernel(input.sample_rate_hz);
    for (double& value : kernel) value *= std::sin(angle);
    kernel[kernel.size() / 2] = std::cos(angle);
    result.waveform.samples = to_float(centred_convolution(to_double(input.samples), kernel));
    return result;
  }

 private:
  double phase_deg_;
};

}  // namespace

PerturbationEntry polarity_entry() {
  return entry_of<Polarity>();
}

}  // namespace tagbench
