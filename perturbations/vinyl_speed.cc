#include <cmath>

#include "perturbations/makers.h"
#include "perturbations/measure.h"
#include "perturbations/sinc.h"

namespace tagbench {
namespace {

class VinylSpeed : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "vinyl_speed";
      f.summary = "Plays the track faster or slower, tempo and pitch together, as a turntable does.";
      f.source = "definition: y(t) = x(rate t), by resampling with a windowed sinc";
      f.parameters = {
          required_real("rate", "", 0.25, 4.0, "faster and higher if above 1; powers may be written 2^0.5")};
      f.ladder = {"rate=1.015", "rate=1.03", "rate=1.06", "rate=1.12", "rate=1.26"};
      f.ladder_reason =
          "each step doubles the interval, about 0.25, 0.5, 1, 2 and 4 semitones; log-mel change of 2.3, 3.8, 5.8, "
          "7.4, 6.6 dB, frames compared at the same places in the music";
      f.identity = "rate=1";
      f.length = LengthChange::kByRatio;
      f.may_falsify = {"tempo", "key"};
      return f;
    }();
    return facts;
  }

  explicit VinylSpeed(const Options& options) : rate_(options.real("rate")) {}
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& /*rng*/) const override {
    Perturbed result;
    result.waveform = input;
    const int64_t length = length_at_rate(input.size(), rate_);
    if (rate_ != 1.0) result.waveform.samples = to_float(sinc_resample(to_double(input.samples), 1.0 / rate_, length));
    if (length > 0) {
      result.reached["rate"] = static_cast<double>(input.size()) / static_cast<double>(length);
      result.reached["semitones"] = 12.0 * std::log2(rate_);
    }
    return result;
  }

 private:
  double rate_;
};

}  // namespace

PerturbationEntry vinyl_speed_entry() {
  return entry_of<VinylSpeed>();
}

}  // namespace tagbench
