#include "splits/compose.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <tuple>

namespace tagbench {
namespace {

constexpr int64_t kSixteenth = kTicksPerQuarter / 4;

// What an instrument can do in an ensemble.
enum Role : unsigned {
  kBass = 1U,
  kPad = 2U,       // held chords
  kStrum = 4U,     // chords in rhythm
  kArpeggio = 8U,  // broken chords
  kMelody = 16U,
  kTremolo = 32U,  // a melody of fast repeated notes
};
constexpr unsigned kHarmonic = kPad | kStrum | kArpeggio;

struct InstrumentFacts {
  std::string tag;
  std::vector<Preset> presets;
  int lowest;
  int highest;
  unsigned roles;
};

// Programs of General MIDI; mandolin, ukulele and a few variants stand in the banks of the GS extension (16 and 8). A
// font without them falls back to the General MIDI program of the same number, a guitar, which then differs from
// `guitar` in register and manner of playing alone: high courses in tremolo, high strummed chords.
const std::vector<InstrumentFacts>& pitched_instruments() {
  static const std::vector<InstrumentFacts> facts = {
      {"accordion", {{0, 21}, {0, 23}, {8, 21}}, 53, 84, kPad | kStrum | kMelody},
      {"banjo", {{0, 105}}, 50, 79, kArpeggio | kMelody},
      {"bass", {{0, 32}, {0, 33}, {0, 34}, {0, 35}, {0, 36}, {0, 37}}, 28, 48, kBass},
      {"cello", {{0, 42}}, 36, 64, kMelody | kBass | kPad},
      {"clarinet", {{0, 71}}, 50, 84, kMelody},
      {"flute", {{0, 73}, {0, 73}, {0, 72}}, 62, 91, kMelody},
      {"guitar", {{0, 24}, {0, 25}, {0, 26}, {0, 27}, {0, 29}, {0, 30}, {8, 25}}, 40, 71, kStrum | kArpeggio | kMelody},
      {"mallet_percussion", {{0, 9}, {0, 11}, {0, 12}, {0, 13}}, 60, 91, kArpeggio | kMelody},
      {"mandolin", {{16, 25}}, 60, 88, kTremolo | kStrum},
      {"organ", {{0, 16}, {0, 17}, {0, 18}, {0, 19}}, 48, 79, kPad | kStrum | kMelody},
      {"piano", {{0, 0}, {0, 1}, {0, 3}}, 40, 88, kStrum | kArpeggio | kMelody},
      {"saxophone", {{0, 64}, {0, 65}, {0, 66}, {0, 67}}, 49, 80, kMelody},
      {"synthesizer", {{0, 80}, {0, 81}, {0, 88}, {0, 89}, {0, 90}, {0, 95}}, 48, 84, kPad | kArpeggio | kMelody},
      {"trombone", {{0, 57}}, 40, 67, kMelody},
      {"trumpet", {{0, 56}, {0, 56}, {0, 59}}, 55, 82, kMelody},
      {"ukulele", {{8, 24}}, 60, 81, kStrum | kArpeggio},
      {"violin", {{0, 40}, {8, 40}}, 57, 91, kMelody | kPad},
      {"voice", {{0, 52}, {0, 53}, {0, 54}}, 52, 79, kMelody | kPad},
  };
  return facts;
}

const InstrumentFacts& facts_of(const std::string& tag) {
  for (const InstrumentFacts& facts : pitched_instruments()) {
    if (facts.tag == tag) return facts;
  }
  throw std::logic_error("compose: no pitched instrument " + tag);
}

// A triad over a root in semitones above the tonic.
struct Chord {
  int root;
  std::array<int, 3> tones;
};
constexpr std::array<int, 3> kMajorTriad = {0, 4, 7};
constexpr std::array<int, 3> kMinorTriad = {0, 3, 7};
using Progression = std::array<Chord, 4>;

constexpr Chord kI{0, kMajorTriad}, kIi{2, kMinorTriad}, kIii{4, kMinorTriad}, kIv{5, kMajorTriad}, kV{7, kMajorTriad},
    kVi{9, kMinorTriad};
constexpr Chord kMinorI{0, kMinorTriad}, kMinorIv{5, kMinorTriad}, kMinorVi{8, kMajorTriad}, kMinorVii{10, kMajorTriad},
    kMinorIii{3, kMajorTriad};

constexpr std::array<Progression, 7> kMajorProgressions = {{
    {kI, kIv, kI, kV},
    {kI, kV, kVi, kIv},
    {kI, kVi, kIv, kV},
    {kI, kIv, kV, kI},
    {kIi, kV, kI, kI},
    {kI, kIii, kIv, kV},
    {kIv, kI, kV, kI},
}};
// The dominant is major, as in the harmonic minor scale: it tells the key from its relative major.
constexpr std::array<Progression, 7> kMinorProgressions = {{
    {kMinorI, kMinorIv, kMinorI, kV},
    {kMinorI, kMinorVi, kMinorIv, kV},
    {kMinorI, kMinorVii, kMinorVi, kV},
    {kMinorI, kMinorIv, kV, kMinorI},
    {kMinorIv, kV, kMinorI, kMinorI},
    {kMinorI, kMinorIii, kMinorIv, kV},
    {kMinorI, kMinorI, kMinorVi, kV},
}};

// Onset and length in sixteenths; bars of 16, cut at 12 for three-four time.
struct Beat {
  int onset;
  int length;
};
const std::vector<std::vector<Beat>>& melody_rhythms() {
  static const std::vector<std::vector<Beat>> rhythms = {
      {{0, 4}, {4, 4}, {8, 4}, {12, 4}},
      {{0, 2}, {2, 2}, {4, 4}, {8, 2}, {10, 2}, {12, 4}},
      {{0, 6}, {6, 2}, {8, 4}, {12, 4}},
      {{0, 8}, {8, 4}, {12, 4}},
      {{0, 3}, {3, 3}, {6, 2}, {8, 3}, {11, 3}, {14, 2}},
      {{2, 2}, {4, 2}, {6, 4}, {10, 2}, {12, 4}},
      {{0, 2}, {2, 2}, {4, 2}, {6, 2}, {8, 2}, {10, 2}, {12, 2}, {14, 2}},
      {{0, 4}, {4, 2}, {6, 2}, {8, 6}, {14, 2}},
  };
  return rhythms;
}
const std::vector<std::vector<Beat>>& strum_rhythms() {
  static const std::vector<std::vector<Beat>> rhythms = {
      {{0, 4}, {4, 4}, {8, 4}, {12, 4}},
      {{4, 3}, {12, 3}},
      {{0, 4}, {4, 2}, {6, 4}, {10, 2}, {12, 2}, {14, 2}},
      {{2, 2}, {6, 2}, {10, 2}, {14, 2}},
      {{0, 3}, {3, 3}, {6, 4}, {10, 3}, {13, 3}},
  };
  return rhythms;
}
const std::vector<std::vector<Beat>>& bass_rhythms() {
  static const std::vector<std::vector<Beat>> rhythms = {
      {{0, 8}, {8, 8}},
      {{0, 4}, {4, 4}, {8, 4}, {12, 4}},
      {{0, 3}, {3, 3}, {6, 2}, {8, 4}, {12, 4}},
      {{0, 2}, {2, 2}, {4, 2}, {6, 2}, {8, 2}, {10, 2}, {12, 2}, {14, 2}},
      {{0, 6}, {6, 2}, {8, 6}, {14, 2}},
  };
  return rhythms;
}

// Keys of the General MIDI drum map.
constexpr int kKick = 36, kSnare = 38, kSideStick = 37, kLowTom = 45, kMiddleTom = 47, kHighTom = 50, kHighConga = 63,
              kLowConga = 64;
constexpr int kClosedHat = 42, kOpenHat = 46, kCrash = 49, kRide = 51, kRideBell = 53;

struct DrumPattern {
  std::vector<int> kick;
  std::vector<int> back_beat;
  int back_beat_key;
  std::vector<int> congas;
  std::vector<int> cymbal;  // sixteenths on which the hi-hat or ride is struck
  int cymbal_key;
};
const std::vector<DrumPattern>& drum_patterns() {
  static const std::vector<DrumPattern> patterns = {
      {{0, 8}, {4, 12}, kSnare, {}, {0, 2, 4, 6, 8, 10, 12, 14}, kClosedHat},
      {{0, 4, 8, 12}, {4, 12}, kSnare, {}, {2, 6, 10, 14}, kOpenHat},
      {{0, 6, 10}, {4, 12}, kSnare, {2, 7, 14}, {0, 4, 6, 8, 12, 14}, kRide},
      {{0, 10}, {4, 12}, kSideStick, {3, 6, 11, 14}, {0, 4, 8, 12}, kRideBell},
      {{0, 3, 8, 11}, {4, 12, 15}, kSnare, {}, {0, 1, 2, 3, 4, 6, 8, 9, 10, 11, 12, 14}, kClosedHat},
      {{0}, {8}, kSnare, {4, 6, 12, 14}, {0, 4, 7, 8, 12, 15}, kRide},
  };
  return patterns;
}

// Deals the values out in random order and shuffles anew when all are dealt.
template <typename T>
class Deck {
 public:
  Deck(std::vector<T> cards, Rng& rng) : cards_(std::move(cards)), rng_(rng) {}

