#pragma once

#include <cstdint>
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
  std::optional<double> mean;       // over seeds and folds
  std::optional<double> deviation;  // sample standard deviation over seeds and folds; absent for fewer than two
  std::optional<double> low, high;  // 95 % bootstrap interval over tracks
  int64_t n = 0;                    // how many rows went in
  bool best = false;                // no other architecture is as good within the paired interval over tracks
  std::string reason;               // why there is no mean
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
  int resamples = 0;                    // of the intervals; 0: none
  std::vector<std::string> conditions;  // labels, "clean" first where the run lists it so
  std::vector<Line> lines;
  std::vector<std::string> notes;  // counted omissions: undefined tags, short tracks, failed cells, left-out tracks
};

struct ReportOptions {
  int resamples = 1000;  // of the bootstrap; 0: no intervals, nothing is marked best
  uint64_t seed = 1;
  // Bound on the work: labels times resamples. Beyond it fewer resamples are drawn, at least 200; beyond that intervals
  // are given for the clean condition only, or not at all, and a note says so. The default takes about 10 s on two
  // cores.
  int64_t most_resampled_labels = int64_t{6} * 1000 * 1000 * 1000;
};

// One table per metric and (dataset, protocol). Folds (splits named fold1, fold2, ...) are averaged, as are seeds. Rows
// that differ in split hash, protocol, audio decoding, precision or conformance are never averaged or compared: they
// stand in tables of their own, and a note says so. Intervals and the mark `best` come from one bootstrap over tracks
// (over groups where known), the same resamples for every architecture; seeds are averaged within a resample, folds are
// resampled apart and averaged. What is not known to the interval: how another training run would have ended; that is
// the deviation over seeds.
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
