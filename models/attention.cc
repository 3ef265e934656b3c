#include "models/attention.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <utility>

#include "harness/core/errors.h"

namespace tagbench {
namespace {

constexpr int64_t kAttentionSamples = 240000;
constexpr int64_t kAttentionHeads = 8;
constexpr int64_t kEncoderLayers = 2;
constexpr Size2d kHalfFrequency{2, 1};

// A module that only nests others, so that their keys read as published.
class Scope : public torch::nn::Module {
 public:
  template <typename Holder>
  Holder add(const std::string& name, Holder holder) {
    register_module(name, holder);
    return holder;
  }
  std::shared_ptr<Scope> add_scope(const std::string& name) { return register_module(name, std::make_shared<Scope>()); }
};

torch::nn::LayerNorm layer_norm(int64_t width) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({width}).eps(1e-12));
}

// Layer norm of a residual sum. Under autocast the sum may be bfloat16, which the CPU's layer norm does not take with
// weights in single precision.
torch::Tensor normalised_sum(torch::nn::LayerNorm& norm, const torch::Tensor& branch, const torch::Tensor& trunk) {
  return norm->forward((branch + trunk).to(norm->weight));
}

TaggerFacts attention_facts(TaggerFacts facts, const AttentionOptions& options) {
  check_n_tags(facts.name, options.n_tags);
  if (2 * options.n_channels % kAttentionHeads != 0) {
    throw UsageError(facts.name +
                     ": n_channels must be a multiple of 4 (eight attention heads share twice as many), got " +
                     std::to_string(options.n_channels));
  }
  facts.input_samples = kAttentionSamples;
  ReceptiveField field;
  for (int64_t layer = 1; layer <= 3; ++layer) field.layer(3, 2).layer(3);
  for (int64_t layer = 4; layer <= 7; ++layer) field.layer(3).layer(3);
  facts.receptive_field_samples = std::min(field.samples_of_frames(), kAttentionSamples);
  return facts;
}

}  // namespace

EncoderLayerImpl::EncoderLayerImpl(int64_t width, int64_t inner_width, int64_t n_heads) : n_heads_(n_heads) {
  const std::shared_ptr<Scope> attention = register_module("attention", std::make_shared<Scope>());
  const std::shared_ptr<Scope> self = attention->add_scope("self");
  query_ = self->add("query", torch::nn::Linear(width, width));
  key_ = self->add("key", torch::nn::Linear(width, width));
  value_ = self->add("value", torch::nn::Linear(width, width));
  probability_dropout_ = self->add("dropout", torch::nn::Dropout(0.5));
  const std::shared_ptr<Scope> attention_output = attention->add_scope("output");
  attention_dense_ = attention_output->add("dense", torch::nn::Linear(width, width));
  attention_norm_ = attention_output->add("LayerNorm", layer_norm(width));
  attention_dropout_ = attention_output->add("dropout", torch::nn::Dropout(0.4));
  const std::shared_ptr<Scope> intermediate = register_module("intermediate", std::make_shared<Scope>());
  intermediate_dense_ = intermediate->add("dense", torch::nn::Linear(width, inner_width));
  const std::shared_ptr<Scope> output = register_module("output", std::make_shared<Scope>());
  output_dense_ = output->add("dense", torch::nn::Linear(inner_width, width));
  output_norm_ = output->add("LayerNorm", layer_norm(width));
  output_dropout_ = output->add("dropout", torch::nn::Dropout(0.4));
}

torch::Tensor EncoderLayerImpl::attended(const torch::Tensor& x) {
  const int64_t head_width = x.size(2) / n_heads_;
  const auto heads = [&](const torch::Tensor& y) {
    return y.view({y.size(0), y.size(1), n_heads_, head_width}).transpose(1, 2);  // [B, heads, L, D / heads]
  };
  const torch::Tensor query = heads(query_->forward(x));
  const torch::Tensor key = heads(key_->forward(x));
  const torch::Tensor value = heads(value_->forward(x));
  const torch::Tensor scores = torch::matmul(query, key.transpose(2, 3)) / std::sqrt(static_cast<double>(head_width));
  const torch::Tensor probabilities = probability_dropout_->forward(torch::softmax(scores, -1));  // [B, heads, L, L]
  return torch::matmul(probabilities, value).transpose(1, 2).reshape(x.sizes());                  // [B, L, D]
}