  // The next card that `usable` accepts; the others keep their places. One of the cards must be usable.
  template <typename Usable>
  T draw(Usable usable) {
    auto found = std::find_if(left_.begin(), left_.end(), usable);
    if (found == left_.end()) {
      std::vector<T> fresh = cards_;
      rng_.shuffle(fresh);
      left_.insert(left_.end(), fresh.begin(), fresh.end());
      found = std::find_if(left_.begin(), left_.end(), usable);
    }
    T card = *found;
    left_.erase(found);
    return card;
  }
  T draw() {
    return draw([](const T&) { return true; });
  }

 private:
  std::vector<T> cards_;
  std::vector<T> left_;
  Rng& rng_;
};

template <typename T>
const T& pick(const std::vector<T>& values, Rng& rng) {
  return values[static_cast<size_t>(rng.below(static_cast<int64_t>(values.size())))];
}

size_t pick_index(size_t count, Rng& rng) {
  return static_cast<size_t>(rng.below(static_cast<int64_t>(count)));
}

constexpr size_t kPaletteSize = 7;

Style draw_style(const std::string& artist, Deck<std::string>& instruments, Rng& rng) {
  Style style;
  style.artist = artist;
  while (style.palette.size() < kPaletteSize) {
    style.palette.push_back(instruments.draw([&](const std::string& name) {
      return std::find(style.palette.begin(), style.palette.end(), name) == style.palette.end();
    }));
  }
  for (const std::string& name : style.palette) style.presets[name] = pick(facts_of(name).presets, rng);
  // Gaps of 14 and 20 beats per minute between the classes, after the few per cent by which a track departs from its
  // artist's habit.
  style.tempo_bpm = {rng.uniform(58.0, 76.0), rng.uniform(94.0, 110.0), rng.uniform(136.0, 168.0)};
  style.kit = pick(std::vector<int>{0, 8, 16, 24, 25, 32}, rng);
  style.three_four = rng.uniform() < 0.2;
  style.swing_ticks = rng.uniform() < 0.3 ? 60 : 0;
  for (auto& halves : style.progressions) {
    for (size_t& progression : halves) progression = pick_index(kMajorProgressions.size(), rng);
  }
  for (size_t& rhythm : style.melody_rhythms) rhythm = pick_index(melody_rhythms().size(), rng);
  style.drum_pattern = pick_index(drum_patterns().size(), rng);
  style.reverb_room = rng.uniform(0.1, 0.8);
  style.reverb_level = rng.uniform(0.05, 0.6);
  return style;
}

std::string numbered(const std::string& name, int64_t number, size_t digits) {
  std::string text = std::to_string(number);
  if (text.size() < digits) text.insert(0, digits - text.size(), '0');
  return name + text;
}

}  // namespace

const std::vector<std::string>& synth_instruments() {
  static const std::vector<std::string> names = {"accordion", "banjo",   "bass",    "cello",     "clarinet",
                                                 "cymbals",   "drums",   "flute",   "guitar",    "mallet_percussion",
                                                 "mandolin",  "organ",   "piano",   "saxophone", "synthesizer",
                                                 "trombone",  "trumpet", "ukulele", "violin",    "voice"};
  return names;
}

const std::vector<std::string>& synth_tags() {
  static const std::vector<std::string> tags = [] {
    std::vector<std::string> all = synth_instruments();
    for (const char* tag : {"major", "minor", "fast", "slow"}) all.emplace_back(tag);
    return all;
  }();
  return tags;
}

std::vector<TrackPlan> plan_corpus(int64_t n_tracks, uint64_t seed) {
  if (n_tracks < 3) throw std::logic_error("plan_corpus: at least 3 tracks");
  const int64_t n_artists = std::max<int64_t>(3, (n_tracks + 3) / 4);
  const int64_t n_valid = std::max<int64_t>(1, std::llround(0.15 * static_cast<double>(n_artists)));
  const int64_t n_test = std::max<int64_t>(1, std::llround(0.25 * static_cast<double>(n_artists)));
  const auto part_of = [&](int64_t artist) {
    if (artist < n_artists - n_valid - n_test) return Part::kTrain;
    return artist < n_artists - n_test ? Part::kValid : Part::kTest;
  };
  std::vector<std::string> pitched;
  for (const InstrumentFacts& facts : pitched_instruments()) pitched.push_back(facts.tag);

  std::vector<TrackPlan> plans;
  int64_t artist = 0;
  for (const Part part : {Part::kTrain, Part::kValid, Part::kTest}) {
    Rng rng(seed, {"synth", "plan", part_name(part)});
    Deck<std::string> instruments(pitched, rng);
    Deck<std::pair<bool, bool>> percussion(
        {{true, true}, {true, true}, {true, false}, {false, true}, {false, false}, {false, false}}, rng);
    Deck<TempoClass> tempos({TempoClass::kSlow, TempoClass::kMiddle, TempoClass::kFast}, rng);
    Deck<std::string> modes({"major", "minor"}, rng);
    for (; artist < n_artists && part_of(artist) == part; ++artist) {
      const Style style = draw_style(numbered("artist_", artist + 1, 3), instruments, rng);
      // Four tracks use 13 places for the seven instruments of the palette, each at least once.
      Deck<size_t> sizes({2, 3, 4, 4}, rng);
      Deck<std::string> members(style.palette, rng);
      const int64_t n_own = n_tracks / n_artists + (artist < n_tracks % n_artists ? 1 : 0);
      for (int64_t i = 0; i < n_own; ++i) {
        TrackPlan plan;
        plan.id = numbered("synth_", static_cast<int64_t>(plans.size()) + 1, 5);
        plan.artist = style.artist;
        plan.part = part;
        plan.style = style;
        for (size_t left = sizes.draw(); left > 0; --left) {
          plan.instruments.push_back(members.draw([&](const std::string& name) {
            return std::find(plan.instruments.begin(), plan.instruments.end(), name) == plan.instruments.end();
          }));
        }
        std::tie(plan.drums, plan.cymbals) = percussion.draw();
        plan.tempo = tempos.draw();
        plan.minor = modes.draw() == "minor";
        plans.push_back(std::move(plan));
      }
    }
  }
  return plans;
}

std::vector<uint8_t> plan_labels(const TrackPlan& plan) {
  std::vector<uint8_t> labels;
  for (const std::string& tag : synth_tags()) {
    const bool plays = std::find(plan.instruments.begin(), plan.instruments.end(), tag) != plan.instruments.end();
    const bool holds = plays || (tag == "drums" && plan.drums) || (tag == "cymbals" && plan.cymbals) ||
                       (tag == "minor" && plan.minor) || (tag == "major" && !plan.minor) ||
                       (tag == "fast" && plan.tempo == TempoClass::kFast) ||
                       (tag == "slow" && plan.tempo == TempoClass::kSlow);
    labels.push_back(holds ? 1 : 0);
  }
  return labels;
}

namespace {

class Composer {
 public:
  Composer(const TrackPlan& plan, double seconds, uint64_t seed)
      : plan_(plan), rng_(seed, {"synth", "compose", plan.id}) {
    const double habit_bpm = plan.style.tempo_bpm[static_cast<size_t>(plan.tempo)];
    score_.us_per_quarter = std::llround(6e7 / (habit_bpm * rng_.uniform(0.97, 1.03)));
    score_.duration_s = seconds;
    score_.beats_per_bar = plan.style.three_four ? 3 : 4;
    score_.tonic = static_cast<int>(rng_.below(12));
    score_.minor = plan.minor;
    score_.reverb_room = plan.style.reverb_room;
    score_.reverb_level = plan.style.reverb_level;
    end_ticks_ =
        static_cast<int64_t>(std::floor(seconds * 1e6 * kTicksPerQuarter / static_cast<double>(score_.us_per_quarter)));
    steps_per_bar_ = 4 * score_.beats_per_bar;
    n_bars_ = end_ticks_ / (steps_per_bar_ * kSixteenth) + 1;
  }

