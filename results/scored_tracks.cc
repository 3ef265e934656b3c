#include "results/scored_tracks.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>
#include <unordered_map>

#include "harness/core/errors.h"
#include "harness/core/npy.h"
#include "harness/core/options.h"
#include "harness/core/rng.h"
#include "harness/core/tag_file.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

// 0 and 1 of any type, as bytes.
std::vector<uint8_t> read_zero_one(const std::filesystem::path& path, const std::vector<int64_t>& shape,
                                   const std::string& what) {
  const NpyArray array = read_npy(path);
  if (!shape.empty() && array.shape != shape) {
    throw DataError(path.string() + ": " + what + " of shape " + shape_text(shape) + " expected, found " +
                    shape_text(array.shape));
  }
  std::vector<uint8_t> bytes;
  bytes.reserve(static_cast<size_t>(array.size()));
  for (const double value : array.as_double()) {
    if (value != 0.0 && value != 1.0)
      throw DataError(path.string() + ": " + what + " must be 0 or 1, found " + format_real(value));
    bytes.push_back(static_cast<uint8_t>(value));
  }
  return bytes;
}

}  // namespace

LabelMatrix ScoredTracks::label_matrix() const {
  return {n_tracks, n_tags, labels.data(), known.empty() ? nullptr : known.data()};
}

ScoreMatrix ScoredTracks::score_matrix() const {
  return {n_tracks, n_tags, float64.empty() ? float32.data() : nullptr, float64.empty() ? nullptr : float64.data()};
}

namespace {

// A row whose scores or labels were changed after it was written, or that was changed itself.
void require_rows_metrics(const ScoredTracks& tracks, const RunStore& run, const Row& row) {
  if (!row.metrics || row.metrics->per_tag.size() != static_cast<size_t>(tracks.n_tags)) return;
  const std::string cell = run.cell_directory(row.cell.key()).string();
  TaggingMetrics found;
  try {
    found = compute_metrics(tracks.label_matrix(), tracks.score_matrix());
  } catch (const DataError& error) {
    throw DataError(cell + "/scores.npy: " + error.what());
  }
  // Sums in another order differ by less.
  constexpr double kRounding = 1e-9;
  const auto differ = [](const MetricValue& a, const MetricValue& b) {
    return a.value.has_value() != b.value.has_value() || (a.value && std::abs(*a.value - *b.value) > kRounding);
  };
  for (size_t k = 0; k < found.per_tag.size(); ++k) {
    const TagMetrics& computed = found.per_tag[k];
    const TagMetrics& told = row.metrics->per_tag[k];
    if (!differ(computed.roc_auc, told.roc_auc) && !differ(computed.average_precision, told.average_precision))
      continue;
    throw DataError(cell + ": row.json does not tell the metrics of its scores.npy and tracks.csv (tag '" +
                    row.tags[k] + "'): one of the files was changed; delete the folder and run the experiment again");
  }
}

}  // namespace

ScoredTracks scored_tracks(const RunStore& run, const Row& row) {
  RunStore::Scores stored = run.scores(row);
  ScoredTracks tracks;
  tracks.n_tracks = stored.n_tracks;
  tracks.n_tags = stored.n_tags;
  tracks.tags = row.tags;
  tracks.track_ids = std::move(stored.track_ids);
  tracks.groups = std::move(stored.groups);
  tracks.labels = std::move(stored.labels);
  tracks.float32 = std::move(stored.scores);
  if (std::find(tracks.labels.begin(), tracks.labels.end(), kMissingLabel) != tracks.labels.end()) {
    tracks.known.reserve(tracks.labels.size());
    for (uint8_t& label : tracks.labels) {
      tracks.known.push_back(label == kMissingLabel ? 0 : 1);
      if (label == kMissingLabel) label = 0;
    }
  }
  require_rows_metrics(tracks, run, row);
  return tracks;
}

ScoredTracks read_score_files(const std::filesystem::path& labels, const std::filesystem::path& scores,
                              const std::filesystem::path& mask, const std::filesystem::path& tags) {
  const NpyArray array = read_npy(scores);
  if (array.shape.size() != 2 || array.shape[0] < 1 || array.shape[1] < 1) {
    throw DataError(scores.string() + ": scores [tracks, tags] of at least one each were expected, found " +
                    shape_text(array.shape));
  }
  if (!array.is_floating())
    throw DataError(scores.string() + ": scores of type <f4 or <f8 expected, found " + array.descr);
  ScoredTracks tracks;
  tracks.n_tracks = array.shape[0];
  tracks.n_tags = array.shape[1];
  if (array.descr == "<f4") {
    tracks.float32 = array.as_float();
  } else {
    tracks.float64 = array.as_double();
  }
  tracks.labels = read_zero_one(labels, array.shape, "labels");
  if (!mask.empty()) {
    tracks.known = read_zero_one(mask, array.shape, "the mask");
    for (size_t i = 0; i < tracks.known.size(); ++i)
      tracks.labels[i] = static_cast<uint8_t>(tracks.labels[i] & tracks.known[i]);
  }
  if (tags.empty()) return tracks;
  tracks.tags = read_tag_file(tags);
  if (static_cast<int64_t>(tracks.tags.size()) != tracks.n_tags) {
    throw DataError(tags.string() + ": one name per column of the scores expected, " + std::to_string(tracks.n_tags) +
                    ", found " + std::to_string(tracks.tags.size()));
  }
  return tracks;
}