torch::Tensor EncoderLayerImpl::forward(const torch::Tensor& x) {
  const torch::Tensor context = attention_dropout_->forward(attention_dense_->forward(attended(x)));
  const torch::Tensor y = normalised_sum(attention_norm_, context, x);
  const torch::Tensor inner = torch::gelu(intermediate_dense_->forward(y));  // [B, L, inner width]
  return normalised_sum(output_norm_, output_dropout_->forward(output_dense_->forward(inner)), y);
}

std::vector<float> cls_vector(int64_t width) {
  // The standard's engine seeded with 0 is NumPy's; 53 bits are put together from two draws as NumPy does.
  std::mt19937 engine(0);
  std::vector<float> values(static_cast<size_t>(width));
  for (float& value : values) {
    const auto high = static_cast<double>(engine() >> 5);
    const auto low = static_cast<double>(engine() >> 6);
    value = static_cast<float>((high * 67108864.0 + low) / 9007199254740992.0);
  }
  return values;
}

Attention::Attention(TaggerFacts facts, const AttentionOptions& options)
    : LogMelTagger(attention_facts(std::move(facts), options), options.n_mels, {kAttentionSamples, kAnyLength}),
      layer1(register_module("layer1", ResidualBlock2d(1, options.n_channels, kHalf))),
      layer2(register_module("layer2", ResidualBlock2d(options.n_channels, options.n_channels, kHalf))),
      layer3(register_module("layer3", ResidualBlock2d(options.n_channels, 2 * options.n_channels, kHalf))),
      layer4(
          register_module("layer4", ResidualBlock2d(2 * options.n_channels, 2 * options.n_channels, kHalfFrequency))),
      layer5(
          register_module("layer5", ResidualBlock2d(2 * options.n_channels, 2 * options.n_channels, kHalfFrequency))),
      layer6(
          register_module("layer6", ResidualBlock2d(2 * options.n_channels, 2 * options.n_channels, kHalfFrequency))),
      layer7(
          register_module("layer7", ResidualBlock2d(2 * options.n_channels, 2 * options.n_channels, kHalfFrequency))) {
  const int64_t width = 2 * options.n_channels;
  const std::shared_ptr<Scope> encoder = register_module("encoder", std::make_shared<Scope>());
  torch::nn::ModuleList list = encoder->add("layer", torch::nn::ModuleList());
  for (int64_t index = 0; index < kEncoderLayers; ++index) {
    EncoderLayer layer(width, 4 * width, kAttentionHeads);
    list->push_back(layer);
    encoder_layers_.push_back(layer);
  }
  const torch::NoGradGuard no_gradient;
  const std::vector<torch::Tensor> first = encoder_layers_.front()->parameters();
  for (const EncoderLayer& layer : encoder_layers_) {
    const std::vector<torch::Tensor> other = layer->parameters();
    for (size_t i = 0; i < first.size(); ++i) other[i].copy_(first[i]);
  }
  const std::shared_ptr<Scope> pooler = register_module("pooler", std::make_shared<Scope>());
  pooler_dense_ = pooler->add("dense", torch::nn::Linear(width, width));
  dropout_ = register_module("dropout", torch::nn::Dropout(0.5));
  dense_ = register_module("dense", torch::nn::Linear(width, options.n_tags));
  cls_ = torch::tensor(cls_vector(width), torch::kFloat32);
}

torch::Tensor Attention::network(const torch::Tensor& features) {
  torch::Tensor x = normalised(features);          // [B, 1, F, L]
  x = observed("layer1", layer1->forward(x));      // [B, C, F/2, L/2], halves rounded up
  x = observed("layer2", layer2->forward(x));      // [B, C, F/4, L/4]
  x = observed("layer3", layer3->forward(x));      // [B, 2C, F/8, L/8]
  x = observed("layer4", layer4->forward(x));      // [B, 2C, F/16, L/8]
  x = observed("layer5", layer5->forward(x));      // [B, 2C, F/32, L/8]
  x = observed("layer6", layer6->forward(x));      // [B, 2C, F/64, L/8]
  x = observed("layer7", layer7->forward(x));      // [B, 2C, 1, L/8]
  x = plain_layout(x).squeeze(2).transpose(1, 2);  // [B, L/8, D]
  const torch::Tensor cls = cls_.to(x).expand_as(x.narrow(1, 0, 1));
  x = torch::cat({cls, x}, 1);  // [B, 1 + L/8, D]
  for (EncoderLayer& layer : encoder_layers_) x = layer->forward(x);
  x = observed("encoder", x);
  x = observed("pooler", torch::tanh(pooler_dense_->forward(x.select(1, 0))));  // [B, D]
  return observed("dense", dense_->forward(dropout_->forward(x)));              // [B, K]
}

}  // namespace tagbench
