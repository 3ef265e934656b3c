#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "harness/core/npy.h"
#include "harness/nn/inference.h"
#include "harness/nn/state_dict.h"
#include "tests/models/reference.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using testing::max_difference;
using testing::Reference;

class ParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ParityTest, StateDictHasThePublishedKeysShapesAndTypesInOrder) {
  TAGBENCH_REQUIRE_SHARED("parity/" + GetParam());
  const Reference reference(GetParam());
  const std::shared_ptr<Tagger> tagger = reference.build();
  std::vector<std::string> expected;
  for (const Json& entry : reference.meta.at("state_dict")) {
    expected.push_back(entry.at("key").get<std::string>() + " " +
                       shape_text(entry.at("shape").get<std::vector<int64_t>>()) + " " +
                       entry.at("dtype").get<std::string>());
  }
  std::vector<std::string> found;
  for (const auto& [key, tensor] : state_of(*tagger).tensors) {
    found.push_back(key + " " + shape_text(tensor.sizes().vec()) + " " +
                    (tensor.scalar_type() == torch::kInt64 ? "I64" : "F32"));
  }
  EXPECT_EQ(found, expected);
  EXPECT_EQ(count_parameters(*tagger), reference.meta.at("n_parameters").get<int64_t>());
}

void expect_front_end(const Reference& reference, const torch::Tensor& found) {
  const torch::Tensor expected = reference.tensor(reference.meta.at("frontend").at("file").get<std::string>());
  const torch::Tensor difference = (found - expected).abs();
  ASSERT_TRUE(found.sizes().equals(expected.sizes()));
  const torch::Tensor loud = expected.gt(-60.0);
  const Json& tolerance = reference.meta.at("tolerance");
  EXPECT_LE(difference.masked_select(loud).max().item<double>(),
            tolerance.at("frontend_db_abs_above_minus_60").get<double>());
  EXPECT_LE(difference.max().item<double>(), tolerance.at("frontend_db_abs_elsewhere").get<double>());
}

// float32 sums in another order: reference and build here differ by up to 1.3e-6 of the largest value; another BLAS may
// by ten times that.
constexpr double kStatisticsTolerance = 2e-5;

void expect_statistics(const Json& expected, const std::string& name, const torch::Tensor& activation) {
  const torch::Tensor value = activation.to(torch::kFloat64).contiguous();
  ASSERT_EQ(shape_text(value.sizes().vec()), shape_text(expected.at("shape").get<std::vector<int64_t>>())) << name;
  const double smallest = expected.at("min").get<double>();
  const double largest = expected.at("max").get<double>();
  const double tolerance = kStatisticsTolerance * std::max(std::abs(smallest), std::abs(largest));
  EXPECT_NEAR(value.mean().item<double>(), expected.at("mean").get<double>(), tolerance) << name;
  EXPECT_NEAR(value.std(false).item<double>(), expected.at("std").get<double>(), tolerance) << name;
  EXPECT_NEAR(value.min().item<double>(), smallest, tolerance) << name;
  EXPECT_NEAR(value.max().item<double>(), largest, tolerance) << name;
  const torch::Tensor flat = value.flatten();
  for (int64_t i = 0; i < 4; ++i) {
    const auto at = static_cast<size_t>(i);
    EXPECT_NEAR(flat[i].item<double>(), expected.at("first4").at(at).get<double>(), tolerance) << name << " " << i;
    EXPECT_NEAR(flat[flat.numel() - 4 + i].item<double>(), expected.at("last4").at(at).get<double>(), tolerance)
        << name << " " << i;
  }
}

TEST_P(ParityTest, FrontEndEveryActivationLogitsAndProbabilitiesMatch) {
  TAGBENCH_REQUIRE_SHARED("parity/" + GetParam());
  const Reference reference(GetParam());
  const std::shared_ptr<Tagger> tagger = reference.load();
  const torch::NoGradGuard no_gradient;
  if (reference.has_waveform() && !reference.meta.at("frontend").is_null()) {
    expect_front_end(reference, tagger->front_end_output(
                                    reference.tensor(reference.meta.at("input").at("file").get<std::string>())));
  }
  std::map<std::string, torch::Tensor> activations;
  torch::Tensor logits;
  {
    const ActivationObserver observer(
        [&](const std::string& name, const torch::Tensor& value) { activations.emplace(name, value.clone()); });
    logits = tagger->network(reference.features(*tagger));
  }
  for (const auto& [name, expected] : reference.meta.at("activations").items()) {
    ASSERT_TRUE(activations.count(name)) << name << " was not observed";
    expect_statistics(expected, name, activations.at(name));
  }
  EXPECT_EQ(activations.size(), reference.meta.at("activations").size());
  const Json& tolerance = reference.meta.at("tolerance");
  EXPECT_LE(max_difference(logits, reference.tensor("logits.npy")), tolerance.at("logits_abs").get<double>());
  EXPECT_LE(max_difference(torch::sigmoid(logits), reference.tensor("output.npy")),
            tolerance.at("prob_abs").get<double>());
}

