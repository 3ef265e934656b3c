#include <algorithm>

#include "perturbations/filters.h"
#include "perturbations/makers.h"
#include "perturbations/measure.h"

namespace tagbench {
namespace {

class HighPass : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "high_pass";
      f.summary = "Removes what lies below a frequency (Butterworth, 48 dB per octave).";
      f.source = "Butterworth (1930), order 8, bilinear transform";
      f.parameters = {required_real("cutoff_hz", "Hz", 1.0, 400000.0, "where 3 dB are lost")};
      f.ladder = {"cutoff_hz=240", "cutoff_hz=440", "cutoff_hz=660", "cutoff_hz=900", "cutoff_hz=1200"};
      f.ladder_reason = "log-mel change of 3.5, 6.4, 10.0, 13.3, 16.5 dB";
      f.may_falsify = {"recording"};
      return f;
    }();
    return facts;
  }

  explicit HighPass(const Options& options) : cutoff_hz_(options.real("cutoff_hz")) {}
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& /*rng*/) const override {
    Perturbed result;
    result.waveform = {to_float(high_pass(to_double(input.samples), cutoff_hz_, input.sample_rate_hz)),
                       input.sample_rate_hz};
    result.reached["cutoff_hz"] = std::min(cutoff_hz_, input.sample_rate_hz / 2.0);
    return result;
  }

 private:
  double cutoff_hz_;
};

}  // namespace

PerturbationEntry high_pass_entry() {
  return entry_of<HighPass>();
}

}  // namespace tagbench
