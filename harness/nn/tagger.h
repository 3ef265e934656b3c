#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/core/options.h"

namespace tagbench {

// What an architecture says about itself once built with its options.
struct TaggerFacts {
  std::string name;      // registry name: "short"
  std::string row_name;  // the paper's: "Short-chunk CNN"
  std::string paper;
  std::string source;  // official code and commit
  int sample_rate_hz = 16000;
  int64_t input_samples = 0;  // samples of one chunk
  std::string front_end;      // "log-mel 128", "waveform"
  // Samples of audio that one time step of the last feature map sees, before pooling over time, recurrence or attention
  // join the steps; at most input_samples.
  int64_t receptive_field_samples = 0;
};

// An architecture: a front end without dropout (waveform to features) followed by a network (features to logits).
//
// Shapes: waveform [B, T] float, T = facts().input_samples (longer where the class says so); logits [B, K].
// Names of registered sub-modules, parameters and buffers equal the published state-dict keys. The front end's fixed
// tensors (window, filter bank) are buffers, replaced when a checkpoint brings its own.
class Tagger : public torch::nn::Module {
 public:
  explicit Tagger(TaggerFacts facts) : facts_(std::move(facts)) {}
  const TaggerFacts& facts() const { return facts_; }

  // Waveform [B, T] to what the first learned layer receives: decibel mel spectrogram [B, F, L], power spectrogram
  // (where the filters are learned), or the waveform itself.
  virtual torch::Tensor front_end(const torch::Tensor& waveform) = 0;
  // What to show and save as the front end's output: front_end(), and where filters are learned, the decibels that they
  // give.
  virtual torch::Tensor front_end_output(const torch::Tensor& waveform) { return front_end(waveform); }
  // Features to logits [B, K].
  virtual torch::Tensor network(const torch::Tensor& features) = 0;
  torch::Tensor forward(const torch::Tensor& waveform) { return network(front_end(waveform)); }

  // Two taggers with equal keys get equal features from equal chunks, so these are computed once. Covers settings and
  // the bytes of the buffers; "" means that the front end is learned or private and must not be shared.
  virtual std::string front_end_key() const = 0;

 private:
  TaggerFacts facts_;
};

// Told of intermediate results while it is in scope on this thread: for parity tests and `tagbench list models NAME`.
class ActivationObserver {
 public:
  using Callback = std::function<void(const std::string& name, const torch::Tensor& value)>;
  explicit ActivationObserver(Callback callback);
  ~ActivationObserver();
  ActivationObserver(const ActivationObserver&) = delete;
  ActivationObserver& operator=(const ActivationObserver&) = delete;

 private:
  Callback callback_;
  ActivationObserver* previous_;
  friend torch::Tensor observed(const char* name, torch::Tensor value);
};

// Reports `value` under the published module's name ("layer1", "spec_bn") if somebody observes, and returns it.
torch::Tensor observed(const char* name, torch::Tensor value);

// One architecture in the registry.
struct ModelEntry {
  std::string name;      // "short"
  std::string row_name;  // "Short-chunk CNN"
  std::string summary;   // one sentence
  std::string paper;
  std::string source;
  std::vector<OptionSpec> options;  // defaults are the published settings
  std::shared_ptr<Tagger> (*make)(const Options& options, int64_t n_tags) = nullptr;
  int64_t published_tags = 50;  // outputs of the published weights
};

// Trainable values; buffers do not count.
int64_t count_parameters(const torch::nn::Module& module);

}  // namespace tagbench
