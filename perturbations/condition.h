#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "perturbations/perturbation.h"

namespace tagbench {

// A test condition: "clean", one perturbation with parameters, or a chain of several applied in order.
//   clean
//   pitch_shift:semitones=1,engine=rubberband_r3
//   pitch_shift@3:engine=phase_vocoder         the third step of its ladder; further options may adjust it
//   chain:[mp3:kbps=64, white_noise:snr_db=20]
class Condition {
 public:
  // Errors: UsageError for anything unknown, misspelt or out of range (names the nearest).
  static Condition parse(const std::string& text);

  // As the user wrote it, blanks removed: the name in tables.
  const std::string& label() const { return label_; }
  // One spelling for equal settings, with every parameter and version: goes into cell keys and keys the randomness.
  const std::string& key() const { return key_; }
  bool is_clean() const { return links_.empty(); }
  bool random() const;
  // The union over the chain.
  std::vector<std::string> may_falsify() const;

  // Randomness is keyed by (seed, key(), track_id), so it depends on nothing else. For a chain the values reached carry
  // the link's name: "mp3.kbps".
  Perturbed apply(const Waveform& input, uint64_t seed, const std::string& track_id) const;

 private:
  struct Link {
    std::string key;
    std::string name;
    std::shared_ptr<const Perturbation> perturbation;
  };
  std::string label_;
  std::string key_;
  std::vector<Link> links_;
};

struct PerturbationSet {
  std::string name;
  std::string summary;
  std::vector<std::string> conditions;  // texts for Condition::parse, without "clean"
};

// The named sets: won2020, won2020_script, all_severities (every perturbation that needs no file, five steps each).
const std::vector<PerturbationSet>& perturbation_sets();

// The conditions that a user's words stand for: each is a set's name, "none", "clean", or a condition in which values
// may be listed with '|' ("pitch_shift:semitones=-1|1" stands for two). "clean" always comes first; repeats are
// dropped.
std::vector<Condition> parse_conditions(const std::vector<std::string>& texts);

}  // namespace tagbench
