#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/run/experiment.h"
#include "results/run_store.h"

namespace tagbench {

struct InvarianceOptions {
  int cells = 4;            // re-scored, spread evenly over the finished ones
  double tolerance = 1e-6;  // by which a metric may move: far below what a table shows, far above rounding in a mean
};

// One cell, scored anew under other settings.
struct InvarianceItem {
  std::string subject;       // "short, split default, seed 1, clean"
  std::string settings;      // "1 thread, batches of 1 chunk"
  std::string metric;        // the one that moved most: "roc_auc", "average_precision of guitar"
  double moved = 0.0;        // by how much
  double score_moved = 0.0;  // the largest change of a score
  std::string problem;       // why it cannot be told: other tracks, metrics that are no longer defined
  bool holds = false;
};

struct InvarianceReport {
  std::vector<InvarianceItem> items;
  int64_t n_finished = 0;  // cells of the experiment that are done
  int64_t n_foreign = 0;   // rows of the run that are none of this experiment's
  bool holds() const;
};

// Scores finished cells of a run again with other batch sizes and numbers of threads (those that render and those that
// compute) and compares every metric, over all tags and of single ones, with the stored one. `experiment` is the run's
// own. Nothing is written into the run. Errors: DataError if no cell of the experiment is done, and as run_experiment.
InvarianceReport check_invariance(const Experiment& experiment, const RunStore& store,
                                  const InvarianceOptions& options);

}  // namespace tagbench
