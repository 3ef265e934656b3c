#include <algorithm>
#include <memory>

#include "harness/cli/experiment_flags.h"
#include "harness/cli/print.h"
#include "harness/cli/verbs.h"
#include "harness/core/errors.h"
#include "harness/core/interrupt.h"
#include "harness/core/log.h"
#include "harness/core/text.h"
#include "harness/run/architectures.h"
#include "harness/run/invariance.h"
#include "harness/run/runner.h"
#include "harness/run/throughput.h"
#include "reports/report.h"

namespace tagbench {
namespace {

struct RunFlags {
  ExperimentFlags experiment;
  std::string shard;
  bool fresh = false;
  bool resume = false;
};

void parse_shard(const std::string& text, RunOptions& options) {
  if (text.empty()) return;
  const auto parts = split_text(text, '/');
  const auto index = parts.size() == 2 ? parse_integer(parts[0]) : std::nullopt;
  const auto count = parts.size() == 2 ? parse_integer(parts[1]) : std::nullopt;
  if (!index || !count || *count < 1 || *count > 1000000 || *index < 0 || *index >= *count) {
    throw UsageError("--shard: i/n was expected with 0 <= i < n, as in 0/4, got '" + text + "'");
  }
  options.shard_index = static_cast<int>(*index);
  options.shard_count = static_cast<int>(*count);
}

// Computes what is missing, writes the reports, prints the table. The exit code says whether cells failed.
int run_and_report(const RunFlags& flags, RunOptions options) {
  handle_interrupts();
  const Experiment experiment = load_experiment(flags.experiment.config());
  if (flags.fresh && flags.resume) throw UsageError("--fresh and --resume contradict each other");
  options.fresh = flags.fresh;
  parse_shard(flags.shard, options);
  const RunStore store = RunStore::create(experiment.output);
  const LogFile log(store.directory() / "log.txt");
  spdlog::info("run directory: {}", store.directory().string());
  const RunSummary summary = run_experiment(experiment, store, options);
  if (experiment.throughput && !options.train_only) measure_missing_throughput(experiment, store);
  if (options.train_only) {
    spdlog::info("trained weights: {}/cells/*/checkpoint/model.safetensors", store.directory().string());
    return 0;
  }
  ReportOptions report;
  report.resamples = experiment.resamples;
  const std::vector<ResultTable> tables = build_tables(store, report);
  for (const ReportFormat& format : report_formats()) {
    write_file_atomically(store.directory() / "report" / ("report." + format.extension), format.write(store, tables));
  }
  print_text(find_report_format("md").write(store, tables));
  spdlog::info("{} cells, {} computed now, {} failed; reports: {}", summary.n_cells, summary.n_computed,
               summary.n_failed, (store.directory() / "report").string());
  return summary.n_failed > 0 ? 1 : 0;
}

// Of one entry of `models`; a TorchScript file is network and weights in one.
bool has_weights(const ConfigNode& model) {
  if (model.is_map()) return model.has("weights") || model["name"].text() == script_architecture().name;
  if (!model.is_scalar()) return false;
  const Spec spec = parse_architecture(model.text());
  return spec.name == script_architecture().name ||
         std::any_of(spec.options.begin(), spec.options.end(),
                     [](const auto& option) { return option.first == "weights"; });
}

std::vector<ConfigNode> requested_models(const RunFlags& flags) {
  const ConfigNode models = flags.experiment.config()["models"];
  return models.is_sequence() ? models.items() : std::vector<ConfigNode>{models};
}

CLI::Option* add_run_flags(CLI::App& verb, RunFlags& flags, bool file) {
  CLI::Option* file_option = flags.experiment.add_to(verb, file);
  verb.add_option("--shard", flags.shard, "i/n: work on every n-th cell only")->group("Run");
  verb.add_flag("--fresh", flags.fresh, "Start over: forget what the run directory holds of this experiment")
      ->group("Run");
  verb.add_flag("--resume", flags.resume, "Go on where the run stopped (the default)")->group("Run");
  return file_option;
}

struct InvarianceFlags {
  std::string run, format = "table";
  int cells = 4;
};

int validate_invariance(const InvarianceFlags& flags) {
  const RunStore store = RunStore::open(flags.run);
  const Experiment experiment = load_experiment(ConfigNode::load(store.directory() / "config.resolved.yaml"));
  InvarianceOptions options;
  options.cells = flags.cells;
  const InvarianceReport report = check_invariance(experiment, store, options);
  Listing listing({"verdict", "cell", "settings", "metric", "moved_by", "largest_score_change"});
  for (const InvarianceItem& item : report.items) {
    listing.add({item.holds ? "holds" : "moves", item.subject, item.settings,
                 item.problem.empty() ? item.metric : item.problem, item.problem.empty() ? Json(item.moved) : Json(),
                 item.score_moved});
  }
  listing.print(flags.format);
  if (report.n_foreign > 0)
    spdlog::warn("{} rows of the run are none of its stored configuration's and were not scored again",
                 report.n_foreign);
  spdlog::info("{} of {} finished cells scored again; a metric may move by {}",
               flags.cells < report.n_finished ? flags.cells : report.n_finished, report.n_finished,
               format_real(options.tolerance));
  if (std::any_of(report.items.begin(), report.items.end(),
                  [](const InvarianceItem& item) { return !item.holds && item.problem.empty(); }))
    spdlog::error("results depend on batch size or threads");
  return report.holds() ? 0 : 1;
}

}  // namespace

void add_run(CLI::App& app, VerbContext& context) {
  CLI::App* verb =
      app.add_subcommand("run", "Train, evaluate, perturb and report everything an experiment file asks for");
  auto flags = std::make_shared<RunFlags>();
  add_run_flags(*verb, *flags, true);
  verb->callback([flags, &context] {
    context.action = [flags, &context] {
      RunOptions options;
      options.command_line = context.command_line;
      return run_and_report(*flags, options);
    };
  });
}

void add_train(CLI::App& app, VerbContext& context) {
  CLI::App* verb = app.add_subcommand("train", "Train architectures under a protocol and keep the selected weights");
  auto flags = std::make_shared<RunFlags>();
  add_run_flags(*verb, *flags, false);
  verb->callback([flags, &context] {
    context.action = [flags, &context] {
      const std::vector<ConfigNode> models = requested_models(*flags);
      if (std::any_of(models.begin(), models.end(), has_weights)) {
        throw UsageError(
            "train: architectures without weights were expected, found one with given weights or a script:FILE, where "
            "there is nothing to train; use 'tagbench eval'");
      }
      RunOptions options;
      options.command_line = context.command_line;
      options.train_only = true;
      return run_and_report(*flags, options);
    };
  });
}

void add_eval(CLI::App& app, VerbContext& context) {
  CLI::App* verb = app.add_subcommand("eval", "Evaluate weights on a dataset, clean and perturbed");
  auto flags = std::make_shared<RunFlags>();
  add_run_flags(*verb, *flags, false);
  verb->callback([flags, &context] {
    context.action = [flags, &context] {
      const std::vector<ConfigNode> models = requested_models(*flags);
      if (!std::all_of(models.begin(), models.end(), has_weights)) {
        throw UsageError(
            "eval needs weights: --model and --weights, or --model script:FILE.pt; to train first, use 'tagbench run' "
            "or 'tagbench train'");
      }
      RunOptions options;
      options.command_line = context.command_line;
      return run_and_report(*flags, options);
    };
  });
}

void add_validate(CLI::App& app, VerbContext& context) {
  CLI::App* verb = app.add_subcommand("validate",
                                      "Check everything a run needs without training or scoring (the corpus synth is "
                                      "rendered if it is not there yet)");
  auto flags = std::make_shared<RunFlags>();
  auto print_config = std::make_shared<bool>(false);
  auto invariance = std::make_shared<InvarianceFlags>();
  CLI::Option* file = add_run_flags(*verb, *flags, true);
  verb->add_flag("--print-config", *print_config, "Print the resolved experiment");
  CLI::Option* run = verb->add_option("--invariance", invariance->run,
                                      "Instead: score cells of this run again with other batch sizes and threads; "
                                      "exit code 1 if a metric moves by more than 1e-6");
  verb->add_option("--cells", invariance->cells, "How many cells --invariance scores again (default 4)")
      ->check(CLI::PositiveNumber)
      ->needs(run);
  verb->add_option("--format", invariance->format, "Of --invariance: table (default), csv or json")->needs(run);
  file->required(false)->excludes(run);
  verb->callback([flags, print_config, invariance, file, &context] {
    context.action = [flags, print_config, invariance, given = file->count() > 0] {
      if (!invariance->run.empty()) return validate_invariance(*invariance);
      if (!given) throw UsageError("validate: an experiment file was expected, or --invariance RUN");
      RunOptions shard;
      parse_shard(flags->shard, shard);
      const Experiment experiment = load_experiment(flags->experiment.config());
      if (*print_config) {
        print_text(experiment.resolved);
        return 0;
      }
      validate_experiment(experiment);
      const std::vector<Cell> cells = plan_cells(experiment, "");
      Listing listing({"what", "value"});
      listing.add({"experiment", experiment.name});
      listing.add({"dataset", experiment.dataset.name});
      listing.add({"tracks", experiment.dataset.n_tracks()});
      listing.add({"tags", experiment.dataset.n_tags()});
      listing.add({"splits", join_text(experiment.splits, ", ")});
      std::vector<std::string> models, conditions;
      for (const ModelRequest& model : experiment.models) models.push_back(model.label);
      for (const Condition& condition : experiment.conditions) conditions.push_back(condition.label());
      listing.add({"models", join_text(models, ", ")});
      listing.add({"protocol", experiment.protocol.name});
      listing.add({"conditions", join_text(conditions, "; ")});
      listing.add({"cells", cells.size()});
      listing.add({"output", experiment.output.string()});
      listing.print("table");
      spdlog::info("the experiment can be run");
      return 0;
    };
  });
}

}  // namespace tagbench
