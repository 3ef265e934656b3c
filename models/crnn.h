#pragma once

#include <torch/nn/modules/rnn.h>

#include "models/blocks.h"
#include "models/log_mel_tagger.h"

namespace tagbench {

struct CrnnOptions {
  int64_t n_mels = 96;      // 96..191, so that the last map is one bin high
  int64_t n_channels = 64;  // of the first layer; twice as many in the others; the GRU has half as many units
  int64_t n_tags = 50;
};

// Convolutional recurrent network (Choi, Fazekas, Sandler, Cho 2017) as evaluated by Won et al. (2020), on 29 s at 16
// kHz.
//
//   log-mel -> 4 x [conv 3x3, batch norm, ReLU, max-pool] -> GRU of 2 layers -> last step -> dropout 0.5 -> dense ->
//   logits
//
// Input [B, T], T >= 464000. 394,100 parameters with 50 tags.
class Crnn : public LogMelTagger {
 public:
  Crnn(TaggerFacts facts, const CrnnOptions& options);
  torch::Tensor network(const torch::Tensor& features) override;

  ConvBlock2d layer1;
  ConvBlock2d layer2;
  ConvBlock2d layer3;
  ConvBlock2d layer4;
  torch::nn::GRU layer5;
  torch::nn::Dropout dropout;
  torch::nn::Linear dense;
};

}  // namespace tagbench
