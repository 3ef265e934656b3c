#include "harness/run/experiment.h"

#include <algorithm>
#include <cstdlib>

#include "harness/core/errors.h"
#include "harness/core/hash.h"
#include "harness/core/json.h"
#include "harness/core/parallel.h"
#include "harness/core/text.h"
#include "harness/nn/model_file.h"
#include "harness/run/architectures.h"

namespace tagbench {
namespace {

std::vector<std::string> text_list(const ConfigNode& node) {
  if (node.is_scalar()) return {node.text()};
  std::vector<std::string> values;
  for (const ConfigNode& item : node.items()) values.push_back(item.text());
  return values;
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

// A model file of our own tells its architecture and options: what is not given is taken from there, and what
// contradicts it is an error. Returns whether it names its tags.
bool take_from_model_file(const ConfigNode& node, Spec& spec) {
  const auto given = std::find_if(spec.options.begin(), spec.options.end(),
                                  [](const auto& option) { return option.first == "weights"; });
  if (given == spec.options.end()) return false;
  const std::string path = given->second;
  if (!std::filesystem::exists(path)) {
    throw DataError(node.where() + ": weights of " + (spec.name.empty() ? "a model" : spec.name) + ": " + path +
                    " does not exist");
  }
  const auto info = model_file_info(read_state_dict(path), path);
  if (!info || info->model.empty()) {
    if (spec.name.empty()) {
      throw UsageError(node.where() + ": " + path +
                       " does not tell its architecture: give its name (--model NAME; name: NAME in a file)");
    }
    return false;
  }
  spec = completed_by_file(spec, *info, path);
  return !info->tags.empty();
}

ModelRequest parse_model(const ConfigNode& node) {
  ModelRequest request;
  std::string label;
  Spec spec;
  if (node.is_scalar()) {
    spec = parse_architecture(node.text());
  } else {
    if (node.has("name")) {
      spec.name = node["name"].text();
    } else if (!node.has("weights")) {
      node.fail("name is required");
    }
    for (const auto& [key, value] : node.entries()) {
      if (key == "name") continue;
      if (key == "label") {
        label = value.text();
      } else {
        spec.options.emplace_back(key, value.text());
      }
    }
  }
  const bool file_names_tags = take_from_model_file(node, spec);
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
      throw DataError(node.where() + ": " + spec.name + ": " + request.weights.string() + " does not exist");
    }
    request.weights_sha256 = sha256_file_hex(request.weights);
    request.names_tags = request.is_script() ? !request.options().text("tags").empty() : file_names_tags;
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

uint64_t gibibytes(const ConfigNode& node) {
  const double gib = node.real();
  if (gib <= 0 || gib > 1e6) node.fail("must be above 0 and at most 1000000");
  return static_cast<uint64_t>(gib * 1073741824.0);
}

PcmCacheOptions parse_cache(const ConfigNode& node) {
  PcmCacheOptions cache;
  cache.directory = default_cache_directory();
  if (!node.defined()) return cache;
  node.require_known_keys({"directory", "max_gib", "rendered_max_gib", "round_to_16_bits", "resample_quality"});
  if (node.has("directory")) cache.directory = node["directory"].text() == "none" ? "" : node["directory"].text();
  if (node.has("max_gib")) cache.max_bytes = gibibytes(node["max_gib"]);
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

int bounded_integer(const ConfigNode& config, const std::string& key, int64_t lowest, int64_t highest, int otherwise,
                    const std::string& lowest_text) {
  if (!config.has(key)) return otherwise;
  const int64_t value = config[key].integer();
  if (value < lowest || value > highest)
    config[key].fail("must be from " + lowest_text + " to " + std::to_string(highest));
  return static_cast<int>(value);
}

// Two entries that are one and the same would share cells, and one would vanish from the table.
void require_different(const ConfigNode& node, const std::vector<ModelRequest>& models) {
  std::vector<std::pair<std::string, std::string>> seen;  // settings, label
  for (const ModelRequest& model : models) {
    const std::string settings =
        model.entry->name + "\n" + model.options().canonical_text() + "\n" + model.weights_sha256;
    for (const auto& [other, label] : seen) {
      if (label == model.label) node.fail("two entries are called '" + label + "'; give each a label");
      if (other == settings)
        node.fail("the entries '" + label + "' and '" + model.label + "' are the same network; leave one away");
    }
    seen.emplace_back(settings, model.label);
  }
}

// The experiment with every default filled in, a key to a line; values in YAML's flow style. It can be run again.
std::string resolved_text(const Experiment& experiment, const ConfigNode& config) {
  Json all;
  all["name"] = experiment.name;
  all["splits"] = experiment.splits;
  for (const ModelRequest& model : experiment.models) {
    Json entry = {{"name", model.entry->name}, {"label", model.label}};
    const Options options = model.options();
    for (const auto& [key, value] : options.canonical()) {
      if (!value.empty()) entry[key] = value;
    }
    if (!model.weights.empty() && !model.is_script()) entry["weights"] = model.weights.string();
    all["models"].push_back(entry);
  }
  all["protocol"] = experiment.protocol.to_json();
  all["seeds"] = experiment.seeds;
  for (const Condition& condition : experiment.conditions) all["perturbations"].push_back(condition.label());
  all["perturbation_seed"] = experiment.perturbation_seed;
  all["device"] = experiment.device;
  all["threads"] = experiment.threads;
  all["precision"] = experiment.precision;
  const PcmCacheOptions& cache = experiment.cache;
  all["cache"] = {{"directory", cache.directory.empty() ? "none" : cache.directory.string()},
                  {"max_gib", static_cast<double>(cache.max_bytes) / 1073741824.0},
                  {"round_to_16_bits", cache.decode.round_to_16_bits},
                  {"resample_quality", resample_quality_name(cache.quality)}};
  if (!experiment.rendered_cache.directory.empty())
    all["cache"]["rendered_max_gib"] = static_cast<double>(experiment.rendered_cache.max_bytes) / 1073741824.0;
  all["strict"] = experiment.strict;
  all["throughput"] = experiment.throughput;
  all["output"] = experiment.output.string();
  all["resamples"] = experiment.resamples;
  ConfigNode resolved = ConfigNode::parse(config.dump(), "resolved experiment");
  for (const auto& [key, value] : all.items()) resolved.set(key, value.dump(), "resolved experiment");
  return resolved.dump();
}

// By choice: perturbed audio is as large as the clean, once per condition.
PcmCacheOptions parse_rendered_cache(const ConfigNode& node, const PcmCacheOptions& cache) {
  PcmCacheOptions rendered;
  if (!node.defined() || !node.has("rendered_max_gib")) return rendered;
  if (cache.directory.empty()) node["rendered_max_gib"].fail("needs a directory; cache.directory is none");
  rendered.directory = cache.directory / "rendered";
  rendered.max_bytes = gibibytes(node["rendered_max_gib"]);
  return rendered;
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
  experiment.threads = bounded_integer(config, "threads", 0, 4096, 0, "0 (all processors)");
  if (experiment.threads == 0) experiment.threads = available_processors();
  if (config.has("strict")) experiment.strict = config["strict"].flag();
  if (config.has("throughput")) experiment.throughput = config["throughput"].flag();
  if (config.has("perturbation_seed")) experiment.perturbation_seed = config["perturbation_seed"].integer();
  experiment.resamples = bounded_integer(config, "resamples", 0, 1000000, experiment.resamples, "0 (no intervals)");
  experiment.output = config.has("output") ? config["output"].text() : "runs/" + experiment.name;
  experiment.cache = parse_cache(config["cache"]);
  experiment.rendered_cache = parse_rendered_cache(config["cache"], experiment.cache);
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
  require_different(models, experiment.models);

  experiment.dataset = parse_dataset(config["dataset"]);
  require_sound(experiment.dataset, "experiment");
  for (const Condition& condition : experiment.conditions) {
    if (condition.needs_score() && !experiment.dataset.play) {
      config["perturbations"].fail(condition.label() + " plays the score of each track anew; the tracks of " +
                                   experiment.dataset.name + " have none, only those of synth do");
    }
  }
  experiment.splits = parse_splits(config["splits"], experiment.dataset);
  experiment.resolved = resolved_text(experiment, config);
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
