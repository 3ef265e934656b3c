#include "harness/core/errors.h"
#include "harness/core/text.h"
#include "perturbations/makers.h"
#include "perturbations/measure.h"
#include "perturbations/noise.h"

namespace tagbench {
namespace {

class WhiteNoise : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "white_noise";
      f.summary = "Adds Gaussian white noise, by the weight alpha of a mixture or at a signal-to-noise ratio.";
      f.source =
          "alpha: Won et al. (2020), section 2.2, as in the released script; snr_db: the usual definition over the "
          "whole track";
      f.parameters = {
          real_option("alpha", "", "", 0.0, 1.0,
                      "y = (1 - alpha) x + alpha n, the peak of n equal to the largest sample of x"),
          real_option("snr_db", "", "dB", -60.0, 120.0, "y = x + n at this ratio of energies; give this or alpha")};
      f.ladder = {"snr_db=20", "snr_db=13", "snr_db=8", "snr_db=4", "snr_db=0"};
      f.ladder_reason = "log-mel change of 5.6, 9.3, 12.6, 15.5, 18.6 dB";
      f.published = {"alpha=0.1", "alpha=0.4"};
      f.identity = "alpha=0";
      f.random = true;
      f.may_falsify = {"recording"};
      return f;
    }();
    return facts;
  }

  explicit WhiteNoise(const Options& options)
      : alpha_(parse_real(options.text("alpha"))), snr_db_(parse_real(options.text("snr_db"))) {
    if (alpha_.has_value() == snr_db_.has_value()) {
      throw UsageError(std::string("white_noise: either alpha or snr_db was expected, found ") +
                       (alpha_ ? "both" : "neither"));
    }
  }
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& rng) const override {
    if (input.samples.empty()) return {input, {}};
    const std::vector<double> noise = white_noise(input.size(), rng);
    if (snr_db_) return mix_at_snr(input, noise, *snr_db_);
    Perturbed result;
    result.waveform = {mix_by_weight(input.samples, noise, *alpha_), input.sample_rate_hz};
    result.reached["alpha"] = *alpha_;
    record(result.reached, "snr_db", snr_of_weight(input.samples, noise, *alpha_));
    return result;
  }

 private:
  std::optional<double> alpha_;
  std::optional<double> snr_db_;
};

}  // namespace

PerturbationEntry white_noise_entry() {
  return entry_of<WhiteNoise>();
}

}  // namespace tagbench
