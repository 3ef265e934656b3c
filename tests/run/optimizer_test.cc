#include "harness/run/optimizer.h"

#include "tests/support/test_support.h"

namespace tagbench {
namespace {

torch::Tensor fresh_parameter() {
  return torch::linspace(-1.0, 1.0, 6).reshape({2, 3}).clone().set_requires_grad(true);
}

void step(torch::optim::Optimizer& optimizer, torch::Tensor& parameter, int index) {
  optimizer.zero_grad();
  (parameter * parameter * (1.0 + index)).sum().backward();
  optimizer.step();
}

class OptimizerTest : public ::testing::TestWithParam<const char*> {};

// Six steps in one go, and three, saved, restored into a new optimiser, and three more: the same bits.
TEST_P(OptimizerTest, ContinuesBitForBitFromItsSavedState) {
  TrainingStage stage;
  stage.optimizer = GetParam();
  stage.learning_rate = 0.01;
  stage.weight_decay = 1e-4;
  if (stage.optimizer == "sgd") {
    stage.momentum = 0.9;
    stage.nesterov = true;
  }
  torch::Tensor whole = fresh_parameter();
  const auto undisturbed = make_optimizer(stage, {whole});
  for (int i = 0; i < 6; ++i) step(*undisturbed, whole, i);

  torch::Tensor first = fresh_parameter();
  StateDict saved;
  {
    const auto optimizer = make_optimizer(stage, {first});
    for (int i = 0; i < 3; ++i) step(*optimizer, first, i);
    save_optimizer(*optimizer, "o.", saved);
  }
  EXPECT_FALSE(saved.tensors.empty());
  torch::Tensor second = first.detach().clone().set_requires_grad(true);
  const auto restored = make_optimizer(stage, {second});
  load_optimizer(*restored, "o.", saved);
  for (int i = 3; i < 6; ++i) step(*restored, second, i);
  EXPECT_TRUE(torch::equal(whole, second));
}

// A stage that lets the optimiser go on must leave it as one that was made for the stage and given the same state: else
// a training that is stopped within the stage would end with other weights.
TEST_P(OptimizerTest, AChangedStageEqualsARestoredOptimiserOfThatStage) {
  TrainingStage first;
  first.optimizer = GetParam();
  first.learning_rate = 0.01;
  TrainingStage second = first;
  second.learning_rate = 0.02;
  second.weight_decay = 1e-3;
  second.beta1 = 0.5;
  second.beta2 = 0.9;
  second.eps = 1e-4;
  second.momentum = 0.7;

  torch::Tensor whole = fresh_parameter();
  const auto optimizer = make_optimizer(first, {whole});
  for (int i = 0; i < 3; ++i) step(*optimizer, whole, i);
  StateDict saved;
  save_optimizer(*optimizer, "o.", saved);
  torch::Tensor other = whole.detach().clone().set_requires_grad(true);
  const auto restored = make_optimizer(second, {other});
  load_optimizer(*restored, "o.", saved);
  update_optimizer(*optimizer, second);
  for (int i = 3; i < 6; ++i) {
    step(*optimizer, whole, i);
    step(*restored, other, i);
  }
  EXPECT_TRUE(torch::equal(whole, other));
}

INSTANTIATE_TEST_SUITE_P(Kinds, OptimizerTest, ::testing::Values("adam", "sgd"),
                         [](const auto& suite_info) { return std::string(suite_info.param); });

}  // namespace
}  // namespace tagbench
