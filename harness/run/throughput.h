#pragma once

#include <string>
#include <vector>

#include "harness/run/experiment.h"
#include "results/run_store.h"

namespace tagbench {

struct ThroughputTask {
  std::string model_label;
  const ModelEntry* entry = nullptr;
  std::vector<std::pair<std::string, std::string>> options;
  std::string device = "cpu";
  std::string precision = "fp32";
  int threads = 1;
  int repetitions = 5;
  double min_time_s = 0.5;   // per repetition
  double max_spread = 0.10;  // noise gate: relative interquartile range of the repetitions
};

// Measures one architecture in this process: front end, network, and both together, at batch 1 (latency percentiles)
// and batch 16 (clips per second), with random weights and noise as input. Warm-up first; the monotonic clock; the
// device is synchronised. A measurement whose repetitions spread more than max_spread, or that ran beside other load,
// is kept and marked invalid.
std::vector<ThroughputRow> measure_throughput(const ThroughputTask& task);

// The same in a fresh process of this program, so that neither memory nor caches of other architectures count.
// Errors: MeasurementError if the process fails.
std::vector<ThroughputRow> measure_in_fresh_process(const ThroughputTask& task);

// Measures the experiment's architectures that the run holds no throughput for, and stores it.
void measure_missing_throughput(const Experiment& experiment, const RunStore& store);

}  // namespace tagbench
