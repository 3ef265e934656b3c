#pragma once

#include "models/blocks.h"
#include "models/log_mel_tagger.h"

namespace tagbench {

struct FcnOptions {
  int64_t n_mels = 96;      // 96..191, so that the last map is one bin high
  int64_t n_channels = 64;  // of the first and last layer; the ones between have twice as many
  int64_t n_tags = 50;
};

// Fully convolutional network (Choi, Fazekas, Sandler 2016) as evaluated by Won et al. (2020), on 29 s at 16 kHz.
//
//   log-mel -> 5 x [conv 3x3, batch norm, ReLU, max-pool] -> one vector -> dropout 0.5 -> dense -> logits
//
// Input [B, T] with T = 464000 (327424..655103 work: the last map must be one step long). 447,732 parameters with 50
// tags. After the official code, not the paper's text: five layers instead of four, exactly 29 s. Sigmoid is left to
// the caller.
class Fcn : public LogMelTagger {
 public:
  Fcn(TaggerFacts facts, const FcnOptions& options);
  torch::Tensor network(const torch::Tensor& features) override;

  ConvBlock2d layer1;
  ConvBlock2d layer2;
  ConvBlock2d layer3;
  ConvBlock2d layer4;
  ConvBlock2d layer5;
  torch::nn::Dropout dropout;
  torch::nn::Linear dense;
};

}  // namespace tagbench
