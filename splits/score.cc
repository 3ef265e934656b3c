#include "splits/score.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <tuple>

#include "harness/core/csv.h"
#include "harness/core/errors.h"
#include "harness/core/json.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

constexpr const char* kScoreFormat = "tagbench score 1";
constexpr int kDrumChannel = 9;

void put_big_endian(std::string& bytes, uint64_t value, int n_bytes) {
  for (int i = n_bytes - 1; i >= 0; --i) bytes += static_cast<char>(value >> (8 * i) & 0xFFU);
}

void put_variable_length(std::string& bytes, uint64_t value) {
  std::string reversed(1, static_cast<char>(value & 0x7FU));
  while ((value >>= 7U) > 0) reversed += static_cast<char>((value & 0x7FU) | 0x80U);
  bytes.append(reversed.rbegin(), reversed.rend());
}

// The events of one MIDI track, put in order of time and written as deltas.
class TrackWriter {
 public:
  // `rank` orders events at the same tick: settings, note ends, note beginnings.
  void add(int64_t tick, int rank, std::string bytes) {
    events_.push_back({tick, rank, events_.size(), std::move(bytes)});
  }

  void add_channel_event(int64_t tick, int rank, int status, int channel, int first, int second) {
    std::string bytes;
    bytes += static_cast<char>(status | channel);
    bytes += static_cast<char>(first);
    bytes += static_cast<char>(second);
    add(tick, rank, std::move(bytes));
  }

  std::string chunk(int64_t end_tick) {
    std::sort(events_.begin(), events_.end(), [](const Event& a, const Event& b) {
      return std::tie(a.tick, a.rank, a.number) < std::tie(b.tick, b.rank, b.number);
    });
    std::string body;
    int64_t now = 0;
    for (const Event& event : events_) {
      put_variable_length(body, static_cast<uint64_t>(event.tick - now));
      now = event.tick;
      body += event.bytes;
    }
    put_variable_length(body, static_cast<uint64_t>(std::max<int64_t>(0, end_tick - now)));
    body += std::string("\xFF\x2F\x00", 3);
    std::string whole = "MTrk";
    put_big_endian(whole, body.size(), 4);
    return whole + body;
  }

 private:
  struct Event {
    int64_t tick;
    int rank;
    size_t number;
    std::string bytes;
  };
  std::vector<Event> events_;
};

std::string meta_event(char type, const std::string& data) {
  std::string bytes = {'\xFF', type};
  put_variable_length(bytes, data.size());
  return bytes + data;
}

// Sharps (positive) or flats (negative) of the key signature.
int key_signature(int tonic, bool minor) {
  const int major_tonic = minor ? (tonic + 3) % 12 : tonic;
  const int sharps = major_tonic * 7 % 12;
  return sharps > 6 ? sharps - 12 : sharps;
}

}  // namespace

std::vector<int> midi_channels(const Score& score) {
  std::vector<int> channels;
  int next = 0;
  for (const ScorePart& part : score.parts) {
    if (part.percussion) {
      channels.push_back(kDrumChannel);
      continue;
    }
    if (next == kDrumChannel) ++next;
    if (next > 15) throw std::logic_error("score: MIDI has 15 channels for pitched parts, the score has more");
    channels.push_back(next++);
  }
  return channels;
}

