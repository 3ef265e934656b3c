#include <filesystem>
#include <memory>

#include "harness/cli/print.h"
#include "harness/cli/verbs.h"
#include "harness/core/errors.h"
#include "harness/core/log.h"
#include "harness/core/parallel.h"
#include "reports/compare.h"

namespace tagbench {
namespace {

struct CompareFlags {
  std::string a, b, labels, mask, tags, format = "table";
  int resamples = 1000;
  bool overall_only = false;
  bool unseen_artists = false;
};

int compare(const CompareFlags& flags) {
  if (flags.format != "table" && flags.format != "json") {
    throw UsageError("--format: unknown format '" + flags.format + "'; known: table, json");
  }
  CompareOptions options;
  options.resamples = flags.resamples;
  options.threads = available_processors();
  options.per_tag = !flags.overall_only;
  if (flags.unseen_artists && !flags.labels.empty())
    throw UsageError("compare: --unseen-artists needs two runs, score files tell no artists");
  if (flags.labels.empty()) {
    for (const std::string& path : {flags.a, flags.b}) {
      std::error_code error;
      if (std::filesystem::is_regular_file(path, error) && std::filesystem::path(path).filename() != "row.json")
        throw UsageError("compare: " + path + " is a file; score files need --labels, a run or a cell is a folder");
    }
    if (!flags.mask.empty() || !flags.tags.empty())
      throw UsageError("compare: --mask and --tags belong to score files (--labels); runs have their own");
  }
  const auto side = [&](const std::string& path) {
    ComparedSide whole = ComparedSide::open(path);
    return flags.unseen_artists ? whole.of_unseen_artists() : whole;
  };
  const RunComparison comparison =
      flags.labels.empty() ? compare_runs(side(flags.a), side(flags.b), options)
                           : compare_score_files(read_score_files(flags.labels, flags.a, flags.mask, flags.tags),
                                                 read_score_files(flags.labels, flags.b, flags.mask, flags.tags),
                                                 flags.a, flags.b, options);
  const bool json = flags.format == "json";
  for (const std::string& gap : comparison.gaps) spdlog::warn("{}", gap);
  if (json) {
    for (const std::string& note : comparison.notes) spdlog::warn("{}", note);
  }
  print_text(json ? comparison_json(comparison).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
                  : comparison_table(comparison));
  return comparison.overall.empty() ? 1 : 0;
}

}  // namespace

void add_compare(CLI::App& app, VerbContext& context) {
  CLI::App* verb = app.add_subcommand("compare", "Paired differences of two runs, two rows or two score files");
  auto flags = std::make_shared<CompareFlags>();
  verb->add_option("a", flags->a, "A run's directory, a cell's directory, or scores [tracks, tags] (.npy)")->required();
  verb->add_option("b", flags->b, "The other one")->required();
  verb->add_option("--labels", flags->labels, "The labels of both score files (.npy)");
  verb->add_option("--mask", flags->mask, "1 where a label is known [tracks, tags] (.npy)");
  verb->add_option("--tags", flags->tags, "Tag names, one per line");
  verb->add_option("--resamples", flags->resamples, "Bootstrap resamples (default 1000)")
      ->check(CLI::Range(1, 1000000));
  verb->add_flag("--overall", flags->overall_only, "No differences per tag");
  verb->add_flag("--unseen-artists", flags->unseen_artists,
                 "Only the test tracks of artists that neither training nor validation holds");
  verb->add_option("--format", flags->format, "table (default) or json");
  verb->callback([flags, &context] { context.action = [flags] { return compare(*flags); }; });
}

}  // namespace tagbench
