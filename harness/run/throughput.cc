#include "harness/run/throughput.h"

#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <torch/cuda.h>
#include <torch/utils.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <optional>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/interrupt.h"
#include "harness/core/log.h"
#include "harness/core/parallel.h"
#include "harness/core/rng.h"
#include "harness/core/text.h"
#include "harness/nn/autocast.h"
#include "harness/nn/device.h"
#include "harness/nn/inference.h"
#include "harness/nn/multiply_adds.h"
#include "harness/run/architectures.h"
#include "harness/run/scorer.h"

extern char** environ;

namespace tagbench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kThroughputBatch = 16;
// Other programs may use this share of all processors before a measurement counts as disturbed.
constexpr double kMaxOtherLoad = 0.10;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Busy processor seconds of the whole machine so far (user, nice, system, irq, softirq, steal); nothing where
// /proc/stat is missing.
std::optional<double> machine_busy_s() {
  std::ifstream stat("/proc/stat");
  std::string name;
  double user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
  if (!(stat >> name >> user >> nice >> system >> idle >> iowait >> irq >> softirq >> steal)) return std::nullopt;
  return (user + nice + system + irq + softirq + steal) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double own_busy_s() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double peak_memory_mib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

double percentile(std::vector<double> values, double p) {
  std::sort(values.begin(), values.end());
  const double position = p * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (position - static_cast<double>(below)) * (values[above] - values[below]);
}

// One thing to time: its samples are collected here, iteration by iteration.
struct Case {
  std::string part;
  int64_t batch = 1;
  std::function<void()> run;
  std::vector<double> latencies_s;             // every timed iteration of every repetition
  std::vector<double> repetition_clips_per_s;  // one per repetition
  double other_load = 0.0;                     // largest of the repetitions
};

// The reporter that Google Benchmark hands its runs to: keeps each repetition's rate, prints nothing.
class CollectingReporter : public benchmark::BenchmarkReporter {
 public:
  explicit CollectingReporter(std::map<std::string, Case*> cases) : cases_(std::move(cases)) {}
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration) continue;
      const auto found = cases_.find(run.run_name.function_name);
      if (found == cases_.end() || run.iterations == 0) continue;
      const double seconds_per_iteration = run.real_accumulated_time / static_cast<double>(run.iterations);
      found->second->repetition_clips_per_s.push_back(static_cast<double>(found->second->batch) /
                                                      seconds_per_iteration);
    }
  }

 private:
  std::map<std::string, Case*> cases_;
};

void time_case(benchmark::State& state, Case& timed) {
  timed.run();  // warm-up: lazy initialisation, caches, clocks
  const double own_before = own_busy_s();
  const std::optional<double> machine_before = machine_busy_s();
  const auto begin = Clock::now();
  for (auto iteration : state) {
    (void)iteration;
    const auto start = Clock::now();
    timed.run();
    timed.latencies_s.push_back(seconds_since(start));
  }
  const double wall = seconds_since(begin);
  const std::optional<double> machine_after = machine_busy_s();
  // /proc/stat counts in hundredths of a second: shorter stretches say nothing.
  if (machine_before && machine_after && wall > 0.2) {
    const double others = (*machine_after - *machine_before) - (own_busy_s() - own_before);
    timed.other_load = std::max(timed.other_load, others / wall / available_processors());
  }
}

void run_cases(std::vector<Case>& cases, const ThroughputTask& task) {
  std::map<std::string, Case*> by_name;
  benchmark::ClearRegisteredBenchmarks();
  for (Case& timed : cases) {
    const std::string name = timed.part + "/" + std::to_string(timed.batch);
    by_name[name] = &timed;
    benchmark::RegisterBenchmark(name.c_str(), [&timed](benchmark::State& state) { time_case(state, timed); })
        ->UseRealTime()
        ->MinTime(task.min_time_s)
        ->Repetitions(task.repetitions)
        ->ReportAggregatesOnly(false);
  }
  std::vector<std::string> words = {"tagbench"};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  int argc = static_cast<int>(argv.size());
  benchmark::Initialize(&argc, argv.data());
  CollectingReporter reporter(by_name);
  benchmark::RunSpecifiedBenchmarks(&reporter);
}

