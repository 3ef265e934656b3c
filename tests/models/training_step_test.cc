#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/modules/dropout.h>
#include <torch/optim/adam.h>
#include <torch/optim/sgd.h>

#include <cmath>
#include <memory>
#include <utility>

#include "harness/nn/state_dict.h"
#include "models/blocks.h"
#include "models/registry.h"
#include "tests/models/reference.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using testing::max_difference;
using testing::read_npy_tensor;
using testing::shared_path;

void switch_dropout_off(torch::nn::Module& module) {
  for (const auto& child : module.modules()) {
    if (auto* dropout = child->as<torch::nn::DropoutImpl>()) dropout->options.p(0.0);
  }
}

double norm_of(const std::vector<torch::Tensor>& tensors) {
  double sum = 0.0;
  for (const torch::Tensor& tensor : tensors) sum += tensor.square().sum().item<double>();
  return std::sqrt(sum);
}

std::vector<torch::Tensor> gradients_of(const std::vector<torch::Tensor>& parameters) {
  std::vector<torch::Tensor> gradients;
  for (const torch::Tensor& parameter : parameters) gradients.push_back(parameter.grad());
  return gradients;
}

void expect_state(const Tagger& tagger, const std::filesystem::path& file, double tolerance) {
  const StateDict expected = read_state_dict(file);
  for (const auto& [key, tensor] : state_of(tagger).tensors) {
    const torch::Tensor* stored = expected.find(key);
    ASSERT_NE(stored, nullptr) << key;
    EXPECT_LE(max_difference(tensor, *stored), tolerance) << key;
  }
}

// Twelve steps of a narrow short-chunk CNN in double precision: five of Adam, then SGD with Nesterov momentum at two
// learning rates.
TEST(TrainingStepTest, TwelveStepsGiveTheReferencesLossesGradientsAndWeights) {
  TAGBENCH_REQUIRE_SHARED("parity/train_step/short_w4.json");
  const Json fixture = read_json(shared_path("parity/train_step/short_w4.json"));
  const ModelEntry& entry = find_model("short");
  const std::shared_ptr<Tagger> tagger = entry.make(Options("short", entry.options, {{"n_channels", "4"}}), 50);
  StateDict initial;
  initial.tensors =
      testing::formula_state(fixture.at("parameters"), testing::parse_hex(fixture.at("base_seed").get<std::string>()));
  // Releases of LibTorch compute the float32 window with other last bits, which double precision would show: the
  // front end's constants are the reference's. That ours equal them to float32's precision, other tests say.
  const StateDict reference = read_state_dict(shared_path("parity/train_step/short_w4_after_adam.safetensors"));
  for (const auto& item : tagger->named_buffers()) {
    const bool trained =
        item.key().find("running_") != std::string::npos || item.key().find("num_batches_tracked") != std::string::npos;
    const torch::Tensor* constant = trained ? nullptr : reference.find(item.key());
    initial.tensors.emplace_back(item.key(), constant != nullptr ? *constant : item.value());
  }
  load_state(*tagger, initial, "short");
  tagger->to(torch::kFloat64);
  tagger->train();
  switch_dropout_off(*tagger);

  const torch::Tensor audio = read_npy_tensor(shared_path("parity/inputs/audio_240000.npy")).to(torch::kFloat64);
  std::vector<torch::Tensor> chunks;
  for (int64_t row = 0; row < 2; ++row) {
    for (int64_t k = 0; k < 4; ++k) chunks.push_back(audio[row].narrow(0, k * 59049, 59049));
  }
  const torch::Tensor batch = torch::stack(chunks);  // [8, T]
  const torch::Tensor labels =
      read_npy_tensor(shared_path("parity/train_step/short_w4_labels.npy")).to(torch::kFloat64);
  const auto loss_now = [&] {
    return torch::nn::functional::binary_cross_entropy(torch::sigmoid(tagger->forward(batch)), labels);
  };

  std::unique_ptr<torch::optim::Optimizer> optimizer =
      std::make_unique<torch::optim::Adam>(tagger->parameters(), torch::optim::AdamOptions(1e-4).weight_decay(1e-4));
  const double loss_tolerance = fixture.at("tolerance").at("loss_abs").get<double>();
  const double parameter_tolerance = fixture.at("tolerance").at("parameter_abs").get<double>();
  for (size_t step = 0; step < fixture.at("steps").size(); ++step) {
    const Json& expected = fixture.at("steps").at(step);
    if (step == 5) {
      expect_state(*tagger, shared_path("parity/train_step/short_w4_after_adam.safetensors"), parameter_tolerance);
      optimizer = std::make_unique<torch::optim::SGD>(
          tagger->parameters(), torch::optim::SGDOptions(1e-3).momentum(0.9).nesterov(true).weight_decay(1e-4));
    }
    if (step == 9) static_cast<torch::optim::SGDOptions&>(optimizer->param_groups().front().options()).lr(1e-4);
    optimizer->zero_grad();
    const torch::Tensor loss = loss_now();
    loss.backward();
    EXPECT_NEAR(loss.item<double>(), expected.at("loss_before_step").get<double>(), loss_tolerance) << step;
    EXPECT_NEAR(norm_of(gradients_of(tagger->parameters())), expected.at("grad_l2").get<double>(), loss_tolerance)
        << step;
    optimizer->step();
    const torch::NoGradGuard no_gradient;
    EXPECT_NEAR(norm_of(tagger->parameters()), expected.at("param_l2_after").get<double>(), parameter_tolerance)
        << step;
  }
  expect_state(*tagger, shared_path("parity/train_step/short_w4_final.safetensors"), parameter_tolerance);
  tagger->eval();
  EXPECT_NEAR(loss_now().item<double>(), fixture.at("eval_loss_after").get<double>(), loss_tolerance);
}

