#include <memory>

#include "harness/cli/print.h"
#include "harness/cli/verbs.h"
#include "harness/core/files.h"
#include "harness/core/log.h"
#include "reports/report.h"

namespace tagbench {
namespace {

struct ReportFlags {
  std::string run, format = "md", output;
  int resamples = 1000;
  bool unseen_artists = false;
};

int report(const ReportFlags& flags) {
  const ReportFormat& format = find_report_format(flags.format);
  const RunStore whole = RunStore::open(flags.run);
  const RunStore store = flags.unseen_artists ? whole.of_unseen_artists() : whole;
  ReportOptions options;
  options.resamples = flags.resamples;
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
  verb->add_option("--format", flags->format, "md (default), csv, json, latex or html");
  verb->add_option("-o,--output", flags->output, "File to write; default: standard output");
  verb->add_option("--resamples", flags->resamples, "Bootstrap resamples behind the intervals; 0: none (default 1000)")
      ->check(CLI::Range(0, 1000000));
  verb->add_flag("--unseen-artists", flags->unseen_artists,
                 "Only the test tracks of artists that neither training nor validation holds");
  verb->callback([flags, &context] { context.action = [flags] { return report(*flags); }; });
}

}  // namespace tagbench