ThroughputRow make_row(const Case& timed, const ThroughputTask& task, const Tagger& tagger) {
  ThroughputRow row;
  row.model_label = task.model_label;
  row.part = timed.part;
  row.precision = task.precision;
  row.device = task.device;
  row.threads = task.threads;
  row.batch = timed.batch;
  row.repetitions = static_cast<int>(timed.repetition_clips_per_s.size());
  row.p50_ms = 1e3 * percentile(timed.latencies_s, 0.50);
  row.p90_ms = 1e3 * percentile(timed.latencies_s, 0.90);
  row.p99_ms = 1e3 * percentile(timed.latencies_s, 0.99);
  const double median = percentile(timed.repetition_clips_per_s, 0.5);
  const double half_range =
      0.5 * (percentile(timed.repetition_clips_per_s, 0.75) - percentile(timed.repetition_clips_per_s, 0.25));
  row.clips_per_s = median;
  row.clips_per_s_spread = half_range;
  row.audio_s_per_s = median * static_cast<double>(tagger.facts().input_samples) / tagger.facts().sample_rate_hz;
  if (timed.other_load > kMaxOtherLoad) {
    row.valid = false;
    row.invalid_reason =
        "other programs used " + std::to_string(std::lround(100 * timed.other_load)) + " % of the processors";
  } else if (2 * half_range > task.max_spread * median) {
    row.valid = false;
    row.invalid_reason = "repetitions spread by " + std::to_string(std::lround(200 * half_range / median)) +
                         " % (at most " + std::to_string(std::lround(100 * task.max_spread)) + " % is accepted)";
  }
  return row;
}

}  // namespace

std::vector<ThroughputRow> measure_throughput(const ThroughputTask& task) {
  set_threads(task.threads);
  const torch::Device device = parse_device(task.device);
  const bool bf16 = parse_precision(task.precision) == Precision::kBf16;
  torch::manual_seed(1);
  const std::shared_ptr<Tagger> tagger =
      task.entry->make(Options(task.entry->name, task.entry->options, task.options),
                       task.entry == &script_architecture() ? 0 : task.entry->published_tags);
  tagger->to(device);
  prepare_for_inference(*tagger);
  const c10::InferenceMode inference;

  // Noise, not zeros: denormal and constant inputs take other paths through the arithmetic.
  Rng rng(1, {"throughput"});
  torch::Tensor audio = torch::empty({kThroughputBatch, tagger->facts().input_samples});
  std::generate_n(audio.data_ptr<float>(), audio.numel(), [&] { return static_cast<float>(0.1 * rng.normal()); });
  audio = audio.to(device);
  const auto wait = [&] {
    if (device.is_cuda()) torch::cuda::synchronize(device.index());
  };
  const auto network = [&](const torch::Tensor& features) {
    const AutocastGuard autocast(device, bf16);
    benchmark::DoNotOptimize(tagger->network(features).to(torch::kCPU));
  };

  std::vector<Case> cases;
  std::vector<std::vector<torch::Tensor>> features_of;  // kept alive while the cases run
  for (const int64_t batch : {int64_t{1}, kThroughputBatch}) {
    const std::vector<torch::Tensor> inputs =
        audio.slice(0, 0, batch).split(evaluation_batch(tagger->facts().input_samples));
    std::vector<torch::Tensor> features;
    for (const torch::Tensor& input : inputs) features.push_back(tagger->front_end(input));
    cases.push_back({"front_end",
                     batch,
                     [&, inputs] {
                       for (const torch::Tensor& input : inputs) benchmark::DoNotOptimize(tagger->front_end(input));
                       wait();
                     },
                     {},
                     {},
                     0.0});
    cases.push_back({"network",
                     batch,
                     [&, features] {
                       for (const torch::Tensor& feature : features) network(feature);
                     },
                     {},
                     {},
                     0.0});
    cases.push_back({"whole",
                     batch,
                     [&, inputs] {
                       for (const torch::Tensor& input : inputs) network(tagger->front_end(input));
                     },
                     {},
                     {},
                     0.0});
  }
  double load_average = 0.0;
  ::getloadavg(&load_average, 1);
  run_cases(cases, task);

  const double memory = peak_memory_mib();
  const int64_t parameters = count_parameters(*tagger);
  const int64_t operations = multiply_adds(*tagger);
  std::vector<ThroughputRow> rows;
  for (const Case& timed : cases) {
    ThroughputRow row = make_row(timed, task, *tagger);
    row.parameters = parameters;
    row.multiply_adds = operations;
    row.peak_memory_mib = memory;
    row.load_average = load_average;
    rows.push_back(row);
  }
  return rows;
}

