#pragma once

#include <torch/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/core/json.h"
#include "harness/nn/tagger.h"

// Reference runs of the published code: inputs, weights, and what every layer gave.
namespace tagbench::testing {

torch::Tensor read_npy_tensor(const std::filesystem::path& path);

// A parameter of the formula weights: splitmix64 started from the key's FNV-1a hash, 24 bits per value, times scale
// plus offset in float32.
torch::Tensor formula_tensor(uint64_t base_seed, const std::string& key, const std::vector<int64_t>& shape, float scale,
                             float offset);
// "0x20200001"
uint64_t parse_hex(const std::string& text);
std::string sha256_of_tensor(const torch::Tensor& tensor);

// The state that "parameters" of a reference file describes by formula, each tensor checked against its SHA-256.
std::vector<std::pair<std::string, torch::Tensor>> formula_state(const Json& parameters, uint64_t base_seed);

// One folder of reference data, ../shared/parity/<folder>.
struct Reference {
  explicit Reference(const std::string& folder);
  std::filesystem::path path(const std::string& relative) const { return folder_path / relative; }
  torch::Tensor tensor(const std::string& relative) const { return read_npy_tensor(path(relative)); }

  // The architecture with the options and the number of tags that the folder was made with; random weights.
  std::shared_ptr<Tagger> build() const;
  // The same with the folder's weights, in evaluation mode.
  std::shared_ptr<Tagger> load() const;
  // Features of the folder's input.
  torch::Tensor features(Tagger& tagger) const;
  bool has_waveform() const { return meta.at("input").at("shape").size() == 2; }

  std::string folder;
  std::filesystem::path folder_path;
  Json meta;
};

// Every folder with reference data of an architecture.
std::vector<std::string> reference_folders();

// The largest absolute difference. Fails the test for unequal shapes.
double max_difference(const torch::Tensor& a, const torch::Tensor& b);

}  // namespace tagbench::testing
