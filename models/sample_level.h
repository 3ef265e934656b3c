#pragma once

#include "harness/nn/tagger.h"
#include "models/blocks.h"

namespace tagbench {

struct SampleLevelOptions {
  int64_t n_channels = 128;  // of layers 1-3; twice as many in 4-9, four times in 10 and 11
  int64_t n_tags = 50;
};

// What the two sample-level architectures share: the waveform itself, 3^10 = 59049 samples at 16 kHz, as one channel.
class SampleLevelTagger : public Tagger {
 public:
  torch::Tensor front_end(const torch::Tensor& waveform) override;  // [B, 59049], unchanged
  std::string front_end_key() const override { return "waveform"; }

 protected:
  SampleLevelTagger(TaggerFacts facts, const SampleLevelOptions& options);
};

// Sample-level CNN (Lee, Park, Kim, Nam 2017) as evaluated by Won et al. (2020).
//
//   waveform -> conv 3 / 3 -> 9 x [conv 3, batch norm, ReLU, max-pool 3] -> conv 1 -> dropout 0.5 -> dense -> logits
//
// Input [B, 59049]: the only length that ends in one step. 1,869,874 parameters with 50 tags. After the official code:
// eleven layers, the first strided and without pooling, the last 1x1 (the paper's text says ten).
class SampleCnn : public SampleLevelTagger {
 public:
  SampleCnn(TaggerFacts facts, const SampleLevelOptions& options);
  torch::Tensor network(const torch::Tensor& features) override;

  torch::nn::Dropout dropout;
  torch::nn::Linear dense{nullptr};

 private:
  std::vector<ConvBlock1d> layers_;  // registered as layer1 .. layer11
};

// Sample-level CNN with residual squeeze-and-excitation blocks (Kim, Lee, Nam 2018) as evaluated by Won et al. (2020).
//
//   waveform -> 11 x [residual SE block, sizes as in SampleCnn] -> dense, batch norm, ReLU, dropout 0.5 -> dense ->
//   logits
//
// Input [B, 59049]. 6,951,858 parameters with 50 tags.
class SampleCnnSe : public SampleLevelTagger {
 public:
  SampleCnnSe(TaggerFacts facts, const SampleLevelOptions& options);
  torch::Tensor network(const torch::Tensor& features) override;

  torch::nn::Linear dense1{nullptr};
  torch::nn::BatchNorm1d bn{nullptr};
  torch::nn::Dropout dropout{nullptr};
  torch::nn::Linear dense2{nullptr};

 private:
  std::vector<SqueezeExcitationBlock1d> layers_;  // registered as layer1 .. layer11
};

}  // namespace tagbench
