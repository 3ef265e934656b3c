#include "harness/nn/inference.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "harness/nn/autocast.h"
#include "harness/nn/state_dict.h"
#include "models/registry.h"

namespace tagbench {
namespace {

std::shared_ptr<Tagger> make_for_inference(const std::string& name) {
  const ModelEntry& entry = find_model(name);
  torch::manual_seed(11);
  std::shared_ptr<Tagger> tagger = entry.make(Options(name, entry.options, {{"n_channels", "8"}}), 7);
  // Norms as training leaves them: nothing that folding could forget is zero or one.
  const torch::NoGradGuard no_gradient;
  for (const auto& item : tagger->named_buffers()) {
    if (item.key().find("running_var") != std::string::npos) item.value().uniform_(0.5, 2.0);
    if (item.key().find("running_mean") != std::string::npos) item.value().normal_(0.0, 0.3);
  }
  for (const auto& item : tagger->named_parameters()) {
    if (item.key().find("bn") != std::string::npos) item.value().uniform_(-1.5, 1.5);
  }
  tagger->eval();
  return tagger;
}

torch::Tensor features_of(Tagger& tagger) {
  const torch::NoGradGuard no_gradient;
  torch::manual_seed(12);
  return tagger.front_end(0.1 * torch::randn({3, tagger.facts().input_samples}));
}

torch::Tensor run(Tagger& tagger, const torch::Tensor& features) {
  const torch::NoGradGuard no_gradient;
  return tagger.network(features);
}

double relative_difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>() / std::max(1.0, a.abs().max().item<double>());
}

// Folding changes the order of roundings only: 1e-5 is a hundred units in the last place of the largest logit.
constexpr double kTolerance = 1e-5;

class InferenceTest : public ::testing::TestWithParam<std::string> {};

TEST_P(InferenceTest, PreparedNetworkGivesTheSameLogits) {
  const std::shared_ptr<Tagger> tagger = make_for_inference(GetParam());
  const torch::Tensor features = features_of(*tagger);
  const torch::Tensor expected = run(*tagger, features);
  EXPECT_GT(prepare_for_inference(*tagger), 0);
  const torch::Tensor found = run(*tagger, features);
  EXPECT_FALSE(found.is_mkldnn());
  EXPECT_LE(relative_difference(expected, found), kTolerance);
  EXPECT_FALSE(torch::equal(expected, found)) << "nothing was folded";
}

TEST_P(InferenceTest, StateStaysAsItWas) {
  const std::shared_ptr<Tagger> tagger = make_for_inference(GetParam());
  std::vector<std::pair<std::string, torch::Tensor>> before;
  for (const auto& [key, tensor] : state_of(*tagger).tensors) before.emplace_back(key, tensor.clone());
  prepare_for_inference(*tagger);
  run(*tagger, features_of(*tagger));
  const StateDict after = state_of(*tagger);
  ASSERT_EQ(after.tensors.size(), before.size());
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(after.tensors[i].first, before[i].first);
    EXPECT_TRUE(torch::equal(after.tensors[i].second, before[i].second)) << before[i].first;
  }
}

TEST_P(InferenceTest, ChangedWeightsAreUsedAtOnce) {
  const std::shared_ptr<Tagger> tagger = make_for_inference(GetParam());
  prepare_for_inference(*tagger);
  const torch::Tensor features = features_of(*tagger);
  run(*tagger, features);
  {
    const torch::NoGradGuard no_gradient;
    for (torch::Tensor& parameter : tagger->parameters()) parameter.mul_(0.9);
  }
  const torch::Tensor found = run(*tagger, features);
  tagger->train();
  tagger->eval();
  EXPECT_TRUE(torch::equal(run(*tagger, features), found));
}

TEST_P(InferenceTest, ChangedStatisticsOfOneLayerAreUsedAtOnce) {
  const std::shared_ptr<Tagger> tagger = make_for_inference(GetParam());
  prepare_for_inference(*tagger);
  const torch::Tensor features = features_of(*tagger);
  std::vector<torch::Tensor> means;
  for (const auto& item : tagger->named_buffers()) {
    if (item.key().find("running_mean") != std::string::npos) means.push_back(item.value());
  }
  means[means.size() / 2].add_(0.5);
  const torch::Tensor found = run(*tagger, features);
  tagger->train();
  tagger->eval();
  EXPECT_LE(relative_difference(run(*tagger, features), found), kTolerance);
}

TEST_P(InferenceTest, TrainingEndsIt) {
  const std::shared_ptr<Tagger> tagger = make_for_inference(GetParam());
  prepare_for_inference(*tagger);
  tagger->train();
  const torch::Tensor logits = tagger->network(features_of(*tagger));
  logits.sum().backward();
  for (const auto& item : tagger->named_parameters()) EXPECT_TRUE(item.value().grad().defined()) << item.key();
}

TEST_P(InferenceTest, GradientsInEvaluationModeGoThroughTheOriginalLayers) {
  const std::shared_ptr<Tagger> tagger = make_for_inference(GetParam());
  prepare_for_inference(*tagger);
  tagger->network(features_of(*tagger)).sum().backward();
  for (const auto& item : tagger->named_parameters()) EXPECT_TRUE(item.value().grad().defined()) << item.key();
}

TEST_P(InferenceTest, DoublePrecisionIsFoldedToo) {
  const std::shared_ptr<Tagger> tagger = make_for_inference(GetParam());
  tagger->to(torch::kFloat64);
  const torch::Tensor features = features_of(*tagger).to(torch::kFloat64);
  const torch::Tensor expected = run(*tagger, features);
  prepare_for_inference(*tagger);
  // Rounding of double precision.
  EXPECT_LE(relative_difference(expected, run(*tagger, features)), 1e-12);
}

TEST_P(InferenceTest, MovingToAnotherPrecisionLeavesNothingStale) {
  const std::shared_ptr<Tagger> tagger = make_for_inference(GetParam());
  prepare_for_inference(*tagger);
  tagger->to(torch::kFloat64);
  const torch::Tensor features = features_of(*tagger).to(torch::kFloat64);
  EXPECT_EQ(run(*tagger, features).scalar_type(), torch::kFloat64);
}

TEST_P(InferenceTest, AutocastKeepsTheOriginalLayers) {
  const std::shared_ptr<Tagger> tagger = make_for_inference(GetParam());
  const torch::Tensor features = features_of(*tagger);
  const AutocastGuard autocast(torch::kCPU, true);
  const torch::Tensor expected = run(*tagger, features);
  prepare_for_inference(*tagger);
  EXPECT_TRUE(torch::equal(run(*tagger, features), expected));
}

TEST_P(InferenceTest, ObserversSeePlainTensors) {
  const std::shared_ptr<Tagger> tagger = make_for_inference(GetParam());
  const torch::Tensor features = features_of(*tagger);
  prepare_for_inference(*tagger);
  int n_observed = 0;
  const ActivationObserver observer([&](const std::string& name, const torch::Tensor& value) {
    EXPECT_FALSE(value.is_mkldnn()) << name;
    ++n_observed;
  });
  run(*tagger, features);
  EXPECT_GT(n_observed, 0);
}

std::vector<std::string> inference_names() {
  std::vector<std::string> result;
  for (const ModelEntry& entry : models()) result.push_back(entry.name);
  return result;
}

INSTANTIATE_TEST_SUITE_P(Registry, InferenceTest, ::testing::ValuesIn(inference_names()),
                         [](const auto& model) { return model.param; });

}  // namespace
}  // namespace tagbench
