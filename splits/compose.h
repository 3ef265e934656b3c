#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/core/rng.h"
#include "splits/dataset.h"
#include "splits/score.h"

// Seeded scores for the synthetic corpus: who plays what (plans), and the notes (compose). Integers throughout, so that
// equal seeds give equal scores on every machine.
namespace tagbench {

enum class TempoClass { kSlow, kMiddle, kFast };

// The 20 instruments of OpenMIC-2018's class map, in its order.
const std::vector<std::string>& synth_instruments();
// The instruments, then major, minor, fast, slow.
const std::vector<std::string>& synth_tags();

struct Preset {
  int bank = 0;
  int program = 0;
};

// What the pieces of one made-up artist have in common.
struct Style {
  std::string artist;
  std::vector<std::string> palette;       // pitched instruments
  std::map<std::string, Preset> presets;  // the sound of each instrument of the palette
  std::array<double, 3> tempo_bpm{};      // slow, middle, fast
  int kit = 0;
  bool three_four = false;
  int64_t swing_ticks = 0;                              // delay of every second eighth
  std::array<std::array<size_t, 2>, 2> progressions{};  // [major, minor][first and second half of a section]
  std::array<size_t, 2> melody_rhythms{};
  size_t drum_pattern = 0;
  double reverb_room = 0.0;
  double reverb_level = 0.0;
};

struct TrackPlan {
  std::string id;
  std::string artist;
  Part part = Part::kTrain;
  std::vector<std::string> instruments;  // pitched ones
  bool drums = false;
  bool cymbals = false;
  bool minor = false;
  TempoClass tempo = TempoClass::kMiddle;
  Style style;
};

// Who plays what in a corpus of `n_tracks` (3 or more). Artists have about four tracks each and belong to one part:
// about 60 % of them to train, 15 % to valid, 25 % to test. Instruments, tempo, mode and percussion are dealt out like
// cards within each part, so that from 120 tracks on every tag has positives and negatives in every part.
std::vector<TrackPlan> plan_corpus(int64_t n_tracks, uint64_t seed);

// 1 for each tag of synth_tags() that holds.
std::vector<uint8_t> plan_labels(const TrackPlan& plan);

// The notes of a planned track, `seconds` long. Every instrument of the plan plays in at least half of the two-bar
// phrases.
Score compose(const TrackPlan& plan, double seconds, uint64_t seed);

}  // namespace tagbench
