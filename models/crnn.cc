#include "models/crnn.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tagbench {
namespace {

constexpr int64_t kCrnnSamples = 464000;

TaggerFacts crnn_facts(TaggerFacts facts, const CrnnOptions& options) {
  check_n_tags(facts.name, options.n_tags);
  facts.input_samples = kCrnnSamples;
  ReceptiveField field;
  for (const int64_t pool : {2, 3, 4, 4}) field.layer(3).pool(pool);
  facts.receptive_field_samples = std::min(field.samples_of_frames(), kCrnnSamples);
  return facts;
}

}  // namespace

Crnn::Crnn(TaggerFacts facts, const CrnnOptions& options)
    : LogMelTagger(crnn_facts(std::move(facts), options), options.n_mels, {kCrnnSamples, kAnyLength}),
      layer1(register_module("layer1", ConvBlock2d(1, options.n_channels, Size2d{2, 2}))),
      layer2(register_module("layer2", ConvBlock2d(options.n_channels, 2 * options.n_channels, Size2d{3, 3}))),
      layer3(register_module("layer3", ConvBlock2d(2 * options.n_channels, 2 * options.n_channels, Size2d{4, 4}))),
      layer4(register_module("layer4", ConvBlock2d(2 * options.n_channels, 2 * options.n_channels, Size2d{4, 4}))),
      layer5(register_module(
          "layer5",
          torch::nn::GRU(
              torch::nn::GRUOptions(2 * options.n_channels, options.n_channels / 2).num_layers(2).batch_first(true)))),
      dropout(register_module("dropout", torch::nn::Dropout(0.5))),
      dense(register_module("dense", torch::nn::Linear(options.n_channels / 2, options.n_tags))) {}

torch::Tensor Crnn::network(const torch::Tensor& features) {
  torch::Tensor x = normalised(features);                       // [B, 1, F, L]
  x = observed("layer1", layer1->forward(x));                   // [B, C, F/2, L/2]
  x = observed("layer2", layer2->forward(x));                   // [B, 2C, F/6, L/6]
  x = observed("layer3", layer3->forward(x));                   // [B, 2C, F/24, L/24]
  x = observed("layer4", layer4->forward(x));                   // [B, 2C, 1, L/96]
  x = plain_layout(x).squeeze(2).transpose(1, 2).contiguous();  // [B, L/96, 2C]
  // The state that the GRU begins with, made from x: of its own it would fix device and type in an export.
  const torch::Tensor state = torch::zeros_like(x.select(1, 0).narrow(1, 0, layer5->options.hidden_size()))
                                  .unsqueeze(0)
                                  .expand({layer5->options.num_layers(), -1, -1})
                                  .contiguous();                   // [2, B, D]
  x = observed("layer5", std::get<0>(layer5->forward(x, state)));  // [B, L/96, D]
  x = dropout->forward(x.select(1, -1));                           // [B, D]
  return observed("dense", dense->forward(x));                     // [B, K]
}

}  // namespace tagbench
