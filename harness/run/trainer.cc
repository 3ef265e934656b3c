#include "harness/run/trainer.h"

#include <c10/core/InferenceMode.h>
#include <torch/utils.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/interrupt.h"
#include "harness/core/json.h"
#include "harness/core/log.h"
#include "harness/core/progress.h"
#include "harness/core/rng.h"
#include "harness/core/text.h"
#include "harness/metrics/metrics.h"
#include "harness/nn/autocast.h"
#include "harness/nn/state_dict.h"
#include "harness/run/chunking.h"
#include "harness/run/optimizer.h"
#include "harness/run/scorer.h"
#include "harness/run/selection.h"

namespace tagbench {
namespace {

struct Validation {
  std::optional<double> loss;
  std::optional<double> roc_auc;
  std::optional<double> average_precision;

  double value_for(const std::string& selection) const {
    if (selection == "last") return 0.0;
    const std::optional<double>& value =
        selection == "valid_loss" ? loss : (selection == "valid_roc_auc" ? roc_auc : average_precision);
    if (!value)
      throw DataError("validation: '" + selection +
                      "' is undefined on this validation part; choose another selection in the protocol");
    return *value;
  }
};

StateDict copy_of(const StateDict& state) {
  StateDict copy;
  for (const auto& [key, tensor] : state.tensors)
    copy.tensors.emplace_back(key, tensor.detach().to(torch::kCPU).clone());
  return copy;
}

void append(StateDict& all, const std::string& prefix, const StateDict& part) {
  for (const auto& [key, tensor] : part.tensors)
    all.tensors.emplace_back(prefix + key, tensor.detach().to(torch::kCPU).contiguous());
}

StateDict with_prefix(const StateDict& all, const std::string& prefix) {
  StateDict part;
  for (const auto& [key, tensor] : all.tensors) {
    if (starts_with(key, prefix)) part.tensors.emplace_back(key.substr(prefix.size()), tensor);
  }
  return part;
}

std::vector<torch::Tensor> trainable(const Tagger& tagger) {
  std::vector<torch::Tensor> parameters;
  for (const torch::Tensor& parameter : tagger.parameters()) {
    if (parameter.requires_grad()) parameters.push_back(parameter);
  }
  return parameters;
}

class Training {
 public:
  Training(Tagger& tagger, const TrainingTask& task)
      : tagger_(tagger), task_(task), protocol_(task.protocol), selection_(task.protocol) {
    if (task.train_tracks.empty()) throw DataError(task.label + ": the training part holds no usable track");
    if (task.valid_tracks.empty() && protocol_.selection != "last") {
      throw UsageError(
          "protocol " + protocol_.name + " selects by " + protocol_.selection +
          ", but the split has no usable validation track; set protocol.selection=last or give a validation part");
    }
    const Dataset& dataset = task.audio.dataset();
    if (protocol_.loss == "cross_entropy" && dataset.task != TaskKind::kMulticlass) {
      throw UsageError("protocol " + protocol_.name + ": loss cross_entropy needs a multiclass dataset, " +
                       dataset.name + " is " + task_name(dataset.task));
    }
  }

  TrainingResult run() {
    tagger_.to(task_.device);
    if (!restore()) optimizer_ = make_optimizer(protocol_.stage_of(1), trainable(tagger_));
    Progress progress(task_.label,
                      static_cast<int64_t>(protocol_.epochs) * static_cast<int64_t>(task_.train_tracks.size()),
                      "chunks");
    progress.advance(static_cast<int64_t>(epoch_) * static_cast<int64_t>(task_.train_tracks.size()));
    while (epoch_ < protocol_.epochs) {
      ++epoch_;
      run_epoch(progress);
      save();
      if (epoch_ == task_.stop_after_epoch)
        throw Interrupted(task_.label + ": stopped after epoch " + std::to_string(epoch_));
    }
    if (selection_.best_epoch() == 0) {
      throw DataError(task_.label + ": no epoch was ever best (" + protocol_.selection +
                      " never passed its start value); the training failed");
    }
    load_state(tagger_, best_, "best weights");
    return {protocol_.epochs, selection_.best_epoch(), selection_.best_value()};
  }

 private:
  std::filesystem::path state_path() const { return task_.checkpoint_directory / "state.safetensors"; }

