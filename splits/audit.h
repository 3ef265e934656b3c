#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/core/json.h"
#include "splits/dataset.h"

// What could make a result better than it deserves: leakage between the parts of a split, by artist, album, source
// recording and sound, and labels that cannot be scored.
namespace tagbench {

struct AuditOptions {
  bool audio = true;  // compare the sound of all tracks
  int threads = 0;    // 0: all processors
  // Remembers fingerprints, so that a stopped call goes on where it was; empty: nothing is kept.
  std::filesystem::path state;
};

enum class Sameness : uint8_t {
  kSameFile,   // byte-identical files
  kSameSound,  // other bytes, the same samples
  kNearSound,  // the same recording: encoded anew, louder or softer, cut differently
};
std::string sameness_name(Sameness sameness);  // "same_file", "same_sound", "near_sound"

struct TrackPair {
  int64_t first = 0;
  int64_t second = 0;
  Sameness sameness = Sameness::kNearSound;
  double bit_error_rate = 0.0;  // of the fingerprints
  double overlap_s = 0.0;
  double offset_s = 0.0;
  bool same_labels = false;  // all labels known for both agree
};

constexpr std::array<std::pair<Part, Part>, 3> kPartPairs = {
    {{Part::kTrain, Part::kTest}, {Part::kTrain, Part::kValid}, {Part::kValid, Part::kTest}}};

// One kind of kinship (artist, album, recording) over the parts of one split.
struct Kinship {
  int64_t n_known = 0;                        // tracks in use whose artist is known
  int64_t n_names = 0;                        // artists among them
  std::array<int64_t, 3> shared_names{};      // in both parts of kPartPairs
  std::array<int64_t, 3> tracks_in_second{};  // known tracks of the second part ...
  std::array<int64_t, 3> leaked_tracks{};     // ... whose artist is also in the first
};

struct TagCounts {
  std::array<int64_t, 3> positive{};  // train, valid, test
  std::array<int64_t, 3> negative{};
  std::array<int64_t, 3> unknown{};
};

struct SplitAudit {
  std::string split;
  std::array<int64_t, 3> tracks{};            // train, valid, test
  std::array<int64_t, 3> without_tags{};      // tracks without any positive label
  std::array<double, 3> mean_tags{};          // positive labels per track
  Kinship artists;                            // nothing known where Dataset::group_kind is another
  Kinship albums;                             // Track::album
  Kinship recordings;                         // Track::recording
  Kinship groups;                             // Track::group, whatever it names
  std::array<int64_t, 3> same_sound_pairs{};  // pairs across the parts of kPartPairs, of any Sameness
  std::vector<TagCounts> tags;
};

struct AuditReport {
  std::string dataset;
  std::vector<std::pair<int64_t, int64_t>> same_path;  // tracks that name one file
  std::vector<TrackPair> pairs;                        // sounds that occur twice, anywhere in the dataset
  std::vector<SplitAudit> splits;
  int64_t n_compared = 0;                  // tracks whose sound was compared, or at least its identity
  std::vector<std::string> identity_only;  // ids among them: too little sound for a near match to be found
  std::vector<std::string> not_compared;   // "id: reason": unreadable or silent
  bool audio = false;                      // whether the sound was compared
};

// Errors: Interrupted, with `state` up to date; UsageError for a `state` that is anything else (state_file.h), and, if
// sounds are to be compared, for a dataset without sound; DataError if `state` cannot be written.
AuditReport audit_dataset(const Dataset& dataset, const AuditOptions& options);

Json audit_json(const AuditReport& report, const Dataset& dataset);
std::string audit_text(const AuditReport& report, const Dataset& dataset);

// Test tracks whose group (artist, or what else Dataset::group_kind says) is known and occurs neither in the train nor
// in the valid part.
std::vector<int64_t> unseen_artist_tracks(const Dataset& dataset, const Split& split);

}  // namespace tagbench
