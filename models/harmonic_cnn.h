#pragma once

#include "harness/nn/harmonic.h"
#include "harness/nn/tagger.h"
#include "models/blocks.h"

namespace tagbench {

struct HarmonicCnnOptions {
  int64_t n_channels = 128;  // of layers 1-4; twice as many in 5-7
  int64_t n_tags = 50;
};

// Harmonic CNN (Won, Chun, Nieto, Serra 2020) as evaluated by Won et al. (2020), on 5 s at 16 kHz.
//
//   power spectrogram -> learned harmonic filters, decibels -> batch norm -> conv block, three residual blocks, conv
//   block, two residual blocks, all with max-pooling -> maximum over time -> dense, batch norm, ReLU, dropout 0.5 ->
//   dense -> logits
//
// Input [B, T], T >= 80000. The front end ends at the power spectrogram, since the filters behind it are learned.
// 3,631,551 parameters with 50 tags.
class HarmonicCnn : public Tagger {
 public:
  HarmonicCnn(TaggerFacts facts, const HarmonicCnnOptions& options);
  torch::Tensor front_end(const torch::Tensor& waveform) override;         // [B, 257, L]
  torch::Tensor front_end_output(const torch::Tensor& waveform) override;  // decibels [B, 6, 128, L]
  torch::Tensor network(const torch::Tensor& features) override;
  std::string front_end_key() const override;

  HarmonicSpectrogram hstft;
  torch::nn::BatchNorm2d hstft_bn;
  ConvBlock2d layer1;
  PooledResidualBlock2d layer2;
  PooledResidualBlock2d layer3;
  PooledResidualBlock2d layer4;
  ConvBlock2d layer5;
  PooledResidualBlock2d layer6;
  PooledResidualBlock2d layer7;
  torch::nn::Linear dense1;
  torch::nn::BatchNorm1d bn;
  torch::nn::Dropout dropout;
  torch::nn::Linear dense2;
};

}  // namespace tagbench
