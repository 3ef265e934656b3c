#include "perturbations/engines.h"
#include "perturbations/makers.h"

namespace tagbench {
namespace {

class TimeStretch : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "time_stretch";
      f.summary = "Plays the track `rate` times as fast and keeps the pitch.";
      f.source = "Won et al. (2020), section 2.2; Rubber Band 3; phase vocoder: librosa 0.7.2";
      f.parameters = {required_real("rate", "", 0.25, 4.0, "faster if above 1; powers may be written 2^-0.5"),
                      engine_option()};
      f.ladder = {"rate=2^0.0625", "rate=2^0.125", "rate=2^0.25", "rate=2^0.5", "rate=2^1"};
      f.ladder_reason =
          "each step doubles the ratio in octaves; log-mel change of 0.9, 1.3, 1.8, 2.7, 4.5 dB, frames compared at "
          "the same places in the music";
      f.published = {"rate=2^-0.5", "rate=2^0.5"};
      f.identity = "rate=1";
      f.length = LengthChange::kByRatio;
      f.may_falsify = {"tempo"};
      return f;
    }();
    return facts;
  }

  explicit TimeStretch(const Options& options)
      : rate_(options.real("rate")), engine_(engine_from(options.text("engine"))) {}
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& /*rng*/) const override { return stretch_time(input, rate_, engine_); }

 private:
  double rate_;
  StretchEngine engine_;
};

}  // namespace

PerturbationEntry time_stretch_entry() {
  return entry_of<TimeStretch>();
}

}  // namespace tagbench
