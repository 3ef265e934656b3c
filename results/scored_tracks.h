#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/metrics/bootstrap.h"
#include "results/run_store.h"

namespace tagbench {

// Labels and scores of some tracks, from a run's cell or from a user's files.
struct ScoredTracks {
  int64_t n_tracks = 0;
  int64_t n_tags = 0;
  std::vector<std::string> tags;       // empty where names are not known
  std::vector<std::string> track_ids;  // empty where ids are not known
  std::vector<std::string> groups;     // empty where none are known
  std::vector<uint8_t> labels;         // [N, K], 0 or 1
  std::vector<uint8_t> known;          // [N, K], 0 or 1; empty: all
  std::vector<float> float32;          // [N, K]; exactly one of the two is filled
  std::vector<double> float64;

  LabelMatrix label_matrix() const;
  ScoreMatrix score_matrix() const;
};

// A cell's stored scores. Errors: DataError if they are missing or do not fit the row, whose metrics
// of single tags must be theirs.
ScoredTracks scored_tracks(const RunStore& run, const Row& row);

// .npy files of one shape [N, K]: labels 0 and 1 (any type), scores float32 or float64 (ties are exact equality of what
// is stored), mask (optional, 1 where the label is known); tag names as read_tag_file takes them (optional). Errors:
// DataError that names the file: shapes, labels other than 0 and 1, the number or repetition of names.
ScoredTracks read_score_files(const std::filesystem::path& labels, const std::filesystem::path& scores,
                              const std::filesystem::path& mask, const std::filesystem::path& tags);

// Every metric on bootstrap resamples of the tracks; of whole groups where groups are known. The draws depend on
// `seed`, the split's name with its hash and the tracks with their groups alone, so that values of one index compare
// two systems on the same resample, and the folds of one data set are drawn independently.
TaggingReplicates resample(const ScoredTracks& tracks, const std::string& split, bool multiclass, int resamples,
                           uint64_t seed, int threads);

// The replicates of a metric of metric_names(). Errors: UsageError for an unknown name.
const Replicates& replicates_of(const TaggingReplicates& replicates, const std::string& metric);

// Those of one tag, by its place in the row: roc_auc or average_precision.
const Replicates& replicates_of_tag(const TaggingReplicates& replicates, const std::string& metric, size_t tag);

// The named tracks, in the order of the names. Errors: DataError for a name that is not there.
ScoredTracks select_tracks(const ScoredTracks& tracks, const std::vector<std::string>& track_ids);

// Ids of the tracks that all of them hold, in the order of the first. Errors: std::logic_error for none.
std::vector<std::string> common_track_ids(const std::vector<const ScoredTracks*>& all);

// Why two score sets do not belong to the same labels; empty if they do.
std::string label_problem(const ScoredTracks& a, const ScoredTracks& b);

// True if tracks of one group are drawn together, that is if any group holds two tracks.
bool has_groups(const ScoredTracks& tracks);

}  // namespace tagbench
