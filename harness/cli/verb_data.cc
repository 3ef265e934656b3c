#include <algorithm>
#include <filesystem>
#include <memory>

#include "harness/cli/experiment_flags.h"
#include "harness/cli/print.h"
#include "harness/cli/verbs.h"
#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/interrupt.h"
#include "harness/core/log.h"
#include "harness/core/parallel.h"
#include "harness/core/text.h"
#include "harness/run/experiment.h"
#include "harness/run/track_audio.h"
#include "splits/audit.h"
#include "splits/dataset.h"
#include "splits/manifest.h"
#include "splits/verify.h"

namespace tagbench {
namespace {

struct DataFlags {
  std::string dataset, root, format = "table", cache, output, split, state;
  std::vector<std::string> settings;
  std::vector<int> rates = {16000};
  int threads = 0;
  bool strict = false;
  bool no_checksums = false;
  bool no_audio = false;
  double max_gib = 20.0;
};

const std::vector<std::string> kListingFormats = {"table", "csv", "json"};
const std::vector<std::string> kReportFormats = {"table", "json"};

// What would otherwise be found after the work, which may take hours.
void check_output(const DataFlags& flags, const std::vector<std::string>& formats) {
  if (std::find(formats.begin(), formats.end(), flags.format) == formats.end()) {
    throw UsageError("--format: unknown format '" + flags.format + "'; known: " + join_text(formats, ", "));
  }
  if (flags.output.empty()) return;
  const std::filesystem::path output = flags.output;
  std::error_code ignored;
  if (std::filesystem::is_directory(output, ignored))
    throw UsageError("--output: a file was expected, '" + flags.output + "' is a folder");
  require_writable_directory(output.has_parent_path() ? output.parent_path() : ".");
}

// `what_is_missing`: the policy for absent files where the user gave none and the reader has one.
Dataset load(const DataFlags& flags, const std::string& what_is_missing = "") {
  Spec spec = parse_spec(flags.dataset);
  if (!flags.root.empty()) spec.options.emplace_back("root", flags.root);
  for (const std::string& setting : flags.settings) {
    auto [key, value] = parse_setting(setting);
    if (starts_with(key, "dataset.")) key.erase(0, 8);
    spec.options.emplace_back(key, value);
  }
  // Alone among the readers this one computes.
  if (spec.name == "synth" && flags.threads > 0) spec.options.emplace_back("threads", std::to_string(flags.threads));
  const auto is_policy = [](const auto& option) { return option.first == "missing"; };
  const std::vector<OptionSpec>& known = find_dataset(spec.name).facts.options;
  if (!what_is_missing.empty() && std::none_of(spec.options.begin(), spec.options.end(), is_policy) &&
      std::any_of(known.begin(), known.end(), [](const OptionSpec& option) { return option.name == "missing"; })) {
    spec.options.emplace_back("missing", what_is_missing);
  }
  Dataset dataset = load_dataset(spec.name, spec.options);
  for (const std::string& note : dataset.notes) spdlog::info("{}", note);
  return dataset;
}

void print_splits(const Dataset& dataset, const std::string& format) {
  Listing listing({"split", "train", "valid", "test", "unused", "sha256"});
  for (const Split& split : dataset.splits) {
    const auto count = [&](Part part) { return tracks_of(split, part).size(); };
    listing.add(
        {split.name, count(Part::kTrain), count(Part::kValid), count(Part::kTest), count(Part::kUnused), split.sha256});
  }
  listing.print(format);
}

// The corpus at a glance: parts, tags with positives per part of the first split, or the manifest of one split.
int show(const DataFlags& flags) {
  check_output(flags, kListingFormats);
  // Lists and labels need no audio.
  const Dataset dataset = load(flags, "keep");
  if (!flags.split.empty()) {
    const std::string manifest = split_manifest(dataset, find_split(dataset, flags.split));
    if (flags.output.empty()) {
      print_text(manifest);
    } else {
      write_file_atomically(flags.output, manifest);
    }
    return 0;
  }
  if (flags.format == "table") {
    print_text(dataset.name + ": " + std::to_string(dataset.n_tracks()) + " tracks, " +
               std::to_string(dataset.n_tags()) + " tags, " + task_name(dataset.task) + "\n\n");
    print_splits(dataset, "table");
    print_text("\n");
  }
  const Split& split = dataset.splits.front();
  Listing listing({"tag", "train_positive", "valid_positive", "test_positive", "unknown"});
  for (int64_t k = 0; k < dataset.n_tags(); ++k) {
    int64_t positive[4] = {0, 0, 0, 0};
    int64_t unknown = 0;
    for (int64_t t = 0; t < dataset.n_tracks(); ++t) {
      const uint8_t label = dataset.label(t, k);
      if (label == kUnknownLabel) ++unknown;
      if (label == 1) ++positive[static_cast<size_t>(split.parts[static_cast<size_t>(t)])];
    }
    listing.add({dataset.tags[static_cast<size_t>(k)], positive[static_cast<size_t>(Part::kTrain)],
                 positive[static_cast<size_t>(Part::kValid)], positive[static_cast<size_t>(Part::kTest)], unknown});
  }
  listing.print(flags.format);
  return 0;
}

int prepare(const DataFlags& flags) {
  handle_interrupts();
  check_output(flags, kListingFormats);
  if (flags.cache == "none")
    throw UsageError("data prepare: --cache: a folder was expected, as the cache is all it makes");
  const Dataset dataset = load(flags);
  require_sound(dataset, "data prepare");
  PcmCacheOptions options;
  options.directory = flags.cache.empty() ? default_cache_directory() : std::filesystem::path(flags.cache);
  options.max_bytes = static_cast<uint64_t>(flags.max_gib * 1073741824.0);
  PcmCache cache(options);
  const TrackAudio audio(dataset, cache);
  std::vector<int64_t> tracks;
  for (int64_t t = 0; t < dataset.n_tracks(); ++t) tracks.push_back(t);
  const PreparedTracks prepared = prepare_tracks(
      audio, tracks, flags.rates, flags.threads > 0 ? flags.threads : available_processors(), flags.strict);
  spdlog::info("{} of {} tracks are ready in {}", prepared.usable.size(), tracks.size(), options.directory.string());
  Listing listing({"track", "failure"});
  for (const TrackFailure& failure : prepared.failures) listing.add({failure.id, failure.message});
  if (listing.size() > 0 || flags.format != "table") listing.print(flags.format);
  return prepared.failures.empty() ? 0 : 1;
}

// Text for people, or JSON; `--output` keeps the JSON beside what is printed.
void print_report(const DataFlags& flags, const std::string& text, const Json& json) {
  if (!flags.output.empty()) write_json(flags.output, json);
  print_text(flags.format == "json" ? json.dump(2) + "\n" : text);
}

int verify(const DataFlags& flags) {
  handle_interrupts();
  check_output(flags, kReportFormats);
  // What is missing is what one asks for here.
  const Dataset dataset = load(flags, "keep");
  VerifyOptions options;
  options.threads = flags.threads;
  options.state = flags.state;
  options.checksums = !flags.no_checksums;
  const VerifyReport report = verify_dataset(dataset, options);
  print_report(flags, verify_text(report, dataset), verify_json(report, dataset));
  return report.good() ? 0 : 3;
}

int audit(const DataFlags& flags) {
  handle_interrupts();
  check_output(flags, kReportFormats);
  const Dataset dataset = load(flags, flags.no_audio ? "keep" : "");
  AuditOptions options;
  options.threads = flags.threads;
  options.state = flags.state;
  options.audio = !flags.no_audio;
  const AuditReport report = audit_dataset(dataset, options);
  print_report(flags, audit_text(report, dataset), audit_json(report, dataset));
  return 0;
}

void add_dataset_flags(CLI::App& verb, DataFlags& flags, const std::vector<std::string>& formats) {
  verb.add_option("dataset", flags.dataset, "Dataset: a name, or name:option=value,...")->required();
  verb.add_option("--root", flags.root, "The dataset's folder");
  verb.add_option("--set", flags.settings, "option=value of the dataset (also written dataset.option=value)");
  verb.add_option("--threads", flags.threads, "Threads; 0: all processors (default)")->check(CLI::Range(0, 4096));
  verb.add_option("--format", flags.format, join_text(formats, ", ") + " (default table)");
}

}  // namespace

void add_data(CLI::App& app, VerbContext& context) {
  CLI::App* data = app.add_subcommand(
      "data", "Look at a dataset, prepare its audio, verify and audit it, or render the synthetic corpus");
  data->require_subcommand(1);
  auto flags = std::make_shared<DataFlags>();

  CLI::App* list =
      data->add_subcommand("list", "Tracks per part, positives per tag; with --split the frozen manifest of a split");
  add_dataset_flags(*list, *flags, kListingFormats);
  list->add_option("--split", flags->split, "Print the manifest of this split");
  list->add_option("-o,--output", flags->output, "Write the manifest into this file");
  list->callback([flags, &context] { context.action = [flags] { return show(*flags); }; });

  CLI::App* prepare_verb = data->add_subcommand("prepare", "Decode and resample every track into the cache");
  add_dataset_flags(*prepare_verb, *flags, kListingFormats);
  prepare_verb->add_option("--sample-rate-hz", flags->rates, "Rates to prepare (default 16000)")
      ->check(CLI::Range(1000, 768000));
  prepare_verb->add_option("--cache", flags->cache, "Folder of the cache");
  prepare_verb->add_option("--max-gib", flags->max_gib, "Largest size of the cache in GiB (default 20)")
      ->check(CLI::Range(0.001, 1e6));
  prepare_verb->add_flag("--strict", flags->strict, "Stop at the first track that cannot be used");
  prepare_verb->callback([flags, &context] { context.action = [flags] { return prepare(*flags); }; });

  CLI::App* verify_verb =
      data->add_subcommand("verify", "Check that every file is there, can be decoded and is as its owner states");
  add_dataset_flags(*verify_verb, *flags, kReportFormats);
  verify_verb->add_option("--state", flags->state,
                          "File that remembers what was checked, so that a stopped call goes on");
  verify_verb->add_flag("--no-checksums", flags->no_checksums, "Do not compare the owner's checksums");
  verify_verb->add_option("-o,--output", flags->output, "Also write the report into this file, as JSON");
  verify_verb->callback([flags, &context] { context.action = [flags] { return verify(*flags); }; });

  CLI::App* audit_verb = data->add_subcommand(
      "audit",
      "Look for leakage between parts (artist, album, recording, equal sound) and for labels that cannot be scored");
  add_dataset_flags(*audit_verb, *flags, kReportFormats);
  audit_verb->add_option("--state", flags->state, "File that remembers fingerprints, so that a stopped call goes on");
  audit_verb->add_flag("--no-audio", flags->no_audio, "Do not compare the sound of the tracks");
  audit_verb->add_option("-o,--output", flags->output, "Also write the report into this file, as JSON");
  audit_verb->callback([flags, &context] { context.action = [flags] { return audit(*flags); }; });

  CLI::App* synth = data->add_subcommand("synth", "Render the synthetic corpus into --root");
  auto synth_flags = std::make_shared<DataFlags>();
  synth_flags->dataset = "synth";
  synth->add_option("--root", synth_flags->root, "Folder to render into")->required();
  synth->add_option("--set", synth_flags->settings, "option=value of the corpus (tagbench list datasets synth)");
  synth->add_option("--threads", synth_flags->threads, "Threads that render; 0: all processors (default)")
      ->check(CLI::Range(0, 4096));
  synth->add_option("--format", synth_flags->format, join_text(kListingFormats, ", ") + " (default table)");
  synth->callback([synth_flags, &context] {
    context.action = [synth_flags] {
      handle_interrupts();
      return show(*synth_flags);
    };
  });
}

}  // namespace tagbench
