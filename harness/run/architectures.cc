#include "harness/run/architectures.h"

#include "harness/core/text.h"
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

}  // namespace

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
