#include "harness/run/runner.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>
#include <set>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "harness/core/errors.h"
#include "harness/core/interrupt.h"
#include "harness/core/log.h"
#include "harness/core/tag_file.h"
#include "harness/core/text.h"
#include "harness/nn/device.h"
#include "harness/nn/inference.h"
#include "harness/nn/model_file.h"
#include "harness/nn/multiply_adds.h"
#include "harness/run/architectures.h"
#include "harness/run/environment.h"
#include "harness/run/sweep.h"
#include "harness/run/track_audio.h"
#include "harness/run/trainer.h"
#include "splits/audit.h"

namespace tagbench {
namespace {

constexpr const char* kTrainingClaim = "training.claim";

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

// Adds what is not in the list yet: a run directory may be filled by several calls with more and more models.
void add_missing(Json& list, const std::string& value) {
  if (!list.is_array()) list = Json::array();
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

// What needs no audio and no weights to go wrong: found before anything is computed.
void check_splits(const Experiment& experiment) {
  const Dataset& dataset = experiment.dataset;
  const bool trains = std::any_of(experiment.models.begin(), experiment.models.end(),
                                  [](const ModelRequest& m) { return m.weights.empty(); });
  for (const std::string& name : experiment.splits) {
    const Split& split = find_split(dataset, name);
    if (tracks_of(split, Part::kTest).empty())
      throw DataError("split " + name + " of " + dataset.name + " has no test tracks");
    if (!trains) continue;
    if (tracks_of(split, Part::kTrain).empty())
      throw DataError("split " + name + " of " + dataset.name + " has no training tracks");
    if (experiment.protocol.selection != "last" && tracks_of(split, Part::kValid).empty()) {
      throw UsageError("protocol " + experiment.protocol.name + " selects by " + experiment.protocol.selection +
                       ", but split " + name + " has no validation part; set protocol.selection=last");
    }
  }
  if (trains && experiment.protocol.loss == "cross_entropy" && dataset.task != TaskKind::kMulticlass) {
    throw UsageError("protocol " + experiment.protocol.name + ": loss cross_entropy needs a multiclass dataset, " +
                     dataset.name + " is " + task_name(dataset.task));
  }
}

// Of two lists that differ.
std::string first_difference(const std::vector<std::string>& network, const std::vector<std::string>& dataset) {
  const size_t n = std::min(network.size(), dataset.size());
  for (size_t k = 0; k < n; ++k) {
    if (network[k] != dataset[k])
      return "number " + std::to_string(k + 1) + " is '" + network[k] + "', there '" + dataset[k] + "'";
  }
  return "it has " + std::to_string(network.size()) + ", there are " + std::to_string(dataset.size());
}

// The architecture with given weights, strictly loaded.
std::shared_ptr<Tagger> load_given(const ModelRequest& model, const std::filesystem::path& weights,
                                   const Dataset& dataset) {
  const std::string what = model.label + " <- " + weights.string();
  if (model.is_script()) {
    const std::string tags = model.options().text("tags");
    if (!tags.empty() && read_tag_file(tags) != dataset.tags) {
      throw DataError(what + ": the tags in " + tags + " are not those of " + dataset.name +
                      ", in this order: " + join_text(dataset.tags, ", "));
    }
    return model.entry->make(model.options(), dataset.n_tags());
  }
  const StateDict state = read_state_dict(weights);
  const auto info = model_file_info(state, weights.string());
  if (info && !info->tags.empty() && info->tags != dataset.tags) {
    throw DataError(what + ": its tags are not those of " + dataset.name + " (" +
                    first_difference(info->tags, dataset.tags) + "); scores would be compared with other tags' labels");
  }
  std::shared_ptr<Tagger> tagger = model.entry->make(model.options(), dataset.n_tags());
  const int64_t outputs = n_outputs(state, *tagger, what);
  if (outputs != dataset.n_tags()) {
    throw DataError(what + ": as many outputs as " + dataset.name + " has tags were expected, " +
                    std::to_string(dataset.n_tags()) + ", found " + std::to_string(outputs));
  }
  load_weights(*tagger, state, what);
  return tagger;
}

// Of the cell that holds the training.
std::filesystem::path model_path(const RunStore& store, const std::string& owner_key) {
  return store.cell_directory(owner_key) / "checkpoint" / "model.safetensors";
}

class ExperimentRun {
 public:
  ExperimentRun(const Experiment& experiment, const RunStore& store, const RunOptions& options)
      : experiment_(experiment),
        store_(store),
        options_(options),
        cache_(experiment.cache),
        audio_(experiment.dataset, cache_),
        rendered_(experiment.rendered_cache),
        cells_(plan_cells(experiment, audio_.settings())),
        device_(parse_device(experiment.device)) {
    for (size_t i = 0; i < cells_.size(); ++i) {
      if (static_cast<int>(i % static_cast<size_t>(options.shard_count)) == options.shard_index) mine_.push_back(i);
    }
  }

  RunSummary run() {
    set_threads(experiment_.threads);
    warn_of_slow_blas();
    check_splits(experiment_);
    describe();
    tell_what_training_lacked();
    list_unseen_artists();
    if (options_.fresh) forget();
    retry_failed();
    RunSummary summary;
    summary.n_cells = static_cast<int64_t>(mine_.size());
    try {
      if (!all_finished()) {
        prepare();
        work(summary);
      }
    } catch (const Interrupted&) {
      note_status("interrupted");
      throw;
    } catch (const std::exception&) {
      note_status("failed");
      throw;
    }
    for (const size_t i : mine_) summary.n_failed += failed(i) ? 1 : 0;
    const bool complete =
        std::all_of(cells_.begin(), cells_.end(), [&](const Cell& cell) { return store_.is_finished(cell.key); });
    const std::string done = summary.n_failed > 0 ? "done, with failed cells" : "done";
    set_status(complete ? done : (options_.train_only ? "trained" : "incomplete"));
    return summary;
  }

 private:
  const Cell& owner_of_training(const Cell& cell) const {
    return *std::find_if(cells_.begin(), cells_.end(), [&](const Cell& other) { return other.key == cell.trained_by; });
  }

  bool done(size_t i) const {
    if (options_.train_only)
      return cells_[i].trained_by.empty() || trained(cells_[i]) || store_.is_finished(cells_[i].key);
    return store_.is_finished(cells_[i].key);
  }
  bool all_finished() const {
    return std::all_of(mine_.begin(), mine_.end(), [&](size_t i) { return done(i); });
  }
  bool failed(size_t i) const {
    const std::optional<Row> row = store_.row(cells_[i].key);
    return row && row->status != "done";
  }

  // Everything of this shard's cells and of the trainings they rest on, but no file that holds a lock: a process that
  // starts meanwhile must find the same one. A cell that another process works on is not taken from under it.
  void forget() {
    std::set<std::string> keys;
    std::set<std::string> labels;
    for (const size_t i : mine_) {
      keys.insert(cells_[i].key);
      if (!cells_[i].trained_by.empty()) keys.insert(cells_[i].trained_by);
      labels.insert(experiment_.models[cells_[i].model].label);
    }
    std::vector<FileLock> locks;
    for (const std::string& key : keys) {
      if (!std::filesystem::exists(store_.cell_directory(key))) continue;
      for (const char* name : {RunStore::kClaim, kTrainingClaim}) {
        auto lock = FileLock::try_acquire(store_.cell_directory(key) / name);
        if (!lock) {
          throw UsageError("--fresh: another process works on cell " + key + " of " + store_.directory().string() +
                           "; stop it first, or give another folder with -o");
        }
        locks.push_back(std::move(*lock));
      }
    }
    for (const std::string& key : keys) store_.forget_cell(key, {kTrainingClaim});
    store_.forget_throughput(labels);
  }

  // What failed before may work now: another call of the same command tries again.
  void retry_failed() {
    for (const size_t i : mine_) {
      if (!failed(i)) continue;
      const auto claim = store_.claim(cells_[i].key);
      if (claim && failed(i)) std::filesystem::remove(store_.cell_directory(cells_[i].key) / "row.json");
    }
  }

  void describe() const {
    // Several shards may start at once on one directory.
    const FileLock lock = FileLock::acquire(store_.directory() / "run.lock");
    Json run = std::filesystem::exists(store_.directory() / "run.json") ? store_.read_run_json() : Json::object();
    run["schema_version"] = kRunSchemaVersion;
    run["name"] = experiment_.name;
    run["status"] = "running";
    run["command_line"] = options_.command_line;
    if (!run.contains("started")) run["started"] = utc_now();
    run["dataset"] = experiment_.dataset.name;
    run["task"] = task_name(experiment_.dataset.task);
    run["protocol"] = experiment_.protocol.to_json();
    for (const ModelRequest& model : experiment_.models) add_missing(run["models"], model.label);
    for (const Condition& condition : experiment_.conditions) add_missing(run["conditions"], condition.label());
    for (const std::string& split : experiment_.splits) add_missing(run["splits"], split);
    for (const int64_t seed : experiment_.seeds) add_missing(run["seeds"], std::to_string(seed));
    for (const std::string& note : experiment_.dataset.notes) add_missing(run["notes"], note);
    for (const ModelRequest& model : experiment_.models) {
      if (model.names_tags) continue;
      const std::string note = model.label + ": " + model.weights.string() +
                               " holds no tag names; its outputs are taken in the order of the data set's tags.";
      spdlog::warn("{}", note);
      add_missing(run["notes"], note);
    }
    Json falsify = run.value("may_falsify", Json::object());
    for (const Condition& condition : experiment_.conditions) falsify[condition.label()] = condition.may_falsify();
    run["may_falsify"] = falsify;
    store_.write_run_json(run);
    write_file_atomically(store_.directory() / "config.resolved.yaml", experiment_.resolved);
    write_json(store_.directory() / "env.json", environment());
  }

  // For reports on these tracks alone: rows know the test part only.
  void list_unseen_artists() const {
    const Dataset& dataset = experiment_.dataset;
    for (const std::string& name : experiment_.splits) {
      const Split& split = find_split(dataset, name);
      UnseenArtists unseen{dataset.name, name, split.sha256, 0, 0, {}};
      for (const int64_t track : tracks_of(split, Part::kTest)) {
        ++unseen.n_test_tracks;
        unseen.n_without_artist += dataset.tracks[static_cast<size_t>(track)].group.empty() ? 1 : 0;
      }
      for (const int64_t track : unseen_artist_tracks(dataset, split))
        unseen.track_ids.push_back(dataset.tracks[static_cast<size_t>(track)].id);
      store_.write_unseen_artists(unseen);
    }
  }

  // While an error unwinds: the error matters more than a status that cannot be written.
  void note_status(const std::string& status) const {
    try {
      set_status(status);
    } catch (const Error& error) {
      spdlog::warn("{}", error.what());
    }
  }

  void set_status(const std::string& status) const {
    const FileLock lock = FileLock::acquire(store_.directory() / "run.lock");
    Json run = store_.read_run_json();
    run["status"] = status;
    run["ended"] = utc_now();
    store_.write_run_json(run);
  }

  void prepare() {
    std::set<int64_t> wanted;
    for (const size_t i : mine_) {
      if (done(i)) continue;
      const Split& split = find_split(experiment_.dataset, experiment_.splits[cells_[i].split]);
      const bool trains = !cells_[i].trained_by.empty() && !trained(cells_[i]);
      for (int64_t t = 0; t < experiment_.dataset.n_tracks(); ++t) {
        const Part part = split.parts[static_cast<size_t>(t)];
        if (part == Part::kTest || (trains && (part == Part::kTrain || part == Part::kValid))) wanted.insert(t);
      }
    }
    std::set<int> rates;
    for (const ModelRequest& model : experiment_.models) {
      rates.insert(model.entry->make(model.options(), experiment_.dataset.n_tags())->facts().sample_rate_hz);
    }
    const PreparedTracks prepared = prepare_tracks(audio_, {wanted.begin(), wanted.end()}, {rates.begin(), rates.end()},
                                                   experiment_.threads, experiment_.strict);
    for (const TrackFailure& failure : prepared.failures) failures_[failure.id] = failure.message;
  }

  std::vector<int64_t> usable(const Split& split, Part part) const {
    std::vector<int64_t> tracks = tracks_of(split, part);
    tracks.erase(std::remove_if(tracks.begin(), tracks.end(),
                                [&](int64_t t) {
                                  return failures_.count(experiment_.dataset.tracks[static_cast<size_t>(t)].id) > 0;
                                }),
                 tracks.end());
    return tracks;
  }

  std::vector<TrackFailure> failures_in(const Split& split, const std::vector<Part>& parts) const {
    std::vector<TrackFailure> found;
    for (size_t t = 0; t < experiment_.dataset.tracks.size(); ++t) {
      const auto failure = failures_.find(experiment_.dataset.tracks[t].id);
      if (failure == failures_.end() || std::find(parts.begin(), parts.end(), split.parts[t]) == parts.end()) continue;
      found.push_back({failure->first, part_name(split.parts[t]) + ": " + failure->second});
    }
    return found;
  }

  // The tracks that a training went without are kept beside its weights: the process that evaluates them, perhaps much
  // later, need not have looked at training audio, and every row of the training names the same tracks.
  std::filesystem::path left_out_path(const std::string& owner_key) const {
    return store_.cell_directory(owner_key) / "checkpoint" / "left_out.json";
  }
  void write_left_out(const Cell& owner, const Split& split) const {
    Json list = Json::array();
    for (const TrackFailure& failure : failures_in(split, {Part::kTrain, Part::kValid})) {
      list.push_back({{"id", failure.id}, {"message", failure.message}});
    }
    write_json(left_out_path(owner.key), list);
  }
  // Weights of an earlier call are used as they are, even if files that were missing then have come since.
  void tell_what_training_lacked() const {
    std::unordered_map<std::string_view, const Track*> tracks;
    std::set<std::string> done;
    for (const size_t i : mine_) {
      const Cell& cell = cells_[i];
      if (cell.trained_by.empty() || !trained(cell) || !done.insert(cell.trained_by).second) continue;
      if (!std::filesystem::exists(left_out_path(cell.trained_by))) continue;
      const Json left_out = read_json(left_out_path(cell.trained_by));
      if (left_out.empty()) continue;
      if (tracks.empty()) {
        for (const Track& track : experiment_.dataset.tracks) tracks.emplace(track.id, &track);
      }
      int64_t n_there = 0;
      for (const Json& entry : left_out) {
        const auto track = tracks.find(entry.at("id").get<std::string>());
        std::error_code ignored;
        n_there +=
            track != tracks.end() && std::filesystem::exists(experiment_.dataset.root / track->second->audio, ignored)
                ? 1
                : 0;
      }
      spdlog::warn(
          "{}: was trained earlier without {} unusable tracks, the first is {} ({}); {} of the files are there "
          "now; --fresh trains anew",
          training_label(cell), left_out.size(), left_out.front().at("id").get<std::string>(),
          left_out.front().at("message").get<std::string>(), n_there);
    }
  }
  std::vector<TrackFailure> failures_of(const Cell& cell, const Split& split) const {
    std::vector<TrackFailure> failures;
    if (!cell.trained_by.empty()) {
      for (const Json& entry : read_json(left_out_path(cell.trained_by)))
        failures.push_back({entry.at("id").get<std::string>(), entry.at("message").get<std::string>()});
    }
    const std::vector<TrackFailure> tested = failures_in(split, {Part::kTest});
    failures.insert(failures.end(), tested.begin(), tested.end());
    return failures;
  }

  // ---- training ----

  bool trained(const Cell& cell) const { return std::filesystem::exists(model_path(store_, cell.trained_by)); }

  std::string training_label(const Cell& cell) const {
    std::string label = experiment_.models[cell.model].label;
    if (experiment_.splits.size() > 1) label += " " + experiment_.splits[cell.split];
    if (experiment_.seeds.size() > 1) label += " seed " + std::to_string(cell.id.seed);
    return label;
  }

  void train_owner(const Cell& owner) {
    const ModelRequest& model = experiment_.models[owner.model];
    const Split& split = find_split(experiment_.dataset, experiment_.splits[owner.split]);
    const std::shared_ptr<Tagger> tagger =
        make_initialised(*model.entry, model.options(), experiment_.dataset.n_tags(), owner.id.seed);
    const std::filesystem::path directory = store_.cell_directory(owner.key);
    const TrainingTask task{audio_,
                            usable(split, Part::kTrain),
                            usable(split, Part::kValid),
                            experiment_.protocol,
                            owner.id.seed,
                            device_,
                            experiment_.precision == "bf16",
                            directory / "checkpoint",
                            directory / "training.jsonl",
                            directory / "training_timing.jsonl",
                            training_label(owner)};
    const TrainingResult result = train(*tagger, task);
    tagger->to(torch::kCPU);
    ModelFileInfo info = describe_model(model, *tagger);
    info.extra["protocol"] = experiment_.protocol.name;
    info.extra["best_epoch"] = std::to_string(result.best_epoch);
    write_left_out(owner, split);
    save_model_file(model_path(store_, owner.key), *tagger, info);
    std::filesystem::remove(directory / "checkpoint" / "state.safetensors");
    spdlog::info("{}: trained, best epoch {} of {}", task.label, result.best_epoch, result.epochs);
  }

  ModelFileInfo describe_model(const ModelRequest& model, const Tagger& tagger) const {
    ModelFileInfo info;
    info.model = model.entry->name;
    info.options = model.given_options;
    info.tags = experiment_.dataset.tags;
    info.sample_rate_hz = tagger.facts().sample_rate_hz;
    info.input_samples = tagger.facts().input_samples;
    return info;
  }

  // ---- evaluation ----

  std::shared_ptr<Tagger> ready_tagger(const Cell& cell) {
    std::shared_ptr<Tagger> tagger = load_tagger(experiment_, store_, cell);
    // Counted on the processor, whatever computes: operators of other devices are counted differently.
    const std::string& label = experiment_.models[cell.model].label;
    if (multiply_adds_.count(label) == 0) multiply_adds_[label] = multiply_adds(*tagger);
    tagger->to(device_);
    prepare_for_inference(*tagger);
    return tagger;
  }

  Row begin_row(const Cell& cell) const {
    Row row;
    row.cell = cell.id;
    row.model_label = experiment_.models[cell.model].label;
    row.tags = experiment_.dataset.tags;
    row.trained_by = cell.trained_by;
    row.software = row_software(experiment_.device, experiment_.threads);
    return row;
  }

  void finish_failed(const Cell& cell, const std::string& message) {
    spdlog::error("{}, {}: {}", training_label(cell), cell.id.condition, message);
    Row row = begin_row(cell);
    row.status = "failed";
    row.message = message;
    store_.finish_cell(row, {}, {}, {}, {});
  }

  // All claimable cells of one (split, condition): one rendering of each track serves them all.
  bool evaluate_group(size_t split_index, size_t condition_index, RunSummary& summary) {
    std::vector<const Cell*> cells;
    std::vector<FileLock> claims;
    for (const size_t i : mine_) {
      const Cell& cell = cells_[i];
      if (cell.split != split_index || cell.condition != condition_index || done(i)) continue;
      if (!cell.trained_by.empty() && !trained(cell)) {
        if (training_failures_.count(cell.trained_by) == 0) continue;  // another process trains it
        finish_failed(cell, training_failures_.at(cell.trained_by));
        ++summary.n_computed;
        continue;
      }
      auto claim = store_.claim(cell.key);
      if (!claim || store_.is_finished(cell.key)) continue;
      cells.push_back(&cell);
      claims.push_back(std::move(*claim));
    }
    if (cells.empty()) return false;

    const auto start = std::chrono::steady_clock::now();
    std::vector<std::shared_ptr<Tagger>> taggers;
    std::vector<const Cell*> loaded;
    for (const Cell* cell : cells) {
      try {
        taggers.push_back(ready_tagger(*cell));
        loaded.push_back(cell);
      } catch (const DataError& error) {
        // Given weights that do not fit are the user's mistake and concern the whole run.
        if (cell->trained_by.empty()) throw;
        finish_failed(*cell, std::string(error.what()) + "; to train it anew: delete " +
                                 store_.cell_directory(cell->trained_by).string());
      }
    }
    const Split& split = find_split(experiment_.dataset, experiment_.splits[split_index]);
    const std::vector<int64_t> tracks = usable(split, Part::kTest);
    const Condition& condition = experiment_.conditions[condition_index];
    SweepTask task{audio_,
                   rendered_,
                   tracks,
                   condition,
                   static_cast<uint64_t>(experiment_.perturbation_seed),
                   experiment_.protocol,
                   {device_, experiment_.precision == "bf16"},
                   experiment_.threads,
                   experiment_.strict,
                   condition.label() + (experiment_.splits.size() > 1 ? " " + experiment_.splits[split_index] : "")};
    const std::vector<SweepResult> results = sweep(taggers, task);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    for (size_t c = 0; c < loaded.size(); ++c) {
      finish_scored(*loaded[c], *taggers[c], results[c], failures_of(*loaded[c], split),
                    seconds / static_cast<double>(loaded.size()));
    }
    summary.n_computed += static_cast<int64_t>(cells.size());
    return true;
  }

  void finish_scored(const Cell& cell, Tagger& tagger, const SweepResult& result, std::vector<TrackFailure> failures,
                     double seconds) {
    if (!result.error.empty()) return finish_failed(cell, result.error);
    const Dataset& dataset = experiment_.dataset;
    Row row = begin_row(cell);
    row.failures = std::move(failures);
    row.failures.insert(row.failures.end(), result.failures.begin(), result.failures.end());
    row.n_tracks = static_cast<int64_t>(result.tracks.size());
    row.n_short_tracks = result.n_short_tracks;
    row.reached = result.reached;
    row.seconds = seconds;
    row.parameters = count_parameters(tagger);
    row.input_samples = tagger.facts().input_samples;
    row.sample_rate_hz = tagger.facts().sample_rate_hz;
    row.multiply_adds = multiply_adds_.at(row.model_label);
    if (result.tracks.empty()) {
      return finish_failed(cell, "the test part holds no usable track" +
                                     (row.failures.empty() ? "" : "; the first: " + row.failures.front().message));
    }

    std::vector<std::string> ids, groups;
    std::vector<uint8_t> labels, values, known;
    for (const int64_t t : result.tracks) {
      ids.push_back(dataset.tracks[static_cast<size_t>(t)].id);
      groups.push_back(dataset.tracks[static_cast<size_t>(t)].group);
      for (int64_t k = 0; k < dataset.n_tags(); ++k) {
        const uint8_t label = dataset.label(t, k);
        labels.push_back(label);
        known.push_back(label != kUnknownLabel ? 1 : 0);
        values.push_back(label == 1 ? 1 : 0);
      }
    }
    row.metrics = compute_metrics({row.n_tracks, dataset.n_tags(), values.data(), known.data()},
                                  {row.n_tracks, dataset.n_tags(), result.scores.data(), nullptr},
                                  dataset.task == TaskKind::kMulticlass);
    store_.finish_cell(row, ids, groups, labels, result.scores);
    spdlog::info("{}, {}: ROC-AUC {}, PR-AUC {}", training_label(cell), cell.id.condition,
                 shown(row.metrics->macro.roc_auc), shown(row.metrics->macro.average_precision));
  }

  static std::string shown(const MetricValue& value) {
    return value.value ? format_fixed(*value.value, 4) : "undefined";
  }

  // ---- the loop ----

  // True if anything was trained or found impossible to train.
  bool train_next() {
    for (const size_t i : mine_) {
      const Cell& cell = cells_[i];
      if (cell.trained_by.empty() || done(i) || trained(cell) || training_failures_.count(cell.trained_by) > 0)
        continue;
      const Cell& owner = owner_of_training(cell);
      std::filesystem::create_directories(store_.cell_directory(owner.key));
      const auto claim = FileLock::try_acquire(store_.cell_directory(owner.key) / kTrainingClaim);
      if (!claim) continue;
      if (trained(cell)) return true;
      try {
        train_owner(owner);
      } catch (const Interrupted&) {
        throw;
      } catch (const UsageError&) {
        throw;
      } catch (const DataError& error) {
        training_failures_[owner.key] = error.what();
      } catch (const c10::Error& error) {
        training_failures_[owner.key] = error.what_without_backtrace();
      }
      return true;
    }
    return false;
  }

  void work(RunSummary& summary) {
    bool told = false;
    while (!all_finished()) {
      throw_if_interrupted();
      if (train_next()) continue;
      bool progressed = false;
      if (!options_.train_only) {
        for (size_t s = 0; s < experiment_.splits.size(); ++s) {
          for (size_t c = 0; c < experiment_.conditions.size(); ++c)
            progressed = evaluate_group(s, c, summary) || progressed;
        }
      } else if (!training_failures_.empty()) {
        throw DataError(training_failures_.begin()->second);
      }
      if (progressed || all_finished()) continue;
      // What is left is claimed by other processes; if one of them dies, its claims end and the work is taken over.
      if (!told) spdlog::info("waiting for cells that other processes work on");
      told = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
    }
  }

  const Experiment& experiment_;
  const RunStore& store_;
  RunOptions options_;
  PcmCache cache_;
  TrackAudio audio_;
  RenderedTracks rendered_;
  std::vector<Cell> cells_;
  std::vector<size_t> mine_;
  torch::Device device_;
  std::map<std::string, int64_t> multiply_adds_;          // by label
  std::map<std::string, std::string> failures_;           // track id -> message
  std::map<std::string, std::string> training_failures_;  // key of the training's owner -> message
};

}  // namespace

std::shared_ptr<Tagger> load_tagger(const Experiment& experiment, const RunStore& store, const Cell& cell) {
  const ModelRequest& model = experiment.models[cell.model];
  const std::filesystem::path weights = cell.trained_by.empty() ? model.weights : model_path(store, cell.trained_by);
  return load_given(model, weights, experiment.dataset);
}

void validate_experiment(const Experiment& experiment) {
  parse_device(experiment.device);
  // Nothing is created: the folder that is there already, or the one in which it would be made.
  std::filesystem::path nearest = std::filesystem::absolute(experiment.output);
  while (!std::filesystem::exists(nearest)) nearest = nearest.parent_path();
  require_writable_directory(nearest);
  const Dataset& dataset = experiment.dataset;
  for (const ModelRequest& model : experiment.models) {
    if (!model.weights.empty()) load_given(model, model.weights, dataset);
  }
  check_splits(experiment);
  // Otherwise the data set's own rule holds (`missing`), and a run names in its rows what it had to leave out.
  if (!experiment.strict) return;
  std::vector<const Split*> splits;
  for (const std::string& split : experiment.splits) splits.push_back(&find_split(dataset, split));
  std::vector<std::string> missing;
  for (int64_t t = 0; t < dataset.n_tracks(); ++t) {
    const auto place = static_cast<size_t>(t);
    const bool used = std::any_of(splits.begin(), splits.end(),
                                  [&](const Split* split) { return split->parts[place] != Part::kUnused; });
    const std::filesystem::path& audio = dataset.tracks[place].audio;
    const std::filesystem::path file = audio.is_absolute() ? audio : dataset.root / audio;
    if (used && !std::filesystem::exists(file)) missing.push_back(file.string());
  }
  if (!missing.empty()) {
    throw DataError(dataset.name + ": with strict, all audio files were expected; missing are " +
                    std::to_string(missing.size()) + " of " + std::to_string(dataset.n_tracks()) + ", the first is " +
                    missing.front());
  }
}

RunSummary run_experiment(const Experiment& experiment, const RunStore& store, const RunOptions& options) {
  return ExperimentRun(experiment, store, options).run();
}

}  // namespace tagbench
