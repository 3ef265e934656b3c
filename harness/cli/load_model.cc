#include "harness/cli/load_model.h"

#include "harness/core/errors.h"
#include "harness/core/hash.h"
#include "harness/core/tag_file.h"
#include "harness/core/text.h"
#include "harness/nn/script_tagger.h"
#include "harness/nn/state_dict.h"
#include "harness/run/architectures.h"

namespace tagbench {
namespace {

// A file may tell widths that its tensors cannot fill: building such a network would take memory without bound. Every
// architecture has layers from all its channels to all of them.
void require_plausible_width(const StateDict& state, const Options& options, const std::string& what) {
  int64_t values = 0;
  for (const auto& [name, tensor] : state.tensors) values += tensor.numel();
  for (const auto& [name, text] : options.canonical()) {
    const auto width = parse_integer(text);
    if (name != "n_channels" || !width || *width < 2 || *width <= values / *width) continue;
    throw DataError(what + ": a network of n_channels=" + text + " was expected, but the file holds " +
                    std::to_string(values) + " values in all");
  }
}

LoadedModel load_script(const LoadModelFlags& flags, Spec spec) {
  if (!flags.weights.empty()) {
    throw UsageError("--model " + flags.model + " is network and weights in one; " + flags.weights +
                     " would not be read (leave it away, or name an architecture)");
  }
  if (flags.chunk_samples > 0) spec.options.emplace_back("chunk_samples", std::to_string(flags.chunk_samples));
  if (flags.sample_rate_hz > 0) spec.options.emplace_back("sample_rate_hz", std::to_string(flags.sample_rate_hz));
  if (flags.outputs_probabilities) spec.options.emplace_back("outputs_probabilities", "true");
  const ModelEntry& entry = script_architecture();
  const Options options(entry.name, entry.options, spec.options);
  LoadedModel loaded;
  const std::string tags = flags.tags.empty() ? options.text("tags") : flags.tags;
  if (!tags.empty()) loaded.tags = read_tag_file(tags);
  const auto tagger =
      std::dynamic_pointer_cast<ScriptTagger>(entry.make(options, static_cast<int64_t>(loaded.tags.size())));
  loaded.n_tags = tagger->n_tags();
  loaded.tagger = tagger;
  loaded.info.model = flags.model;
  loaded.info.tags = loaded.tags;
  return loaded;
}

}  // namespace

void LoadModelFlags::add_model_flags(CLI::App& verb) {
  verb.add_option("--model", model,
                  "Architecture: name, or name:option=value,...; or script:FILE.pt for a TorchScript network");
  verb.add_option("--tags", tags, "Tag names, one per line, in the order of the model's outputs");
}

void LoadModelFlags::add_to(CLI::App& verb) {
  add_model_flags(verb);
  verb.add_option("--weights", weights, "Weights (.pth, .safetensors) or a model file of our own");
  verb.add_option("--sample-rate-hz", sample_rate_hz, "Sample rate of a script: model (default 16000)")
      ->check(CLI::Range(1000, 768000));
  verb.add_option("--chunk-samples", chunk_samples, "Chunk length of a script: model");
  verb.add_flag("--outputs-probabilities", outputs_probabilities,
                "The script: model ends in a sigmoid (default: logits)");
}

LoadedModel load_model(const LoadModelFlags& flags) {
  if (!flags.model.empty()) {
    const Spec spec = parse_architecture(flags.model);
    if (spec.name == script_architecture().name) return load_script(flags, spec);
  }
  if (flags.chunk_samples > 0 || flags.sample_rate_hz > 0 || flags.outputs_probabilities) {
    throw UsageError(
        "--chunk-samples, --sample-rate-hz and --outputs-probabilities belong to --model script:FILE.pt, found " +
        (flags.model.empty() ? "no --model" : "--model " + flags.model));
  }
  if (flags.weights.empty()) throw UsageError("--weights is needed: a .pth, .safetensors or model file");
  const StateDict state = read_state_dict(flags.weights);
  LoadedModel loaded;
  if (const auto info = model_file_info(state, flags.weights)) loaded.info = *info;
  Spec spec = flags.model.empty() ? Spec() : parse_spec(flags.model);
  if (!loaded.info.model.empty()) spec = completed_by_file(spec, loaded.info, flags.weights);
  if (spec.name.empty())
    throw UsageError("--model is needed: " + flags.weights +
                     " does not tell its architecture; known: tagbench list models");
  loaded.info.model = spec.name;
  loaded.info.options = spec.options;
  const ModelEntry& entry = find_architecture(loaded.info.model);
  const Options options(entry.name, entry.options, loaded.info.options);
  const std::string what = entry.name + " <- " + flags.weights;
  require_plausible_width(state, options, what);
  loaded.n_tags = n_outputs(state, *entry.make(options, 2), what);
  loaded.tagger = entry.make(options, loaded.n_tags);
  load_weights(*loaded.tagger, state, what);
  loaded.tagger->eval();
  loaded.tags = flags.tags.empty() ? loaded.info.tags : read_tag_file(flags.tags);
  if (!loaded.tags.empty() && static_cast<int64_t>(loaded.tags.size()) != loaded.n_tags) {
    throw DataError((flags.tags.empty() ? flags.weights : flags.tags) + ": " + std::to_string(loaded.n_tags) +
                    " tags were expected as the network has outputs, found " + std::to_string(loaded.tags.size()));
  }
  loaded.info.tags = loaded.tags;
  loaded.info.sample_rate_hz = loaded.tagger->facts().sample_rate_hz;
  loaded.info.input_samples = loaded.tagger->facts().input_samples;
  loaded.info.source_sha256 = sha256_file_hex(flags.weights);
  return loaded;
}

}  // namespace tagbench
