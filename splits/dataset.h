#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/options.h"
#include "harness/core/score_change.h"
#include "harness/core/waveform.h"

namespace tagbench {

enum class TaskKind {
  kMultilabel,  // any number of tags per track, all labels known
  kMulticlass,  // exactly one tag per track
  kPartial,     // multilabel with unknown labels
};
std::string task_name(TaskKind task);  // "multilabel", "multiclass", "partial"

enum class Part : uint8_t { kUnused, kTrain, kValid, kTest };
std::string part_name(Part part);  // "unused", "train", "valid", "test"
constexpr std::array<Part, 3> kUsedParts = {Part::kTrain, Part::kValid, Part::kTest};

// One audio file of a dataset.
struct Track {
  std::string id;               // stable and unique within the dataset
  std::filesystem::path audio;  // below the dataset's root or absolute
  std::string group;            // tracks that must not be torn apart, nor be drawn apart by a bootstrap: what
                                // Dataset::group_kind says; "" if unknown
  std::string album{};          // "" if unknown
  std::string recording{};      // what several tracks were cut or copied from; "" if unknown
  float expected_s = 0.0F;      // duration as the owner states it; 0 if unknown
};

// A named, frozen assignment of tracks to parts.
struct Split {
  std::string name;         // "default", "fold1"
  std::vector<Part> parts;  // one per track
  std::string sha256;       // of the manifest (split_manifest in manifest.h); every row of results repeats it
};

// Tracks, labels and splits, in memory. A million tracks with 50 tags fit into 1 GiB.
struct Dataset {
  std::string name;                   // reader's name with the options that matter: "synth", "esc50:subset=esc10"
  std::string group_kind = "artist";  // what Track::group names: "artist", "album", "recording", or "group" if a user's
                                      // file does not tell
  bool has_sound = true;              // false where the tracks' files are features
  TaskKind task = TaskKind::kMultilabel;
  std::vector<std::string> tags;
  std::vector<Track> tracks;
  std::vector<uint8_t> labels;  // [tracks, tags], 0, 1, or kUnknownLabel where `task` is kPartial
  std::vector<Split> splits;    // at least one; folds are several that share a prefix and are averaged over
  std::filesystem::path root;
  // A track played anew from its score with a change, at a sample rate of the dataset's own; empty where there are no
  // scores. Safe from several threads. Errors: DataError that names the file.
  std::function<Waveform(const Track&, const ScoreChange&)> play{};
  std::vector<std::string> notes;  // known traps handled, each told once in the log and kept in run.json

  std::string reader() const { return name.substr(0, name.find(':')); }
  int64_t n_tracks() const { return static_cast<int64_t>(tracks.size()); }
  int64_t n_tags() const { return static_cast<int64_t>(tags.size()); }
  uint8_t label(int64_t track, int64_t tag) const { return labels[static_cast<size_t>(track * n_tags() + tag)]; }
};

constexpr uint8_t kUnknownLabel = 255;

struct DatasetFacts {
  std::string name;
  std::string summary;
  std::string source;  // paper, owner's page
  std::string licence;
  std::string fetch;                // what the user has to get, from whom, and how the folder must look
  std::vector<OptionSpec> options;  // every reader has "root" (text, the folder)
};

// What the owner states about one file.
struct FileChecksum {
  std::filesystem::path file;  // below the dataset's root
  std::string algorithm;       // "md5", "sha1" or "sha256"
  std::string digest;          // lower-case hexadecimal digits
};

// A file that is damaged as distributed.
struct KnownBroken {
  std::string id;  // of the track
  std::string reason;
  std::string extension{};  // of the file (".wav") where only that form is damaged; "" for any
};

struct DatasetEntry {
  DatasetFacts facts;
  // Reads lists and labels, touches no audio beyond checking that files are named.
  // Errors: DataError naming file and row for everything damaged, with what to do.
  Dataset (*load)(const Options& options) = nullptr;
  // The owner's checksums of the dataset's audio files, where there are any. Null if the owner publishes none. Errors:
  // DataError for a list that cannot be read.
  std::vector<FileChecksum> (*checksums)(const Dataset& dataset) = nullptr;
  std::vector<KnownBroken> known_broken{};
  int sample_rate_hz = 0;  // of the audio as distributed; 0 where it varies
  // How far a file's length may be from the one that the owner states; 0: 10 %, but at most a second.
  double length_tolerance_s = 0.0;
};

// Every reader, in the order of `tagbench list datasets`.
const std::vector<DatasetEntry>& datasets();
// Errors: UsageError for an unknown name.
const DatasetEntry& find_dataset(std::string_view name);

// Loads, then checks what every dataset must hold: unique ids, no empty tag names or repeats, names in UTF-8, labels
// that fit the task, parts of the right length, no group in two parts (a note, not an error, unless the reader promises
// it).
Dataset load_dataset(const std::string& name, const std::vector<std::pair<std::string, std::string>>& options);

// Errors: UsageError if the tracks' files are features; `who` begins the message.
void require_sound(const Dataset& dataset, std::string_view who);

// The split called `name`. Errors: UsageError that lists the known ones.
const Split& find_split(const Dataset& dataset, std::string_view name);

// Track indices of one part, in the dataset's order.
std::vector<int64_t> tracks_of(const Split& split, Part part);

}  // namespace tagbench
