#pragma once

#include "models/blocks.h"
#include "models/log_mel_tagger.h"

namespace tagbench {

struct ShortChunkOptions {
  int64_t n_mels = 128;
  int64_t n_channels = 128;  // of layers 1 and 2; twice as many in 3-6, four times in 7
  int64_t n_tags = 50;
};

// Short-chunk CNN (Won et al. 2020), a VGG-like network on 3.69 s at 16 kHz.
//
//   log-mel -> 7 x [conv 3x3, batch norm, ReLU, max-pool 2] -> maximum over time -> dense, batch norm, ReLU, dropout
//   0.5 -> dense -> logits
//
// Input [B, T], T >= 59049. n_mels from 128 to 255, so that the last map is one bin high. 3,687,348 parameters with 50
// tags.
class ShortChunkCnn : public LogMelTagger {
 public:
  ShortChunkCnn(TaggerFacts facts, const ShortChunkOptions& options);
  torch::Tensor network(const torch::Tensor& features) override;

  ConvBlock2d layer1;
  ConvBlock2d layer2;
  ConvBlock2d layer3;
  ConvBlock2d layer4;
  ConvBlock2d layer5;
  ConvBlock2d layer6;
  ConvBlock2d layer7;
  torch::nn::Linear dense1;
  torch::nn::BatchNorm1d bn;
  torch::nn::Dropout dropout;
  torch::nn::Linear dense2;
};

// Short-chunk CNN with residual blocks (Won et al. 2020): the same channels and head; strided convolutions round up
// where pooling rounds down, so two steps are left of 231 frames.
//
//   log-mel -> 7 x residual block, stride 2 -> maximum over time -> dense, batch norm, ReLU, dropout 0.5 -> dense ->
//   logits
//
// Input [B, T], T >= 59049. n_mels from 8 to 128. 12,104,244 parameters with 50 tags.
class ShortChunkCnnRes : public LogMelTagger {
 public:
  ShortChunkCnnRes(TaggerFacts facts, const ShortChunkOptions& options);
  torch::Tensor network(const torch::Tensor& features) override;

  ResidualBlock2d layer1;
  ResidualBlock2d layer2;
  ResidualBlock2d layer3;
  ResidualBlock2d layer4;
  ResidualBlock2d layer5;
  ResidualBlock2d layer6;
  ResidualBlock2d layer7;
  torch::nn::Linear dense1;
  torch::nn::BatchNorm1d bn;
  torch::nn::Dropout dropout;
  torch::nn::Linear dense2;
};

}  // namespace tagbench
