#pragma once

#include <memory>
#include <string>

#include "harness/run/experiment.h"
#include "results/run_store.h"

namespace tagbench {

struct RunOptions {
  std::string command_line;
  int shard_index = 0;  // this process takes every shard_count-th cell, beginning with shard_index
  int shard_count = 1;
  bool fresh = false;  // forget what the run directory holds of this experiment
  bool train_only = false;
};

struct RunSummary {
  int64_t n_cells = 0;     // of this shard
  int64_t n_computed = 0;  // now; the others were finished before
  int64_t n_failed = 0;
};

// Does everything an experiment asks for and is not finished yet: prepares audio, trains, renders each condition once
// per track, scores it with every architecture, and finishes one cell after the other. A failing cell becomes a row
// with its message and does not stop the others. Several processes may work on one run directory: each unit of work is
// claimed. Errors: Interrupted (finished work is kept); DataError with `strict` for the first unusable track.
RunSummary run_experiment(const Experiment& experiment, const RunStore& store, const RunOptions& options);

// A cell's architecture with its weights, given or trained in this run, on the processor. Errors: DataError if they are
// missing or do not fit.
std::shared_ptr<Tagger> load_tagger(const Experiment& experiment, const RunStore& store, const Cell& cell);

// What run_experiment would trip over early, without computing: devices, weights that do not fit, a protocol that does
// not suit the dataset's task or split, audio files that are missing, an output that cannot be written. Errors: the
// first of them.
void validate_experiment(const Experiment& experiment);

}  // namespace tagbench
