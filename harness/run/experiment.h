#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/audio/pcm_cache.h"
#include "harness/core/config.h"
#include "harness/nn/tagger.h"
#include "harness/run/protocol.h"
#include "perturbations/condition.h"
#include "results/row.h"
#include "splits/dataset.h"

namespace tagbench {

// One architecture as an experiment asks for it.
struct ModelRequest {
  std::string label;  // in tables: "short (n_channels=16)"
  const ModelEntry* entry = nullptr;
  std::vector<std::pair<std::string, std::string>> given_options;
  std::filesystem::path weights;  // "" to train
  std::string weights_sha256;
  bool names_tags = true;  // false: given weights that do not tell which tag an output is

  Options options() const { return {entry->name, entry->options, given_options}; }
  bool is_script() const;
};

// An experiment file, checked and resolved. Everything that a run does follows from it.
struct Experiment {
  std::string name;
  Dataset dataset;
  std::vector<std::string> splits;  // names of dataset.splits
  std::vector<ModelRequest> models;
  Protocol protocol;
  std::vector<int64_t> seeds;
  std::vector<Condition> conditions;  // "clean" first
  int64_t perturbation_seed = 0;
  std::string device = "cpu";
  int threads = 1;
  std::string precision = "fp32";
  PcmCacheOptions cache;
  PcmCacheOptions rendered_cache;  // of perturbed audio; without a directory: none is kept
  bool strict = false;
  bool throughput = false;  // also measure speed
  std::filesystem::path output;
  int resamples = 1000;  // of the tables' bootstrap
  std::string resolved;  // with every override applied and every default filled in, as YAML
};

// $XDG_CACHE_HOME/tagbench/pcm, or the same below ~/.cache.
std::filesystem::path default_cache_directory();

// Keys of an experiment file; the command line's long flags have the same names.
const std::vector<std::string>& experiment_keys();

// Errors: UsageError for anything unknown, missing or contradictory (file, line, nearest known name); DataError for the
// dataset.
Experiment load_experiment(const ConfigNode& config);

// One unit of work: a row of results.
struct Cell {
  CellId id;
  size_t model = 0;      // into experiment.models
  size_t split = 0;      // into experiment.splits
  size_t seed = 0;       // into experiment.seeds
  size_t condition = 0;  // into experiment.conditions
  std::string key;
  std::string trained_by;  // key of the clean cell, which holds the training; "" for given weights
};

// Every cell, in the order split, model, seed, condition. `audio_settings` is "16-bit, best": how files are decoded and
// resampled.
std::vector<Cell> plan_cells(const Experiment& experiment, const std::string& audio_settings);

}  // namespace tagbench