  Score compose() {
    const std::vector<Role> roles = assign_roles();
    for (size_t i = 0; i < plan_.instruments.size(); ++i)
      score_.parts.push_back(pitched_part(plan_.instruments[i], roles[i]));
    const int kit_volume = static_cast<int>(70 + rng_.below(46));
    if (plan_.drums) score_.parts.push_back(drum_part(kit_volume));
    if (plan_.cymbals) score_.parts.push_back(cymbal_part(kit_volume));
    for (ScorePart& part : score_.parts) tidy(part);
    return std::move(score_);
  }

 private:
  // One bass at most; at least one part that states the harmony, if any instrument can.
  std::vector<Role> assign_roles() {
    std::vector<Role> roles(plan_.instruments.size(), kMelody);
    bool has_bass = false;
    bool has_harmony = false;
    for (const int64_t i : rng_.permutation(static_cast<int64_t>(roles.size()))) {
      const unsigned able = facts_of(plan_.instruments[static_cast<size_t>(i)]).roles;
      std::vector<Role> choices;
      for (const Role role : {kBass, kPad, kStrum, kArpeggio, kMelody, kTremolo}) {
        if ((able & role) == 0U || (role == kBass && has_bass && able != kBass)) continue;
        if (!has_harmony && (able & kHarmonic) != 0U && (role & kHarmonic) == 0U) continue;
        choices.push_back(role);
      }
      const Role role = pick(choices, rng_);
      roles[static_cast<size_t>(i)] = role;
      has_bass = has_bass || role == kBass;
      has_harmony = has_harmony || (role & kHarmonic) != 0U;
    }
    return roles;
  }

