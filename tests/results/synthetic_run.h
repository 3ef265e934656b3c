#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "results/row.h"
#include "results/run_store.h"

namespace tagbench::testing {

// What a made-up cell is made of. Scores are label * skill + noise, so that a larger skill gives better metrics.
struct SyntheticCell {
  std::string model = "short";
  std::string condition = "clean";
  std::string split = "default";
  int64_t seed = 1;
  double skill = 1.0;
  std::string task = "multilabel";
  int64_t n_tracks = 60;
  int64_t n_tags = 4;
  double unknown_share = 0.0;  // of the labels
};

struct SyntheticScores {
  Row row;
  std::vector<std::string> track_ids;
  std::vector<std::string> groups;
  std::vector<uint8_t> labels;
  std::vector<float> scores;
};

// Labels depend on split and size alone, as in a real run: all models and conditions see the same tracks.
SyntheticScores synthetic_scores(const SyntheticCell& cell);
// Puts the cell into the run and returns its row.
Row add_cell(const RunStore& run, const SyntheticCell& cell);
Row add_cell(const RunStore& run, const SyntheticScores& cell);
Row add_failed_cell(const RunStore& run, const SyntheticCell& cell, const std::string& message);
// run.json with the order of models and conditions.
void write_run_order(const RunStore& run, const std::vector<std::string>& models,
                     const std::vector<std::string>& conditions);

}  // namespace tagbench::testing
