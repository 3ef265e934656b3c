#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "perturbations/perturbation.h"

namespace tagbench {

class ConfigNode;

// A test condition: "clean", one perturbation with parameters, or a chain of several applied in order.
//   clean
//   pitch_shift:semitones=1,engine=rubberband_r3
//   pitch_shift@3:engine=phase_vocoder         the third step of its ladder; further options may adjust it
//   chain:[mp3:kbps=64, white_noise:snr_db=20]
//   chain:[oracle_time_stretch:rate=1.1, mp3:kbps=64]     what changes the score stands before what processes the sound
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
  // True if tracks are played anew from a changed score; apply() then needs `play`.
  bool needs_score() const { return n_from_score_ > 0; }
  // The union over the chain.
  std::vector<std::string> may_falsify() const;

  // Randomness is keyed by (seed, key(), track_id), so it depends on nothing else. For a chain the values reached carry
  // the link's name: "mp3.kbps". `play` gives the track played from its score with a change, at input's rate.
  // Errors: UsageError if the score is needed and `play` is empty.
  using Play = std::function<Waveform(const ScoreChange&)>;
  Perturbed apply(const Waveform& input, uint64_t seed, const std::string& track_id, const Play& play = {}) const;

 private:
  struct Link {
    std::string key;
    std::string name;
    std::shared_ptr<const Perturbation> perturbation;
  };
  std::string label_;
  std::string key_;
  std::vector<Link> links_;
  size_t n_from_score_ = 0;  // of the links, the first ones
};

// What a user wrote for one or several conditions, and where: "mine.yaml:3", or "" on the command line.
struct ConditionText {
  std::string text;
  std::string where;
};

struct PerturbationSet {
  std::string name;
  std::string summary;
  std::vector<std::string> conditions;  // texts for Condition::parse, without "clean"
};

// The named sets: won2020, won2020_script, oracle, all_severities (every perturbation that needs no file or score, five
// steps each).
const std::vector<PerturbationSet>& perturbation_sets();
// Null if no set has this name.
const PerturbationSet* find_perturbation_set(const std::string& name);

// The words in YAML: one, or a list, in which a chain may also be written {chain: [first, second]}. Nothing if the node
// is not defined. Errors: UsageError that names file and line.
std::vector<ConditionText> condition_texts(const ConfigNode& node);

// The conditions that a user's words stand for: each is a set's name, a YAML file with a list of words, "none",
// "clean", a perturbation's whole ladder ("ladder:drc"; options for all its steps may follow, as in
// "ladder:pitch_shift:engine=rubberband_r3"), or a condition in which values may be listed with '|'
// ("pitch_shift:semitones=-1|1" stands for two). "clean" always comes first; repeats are dropped. Errors: as
// Condition::parse and ConfigNode::load; file and line stand in front where they are known.
std::vector<Condition> parse_conditions(const std::vector<ConditionText>& texts);
std::vector<Condition> parse_conditions(const std::vector<std::string>& texts);

}  // namespace tagbench