  void run_epoch(Progress& progress) {
    const auto start = std::chrono::steady_clock::now();
    const TrainingStage& stage = protocol_.stage_of(epoch_);
    if (protocol_.begins_stage(epoch_)) {
      if (stage.reload_best && selection_.best_epoch() > 0) load_state(tagger_, best_, "best weights");
      if (stage.fresh_optimizer) {
        optimizer_ = make_optimizer(stage, trainable(tagger_));
      } else {
        update_optimizer(*optimizer_, stage);
      }
    }
    const double train_loss = train_epoch(progress);
    const Validation validation = validate();
    const bool best = selection_.observe(epoch_, validation.value_for(protocol_.selection));
    if (best) best_ = copy_of(state_of(tagger_));

    Json line;
    line["epoch"] = epoch_;
    line["optimizer"] = stage.optimizer;
    line["learning_rate"] = stage.learning_rate;
    line["train_loss"] = json_number(train_loss);
    line["valid_loss"] = json_number(validation.loss);
    line["valid_roc_auc"] = json_number(validation.roc_auc);
    line["valid_average_precision"] = json_number(validation.average_precision);
    line["best"] = best;
    history_ += line.dump() + "\n";
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const double rate = static_cast<double>(task_.train_tracks.size()) / seconds;
    timings_ += Json({{"epoch", epoch_}, {"seconds", seconds}, {"chunks_per_s", rate}}).dump() + "\n";
    const auto shown = [](const std::optional<double>& value) {
      return value ? format_fixed(*value, 4) : std::string("-");
    };
    spdlog::info("{}: epoch {}/{}, loss {}, valid loss {}, ROC-AUC {}, PR-AUC {}{}, {} chunks/s, {} left", task_.label,
                 epoch_, protocol_.epochs, format_fixed(train_loss, 4), shown(validation.loss),
                 shown(validation.roc_auc), shown(validation.average_precision), best ? " (best)" : "",
                 format_fixed(rate, 1), duration_text(seconds * (protocol_.epochs - epoch_)));
  }

  double train_epoch(Progress& progress) {
    tagger_.train();
    const std::string epoch_key = std::to_string(epoch_);
    const auto seed = static_cast<uint64_t>(task_.seed);
    // Dropout draws from LibTorch's generator.
    torch::manual_seed(derived_seed(seed, {"dropout", epoch_key}));
    Rng order_rng(seed, {"order", epoch_key});
    std::vector<int64_t> order = task_.train_tracks;
    order_rng.shuffle(order);

    double loss_sum = 0.0;
    const size_t batch_size = static_cast<size_t>(protocol_.batch_size);
    size_t end = 0;
    for (size_t begin = 0; begin < order.size(); begin = end) {
      throw_if_interrupted();
      end = std::min(order.size(), begin + batch_size);
      // One-dimensional batch norms have no statistics of a single example, and PyTorch refuses such a batch: it joins
      // the one before.
      if (order.size() - end == 1) end = order.size();
      const std::vector<int64_t> batch(order.begin() + static_cast<std::ptrdiff_t>(begin),
                                       order.begin() + static_cast<std::ptrdiff_t>(end));
      const double loss = train_step(batch, epoch_key);
      if (!std::isfinite(loss)) {
        throw DataError(task_.label + ": the training loss is not finite in epoch " + epoch_key + ", batch " +
                        std::to_string(begin / batch_size) + "; lower the learning rate");
      }
      loss_sum += loss * static_cast<double>(batch.size());
      progress.set_note("epoch " + epoch_key + "/" + std::to_string(protocol_.epochs) + ", loss " +
                        format_fixed(loss, 4));
      progress.advance(static_cast<int64_t>(batch.size()));
    }
    return loss_sum / static_cast<double>(order.size());
  }

