#include "harness/run/experiment.h"

#include <algorithm>
#include <cstdlib>

#include "harness/core/errors.h"
#include "harness/core/hash.h"
#include "harness/core/parallel.h"
#include "harness/core/text.h"
#include "harness/run/architectures.h"

namespace tagbench {
namespace {

std::vector<std::string> text_list(const ConfigNode& node) {
  if (node.is_scalar()) return {node.text()};
  std::vector<std::string> values;
  for (const ConfigNode& item : node.items()) values.push_back(item.text());
  return values;
}

// A condition in a list may be a chain, which YAML reads as text only in quotes; everything else is text.
std::vector<std::string> condition_texts(const ConfigNode& node) {
  return node.defined() ? text_list(node) : std::vector<std::string>{"clean"};
}

Dataset parse_dataset(const ConfigNode& node) {
  if (!node.defined()) node.fail("is required: a dataset's name, or a map with name, root and the dataset's options");
  if (node.is_scalar()) {
    const Spec spec = parse_spec(node.text());
    return load_dataset(spec.name, spec.options);
  }
  if (!node.has("name")) node.fail("name is required");
  std::vector<std::string> known = {"name"};
  for (const OptionSpec& option : find_dataset(node["name"].text()).facts.options) known.push_back(option.name);
  node.require_known_keys(known);
  std::vector<std::pair<std::string, std::string>> options;
  for (const auto& [key, value] : node.entries()) {
    if (key != "name") options.emplace_back(key, value.text());
  }
  return load_dataset(node["name"].text(), options);
}

ModelRequest parse_model(const ConfigNode& node) {
  ModelRequest request;
  std::string label;
  Spec spec;
  if (node.is_scalar()) {
    spec = parse_architecture(node.text());
  } else {
    if (!node.has("name")) node.fail("name is required");
    spec.name = node["name"].text();
    for (const auto& [key, value] : node.entries()) {
      if (key == "name") continue;
      if (key == "label") {
        label = value.text();
      } else {
        spec.options.emplace_back(key, value.text());
      }
    }
  }
  request.entry = &find_architecture(spec.name);
  for (const auto& option : spec.options) {
    if (option.first == "weights") {
      request.weights = option.second;
    } else {
      request.given_options.push_back(option);
    }
  }
  // A script file is network and weights in one.
  if (request.is_script()) request.weights = request.options().text("path");
  if (!request.weights.empty()) {
    if (!std::filesystem::exists(request.weights)) {
      throw DataError(node.where() + ": weights of " + spec.name + ": " + request.weights.string() + " does not exist");
    }
    request.weights_sha256 = sha256_file_hex(request.weights);
  }
  const std::string changed = request.options().changed_text();
  request.label = !label.empty() ? label : (changed.empty() ? spec.name : spec.name + " (" + changed + ")");
  return request;
}

std::vector<std::string> parse_splits(const ConfigNode& node, const Dataset& dataset) {
  std::vector<std::string> known;
  for (const Split& split : dataset.splits) known.push_back(split.name);
  std::vector<std::string> wanted = node.defined() ? text_list(node) : std::vector<std::string>{"default"};
  if (wanted == std::vector<std::string>{"all"}) return known;
  if (wanted == std::vector<std::string>{"default"} &&
      std::find(known.begin(), known.end(), "default") == known.end()) {
    // A dataset of folds is evaluated over all of them.
    const bool folds =
        std::all_of(known.begin(), known.end(), [](const std::string& name) { return starts_with(name, "fold"); });
    return folds ? known : std::vector<std::string>{known.front()};
  }
  for (const std::string& name : wanted) find_split(dataset, name);
  return wanted;
}

PcmCacheOptions parse_cache(const ConfigNode& node) {
  PcmCacheOptions cache;
  cache.directory = default_cache_directory();
  if (!node.defined()) return cache;
  node.require_known_keys({"directory", "max_gib", "round_to_16_bits", "resample_quality"});
  if (node.has("directory")) cache.directory = node["directory"].text() == "none" ? "" : node["directory"].text();
  if (node.has("max_gib")) {
    const double gib = node["max_gib"].real();
    if (gib <= 0 || gib > 1e6) node["max_gib"].fail("must be above 0 and at most 1000000");
    cache.max_bytes = static_cast<uint64_t>(gib * 1073741824.0);
  }
  if (node.has("round_to_16_bits")) cache.decode.round_to_16_bits = node["round_to_16_bits"].flag();
  if (node.has("resample_quality")) {
    const std::string quality = node["resample_quality"].text();
    const std::vector<std::string> known = {"best", "medium", "fastest"};
    const auto found = std::find(known.begin(), known.end(), quality);
    if (found == known.end())
      node["resample_quality"].fail("unknown value '" + quality + "'; " + suggestion(quality, known));
    cache.quality = static_cast<ResampleQuality>(found - known.begin());
  }
  return cache;
}

template <typename Values>
void require_distinct(const ConfigNode& config, const std::string& key, const Values& values) {
  Values sorted = values;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) config[key].fail("an entry is given twice");
}

}  // namespace

bool ModelRequest::is_script() const {
  return entry == &script_architecture();
}

std::filesystem::path default_cache_directory() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME")) return std::filesystem::path(cache) / "tagbench" / "pcm";
  if (const char* home = std::getenv("HOME")) return std::filesystem::path(home) / ".cache" / "tagbench" / "pcm";
  return std::filesystem::temp_directory_path() / "tagbench-pcm";
}