  const Chord& chord_at(int64_t bar) const {
    const size_t half = static_cast<size_t>(bar / 4 % 2);
    const size_t number = plan_.style.progressions[plan_.minor ? 1 : 0][half];
    const Progression& progression = plan_.minor ? kMinorProgressions[number] : kMajorProgressions[number];
    return progression[static_cast<size_t>(bar % 4)];
  }

  bool is_chord_tone(int pitch, const Chord& chord) const {
    const int above = (pitch - score_.tonic - chord.root + 240) % 12;
    return std::find(chord.tones.begin(), chord.tones.end(), above) != chord.tones.end();
  }

  bool is_scale_tone(int pitch, const Chord& chord) const {
    static constexpr std::array<bool, 12> kMajorScale = {true,  false, true,  false, true,  true,
                                                         false, true,  false, true,  false, true};
    static constexpr std::array<bool, 12> kMinorScale = {true,  false, true, true,  false, true,
                                                         false, true,  true, false, true,  false};
    const int above = (pitch - score_.tonic + 120) % 12;
    // The chord decides where it leaves the scale: the leading tone over the dominant of a minor key.
    if (plan_.minor && is_chord_tone(score_.tonic + 131, chord)) {
      if (above == 11) return true;
      if (above == 10) return false;
    }
    return (plan_.minor ? kMinorScale : kMajorScale)[static_cast<size_t>(above)];
  }

