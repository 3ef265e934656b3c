#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/json.h"
#include "harness/metrics/metrics.h"

namespace tagbench {

constexpr int kRowSchemaVersion = 1;
// Raised whenever a score or metric of unchanged settings moves; part of every cell's key.
constexpr int kConformance = 2;

// Everything that decides a cell's numbers, in words. Its hash is the cell's key.
struct CellId {
  std::string dataset;  // "synth", with the options that decide content: "synth:tracks=240"
  std::string task;     // "multilabel", "multiclass", "partial"
  std::string split;    // "default", "fold3"
  std::string split_sha256;
  std::string model;            // registry name: "short"
  std::string model_options;    // canonical text of all options
  std::string weights_sha256;   // "" when trained here
  std::string protocol;         // name
  std::string protocol_sha256;  // of the resolved protocol
  int64_t seed = 0;             // of training
  std::string condition;        // label: "clean", "drc:preset=speech"
  std::string condition_key;    // Condition::key(), with versions
  int64_t perturbation_seed = 0;
  std::string audio;      // decoding and resampling: "16-bit, best"
  std::string precision;  // "fp32", "bf16"
  int conformance =
      kConformance;  // of the code that computed it; rows of other numbers can be read and compared, never merged

  Json to_json() const;
  // `source` begins the messages: the file's name. Errors: DataError for missing or ill-typed fields.
  static CellId from_json(const Json& json, const std::string& source = "cell");
  // 32 hexadecimal digits: SHA-256 (first half) of the canonical JSON, schema and conformance number included.
  std::string key() const;
};

struct TrackFailure {
  std::string id;
  std::string message;
};

// What was reached by a perturbation over the tracks of a cell. Values that are not finite are null in files.
struct ReachedSummary {
  int64_t n = 0;
  double mean = 0.0;
  double minimum = 0.0;
  double maximum = 0.0;
};

// One row of results. Metrics are absent (null with a reason) where undefined; a failed cell is a row with a message.
struct Row {
  static constexpr int64_t kNotCounted = -1;

  CellId cell;
  std::string status = "done";  // "done", "failed"
  std::string message;          // of a failure
  std::string model_label;      // as in tables: "short (n_channels=16)"
  std::string tracks;           // which of the test tracks: "" all, "unseen artists" (RunStore::of_unseen_artists)
  std::optional<TaggingMetrics> metrics;
  std::vector<std::string> tags;
  int64_t n_tracks = 0;                // scored
  int64_t n_short_tracks = 0;          // shorter than a chunk: repeated or padded as the protocol says; or kNotCounted
  std::vector<TrackFailure> failures;  // tracks left out
  std::map<std::string, ReachedSummary> reached;
  int64_t parameters = 0;
  int64_t multiply_adds = 0;  // per chunk
  int64_t input_samples = 0;
  int sample_rate_hz = 0;
  std::string trained_by;  // key of the cell that holds the training; "" for given weights
  Json software;           // versions, commit, device, threads, BLAS
  std::optional<double>
      seconds;  // kept in timing.json, so that row.json has the same bytes however often a run was stopped

  Json to_json() const;  // without seconds
  // Errors: DataError for another schema version (names both and says what to do), missing or ill-typed fields, and
  // values that contradict each other (numbers of tags, unknown undefined tags); the message names source, field and
  // what to do.
  static Row from_json(const Json& json, const std::string& source);
};

// {"n_tracks", "n_tags", "macro": {"roc_auc", "average_precision"[, "reason"]}, "micro", "weighted", "log_loss",
// "accuracy"[, "reasons"], "per_tag": [{"tag", "n_positive", "n_known", "roc_auc", "average_precision"[, "reason"]}],
// "undefined_tags": [names]}. A reason stands wherever a value is null. Errors: std::logic_error if the number of names
// differs from the number of tags.
Json metrics_to_json(const TaggingMetrics& metrics, const std::vector<std::string>& tags);

// Names by which tables, CSV files, checks and comparisons call the metrics of a row, in the order in which they are
// listed: roc_auc, average_precision (macro means), roc_auc_micro, average_precision_micro, roc_auc_weighted,
// average_precision_weighted, accuracy, log_loss.
const std::vector<std::string>& metric_names();
// "ROC-AUC (macro)". Errors: UsageError for an unknown name.
std::string metric_title(const std::string& name);
// A sentence for users. Errors: UsageError for an unknown name.
std::string metric_definition(const std::string& name);
// True for log_loss alone: smaller is better.
bool smaller_is_better(const std::string& metric);
// Errors: UsageError for an unknown name (lists the known ones).
const MetricValue& metric_of(const TaggingMetrics& metrics, const std::string& name);
// The row's metric; where the row failed, nothing with the failure as the reason.
MetricValue metric_of(const Row& row, const std::string& name);

}  // namespace tagbench
