#pragma once

#include "models/blocks.h"
#include "models/log_mel_tagger.h"

namespace tagbench {

struct ShortChunkOptions {
  int64_t n_mels = 128;
  int64_t n_channels = 128;  // of layers 1 and 2; twice as many in 3-6, four times in 7
  int64_t n_tags = 50;
};

// What the two Short-chunk CNNs (Won et al. 2020) share, on 3.69 s at 16 kHz:
//
//   log-mel -> 7 blocks that halve both axes -> maximum over time -> dense, batch norm, ReLU, dropout 0.5 -> dense ->
//   logits
//
// Input [B, T], T >= 59049. `Block` is ConvBlock2d or ResidualBlock2d.
template <typename Block>
class ShortChunkNetwork : public LogMelTagger {
 public:
  ShortChunkNetwork(TaggerFacts facts, const ShortChunkOptions& options);
  torch::Tensor network(const torch::Tensor& features) override;

  Block layer1;
  Block layer2;
  Block layer3;
  Block layer4;
  Block layer5;
  Block layer6;
  Block layer7;
  torch::nn::Linear dense1;
  torch::nn::BatchNorm1d bn;
  torch::nn::Dropout dropout;
  torch::nn::Linear dense2;
};

// Blocks of [conv 3x3, batch norm, ReLU, max-pool 2], VGG-like. n_mels from 128 to 255, so that the last map is one bin
// high. 3,687,348 parameters with 50 tags.
using ShortChunkCnn = ShortChunkNetwork<ConvBlock2d>;

// Residual blocks with stride 2: the same channels and head; strided convolutions round up where pooling rounds down,
// so two steps are left of 231 frames. n_mels from 8 to 128. 12,104,244 parameters with 50 tags.
using ShortChunkCnnRes = ShortChunkNetwork<ResidualBlock2d>;

}  // namespace tagbench
