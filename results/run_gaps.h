#pragma once

#include <string>
#include <vector>

#include "results/run_store.h"

namespace tagbench {

// What a run lacks, in sentences; empty where it lacks nothing.
struct RunGaps {
  // It was not run to its end: run.json is missing or has no status, or another than done (failed cells are no gap,
  // they have rows); cells were begun and have no row.json.
  std::vector<std::string> unfinished;
  // Rows that run.json's lists lead to expect, models x splits x seeds x conditions, and that are not there. A folder
  // that was filled by several calls may lack them on purpose. Given weights count once, they have no training seed.
  std::vector<std::string> missing;
};

// `rows` are the run's own (RunStore::rows). With `condition`, only rows of this condition are missed.
RunGaps run_gaps(const RunStore& run, const std::vector<Row>& rows, const std::string& condition = "");

}  // namespace tagbench