TEST_P(ParityTest, PreparedForInferenceItGivesTheReferencesLogitsToo) {
  TAGBENCH_REQUIRE_SHARED("parity/" + GetParam());
  const Reference reference(GetParam());
  const std::shared_ptr<Tagger> tagger = reference.load();
  const torch::NoGradGuard no_gradient;
  const torch::Tensor features = reference.features(*tagger);
  const torch::Tensor plain = tagger->network(features);
  prepare_for_inference(*tagger);
  const torch::Tensor logits = tagger->network(features);
  EXPECT_LE(max_difference(logits, reference.tensor("logits.npy")),
            reference.meta.at("tolerance").at("logits_abs").get<double>());
  // As near to the plain run as single precision is to double.
  const double noise =
      std::max(2e-5, reference.meta.at("reference_noise").at("logits_f32_vs_f64_max_abs").get<double>());
  EXPECT_LE(max_difference(logits, plain), noise);
}

TEST_P(ParityTest, PublishedCheckpointInItsOwnContainerGivesTheSameLogits) {
  TAGBENCH_REQUIRE_SHARED("parity/" + GetParam());
  const Reference reference(GetParam());
  const Json& weights = reference.meta.at("weights");
  if (!weights.contains("checkpoint")) return;
  const std::shared_ptr<Tagger> tagger = reference.build();
  load_state(*tagger, read_state_dict(reference.path(weights.at("checkpoint").get<std::string>())), GetParam());
  tagger->eval();
  const torch::NoGradGuard no_gradient;
  const torch::Tensor logits = tagger->network(reference.features(*tagger));
  EXPECT_LE(max_difference(logits, reference.tensor("logits.npy")),
            reference.meta.at("tolerance").at("logits_abs").get<double>());
}

TEST_P(ParityTest, DoublePrecisionRunMatchesTheReferencesDoublePrecisionRun) {
  TAGBENCH_REQUIRE_SHARED("parity/" + GetParam());
  const Reference reference(GetParam());
  const std::shared_ptr<Tagger> tagger = reference.load();
  tagger->to(torch::kFloat64);
  const torch::NoGradGuard no_gradient;
  const torch::Tensor input =
      reference.tensor(reference.meta.at("input").at("file").get<std::string>()).to(torch::kFloat64);
  const torch::Tensor logits = tagger->network(reference.has_waveform() ? tagger->front_end(input) : input);
  ASSERT_EQ(logits.scalar_type(), torch::kFloat64);
  // Measured: at most 2e-13. Anything but the same arithmetic shows as 1e-8 or more.
  EXPECT_LE(max_difference(logits, reference.tensor("logits_f64.npy")), 1e-10);
}

TEST_P(ParityTest, BatchGivesWhatItsRowsGiveAlone) {
  TAGBENCH_REQUIRE_SHARED("parity/" + GetParam());
  const Reference reference(GetParam());
  const std::shared_ptr<Tagger> tagger = reference.load();
  const torch::NoGradGuard no_gradient;
  const torch::Tensor features = reference.features(*tagger);
  const torch::Tensor together = tagger->network(features);
  // Matrix products of another size may sum in another order, which costs no more than single precision costs at all.
  const double tolerance =
      std::max(2e-5, reference.meta.at("reference_noise").at("logits_f32_vs_f64_max_abs").get<double>());
  for (int64_t row = 0; row < features.size(0); ++row) {
    EXPECT_LE(max_difference(tagger->network(features.narrow(0, row, 1)), together.narrow(0, row, 1)), tolerance)
        << row;
  }
}

INSTANTIATE_TEST_SUITE_P(Folders, ParityTest, ::testing::ValuesIn(testing::reference_folders()),
                         [](const auto& folder) { return folder.param; });

}  // namespace
}  // namespace tagbench