  // The nearest pitch to `wanted` within the range that `accept` takes; the lower one of two.
  template <typename Accept>
  static int nearest_pitch(int wanted, int lowest, int highest, Accept accept) {
    for (int distance = 0; distance <= 127; ++distance) {
      if (wanted - distance >= lowest && wanted - distance <= highest && accept(wanted - distance))
        return wanted - distance;
      if (wanted + distance >= lowest && wanted + distance <= highest && accept(wanted + distance))
        return wanted + distance;
    }
    throw std::logic_error("compose: no pitch in range");
  }

  // Three or four chord tones upwards from near `lowest_wanted`.
  std::vector<int> voicing(const Chord& chord, const InstrumentFacts& facts, int lowest_wanted) const {
    std::vector<int> pitches;
    for (int pitch = std::max(facts.lowest, lowest_wanted); pitch <= facts.highest && pitches.size() < 4; ++pitch) {
      if (is_chord_tone(pitch, chord)) pitches.push_back(pitch);
    }
    return pitches;
  }

  // Which two-bar phrases a part plays in: at least half of them, the first or second always.
  std::vector<bool> active_phrases() {
    const auto n_phrases = static_cast<size_t>((n_bars_ + 1) / 2);
    std::vector<bool> active(n_phrases);
    for (size_t i = 0; i < n_phrases; ++i) active[i] = rng_.uniform() < 0.8 || (i > 0 && !active[i - 1]);
    // A part that rests in the first phrase of a very short piece would be absent from it.
    if (n_phrases < 4) active[0] = true;
    return active;
  }

