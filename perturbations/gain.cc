#include "perturbations/makers.h"
#include "perturbations/measure.h"

namespace tagbench {
namespace {

class Gain : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "gain";
      f.summary = "Makes the track louder or softer; nothing clips, since samples beyond full scale are kept.";
      f.source = "definition: y = 10^(gain_db / 20) x";
      f.parameters = {required_real("gain_db", "dB", -60.0, 60.0, "louder if positive")};
      f.ladder = {"gain_db=-4", "gain_db=-8", "gain_db=-12", "gain_db=-16", "gain_db=-20"};
      f.ladder_reason =
          "equal steps of 4 dB, log-mel change of 4.0, 8.0, 12.0, 16.0, 20.0 dB; 10 dB sound half as loud";
      f.identity = "gain_db=0";
      f.may_falsify = {"loudness"};
      return f;
    }();
    return facts;
  }

  explicit Gain(const Options& options) : gain_db_(options.real("gain_db")) {}
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& /*rng*/) const override {
    Perturbed result;
    result.waveform = input;
    const auto factor = static_cast<float>(from_db(gain_db_));
    for (float& sample : result.waveform.samples) sample *= factor;
    result.reached["gain_db"] = gain_db_;
    return result;
  }

 private:
  double gain_db_;
};

}  // namespace

PerturbationEntry gain_entry() {
  return entry_of<Gain>();
}

}  // namespace tagbench
