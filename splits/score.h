#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tagbench {

constexpr int kTicksPerQuarter = 480;

struct Note {
  int64_t onset_ticks = 0;
  int64_t duration_ticks = 0;
  int pitch = 60;     // MIDI key, 0 .. 127
  int velocity = 80;  // 1 .. 127
};

// What one instrument plays. Parts with `percussion` share the drum channel.
struct ScorePart {
  std::string instrument;  // the tag it makes true
  int bank = 0;
  int program = 0;  // General MIDI program, 0 .. 127; the kit of a percussion part
  bool percussion = false;
  int volume = 100;         // controller 7
  int pan = 64;             // controller 10
  int reverb_send = 40;     // controller 91
  std::vector<Note> notes;  // by onset
};

// A piece of music as notes: what a synthetic clip was rendered from.
struct Score {
  double duration_s = 0.0;
  int64_t us_per_quarter = 500000;
  int beats_per_bar = 4;
  int tonic = 0;  // pitch class, 0 = C
  bool minor = false;
  double reverb_room = 0.4;   // 0 .. 1
  double reverb_level = 0.3;  // 0 .. 1
  std::vector<ScorePart> parts;

  double tempo_bpm() const { return 6e7 / static_cast<double>(us_per_quarter); }
  double seconds(int64_t ticks) const {
    return static_cast<double>(ticks) * static_cast<double>(us_per_quarter) / (1e6 * kTicksPerQuarter);
  }
};

// Standard MIDI file, format 1: a track with tempo, metre and key, then one per part.
// Errors: std::logic_error if there are more than 15 pitched parts.
std::string midi_file(const Score& score);

// MIDI channel of each part: 9 for percussion, the others in order. Errors: std::logic_error as above.
std::vector<int> midi_channels(const Score& score);

// The score as one line of JSON, and back. Errors of the reader: DataError that names the file and what is out of
// range.
std::string score_json(const Score& score);
Score read_score(const std::filesystem::path& path);

// Onset-level activity as CSV: instrument,onset_s,duration_s,midi_pitch,velocity; by onset. Notes end where the clip
// ends.
std::string activity_csv(const Score& score);

}  // namespace tagbench
