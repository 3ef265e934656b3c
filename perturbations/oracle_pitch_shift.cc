#include "perturbations/makers.h"

namespace tagbench {
namespace {

class OraclePitchShift : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "oracle_pitch_shift";
      f.summary = "Transposes the score and plays it anew: what pitch_shift imitates, without traces of processing.";
      f.source = "the synthetic corpus (tagbench list datasets synth), rendered by FluidSynth";
      // Within an octave no instrument of the corpus leaves the range of MIDI.
      f.parameters = {
          required_real("semitones", "semitones", -12.0, 12.0, "upwards if positive; percussion is not transposed")};
      f.ladder = {"semitones=0.25", "semitones=0.5", "semitones=1", "semitones=2", "semitones=4"};
      f.ladder_reason = "the steps of pitch_shift";
      f.identity = "semitones=0";
      f.from_score = true;
      f.may_falsify = {"key"};
      return f;
    }();
    return facts;
  }

  explicit OraclePitchShift(const Options& options) : semitones_(options.real("semitones")) {}
  const PerturbationFacts& facts() const override { return described(); }
  ScoreChange score_change() const override { return {semitones_, 1.0}; }
  Perturbed apply(const Waveform& input, Rng& /*rng*/) const override { return {input, {{"semitones", semitones_}}}; }

 private:
  double semitones_;
};

}  // namespace

PerturbationEntry oracle_pitch_shift_entry() {
  return entry_of<OraclePitchShift>();
}

}  // namespace tagbench
