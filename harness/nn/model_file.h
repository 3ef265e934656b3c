#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/nn/state_dict.h"
#include "harness/nn/tagger.h"

namespace tagbench {

// What a model file of our own tells about its weights. The file is safetensors; this stands in its metadata.
struct ModelFileInfo {
  std::string model;                                         // registry name
  std::vector<std::pair<std::string, std::string>> options;  // those that differ from the defaults, as written
  std::vector<std::string> tags;
  int sample_rate_hz = 0;
  int64_t input_samples = 0;
  std::string source_sha256;                 // of the file that the weights were read from; "" when trained here
  std::map<std::string, std::string> extra;  // protocol, best epoch, ...
};

// Where files of ours carry the info: a key of safetensors' metadata, an extra file of a TorchScript archive.
constexpr char kModelInfoKey[] = "tagbench_model";
// One line of JSON.
std::string model_info_text(const ModelFileInfo& info);

// Written atomically; equal weights and info give equal bytes.
void save_model_file(const std::filesystem::path& path, const Tagger& tagger, const ModelFileInfo& info);

// The info of a model file that read_state_dict has read; nothing if the file is of another program.
// Errors: DataError that begins with `source` if the info is damaged.
std::optional<ModelFileInfo> model_file_info(const StateDict& state, const std::string& source);

}  // namespace tagbench
