#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/config.h"
#include "harness/core/json.h"

namespace tagbench {

// One stretch of training with one optimiser setting.
struct TrainingStage {
  int from_epoch = 1;              // epochs count from 1
  std::string optimizer = "adam";  // "adam", "sgd"
  double learning_rate = 1e-4;
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;  // adam
  double momentum = 0.0;                          // sgd
  bool nesterov = false;                          // sgd
  double weight_decay = 0.0;                      // added to the gradient (L2), not decoupled
  bool reload_best = false;                       // before the stage begins, batch-norm statistics included
  bool fresh_optimizer = true;                    // false: the optimiser of the stage before goes on, its momentum kept
};

// How any architecture is trained, selected and evaluated. Data (a YAML file), never code.
struct Protocol {
  std::string name;
  std::string source;
  std::string loss = "binary_cross_entropy";  // on sigmoid outputs; or "cross_entropy" on softmax outputs (multiclass)
  int epochs = 1;
  int batch_size = 16;
  std::vector<TrainingStage> stages;
  int validation_chunks = 0;             // per track; 0: as many as batch_size
  std::string selection = "valid_loss";  // "valid_loss", "valid_roc_auc", "valid_average_precision", "last"
  double selection_start = 1.0;          // valid_loss: an epoch is best only if its loss is below this and all before
  int evaluation_chunks = 16;
  std::string short_tracks = "repeat";  // tracks shorter than a chunk: "repeat" (cyclically) or "zero_pad"

  // The stage that epoch belongs to.
  const TrainingStage& stage_of(int epoch) const;
  // True if `epoch` is the first of a stage other than the first.
  bool begins_stage(int epoch) const;
  // Scores are sigmoid or softmax outputs.
  bool softmax_scores() const { return loss == "cross_entropy"; }

  Json to_json() const;
  // Of the canonical JSON: part of every cell's identity.
  std::string sha256() const;
};

// The protocols that come with the program.
std::vector<std::string> protocol_names();

// A name, a path to a YAML file, or a map: {name: won2020, epochs: 3} is the protocol called so with these keys
// replaced. Errors: UsageError naming file and line for unknown keys and values that do not hold together.
Protocol load_protocol(const ConfigNode& node);
Protocol load_protocol(const std::string& name_or_path);

}  // namespace tagbench