  double train_step(const std::vector<int64_t>& batch, const std::string& epoch_key) {
    const Dataset& dataset = task_.audio.dataset();
    const int64_t chunk_samples = tagger_.facts().input_samples;
    const auto rows = static_cast<int64_t>(batch.size());
    torch::Tensor chunks = torch::empty({rows, chunk_samples});
    torch::Tensor labels = torch::empty({rows, dataset.n_tags()}, torch::kUInt8);
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t track = batch[static_cast<size_t>(i)];
      const PcmClip clip = task_.audio.load(track, tagger_.facts().sample_rate_hz);
      Rng rng(static_cast<uint64_t>(task_.seed), {"chunk", epoch_key, dataset.tracks[static_cast<size_t>(track)].id});
      copy_chunk({clip.data(), clip.size()}, random_chunk_start(clip.size(), chunk_samples, rng), chunk_samples,
                 protocol_.short_tracks == "repeat", chunks.data_ptr<float>() + i * chunk_samples);
      copy_labels(track, labels.data_ptr<uint8_t>() + i * dataset.n_tags());
    }
    optimizer_->zero_grad();
    torch::Tensor logits;
    {
      const torch::Tensor features = features_without_gradient(chunks.to(task_.device));
      const AutocastGuard autocast(task_.device, task_.bf16);
      logits = tagger_.network(features);
    }
    // PyTorch's cross-entropy ends with an error of its own on scores that are no numbers.
    if (!logits.isfinite().all().item<bool>()) return std::numeric_limits<double>::quiet_NaN();
    torch::Tensor loss = tagging_loss(logits.to(torch::kFloat32), labels.to(task_.device), protocol_);
    loss.backward();
    optimizer_->step();
    return loss.item<double>();
  }

  // No front end of the registry holds a learned parameter outside network().
  torch::Tensor features_without_gradient(const torch::Tensor& chunks) {
    const torch::NoGradGuard no_gradient;
    return tagger_.front_end(chunks);
  }

  void copy_labels(int64_t track, uint8_t* labels) const {
    const Dataset& dataset = task_.audio.dataset();
    for (int64_t k = 0; k < dataset.n_tags(); ++k) labels[k] = dataset.label(track, k);
  }

  Validation validate() {
    Validation validation;
    if (task_.valid_tracks.empty()) return validation;
    const Dataset& dataset = task_.audio.dataset();
    const int64_t n_tags = dataset.n_tags();
    const int n_chunks = protocol_.validation_chunks > 0 ? protocol_.validation_chunks : protocol_.batch_size;
    // Non-owning: the scorer needs a shared pointer, the tagger belongs to the caller.
    const Scorer scorer({std::shared_ptr<Tagger>(std::shared_ptr<Tagger>(), &tagger_)}, protocol_,
                        {task_.device, task_.bf16});
    std::vector<float> scores;
    std::vector<uint8_t> labels(task_.valid_tracks.size() * static_cast<size_t>(n_tags));
    double loss_sum = 0.0;
    int64_t n_losses = 0;
    for (size_t i = 0; i < task_.valid_tracks.size(); ++i) {
      throw_if_interrupted();
      uint8_t* row = labels.data() + i * static_cast<size_t>(n_tags);
      copy_labels(task_.valid_tracks[i], row);
      const PcmClip clip = task_.audio.load(task_.valid_tracks[i], tagger_.facts().sample_rate_hz);
      const TrackScores track = scorer.score({clip.data(), clip.size()}, n_chunks).front();
      if (const auto loss = chunk_loss(track.chunks, row, n_tags)) {
        loss_sum += *loss;
        ++n_losses;
      }
      scores.insert(scores.end(), track.mean.begin(), track.mean.end());
    }
    if (n_losses > 0) validation.loss = loss_sum / static_cast<double>(n_losses);
    std::vector<uint8_t> known(labels.size());
    for (size_t i = 0; i < labels.size(); ++i) {
      known[i] = labels[i] != kUnknownLabel ? 1 : 0;
      if (known[i] == 0) labels[i] = 0;
    }
    const auto n_tracks = static_cast<int64_t>(task_.valid_tracks.size());
    const TaggingMetrics metrics =
        compute_metrics({n_tracks, n_tags, labels.data(), known.data()}, {n_tracks, n_tags, scores.data(), nullptr});
    validation.roc_auc = metrics.macro.roc_auc.value;
    validation.average_precision = metrics.macro.average_precision.value;
    return validation;
  }

