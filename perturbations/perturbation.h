#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/core/options.h"
#include "harness/core/rng.h"
#include "harness/core/score_change.h"
#include "harness/core/waveform.h"

namespace tagbench {

enum class LengthChange {
  kKept,     // exactly as many samples out as in
  kByRatio,  // round(samples / rate), to the sample
};

// What a perturbation says about itself. A name is a promise: if samples change for equal parameters, `version` is
// raised.
struct PerturbationFacts {
  std::string name;
  int version = 1;
  std::string summary;  // one sentence
  std::string source;   // paper and section, or library
  std::vector<OptionSpec> parameters;
  std::vector<std::string> ladder;  // five severities, mild to strong, as parameter texts: "semitones=0.25"
  // What its steps are even in. A "log-mel change" is what tests/perturbations/ladder_changes_test.cc defines and
  // checks.
  std::string ladder_reason;
  std::vector<std::string> published;  // settings that papers use, as parameter texts
  std::string identity;  // parameter text that changes nothing (or next to nothing: says the test); "" if none
  bool random = false;
  LengthChange length = LengthChange::kKept;
  // The change is made in the score that the track was played from, so only tracks with a score can undergo it.
  bool from_score = false;
  // Kinds of tags whose labels may no longer hold: "tempo", "key", "loudness" (quiet, loud, dynamic) and "recording"
  // (lo-fi, noisy, distorted, reverberant, live).
  std::vector<std::string> may_falsify;
};

// The result, and what was really reached ("snr_db", "rate", "semitones"; results/README.md defines every name). A
// value that is undefined for this input (the SNR of silence) is left out of the map.
struct Perturbed {
  Waveform waveform;
  std::map<std::string, double> reached;
};

// Waveform to waveform. Implementations are immutable and safe to use from several threads at once.
class Perturbation {
 public:
  virtual ~Perturbation() = default;
  virtual const PerturbationFacts& facts() const = 0;
  // `input` is finite (the caller has checked) and may be empty, silent, or of any length and rate.
  // All randomness comes from `rng`.
  virtual Perturbed apply(const Waveform& input, Rng& rng) const = 0;
  // Of perturbations from the score: what is changed there. apply() then receives the track played anew, and says what
  // was reached.
  virtual ScoreChange score_change() const { return {}; }
  // For options that name files: the option's name and a text that stands for the files' content. It takes the place of
  // the option's text in a condition's key, so moved files are the same condition and edited ones are another.
  virtual std::map<std::string, std::string> content_of_options() const { return {}; }
};

struct PerturbationEntry {
  PerturbationFacts facts;
  // Errors: UsageError if the options do not hold together.
  std::unique_ptr<Perturbation> (*make)(const Options& options) = nullptr;
};

}  // namespace tagbench
