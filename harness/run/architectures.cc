#include "harness/run/architectures.h"

#include <algorithm>
#include <map>

#include "harness/core/errors.h"
#include "harness/core/text.h"
#include "harness/nn/byte_source.h"
#include "harness/nn/script_tagger.h"
#include "models/registry.h"

namespace tagbench {
namespace {

std::shared_ptr<Tagger> make_script(const Options& options, int64_t n_tags) {
  ScriptTaggerOptions script;
  script.path = options.text("path");
  script.sample_rate_hz = static_cast<int>(options.integer("sample_rate_hz"));
  script.input_samples = options.integer("chunk_samples");
  script.outputs_probabilities = options.flag("outputs_probabilities");
  script.n_tags = n_tags;
  return std::make_shared<ScriptTagger>(script);
}

std::vector<std::string> keys_of(const StateDict& state) {
  std::vector<std::string> keys;
  for (const auto& [key, tensor] : state.tensors) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  return keys;
}

// "fcn or fcn_128": whose tensors are called as these are.
std::string architectures_called_so(const StateDict& state) {
  constexpr int64_t kAnyTags = 2;
  const std::vector<std::string> keys = keys_of(state);
  std::vector<std::string> names;
  for (const ModelEntry& entry : models()) {
    if (keys_of(state_of(*entry.make(Options(entry.name, entry.options, {}), kAnyTags))) == keys)
      names.push_back(entry.name);
  }
  return join_text(names, " or ");
}

}  // namespace

Spec completed_by_file(const Spec& given, const ModelFileInfo& info, const std::string& source) {
  const auto known =
      std::find_if(models().begin(), models().end(), [&](const ModelEntry& entry) { return entry.name == info.model; });
  if (known == models().end()) {
    throw DataError(source + ": the model file's description names the architecture " + safe_quote(info.model) +
                    ", which is none of those that tagbench list models shows");
  }
  if (!given.name.empty() && given.name != info.model)
    throw UsageError(source + " holds the architecture " + info.model + ", not " + given.name);
  std::map<std::string, std::string> of_file;
  try {
    of_file = Options(known->name, known->options, info.options).canonical();
  } catch (const UsageError& error) {
    throw DataError(source + ": the model file's description does not fit: " + error.what());
  }
  Spec spec{info.model, given.options};
  for (const auto& [name, value] : info.options) {
    const auto same = std::find_if(given.options.begin(), given.options.end(),
                                   [&, key = name](const auto& option) { return option.first == key; });
    if (same == given.options.end()) spec.options.emplace_back(name, value);
  }
  std::vector<std::pair<std::string, std::string>> of_network;
  for (const auto& option : spec.options) {
    if (option.first != "weights") of_network.push_back(option);
  }
  const Options asked(known->name, known->options, of_network);
  for (const auto& [name, value] : asked.canonical()) {
    if (of_file.at(name) == value) continue;
    throw UsageError(source + " holds " + info.model + " with " + name + "=" + of_file.at(name) + ", not with " + name +
                     "=" + value);
  }
  return spec;
}

int64_t n_outputs(const StateDict& state, const Tagger& tagger, const std::string& what) {
  // Every architecture registers its output layer last.
  const auto& output = tagger.named_parameters().back();
  const torch::Tensor* stored = state.find(output.key());
  if (stored == nullptr || stored->dim() < 1 || stored->size(0) < 1) return output.value().size(0);
  constexpr int64_t kMostTags = 100000;
  if (stored->size(0) > kMostTags) {
    throw DataError(what + ": '" + output.key() + "' has " + std::to_string(stored->size(0)) + " outputs; at most " +
                    std::to_string(kMostTags) + " are accepted");
  }
  return stored->size(0);
}

void load_weights(Tagger& tagger, const StateDict& state, const std::string& what) {
  try {
    load_state(tagger, state, what);
  } catch (const DataError& error) {
    if (keys_of(state) == keys_of(state_of(tagger))) throw;
    const std::string others = architectures_called_so(state);
    if (others.empty()) throw;
    throw DataError(what + ": these are weights of " + others + ", not of " + tagger.facts().name + " (" +
                    std::string(error.what()).substr(what.size() + 2) + ")");
  }
}

const ModelEntry& script_architecture() {
  static const ModelEntry entry = [] {
    OptionSpec path = text_option("path", "", "the TorchScript file");
    path.required = true;
    OptionSpec chunk = integer_option("chunk_samples", "", "samples", 1, 1e9, "length of one chunk");
    chunk.required = true;
    ModelEntry script;
    script.name = "script";
    script.row_name = "own network";
    script.summary = "A TorchScript file: forward(waveform [B, T]) returns logits or probabilities [B, K].";
    script.paper = "the user's";
    script.source = "the user's";
    script.options = {path, chunk, integer_option("sample_rate_hz", "16000", "Hz", 1000, 768000, "rate of its input"),
                      flag_option("outputs_probabilities", false, "the network ends in a sigmoid"),
                      text_option("tags", "", "file of tag names, one per line, in the order of its outputs")};
    script.make = make_script;
    return script;
  }();
  return entry;
}

const ModelEntry& find_architecture(std::string_view name) {
  return name == script_architecture().name ? script_architecture() : find_model(name);
}

Spec parse_architecture(const std::string& text) {
  const std::string prefix = script_architecture().name + ":";
  if (starts_with(text, prefix)) {
    const std::string rest = text.substr(prefix.size());
    if (rest.substr(0, rest.find(',')).find('=') == std::string::npos) return parse_spec(prefix + "path=" + rest);
  }
  return parse_spec(text);
}

}  // namespace tagbench
