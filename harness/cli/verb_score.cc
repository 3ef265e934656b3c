#include <memory>

#include "harness/cli/print.h"
#include "harness/cli/verbs.h"
#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/npy.h"
#include "harness/core/tag_file.h"
#include "harness/core/text.h"
#include "harness/metrics/metrics.h"
#include "results/row.h"

namespace tagbench {
namespace {

struct ScoreFlags {
  std::string labels, scores, mask, tags, task = "multilabel", format = "table";
};

std::vector<uint8_t> binary_matrix(const std::string& path, const NpyArray& array) {
  std::vector<uint8_t> values;
  for (const double value : array.as_double()) {
    if (value != 0.0 && value != 1.0)
      throw DataError(path + ": only 0 and 1 were expected, found " + format_real(value));
    values.push_back(value == 1.0 ? 1 : 0);
  }
  return values;
}

void require_shape(const std::string& path, const NpyArray& array, const std::vector<int64_t>& shape) {
  if (array.shape != shape)
    throw DataError(path + ": shape " + shape_text(shape) + " was expected as in the labels, found " +
                    shape_text(array.shape));
}

int score(const ScoreFlags& flags) {
  const NpyArray label_array = read_npy(flags.labels);
  if (label_array.shape.size() != 2 || label_array.shape[0] < 1 || label_array.shape[1] < 1) {
    throw DataError(flags.labels + ": labels [tracks, tags] of at least one each were expected, found " +
                    shape_text(label_array.shape));
  }
  const int64_t n_tracks = label_array.shape[0];
  const int64_t n_tags = label_array.shape[1];
  const std::vector<uint8_t> labels = binary_matrix(flags.labels, label_array);
  const NpyArray score_array = read_npy(flags.scores);
  require_shape(flags.scores, score_array, label_array.shape);
  std::vector<uint8_t> known;
  if (!flags.mask.empty()) {
    const NpyArray mask = read_npy(flags.mask);
    require_shape(flags.mask, mask, label_array.shape);
    known = binary_matrix(flags.mask, mask);
  }
  std::vector<std::string> tags;
  if (flags.tags.empty()) {
    for (int64_t k = 0; k < n_tags; ++k) tags.push_back("tag " + std::to_string(k));
  } else {
    tags = read_tag_file(flags.tags);
    if (static_cast<int64_t>(tags.size()) != n_tags) {
      throw DataError(flags.tags + ": " + std::to_string(n_tags) + " tags were expected, one per line, found " +
                      std::to_string(tags.size()));
    }
  }
  // float32 scores stay float32: ties are exact equality of what is stored.
  std::vector<float> float32;
  std::vector<double> float64;
  ScoreMatrix scores{n_tracks, n_tags, nullptr, nullptr};
  if (score_array.descr == "<f4") {
    float32 = score_array.as_float();
    scores.float32 = float32.data();
  } else {
    float64 = score_array.as_double();
    scores.float64 = float64.data();
  }
  if (flags.task != "multilabel" && flags.task != "multiclass")
    throw UsageError("--task: multilabel or multiclass was expected, got '" + flags.task + "'");
  const TaggingMetrics metrics = compute_metrics(
      {n_tracks, n_tags, labels.data(), known.empty() ? nullptr : known.data()}, scores, flags.task == "multiclass");
  Json json = metrics_to_json(metrics, tags);
  for (Json& tag : json["per_tag"]) {
    if (!tag.contains("reason")) tag["reason"] = nullptr;
  }
  if (flags.format == "json") {
    print_text(json.dump(2) + "\n");
    return 0;
  }
  Listing listing({"tag", "n_positive", "n_known", "roc_auc", "average_precision", "log_loss", "accuracy", "reason"});
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
  listing.add(
      {"(all)", n_positive, n_known, nullptr, nullptr, json["log_loss"], json["accuracy"], join_text(reasons, "; ")});
  for (const std::string average : {"macro", "micro", "weighted"}) {
    const Json& values = json[average];
    listing.add({"(" + average + ")", nullptr, nullptr, values["roc_auc"], values["average_precision"], nullptr,
                 nullptr, values.value("reason", "")});
  }
  for (const Json& tag : json["per_tag"]) {
    listing.add({tag["tag"], tag["n_positive"], tag["n_known"], tag["roc_auc"], tag["average_precision"], nullptr,
                 nullptr, tag["reason"].is_null() ? Json("") : tag["reason"]});
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
  verb->add_option("--format", flags->format, "table (default), csv or json");
  verb->callback([flags, &context] { context.action = [flags] { return score(*flags); }; });
}

}  // namespace tagbench
