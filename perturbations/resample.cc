#include <algorithm>

#include "harness/audio/audio_file.h"
#include "perturbations/makers.h"

namespace tagbench {
namespace {

class Resample : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "resample";
      f.summary = "Through a lower sample rate and back: everything above half of it is lost.";
      f.source = "libsamplerate, best windowed sinc";
      OptionSpec rate = integer_option("rate_hz", "", "Hz", 1000.0, 768000.0,
                                       "the lower rate; nothing happens at the track's own or above");
      rate.required = true;
      f.parameters = {rate};
      f.ladder = {"rate_hz=10400", "rate_hz=7000", "rate_hz=4800", "rate_hz=3300", "rate_hz=2200"};
      f.ladder_reason = "log-mel change of 6.5, 12.0, 16.8, 21.1, 26.0 dB";
      f.identity = "rate_hz=768000";
      f.may_falsify = {"recording"};
      return f;
    }();
    return facts;
  }

  explicit Resample(const Options& options) : rate_hz_(static_cast<int>(options.integer("rate_hz"))) {}
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& /*rng*/) const override {
    Perturbed result;
    result.reached["rate_hz"] = std::min(rate_hz_, input.sample_rate_hz);
    if (rate_hz_ >= input.sample_rate_hz || input.samples.empty()) {
      result.waveform = input;
      return result;
    }
    result.waveform = resample(resample(input, rate_hz_), input.sample_rate_hz);
    // Two roundings of the length, there and back.
    result.waveform.samples.resize(input.samples.size(), 0.0F);
    return result;
  }

 private:
  int rate_hz_;
};

}  // namespace

PerturbationEntry resample_entry() {
  return entry_of<Resample>();
}

}  // namespace tagbench
