#include <cmath>
#include <cstdint>

#include "perturbations/makers.h"

namespace tagbench {
namespace {

class PhaseFlip : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "phase_flip";
      f.summary =
          "Mono down-mix of a stereo track whose right channel is partly turned over and late: frequencies cancel.";
      f.source =
          "definition: left x, right (1 - depth) x - depth x(t - delay), averaged: y = (1 - depth / 2) x - (depth / 2) "
          "x(t - delay)";
      f.parameters = {required_real("depth", "", 0.0, 1.0,
                                    "share of the right channel that is turned over; at 1 the comb has true zeros"),
                      real_option("delay_ms", "0.5", "ms", 0.0, 100.0,
                                  "lateness of that share; zeros at the multiples of its inverse")};
      f.ladder = {"depth=0.2", "depth=0.4", "depth=0.6", "depth=0.8", "depth=1"};
      f.ladder_reason = "log-mel change of 1.0, 2.0, 3.2, 4.6, 5.9 dB";
      f.identity = "depth=0";
      f.may_falsify = {"loudness", "recording"};
      return f;
    }();
    return facts;
  }

  explicit PhaseFlip(const Options& options)
      : depth_(options.real("depth")), delay_s_(options.real("delay_ms") / 1000.0) {}
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& /*rng*/) const override {
    Perturbed result;
    result.waveform = input;
    const int64_t delay = std::llround(delay_s_ * input.sample_rate_hz);
    for (int64_t i = 0; i < input.size(); ++i) {
      const double late = i >= delay ? static_cast<double>(input.samples[static_cast<size_t>(i - delay)]) : 0.0;
      const double now = static_cast<double>(input.samples[static_cast<size_t>(i)]);
      result.waveform.samples[static_cast<size_t>(i)] =
          static_cast<float>((1.0 - depth_ / 2.0) * now - depth_ / 2.0 * late);
    }
    result.reached["delay_ms"] = 1000.0 * static_cast<double>(delay) / input.sample_rate_hz;
    return result;
  }

 private:
  double depth_;
  double delay_s_;
};

}  // namespace

PerturbationEntry phase_flip_entry() {
  return entry_of<PhaseFlip>();
}

}  // namespace tagbench
