#include "models/log_mel_tagger.h"

#include <utility>

#include "harness/core/errors.h"

namespace tagbench {
namespace {

TaggerFacts with_front_end(TaggerFacts facts, int64_t n_mels) {
  facts.front_end = "log-mel " + std::to_string(n_mels);
  return facts;
}

}  // namespace

LogMelTagger::LogMelTagger(TaggerFacts facts, int64_t n_mels, Length length)
    : Tagger(with_front_end(std::move(facts), n_mels)),
      spec(register_module("spec", MelSpectrogram(n_mels))),
      spec_bn(register_module("spec_bn", torch::nn::BatchNorm2d(1))),
      n_mels_(n_mels),
      length_(length) {}

torch::Tensor LogMelTagger::front_end(const torch::Tensor& waveform) {
  check_waveform(facts().name, waveform, length_.minimum_samples, length_.maximum_samples);
  const torch::Tensor power = observed("spec", spec->forward(waveform));  // [B, F, L]
  return observed("to_db", power_to_db(power)).contiguous();
}

std::string LogMelTagger::front_end_key() const {
  return spec->key() + ", decibels";
}

torch::Tensor LogMelTagger::as_image(const torch::Tensor& features) const {
  check_features(facts().name, features, n_mels_, frame_count(length_.minimum_samples),
                 length_.maximum_samples == kAnyLength ? kAnyLength : frame_count(length_.maximum_samples));
  return features.unsqueeze(1);  // [B, 1, F, L]
}

torch::Tensor LogMelTagger::normalised(const torch::Tensor& features) {
  return observed("spec_bn", spec_bn->forward(as_image(features)));
}

NormalisedImage LogMelTagger::normalised_parts(const torch::Tensor& features) {
  if (!spec_bn->is_training()) return {normalised(features), {}, {}, {}};
  const torch::Tensor image = as_image(features);
  spec_bn->num_batches_tracked += 1;
  const torch::Tensor standard = torch::batch_norm(image, {}, {}, spec_bn->running_mean, spec_bn->running_var, true,
                                                   spec_bn->options.momentum().value(), spec_bn->options.eps(),
                                                   torch::globalContext().userEnabledCuDNN());
  const torch::Tensor weight = spec_bn->weight.view({1, 1, 1, 1});
  const torch::Tensor bias = spec_bn->bias.view({1, 1, 1, 1});
  return {observed("spec_bn", standard * weight + bias), standard, weight, bias};
}

void check_n_tags(const std::string& owner, int64_t n_tags) {
  constexpr int64_t kMaximumTags = 100000;
  if (n_tags < 1 || n_tags > kMaximumTags) {
    throw UsageError(owner + ": the number of tags must be from 1 to 100000, got " + std::to_string(n_tags));
  }
}

}  // namespace tagbench