const std::vector<std::string>& experiment_keys() {
  static const std::vector<std::string> kKeys = {
      "name",   "dataset", "splits",    "models", "protocol", "seeds",      "perturbations", "perturbation_seed",
      "device", "threads", "precision", "cache",  "strict",   "throughput", "output",        "resamples"};
  return kKeys;
}

Experiment load_experiment(const ConfigNode& config) {
  if (!config.is_map()) config.fail("an experiment is a map; its keys are: " + join_text(experiment_keys(), ", "));
  config.require_known_keys(experiment_keys());
  Experiment experiment;
  experiment.name = config.has("name") ? config["name"].text() : "experiment";
  if (config.has("device")) experiment.device = config["device"].text();
  if (config.has("precision")) experiment.precision = config["precision"].text();
  if (experiment.precision != "fp32" && experiment.precision != "bf16") {
    config["precision"].fail("unknown value '" + experiment.precision + "'; known: fp32, bf16");
  }
  experiment.threads = config.has("threads") ? static_cast<int>(config["threads"].integer()) : 0;
  if (experiment.threads < 0 || experiment.threads > 4096)
    config["threads"].fail("must be from 0 (all processors) to 4096");
  if (experiment.threads == 0) experiment.threads = available_processors();
  if (config.has("strict")) experiment.strict = config["strict"].flag();
  if (config.has("throughput")) experiment.throughput = config["throughput"].flag();
  if (config.has("perturbation_seed")) experiment.perturbation_seed = config["perturbation_seed"].integer();
  if (config.has("resamples")) experiment.resamples = static_cast<int>(config["resamples"].integer());
  if (experiment.resamples < 0 || experiment.resamples > 1000000) config["resamples"].fail("must be from 0 to 1000000");
  experiment.output = config.has("output") ? config["output"].text() : "runs/" + experiment.name;
  experiment.cache = parse_cache(config["cache"]);
  experiment.conditions = parse_conditions(condition_texts(config["perturbations"]));
  experiment.protocol = config.has("protocol") ? load_protocol(config["protocol"]) : load_protocol("won2020");

  if (config.has("seeds")) {
    const ConfigNode seeds = config["seeds"];
    if (seeds.is_scalar()) {
      experiment.seeds = {seeds.integer()};
    } else {
      for (const ConfigNode& item : seeds.items()) experiment.seeds.push_back(item.integer());
    }
    if (experiment.seeds.empty()) seeds.fail("at least one seed is needed");
    require_distinct(config, "seeds", experiment.seeds);
  } else {
    experiment.seeds = {1};
  }

  const ConfigNode models = config["models"];
  if (!models.defined()) config.fail("models is required: a list of architectures, as in [fcn, short]");
  if (models.is_sequence()) {
    for (const ConfigNode& item : models.items()) experiment.models.push_back(parse_model(item));
  } else {
    experiment.models.push_back(parse_model(models));
  }
  if (experiment.models.empty()) models.fail("at least one architecture is needed");
  std::vector<std::string> labels;
  for (const ModelRequest& model : experiment.models) labels.push_back(model.label);
  std::sort(labels.begin(), labels.end());
  const auto twice = std::adjacent_find(labels.begin(), labels.end());
  if (twice != labels.end()) models.fail("two entries are called '" + *twice + "'; give each a label");

  experiment.dataset = parse_dataset(config["dataset"]);
  experiment.splits = parse_splits(config["splits"], experiment.dataset);
  experiment.resolved = config.dump();
  return experiment;
}

std::vector<Cell> plan_cells(const Experiment& experiment, const std::string& audio_settings) {
  std::vector<Cell> cells;
  for (size_t s = 0; s < experiment.splits.size(); ++s) {
    for (size_t m = 0; m < experiment.models.size(); ++m) {
      const ModelRequest& model = experiment.models[m];
      // Given weights do not depend on a training seed.
      const size_t n_seeds = model.weights.empty() ? experiment.seeds.size() : 1;
      for (size_t r = 0; r < n_seeds; ++r) {
        std::string clean_key;
        for (size_t c = 0; c < experiment.conditions.size(); ++c) {
          Cell cell;
          cell.split = s;
          cell.model = m;
          cell.seed = r;
          cell.condition = c;
          CellId& id = cell.id;
          id.dataset = experiment.dataset.name;
          id.task = task_name(experiment.dataset.task);
          id.split = experiment.splits[s];
          id.split_sha256 = find_split(experiment.dataset, experiment.splits[s]).sha256;
          id.model = model.entry->name;
          id.model_options = model.options().canonical_text();
          id.weights_sha256 = model.weights_sha256;
          id.protocol = experiment.protocol.name;
          id.protocol_sha256 = experiment.protocol.sha256();
          id.seed = model.weights.empty() ? experiment.seeds[r] : 0;
          id.condition = experiment.conditions[c].label();
          id.condition_key = experiment.conditions[c].key();
          id.perturbation_seed = experiment.conditions[c].random() ? experiment.perturbation_seed : 0;
          id.audio = audio_settings;
          id.precision = experiment.precision;
          cell.key = id.key();
          if (c == 0) clean_key = cell.key;
          cell.trained_by = model.weights.empty() ? clean_key : "";
          cells.push_back(std::move(cell));
        }
      }
    }
  }
  return cells;
}

}  // namespace tagbench
