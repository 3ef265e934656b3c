#include <cmath>
#include <cstdint>

#include "perturbations/makers.h"
#include "perturbations/measure.h"

namespace tagbench {
namespace {

class Clipping : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "clipping";
      f.summary = "Clips the track hard at a level below its peak and restores its loudness: overdriven recordings.";
      f.source = "definition: samples limited to +-10^(-drive_db / 20) max|x|, then scaled to the energy of x";
      f.parameters = {required_real("drive_db", "dB", 0.0, 60.0, "how far below the track's peak it clips")};
      f.ladder = {"drive_db=9", "drive_db=12", "drive_db=15", "drive_db=18.5", "drive_db=22"};
      f.ladder_reason = "log-mel change of 2.1, 3.9, 5.7, 7.7, 9.4 dB";
      f.identity = "drive_db=0";
      f.may_falsify = {"loudness", "recording"};
      return f;
    }();
    return facts;
  }

  explicit Clipping(const Options& options) : drive_db_(options.real("drive_db")) {}
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& /*rng*/) const override {
    Perturbed result;
    const double threshold = peak(input.samples) * from_db(-drive_db_);
    std::vector<double> limited = to_double(input.samples);
    int64_t clipped = 0;
    for (double& value : limited) {
      if (std::fabs(value) <= threshold) continue;
      value = std::copysign(threshold, value);
      ++clipped;
    }
    result.waveform = {with_energy(limited, energy(input.samples)), input.sample_rate_hz};
    if (!limited.empty()) {
      result.reached["clipped_fraction"] = static_cast<double>(clipped) / static_cast<double>(limited.size());
    }
    return result;
  }

 private:
  double drive_db_;
};

}  // namespace

PerturbationEntry clipping_entry() {
  return entry_of<Clipping>();
}

}  // namespace tagbench
