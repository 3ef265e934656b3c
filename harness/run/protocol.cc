#include "harness/run/protocol.h"

#include <algorithm>
#include <filesystem>

#include "harness/core/errors.h"
#include "harness/core/hash.h"
#include "harness/core/options.h"
#include "harness/core/text.h"
#include "harness/run/builtin_protocols.h"

namespace tagbench {
namespace {

const std::vector<std::string> kProtocolKeys = {"name",
                                                "source",
                                                "loss",
                                                "epochs",
                                                "batch_size",
                                                "stages",
                                                "validation_chunks",
                                                "selection",
                                                "selection_start",
                                                "evaluation_chunks",
                                                "short_tracks"};
const std::vector<std::string> kStageKeys = {"from_epoch",  "optimizer",      "learning_rate", "betas",
                                             "eps",         "momentum",       "nesterov",      "weight_decay",
                                             "reload_best", "fresh_optimizer"};

int positive(const ConfigNode& node, int64_t maximum) {
  const int64_t value = node.integer();
  if (value < 1 || value > maximum) node.fail("must be from 1 to " + std::to_string(maximum) + ", got " + node.text());
  return static_cast<int>(value);
}

double non_negative(const ConfigNode& node) {
  const double value = node.real();
  if (value < 0) node.fail("must not be negative, got " + node.text());
  return value;
}

std::string one_of(const ConfigNode& node, const std::vector<std::string>& known) {
  std::string value = node.text();
  if (std::find(known.begin(), known.end(), value) == known.end())
    node.fail("unknown value '" + value + "'; " + suggestion(value, known));
  return value;
}

// A stage inherits what it does not name from the stage before it.
TrainingStage parse_stage(const ConfigNode& node, const TrainingStage* previous) {
  node.require_known_keys(kStageKeys);
  TrainingStage stage = previous != nullptr ? *previous : TrainingStage();
  stage.reload_best = false;
  stage.fresh_optimizer = previous == nullptr || node.has("optimizer");
  if (previous != nullptr && !node.has("from_epoch")) node.fail("from_epoch is required");
  if (node.has("from_epoch")) stage.from_epoch = positive(node["from_epoch"], 1000000);
  if (node.has("optimizer")) stage.optimizer = one_of(node["optimizer"], {"adam", "sgd"});
  if (node.has("learning_rate")) stage.learning_rate = non_negative(node["learning_rate"]);
  if (node.has("betas")) {
    const auto betas = node["betas"].items();
    if (betas.size() != 2) node["betas"].fail("two numbers were expected");
    stage.beta1 = betas[0].real();
    stage.beta2 = betas[1].real();
    if (stage.beta1 < 0 || stage.beta1 >= 1 || stage.beta2 < 0 || stage.beta2 >= 1)
      node["betas"].fail("must be in [0, 1)");
  }
  if (node.has("eps")) stage.eps = non_negative(node["eps"]);
  if (node.has("momentum")) stage.momentum = non_negative(node["momentum"]);
  if (node.has("nesterov")) stage.nesterov = node["nesterov"].flag();
  if (node.has("weight_decay")) stage.weight_decay = non_negative(node["weight_decay"]);
  if (node.has("reload_best")) stage.reload_best = node["reload_best"].flag();
  if (node.has("fresh_optimizer")) stage.fresh_optimizer = node["fresh_optimizer"].flag();
  if (stage.nesterov && (stage.optimizer != "sgd" || stage.momentum <= 0))
    node.fail("nesterov needs optimizer sgd and a momentum above 0");
  if (previous != nullptr && !stage.fresh_optimizer && stage.optimizer != previous->optimizer) {
    node.fail("another optimizer than in the stage before cannot keep its state; leave fresh_optimizer out");
  }
  if (previous != nullptr && stage.from_epoch <= previous->from_epoch)
    node.fail("from_epoch must be above that of the stage before");
  return stage;
}

void apply(const ConfigNode& node, Protocol& protocol) {
  node.require_known_keys(kProtocolKeys);
  if (node.has("name")) protocol.name = node["name"].text();
  if (node.has("source")) protocol.source = node["source"].text();
  if (node.has("loss")) protocol.loss = one_of(node["loss"], {"binary_cross_entropy", "cross_entropy"});
  if (node.has("epochs")) protocol.epochs = positive(node["epochs"], 1000000);
  if (node.has("batch_size")) protocol.batch_size = positive(node["batch_size"], 65536);
  if (node.has("validation_chunks")) {
    const ConfigNode chunks = node["validation_chunks"];
    protocol.validation_chunks = chunks.text() == "batch_size" ? 0 : positive(chunks, 4096);
  }
  if (node.has("selection")) {
    protocol.selection = one_of(node["selection"], {"valid_loss", "valid_roc_auc", "valid_average_precision", "last"});
  }
  if (node.has("selection_start")) protocol.selection_start = node["selection_start"].real();
  if (node.has("evaluation_chunks")) protocol.evaluation_chunks = positive(node["evaluation_chunks"], 65536);
  if (node.has("short_tracks")) protocol.short_tracks = one_of(node["short_tracks"], {"repeat", "zero_pad"});
  if (node.has("stages")) {
    protocol.stages.clear();
    for (const ConfigNode& item : node["stages"].items()) {
      const TrainingStage* previous = protocol.stages.empty() ? nullptr : &protocol.stages.back();
      TrainingStage stage = parse_stage(item, previous);
      if (previous == nullptr && stage.from_epoch != 1) item.fail("the first stage begins with epoch 1");
      protocol.stages.push_back(stage);
    }
  }
}

void require_complete(const Protocol& protocol, const ConfigNode& node) {
  if (protocol.name.empty()) node.fail("a protocol needs a name");
  if (protocol.stages.empty()) node.fail("a protocol needs at least one entry in stages");
  const bool reloads =
      std::any_of(protocol.stages.begin(), protocol.stages.end(), [](const auto& s) { return s.reload_best; });
  if (reloads && protocol.selection == "last") node.fail("reload_best needs a selection other than last");
}

const BuiltinProtocol* find_builtin(const std::string& name) {
  for (const BuiltinProtocol& builtin : kBuiltinProtocols) {
    if (name == builtin.name) return &builtin;
  }
  return nullptr;
}

}  // namespace

std::vector<std::string> protocol_names() {
  std::vector<std::string> names;
  for (const BuiltinProtocol& builtin : kBuiltinProtocols) names.emplace_back(builtin.name);
  return names;
}

Protocol load_protocol(const std::string& name_or_path) {
  Protocol protocol;
  if (const BuiltinProtocol* builtin = find_builtin(name_or_path)) {
    const ConfigNode node = ConfigNode::parse(builtin->text, "protocol " + name_or_path);
    apply(node, protocol);
    require_complete(protocol, node);
    return protocol;
  }
  if (!ends_with(name_or_path, ".yaml") && !ends_with(name_or_path, ".yml")) {
    throw UsageError("unknown protocol '" + name_or_path + "'; " + suggestion(name_or_path, protocol_names()) +
                     "; or the path of a .yaml file");
  }
  const ConfigNode node = ConfigNode::load(name_or_path);
  apply(node, protocol);
  require_complete(protocol, node);
  return protocol;
}

Protocol load_protocol(const ConfigNode& node) {
  if (node.is_scalar()) return load_protocol(node.text());
  if (!node.is_map()) node.fail("a protocol's name, a path, or a map was expected");
  Protocol protocol;
  if (node.has("name")) {
    const std::string base = node["name"].text();
    if (find_builtin(base) != nullptr || ends_with(base, ".yaml") || ends_with(base, ".yml")) {
      protocol = load_protocol(base);
      const std::string name = protocol.name;
      apply(node, protocol);
      protocol.name = name;
      require_complete(protocol, node);
      return protocol;
    }
  }
  apply(node, protocol);
  require_complete(protocol, node);
  return protocol;
}

const TrainingStage& Protocol::stage_of(int epoch) const {
  const TrainingStage* current = &stages.front();
  for (const TrainingStage& stage : stages) {
    if (stage.from_epoch <= epoch) current = &stage;
  }
  return *current;
}

bool Protocol::begins_stage(int epoch) const {
  return std::any_of(stages.begin() + 1, stages.end(),
                     [&](const TrainingStage& stage) { return stage.from_epoch == epoch; });
}

Json Protocol::to_json() const {
  Json json;
  json["name"] = name;
  json["source"] = source;
  json["loss"] = loss;
  json["epochs"] = epochs;
  json["batch_size"] = batch_size;
  json["stages"] = Json::array();
  for (const TrainingStage& stage : stages) {
    Json item;
    item["from_epoch"] = stage.from_epoch;
    item["optimizer"] = stage.optimizer;
    item["learning_rate"] = stage.learning_rate;
    if (stage.optimizer == "adam") {
      item["betas"] = {stage.beta1, stage.beta2};
      item["eps"] = stage.eps;
    } else {
      item["momentum"] = stage.momentum;
      item["nesterov"] = stage.nesterov;
    }
    item["weight_decay"] = stage.weight_decay;
    item["reload_best"] = stage.reload_best;
    item["fresh_optimizer"] = stage.fresh_optimizer;
    json["stages"].push_back(item);
  }
  if (validation_chunks == 0) {
    json["validation_chunks"] = "batch_size";
  } else {
    json["validation_chunks"] = validation_chunks;
  }
  json["selection"] = selection;
  json["selection_start"] = selection_start;
  json["evaluation_chunks"] = evaluation_chunks;
  json["short_tracks"] = short_tracks;
  return json;
}

std::string Protocol::sha256() const {
  Json decisive = to_json();
  decisive.erase("source");
  return sha256_hex(canonical_json(decisive));
}

}  // namespace tagbench
