#include <cmath>
#include <cstdint>
#include <optional>

#include "perturbations/fft.h"
#include "perturbations/makers.h"
#include "perturbations/measure.h"

namespace tagbench {
namespace {

// Noise that falls by 60 dB over `rt60_samples`, where it ends.
std::vector<double> tail(double rt60_samples, Rng& rng) {
  std::vector<double> values(static_cast<size_t>(std::ceil(rt60_samples)));
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = rng.normal() * std::pow(10.0, -3.0 * static_cast<double>(i) / rt60_samples);
  return values;
}

// Twice the time in which the energy still to come falls from -5 to -35 dB of the whole (Schroeder 1965, ISO 3382's
// T30).
std::optional<double> decay_time(const std::vector<double>& response, int sample_rate_hz) {
  const double whole = energy(response);
  double remaining = whole;
  int64_t begin = -1;
  for (size_t i = 0; i < response.size(); ++i) {
    const double level_db = 10.0 * std::log10(remaining / whole);
    if (begin < 0 && level_db <= -5.0) begin = static_cast<int64_t>(i);
    if (level_db <= -35.0) return 2.0 * static_cast<double>(static_cast<int64_t>(i) - begin) / sample_rate_hz;
    remaining -= response[i] * response[i];
  }
  return std::nullopt;
}

class Reverb : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "reverb";
      f.summary = "A room: the track plus an exponentially decaying tail of random noise, the loudness kept.";
      f.source =
          "Schroeder's model of late reverberation: Gaussian noise under an envelope that falls by 60 dB in rt60_s";
      f.parameters = {
          required_real("rt60_s", "s", 0.01, 10.0, "time in which the tail falls by 60 dB"),
          real_option("drr_db", "0", "dB", -40.0, 120.0, "energy of the direct sound over that of the tail")};
      f.ladder = {"rt60_s=0.3,drr_db=12", "rt60_s=0.6,drr_db=8", "rt60_s=1,drr_db=4", "rt60_s=1.7,drr_db=0",
                  "rt60_s=3,drr_db=-6"};
      f.ladder_reason = "log-mel change of 1.3, 3.1, 4.8, 6.3, 7.9 dB";
      f.identity = "rt60_s=0.2,drr_db=120";
      f.random = true;
      f.may_falsify = {"recording"};
      return f;
    }();
    return facts;
  }

  explicit Reverb(const Options& options) : rt60_s_(options.real("rt60_s")), drr_db_(options.real("drr_db")) {}
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& rng) const override {
    Perturbed result;
    result.waveform = input;
    if (input.samples.empty()) return result;
    std::vector<double> response = tail(rt60_s_ * input.sample_rate_hz, rng);
    const double tail_energy = energy(response);
    record(result.reached, "rt60_s", decay_time(response, input.sample_rate_hz));
    for (double& value : response) value *= from_db(-drr_db_) / std::sqrt(tail_energy);
    response.insert(response.begin(), 1.0);
    std::vector<double> wet = convolve(to_double(input.samples), response);
    wet.resize(input.samples.size());
    result.waveform.samples = with_energy(wet, energy(input.samples));
    result.reached["drr_db"] = drr_db_;
    return result;
  }

 private:
  double rt60_s_;
  double drr_db_;
};

}  // namespace

PerturbationEntry reverb_entry() {
  return entry_of<Reverb>();
}

}  // namespace tagbench