TaggingReplicates resample(const ScoredTracks& tracks, const std::string& split, bool multiclass, int resamples,
                           uint64_t seed, int threads) {
  const BootstrapOptions options{resamples, derived_seed(seed, {"tracks", split}), threads};
  return bootstrap_metrics(tracks.label_matrix(), tracks.score_matrix(), group_indices(tracks.groups), options,
                           multiclass);
}

const Replicates& replicates_of(const TaggingReplicates& replicates, const std::string& metric) {
  using Get = const Replicates& (*)(const TaggingReplicates&);
  static const std::vector<std::pair<std::string, Get>> entries = {
      {"roc_auc", [](const TaggingReplicates& r) -> const Replicates& { return r.macro.roc_auc; }},
      {"average_precision", [](const TaggingReplicates& r) -> const Replicates& { return r.macro.average_precision; }},
      {"roc_auc_micro", [](const TaggingReplicates& r) -> const Replicates& { return r.micro.roc_auc; }},
      {"average_precision_micro",
       [](const TaggingReplicates& r) -> const Replicates& { return r.micro.average_precision; }},
      {"roc_auc_weighted", [](const TaggingReplicates& r) -> const Replicates& { return r.weighted.roc_auc; }},
      {"average_precision_weighted",
       [](const TaggingReplicates& r) -> const Replicates& { return r.weighted.average_precision; }},
      {"accuracy", [](const TaggingReplicates& r) -> const Replicates& { return r.accuracy; }},
      {"log_loss", [](const TaggingReplicates& r) -> const Replicates& { return r.log_loss; }}};
  return find_registered(entries, metric, "metric", [](const auto& entry) { return entry.first; }).second(replicates);
}

const Replicates& replicates_of_tag(const TaggingReplicates& replicates, const std::string& metric, size_t tag) {
  const auto& averages = replicates.per_tag.at(tag);
  return metric == "roc_auc" ? averages.roc_auc : averages.average_precision;
}

ScoredTracks select_tracks(const ScoredTracks& tracks, const std::vector<std::string>& track_ids) {
  std::unordered_map<std::string, size_t> places;
  for (size_t i = 0; i < tracks.track_ids.size(); ++i) places.emplace(tracks.track_ids[i], i);
  ScoredTracks selected;
  selected.n_tracks = static_cast<int64_t>(track_ids.size());
  selected.n_tags = tracks.n_tags;
  selected.tags = tracks.tags;
  selected.track_ids = track_ids;
  const auto width = static_cast<std::ptrdiff_t>(tracks.n_tags);
  for (const std::string& id : track_ids) {
    const auto place = places.find(id);
    if (place == places.end()) throw DataError("track " + id + " is not among the scored ones");
    if (!tracks.groups.empty()) selected.groups.push_back(tracks.groups[place->second]);
    const auto begin = static_cast<std::ptrdiff_t>(place->second) * width;
    const auto copy_row = [&](const auto& from, auto& to) {
      if (!from.empty()) to.insert(to.end(), from.begin() + begin, from.begin() + begin + width);
    };
    copy_row(tracks.labels, selected.labels);
    copy_row(tracks.known, selected.known);
    copy_row(tracks.float32, selected.float32);
    copy_row(tracks.float64, selected.float64);
  }
  return selected;
}

std::vector<std::string> common_track_ids(const std::vector<const ScoredTracks*>& all) {
  if (all.empty()) throw std::logic_error("common_track_ids: no tracks");
  std::unordered_map<std::string, size_t> seen;
  for (const ScoredTracks* each : all) {
    for (const std::string& id : each->track_ids) ++seen[id];
  }
  std::vector<std::string> common;
  for (const std::string& id : all.front()->track_ids) {
    if (seen[id] == all.size()) common.push_back(id);
  }
  return common;
}

std::string label_problem(const ScoredTracks& a, const ScoredTracks& b) {
  if (a.n_tags != b.n_tags) return "tags: " + std::to_string(a.n_tags) + " and " + std::to_string(b.n_tags);
  if (a.tags != b.tags && !a.tags.empty() && !b.tags.empty()) return "tags: other names or another order";
  if (a.n_tracks != b.n_tracks) return "tracks: " + std::to_string(a.n_tracks) + " and " + std::to_string(b.n_tracks);
  const auto all_known = [](const ScoredTracks& tracks) {
    return std::all_of(tracks.known.begin(), tracks.known.end(), [](uint8_t known) { return known == 1; });
  };
  const bool same_known = a.known == b.known || (all_known(a) && all_known(b));
  if (a.labels != b.labels || !same_known) return "labels: the same tracks have different labels";
  return "";
}

bool has_groups(const ScoredTracks& tracks) {
  std::set<std::string> seen;
  return std::any_of(tracks.groups.begin(), tracks.groups.end(),
                     [&](const std::string& group) { return !group.empty() && !seen.insert(group).second; });
}

}  // namespace tagbench
