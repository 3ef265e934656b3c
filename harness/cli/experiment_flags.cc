#include "harness/cli/experiment_flags.h"

#include "harness/core/errors.h"
#include "harness/core/options.h"
#include "harness/run/architectures.h"

namespace tagbench {

std::pair<std::string, std::string> parse_setting(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) throw UsageError("--set: key=value was expected, got '" + text + "'");
  return {text.substr(0, equals), text.substr(equals + 1)};
}

CLI::Option* ExperimentFlags::add_to(CLI::App& verb, bool file) {
  CLI::Option* file_option =
      file ? verb.add_option("experiment", file_, "Experiment file (YAML)")->required() : nullptr;
  verb.add_option("--dataset", dataset_, "Dataset: a name, or name:option=value,... (tagbench list datasets)")
      ->group("Experiment");
  verb.add_option("--splits", splits_, "Splits by name, or 'all'; a dataset of folds runs over all of them")
      ->group("Experiment");
  verb.add_option("--models,--model", models_, "Architectures: name, or name:option=value,... (tagbench list models)")
      ->group("Experiment");
  verb.add_option("--weights", weights_, "Weights for a single --model (.pth, .safetensors): evaluated, not trained")
      ->group("Experiment");
  verb.add_option("--chunk-samples", chunk_samples_, "Chunk length of a single --model script:FILE.pt")
      ->group("Experiment")
      ->check(CLI::PositiveNumber);
  verb.add_option("--sample-rate-hz", sample_rate_hz_, "Sample rate of script:FILE.pt (default 16000)")
      ->group("Experiment")
      ->check(CLI::PositiveNumber);
  verb.add_option("--tags", tags_, "Tag names of script:FILE.pt, one per line")->group("Experiment");
  verb.add_flag("--outputs-probabilities", outputs_probabilities_, "script:FILE.pt ends in a sigmoid (default: logits)")
      ->group("Experiment");
  verb.add_option("--protocol", protocol_, "Protocol: a name or a YAML file (tagbench list protocols)")
      ->group("Experiment");
  verb.add_option("--seeds,--seed", seeds_, "Training seeds; several give mean and deviation")->group("Experiment");
  verb.add_option("--perturbations,--perturbation", perturbations_,
                  "Perturbations or sets of them (tagbench list perturbations)")
      ->group("Experiment");
  perturbation_seed_option_ =
      verb.add_option("--perturbation-seed", perturbation_seed_, "Seed of random perturbations (default 0)")
          ->group("Experiment");
  verb.add_option("--device", device_, "cpu, cuda or cuda:n (default cpu)")->group("Machine");
  verb.add_option("--threads", threads_, "Threads; 0: all processors (default)")->group("Machine");
  verb.add_option("--precision", precision_, "fp32 (default) or bf16")->group("Machine");
  verb.add_option("--cache", cache_, "Folder of the decoded-audio cache, or 'none'")->group("Machine");
  verb.add_flag("--strict", strict_, "An unusable track ends the run instead of being left out and named")
      ->group("Run");
  verb.add_flag("--throughput", throughput_, "Also measure speed")->group("Run");
  verb.add_option("--resamples", resamples_, "Bootstrap resamples behind the table's intervals; 0: none (default 1000)")
      ->group("Run");
  verb.add_option("-o,--output", output_, "The run's directory (default runs/NAME)")->group("Run");
  verb.add_option("--name", name_, "Name of the experiment")->group("Run");
  verb.add_option("--set", settings_,
                  "key=value: overrides any key, as in protocol.epochs=3 or dataset.root=/data/esc50")
      ->group("Run");
  return file_option;
}

// A single --model becomes a map of its options, with those that have flags of their own; several stay a list of texts.
// Either replaces what the file says.
void ExperimentFlags::apply_models(ConfigNode& config) const {
  std::vector<std::pair<std::string, std::string>> of_script;
  if (chunk_samples_ > 0) of_script.emplace_back("chunk_samples", std::to_string(chunk_samples_));
  if (sample_rate_hz_ > 0) of_script.emplace_back("sample_rate_hz", std::to_string(sample_rate_hz_));
  if (!tags_.empty()) of_script.emplace_back("tags", tags_);
  if (outputs_probabilities_) of_script.emplace_back("outputs_probabilities", "true");
  if (models_.empty() && !weights_.empty() && of_script.empty()) {
    // A model file of our own names its architecture; for another file, the error says that a name is missing.
    config.set("models", "{}", "--weights");
    config.set_text("models.weights", weights_);
    return;
  }
  if (models_.size() != 1) {
    if (!weights_.empty() || !of_script.empty()) {
      throw UsageError(
          "--weights, --chunk-samples, --sample-rate-hz, --tags and --outputs-probabilities need exactly one --model, "
          "found " +
          std::to_string(models_.size()) + "; give several models with their options in an experiment file");
    }
    if (!models_.empty()) config.set_texts("models", models_);
    return;
  }
  const Spec spec = parse_architecture(models_.front());
  if (spec.name != script_architecture().name && !of_script.empty()) {
    throw UsageError(
        "--chunk-samples, --sample-rate-hz, --tags and --outputs-probabilities belong to --model script:FILE.pt, found "
        "--model " +
        models_.front());
  }
  std::vector<std::pair<std::string, std::string>> options = {{"name", spec.name}};
  options.insert(options.end(), spec.options.begin(), spec.options.end());
  options.insert(options.end(), of_script.begin(), of_script.end());
  if (!weights_.empty()) options.emplace_back("weights", weights_);
  config.set("models", "{}", "--model");
  for (const auto& [key, value] : options) config.set_text("models." + key, value);
}

ConfigNode ExperimentFlags::config() const {
  ConfigNode config = file_.empty() ? ConfigNode::parse("{}", "command line") : ConfigNode::load(file_);
  const auto set = [&](const std::string& key, const std::string& value) {
    if (!value.empty()) config.set_text(key, value);
  };
  const auto set_list = [&](const std::string& key, const std::vector<std::string>& values) {
    if (!values.empty()) config.set_texts(key, values);
  };
  set("dataset", dataset_);
  set("protocol", protocol_);
  set("device", device_);
  set("precision", precision_);
  set("output", output_);
  set("name", name_);
  set("cache.directory", cache_);
  set_list("splits", splits_);
  set_list("seeds", seeds_);
  set_list("perturbations", perturbations_);
  apply_models(config);
  if (threads_ >= 0) config.set_text("threads", std::to_string(threads_));
  if (resamples_ >= 0) config.set_text("resamples", std::to_string(resamples_));
  if (perturbation_seed_option_->count() > 0) config.set_text("perturbation_seed", std::to_string(perturbation_seed_));
  if (strict_) config.set_text("strict", "true");
  if (throughput_) config.set_text("throughput", "true");
  for (const std::string& setting : settings_) {
    const auto [key, value] = parse_setting(setting);
    config.set(key, value, "--set");
  }
  return config;
}

}  // namespace tagbench
