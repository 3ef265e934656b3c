#include "harness/run/optimizer.h"

#include <torch/optim/adam.h>
#include <torch/optim/sgd.h>

#include <sstream>
#include <stdexcept>
#include <type_traits>

#include "harness/core/errors.h"

namespace tagbench {
namespace {

using StateMap = std::decay_t<decltype(std::declval<torch::optim::Optimizer&>().state())>;

// LibTorch 1.13 keys an optimiser's state by the parameter's address as text, 2.x by the address.
template <typename Key = StateMap::key_type>
Key state_key(const torch::Tensor& parameter) {
  void* address = parameter.unsafeGetTensorImpl();
  if constexpr (std::is_same_v<Key, std::string>) {
    std::ostringstream text;
    text << address;
    return text.str();
  } else {
    return address;
  }
}

const std::vector<torch::Tensor>& parameters_of(torch::optim::Optimizer& optimizer) {
  return optimizer.param_groups().at(0).params();
}

torch::Tensor required(const StateDict& state, const std::string& key, const torch::Tensor& parameter) {
  const torch::Tensor* found = state.find(key);
  if (found == nullptr || found->sizes() != parameter.sizes())
    throw DataError("training checkpoint: '" + key + "' is missing or mis-shaped");
  return found->to(parameter.device()).clone();
}

}  // namespace

std::unique_ptr<torch::optim::Optimizer> make_optimizer(const TrainingStage& stage,
                                                        std::vector<torch::Tensor> parameters) {
  if (stage.optimizer == "adam") {
    return std::make_unique<torch::optim::Adam>(std::move(parameters), torch::optim::AdamOptions(stage.learning_rate)
                                                                           .betas({stage.beta1, stage.beta2})
                                                                           .eps(stage.eps)
                                                                           .weight_decay(stage.weight_decay));
  }
  return std::make_unique<torch::optim::SGD>(std::move(parameters), torch::optim::SGDOptions(stage.learning_rate)
                                                                        .momentum(stage.momentum)
                                                                        .nesterov(stage.nesterov)
                                                                        .weight_decay(stage.weight_decay));
}

void update_optimizer(torch::optim::Optimizer& optimizer, const TrainingStage& stage) {
  for (auto& group : optimizer.param_groups()) {
    if (stage.optimizer == "adam") {
      static_cast<torch::optim::AdamOptions&>(group.options())
          .lr(stage.learning_rate)
          .betas({stage.beta1, stage.beta2})
          .eps(stage.eps)
          .weight_decay(stage.weight_decay);
    } else {
      static_cast<torch::optim::SGDOptions&>(group.options())
          .lr(stage.learning_rate)
          .momentum(stage.momentum)
          .nesterov(stage.nesterov)
          .weight_decay(stage.weight_decay);
    }
  }
}

void save_optimizer(torch::optim::Optimizer& optimizer, const std::string& prefix, StateDict& state) {
  const auto& parameters = parameters_of(optimizer);
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto found = optimizer.state().find(state_key(parameters[i]));
    if (found == optimizer.state().end()) continue;  // no gradient has reached this parameter yet
    const std::string name = prefix + std::to_string(i) + ".";
    if (const auto* adam = dynamic_cast<const torch::optim::AdamParamState*>(found->second.get())) {
      state.tensors.emplace_back(name + "step", torch::scalar_tensor(adam->step(), torch::kInt64));
      state.tensors.emplace_back(name + "exp_avg", adam->exp_avg());
      state.tensors.emplace_back(name + "exp_avg_sq", adam->exp_avg_sq());
    } else if (const auto* sgd = dynamic_cast<const torch::optim::SGDParamState*>(found->second.get())) {
      if (sgd->momentum_buffer().defined())
        state.tensors.emplace_back(name + "momentum_buffer", sgd->momentum_buffer());
    } else {
      throw std::logic_error("save_optimizer: unknown kind of optimiser state");
    }
  }
}

void load_optimizer(torch::optim::Optimizer& optimizer, const std::string& prefix, const StateDict& state) {
  const auto& parameters = parameters_of(optimizer);
  const bool adam = dynamic_cast<torch::optim::Adam*>(&optimizer) != nullptr;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const std::string name = prefix + std::to_string(i) + ".";
    if (adam) {
      const torch::Tensor* step = state.find(name + "step");
      if (step == nullptr) continue;
      auto restored = std::make_unique<torch::optim::AdamParamState>();
      restored->step(step->item<int64_t>());
      restored->exp_avg(required(state, name + "exp_avg", parameters[i]));
      restored->exp_avg_sq(required(state, name + "exp_avg_sq", parameters[i]));
      optimizer.state()[state_key(parameters[i])] = std::move(restored);
    } else if (state.find(name + "momentum_buffer") != nullptr) {
      auto restored = std::make_unique<torch::optim::SGDParamState>();
      restored->momentum_buffer(required(state, name + "momentum_buffer", parameters[i]));
      optimizer.state()[state_key(parameters[i])] = std::move(restored);
    }
  }
}

}  // namespace tagbench
