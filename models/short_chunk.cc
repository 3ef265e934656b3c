#include "models/short_chunk.h"

#include <algorithm>
#include <utility>

namespace tagbench {
namespace {

constexpr int64_t kShortChunkSamples = 59049;
constexpr int64_t kShortChunkLayers = 7;

void add_block(ReceptiveField& field, const ConvBlock2d* /*kind*/) {
  field.layer(3).pool(2);
}

void add_block(ReceptiveField& field, const ResidualBlock2d* /*kind*/) {
  field.layer(3, 2).layer(3);
}

template <typename Block>
TaggerFacts short_chunk_facts(TaggerFacts facts, const ShortChunkOptions& options) {
  check_n_tags(facts.name, options.n_tags);
  facts.input_samples = kShortChunkSamples;
  ReceptiveField field;
  for (int64_t layer = 0; layer < kShortChunkLayers; ++layer) add_block(field, static_cast<const Block*>(nullptr));
  facts.receptive_field_samples = std::min(field.samples_of_frames(), kShortChunkSamples);
  return facts;
}

}  // namespace

template <typename Block>
ShortChunkNetwork<Block>::ShortChunkNetwork(TaggerFacts facts, const ShortChunkOptions& options)
    : LogMelTagger(short_chunk_facts<Block>(std::move(facts), options), options.n_mels,
                   {kShortChunkSamples, kAnyLength}),
      layer1(register_module("layer1", Block(1, options.n_channels, kHalf))),
      layer2(register_module("layer2", Block(options.n_channels, options.n_channels, kHalf))),
      layer3(register_module("layer3", Block(options.n_channels, 2 * options.n_channels, kHalf))),
      layer4(register_module("layer4", Block(2 * options.n_channels, 2 * options.n_channels, kHalf))),
      layer5(register_module("layer5", Block(2 * options.n_channels, 2 * options.n_channels, kHalf))),
      layer6(register_module("layer6", Block(2 * options.n_channels, 2 * options.n_channels, kHalf))),
      layer7(register_module("layer7", Block(2 * options.n_channels, 4 * options.n_channels, kHalf))),
      dense1(register_module("dense1", torch::nn::Linear(4 * options.n_channels, 4 * options.n_channels))),
      bn(register_module("bn", torch::nn::BatchNorm1d(4 * options.n_channels))),
      dropout(register_module("dropout", torch::nn::Dropout(0.5))),
      dense2(register_module("dense2", torch::nn::Linear(4 * options.n_channels, options.n_tags))) {}

template <typename Block>
torch::Tensor ShortChunkNetwork<Block>::network(const torch::Tensor& features) {
  torch::Tensor x = normalised(features);      // [B, 1, F, L]
  x = observed("layer1", layer1->forward(x));  // [B, C, F/2, L/2], halves rounded down, or up in residual blocks
  x = observed("layer2", layer2->forward(x));  // [B, C, F/4, L/4]
  x = observed("layer3", layer3->forward(x));  // [B, 2C, F/8, L/8]
  x = observed("layer4", layer4->forward(x));  // [B, 2C, F/16, L/16]
  x = observed("layer5", layer5->forward(x));  // [B, 2C, F/32, L/32]
  x = observed("layer6", layer6->forward(x));  // [B, 2C, F/64, L/64]
  x = observed("layer7", layer7->forward(x));  // [B, 4C, 1, L/128]
  x = plain_layout(x).squeeze(2).amax(2);      // [B, 4C]
  x = observed("dense1", dense1->forward(x));  // [B, 4C]
  x = dropout->forward(torch::relu(observed("bn", bn->forward(x))));
  return observed("dense2", dense2->forward(x));  // [B, K]
}

template class ShortChunkNetwork<ConvBlock2d>;
template class ShortChunkNetwork<ResidualBlock2d>;

}  // namespace tagbench
