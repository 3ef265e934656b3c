#pragma once

#include <torch/csrc/jit/api/module.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "harness/nn/model_file.h"
#include "harness/nn/tagger.h"

namespace tagbench {

// What a TorchScript file does not tell about itself.
struct ScriptTaggerOptions {
  std::filesystem::path path;
  int sample_rate_hz = 16000;
  int64_t input_samples = 0;
  int64_t n_tags = 0;                  // 0: as many as the network puts out
  bool outputs_probabilities = false;  // the network ends in a sigmoid; otherwise it gives logits
};

// A user's own network from a TorchScript file (torch.jit.script or torch.jit.trace, then save). Its forward takes
// waveforms [B, T] and returns logits or probabilities [B, K]. Its parameters and buffers are registered here under
// their own names. A TorchScript file is a program, which this class runs: load only files that you trust.
//
// The graph is run as it stands, without the optimisations that LibTorch makes after it has watched some runs: results
// do not depend on how many chunks were scored before.
class ScriptTagger final : public Tagger {
 public:
  // Loads the network and runs it once, on silence, in evaluation mode. Errors: UsageError for options out of range;
  // DataError that names the file: not TorchScript, no forward of one tensor, a forward that throws, or an output of
  // another shape or type.
  explicit ScriptTagger(const ScriptTaggerOptions& options);

  int64_t n_tags() const { return n_tags_; }

  torch::Tensor front_end(const torch::Tensor& waveform) override;
  // Errors: also DataError for probabilities outside [0, 1].
  torch::Tensor network(const torch::Tensor& features) override;
  std::string front_end_key() const override { return "waveform"; }
  void train(bool on = true) override;

 private:
  torch::Tensor run(const torch::Tensor& waveform);
  torch::jit::Module script_;
  std::string name_of_file_;
  int64_t n_tags_ = 0;
  bool outputs_probabilities_ = false;
};

// Writes a tagger, in evaluation mode, as a TorchScript file: forward(waveform [B, T]) returns logits [B, K], its parts
// and tensors have the tagger's names, and `info` travels along. The file is loaded again and compared with the tagger
// before it takes its name. Architectures that fix the number of chunks when they are recorded run them one after
// another in the file. The tagger must lie on the CPU. Errors: DataError if the file cannot be written;
// std::logic_error if it does not compute what the tagger computes.
void export_torchscript(const std::filesystem::path& path, Tagger& tagger, const ModelFileInfo& info);

}  // namespace tagbench
