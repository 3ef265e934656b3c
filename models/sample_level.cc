#include "models/sample_level.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "harness/nn/spectrogram.h"
#include "models/log_mel_tagger.h"

namespace tagbench {
namespace {

constexpr int64_t kSampleLevelSamples = 59049;
constexpr size_t kSampleLevelLayers = 11;

// Channels of layer 1, 2, ... in units of n_channels.
constexpr std::array<int64_t, kSampleLevelLayers> kSampleLevelWidths = {1, 1, 1, 2, 2, 2, 2, 2, 2, 4, 4};

ConvBlock1dImpl::Shape layer_shape(size_t index) {
  if (index == 0) return {3, 3, 1};
  if (index == kSampleLevelLayers - 1) return {1, 1, 1};
  return {3, 1, 3};
}

std::string layer_name(size_t index) {
  return "layer" + std::to_string(index + 1);
}

// Adds layer1 .. layer11 of the block type to `owner`.
template <typename Block, typename Register>
std::vector<Block> make_layers(int64_t n_channels, const Register& register_layer) {
  std::vector<Block> layers;
  int64_t in = 1;
  for (size_t index = 0; index < kSampleLevelLayers; ++index) {
    const int64_t out = kSampleLevelWidths[index] * n_channels;
    layers.push_back(register_layer(layer_name(index), Block(in, out, layer_shape(index))));
    in = out;
  }
  return layers;
}

// Waveform [B, T] through all layers to [B, D].
template <typename Block>
torch::Tensor run_layers(std::vector<Block>& layers, const torch::Tensor& waveform) {
  torch::Tensor x = waveform.unsqueeze(1);  // [B, 1, T]
  for (size_t index = 0; index < layers.size(); ++index) {
    x = observed(layer_name(index).c_str(), layers[index]->forward(x));
  }
  return plain_sequence(x).squeeze(2);
}

TaggerFacts sample_facts(TaggerFacts facts, const SampleLevelOptions& options) {
  check_n_tags(facts.name, options.n_tags);
  facts.input_samples = kSampleLevelSamples;
  facts.front_end = "waveform";
  ReceptiveField field;
  for (size_t index = 0; index < kSampleLevelLayers; ++index) {
    const ConvBlock1dImpl::Shape shape = layer_shape(index);
    field.layer(shape.kernel, shape.stride).pool(shape.pool);
  }
  facts.receptive_field_samples = std::min(field.steps(), kSampleLevelSamples);
  return facts;
}

}  // namespace

SampleLevelTagger::SampleLevelTagger(TaggerFacts facts, const SampleLevelOptions& options)
    : Tagger(sample_facts(std::move(facts), options)) {}

torch::Tensor SampleLevelTagger::front_end(const torch::Tensor& waveform) {
  check_waveform(facts().name, waveform, kSampleLevelSamples, kSampleLevelSamples);
  return waveform;
}

SampleCnn::SampleCnn(TaggerFacts facts, const SampleLevelOptions& options)
    : SampleLevelTagger(std::move(facts), options), dropout(register_module("dropout", torch::nn::Dropout(0.5))) {
  layers_ = make_layers<ConvBlock1d>(options.n_channels, [this](std::string name, ConvBlock1d block) {
    return register_module(std::move(name), std::move(block));
  });
  dense = register_module("dense", torch::nn::Linear(4 * options.n_channels, options.n_tags));
}

torch::Tensor SampleCnn::network(const torch::Tensor& features) {
  check_waveform(facts().name, features, kSampleLevelSamples, kSampleLevelSamples);
  const torch::Tensor x = dropout->forward(run_layers(layers_, features));  // [B, D]
  return observed("dense", dense->forward(x));                              // [B, K]
}

SampleCnnSe::SampleCnnSe(TaggerFacts facts, const SampleLevelOptions& options)
    : SampleLevelTagger(std::move(facts), options) {
  layers_ = make_layers<SqueezeExcitationBlock1d>(options.n_channels,
                                                  [this](std::string name, SqueezeExcitationBlock1d block) {
                                                    return register_module(std::move(name), std::move(block));
                                                  });
  const int64_t width = 4 * options.n_channels;
  dense1 = register_module("dense1", torch::nn::Linear(width, width));
  bn = register_module("bn", torch::nn::BatchNorm1d(width));
  dropout = register_module("dropout", torch::nn::Dropout(0.5));
  dense2 = register_module("dense2", torch::nn::Linear(width, options.n_tags));
}

torch::Tensor SampleCnnSe::network(const torch::Tensor& features) {
  check_waveform(facts().name, features, kSampleLevelSamples, kSampleLevelSamples);
  torch::Tensor x = run_layers(layers_, features);  // [B, D]
  x = observed("dense1", dense1->forward(x));       // [B, D]
  x = dropout->forward(torch::relu(observed("bn", bn->forward(x))));
  return observed("dense2", dense2->forward(x));  // [B, K]
}

}  // namespace tagbench
