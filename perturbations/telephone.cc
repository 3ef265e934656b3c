#include <algorithm>
#include <cmath>

#include "harness/core/errors.h"
#include "perturbations/filters.h"
#include "perturbations/makers.h"
#include "perturbations/measure.h"

namespace tagbench {
namespace {

// Compressed, rounded to 127 steps on each side, expanded. Zero stays zero.
double through_mu_law(double value) {
  constexpr double kMu = 255.0;
  constexpr double kSteps = 127.0;
  const double compressed = std::log1p(kMu * std::min(std::fabs(value), 1.0)) / std::log1p(kMu);
  const double rounded = std::nearbyint(compressed * kSteps) / kSteps;
  return std::copysign(std::expm1(rounded * std::log1p(kMu)) / kMu, value);
}

class Telephone : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "telephone";
      f.summary = "A telephone line: the speech band alone, in 8 bits of mu-law.";
      f.source = "band: ITU-T G.712; coding: the mu-law of ITU-T G.711 in its continuous form, 8 bits, full scale 1";
      f.parameters = {real_option("low_hz", "300", "Hz", 1.0, 20000.0, "lower edge of the band"),
                      real_option("high_hz", "3400", "Hz", 20.0, 400000.0, "upper edge of the band"),
                      flag_option("mu_law", true, "quantise to 8 bits of mu-law")};
      f.ladder = {"low_hz=150,high_hz=5200", "low_hz=230,high_hz=4000", "low_hz=320,high_hz=3000",
                  "low_hz=400,high_hz=2300", "low_hz=500,high_hz=1700"};
      f.ladder_reason = "log-mel change of 3.6, 5.4, 8.4, 11.5, 15.2 dB";
      f.published = {"low_hz=300,high_hz=3400"};
      f.may_falsify = {"recording"};
      return f;
    }();
    return facts;
  }

  explicit Telephone(const Options& options)
      : low_hz_(options.real("low_hz")), high_hz_(options.real("high_hz")), mu_law_(options.flag("mu_law")) {
    if (low_hz_ >= high_hz_) {
      throw UsageError("telephone: low_hz must be below high_hz, got " + options.text("low_hz") + " and " +
                       options.text("high_hz"));
    }
  }
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& /*rng*/) const override {
    const int rate_hz = input.sample_rate_hz;
    std::vector<double> line = low_pass(high_pass(to_double(input.samples), low_hz_, rate_hz), high_hz_, rate_hz);
    if (mu_law_) {
      for (double& value : line) value = through_mu_law(value);
    }
    Perturbed result;
    result.waveform = {to_float(line), rate_hz};
    return result;
  }

 private:
  double low_hz_;
  double high_hz_;
  bool mu_law_;
};

}  // namespace

PerturbationEntry telephone_entry() {
  return entry_of<Telephone>();
}

}  // namespace tagbench
