#include <algorithm>
#include <cmath>
#include <cstdint>

#include "perturbations/makers.h"

namespace tagbench {
namespace {

class TimeOffset : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "time_offset";
      f.summary = "Lets the track start later or earlier; what leaves at one end comes in at the other.";
      f.source = "definition: y[n] = x[(n - round(shift_s rate)) mod N]";
      f.parameters = {required_real("shift_s", "s", -3600.0, 3600.0, "later if positive")};
      f.ladder = {"shift_s=0.002", "shift_s=0.006", "shift_s=0.02", "shift_s=0.06", "shift_s=0.2"};
      f.ladder_reason =
          "each step about triples the shift, from a part of a frame to many; inaudible, so a drop in score is the "
          "model's own; log-mel change of 0.3, 0.9, 2.9, 8.0, 7.3 dB";
      f.identity = "shift_s=0";
      return f;
    }();
    return facts;
  }

  explicit TimeOffset(const Options& options) : shift_s_(options.real("shift_s")) {}
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& /*rng*/) const override {
    Perturbed result;
    result.waveform = input;
    if (input.samples.empty()) return result;
    const int64_t shift = std::llround(shift_s_ * input.sample_rate_hz);
    const int64_t first = ((-shift % input.size()) + input.size()) % input.size();
    auto& samples = result.waveform.samples;
    std::rotate(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(first), samples.end());
    result.reached["shift_s"] = static_cast<double>(shift) / input.sample_rate_hz;
    return result;
  }

 private:
  double shift_s_;
};

}  // namespace

PerturbationEntry time_offset_entry() {
  return entry_of<TimeOffset>();
}

}  // namespace tagbench
