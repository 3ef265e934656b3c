#include "splits/audit.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <unordered_map>

#include "harness/audio/audio_file.h"
#include "harness/core/errors.h"
#include "harness/core/hash.h"
#include "harness/core/interrupt.h"
#include "harness/core/parallel.h"
#include "harness/core/progress.h"
#include "harness/core/text.h"
#include "splits/fingerprint.h"
#include "splits/reader_support.h"
#include "splits/state_file.h"

namespace tagbench {
namespace {

constexpr const char* kAuditFormat = "tagbench audit state 2";
constexpr size_t kTrain = 0;
constexpr size_t kValid = 1;
constexpr size_t kTest = 2;
constexpr std::array<std::pair<size_t, size_t>, 3> kPairIndices = {
    {{kTrain, kTest}, {kTrain, kValid}, {kValid, kTest}}};

size_t part_index(Part part) {
  return static_cast<size_t>(part) - 1;
}

// What is remembered of one file.
struct Sound {
  uint64_t bytes = 0;
  int64_t changed = 0;
  std::string file_hash;
  std::string sample_hash;
  std::string failure;
  Fingerprint fingerprint;
};

// Sounds by file, one binary record after the other: length, hash of what follows, content. A record that is cut
// short or damaged ends the reading; what follows it is written anew.
class SoundFile {
 public:
  SoundFile(const std::filesystem::path& path, const Dataset& dataset) : path_(path) {
    if (path_.empty()) return;
    const std::string header = state_header(kAuditFormat, dataset);
    if (has_state("data audit", path_, header)) {
      std::error_code error;
      std::filesystem::resize_file(path_, read(header.size() + 1), error);
      if (error) throw DataError("audit: cannot write " + path_.string() + ": " + error.message());
      file_.open(path_, std::ios::binary | std::ios::app);
    } else {
      file_.open(path_, std::ios::binary | std::ios::trunc);
      file_ << header << '\n';
    }
    file_ << std::flush;
    if (!file_) throw DataError("audit: cannot write " + path_.string());
  }

  // Moves the record out, if there is one for the file as it is now.
  bool take(const std::string& name, uint64_t bytes, int64_t changed, Sound& sound) {
    const std::lock_guard<std::mutex> guard(mutex_);
    const auto found = sounds_.find(name);
    if (found == sounds_.end() || found->second.bytes != bytes || found->second.changed != changed) return false;
    sound = std::move(found->second);
    sounds_.erase(found);
    return true;
  }

  void add(const std::string& name, const Sound& sound) {
    if (path_.empty()) return;
    std::string content;
    put(content, sound.bytes);
    put(content, static_cast<uint64_t>(sound.changed));
    for (const std::string* text : {&name, &sound.file_hash, &sound.sample_hash, &sound.failure}) {
      put(content, text->size());
      content += *text;
    }
    put(content, sound.fingerprint.words.size());
    for (size_t i = 0; i < sound.fingerprint.words.size(); ++i) {
      put(content, static_cast<uint64_t>(sound.fingerprint.words[i]) << 32U | sound.fingerprint.weak[i]);
      content += sound.fingerprint.sounding[i] ? '\1' : '\0';
    }
    std::string record;
    put(record, content.size());
    put(record, xxh64(content, 0));
    const std::lock_guard<std::mutex> guard(mutex_);
    file_ << record << content << std::flush;
    if (!file_) throw DataError("audit: cannot write " + path_.string() + " (is the disk full?)");
  }

 private:
  static void put(std::string& bytes, uint64_t value) {
    for (int i = 0; i < 8; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFFU);
  }
  static bool get(std::string_view& bytes, uint64_t& value) {
    if (bytes.size() < 8) return false;
    value = 0;
    for (size_t i = 0; i < 8; ++i) value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    bytes.remove_prefix(8);
    return true;
  }
  static bool get(std::string_view& bytes, std::string& text) {
    uint64_t size = 0;
    if (!get(bytes, size) || size > bytes.size()) return false;
    text = bytes.substr(0, size);
    bytes.remove_prefix(size);
    return true;
  }

