#pragma once

#include <array>

#include "harness/nn/slaney_mel.h"
#include "harness/nn/tagger.h"
#include "models/blocks.h"

namespace tagbench {

struct VggMediaevalOptions {
  int64_t n_channels = 64;  // of the first and last layer; the ones between have twice as many
  int64_t n_tags = 56;
};

// The VGG-like baseline of the MTG-Jamendo dataset (Bogdanov et al. 2019), mood and theme tags of MediaEval, on the
// central 29.1 s at 12 kHz.
//
//   Slaney mel spectrogram 96 x 1366 -> batch norm -> 5 x [conv 3x3, batch norm, ELU, max-pool] -> one vector ->
//   dropout 0.5 -> dense -> logits
//
// Input [B, T] with T = 349200 (features of 1280 to 2559 frames work). 448,122 parameters with 56 tags. Published keys
// are flat. The published weights' first batch norm has a mean of -22.7, nearer to 10 log10 of the power than to the
// published code's 20 log10; we follow the code.
class VggMediaeval : public Tagger, public Foldable {
 public:
  VggMediaeval(TaggerFacts facts, const VggMediaevalOptions& options);
  torch::Tensor front_end(const torch::Tensor& waveform) override;  // decibels [B, 96, L]
  torch::Tensor network(const torch::Tensor& features) override;
  void train(bool on = true) override;
  void fold() override;
  void unfold() override;
  std::string front_end_key() const override { return "slaney mel 96, 12 kHz, 20 log10 of power"; }

 private:
  static constexpr size_t kLayers = 5;

  SlaneyMelSpectrogram mel_;
  torch::nn::BatchNorm2d bn_init_;
  std::array<torch::nn::Conv2d, kLayers> conv_;     // registered as conv_1 .. conv_5
  std::array<torch::nn::BatchNorm2d, kLayers> bn_;  // bn_1 .. bn_5
  std::array<FoldedConv, kLayers> folded_;
  torch::nn::Dropout dropout_;
  torch::nn::Linear dense_{nullptr};
};

}  // namespace tagbench
