#pragma once

#include <torch/optim/optimizer.h>
#include <torch/types.h>

#include <memory>
#include <string>
#include <vector>

#include "harness/nn/state_dict.h"
#include "harness/run/protocol.h"

namespace tagbench {

// LibTorch's Adam or SGD with the stage's settings. Weight decay is L2, added to the gradient.
std::unique_ptr<torch::optim::Optimizer> make_optimizer(const TrainingStage& stage,
                                                        std::vector<torch::Tensor> parameters);

// Sets all of the stage's settings on an optimiser that goes on with its running state, so that it equals one made for
// the stage and given that state.
void update_optimizer(torch::optim::Optimizer& optimizer, const TrainingStage& stage);

// The optimiser's running state (moments, step counts, momentum buffers) as tensors "<prefix><parameter index>.<name>",
// so that training can be continued bit for bit.
void save_optimizer(torch::optim::Optimizer& optimizer, const std::string& prefix, StateDict& state);
// Errors: DataError if the state does not fit the parameters.
void load_optimizer(torch::optim::Optimizer& optimizer, const std::string& prefix, const StateDict& state);

}  // namespace tagbench
