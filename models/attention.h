#pragma once

#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/normalization.h>

#include <vector>

#include "models/blocks.h"
#include "models/log_mel_tagger.h"

namespace tagbench {

// Post-norm transformer encoder layer: x' = norm(x + dropout(dense(attention(x)))); norm(x' +
// dropout(dense(GELU(dense(x'))))). GELU exact (erf); dropout 0.5 on the attention's probabilities, 0.4 elsewhere;
// layer norms with eps 1e-12; no mask. [B, L, D] to [B, L, D]. The nesting below gives the published keys:
// attention.self.query, attention.output.dense, attention.output.LayerNorm, intermediate.dense, output.dense,
// output.LayerNorm.
class EncoderLayerImpl : public torch::nn::Module {
 public:
  EncoderLayerImpl(int64_t width, int64_t inner_width, int64_t n_heads);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  torch::Tensor attended(const torch::Tensor& x);

  int64_t n_heads_;
  torch::nn::Linear query_{nullptr};
  torch::nn::Linear key_{nullptr};
  torch::nn::Linear value_{nullptr};
  torch::nn::Dropout probability_dropout_{nullptr};
  torch::nn::Linear attention_dense_{nullptr};
  torch::nn::LayerNorm attention_norm_{nullptr};
  torch::nn::Dropout attention_dropout_{nullptr};
  torch::nn::Linear intermediate_dense_{nullptr};
  torch::nn::Linear output_dense_{nullptr};
  torch::nn::LayerNorm output_norm_{nullptr};
  torch::nn::Dropout output_dropout_{nullptr};
};
TORCH_MODULE(EncoderLayer);

struct AttentionOptions {
  int64_t n_mels = 128;  // at most 128, so that the last map is one bin high
  int64_t n_channels =
      128;  // of layers 1 and 2, a multiple of 4; the transformer is twice as wide, its inner layer eight times
  int64_t n_tags = 50;
};

// The constant vector that stands for [CLS]: the first `width` values that NumPy's legacy generator RandomState(0)
// draws uniformly from [0, 1), rounded to float32. Not learned, in no state dict.
std::vector<float> cls_vector(int64_t width);

// Self-attention tagger (Won, Chun, Serra 2019) as evaluated by Won et al. (2020), on 15 s at 16 kHz.
//
//   log-mel -> 3 residual blocks, stride 2 -> 4 residual blocks, stride (2, 1) -> [CLS] and one vector per step
//   -> 2 transformer encoder layers of 8 heads -> vector of [CLS] -> dense, tanh -> dropout 0.5 -> dense -> logits
//
// Input [B, T], T >= 240000. 10,521,652 parameters with 50 tags. After the official code: no positional information,
// width 256, and both encoder layers start from the same weights.
class Attention : public LogMelTagger {
 public:
  Attention(TaggerFacts facts, const AttentionOptions& options);
  torch::Tensor network(const torch::Tensor& features) override;

  ResidualBlock2d layer1;
  ResidualBlock2d layer2;
  ResidualBlock2d layer3;
  ResidualBlock2d layer4;
  ResidualBlock2d layer5;
  ResidualBlock2d layer6;
  ResidualBlock2d layer7;

 private:
  std::vector<EncoderLayer> encoder_layers_;  // registered as encoder.layer.0, encoder.layer.1
  torch::nn::Linear pooler_dense_{nullptr};
  torch::nn::Dropout dropout_{nullptr};
  torch::nn::Linear dense_{nullptr};
  torch::Tensor cls_;  // [D]
};

}  // namespace tagbench