  // Mean over chunks and known labels of the cross-entropy, from probabilities, as the official code computes it.
  std::optional<double> chunk_loss(const std::vector<float>& chunks, const uint8_t* labels, int64_t n_tags) const {
    double sum = 0.0;
    int64_t count = 0;
    const auto limited_log = [](double p) { return std::max(std::log(p), -100.0); };
    for (size_t i = 0; i < chunks.size(); ++i) {
      const uint8_t label = labels[i % static_cast<size_t>(n_tags)];
      const auto p = static_cast<double>(chunks[i]);
      if (protocol_.softmax_scores()) {
        if (label != 1) continue;
        sum -= limited_log(p);
      } else {
        if (label == kUnknownLabel) continue;
        sum -= label == 1 ? limited_log(p) : limited_log(1.0 - p);
      }
      ++count;
    }
    if (count == 0) return std::nullopt;
    return sum / static_cast<double>(count);
  }

  void save() const {
    StateDict all;
    append(all, "model.", state_of(tagger_));
    append(all, "best.", best_);
    save_optimizer(*optimizer_, "optimizer.", all);
    Json progress;
    progress["epoch"] = epoch_;
    progress["best_epoch"] = selection_.best_epoch();
    progress["best_value"] = selection_.best_value();
    all.metadata["progress"] = progress.dump();
    all.metadata["protocol_sha256"] = protocol_.sha256();
    all.metadata["history"] = history_;
    all.metadata["timings"] = timings_;
    write_safetensors(state_path(), all);
    write_file_atomically(task_.training_log, history_);
    write_file_atomically(task_.timing_log, timings_);
  }

  bool restore() {
    if (!std::filesystem::exists(state_path())) return false;
    const StateDict all = read_state_dict(state_path());
    const auto value = [&](const std::string& key) {
      const auto found = all.metadata.find(key);
      if (found == all.metadata.end())
        throw DataError(state_path().string() + ": not a training checkpoint ('" + key + "' is missing); use --fresh");
      return found->second;
    };
    if (value("protocol_sha256") != protocol_.sha256()) {
      throw DataError(state_path().string() + ": belongs to another protocol; use --fresh or another output folder");
    }
    const Json progress = Json::parse(value("progress"));
    epoch_ = progress.at("epoch").get<int>();
    selection_.restore(progress.at("best_epoch").get<int>(), progress.at("best_value").get<double>());
    history_ = value("history");
    timings_ = value("timings");
    load_state(tagger_, with_prefix(all, "model."), state_path().string());
    best_ = with_prefix(all, "best.");
    optimizer_ = make_optimizer(protocol_.stage_of(epoch_), trainable(tagger_));
    load_optimizer(*optimizer_, "optimizer.", all);
    spdlog::info("{}: continues after epoch {}/{}", task_.label, epoch_, protocol_.epochs);
    return true;
  }

  Tagger& tagger_;
  const TrainingTask& task_;
  Protocol protocol_;
  Selection selection_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
  StateDict best_;
  int epoch_ = 0;  // finished epochs
  std::string history_;
  std::string timings_;
};

}  // namespace

torch::Tensor tagging_loss(const torch::Tensor& logits, const torch::Tensor& labels, const Protocol& protocol) {
  if (protocol.loss == "cross_entropy") {
    const torch::Tensor target = labels.eq(1).to(logits.scalar_type());
    return -(torch::log_softmax(logits, 1) * target).sum() / static_cast<double>(logits.size(0));
  }
  const torch::Tensor known = labels.ne(static_cast<int64_t>(kUnknownLabel));
  const torch::Tensor target = labels.eq(1).to(logits.scalar_type());
  const torch::Tensor scores = torch::sigmoid(logits);
  if (known.all().item<bool>()) return torch::binary_cross_entropy(scores, target);
  const torch::Tensor weight = known.to(logits.scalar_type());
  return torch::binary_cross_entropy(scores, target, weight, at::Reduction::Sum) / weight.sum().clamp_min(1.0);
}

std::shared_ptr<Tagger> make_initialised(const ModelEntry& entry, const Options& options, int64_t n_tags,
                                         int64_t seed) {
  torch::manual_seed(derived_seed(static_cast<uint64_t>(seed), {"weights", entry.name}));
  return entry.make(options, n_tags);
}

TrainingResult train(Tagger& tagger, const TrainingTask& task) {
  return Training(tagger, task).run();
}

}  // namespace tagbench
