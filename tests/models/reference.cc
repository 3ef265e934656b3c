#include "tests/models/reference.h"

#include <gtest/gtest.h>

#include <cstring>

#include "harness/core/hash.h"
#include "harness/core/npy.h"
#include "harness/nn/state_dict.h"
#include "models/registry.h"
#include "tests/support/test_support.h"

namespace tagbench::testing {

torch::Tensor read_npy_tensor(const std::filesystem::path& path) {
  const NpyArray array = read_npy(path);
  const torch::Dtype type = array.descr == "<f8" ? torch::kFloat64 : torch::kFloat32;
  torch::Tensor tensor = torch::empty(array.shape, type);
  if (type == torch::kFloat64) {
    std::memcpy(tensor.data_ptr(), array.bytes.data(), array.bytes.size());
  } else {
    const std::vector<float> values = array.as_float();
    std::memcpy(tensor.data_ptr(), values.data(), values.size() * sizeof(float));
  }
  return tensor;
}

torch::Tensor formula_tensor(uint64_t base_seed, const std::string& key, const std::vector<int64_t>& shape, float scale,
                             float offset) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  uint64_t state = base_seed ^ hash;
  torch::Tensor tensor = torch::empty(shape, torch::kFloat32);
  float* values = tensor.data_ptr<float>();
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    state += 0x9E3779B97F4A7C15ULL;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    z ^= z >> 31;
    const float v = static_cast<float>(z >> 40) * 0x1p-23F - 1.0F;
    values[i] = v * scale + offset;
  }
  return tensor;
}

uint64_t parse_hex(const std::string& text) {
  return std::stoull(text, nullptr, 16);
}

std::string sha256_of_tensor(const torch::Tensor& tensor) {
  const torch::Tensor bytes = tensor.contiguous();
  return sha256_hex(
      {static_cast<const char*>(bytes.data_ptr()), static_cast<size_t>(bytes.numel() * bytes.element_size())});
}

std::vector<std::pair<std::string, torch::Tensor>> formula_state(const Json& parameters, uint64_t base_seed) {
  std::vector<std::pair<std::string, torch::Tensor>> state;
  for (const auto& [key, entry] : parameters.items()) {
    const torch::Tensor tensor = formula_tensor(base_seed, key, entry.at("shape").get<std::vector<int64_t>>(),
                                                entry.at("scale").get<float>(), entry.at("offset").get<float>());
    EXPECT_EQ(sha256_of_tensor(tensor), entry.at("sha256").get<std::string>()) << key;
    state.emplace_back(key, tensor);
  }
  return state;
}

Reference::Reference(const std::string& folder_name)
    : folder(folder_name),
      folder_path(shared_path("parity/" + folder_name)),
      meta(read_json(folder_path / "meta.json")) {}

std::shared_ptr<Tagger> Reference::build() const {
  // Narrow twins carry their width in the folder's name: short_w16.
  const std::string name = folder.substr(0, folder.find("_w"));
  std::vector<std::pair<std::string, std::string>> given;
  const Json arguments = meta.value("constructor_arguments", Json::object());
  for (const char* option : {"n_channels", "n_mels"}) {
    if (arguments.contains(option)) given.emplace_back(option, std::to_string(arguments.at(option).get<int64_t>()));
  }
  const ModelEntry& entry = find_model(name);
  return entry.make(Options(name, entry.options, given), meta.at("output").at("shape").at(1).get<int64_t>());
}

std::shared_ptr<Tagger> Reference::load() const {
  std::shared_ptr<Tagger> tagger = build();
  const Json& weights = meta.at("weights");
  StateDict state;
  if (weights.at("kind") == "formula") {
    state = read_state_dict(path(weights.at("buffers").get<std::string>()));
    for (auto& entry : formula_state(weights.at("parameters"), parse_hex(weights.at("base_seed").get<std::string>()))) {
      state.tensors.push_back(std::move(entry));
    }
  } else {
    state = read_state_dict(path(weights.at("safetensors").get<std::string>()));
  }
  load_state(*tagger, state, folder);
  tagger->eval();
  return tagger;
}

torch::Tensor Reference::features(Tagger& tagger) const {
  const torch::Tensor input = tensor(meta.at("input").at("file").get<std::string>());
  return has_waveform() ? tagger.front_end(input) : input;
}

std::vector<std::string> reference_folders() {
  return {"fcn",   "fcn_128",   "musicnn",   "musicnn_128",   "sample",       "se",
          "crnn",  "crnn_128",  "attention", "attention_w16", "hcnn",         "hcnn_w16",
          "short", "short_w16", "short_res", "short_res_w16", "vgg_mediaeval"};
}

double max_difference(const torch::Tensor& a, const torch::Tensor& b) {
  EXPECT_EQ(shape_text(a.sizes().vec()), shape_text(b.sizes().vec()));
  if (!a.sizes().equals(b.sizes())) return std::numeric_limits<double>::infinity();
  return (a.to(torch::kFloat64) - b.to(torch::kFloat64)).abs().max().item<double>();
}

}  // namespace tagbench::testing