  // The number of bytes that can be kept, those of the header included.
  uint64_t read(uint64_t header_bytes) {
    constexpr uint64_t kLargestRecord = uint64_t{1} << 20U;
    std::ifstream file(path_, std::ios::binary);
    file.seekg(static_cast<std::streamoff>(header_bytes));
    uint64_t usable = header_bytes;
    std::string head(16, '\0');
    std::string content;
    while (file.read(head.data(), 16)) {
      std::string_view rest = head;
      uint64_t size = 0;
      uint64_t hash = 0;
      get(rest, size);
      get(rest, hash);
      if (size > kLargestRecord) break;
      content.resize(size);
      if (!file.read(content.data(), static_cast<std::streamsize>(size)) || xxh64(content, 0) != hash ||
          !parse(content))
        break;
      usable += 16 + size;
    }
    return usable;
  }

  bool parse(std::string_view content) {
    Sound sound;
    std::string name;
    uint64_t changed = 0;
    uint64_t n_words = 0;
    if (!get(content, sound.bytes) || !get(content, changed) || !get(content, name) || !get(content, sound.file_hash) ||
        !get(content, sound.sample_hash) || !get(content, sound.failure) || !get(content, n_words) ||
        content.size() != 9 * n_words) {
      return false;
    }
    sound.changed = static_cast<int64_t>(changed);
    sound.fingerprint.words.reserve(n_words);
    sound.fingerprint.weak.reserve(n_words);
    for (uint64_t i = 0; i < n_words; ++i) {
      uint64_t pair = 0;
      get(content, pair);
      sound.fingerprint.words.push_back(static_cast<uint32_t>(pair >> 32U));
      sound.fingerprint.weak.push_back(static_cast<uint32_t>(pair & 0xFFFFFFFFU));
      sound.fingerprint.sounding.push_back(content.front() != '\0');
      content.remove_prefix(1);
    }
    sounds_[name] = std::move(sound);
    return true;
  }