std::string midi_file(const Score& score) {
  const auto end_tick = static_cast<int64_t>(
      std::ceil(score.duration_s * 1e6 * kTicksPerQuarter / static_cast<double>(score.us_per_quarter)));
  std::string bytes = "MThd";
  put_big_endian(bytes, 6, 4);
  put_big_endian(bytes, 1, 2);
  put_big_endian(bytes, score.parts.size() + 1, 2);
  put_big_endian(bytes, kTicksPerQuarter, 2);

  TrackWriter conductor;
  std::string tempo;
  put_big_endian(tempo, static_cast<uint64_t>(score.us_per_quarter), 3);
  conductor.add(0, 0, meta_event('\x51', tempo));
  conductor.add(0, 0, meta_event('\x58', {static_cast<char>(score.beats_per_bar), 2, 24, 8}));
  conductor.add(0, 0,
                meta_event('\x59', {static_cast<char>(key_signature(score.tonic, score.minor)),
                                    static_cast<char>(score.minor ? 1 : 0)}));
  bytes += conductor.chunk(end_tick);

  const std::vector<int> channels = midi_channels(score);
  for (size_t i = 0; i < score.parts.size(); ++i) {
    const ScorePart& part = score.parts[i];
    const int channel = channels[i];
    TrackWriter track;
    track.add(0, 0, meta_event('\x03', part.instrument));
    track.add_channel_event(0, 0, 0xB0, channel, 0, part.bank);
    track.add(0, 0, {static_cast<char>(0xC0 | channel), static_cast<char>(part.program)});
    track.add_channel_event(0, 0, 0xB0, channel, 7, part.volume);
    track.add_channel_event(0, 0, 0xB0, channel, 10, part.pan);
    track.add_channel_event(0, 0, 0xB0, channel, 91, part.reverb_send);
    for (const Note& note : part.notes) {
      track.add_channel_event(note.onset_ticks, 2, 0x90, channel, note.pitch, note.velocity);
      track.add_channel_event(note.onset_ticks + note.duration_ticks, 1, 0x80, channel, note.pitch, 0);
    }
    bytes += track.chunk(end_tick);
  }
  return bytes;
}

std::string score_json(const Score& score) {
  Json json;
  json["format"] = kScoreFormat;
  json["duration_s"] = score.duration_s;
  json["ticks_per_quarter"] = kTicksPerQuarter;
  json["us_per_quarter"] = score.us_per_quarter;
  json["beats_per_bar"] = score.beats_per_bar;
  json["tonic"] = score.tonic;
  json["mode"] = score.minor ? "minor" : "major";
  json["reverb_room"] = score.reverb_room;
  json["reverb_level"] = score.reverb_level;
  json["note_columns"] = {"onset_ticks", "duration_ticks", "midi_pitch", "velocity"};
  json["parts"] = Json::array();
  for (const ScorePart& part : score.parts) {
    Json entry;
    entry["instrument"] = part.instrument;
    entry["bank"] = part.bank;
    entry["program"] = part.program;
    entry["percussion"] = part.percussion;
    entry["volume"] = part.volume;
    entry["pan"] = part.pan;
    entry["reverb_send"] = part.reverb_send;
    entry["notes"] = Json::array();
    for (const Note& note : part.notes)
      entry["notes"].push_back({note.onset_ticks, note.duration_ticks, note.pitch, note.velocity});
    json["parts"].push_back(std::move(entry));
  }
  return json.dump() + "\n";
}

namespace {

// Values of a score file, each within its range.
class ScoreFields {
 public:
  ScoreFields(const std::filesystem::path& path, const Json& object) : path_(path), object_(object) {
    if (!object.is_object()) throw DataError(path.string() + ": a score was expected, found other JSON");
  }
  int64_t integer(const char* key, int64_t minimum, int64_t maximum) const {
    return checked(at(key), key, minimum, maximum);
  }
  double real(const char* key, double minimum, double maximum) const {
    const Json& value = at(key);
    if (!value.is_number() || value.get<double>() < minimum || value.get<double>() > maximum) {
      fail(key, "a number from " + format_real(minimum) + " to " + format_real(maximum));
    }
    return value.get<double>();
  }
  std::string text(const char* key) const {
    if (!at(key).is_string()) fail(key, "text");
    return at(key).get<std::string>();
  }
  bool flag(const char* key) const {
    if (!at(key).is_boolean()) fail(key, "true or false");
    return at(key).get<bool>();
  }
  const Json& list(const char* key) const {
    if (!at(key).is_array()) fail(key, "a list");
    return at(key);
  }
  int64_t checked(const Json& value, const char* key, int64_t minimum, int64_t maximum) const {
    if (!value.is_number_integer() || value.get<int64_t>() < minimum || value.get<int64_t>() > maximum) {
      fail(key, "a whole number from " + std::to_string(minimum) + " to " + std::to_string(maximum));
    }
    return value.get<int64_t>();
  }
  [[noreturn]] void fail(const char* key, const std::string& expected) const {
    throw DataError(path_.string() + ": '" + key + "' must be " + expected);
  }

