#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "results/run_store.h"
#include "results/scored_tracks.h"

// What changed between two runs, two rows or two score files.
namespace tagbench {

// B minus A on the same tracks; folds and seeds averaged.
struct PairedDifference {
  std::string subject;    // architecture; "A | B" where the two have different names
  std::string condition;  // "" for score files
  std::string metric;
  std::string tag;  // "": over all tags
  std::optional<double> a, b;
  std::optional<double> difference;
  // 95 % interval of the difference: bootstrap over tracks; of the ROC-AUC of single tags after DeLong.
  std::optional<double> low, high;
  std::optional<double> p_value;     // two-sided, of no difference
  std::optional<double> p_adjusted;  // Holm over all overall comparisons of the metric; Benjamini-Hochberg over the
                                     // tags of one comparison
  std::optional<double> seed_error;  // standard error by the spread over seeds, not in the interval; overall only
  int64_t n_tracks = 0;              // compared, over all folds
  std::string reason;                // why something is absent

  bool matters() const { return p_adjusted && *p_adjusted < 0.05; }
};

// A speed of B against the same of A.
struct SpeedDifference {
  std::string model_label;
  std::string settings;  // "whole, fp32, cpu, 2 threads, batch 16"
  std::string quantity;  // "clips/s", "latency p50 ms", "peak memory MiB"
  double a = 0.0;
  double b = 0.0;
  std::optional<double> spread_a, spread_b;  // half the interquartile range over repetitions
  bool beyond_spread = false;                // differs by more than both spreads together
};

struct SettingDifference {
  std::string where;  // "config", "environment", "rows"
  std::string name;   // "dataset.root"
  std::string a, b;   // "(absent)" where one lacks it
};

struct RunComparison {
  std::string name_a, name_b;
  std::vector<PairedDifference> overall;  // by what matters: surely different first, then by size
  std::vector<PairedDifference> per_tag;  // likewise
  std::vector<SpeedDifference> speed;
  std::vector<SettingDifference> settings;
  std::vector<std::string> gaps;   // what half-written runs lack
  std::vector<std::string> notes;  // what could not be compared, and why; what differs between the cells compared
};

struct CompareOptions {
  int resamples = 1000;
  uint64_t seed = 1;
  int threads = 1;
  bool per_tag = true;
};

// A run's folder, or one cell of it (its folder or its row.json). Errors: DataError if it is neither.
struct ComparedSide {
  RunStore run;
  std::vector<Row> rows;
  bool single_row = false;

  static ComparedSide open(const std::filesystem::path& path);
  // The same rows on the test tracks of unseen artists (RunStore::of_unseen_artists).
  ComparedSide of_unseen_artists() const;
};

// Cells with their counterparts (match_cells); two single rows are matched whatever they are, as long as tracks and
// tags are the same. Different splits or labels are never compared, and of several cells of one name none is picked: a
// note says so, as of every other setting in which two counterparts differ. Folds of one assignment are averaged, other
// splits stand alone. Tracks that only one side has are left out and counted. Where scores cannot be used, the values
// of the rows are compared without interval. Errors: DataError for damaged rows.
RunComparison compare_runs(const ComparedSide& a, const ComparedSide& b, const CompareOptions& options);

// Two score sets for the same labels. Errors: DataError if their sizes or labels differ.
RunComparison compare_score_files(const ScoredTracks& a, const ScoredTracks& b, const std::string& name_a,
                                  const std::string& name_b, const CompareOptions& options);

// Aligned Markdown: overall, the tags that matter (at most `most_tags` others), speed, settings, notes.
std::string comparison_table(const RunComparison& comparison, size_t most_tags = 10);
Json comparison_json(const RunComparison& comparison);

}  // namespace tagbench
