#include "perturbations/makers.h"
#include "perturbations/noise.h"
#include "perturbations/recordings.h"

namespace tagbench {
namespace {

constexpr double kLongestNoiseS = 600.0;

// `n` samples of the recording from `begin` on, from its start again whenever it ends.
std::vector<double> looped(const Waveform& recording, int64_t begin, int64_t n) {
  std::vector<double> noise(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    noise[static_cast<size_t>(i)] =
        static_cast<double>(recording.samples[static_cast<size_t>((begin + i) % recording.size())]);
  }
  return noise;
}

class NoiseRecording : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "noise_recording";
      f.summary =
          "Adds a recording of yours of at most 600 s, chosen per track and begun at a random place, at a "
          "signal-to-noise "
          "ratio.";
      f.source = "definition: ratio of energies over the whole track; a recording that is too short is repeated";
      f.parameters = {recordings_option(),
                      required_real("snr_db", "dB", -60.0, 120.0, "energy of the track over that of the noise")};
      f.ladder = {"snr_db=20", "snr_db=13", "snr_db=8", "snr_db=4", "snr_db=0"};
      f.ladder_reason =
          "the steps of white_noise; how far the sound moves depends on your recordings, so there is no log-mel change "
          "to quote";
      f.identity = "snr_db=120";
      f.random = true;
      f.may_falsify = {"recording"};
      return f;
    }();
    return facts;
  }

  explicit NoiseRecording(const Options& options)
      : recordings_(described().name, options.text("path"), kLongestNoiseS), snr_db_(options.real("snr_db")) {}
  const PerturbationFacts& facts() const override { return described(); }
  std::map<std::string, std::string> content_of_options() const override { return {{"path", recordings_.content()}}; }
  Perturbed apply(const Waveform& input, Rng& rng) const override {
    if (input.samples.empty()) return {input, {}};
    const auto [index, recording] = recordings_.pick(rng, input.sample_rate_hz);
    const int64_t begin = rng.below(recording->size());
    Perturbed result = mix_at_snr(input, looped(*recording, begin, input.size()), snr_db_);
    result.reached["recording_index"] = static_cast<double>(index);
    return result;
  }

 private:
  Recordings recordings_;
  double snr_db_;
};

}  // namespace

PerturbationEntry noise_recording_entry() {
  return entry_of<NoiseRecording>();
}

}  // namespace tagbench
