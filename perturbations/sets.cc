#include <algorithm>

#include "perturbations/condition.h"
#include "perturbations/registry.h"

namespace tagbench {
namespace {

// Text options that must be given name files of the user's.
bool needs_file(const PerturbationFacts& facts) {
  return std::any_of(facts.parameters.begin(), facts.parameters.end(), [](const OptionSpec& option) {
    return option.required && option.kind == OptionKind::kText && option.choices.empty();
  });
}

std::vector<std::string> every_severity() {
  std::vector<std::string> conditions;
  for (const PerturbationEntry& entry : perturbations()) {
    if (needs_file(entry.facts) || entry.facts.from_score) continue;
    for (size_t step = 1; step <= entry.facts.ladder.size(); ++step) {
      conditions.push_back(entry.facts.name + "@" + std::to_string(step));
    }
  }
  return conditions;
}

std::vector<std::string> oracle_and_engines() {
  std::vector<std::string> conditions;
  for (const std::string change :
       {"pitch_shift:semitones=-1", "pitch_shift:semitones=1", "time_stretch:rate=2^-0.5", "time_stretch:rate=2^0.5"}) {
    conditions.push_back("oracle_" + change);
    for (const char* engine : {"rubberband_r2", "rubberband_r3", "phase_vocoder"})
      conditions.push_back(change + ",engine=" + engine);
  }
  return conditions;
}

}  // namespace

const std::vector<PerturbationSet>& perturbation_sets() {
  static const std::vector<PerturbationSet> sets = {
      {"won2020",
       "The deformations of Won et al. (2020), pitch and time by Rubber Band, as the paper says.",
       {"pitch_shift:semitones=-1", "pitch_shift:semitones=1", "time_stretch:rate=2^-0.5", "time_stretch:rate=2^0.5",
        "drc:preset=music_standard", "drc:preset=speech", "white_noise:alpha=0.1", "white_noise:alpha=0.4"}},
      {"won2020_script",
       "The same, pitch and time by a phase vocoder, as the released script does, which made the paper's Figure 2.",
       {"pitch_shift:semitones=-1,engine=phase_vocoder", "pitch_shift:semitones=1,engine=phase_vocoder",
        "time_stretch:rate=2^-0.5,engine=phase_vocoder", "time_stretch:rate=2^0.5,engine=phase_vocoder",
        "drc:preset=music_standard", "drc:preset=speech", "white_noise:alpha=0.1", "white_noise:alpha=0.4"}},
      {"oracle",
       "Pitch and tempo as in won2020, changed in the score (data set synth only) and beside that by each engine.",
       oracle_and_engines()},
      {"all_severities", "Every perturbation that needs no file or score, at each of its five severities.",
       every_severity()},
  };
  return sets;
}

const PerturbationSet* find_perturbation_set(const std::string& name) {
  for (const PerturbationSet& set : perturbation_sets()) {
    if (set.name == name) return &set;
  }
  return nullptr;
}

}  // namespace tagbench