  void add_note(ScorePart& part, int64_t bar, int step, int length, int pitch, int velocity) {
    if (step >= steps_per_bar_) return;
    int64_t onset = (bar * steps_per_bar_ + step) * kSixteenth;
    if (step % 4 == 2) onset += plan_.style.swing_ticks;
    onset += rng_.below(13);  // up to a fortieth of a beat late
    const int64_t duration =
        std::max<int64_t>(kSixteenth / 2, std::min(length, steps_per_bar_ - step) * kSixteenth - 20);
    const auto played = static_cast<int>(velocity - 6 + rng_.below(13));
    part.notes.push_back({onset, duration, pitch, std::clamp(played, 1, 127)});
  }

  ScorePart pitched_part(const std::string& instrument, Role role) {
    const InstrumentFacts& facts = facts_of(instrument);
    ScorePart part;
    part.instrument = instrument;
    part.bank = plan_.style.presets.at(instrument).bank;
    part.program = plan_.style.presets.at(instrument).program;
    part.volume = static_cast<int>(64 + rng_.below(56));
    part.pan = static_cast<int>(34 + rng_.below(61));
    part.reverb_send = static_cast<int>(20 + rng_.below(60));
    const std::vector<bool> active = active_phrases();
    switch (role) {
      case kBass:
        write_bass(part, facts, active);
        break;
      case kPad:
        write_chords(part, facts, active, {{{0, 16}}});
        break;
      case kStrum:
        write_chords(part, facts, active, {pick(strum_rhythms(), rng_)});
        break;
      case kArpeggio:
        write_arpeggio(part, facts, active);
        break;
      case kMelody:
        write_melody(part, facts, active, false);
        break;
      case kTremolo:
        write_melody(part, facts, active, true);
        break;
    }
    return part;
  }

