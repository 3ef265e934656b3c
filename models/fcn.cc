#include "models/fcn.h"

#include <algorithm>
#include <utility>

namespace tagbench {
namespace {

constexpr int64_t kFcnSamples = 464000;
// Pooling by 4, 4, 4, 5 and 4 leaves one step of 1280 to 2559 frames.
constexpr int64_t kFcnMinimumSamples = (1280 - 1) * kHopSamples;
constexpr int64_t kFcnMaximumSamples = 2559 * kHopSamples - 1;

TaggerFacts fcn_facts(TaggerFacts facts, const FcnOptions& options) {
  check_n_tags(facts.name, options.n_tags);
  facts.input_samples = kFcnSamples;
  ReceptiveField field;
  for (const int64_t pool : {4, 4, 4, 5, 4}) field.layer(3).pool(pool);
  facts.receptive_field_samples = std::min(field.samples_of_frames(), kFcnSamples);
  return facts;
}

}  // namespace

Fcn::Fcn(TaggerFacts facts, const FcnOptions& options)
    : LogMelTagger(fcn_facts(std::move(facts), options), options.n_mels, {kFcnMinimumSamples, kFcnMaximumSamples}),
      layer1(register_module("layer1", ConvBlock2d(1, options.n_channels, Size2d{2, 4}))),
      layer2(register_module("layer2", ConvBlock2d(options.n_channels, 2 * options.n_channels, Size2d{2, 4}))),
      layer3(register_module("layer3", ConvBlock2d(2 * options.n_channels, 2 * options.n_channels, Size2d{2, 4}))),
      layer4(register_module("layer4", ConvBlock2d(2 * options.n_channels, 2 * options.n_channels, Size2d{3, 5}))),
      layer5(register_module("layer5", ConvBlock2d(2 * options.n_channels, options.n_channels, Size2d{4, 4}))),
      dropout(register_module("dropout", torch::nn::Dropout(0.5))),
      dense(register_module("dense", torch::nn::Linear(options.n_channels, options.n_tags))) {}

torch::Tensor Fcn::network(const torch::Tensor& features) {
  torch::Tensor x = normalised(features);            // [B, 1, F, L]
  x = observed("layer1", layer1->forward(x));        // [B, C, F/2, L/4]
  x = observed("layer2", layer2->forward(x));        // [B, 2C, F/4, L/16]
  x = observed("layer3", layer3->forward(x));        // [B, 2C, F/8, L/64]
  x = observed("layer4", layer4->forward(x));        // [B, 2C, F/24, L/320]
  x = observed("layer5", layer5->forward(x));        // [B, C, 1, 1]
  x = dropout->forward(plain_layout(x).flatten(1));  // [B, C]
  return observed("dense", dense->forward(x));       // [B, K]
}

}  // namespace tagbench
