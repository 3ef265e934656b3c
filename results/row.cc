#include "results/row.h"

#include <algorithm>
#include <limits>
#include <set>
#include <stdexcept>
#include <utility>

#include "harness/core/errors.h"
#include "harness/core/hash.h"
#include "harness/core/options.h"
#include "harness/core/text.h"
#include "results/json_fields.h"

namespace tagbench {
namespace {

constexpr const char* kRemedy = "the row is damaged or was edited: delete its cell's folder and run again";

// One text for all null values of an object; the reasons seldom differ.
std::string joined_reasons(const std::vector<const MetricValue*>& values) {
  std::vector<std::string> reasons;
  for (const MetricValue* value : values) {
    if (!value->value && std::find(reasons.begin(), reasons.end(), value->reason) == reasons.end())
      reasons.push_back(value->reason);
  }
  return join_text(reasons, "; ");
}

Json averaged_json(const AveragedMetrics& metrics) {
  Json json{{"roc_auc", json_number(metrics.roc_auc.value)},
            {"average_precision", json_number(metrics.average_precision.value)}};
  const std::string reason = joined_reasons({&metrics.roc_auc, &metrics.average_precision});
  if (!reason.empty()) json["reason"] = reason;
  return json;
}

AveragedMetrics averaged_from(const JsonFields& fields) {
  return {fields.metric("roc_auc"), fields.metric("average_precision")};
}

// A single value whose reason stands in the shared object "reasons".
MetricValue single_from(const JsonFields& fields, const std::string& name) {
  MetricValue metric;
  metric.value = fields.optional_real(name);
  if (!metric.value) metric.reason = fields.object("reasons").text(name);
  return metric;
}

TaggingMetrics metrics_from(const JsonFields& fields, const std::vector<std::string>& tags) {
  TaggingMetrics metrics;
  metrics.n_tracks = fields.count("n_tracks");
  metrics.n_tags = fields.count("n_tags");
  if (metrics.n_tags != static_cast<int64_t>(tags.size())) {
    fields.fail("n_tags", "must be " + std::to_string(tags.size()) + " as 'tags' has names, found " +
                              std::to_string(metrics.n_tags));
  }
  metrics.macro = averaged_from(fields.object("macro"));
  metrics.micro = averaged_from(fields.object("micro"));
  metrics.weighted = averaged_from(fields.object("weighted"));
  metrics.log_loss = single_from(fields, "log_loss");
  metrics.accuracy = single_from(fields, "accuracy");
  const size_t n_listed = fields.array("per_tag").size();
  if (n_listed != tags.size()) {
    fields.fail("per_tag", "must have " + std::to_string(tags.size()) + " entries as 'tags' has names, found " +
                               std::to_string(n_listed));
  }
  for (size_t i = 0; i < n_listed; ++i) {
    const JsonFields entry = fields.element("per_tag", i);
    if (entry.text("tag") != tags[i])
      entry.fail("tag", "must be '" + tags[i] + "' as in 'tags', found '" + entry.text("tag") + "'");
    TagMetrics tag;
    tag.n_positive = entry.count("n_positive");
    tag.n_known = entry.count("n_known");
    if (tag.n_positive > tag.n_known) entry.fail("n_positive", "must not be larger than 'n_known'");
    tag.roc_auc = entry.metric("roc_auc");
    tag.average_precision = entry.metric("average_precision");
    metrics.per_tag.push_back(tag);
  }
  for (const std::string& name : fields.texts("undefined_tags")) {
    const auto found = std::find(tags.begin(), tags.end(), name);
    if (found == tags.end()) fields.fail("undefined_tags", "must hold names of 'tags', found '" + name + "'");
    metrics.undefined_tags.push_back(found - tags.begin());
  }
  return metrics;
}

struct MetricEntry {
  const char* name;
  const char* title;
  const char* definition;
  const MetricValue& (*get)(const TaggingMetrics&);
};

const std::vector<MetricEntry>& metric_entries() {
  static const std::vector<MetricEntry> entries = {
      {"roc_auc", "ROC-AUC (macro)",
       "Of a tag: pairs with the positive above the negative, plus half the tied pairs, over all pairs. Of all: the "
       "unweighted mean over the tags for which it is defined; the others are listed",
       [](const TaggingMetrics& m) -> const MetricValue& { return m.macro.roc_auc; }},
      {"average_precision", "PR-AUC (macro average precision)",
       "Of a tag: the sum over distinct scores of recall step times precision, without interpolation. Of all: the "
       "unweighted mean over the tags for which it is defined",
       [](const TaggingMetrics& m) -> const MetricValue& { return m.macro.average_precision; }},
      {"roc_auc_micro", "ROC-AUC (micro)", "ROC-AUC of all known (track, tag) pairs as one list",
       [](const TaggingMetrics& m) -> const MetricValue& { return m.micro.roc_auc; }},
      {"average_precision_micro", "PR-AUC (micro average precision)",
       "Average precision of all known (track, tag) pairs as one list",
       [](const TaggingMetrics& m) -> const MetricValue& { return m.micro.average_precision; }},
      {"roc_auc_weighted", "ROC-AUC (weighted)", "Mean over tags, weighted by their numbers of positives",
       [](const TaggingMetrics& m) -> const MetricValue& { return m.weighted.roc_auc; }},
      {"average_precision_weighted", "PR-AUC (weighted average precision)",
       "Mean over tags, weighted by their numbers of positives",
       [](const TaggingMetrics& m) -> const MetricValue& { return m.weighted.average_precision; }},
      {"accuracy", "accuracy",
       "Multiclass only: share of tracks whose highest score (the first of equals) is the labelled tag's",
       [](const TaggingMetrics& m) -> const MetricValue& { return m.accuracy; }},
      {"log_loss", "log loss", "Mean binary cross-entropy over known labels; smaller is better",
       [](const TaggingMetrics& m) -> const MetricValue& { return m.log_loss; }}};
  return entries;
}

const MetricEntry& find_metric(const std::string& name) {
  return find_registered(metric_entries(), name, "metric",
                         [](const MetricEntry& entry) { return std::string(entry.name); });
}

}  // namespace

Json CellId::to_json() const {
  return Json{{"dataset", dataset},
              {"task", task},
              {"split", split},
              {"split_sha256", split_sha256},
              {"model", model},
              {"model_options", model_options},
              {"weights_sha256", weights_sha256},
              {"protocol", protocol},
              {"protocol_sha256", protocol_sha256},
              {"seed", seed},
              {"condition", condition},
              {"condition_key", condition_key},
              {"perturbation_seed", perturbation_seed},
              {"audio", audio},
              {"precision", precision},
              {"conformance", conformance}};
}

CellId CellId::from_json(const Json& json, const std::string& source) {
  const JsonFields fields(json, source, "cell", kRemedy);
  CellId cell;
  cell.dataset = fields.text("dataset");
  cell.task = fields.text("task");
  cell.split = fields.text("split");
  cell.split_sha256 = fields.text("split_sha256");
  cell.model = fields.text("model");
  cell.model_options = fields.text("model_options");
  cell.weights_sha256 = fields.text("weights_sha256");
  cell.protocol = fields.text("protocol");
  cell.protocol_sha256 = fields.text("protocol_sha256");
  cell.seed = fields.integer("seed");
  cell.condition = fields.text("condition");
  cell.condition_key = fields.text("condition_key");
  cell.perturbation_seed = fields.integer("perturbation_seed");
  cell.audio = fields.text("audio");
  cell.precision = fields.text("precision");
  cell.conformance = static_cast<int>(std::min<int64_t>(fields.count("conformance"), INT32_MAX));
  return cell;
}

std::string CellId::key() const {
  Json cell = to_json();
  // The label is one spelling of condition_key among several ("rate=2^0.5", "rate=1.4142135623730951").
  cell.erase("condition");
  const Json json{{"schema_version", kRowSchemaVersion}, {"cell", cell}};
  return sha256_hex(canonical_json(json)).substr(0, 32);
}

Json metrics_to_json(const TaggingMetrics& metrics, const std::vector<std::string>& tags) {
  if (tags.size() != metrics.per_tag.size())
    throw std::logic_error("metrics_to_json: as many names as tags are needed");
  Json json{{"n_tracks", metrics.n_tracks},
            {"n_tags", metrics.n_tags},
            {"macro", averaged_json(metrics.macro)},
            {"micro", averaged_json(metrics.micro)},
            {"weighted", averaged_json(metrics.weighted)},
            {"log_loss", json_number(metrics.log_loss.value)},
            {"accuracy", json_number(metrics.accuracy.value)}};
  Json reasons = Json::object();
  if (!metrics.log_loss.value) reasons["log_loss"] = metrics.log_loss.reason;
  if (!metrics.accuracy.value) reasons["accuracy"] = metrics.accuracy.reason;
  if (!reasons.empty()) json["reasons"] = reasons;
  json["per_tag"] = Json::array();
  for (size_t i = 0; i < tags.size(); ++i) {
    const TagMetrics& tag = metrics.per_tag[i];
    Json entry{{"tag", tags[i]},
               {"n_positive", tag.n_positive},
               {"n_known", tag.n_known},
               {"roc_auc", json_number(tag.roc_auc.value)},
               {"average_precision", json_number(tag.average_precision.value)}};
    const std::string reason = joined_reasons({&tag.roc_auc, &tag.average_precision});
    if (!reason.empty()) entry["reason"] = reason;
    json["per_tag"].push_back(std::move(entry));
  }
  json["undefined_tags"] = Json::array();
  for (const int64_t tag : metrics.undefined_tags) json["undefined_tags"].push_back(tags.at(static_cast<size_t>(tag)));
  return json;
}

Json Row::to_json() const {
  Json json{{"schema_version", kRowSchemaVersion},
            {"key", cell.key()},
            {"status", status},
            {"message", message},
            {"model_label", model_label},
            {"cell", cell.to_json()},
            {"n_tracks", n_tracks},
            {"n_short_tracks", n_short_tracks == kNotCounted ? Json(nullptr) : Json(n_short_tracks)},
            {"parameters", parameters},
            {"multiply_adds", multiply_adds},
            {"input_samples", input_samples},
            {"sample_rate_hz", sample_rate_hz},
            {"trained_by", trained_by},
            {"tags", tags},
            {"metrics", metrics ? metrics_to_json(*metrics, tags) : Json(nullptr)}};
  if (!tracks.empty()) json["tracks"] = tracks;
  json["failures"] = Json::array();
  for (const TrackFailure& failure : failures)
    json["failures"].push_back({{"id", failure.id}, {"message", failure.message}});
  json["reached"] = Json::object();
  for (const auto& [name, summary] : reached) {
    json["reached"][name] = {{"n", summary.n},
                             {"mean", json_number(summary.mean)},
                             {"minimum", json_number(summary.minimum)},
                             {"maximum", json_number(summary.maximum)}};
  }
  json["software"] = software;
  return json;
}

Row Row::from_json(const Json& json, const std::string& source) {
  const JsonFields fields(json, source, "", kRemedy);
  const int64_t version = fields.integer("schema_version");
  if (version != kRowSchemaVersion) {
    throw DataError(source + ": rows of schema version " + std::to_string(kRowSchemaVersion) +
                    " are read here, found version " + std::to_string(version) +
                    (version > kRowSchemaVersion ? "; use the newer tagbench that wrote it"
                                                 : "; run the experiment again with this tagbench"));
  }
  Row row;
  row.cell = CellId::from_json(fields.at("cell"), source);
  if (fields.text("key") != row.cell.key()) {
    fields.fail("key", "must be " + row.cell.key() + " as follows from 'cell', found " + fields.text("key"));
  }
  row.status = fields.text("status");
  if (row.status != "done" && row.status != "failed")
    fields.fail("status", "must be done or failed, found '" + row.status + "'");
  row.message = fields.text("message");
  row.model_label = fields.text("model_label");
  row.n_tracks = fields.count("n_tracks");
  row.n_short_tracks = fields.count("n_short_tracks");
  row.parameters = fields.count("parameters");
  row.multiply_adds = fields.count("multiply_adds");
  row.input_samples = fields.count("input_samples");
  row.sample_rate_hz = static_cast<int>(std::min<int64_t>(fields.count("sample_rate_hz"), INT32_MAX));
  row.trained_by = fields.text("trained_by");
  row.tags = fields.texts("tags");
  std::set<std::string> seen;
  for (const std::string& tag : row.tags) {
    if (!seen.insert(tag).second) fields.fail("tags", "must hold every name once, found '" + tag + "' twice");
  }
  if (!fields.at("metrics").is_null()) {
    row.metrics = metrics_from(fields.object("metrics"), row.tags);
    if (row.metrics->n_tracks != row.n_tracks) fields.fail("metrics.n_tracks", "must equal 'n_tracks'");
  }
  if (row.status == "done" && !row.metrics) fields.fail("metrics", "must not be null in a row that is done");
  if (row.status == "failed" && row.message.empty())
    fields.fail("message", "must say why the cell failed, found empty text");
  const size_t n_failures = fields.array("failures").size();
  for (size_t i = 0; i < n_failures; ++i) {
    const JsonFields failure = fields.element("failures", i);
    row.failures.push_back({failure.text("id"), failure.text("message")});
  }
  const JsonFields reached = fields.object("reached");
  for (const auto& [name, value] : fields.at("reached").items()) {
    const JsonFields summary = reached.object(name);
    constexpr double kUnbounded =
        std::numeric_limits<double>::quiet_NaN();  // an SNR without noise, say: null in the file
    row.reached[name] = {summary.count("n"), summary.optional_real("mean").value_or(kUnbounded),
                         summary.optional_real("minimum").value_or(kUnbounded),
                         summary.optional_real("maximum").value_or(kUnbounded)};
  }
  row.software = fields.at("software");
  return row;
}

const std::vector<std::string>& metric_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const MetricEntry& entry : metric_entries()) list.emplace_back(entry.name);
    return list;
  }();
  return names;
}

std::string metric_title(const std::string& name) {
  return find_metric(name).title;
}

std::string metric_definition(const std::string& name) {
  return find_metric(name).definition;
}

bool smaller_is_better(const std::string& metric) {
  return metric == "log_loss";
}

const MetricValue& metric_of(const TaggingMetrics& metrics, const std::string& name) {
  return find_metric(name).get(metrics);
}

MetricValue metric_of(const Row& row, const std::string& name) {
  if (row.metrics) return metric_of(*row.metrics, name);
  return {std::nullopt, row.message.empty() ? "no metrics were computed" : "failed: " + row.message};
}

}  // namespace tagbench
