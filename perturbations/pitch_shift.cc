#include "perturbations/engines.h"
#include "perturbations/makers.h"

namespace tagbench {
namespace {

class PitchShift : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "pitch_shift";
      f.summary = "Moves all frequencies by a number of semitones and keeps the duration.";
      f.source = "Won et al. (2020), section 2.2; Rubber Band 3; phase vocoder: librosa 0.7.2";
      f.parameters = {required_real("semitones", "semitones", -24.0, 24.0, "upwards if positive"), engine_option()};
      f.ladder = {"semitones=0.25", "semitones=0.5", "semitones=1", "semitones=2", "semitones=4"};
      f.ladder_reason =
          "each step doubles the interval; log-mel change of 2.3, 3.8, 6.0, 7.8, 7.1 dB, where the last lands on notes "
          "that the clip has";
      f.published = {"semitones=-1", "semitones=1"};
      f.identity = "semitones=0";
      f.may_falsify = {"key"};
      return f;
    }();
    return facts;
  }

  explicit PitchShift(const Options& options)
      : semitones_(options.real("semitones")), engine_(engine_from(options.text("engine"))) {}
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& /*rng*/) const override {
    return shift_pitch(input, semitones_, engine_);
  }

 private:
  double semitones_;
  StretchEngine engine_;
};

}  // namespace

PerturbationEntry pitch_shift_entry() {
  return entry_of<PitchShift>();
}

}  // namespace tagbench
