#pragma once

#include <torch/nn/modules/batchnorm.h>

#include <cstdint>
#include <string>

#include "harness/nn/log_mel.h"
#include "harness/nn/tagger.h"
#include "models/blocks.h"

namespace tagbench {

// What the architectures on decibel mel spectrograms share: the front end `spec` and the batch norm `spec_bn` behind
// it. Both are registered first, as in the published state dicts.
//
// waveform [B, T] -> mel power [B, F, L] -> decibels [B, F, L] = features; network() begins with spec_bn on [B, 1, F,
// L].
class LogMelTagger : public Tagger {
 public:
  torch::Tensor front_end(const torch::Tensor& waveform) override;
  std::string front_end_key() const override;

  MelSpectrogram spec;
  torch::nn::BatchNorm2d spec_bn;

 protected:
  struct Length {
    int64_t minimum_samples = 0;
    int64_t maximum_samples = 0;
  };
  // Fills facts.front_end; `length` is what front_end() accepts, and, in frames, what normalised() does.
  LogMelTagger(TaggerFacts facts, int64_t n_mels, Length length);

  // Features [B, F, L] to [B, 1, F, L], through spec_bn. Errors: UsageError for another shape.
  torch::Tensor normalised(const torch::Tensor& features);
  // The same with its parts, for layers that train faster with them.
  NormalisedImage normalised_parts(const torch::Tensor& features);

 private:
  torch::Tensor as_image(const torch::Tensor& features) const;

  int64_t n_mels_;
  Length length_;
};

// Errors: UsageError that begins with `owner` unless n_tags is from 1 to 100000.
void check_n_tags(const std::string& owner, int64_t n_tags);

}  // namespace tagbench
