#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/core/json.h"
#include "results/row.h"
#include "results/run_store.h"

namespace tagbench {

// One cell of the unified table: a value over seeds and folds.
struct TableValue {
  std::optional<double> mean;  // over seeds and folds
  // Sample standard deviation over seeds (folds averaged within each); over folds where there is one seed; absent for
  // fewer than two.
  std::optional<double> deviation;
  std::optional<double> low, high;  // 95 % bootstrap interval over tracks
  int64_t n = 0;                    // how many rows went in
  bool best = false;                // no other architecture is as good within the paired interval over tracks
  std::string reason;               // why there is no mean
};

// Between two architectures on the same tracks: a minus b.
struct LineComparison {
  size_t a = 0, b = 0;    // into lines
  std::string condition;  // one of the table's, or "mean drop"
  std::optional<double> difference;
  std::optional<double> low, high;   // 95 % bootstrap interval over tracks, for the trainings as they are
  std::optional<double> p_value;     // two-sided, of no difference
  std::optional<double> p_adjusted;  // after Holm, over the pairs of this table and condition
  std::optional<double> seed_error;  // standard error of the difference by the spread over seeds, not in the interval
  std::string reason;                // why something is absent

  bool is_sure() const { return p_adjusted && *p_adjusted < 0.05; }
};

// The same of one tag's ROC-AUC under the clean condition, after DeLong.
struct TagComparison {
  size_t a = 0, b = 0;
  std::string tag;
  std::optional<double> difference;
  std::optional<double> low, high;
  std::optional<double> p_value;
  std::optional<double> p_adjusted;  // after Benjamini and Hochberg, over the tags of this pair
  std::string reason;

