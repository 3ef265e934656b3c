#include "models/musicnn.h"

#include <algorithm>
#include <utility>

namespace tagbench {
namespace {

constexpr int64_t kMusicnnSamples = 48000;
constexpr int64_t kTallFilter = 67;
constexpr int64_t kMediumFilter = 38;
constexpr int64_t kLongFilter = 129;
constexpr int64_t kMiddleFilter = 65;
constexpr int64_t kShortFilter = 33;
constexpr ConvBlock1dImpl::Shape kMusicnnLayer{7, 1, 1};

int64_t vertical_filters(const MusicnnOptions& options) {
  return options.front_channels * 8 / 5;
}

int64_t horizontal_filters(const MusicnnOptions& options) {
  return options.front_channels * 2 / 5;
}

int64_t front_width(const MusicnnOptions& options) {
  return 2 * vertical_filters(options) + 3 * horizontal_filters(options);
}

TaggerFacts musicnn_facts(TaggerFacts facts, const MusicnnOptions& options) {
  check_n_tags(facts.name, options.n_tags);
  facts.input_samples = kMusicnnSamples;
  ReceptiveField field;
  field.layer(kLongFilter).layer(kMusicnnLayer.kernel).layer(kMusicnnLayer.kernel).layer(kMusicnnLayer.kernel);
  facts.receptive_field_samples = std::min(field.samples_of_frames(), kMusicnnSamples);
  return facts;
}

}  // namespace

Musicnn::Musicnn(TaggerFacts facts, const MusicnnOptions& options)
    : LogMelTagger(musicnn_facts(std::move(facts), options), options.n_mels, {kMusicnnSamples, kAnyLength}),
      layers(register_module("layers", torch::nn::ModuleList())),
      layer1(register_module("layer1", ConvBlock1d(front_width(options), options.n_channels, kMusicnnLayer))),
      layer2(register_module("layer2", ConvBlock1d(options.n_channels, options.n_channels, kMusicnnLayer))),
      layer3(register_module("layer3", ConvBlock1d(options.n_channels, options.n_channels, kMusicnnLayer))),
      dense1(register_module("dense1",
                             torch::nn::Linear(2 * (front_width(options) + 3 * options.n_channels), options.n_dense))),
      bn(register_module("bn", torch::nn::BatchNorm1d(options.n_dense))),
      dropout(register_module("dropout", torch::nn::Dropout(0.5))),
      dense2(register_module("dense2", torch::nn::Linear(options.n_dense, options.n_tags))),
      tall_(vertical_filters(options), kTallFilter),
      medium_(vertical_filters(options), kMediumFilter),
      long_(horizontal_filters(options), kLongFilter),
      middle_(horizontal_filters(options), kMiddleFilter),
      short_(horizontal_filters(options), kShortFilter) {
  layers->push_back(tall_);
  layers->push_back(medium_);
  layers->push_back(long_);
  layers->push_back(middle_);
  layers->push_back(short_);
}

torch::Tensor Musicnn::network(const torch::Tensor& features) {
  const NormalisedImage image = normalised_parts(features);
  const torch::Tensor& x = image.x;  // [B, 1, F, L]
  const torch::Tensor front =
      torch::cat({observed("layers.0", tall_->forward(image)), observed("layers.1", medium_->forward(image)),
                  observed("layers.2", long_->forward(x)), observed("layers.3", middle_->forward(x)),
                  observed("layers.4", short_->forward(x))},
                 1);                                                                    // [B, C, L]
  const torch::Tensor r1 = observed("layer1", plain_sequence(layer1->forward(front)));  // [B, C1, L]
  const torch::Tensor r2 = observed("layer2", plain_sequence(layer2->forward(r1))) + r1;
  const torch::Tensor r3 = observed("layer3", plain_sequence(layer3->forward(r2))) + r2;
  const torch::Tensor steps = torch::cat({front, r1, r2, r3}, 1);   // [B, C + 3 C1, L]
  torch::Tensor y = torch::cat({steps.amax(2), steps.mean(2)}, 1);  // [B, 2 (C + 3 C1)]
  y = observed("dense1", dense1->forward(y));                       // [B, D]
  y = dropout->forward(torch::relu(observed("bn", bn->forward(y))));
  return observed("dense2", dense2->forward(y));  // [B, K]
}

}  // namespace tagbench
