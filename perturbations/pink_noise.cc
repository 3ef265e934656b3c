#include "perturbations/makers.h"
#include "perturbations/noise.h"

namespace tagbench {
namespace {

class PinkNoise : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "pink_noise";
      f.summary = "Adds noise that falls by 3 dB per octave, at a signal-to-noise ratio.";
      f.source = "definition: Gaussian noise, 3 dB per octave from 20 Hz on; ratio of energies over the whole track";
      f.parameters = {required_real("snr_db", "dB", -60.0, 120.0, "energy of the track over that of the noise")};
      f.ladder = {"snr_db=20", "snr_db=13", "snr_db=8", "snr_db=4", "snr_db=0"};
      f.ladder_reason = "log-mel change of 4.8, 8.5, 11.7, 14.6, 17.6 dB";
      f.identity = "snr_db=120";
      f.random = true;
      f.may_falsify = {"recording"};
      return f;
    }();
    return facts;
  }

  explicit PinkNoise(const Options& options) : snr_db_(options.real("snr_db")) {}
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& rng) const override {
    return mix_at_snr(input, pink_noise(input.size(), input.sample_rate_hz, rng), snr_db_);
  }

 private:
  double snr_db_;
};

}  // namespace

PerturbationEntry pink_noise_entry() {
  return entry_of<PinkNoise>();
}

}  // namespace tagbench