  void write_bass(ScorePart& part, const InstrumentFacts& facts, const std::vector<bool>& active) {
    const std::vector<Beat>& rhythm = pick(bass_rhythms(), rng_);
    for (int64_t bar = 0; bar < n_bars_; ++bar) {
      if (!active[static_cast<size_t>(bar / 2)]) continue;
      const Chord& chord = chord_at(bar);
      const int root = facts.lowest + (score_.tonic + chord.root - facts.lowest % 12 + 24) % 12;
      for (const Beat& beat : rhythm) {
        const bool fifth = beat.onset > 0 && rng_.uniform() < 0.25 && root + 7 <= facts.highest;
        add_note(part, bar, beat.onset, beat.length, fifth ? root + 7 : root, beat.onset == 0 ? 96 : 84);
      }
    }
  }

  void write_chords(ScorePart& part, const InstrumentFacts& facts, const std::vector<bool>& active,
                    const std::vector<std::vector<Beat>>& rhythms) {
    const int lowest = facts.lowest + static_cast<int>(rng_.below(7));
    for (int64_t bar = 0; bar < n_bars_; ++bar) {
      if (!active[static_cast<size_t>(bar / 2)]) continue;
      const std::vector<int> pitches = voicing(chord_at(bar), facts, lowest);
      for (const Beat& beat : rhythms.front()) {
        for (const int pitch : pitches) add_note(part, bar, beat.onset, beat.length, pitch, beat.onset == 0 ? 82 : 74);
      }
    }
  }

  void write_arpeggio(ScorePart& part, const InstrumentFacts& facts, const std::vector<bool>& active) {
    const int lowest = facts.lowest + static_cast<int>(rng_.below(10));
    // Sixteenths at a fast tempo would be a blur.
    const int step = plan_.tempo == TempoClass::kFast || rng_.uniform() < 0.5 ? 2 : 1;
    const std::vector<int> order =
        pick(std::vector<std::vector<int>>{{0, 1, 2, 3, 2, 1}, {0, 1, 2, 3}, {0, 2, 1, 2}, {3, 2, 1, 0}}, rng_);
    for (int64_t bar = 0; bar < n_bars_; ++bar) {
      if (!active[static_cast<size_t>(bar / 2)]) continue;
      const std::vector<int> pitches = voicing(chord_at(bar), facts, lowest);
      size_t turn = 0;
      for (int at = 0; at < steps_per_bar_; at += step) {
        const size_t tone = static_cast<size_t>(order[turn++ % order.size()]) % pitches.size();
        add_note(part, bar, at, step + 1, pitches[tone], at % 4 == 0 ? 86 : 76);
      }
    }
  }

  void write_melody(ScorePart& part, const InstrumentFacts& facts, const std::vector<bool>& active, bool tremolo) {
    const int centre = (facts.lowest + facts.highest) / 2;
    const int lowest = std::max(facts.lowest, centre - 10);
    const int highest = std::min(facts.highest, centre + 12);
    int pitch = centre - 4 + static_cast<int>(rng_.below(9));
    for (int64_t bar = 0; bar < n_bars_; ++bar) {
      if (!active[static_cast<size_t>(bar / 2)]) continue;
      const Chord& chord = chord_at(bar);
      const std::vector<Beat>& rhythm = melody_rhythms()[plan_.style.melody_rhythms[static_cast<size_t>(bar % 2)]];
      for (const Beat& beat : rhythm) {
        // Now and then a breath.
        if (beat.onset > 0 && rng_.uniform() < 0.12) continue;
        const int wanted = pitch - 4 + static_cast<int>(rng_.below(9));
        const bool strong = beat.onset % 8 == 0;
        pitch = nearest_pitch(wanted, lowest, highest,
                              [&](int p) { return strong ? is_chord_tone(p, chord) : is_scale_tone(p, chord); });
        if (!tremolo) {
          add_note(part, bar, beat.onset, beat.length, pitch, strong ? 96 : 86);
          continue;
        }
        for (int i = 0; i < beat.length; ++i) add_note(part, bar, beat.onset + i, 1, pitch, i == 0 ? 96 : 80);
      }
    }
  }