// Musicnn's timbral filters train on the normalised image's parts; the plain way round, through the image itself, must
// give the same outputs and gradients. In double precision, so that only another order of summation may differ.
TEST(TrainingStepTest, TimbralFiltersGiveTheSameGradientsByPartsAsByTheWholeImage) {
  torch::manual_seed(7);
  VerticalBlock block(5, 38);
  block->to(torch::kFloat64);
  block->train();
  const torch::Tensor standard = torch::randn({3, 1, 96, 40}, torch::kFloat64);
  const torch::Tensor weight = torch::full({1, 1, 1, 1}, 0.7, torch::kFloat64).requires_grad_();
  const torch::Tensor bias = torch::full({1, 1, 1, 1}, -0.3, torch::kFloat64).requires_grad_();
  const torch::Tensor target = torch::randn({3, 5, 40}, torch::kFloat64);
  const std::vector<torch::Tensor> leaves = {weight, bias, block->conv->weight, block->bn->weight, block->bn->bias};
  const auto gradients = [&](const NormalisedImage& image) {
    const torch::Tensor y = block->forward(image);
    std::vector<torch::Tensor> results = torch::autograd::grad({(y * target).sum()}, leaves);
    results.push_back(y);
    return results;
  };
  const torch::Tensor x = standard * weight + bias;
  const auto whole = gradients({x, {}, {}, {}});
  const auto parts = gradients({standard * weight + bias, standard, weight, bias});
  for (size_t k = 0; k < whole.size(); ++k) EXPECT_LE(max_difference(parts[k], whole[k]), 1e-9) << k;
}

// A training step leaves the running statistics as LibTorch's own batch norm does.
TEST(TrainingStepTest, MusicnnTracksTheStatisticsOfItsSpectrograms) {
  const ModelEntry& entry = find_model("musicnn");
  const std::shared_ptr<Tagger> tagger = entry.make(Options("musicnn", entry.options, {{"n_channels", "2"}}), 3);
  torch::manual_seed(8);
  const torch::Tensor waveform = torch::randn({2, 48000}) * 0.1;
  tagger->train();
  tagger->forward(waveform);
  tagger->forward(waveform);
  torch::nn::BatchNorm2d reference(1);
  const torch::Tensor features = tagger->front_end(waveform).unsqueeze(1);
  reference->forward(features);
  reference->forward(features);
  const auto buffers = tagger->named_buffers();
  EXPECT_LE(max_difference(buffers["spec_bn.running_mean"], reference->running_mean), 1e-5);  // decibels
  EXPECT_LE(max_difference(buffers["spec_bn.running_var"], reference->running_var), 1e-3);
  EXPECT_EQ(buffers["spec_bn.num_batches_tracked"].item<int64_t>(), 2);
}

}  // namespace
}  // namespace tagbench
