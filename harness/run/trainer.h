#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/nn/tagger.h"
#include "harness/run/protocol.h"
#include "harness/run/track_audio.h"

namespace tagbench {

struct TrainingTask {
  const TrackAudio& audio;
  std::vector<int64_t> train_tracks;  // usable ones
  std::vector<int64_t> valid_tracks;  // may be empty if the protocol selects "last"
  Protocol protocol;
  int64_t seed = 1;
  torch::Device device = torch::kCPU;
  bool bf16 = false;
  // Holds state.safetensors (everything needed to go on) after each epoch.
  std::filesystem::path checkpoint_directory;
  // One JSON object per epoch: epoch, stage, learning rate, losses, validation AUCs, whether best. Same bytes however
  // often the training was stopped; timings go to timing_log.
  std::filesystem::path training_log;
  std::filesystem::path timing_log;
  std::string label;         // for the progress bar
  int stop_after_epoch = 0;  // above 0: throws Interrupted once this epoch is saved, as a signal would
};

struct TrainingResult {
  int epochs = 0;
  int best_epoch = 0;
  double best_value = 0.0;  // of the protocol's selection; 0 for "last"
};

// Trains `tagger`, newly initialised by initialise_weights, under the task's protocol and leaves the selected weights
// in it.
//
// Continues from checkpoint_directory if that holds an unfinished training of the same task. Every random draw is keyed
// by (seed, purpose, epoch, track), so the result is the same to the bit for equal seed, machine and thread count,
// interrupted or not.
//
// One chunk per track and epoch at a random start; shuffled; the last partial batch is kept (a last single track joins
// the batch before). Loss: mean over the batch's known labels. Validation after every epoch as the protocol says.
// Errors: DataError if the loss stops being finite (names epoch and batch) or if no epoch was ever best; Interrupted.
TrainingResult train(Tagger& tagger, const TrainingTask& task);

// Draws fresh weights: LibTorch's generator is seeded from (seed, model name) and the tagger is built by `make`.
std::shared_ptr<Tagger> make_initialised(const ModelEntry& entry, const Options& options, int64_t n_tags, int64_t seed);

// Mean loss over known labels. logits [B, K]; labels [B, K] with 0, 1 or kUnknownLabel. Binary cross-entropy on sigmoid
// outputs (logarithms limited to -100, as PyTorch does) or cross-entropy on softmax outputs.
torch::Tensor tagging_loss(const torch::Tensor& logits, const torch::Tensor& labels, const Protocol& protocol);

}  // namespace tagbench
