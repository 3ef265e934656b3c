#include "perturbations/makers.h"

namespace tagbench {
namespace {

class OracleTimeStretch : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "oracle_time_stretch";
      f.summary = "Plays the score at another tempo: what time_stretch imitates, without traces of processing.";
      f.source = "the synthetic corpus (tagbench list datasets synth), rendered by FluidSynth";
      f.parameters = {required_real("rate", "", 0.25, 4.0, "faster if above 1; powers may be written 2^-0.5")};
      f.ladder = {"rate=2^0.0625", "rate=2^0.125", "rate=2^0.25", "rate=2^0.5", "rate=2^1"};
      f.ladder_reason = "the steps of time_stretch";
      f.identity = "rate=1";
      f.from_score = true;
      f.length = LengthChange::kByRatio;
      f.may_falsify = {"tempo"};
      return f;
    }();
    return facts;
  }

  explicit OracleTimeStretch(const Options& options) : rate_(options.real("rate")) {}
  const PerturbationFacts& facts() const override { return described(); }
  ScoreChange score_change() const override { return {0.0, rate_}; }
  Perturbed apply(const Waveform& input, Rng& /*rng*/) const override { return {input, {{"rate", rate_}}}; }

 private:
  double rate_;
};

}  // namespace

PerturbationEntry oracle_time_stretch_entry() {
  return entry_of<OracleTimeStretch>();
}

}  // namespace tagbench
