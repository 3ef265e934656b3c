#include "models/vgg_mediaeval.h"

#include <algorithm>
#include <utility>

#include "harness/nn/spectrogram.h"
#include "models/log_mel_tagger.h"

namespace tagbench {
namespace {

constexpr int64_t kVggSamples = 349200;
constexpr int64_t kVggMinimumFrames = 1280;
constexpr int64_t kVggMaximumFrames = 2559;
constexpr std::array<Size2d, 5> kVggPools = {Size2d{2, 4}, Size2d{2, 4}, Size2d{2, 4}, Size2d{3, 5}, Size2d{4, 4}};
constexpr std::array<int64_t, 5> kVggWidths = {1, 2, 2, 2, 1};

TaggerFacts vgg_facts(TaggerFacts facts, const VggMediaevalOptions& options) {
  check_n_tags(facts.name, options.n_tags);
  facts.sample_rate_hz = 12000;
  facts.input_samples = kVggSamples;
  facts.front_end = "Slaney log-mel 96";
  ReceptiveField field;
  for (const Size2d& pool : kVggPools) field.layer(3).pool(pool.time);
  facts.receptive_field_samples = std::min(field.samples_of_frames(), kVggSamples);
  return facts;
}

std::string numbered(const char* name, size_t layer) {
  return std::string(name) + "_" + std::to_string(layer + 1);
}

}  // namespace

VggMediaeval::VggMediaeval(TaggerFacts facts, const VggMediaevalOptions& options)
    : Tagger(vgg_facts(std::move(facts), options)),
      bn_init_(register_module("bn_init", torch::nn::BatchNorm2d(1))),
      conv_{nullptr, nullptr, nullptr, nullptr, nullptr},
      bn_{nullptr, nullptr, nullptr, nullptr, nullptr},
      dropout_(register_module("dropout", torch::nn::Dropout(0.5))) {
  int64_t in = 1;
  for (size_t layer = 0; layer < kLayers; ++layer) {
    const int64_t out = kVggWidths[layer] * options.n_channels;
    conv_[layer] =
        register_module(numbered("conv", layer), torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 3).padding(1)));
    bn_[layer] = register_module(numbered("bn", layer), torch::nn::BatchNorm2d(out));
    in = out;
  }
  dense_ = register_module("dense", torch::nn::Linear(options.n_channels, options.n_tags));
}

torch::Tensor VggMediaeval::front_end(const torch::Tensor& waveform) {
  check_waveform(facts().name, waveform, (kVggMinimumFrames - 2) * kHopSamples,
                 (kVggMaximumFrames - 1) * kHopSamples - 1);
  return mel_.forward(waveform);
}

torch::Tensor VggMediaeval::network(const torch::Tensor& features) {
  check_features(facts().name, features, SlaneyMelSpectrogram::kBands, kVggMinimumFrames, kVggMaximumFrames);
  torch::Tensor x = observed("bn_init", bn_init_->forward(features.unsqueeze(1)));  // [B, 1, F, L]
  for (size_t layer = 0; layer < kLayers; ++layer) {
    if (folded_[layer].usable_for(x)) {
      x = folded_[layer].forward(x);
    } else {
      x = observed(numbered("conv", layer).c_str(), conv_[layer]->forward(x));
      x = observed(numbered("bn", layer).c_str(), bn_[layer]->forward(x));
    }
    // ELU grows with its argument, so it may as well follow the pooling, where it has less to do.
    x = torch::elu(plain_layout(max_pool(x, {kVggPools[layer].frequency, kVggPools[layer].time})));
    x = observed(numbered("mp", layer).c_str(), x);  // [B, C, F / pool, L / pool]
  }
  x = dropout_->forward(x.flatten(1));           // [B, C]
  return observed("dense", dense_->forward(x));  // [B, K]
}

void VggMediaeval::train(bool on) {
  Tagger::train(on);
  if (on) unfold();
}

void VggMediaeval::fold() {
  for (size_t layer = 0; layer < kLayers; ++layer) folded_[layer].fold(conv_[layer], bn_[layer], {1, 1});
}

void VggMediaeval::unfold() {
  for (FoldedConv& folded : folded_) folded.clear();
}

}  // namespace tagbench
