#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <optional>

#include "harness/cli/print.h"
#include "harness/cli/verbs.h"
#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/log.h"
#include "harness/core/options.h"
#include "reports/report.h"

namespace tagbench {
namespace {

struct ReportFlags {
  std::string run, format = "md", output, reference;
  std::optional<int> resamples;
  bool unseen_artists = false;
  std::string falsified_tags = "keep";
  std::vector<std::string> tag_kinds;
};

FalsifiedTags falsified_tags_from(const std::string& text) {
  static const std::vector<std::string> known = {"keep", "omit", "apart"};
  const auto found = std::find(known.begin(), known.end(), text);
  if (found == known.end()) throw_unknown_name("value of --falsified-tags", text, known);
  return static_cast<FalsifiedTags>(found - known.begin());
}

// "ska=tempo"; a tag's name may hold an equals sign.
std::pair<std::string, std::string> tag_kind_from(const std::string& text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0)
    throw UsageError("--tag-kind: TAG=KIND was expected, got '" + text + "'");
  return {text.substr(0, equals), text.substr(equals + 1)};
}

int report(const ReportFlags& flags) {
  const ReportFormat& format = find_report_format(flags.format);
  const RunStore whole = RunStore::open(flags.run);
  const RunStore store = flags.unseen_artists ? whole.of_unseen_artists() : whole;
  ReportOptions options;
  if (flags.resamples) {
    // Who names a number gets it, however long that takes.
    options.resamples = *flags.resamples;
    options.most_resampled_labels = std::numeric_limits<int64_t>::max();
  }
  options.falsified_tags = falsified_tags_from(flags.falsified_tags);
  std::map<std::string, std::string> tag_kinds;
  for (const std::string& text : flags.tag_kinds) {
    if (!tag_kinds.insert(tag_kind_from(text)).second)
      throw UsageError("--tag-kind: one kind per tag was expected, found a second in '" + text + "'");
  }
  options.tag_kinds = &tag_kinds;
  if (options.falsified_tags == FalsifiedTags::kKeep && !tag_kinds.empty())
    throw UsageError("report: --tag-kind needs --falsified-tags omit or apart");
  if (options.falsified_tags != FalsifiedTags::kKeep && format.name == "csv")
    throw UsageError(
        "report: csv holds every tag by itself; --falsified-tags concerns the tables of the other formats");
  options.reference = flags.reference;
  const std::string text = format.write(store, build_tables(store, options));
  if (flags.output.empty()) {
    print_text(text);
  } else {
    write_file_atomically(flags.output, text);
    spdlog::info("written: {}", flags.output);
  }
  return 0;
}

}  // namespace

void add_report(CLI::App& app, VerbContext& context) {
  CLI::App* verb = app.add_subcommand("report", "Write a run's tables from its stored rows");
  auto flags = std::make_shared<ReportFlags>();
  verb->add_option("run", flags->run, "The run's directory")->required();
  CLI::Option* format = verb->add_option("--format", flags->format, "md (default), csv, json, latex or html");
  verb->add_flag_callback(
          "--html", [flags] { flags->format = "html"; }, "The same as --format html")
      ->excludes(format);
  verb->add_option("-o,--output", flags->output, "File to write; default: standard output");
  verb->add_option("--resamples", flags->resamples,
                   "Bootstrap resamples behind every interval, whatever that takes; 0: none (default: 1000, fewer or "
                   "fewer intervals for runs that would take more than some 10 s)")
      ->check(CLI::Range(0, 1000000));
  verb->add_flag("--unseen-artists", flags->unseen_artists,
                 "Only the test tracks of artists that neither training nor validation holds");
  verb->add_option("--falsified-tags", flags->falsified_tags,
                   "Tags whose labels a condition may make wrong (tempo tags under time_stretch): keep (default), omit "
                   "from the means, or omit and show apart");
  verb->add_option("--tag-kind", flags->tag_kinds,
                   "TAG=KIND, repeatable: what a tag is about (tempo, key, loudness, recording, none), where its name "
                   "does not say so");
  verb->add_option("--reference", flags->reference,
                   "Architecture that corruption errors compare with, as the table names it; default: the first");
  verb->callback([flags, &context] { context.action = [flags] { return report(*flags); }; });
}

}  // namespace tagbench
