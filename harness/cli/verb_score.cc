#include <memory>

#include "harness/cli/print.h"
#include "harness/cli/verbs.h"
#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/text.h"
#include "harness/metrics/bootstrap.h"
#include "harness/metrics/delong.h"
#include "harness/metrics/metrics.h"
#include "results/row.h"
#include "results/scored_tracks.h"

namespace tagbench {
namespace {

struct ScoreFlags {
  std::string labels, scores, mask, tags, groups, task = "multilabel", format = "table";
  int resamples = 1000;
};

Json interval_json(const std::optional<Interval>& interval) {
  return interval ? Json::array({interval->low, interval->high}) : Json(nullptr);
}

Json intervals_json(const PerMetric<Estimate>::Averages& estimates) {
  return {{"roc_auc", interval_json(estimates.roc_auc.interval)},
          {"average_precision", interval_json(estimates.average_precision.interval)}};
}

// 95 % intervals: DeLong's for the ROC-AUC of single tags, the bootstrap's for all else.
void add_intervals(const LabelMatrix& labels, const ScoreMatrix& scores, const std::vector<int64_t>& groups,
                   const ScoreFlags& flags, Json& json) {
  BootstrapOptions options;
  options.resamples = flags.resamples;
  const PerMetric<Estimate> found =
      estimates_of(bootstrap_metrics(labels, scores, groups, options, flags.task == "multiclass"));
  const std::vector<DelongEstimate> delong = delong_per_tag(labels, scores, groups);
  json["intervals"] = {{"level", 0.95},
                       {"resamples", flags.resamples},
                       {"macro", intervals_json(found.macro)},
                       {"micro", intervals_json(found.micro)},
                       {"weighted", intervals_json(found.weighted)},
                       {"log_loss", interval_json(found.log_loss.interval)},
                       {"accuracy", interval_json(found.accuracy.interval)}};
  for (size_t k = 0; k < delong.size(); ++k) {
    json["per_tag"][k]["roc_auc_interval"] = interval_json(delong[k].interval);
    json["per_tag"][k]["average_precision_interval"] = interval_json(found.per_tag[k].average_precision.interval);
  }
}

// "[0.81, 0.87]", or nothing.
Json interval_text(const Json& interval) {
  if (!interval.is_array()) return nullptr;
  return "[" + format_fixed(interval[0].get<double>(), 4) + ", " + format_fixed(interval[1].get<double>(), 4) + "]";
}

// One name per track; an empty line is a track that stands alone.
std::vector<int64_t> read_groups(const std::string& path, int64_t n_tracks) {
  std::vector<std::string> names = split_text(read_text_file(path), '\n');
  if (!names.empty() && names.back().empty()) names.pop_back();
  for (std::string& name : names) name = trim(name);
  if (static_cast<int64_t>(names.size()) != n_tracks) {
    throw DataError(path + ": one group (artist) for each of " + std::to_string(n_tracks) +
                    " tracks was expected, a line each, found " + std::to_string(names.size()) + " lines");
  }
  return group_indices(names);
}

int score(const ScoreFlags& flags) {
  if (flags.task != "multilabel" && flags.task != "multiclass")
    throw UsageError("--task: multilabel or multiclass was expected, got '" + flags.task + "'");
  const ScoredTracks tracks = read_score_files(flags.labels, flags.scores, flags.mask, flags.tags);
  std::vector<std::string> tags = tracks.tags;
  for (int64_t k = 0; tracks.tags.empty() && k < tracks.n_tags; ++k) tags.push_back("tag " + std::to_string(k));
  const std::vector<int64_t> groups =
      flags.groups.empty() ? std::vector<int64_t>() : read_groups(flags.groups, tracks.n_tracks);
  const LabelMatrix labels = tracks.label_matrix();
  const ScoreMatrix scores = tracks.score_matrix();
  const TaggingMetrics metrics = compute_metrics(labels, scores, flags.task == "multiclass");
  Json json = metrics_to_json(metrics, tags);
  if (flags.resamples > 0) add_intervals(labels, scores, groups, flags, json);
  for (Json& tag : json["per_tag"]) {
    if (!tag.contains("reason")) tag["reason"] = nullptr;
  }
  if (flags.format == "json") {
    print_text(json.dump(2) + "\n");
    return 0;
  }
  Listing listing({"tag", "n_positive", "n_known", "roc_auc", "average_precision", "log_loss", "accuracy", "reason",
                   "roc_auc_interval", "average_precision_interval"});
  const Json intervals = json.value("intervals", Json::object());
  int64_t n_positive = 0;
  int64_t n_known = 0;
  for (const TagMetrics& tag : metrics.per_tag) {
    n_positive += tag.n_positive;
    n_known += tag.n_known;
  }
  std::vector<std::string> reasons;
  if (json.contains("reasons")) {
    for (const auto& [metric, reason] : json["reasons"].items())
      reasons.push_back(metric + ": " + reason.get<std::string>());
  }
  listing.add({"(all)", n_positive, n_known, nullptr, nullptr, json["log_loss"], json["accuracy"],
               join_text(reasons, "; "), nullptr, nullptr});
  for (const std::string average : {"macro", "micro", "weighted"}) {
    const Json& values = json[average];
    const Json of_average = intervals.value(average, Json::object());
    listing.add({"(" + average + ")", nullptr, nullptr, values["roc_auc"], values["average_precision"], nullptr,
                 nullptr, values.value("reason", ""), interval_text(of_average.value("roc_auc", Json())),
                 interval_text(of_average.value("average_precision", Json()))});
  }
  for (const Json& tag : json["per_tag"]) {
    listing.add({tag["tag"], tag["n_positive"], tag["n_known"], tag["roc_auc"], tag["average_precision"], nullptr,
                 nullptr, tag["reason"].is_null() ? Json("") : tag["reason"],
                 interval_text(tag.value("roc_auc_interval", Json())),
                 interval_text(tag.value("average_precision_interval", Json()))});
  }
  listing.print(flags.format);
  return 0;
}

}  // namespace

void add_score(CLI::App& app, VerbContext& context) {
  CLI::App* verb = app.add_subcommand("score", "Compute every metric from labels and scores in .npy files");
  auto flags = std::make_shared<ScoreFlags>();
  verb->add_option("--labels", flags->labels, "Labels [tracks, tags], 0 or 1 (.npy)")->required();
  verb->add_option("--scores", flags->scores, "Scores [tracks, tags], float32 or float64 (.npy)")->required();
  verb->add_option("--mask", flags->mask, "1 where a label is known [tracks, tags] (.npy)");
  verb->add_option("--tags", flags->tags, "Tag names, one per line");
  verb->add_option("--task", flags->task, "multilabel (default) or multiclass: adds accuracy");
  verb->add_option("--groups", flags->groups,
                   "Group (artist) of each track, one per line: intervals draw whole groups");
  verb->add_option("--resamples", flags->resamples,
                   "Bootstrap resamples behind the 95 % intervals; 0: no intervals (default 1000)")
      ->check(CLI::Range(0, 1000000));
  verb->add_option("--format", flags->format, "table (default), csv or json");
  verb->callback([flags, &context] { context.action = [flags] { return score(*flags); }; });
}

}  // namespace tagbench