std::vector<ThroughputRow> measure_in_fresh_process(const ThroughputTask& task) {
  char pattern[] = "/tmp/tagbench-throughput-XXXXXX";
  const int descriptor = ::mkstemp(pattern);
  if (descriptor < 0) throw DataError("bench: cannot make a temporary file in /tmp");
  ::close(descriptor);
  const std::filesystem::path result = pattern;
  Spec spec{task.entry->name, task.options};
  std::vector<std::string> words = {"tagbench",
                                    "--quiet",
                                    "bench",
                                    "--for-process",
                                    std::to_string(::getpid()),
                                    "--model",
                                    spec_text(spec),
                                    "--label",
                                    task.model_label,
                                    "--device",
                                    task.device,
                                    "--precision",
                                    task.precision,
                                    "--threads",
                                    std::to_string(task.threads),
                                    "--repetitions",
                                    std::to_string(task.repetitions),
                                    "--min-time-s",
                                    format_real(task.min_time_s),
                                    "--max-spread",
                                    format_real(task.max_spread),
                                    "--output",
                                    result.string()};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  if (::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, argv.data(), environ) != 0) {
    throw MeasurementError("bench: cannot start a fresh process for " + task.model_label);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (code != 0 && code != 4) {
    std::filesystem::remove(result);
    throw MeasurementError("bench: the process that measured " + task.model_label + " ended with code " +
                           std::to_string(code));
  }
  std::vector<ThroughputRow> rows;
  for (const Json& item : read_json(result)) rows.push_back(ThroughputRow::from_json(item, result.string()));
  std::filesystem::remove(result);
  return rows;
}

void measure_missing_throughput(const Experiment& experiment, const RunStore& store) {
  // One process at a time: shards that measure at once would disturb each other.
  const FileLock lock = FileLock::acquire(store.directory() / "bench" / "lock");
  const std::vector<ThroughputRow> rows = store.throughput();
  for (const ModelRequest& model : experiment.models) {
    throw_if_interrupted();
    const bool known = std::any_of(rows.begin(), rows.end(), [&](const ThroughputRow& row) {
      return row.model_label == model.label && row.device == experiment.device &&
             row.precision == experiment.precision && row.threads == experiment.threads && row.valid;
    });
    if (known) continue;
    ThroughputTask task;
    task.model_label = model.label;
    task.entry = model.entry;
    task.options = model.given_options;
    task.device = experiment.device;
    task.precision = experiment.precision;
    task.threads = experiment.threads;
    spdlog::info("measuring throughput of {}", model.label);
    try {
      const std::vector<ThroughputRow> measured = measure_in_fresh_process(task);
      const auto disturbed =
          std::find_if(measured.begin(), measured.end(), [](const ThroughputRow& row) { return !row.valid; });
      if (disturbed != measured.end()) {
        spdlog::warn("{}: throughput is not shown, {}; the same command measures it again", model.label,
                     disturbed->invalid_reason);
      }
      store.write_throughput(measured);
    } catch (const MeasurementError& error) {
      spdlog::error("{}", error.what());
    }
  }
}

}  // namespace tagbench
