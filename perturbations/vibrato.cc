#include <algorithm>
#include <cmath>

#include "perturbations/makers.h"
#include "perturbations/measure.h"
#include "perturbations/sinc.h"

namespace tagbench {
namespace {

class Vibrato : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "vibrato";
      f.version = 2;
      f.summary = "Lets the pitch waver around its value: vibrato at 5 Hz, or the wow of a record at 0.55 Hz.";
      f.source =
          "definition: y(t) = x(t + a sin(2 pi rate t + phase)), a such that the speed deviates by depth_cents at "
          "most, phase random; a moment played faster is cut off where it would fold, others lose nothing";
      f.parameters = {required_real("depth_cents", "cents", 0.0, 1200.0, "largest deviation"),
                      real_option("rate_hz", "5", "Hz", 0.05, 20.0, "how often it wavers")};
      f.ladder = {"depth_cents=30", "depth_cents=60", "depth_cents=95", "depth_cents=140", "depth_cents=200"};
      f.ladder_reason = "log-mel change of 1.5, 2.7, 3.7, 4.5, 5.2 dB";
      f.identity = "depth_cents=0";
      f.random = true;
      f.may_falsify = {"recording"};
      return f;
    }();
    return facts;
  }

  explicit Vibrato(const Options& options)
      : depth_cents_(options.real("depth_cents")), rate_hz_(options.real("rate_hz")) {}
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& rng) const override {
    Perturbed result;
    result.waveform = input;
    result.reached["depth_cents"] = depth_cents_;
    if (depth_cents_ == 0.0) return result;
    const double largest_speed = std::exp2(depth_cents_ / 1200.0);
    const double turn = 2.0 * M_PI * rate_hz_ / input.sample_rate_hz;
    const double swing = (largest_speed - 1.0) / turn;  // samples
    const double phase = rng.uniform(0.0, 2.0 * M_PI);
    const std::vector<double> samples = to_double(input.samples);
    for (size_t i = 0; i < samples.size(); ++i) {
      const double angle = turn * static_cast<double>(i) + phase;
      const double time = static_cast<double>(i) + swing * std::sin(angle);
      const double speed = 1.0 + (largest_speed - 1.0) * std::cos(angle);
      result.waveform.samples[i] = static_cast<float>(sinc_value(samples, time, kSincFullBand / std::max(speed, 1.0)));
    }
    return result;
  }

 private:
  double depth_cents_;
  double rate_hz_;
};

}  // namespace

PerturbationEntry vibrato_entry() {
  return entry_of<Vibrato>();
}

}  // namespace tagbench
