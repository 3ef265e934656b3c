#include <memory>

#include "harness/cli/print.h"
#include "harness/cli/verbs.h"
#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/log.h"
#include "harness/core/parallel.h"
#include "harness/core/text.h"
#include "results/check.h"

namespace tagbench {
namespace {

struct CheckFlags {
  std::string run, baseline, labels, scores, mask, tags, rules, junit, format = "table";
  std::vector<std::string> published, tolerances;
  int resamples = 1000;
  bool all = false;
};

CheckReport make_report(const CheckFlags& flags) {
  CheckRules rules = flags.rules.empty() ? CheckRules() : CheckRules::load(flags.rules);
  for (const std::string& tolerance : flags.tolerances) rules.add_tolerance(tolerance);
  CheckOptions options;
  options.resamples = flags.resamples;
  options.threads = available_processors();
  if (!flags.scores.empty() || !flags.labels.empty()) {
    if (flags.scores.empty() || flags.labels.empty() || !flags.run.empty() || !flags.baseline.empty() ||
        flags.published.empty()) {
      throw UsageError("check: score files need --labels, --scores and --published, and neither a run nor --baseline");
    }
    return check_against_published(read_score_files(flags.labels, flags.scores, flags.mask, flags.tags), flags.scores,
                                   find_published(flags.published), rules, options);
  }
  if (flags.run.empty()) throw UsageError("check: a run's directory, or --labels and --scores, are needed");
  if (!flags.mask.empty() || !flags.tags.empty())
    throw UsageError("check: --mask and --tags belong to score files (--labels, --scores); a run has its own");
  const RunStore run = RunStore::open(flags.run);
  if (!flags.baseline.empty()) {
    if (!flags.published.empty()) throw UsageError("check: --baseline and --published contradict each other");
    return check_against_baseline(run, RunStore::open(flags.baseline), rules, options);
  }
  return check_against_published(run, find_published(flags.published), rules, options);
}

int check(const CheckFlags& flags) {
  if (flags.format != "table" && flags.format != "json") {
    throw UsageError("--format: unknown format '" + flags.format + "'; known: table, json");
  }
  const CheckReport report = make_report(flags);
  if (!flags.junit.empty()) {
    write_file_atomically(flags.junit, check_junit(report, flags.run.empty() ? flags.scores : flags.run));
  }
  const bool json = flags.format == "json";
  for (const std::string& gap : report.gaps) spdlog::warn("{}", gap);
  if (json) {
    for (const std::string& note : report.notes) spdlog::warn("{}", note);
  }
  print_text(json ? check_json(report).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
                  : check_table(report, flags.all));
  return report.holds() ? 0 : 1;
}

}  // namespace

void add_check(CLI::App& app, VerbContext& context) {
  CLI::App* verb = app.add_subcommand(
      "check", "Compare a run with published numbers or with a baseline run; exit code 1 when one fails");
  auto flags = std::make_shared<CheckFlags>();
  verb->add_option("run", flags->run, "The run's directory");
  verb->add_option("--baseline", flags->baseline, "Another run's directory to compare with");
  verb->add_option(
      "--published", flags->published,
      "Which published values: field=text or text, all must match (tagbench list published); default: all");
  verb->add_option("--labels", flags->labels, "Score files instead of a run: labels [tracks, tags] (.npy)");
  verb->add_option("--scores", flags->scores, "Scores [tracks, tags] (.npy)");
  verb->add_option("--mask", flags->mask, "1 where a label is known [tracks, tags] (.npy)");
  verb->add_option("--tags", flags->tags, "Tag names, one per line");
  verb->add_option("--tolerance", flags->tolerances,
                   "metric=value: differences up to it count as reproduced (roc_auc_macro=0.005)");
  verb->add_option("--rules", flags->rules, "Tolerances and largest losses per metric and tag, as a YAML file");
  verb->add_option("--junit", flags->junit, "Also write JUnit XML into this file");
  verb->add_option("--resamples", flags->resamples, "Bootstrap resamples behind the noise (default 1000)")
      ->check(CLI::Range(1, 1000000));
  verb->add_flag("--all", flags->all, "List what is reproduced as well");
  verb->add_option("--format", flags->format, "table (default) or json");
  verb->callback([flags, &context] { context.action = [flags] { return check(*flags); }; });
}

}  // namespace tagbench
