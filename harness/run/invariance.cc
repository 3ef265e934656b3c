#include "harness/run/invariance.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "harness/core/errors.h"
#include "harness/core/text.h"
#include "harness/nn/device.h"
#include "harness/nn/inference.h"
#include "harness/run/runner.h"
#include "harness/run/sweep.h"

namespace tagbench {
namespace {

struct Settings {
  int threads;
  int64_t batch_chunks;
};

std::string settings_text(const Settings& settings) {
  return std::to_string(settings.threads) + (settings.threads == 1 ? " thread" : " threads") + ", batches of " +
         std::to_string(settings.batch_chunks) + (settings.batch_chunks == 1 ? " chunk" : " chunks");
}

void compare_value(const MetricValue& stored, const MetricValue& found, const std::string& name, InvarianceItem& item) {
  if (stored.value.has_value() != found.value.has_value()) {
    item.problem = name + " is " + (found.value ? "defined now and was not" : "no longer defined: " + found.reason);
    return;
  }
  if (!stored.value) return;
  const double moved = std::abs(*stored.value - *found.value);
  if (moved < item.moved || (moved == item.moved && !item.metric.empty())) return;
  item.moved = moved;
  item.metric = name;
}

void compare_metrics(const Row& row, const TaggingMetrics& found, InvarianceItem& item) {
  for (const std::string& name : metric_names())
    compare_value(metric_of(*row.metrics, name), metric_of(found, name), name, item);
  for (size_t t = 0; t < row.tags.size(); ++t) {
    const TagMetrics& stored = row.metrics->per_tag[t];
    compare_value(stored.roc_auc, found.per_tag[t].roc_auc, "roc_auc of " + row.tags[t], item);
    compare_value(stored.average_precision, found.per_tag[t].average_precision, "average_precision of " + row.tags[t],
                  item);
  }
}

InvarianceItem rescore(const Experiment& experiment, const RunStore& store, const TrackAudio& audio, const Cell& cell,
                       const Row& row, const Settings& settings) {
  const Dataset& dataset = experiment.dataset;
  InvarianceItem item;
  item.subject = row.model_label + ", split " + row.cell.split + ", seed " + std::to_string(row.cell.seed) + ", " +
                 row.cell.condition;
  item.settings = settings_text(settings);
  const RunStore::Scores stored = store.scores(row);
  const std::unordered_set<std::string> scored(stored.track_ids.begin(), stored.track_ids.end());
  std::vector<int64_t> tracks;
  for (int64_t t = 0; t < dataset.n_tracks(); ++t) {
    if (scored.count(dataset.tracks[static_cast<size_t>(t)].id) > 0) tracks.push_back(t);
  }
  set_threads(settings.threads);
  const torch::Device device = parse_device(experiment.device);
  const std::shared_ptr<Tagger> tagger = load_tagger(experiment, store, cell);
  tagger->to(device);
  prepare_for_inference(*tagger);
  const Condition& condition = experiment.conditions[cell.condition];
  RenderedTracks rendered{PcmCacheOptions()};  // rendered anew, too
  SweepTask task{audio,
                 rendered,
                 tracks,
                 condition,
                 static_cast<uint64_t>(experiment.perturbation_seed),
                 experiment.protocol,
                 {device, experiment.precision == "bf16", settings.batch_chunks},
                 settings.threads,
                 true,
                 item.settings};
  const SweepResult result = sweep({tagger}, task).front();
  if (!result.error.empty()) {
    item.problem = result.error;
    return item;
  }
  const auto n_tags = static_cast<size_t>(dataset.n_tags());
  std::vector<uint8_t> values, known;
  bool same_tracks = result.tracks.size() == stored.track_ids.size();
  for (size_t i = 0; same_tracks && i < result.tracks.size(); ++i) {
    const auto track = static_cast<size_t>(result.tracks[i]);
    same_tracks = dataset.tracks[track].id == stored.track_ids[i];
    for (size_t k = 0; k < n_tags; ++k) {
      const uint8_t label = dataset.label(result.tracks[i], static_cast<int64_t>(k));
      known.push_back(label != kUnknownLabel ? 1 : 0);
      values.push_back(label == 1 ? 1 : 0);
      item.score_moved = std::max(item.score_moved, std::abs(static_cast<double>(result.scores[i * n_tags + k]) -
                                                             static_cast<double>(stored.scores[i * n_tags + k])));
    }
  }
  if (!same_tracks) {
    item.problem = "the tracks are not those that were scored: " + std::to_string(stored.track_ids.size()) + " then, " +
                   std::to_string(result.tracks.size()) + " of them now, or another order";
    return item;
  }
  const auto n_tracks = static_cast<int64_t>(result.tracks.size());
  compare_metrics(row,
                  compute_metrics({n_tracks, dataset.n_tags(), values.data(), known.data()},
                                  {n_tracks, dataset.n_tags(), result.scores.data(), nullptr},
                                  dataset.task == TaskKind::kMulticlass),
                  item);
  return item;
}

}  // namespace

bool InvarianceReport::holds() const {
  return !items.empty() &&
         std::all_of(items.begin(), items.end(), [](const InvarianceItem& item) { return item.holds; });
}

InvarianceReport check_invariance(const Experiment& experiment, const RunStore& store,
                                  const InvarianceOptions& options) {
  PcmCache cache(experiment.cache);
  const TrackAudio audio(experiment.dataset, cache);
  InvarianceReport report;
  std::vector<Cell> done;
  const std::vector<Row> rows = store.rows();
  std::unordered_map<std::string, const Row*> row_of_key;
  for (const Row& row : rows) row_of_key.emplace(row.cell.key(), &row);
  report.n_foreign = static_cast<int64_t>(rows.size());
  for (const Cell& cell : plan_cells(experiment, audio.settings())) {
    const auto row = row_of_key.find(cell.key);
    if (row == row_of_key.end()) continue;
    --report.n_foreign;
    if (row->second->status == "done") done.push_back(cell);
  }
  report.n_finished = static_cast<int64_t>(done.size());
  if (done.empty()) {
    throw DataError(store.directory().string() +
                    ": no finished cell belongs to the run's own configuration and data set as they are now; nothing "
                    "can be scored again");
  }
  const size_t n = std::min(done.size(), static_cast<size_t>(std::max(1, options.cells)));
  // One thread against several, single chunks against batches: each differs from the run's own in one at least.
  const std::vector<Settings> variants = {{1, 1}, {1, 5}, {std::max(2, experiment.threads), 3}};
  for (size_t i = 0; i < n; ++i) {
    const Cell& cell = done[n == 1 ? 0 : i * (done.size() - 1) / (n - 1)];
    const Row row = store.row(cell.key).value();
    for (const Settings& settings : variants) {
      InvarianceItem item = rescore(experiment, store, audio, cell, row, settings);
      item.holds = item.problem.empty() && item.moved <= options.tolerance;
      report.items.push_back(std::move(item));
    }
  }
  set_threads(experiment.threads);
  return report;
}

}  // namespace tagbench
