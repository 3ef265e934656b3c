#include <algorithm>
#include <cmath>

#include "perturbations/fft.h"
#include "perturbations/makers.h"
#include "perturbations/measure.h"
#include "perturbations/recordings.h"

namespace tagbench {
namespace {

// Longer than any room rings; the convolution of a long track with several minutes would take gigabytes per thread.
constexpr double kLongestResponseS = 30.0;

class ImpulseResponse : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "impulse_response";
      f.summary =
          "A room or a device of yours: convolution with an impulse response of at most 30 s, chosen per track, the "
          "loudness kept.";
      f.source =
          "definition: (1 - wet) x + wet (x * h), h without what precedes its largest sample, both parts equally loud";
      f.parameters = {recordings_option(), required_real("wet", "", 0.0, 1.0, "weight of the convolved track")};
      f.ladder = {"wet=0.2", "wet=0.4", "wet=0.6", "wet=0.8", "wet=1"};
      f.ladder_reason =
          "equal steps of the weight; how far the sound moves depends on your responses, so there is no log-mel change "
          "to quote";
      f.identity = "wet=0";
      f.random = true;
      f.may_falsify = {"recording"};
      return f;
    }();
    return facts;
  }

  explicit ImpulseResponse(const Options& options)
      : recordings_(described().name, options.text("path"), kLongestResponseS), wet_(options.real("wet")) {}
  const PerturbationFacts& facts() const override { return described(); }
  std::map<std::string, std::string> content_of_options() const override { return {{"path", recordings_.content()}}; }
  Perturbed apply(const Waveform& input, Rng& rng) const override {
    Perturbed result;
    result.waveform = input;
    result.reached["wet"] = wet_;
    if (input.samples.empty() || wet_ == 0.0) return result;
    const auto [index, response] = recordings_.pick(rng, input.sample_rate_hz);
    const auto louder = [](float a, float b) { return std::fabs(a) < std::fabs(b); };
    const auto direct = std::max_element(response->samples.begin(), response->samples.end(), louder);
    std::vector<double> convolved =
        convolve(to_double(input.samples), std::vector<double>(direct, response->samples.end()));
    convolved.resize(input.samples.size());
    const std::vector<float> wet = with_energy(convolved, energy(input.samples));
    std::vector<double> mixed(wet.size());
    for (size_t i = 0; i < mixed.size(); ++i) {
      mixed[i] = (1.0 - wet_) * static_cast<double>(input.samples[i]) + wet_ * static_cast<double>(wet[i]);
    }
    result.waveform.samples = with_energy(mixed, energy(input.samples));
    result.reached["recording_index"] = static_cast<double>(index);
    return result;
  }

 private:
  Recordings recordings_;
  double wet_;
};

}  // namespace

PerturbationEntry impulse_response_entry() {
  return entry_of<ImpulseResponse>();
}

}  // namespace tagbench
