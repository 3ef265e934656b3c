#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/core/files.h"
#include "harness/core/json.h"
#include "results/row.h"
#include "results/unseen_artists.h"

namespace tagbench {

// The value of labels that are not known; "?" in tracks.csv.
constexpr uint8_t kMissingLabel = 255;

// Of run.json. A run.json without a version is of version 1.
constexpr int kRunSchemaVersion = 1;

// One line of the throughput measurement, beside the cells.
struct ThroughputRow {
  std::string model_label;
  std::string part;       // "front_end", "network", "whole"
  std::string precision;  // "fp32", "bf16"
  std::string device;
  int threads = 0;
  int64_t batch = 1;
  int repetitions = 0;
  std::optional<double> p50_ms, p90_ms, p99_ms;           // latency of one batch
  std::optional<double> clips_per_s, clips_per_s_spread;  // median and half the interquartile range over repetitions
  std::optional<double> audio_s_per_s;
  std::optional<double> peak_memory_mib;
  int64_t parameters = 0;
  int64_t multiply_adds = 0;
  double load_average = 0.0;
  bool valid = true;
  std::string invalid_reason;

  Json to_json() const;
  static ThroughputRow from_json(const Json& json, const std::string& source);
};

class UnseenArtistsFilter;

// A run's directory: RUN/run.json, config.resolved.yaml, env.json, log.txt, cells/<key>/{row.json, timing.json,
// scores.npy, tracks.csv, training.jsonl, checkpoint/}, splits/<sha256>.json, bench/*.json, report/. Several processes
// and machines may fill one run.
class RunStore {
 public:
  // Creates the folders. Errors: UsageError if the folder cannot be written.
  static RunStore create(const std::filesystem::path& directory);
  // Errors: DataError if it is no run directory.
  static RunStore open(const std::filesystem::path& directory);

  const std::filesystem::path& directory() const { return directory_; }
  std::filesystem::path cell_directory(const std::string& key) const { return directory_ / "cells" / key; }
  // True once row.json is there, also that of a failed cell.
  bool is_finished(const std::string& key) const;
  // The stored row of a cell, or nothing if it is not finished. Errors: DataError if row.json is damaged or belongs to
  // another cell.
  std::optional<Row> row(const std::string& key) const;

  // The file in a cell's folder that claim() locks.
  static constexpr const char* kClaim = "claim";
  // The exclusive right to work on a cell; nothing if another process has it. Ends with the process, also after kill
  // -9.
  std::optional<FileLock> claim(const std::string& key) const;

  // Finishes a cell: scores.npy, tracks.csv and timing.json first, row.json last by one rename.
  // `labels` [N, K] (0, 1, kMissingLabel) go into tracks.csv beside the ids, so that reports and comparisons need no
  // dataset. A failed row has no tracks: four empty vectors store no scores. `groups` may be empty: none is known.
  // Errors: std::logic_error for sizes that do not fit; DataError if a file cannot be written.
  void finish_cell(const Row& row, const std::vector<std::string>& track_ids, const std::vector<std::string>& groups,
                   const std::vector<uint8_t>& labels, const std::vector<float>& scores) const;

  // Removes what a cell's folder holds, but for the claim and the files named: whoever waits for a lock waits for that
  // file. The caller holds the claim.
  void forget_cell(const std::string& key, const std::vector<std::string>& kept) const;

  // All finished rows, sorted by model, seed, split, condition as run.json lists them (arrays of labels "models",
  // "seeds", "splits", "conditions"); what is not listed comes last, alphabetically (numbers by size, "clean" before
  // other conditions). A damaged row is an error that names its file.
  std::vector<Row> rows() const;
  // All files of bench/, sorted by model as run.json lists them, then part, precision, device, threads, batch.
  std::vector<ThroughputRow> throughput() const;
  // One file per model, precision, device and number of threads; replaces what was measured before under the same four.
  void write_throughput(const std::vector<ThroughputRow>& rows) const;

  // Removes the measurements of these labels.
  void forget_throughput(const std::set<std::string>& model_labels) const;

  // What finish_cell stored. Errors: DataError if a file is missing or does not fit the row; also for a row without
  // scores (a failed cell).
  struct Scores {
    std::vector<std::string> track_ids;
    std::vector<std::string> groups;
    std::vector<uint8_t> labels;  // [N, K]: 0, 1, kMissingLabel
    std::vector<float> scores;    // [N, K]
    int64_t n_tracks = 0;
    int64_t n_tags = 0;
  };
  Scores scores(const Row& row) const;

  // Errors: DataError if run.json is missing, damaged or of another schema version.
  Json read_run_json() const;
  bool has_run_json() const;
  void write_run_json(const Json& value) const;

  void write_unseen_artists(const UnseenArtists& unseen) const;
  // What write_unseen_artists stored for the cell's split. Errors: DataError if the file is missing or damaged.
  UnseenArtists read_unseen_artists(const CellId& cell) const;
  // The same run as if only the test tracks of unseen artists had been scored: rows with metrics computed from the
  // stored scores of these tracks (Row::tracks tells so), their scores, and a note in run.json's notes that counts
  // them. For reading only. Errors: as read_unseen_artists; DataError if no artist is known.
  RunStore of_unseen_artists() const;

 private:
  explicit RunStore(std::filesystem::path directory) : directory_(std::move(directory)) {}
  std::vector<std::filesystem::path> throughput_files() const;
  std::optional<Row> stored_row(const std::string& key) const;
  Scores stored_scores(const Row& row) const;
  Row restricted_row(Row row) const;
  Scores restricted_scores(const Row& row) const;
  Json restricted_run_json(Json json) const;

  std::filesystem::path directory_;
  std::shared_ptr<const UnseenArtistsFilter> unseen_artists_;  // null: all tracks
};

}  // namespace tagbench