  bool is_sure() const { return p_adjusted && *p_adjusted < 0.05; }
};

// One tag's ROC-AUC under the clean condition, over seeds and folds, with DeLong's interval.
struct TagEstimate {
  size_t line = 0;  // into lines
  std::string tag;
  std::optional<double> roc_auc;
  std::optional<double> low, high;  // 95 %, over tracks (whole groups where known)
  std::string reason;               // why something is absent
};

// What an architecture keeps of a metric under perturbation (harness/metrics/robustness.h). Of the mean values over
// seeds and folds; deviations over seeds.
struct RobustnessFigures {
  std::vector<TableValue> drops;                    // per condition: clean minus it; none for clean
  std::vector<std::optional<double>> ranks;         // per condition, 1 is the best
  std::vector<std::optional<double>> rank_changes;  // rank when clean minus rank under the condition
  TableValue perturbed_mean;                        // mean over the conditions, clean not among them
  TableValue relative_robustness;                   // share of what lies above chance that is left
  TableValue corruption_error;                      // against the reference, per perturbation, averaged
  TableValue relative_corruption_error;             // the same of losses
  std::vector<TableValue> severity_areas;           // per ladder of the table
};

// A change made in the score beside the same change made by processing the sound (oracle.h).
struct OracleLine {
  std::string model_label;
  std::string change;         // "pitch_shift semitones=1"
  std::string engine;         // "rubberband_r2"
  TableValue true_loss;       // clean minus the change in the score
  TableValue processed_loss;  // clean minus the processed change
  TableValue artefact;        // processed minus true loss
};

// The unified table: architectures down; conditions, mean drop, parameters, throughput across. Built from stored rows
// and scores only.
struct ResultTable {
  struct Line {
    std::string model_label;         // with the start of the weights' hash where one label stands for several
    std::vector<TableValue> values;  // one per condition, of the table's metric
    TableValue mean_drop;            // clean minus the mean over the other conditions
    int64_t parameters = 0;          // 0: not known, all cells failed
    std::optional<double> clips_per_s;
    std::optional<double> clips_per_s_spread;
    std::optional<double> latency_p50_ms;
    std::string throughput_note;    // "invalid: ..." where the noise gate closed
    int64_t n_failed = 0;           // cells that failed
    int64_t n_tracks_left_out = 0;  // different tracks, over all cells
    std::vector<std::string> keys;  // of the cells that went in
    RobustnessFigures robustness;   // empty where the table has no clean condition, or nothing else
  };
  std::string metric;  // "roc_auc", "average_precision", "accuracy"
  std::string dataset;
  std::string task;
  std::string split;         // "default", "fold1 to fold5"
  std::string split_sha256;  // of a single split; for folds the hash of all their names and hashes
  std::string protocol;
  std::string protocol_sha256;
  std::string precision;
  std::string audio;
  std::string tracks;  // Row::tracks
  int conformance = 0;
  std::vector<std::pair<std::string, std::string>> splits;  // name and SHA-256 of each
  std::vector<int64_t> seeds;
  int resamples = 0;  // of the intervals; 0: none
  // Cells hold different tracks: mean drops, robustness figures and differences are of the tracks that all hold, the
  // values under single conditions of the cell's own.
  bool on_common_tracks = false;
  std::vector<std::string> conditions;      // labels, "clean" first where the run lists it so
  std::vector<std::string> condition_keys;  // with every parameter and version
  std::vector<Line> lines;
  std::string reference;                    // architecture that corruption errors compare with; "" without robustness
  double chance = 0.5;                      // what guessing reaches
  std::vector<std::string> ladders;         // perturbations at two steps of their ladder or more: "mp3"
  std::vector<LineComparison> comparisons;  // see compare_lines
  std::vector<TagEstimate> tag_estimates;   // of the ROC-AUC table
  std::vector<TagComparison> tag_comparisons;  // likewise
  std::string tags_shown;                      // "without 2 tags that conditions may falsify"; "" for all
  std::vector<OracleLine> oracle;
  std::vector<std::string> notes;  // counted omissions: undefined tags, short tracks, failed cells, left-out tracks
};

// What becomes of tags whose labels a condition of the run may have made wrong (tag_selection.h).
enum class FalsifiedTags {
  kKeep,   // they count as the others do
  kOmit,   // macro means run over the other tags, under every condition, so that they compare
  kApart,  // the same, and a table of these tags alone after each
};

struct ReportOptions {
  int resamples = 1000;  // of the bootstrap; 0: no intervals, nothing is marked best
  uint64_t seed = 1;
  // Bound on the work: labels times resamples. Beyond it fewer resamples are drawn, at least 200; beyond that intervals
  // are given for the clean condition only, or not at all, and a note says so. The default takes about 10 s on two
  // cores.
  int64_t most_resampled_labels = int64_t{6} * 1000 * 1000 * 1000;
  FalsifiedTags falsified_tags = FalsifiedTags::kKeep;
  // Tag -> kind, in place of what its name says; borrowed, null for none.
  const std::map<std::string, std::string>* tag_kinds = nullptr;
  // Label of the architecture that corruption errors compare with; "": the first of each table.
  std::string reference{};
};

// One table per metric and (dataset, protocol). Folds (splits named fold1, fold2, ...) are averaged, as are seeds. Rows
// that differ in split hash, protocol, audio decoding, precision or conformance are never averaged or compared: they
// stand in tables of their own, and a note says so. Intervals and the mark `best` come from one bootstrap over tracks
// (over groups where known), the same resamples for every architecture; seeds are averaged within a resample, folds are
// resampled apart and averaged. What is not known to the interval: how another training run would have ended; that is
// the deviation over seeds. Errors: UsageError for a reference that no table has.
std::vector<ResultTable> build_tables(const RunStore& run, const ReportOptions& options);

struct ReportFormat {
  std::string name;  // "md"
  std::string summary;
  std::string extension;  // "md"
  std::string (*write)(const RunStore& run, const std::vector<ResultTable>& tables) = nullptr;
};

const std::vector<ReportFormat>& report_formats();
const ReportFormat& find_report_format(std::string_view name);

}  // namespace tagbench