 private:
  const Json& at(const char* key) const {
    const auto found = object_.find(key);
    if (found == object_.end()) throw DataError(path_.string() + ": '" + std::string(key) + "' is missing");
    return *found;
  }
  const std::filesystem::path& path_;
  const Json& object_;
};

}  // namespace

Score read_score(const std::filesystem::path& path) {
  constexpr int64_t kMaxTicks = int64_t{1} << 31U;
  const Json json = read_json(path);
  const ScoreFields fields(path, json);
  if (fields.text("format") != kScoreFormat) fields.fail("format", std::string("'") + kScoreFormat + "'");
  Score score;
  score.duration_s = fields.real("duration_s", 0.001, 4 * 3600.0);
  fields.integer("ticks_per_quarter", kTicksPerQuarter, kTicksPerQuarter);
  score.us_per_quarter = fields.integer("us_per_quarter", 1000, 16777215);
  score.beats_per_bar = static_cast<int>(fields.integer("beats_per_bar", 1, 32));
  score.tonic = static_cast<int>(fields.integer("tonic", 0, 11));
  const std::string mode = fields.text("mode");
  if (mode != "major" && mode != "minor") fields.fail("mode", "major or minor");
  score.minor = mode == "minor";
  score.reverb_room = fields.real("reverb_room", 0.0, 1.0);
  score.reverb_level = fields.real("reverb_level", 0.0, 1.0);
  int pitched = 0;
  for (const Json& entry : fields.list("parts")) {
    const ScoreFields part_fields(path, entry);
    ScorePart part;
    part.instrument = part_fields.text("instrument");
    part.bank = static_cast<int>(part_fields.integer("bank", 0, 128));
    part.program = static_cast<int>(part_fields.integer("program", 0, 127));
    part.percussion = part_fields.flag("percussion");
    part.volume = static_cast<int>(part_fields.integer("volume", 0, 127));
    part.pan = static_cast<int>(part_fields.integer("pan", 0, 127));
    part.reverb_send = static_cast<int>(part_fields.integer("reverb_send", 0, 127));
    for (const Json& values : part_fields.list("notes")) {
      if (!values.is_array() || values.size() != 4) part_fields.fail("notes", "lists of four numbers");
      Note note;
      note.onset_ticks = part_fields.checked(values[0], "notes", 0, kMaxTicks);
      note.duration_ticks = part_fields.checked(values[1], "notes", 1, kMaxTicks);
      note.pitch = static_cast<int>(part_fields.checked(values[2], "notes", 0, 127));
      note.velocity = static_cast<int>(part_fields.checked(values[3], "notes", 1, 127));
      part.notes.push_back(note);
    }
    if (!part.percussion && ++pitched > 15) fields.fail("parts", "at most 15 pitched parts");
    score.parts.push_back(std::move(part));
  }
  return score;
}

std::string activity_csv(const Score& score) {
  struct Line {
    int64_t onset_ticks;
    size_t part;
    Note note;
  };
  std::vector<Line> lines;
  for (size_t i = 0; i < score.parts.size(); ++i) {
    for (const Note& note : score.parts[i].notes) lines.push_back({note.onset_ticks, i, note});
  }
  std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
    return std::tie(a.onset_ticks, a.part, a.note.pitch) < std::tie(b.onset_ticks, b.part, b.note.pitch);
  });
  std::string text = "instrument,onset_s,duration_s,midi_pitch,velocity\n";
  for (const Line& line : lines) {
    const double onset_s = score.seconds(line.onset_ticks);
    const double end_s = std::min(score.duration_s, score.seconds(line.onset_ticks + line.note.duration_ticks));
    text += csv_line({score.parts[line.part].instrument, format_fixed(onset_s, 4), format_fixed(end_s - onset_s, 4),
                      std::to_string(line.note.pitch), std::to_string(line.note.velocity)}) +
            "\n";
  }
  return text;
}

}  // namespace tagbench
