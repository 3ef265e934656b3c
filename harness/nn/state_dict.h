#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace tagbench {

// Named tensors in file order, with the text metadata that came along.
struct StateDict {
  std::vector<std::pair<std::string, torch::Tensor>> tensors;
  std::map<std::string, std::string> metadata;

  const torch::Tensor* find(const std::string& key) const;
};

// Reads any supported container, recognised by its first bytes, never by its name: safetensors, torch.save zip,
// torch.save stream (before PyTorch 1.6), TorchScript archive (parameters and buffers only). Nothing in the file is
// executed; every length is checked against the file's size before memory is taken. Errors: DataError naming file,
// position and the first thing refused.
StateDict read_state_dict(const std::filesystem::path& path);

// safetensors, atomically; keys in the order given; deterministic bytes.
void write_safetensors(const std::filesystem::path& path, const StateDict& state);

// Parameters and buffers of a module, in registration order, with published names (nothing is copied).
StateDict state_of(const torch::nn::Module& module);

// Copies `state` into the module, strictly. Errors: DataError that lists all missing, unexpected and mis-shaped keys at
// once, with both shapes, or all that hold NaN or infinity, and begins with `what` ("fcn <- weights.pth"). Of more than
// a dozen, layers that are concerned as a whole are named as "layer4.* (7)". Nothing is changed if anything does not
// fit.
void load_state(torch::nn::Module& module, const StateDict& state, const std::string& what);

}  // namespace tagbench
