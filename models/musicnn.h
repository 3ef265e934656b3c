#pragma once

#include <torch/nn/modules/container/modulelist.h>

#include "models/blocks.h"
#include "models/log_mel_tagger.h"

namespace tagbench {

struct MusicnnOptions {
  int64_t n_mels = 96;  // at least 67, the height of the tallest filter
  int64_t front_channels =
      128;  // the front end has floor(1.6 times this) vertical and three times floor(0.4 times this) horizontal filters
  int64_t n_channels = 64;  // of the three layers behind it; 512 in the Million Song Dataset's models
  int64_t n_dense = 200;    // 500 in the Million Song Dataset's models
  int64_t n_tags = 50;
};

// Musicnn (Pons et al. 2018; Pons and Serra 2019) as evaluated by Won et al. (2020), on 3 s at 16 kHz.
//
//   log-mel -> vertical (67x7, 38x7) and horizontal (129, 65, 33) filters, concatenated -> three 1-D layers, densely
//   concatenated
//   -> maximum and mean over time -> dense, batch norm, ReLU, dropout 0.5 -> dense -> logits
//
// Input [B, T], T >= 48000. 784,300 parameters with 50 tags (7,972,000 with n_channels 512, n_dense 500).
// Filter heights are those of 96 bands (0.7 and 0.4 of it) whatever n_mels is, as in the official code.
class Musicnn : public LogMelTagger {
 public:
  Musicnn(TaggerFacts facts, const MusicnnOptions& options);
  torch::Tensor network(const torch::Tensor& features) override;

  torch::nn::ModuleList layers;
  ConvBlock1d layer1;
  ConvBlock1d layer2;
  ConvBlock1d layer3;
  torch::nn::Linear dense1;
  torch::nn::BatchNorm1d bn;
  torch::nn::Dropout dropout;
  torch::nn::Linear dense2;

 private:
  VerticalBlock tall_;
  VerticalBlock medium_;
  HorizontalBlock long_;
  HorizontalBlock middle_;
  HorizontalBlock short_;
};

}  // namespace tagbench
