#include "models/harmonic_cnn.h"

#include <algorithm>
#include <utility>

#include "models/log_mel_tagger.h"

namespace tagbench {
namespace {

constexpr int64_t kHarmonicCnnSamples = 80000;

TaggerFacts harmonic_facts(TaggerFacts facts, const HarmonicCnnOptions& options) {
  check_n_tags(facts.name, options.n_tags);
  facts.input_samples = kHarmonicCnnSamples;
  facts.front_end = "harmonic 6 x 128";
  ReceptiveField field;
  field.layer(3).pool(2);
  for (int64_t layer = 2; layer <= 4; ++layer) field.layer(3).layer(3).pool(2);
  field.layer(3).pool(2);
  for (int64_t layer = 6; layer <= 7; ++layer) field.layer(3).layer(3).pool(3);
  facts.receptive_field_samples = std::min(field.samples_of_frames(), kHarmonicCnnSamples);
  return facts;
}

}  // namespace

HarmonicCnn::HarmonicCnn(TaggerFacts facts, const HarmonicCnnOptions& options)
    : Tagger(harmonic_facts(std::move(facts), options)),
      hstft(register_module("hstft", HarmonicSpectrogram())),
      hstft_bn(register_module("hstft_bn", torch::nn::BatchNorm2d(HarmonicSpectrogramImpl::kHarmonics))),
      layer1(register_module("layer1",
                             ConvBlock2d(HarmonicSpectrogramImpl::kHarmonics, options.n_channels, Size2d{2, 2}))),
      layer2(register_module("layer2", PooledResidualBlock2d(options.n_channels, Size2d{2, 2}))),
      layer3(register_module("layer3", PooledResidualBlock2d(options.n_channels, Size2d{2, 2}))),
      layer4(register_module("layer4", PooledResidualBlock2d(options.n_channels, Size2d{2, 2}))),
      layer5(register_module("layer5", ConvBlock2d(options.n_channels, 2 * options.n_channels, Size2d{2, 2}))),
      layer6(register_module("layer6", PooledResidualBlock2d(2 * options.n_channels, Size2d{2, 3}))),
      layer7(register_module("layer7", PooledResidualBlock2d(2 * options.n_channels, Size2d{2, 3}))),
      dense1(register_module("dense1", torch::nn::Linear(2 * options.n_channels, 2 * options.n_channels))),
      bn(register_module("bn", torch::nn::BatchNorm1d(2 * options.n_channels))),
      dropout(register_module("dropout", torch::nn::Dropout(0.5))),
      dense2(register_module("dense2", torch::nn::Linear(2 * options.n_channels, options.n_tags))) {}

torch::Tensor HarmonicCnn::front_end(const torch::Tensor& waveform) {
  check_waveform(facts().name, waveform, kHarmonicCnnSamples);
  return hstft->power(waveform).contiguous();
}

torch::Tensor HarmonicCnn::front_end_output(const torch::Tensor& waveform) {
  return hstft->forward(front_end(waveform)).contiguous();
}

std::string HarmonicCnn::front_end_key() const {
  return "power 512/256 reflect, window " + buffer_hash(hstft->spec->window);
}

torch::Tensor HarmonicCnn::network(const torch::Tensor& features) {
  check_features(facts().name, features, kFftBins, frame_count(kHarmonicCnnSamples));
  torch::Tensor x = observed("hstft", hstft->forward(features));  // [B, 6, 128, L]
  x = observed("hstft_bn", hstft_bn->forward(x));
  x = observed("layer1", layer1->forward(x));  // [B, C, 64, L/2]
  x = observed("layer2", layer2->forward(x));  // [B, C, 32, L/4]
  x = observed("layer3", layer3->forward(x));  // [B, C, 16, L/8]
  x = observed("layer4", layer4->forward(x));  // [B, C, 8, L/16]
  x = observed("layer5", layer5->forward(x));  // [B, 2C, 4, L/32]
  x = observed("layer6", layer6->forward(x));  // [B, 2C, 2, L/96]
  x = observed("layer7", layer7->forward(x));  // [B, 2C, 1, L/288]
  x = plain_layout(x).squeeze(2).amax(2);      // [B, 2C]
  x = observed("dense1", dense1->forward(x));  // [B, 2C]
  x = dropout->forward(torch::relu(observed("bn", bn->forward(x))));
  return observed("dense2", dense2->forward(x));  // [B, K]
}

}  // namespace tagbench
