#include <algorithm>

#include "perturbations/filters.h"
#include "perturbations/makers.h"
#include "perturbations/measure.h"

namespace tagbench {
namespace {

class LowPass : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "low_pass";
      f.summary = "Removes what lies above a frequency (Butterworth, 48 dB per octave).";
      f.source = "Butterworth (1930), order 8, bilinear transform";
      f.parameters = {required_real("cutoff_hz", "Hz", 20.0, 400000.0, "where 3 dB are lost")};
      f.ladder = {"cutoff_hz=4800", "cutoff_hz=3400", "cutoff_hz=2400", "cutoff_hz=1650", "cutoff_hz=1100"};
      f.ladder_reason = "log-mel change of 5.6, 9.5, 13.6, 17.9, 22.3 dB";
      f.identity = "cutoff_hz=400000";
      f.may_falsify = {"recording"};
      return f;
    }();
    return facts;
  }

  explicit LowPass(const Options& options) : cutoff_hz_(options.real("cutoff_hz")) {}
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& /*rng*/) const override {
    Perturbed result;
    result.waveform = {to_float(low_pass(to_double(input.samples), cutoff_hz_, input.sample_rate_hz)),
                       input.sample_rate_hz};
    result.reached["cutoff_hz"] = std::min(cutoff_hz_, input.sample_rate_hz / 2.0);
    return result;
  }

 private:
  double cutoff_hz_;
};

}  // namespace

PerturbationEntry low_pass_entry() {
  return entry_of<LowPass>();
}

}  // namespace tagbench
