#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>

#include "harness/cli/print.h"
#include "harness/cli/verbs.h"
#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/log.h"
#include "harness/core/parallel.h"
#include "harness/core/text.h"
#include "harness/run/architectures.h"
#include "harness/run/throughput.h"
#include "models/registry.h"

namespace tagbench {
namespace {

struct BenchFlags {
  std::vector<std::string> models;
  std::string device = "cpu", precision = "fp32", format = "table", output, label, run;
  int threads = 0, repetitions = 5;
  double min_time_s = 0.5, max_spread = 0.10;
  int for_process = 0;  // measure here, for this process that waits
};

ThroughputTask make_task(const BenchFlags& flags, const std::string& text) {
  const Spec spec = parse_architecture(text);
  ThroughputTask task;
  task.entry = &find_architecture(spec.name);
  task.options = spec.options;
  const std::string changed = Options(spec.name, task.entry->options, task.options).changed_text();
  task.model_label =
      !flags.label.empty() ? flags.label : (changed.empty() ? spec.name : spec.name + " (" + changed + ")");
  task.device = flags.device;
  task.precision = flags.precision;
  task.threads = flags.threads > 0 ? flags.threads : available_processors();
  task.repetitions = flags.repetitions;
  task.min_time_s = flags.min_time_s;
  task.max_spread = flags.max_spread;
  return task;
}

// What the noise gate let through, or "invalid" with the reason.
int print_rows(const BenchFlags& flags, const std::vector<ThroughputRow>& rows) {
  Listing listing({"model", "part", "batch", "p50_ms", "p90_ms", "p99_ms", "clips_per_s", "spread", "audio_s_per_s",
                   "parameters", "multiply_adds", "peak_memory_mib", "threads", "device", "precision", "load_average",
                   "repetitions", "valid"});
  const auto rounded = [](std::optional<double> value, int decimals) {
    return value ? Json(parse_real(format_fixed(*value, decimals)).value()) : Json(nullptr);
  };
  bool valid = true;
  for (const ThroughputRow& row : rows) {
    valid = valid && row.valid;
    listing.add({row.model_label, row.part, row.batch, rounded(row.p50_ms, 3), rounded(row.p90_ms, 3),
                 rounded(row.p99_ms, 3), rounded(row.clips_per_s, 2), rounded(row.clips_per_s_spread, 2),
                 rounded(row.audio_s_per_s, 1), row.parameters, row.multiply_adds, rounded(row.peak_memory_mib, 0),
                 row.threads, row.device, row.precision, rounded(row.load_average, 2), row.repetitions,
                 row.valid ? std::string("yes") : "no: " + row.invalid_reason});
  }
  listing.print(flags.format);
  return valid ? 0 : 4;
}

int bench(const BenchFlags& flags) {
  if (flags.for_process > 0) {
    if (flags.models.size() != 1 || flags.output.empty())
      throw UsageError("bench --for-process: exactly one --model and an --output are needed");
    // Whoever asked for the measurement waits for it: stopped, it takes this process along.
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != flags.for_process) throw Interrupted("bench: the process that asked for the measurement ended");
    const std::vector<ThroughputRow> rows = measure_throughput(make_task(flags, flags.models.front()));
    Json json = Json::array();
    for (const ThroughputRow& row : rows) json.push_back(row.to_json());
    write_json(flags.output, json);
    return std::all_of(rows.begin(), rows.end(), [](const ThroughputRow& row) { return row.valid; }) ? 0 : 4;
  }
  std::vector<std::string> wanted = flags.models;
  if (wanted.empty()) {
    for (const ModelEntry& entry : models()) wanted.push_back(entry.name);
  }
  std::vector<ThroughputRow> rows;
  for (const std::string& text : wanted) {
    const ThroughputTask task = make_task(flags, text);
    spdlog::info("measuring {} on {}, {} threads, {}", task.model_label, task.device, task.threads, task.precision);
    const std::vector<ThroughputRow> measured = measure_in_fresh_process(task);
    rows.insert(rows.end(), measured.begin(), measured.end());
  }
  if (!flags.run.empty()) {
    const RunStore store = RunStore::open(flags.run);
    std::vector<ThroughputRow> all = store.throughput();
    all.insert(all.end(), rows.begin(), rows.end());
    store.write_throughput(all);
  }
  const int code = print_rows(flags, rows);
  if (code != 0) spdlog::warn("some measurements are invalid; close other programs and measure again");
  return code;
}

}  // namespace

void add_bench(CLI::App& app, VerbContext& context) {
  CLI::App* verb =
      app.add_subcommand("bench", "Measure latency, throughput and memory of architectures, each in a fresh process");
  auto flags = std::make_shared<BenchFlags>();
  verb->add_option("--models,--model", flags->models, "Architectures (default: all)");
  verb->add_option("--device", flags->device, "cpu, cuda or cuda:n (default cpu)");
  verb->add_option("--precision", flags->precision, "fp32 (default) or bf16");
  verb->add_option("--threads", flags->threads, "Threads; 0: all processors (default)")->check(CLI::Range(0, 4096));
  verb->add_option("--repetitions", flags->repetitions, "Repetitions per measurement (default 5)")
      ->check(CLI::Range(1, 1000));
  verb->add_option("--min-time-s", flags->min_time_s, "Seconds per repetition, at least (default 0.5)")
      ->check(CLI::Range(0.001, 3600.0));
  verb->add_option("--max-spread", flags->max_spread,
                   "Noise gate: accepted relative interquartile range of the repetitions (default 0.1)")
      ->check(CLI::Range(0.0, 10.0));
  verb->add_option("--run", flags->run, "Also store the rows in this run, so that its tables show them");
  verb->add_option("--format", flags->format, "table (default), csv or json");
  verb->add_option("--for-process", flags->for_process,
                   "Measure one model here, for the process of this number, which started this one")
      ->group("Internal");
  verb->add_option("--label", flags->label, "Name in tables")->group("Internal");
  verb->add_option("-o,--output", flags->output, "JSON file for --for-process")->group("Internal");
  verb->callback([flags, &context] { context.action = [flags] { return bench(*flags); }; });
}

}  // namespace tagbench