  std::filesystem::path path_;
  std::unordered_map<std::string, Sound> sounds_;
  std::ofstream file_;
  std::mutex mutex_;
};

Sound listen(const std::filesystem::path& path, uint64_t bytes, int64_t changed) {
  Sound sound;
  sound.bytes = bytes;
  sound.changed = changed;
  try {
    sound.file_hash = xxh128_file_hex(path);
    const Waveform waveform = decode_audio(path);
    const bool silent =
        std::all_of(waveform.samples.begin(), waveform.samples.end(), [](float sample) { return sample == 0.0F; });
    if (silent) {
      sound.failure = "silent";
      return sound;
    }
    sound.sample_hash = xxh128_hex(waveform.samples.data(), waveform.samples.size() * sizeof(float));
    sound.fingerprint = fingerprint_of(waveform);
  } catch (const DataError& error) {
    sound.failure = error.what();
  }
  return sound;
}

bool agree(const Dataset& dataset, int64_t first, int64_t second) {
  for (int64_t tag = 0; tag < dataset.n_tags(); ++tag) {
    const uint8_t a = dataset.label(first, tag);
    const uint8_t b = dataset.label(second, tag);
    if (a != b && a != kUnknownLabel && b != kUnknownLabel) return false;
  }
  return true;
}

// All pairs of tracks with equal keys. Keys are short hashes; "" is no key.
template <typename Key>
void pairs_of_equal(const std::vector<Sound>& sounds, Key key, Sameness sameness,
                    std::map<std::pair<int64_t, int64_t>, TrackPair>& pairs) {
  std::map<std::string_view, std::vector<int64_t>> by_key;
  for (size_t i = 0; i < sounds.size(); ++i) {
    if (!key(sounds[i]).empty()) by_key[key(sounds[i])].push_back(static_cast<int64_t>(i));
  }
  for (const auto& [value, tracks] : by_key) {
    // A large heap of copies is chained, not squared.
    constexpr size_t kAllPairs = 50;
    for (size_t a = 0; a < tracks.size(); ++a) {
      const size_t end = tracks.size() > kAllPairs ? std::min(tracks.size(), a + 2) : tracks.size();
      for (size_t b = a + 1; b < end; ++b) {
        TrackPair pair;
        pair.first = tracks[a];
        pair.second = tracks[b];
        pair.sameness = sameness;
        pairs.emplace(std::pair(pair.first, pair.second), pair);
      }
    }
  }
}

void compare_sounds(const Dataset& dataset, const AuditOptions& options, AuditReport& report) {
  std::vector<Sound> sounds(dataset.tracks.size());
  const int threads = options.threads > 0 ? options.threads : available_processors();
  {
    SoundFile state(options.state, dataset);
    Progress progress("listening", dataset.n_tracks(), "tracks");
    parallel_for(dataset.n_tracks(), threads, [&](int64_t t) {
      throw_if_interrupted();
      const Track& track = dataset.tracks[static_cast<size_t>(t)];
      Sound& sound = sounds[static_cast<size_t>(t)];
      const std::filesystem::path path = dataset.root / track.audio;
      std::error_code error;
      const auto bytes = std::filesystem::file_size(path, error);
      if (error) {
        sound.failure = "the file is not there";
      } else {
        const auto changed =
            static_cast<int64_t>(std::filesystem::last_write_time(path, error).time_since_epoch().count());
        if (!state.take(track.audio.string(), bytes, changed, sound)) {
          sound = listen(path, bytes, changed);
          state.add(track.audio.string(), sound);
        }
      }
      progress.advance();
    });
  }
  std::map<std::pair<int64_t, int64_t>, TrackPair> pairs;
  pairs_of_equal(
      sounds, [](const Sound& sound) { return std::string_view(sound.file_hash); }, Sameness::kSameFile, pairs);
  pairs_of_equal(
      sounds, [](const Sound& sound) { return std::string_view(sound.sample_hash); }, Sameness::kSameSound, pairs);
  std::vector<Fingerprint> fingerprints;
  fingerprints.reserve(sounds.size());
  for (size_t i = 0; i < sounds.size(); ++i) {
    if (sounds[i].failure.empty()) {
      ++report.n_compared;
      if (!can_match(sounds[i].fingerprint)) report.identity_only.push_back(dataset.tracks[i].id);
    } else {
      report.not_compared.push_back(dataset.tracks[i].id + ": " + sounds[i].failure);
    }
    fingerprints.push_back(std::move(sounds[i].fingerprint));
  }
  for (const AudioMatch& match : find_matches(fingerprints, threads)) {
    TrackPair pair;
    pair.first = match.first;
    pair.second = match.second;
    pair.bit_error_rate = match.bit_error_rate;
    pair.overlap_s = match.overlap_s;
    pair.offset_s = match.offset_s;
    const auto [found, is_new] = pairs.emplace(std::pair(pair.first, pair.second), pair);
    if (is_new) continue;
    found->second.overlap_s = match.overlap_s;
    found->second.bit_error_rate = match.bit_error_rate;
  }
  for (auto& [key, pair] : pairs) {
    pair.same_labels = agree(dataset, pair.first, pair.second);
    report.pairs.push_back(pair);
  }
}

template <typename NameOf>
Kinship kinship_of(const Dataset& dataset, const Split& split, NameOf name_of) {
  Kinship kinship;
  std::unordered_map<std::string_view, unsigned> parts_of;
  for (size_t i = 0; i < split.parts.size(); ++i) {
    const std::string& name = name_of(dataset.tracks[i]);
    if (name.empty() || split.parts[i] == Part::kUnused) continue;
    ++kinship.n_known;
    parts_of[name] |= 1U << part_index(split.parts[i]);
  }
  kinship.n_names = static_cast<int64_t>(parts_of.size());
  for (size_t p = 0; p < kPairIndices.size(); ++p) {
    const unsigned both = 1U << kPairIndices[p].first | 1U << kPairIndices[p].second;
    for (const auto& [name, parts] : parts_of) kinship.shared_names[p] += (parts & both) == both ? 1 : 0;
  }
  for (size_t i = 0; i < split.parts.size(); ++i) {
    const std::string& name = name_of(dataset.tracks[i]);
    if (name.empty() || split.parts[i] == Part::kUnused) continue;
    for (size_t p = 0; p < kPairIndices.size(); ++p) {
      if (part_index(split.parts[i]) != kPairIndices[p].second) continue;
      ++kinship.tracks_in_second[p];
      kinship.leaked_tracks[p] += (parts_of[name] >> kPairIndices[p].first & 1U) != 0U ? 1 : 0;
    }
  }
  return kinship;
}

SplitAudit audit_split(const Dataset& dataset, const Split& split, const std::vector<TrackPair>& pairs) {
  SplitAudit audit;
  audit.split = split.name;
  audit.groups = kinship_of(dataset, split, [](const Track& track) -> const std::string& { return track.group; });
  if (dataset.group_kind == "artist") audit.artists = audit.groups;
  audit.albums = kinship_of(dataset, split, [](const Track& track) -> const std::string& { return track.album; });
  audit.recordings =
      kinship_of(dataset, split, [](const Track& track) -> const std::string& { return track.recording; });
  audit.tags.resize(dataset.tags.size());
  for (const Part part : kUsedParts) {
    const size_t p = part_index(part);
    int64_t positives = 0;
    for (const int64_t track : tracks_of(split, part)) {
      ++audit.tracks[p];
      bool tagged = false;
      for (int64_t tag = 0; tag < dataset.n_tags(); ++tag) {
        TagCounts& counts = audit.tags[static_cast<size_t>(tag)];
        const uint8_t label = dataset.label(track, tag);
        ++(label == 1 ? counts.positive : label == 0 ? counts.negative : counts.unknown)[p];
        positives += label == 1 ? 1 : 0;
        tagged = tagged || label == 1;
      }
      audit.without_tags[p] += tagged ? 0 : 1;
    }
    if (audit.tracks[p] > 0) audit.mean_tags[p] = static_cast<double>(positives) / static_cast<double>(audit.tracks[p]);
  }
  for (const TrackPair& pair : pairs) {
    const Part a = split.parts[static_cast<size_t>(pair.first)];
    const Part b = split.parts[static_cast<size_t>(pair.second)];
    for (size_t p = 0; p < kPartPairs.size(); ++p) {
      const auto& [first, second] = kPartPairs[p];
      if ((a == first && b == second) || (a == second && b == first)) ++audit.same_sound_pairs[p];
    }
  }
  return audit;
}

std::string percent(int64_t part, int64_t whole) {
  return whole == 0 ? "none" : format_fixed(100.0 * static_cast<double>(part) / static_cast<double>(whole), 1) + " %";
}

std::string pair_name(size_t p) {
  return part_name(kPartPairs[p].first) + "/" + part_name(kPartPairs[p].second);
}

Json kinship_json(const Kinship& kinship) {
  Json json;
  json["tracks_known"] = kinship.n_known;
  json["names"] = kinship.n_names;
  for (size_t p = 0; p < kPartPairs.size(); ++p) {
    Json& entry = json["shared"][pair_name(p)];
    entry["names"] = kinship.shared_names[p];
    entry["tracks_in_second"] = kinship.tracks_in_second[p];
    entry["leaked_tracks"] = kinship.leaked_tracks[p];
  }
  return json;
}

std::string kinship_text(const std::string& what, const Kinship& kinship) {
  if (kinship.n_known == 0) return "  " + what + "s: unknown\n";
  std::string text =
      "  " + what + "s: " + std::to_string(kinship.n_names) + " over " + std::to_string(kinship.n_known) + " tracks\n";
  for (size_t p = 0; p < kPartPairs.size(); ++p) {
    if (kinship.tracks_in_second[p] == 0) continue;
    text += "    " + pair_name(p) + ": " + std::to_string(kinship.shared_names[p]) + " shared; " +
            std::to_string(kinship.leaked_tracks[p]) + " of " + std::to_string(kinship.tracks_in_second[p]) + " " +
            part_name(kPartPairs[p].second) + " tracks (" +
            percent(kinship.leaked_tracks[p], kinship.tracks_in_second[p]) + ") share their " + what + " with " +
            part_name(kPartPairs[p].first) + "\n";
  }
  return text;
}

}  // namespace

std::string sameness_name(Sameness sameness) {
  switch (sameness) {
    case Sameness::kSameFile:
      return "same_file";
    case Sameness::kSameSound:
      return "same_sound";
    case Sameness::kNearSound:
      return "near_sound";
  }
  throw std::logic_error("unhandled sameness");
}

AuditReport audit_dataset(const Dataset& dataset, const AuditOptions& options) {
  AuditReport report;
  report.dataset = dataset.name;
  report.audio = options.audio;
  std::unordered_map<std::string, int64_t> paths;
  for (int64_t i = 0; i < dataset.n_tracks(); ++i) {
    const auto [found, is_new] =
        paths.emplace(dataset.tracks[static_cast<size_t>(i)].audio.lexically_normal().string(), i);
    if (!is_new) report.same_path.emplace_back(found->second, i);
  }
  if (options.audio) {
    require_sound(dataset, "data audit");
    compare_sounds(dataset, options, report);
  }
  for (const Split& split : dataset.splits) report.splits.push_back(audit_split(dataset, split, report.pairs));
  return report;
}

std::vector<int64_t> unseen_artist_tracks(const Dataset& dataset, const Split& split) {
  std::set<std::string_view> seen;
  for (size_t i = 0; i < split.parts.size(); ++i) {
    if (split.parts[i] == Part::kTrain || split.parts[i] == Part::kValid) seen.insert(dataset.tracks[i].group);
  }
  std::vector<int64_t> unseen;
  for (const int64_t track : tracks_of(split, Part::kTest)) {
    const std::string& artist = dataset.tracks[static_cast<size_t>(track)].group;
    if (!artist.empty() && seen.count(artist) == 0) unseen.push_back(track);
  }
  return unseen;
}

Json audit_json(const AuditReport& report, const Dataset& dataset) {
  const auto id = [&](int64_t track) { return dataset.tracks[static_cast<size_t>(track)].id; };
  Json json;
  json["dataset"] = utf8_text(report.dataset);
  json["group_kind"] = dataset.group_kind;
  json["audio_compared"] = report.audio;
  json["tracks_compared"] = report.n_compared;
  json["compared_for_identity_only"] = report.identity_only;
  json["not_compared"] = Json::array();
  for (const std::string& reason : report.not_compared) json["not_compared"].push_back(utf8_text(reason));
  json["same_path"] = Json::array();
  for (const auto& [first, second] : report.same_path) json["same_path"].push_back({id(first), id(second)});
  json["pairs"] = Json::array();
  for (const TrackPair& pair : report.pairs) {
    Json entry;
    entry["first"] = id(pair.first);
    entry["second"] = id(pair.second);
    entry["sameness"] = sameness_name(pair.sameness);
    entry["bit_error_rate"] = pair.bit_error_rate;
    entry["overlap_s"] = pair.overlap_s;
    entry["offset_s"] = pair.offset_s;
    entry["same_labels"] = pair.same_labels;
    json["pairs"].push_back(std::move(entry));
  }
  json["splits"] = Json::array();
  for (size_t s = 0; s < report.splits.size(); ++s) {
    const SplitAudit& audit = report.splits[s];
    Json entry;
    entry["split"] = audit.split;
    entry["artists"] = kinship_json(audit.artists);
    entry["albums"] = kinship_json(audit.albums);
    entry["recordings"] = kinship_json(audit.recordings);
    entry["groups"] = kinship_json(audit.groups);
    const size_t n_unseen = unseen_artist_tracks(dataset, dataset.splits[s]).size();
    entry["test_tracks_of_unseen_groups"] = n_unseen;
    entry["test_tracks_of_unseen_artists"] = dataset.group_kind == "artist" ? Json(n_unseen) : Json(nullptr);
    for (size_t p = 0; p < kPartPairs.size(); ++p) entry["same_sound_pairs"][pair_name(p)] = audit.same_sound_pairs[p];
    for (const Part part : kUsedParts) {
      const size_t p = part_index(part);
      Json& counts = entry["parts"][part_name(part)];
      counts["tracks"] = audit.tracks[p];
      counts["without_tags"] = audit.without_tags[p];
      counts["mean_tags"] = audit.mean_tags[p];
      counts["tags_without_positives"] = Json::array();
      for (size_t tag = 0; tag < audit.tags.size(); ++tag) {
        if (audit.tracks[p] > 0 && audit.tags[tag].positive[p] == 0)
          counts["tags_without_positives"].push_back(dataset.tags[tag]);
      }
    }
    for (size_t tag = 0; tag < audit.tags.size(); ++tag) {
      for (const Part part : kUsedParts) {
        const size_t p = part_index(part);
        Json& counts = entry["tags"][dataset.tags[tag]][part_name(part)];
        counts["positive"] = audit.tags[tag].positive[p];
        counts["negative"] = audit.tags[tag].negative[p];
        counts["unknown"] = audit.tags[tag].unknown[p];
      }
    }
    json["splits"].push_back(std::move(entry));
  }
  return json;
}

std::string audit_text(const AuditReport& report, const Dataset& dataset) {
  const auto id = [&](int64_t track) { return dataset.tracks[static_cast<size_t>(track)].id; };
  std::string text = report.dataset + ": " + std::to_string(dataset.n_tracks()) + " tracks, " +
                     std::to_string(dataset.n_tags()) + " tags\n";
  for (const auto& [first, second] : report.same_path)
    text += "one file, two tracks: " + id(first) + ", " + id(second) + "\n";
  for (size_t s = 0; s < report.splits.size(); ++s) {
    const SplitAudit& audit = report.splits[s];
    text += "split " + audit.split + "\n";
    for (const Part part : kUsedParts) {
      const size_t p = part_index(part);
      if (audit.tracks[p] == 0) continue;
      std::vector<std::string> lacking;
      for (size_t tag = 0; tag < audit.tags.size(); ++tag) {
        if (audit.tags[tag].positive[p] == 0) lacking.push_back(dataset.tags[tag]);
      }
      text += "  " + part_name(part) + ": " + std::to_string(audit.tracks[p]) + " tracks, " +
              format_fixed(audit.mean_tags[p], 2) + " tags each, " + std::to_string(audit.without_tags[p]) +
              " without a tag" + (lacking.empty() ? "" : "; no positive example of " + first_few(lacking)) + "\n";
    }
    text += kinship_text("artist", audit.artists);
    text += kinship_text("album", audit.albums);
    text += kinship_text("recording", audit.recordings);
    if (dataset.group_kind == "group") text += kinship_text("group", audit.groups);
    if (audit.groups.n_known > 0) {
      text += "  " + std::to_string(unseen_artist_tracks(dataset, dataset.splits[s]).size()) +
              " test tracks are of unseen " + dataset.group_kind + "s\n";
    }
    if (!report.audio) continue;
    for (size_t p = 0; p < kPartPairs.size(); ++p) {
      text += "  same sound in " + pair_name(p) + ": " + std::to_string(audit.same_sound_pairs[p]) + " pairs\n";
    }
  }
  if (!report.audio) return text;
  text += std::to_string(report.n_compared) + " sounds compared";
  if (!report.identity_only.empty()) {
    text += ", " + std::to_string(report.identity_only.size()) +
            " of them for identity only (too little sound for a near match): " + first_few(report.identity_only) + ";";
  } else {
    text += ",";
  }
  text += " " + std::to_string(report.not_compared.size()) + " not";
  text += report.not_compared.empty() ? "\n" : ": " + first_few(report.not_compared) + "\n";
  for (const TrackPair& pair : report.pairs) {
    text += sameness_name(pair.sameness) + "\t" + id(pair.first) + "\t" + id(pair.second) + "\tbit errors " +
            format_fixed(100.0 * pair.bit_error_rate, 1) + " % over " + format_fixed(pair.overlap_s, 1) + " s" +
            (pair.same_labels ? "" : "\tlabels differ") + "\n";
  }
  return text;
}

}  // namespace tagbench