  ScorePart percussion_part(const std::string& instrument, int volume) const {
    ScorePart part;
    part.instrument = instrument;
    part.percussion = true;
    part.program = plan_.style.kit;
    part.volume = volume;
    part.reverb_send = 30;
    return part;
  }

  // Skins alone; cymbals are a tag of their own.
  ScorePart drum_part(int volume) {
    ScorePart part = percussion_part("drums", volume);
    const DrumPattern& pattern = drum_patterns()[plan_.style.drum_pattern];
    const std::vector<bool> active = active_phrases();
    for (int64_t bar = 0; bar < n_bars_; ++bar) {
      if (!active[static_cast<size_t>(bar / 2)]) continue;
      for (const int step : pattern.kick) add_note(part, bar, step, 1, kKick, 104);
      for (const int step : pattern.back_beat) add_note(part, bar, step, 1, pattern.back_beat_key, 96);
      for (const int step : pattern.congas)
        add_note(part, bar, step, 1, rng_.uniform() < 0.5 ? kHighConga : kLowConga, 86);
      // A fill on the toms before every fourth bar.
      if (bar % 4 == 3) {
        int step = steps_per_bar_ - 4;
        for (const int key : {kHighTom, kHighTom, kMiddleTom, kLowTom}) add_note(part, bar, step++, 1, key, 92);
      }
    }
    return part;
  }

  ScorePart cymbal_part(int volume) {
    ScorePart part = percussion_part("cymbals", volume);
    const DrumPattern& pattern = drum_patterns()[plan_.style.drum_pattern];
    const std::vector<bool> active = active_phrases();
    for (int64_t bar = 0; bar < n_bars_; ++bar) {
      if (!active[static_cast<size_t>(bar / 2)]) continue;
      for (const int step : pattern.cymbal) add_note(part, bar, step, 1, pattern.cymbal_key, step % 4 == 0 ? 88 : 74);
      if (bar % 4 == 0) add_note(part, bar, 0, 8, kCrash, 96);
    }
    return part;
  }

  // In order of time, within the piece, and no key struck while it is down: a synthesizer would end the second note
  // with the first.
  void tidy(ScorePart& part) const {
    std::vector<Note>& notes = part.notes;
    std::stable_sort(notes.begin(), notes.end(), [](const Note& a, const Note& b) {
      return a.onset_ticks != b.onset_ticks ? a.onset_ticks < b.onset_ticks : a.pitch < b.pitch;
    });
    std::vector<Note> kept;
    std::array<int64_t, 128> last;
    last.fill(-1);
    for (const Note& note : notes) {
      if (note.onset_ticks >= end_ticks_) break;
      int64_t& previous = last[static_cast<size_t>(note.pitch)];
      if (previous >= 0) {
        Note& earlier = kept[static_cast<size_t>(previous)];
        if (note.onset_ticks <= earlier.onset_ticks) continue;
        earlier.duration_ticks = std::min(earlier.duration_ticks, note.onset_ticks - earlier.onset_ticks);
      }
      previous = static_cast<int64_t>(kept.size());
      kept.push_back(note);
    }
    notes = std::move(kept);
  }

  const TrackPlan& plan_;
  Rng rng_;
  Score score_;
  int64_t end_ticks_ = 0;
  int64_t n_bars_ = 0;
  int steps_per_bar_ = 16;
};

}  // namespace

Score compose(const TrackPlan& plan, double seconds, uint64_t seed) {
  return Composer(plan, seconds, seed).compose();
}

}  // namespace tagbench
