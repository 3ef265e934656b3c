#include "harness/nn/model_file.h"

#include "harness/core/errors.h"
#include "harness/core/json.h"

namespace tagbench {
namespace {

constexpr int kFormatVersion = 1;
// Far above the tags of any data set; parsing takes time that grows with the square of the number of keys.
constexpr size_t kMaxInfoBytes = size_t{1} << 18U;

}  // namespace

std::string model_info_text(const ModelFileInfo& info) {
  Json json;
  json["version"] = kFormatVersion;
  json["model"] = info.model;
  json["options"] = Json::object();
  for (const auto& [key, value] : info.options) json["options"][key] = value;
  json["tags"] = info.tags;
  json["sample_rate_hz"] = info.sample_rate_hz;
  json["input_samples"] = info.input_samples;
  json["source_sha256"] = info.source_sha256;
  json["extra"] = info.extra;
  return json.dump();
}

void save_model_file(const std::filesystem::path& path, const Tagger& tagger, const ModelFileInfo& info) {
  StateDict state = state_of(tagger);
  state.metadata[kModelInfoKey] = model_info_text(info);
  write_safetensors(path, state);
}

std::optional<ModelFileInfo> model_file_info(const StateDict& state, const std::string& source) {
  const auto found = state.metadata.find(kModelInfoKey);
  if (found == state.metadata.end()) return std::nullopt;
  if (found->second.size() > kMaxInfoBytes) {
    throw DataError(source + ": the model file's description has " + std::to_string(found->second.size()) +
                    " bytes, at most " + std::to_string(kMaxInfoBytes) + " are accepted");
  }
  try {
    const Json json = Json::parse(found->second);
    const int version = json.at("version").get<int>();
    if (version != kFormatVersion) {
      throw DataError(source + ": model file version " + std::to_string(version) + " is not known here (" +
                      std::to_string(kFormatVersion) + " is); use the program that wrote it");
    }
    ModelFileInfo info;
    info.model = json.at("model").get<std::string>();
    for (const auto& [key, value] : json.at("options").items())
      info.options.emplace_back(key, value.get<std::string>());
    info.tags = json.at("tags").get<std::vector<std::string>>();
    info.sample_rate_hz = json.at("sample_rate_hz").get<int>();
    info.input_samples = json.at("input_samples").get<int64_t>();
    info.source_sha256 = json.at("source_sha256").get<std::string>();
    info.extra = json.at("extra").get<std::map<std::string, std::string>>();
    return info;
  } catch (const Json::exception& error) {
    throw DataError(source + ": the model file's description is damaged: " + error.what());
  }
}

}  // namespace tagbench
