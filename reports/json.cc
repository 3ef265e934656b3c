#include "reports/formats.h"
#include "reports/json_tables.h"

namespace tagbench {
namespace {

Json value_json(const TableValue& value) {
  Json json{{"mean", json_number(value.mean)},
            {"deviation", json_number(value.deviation)},
            {"low", json_number(value.low)},
            {"high", json_number(value.high)},
            {"n", value.n},
            {"best", value.best}};
  if (!value.mean) json["reason"] = value.reason;
  return json;
}

Json optional_numbers(const std::vector<std::optional<double>>& values) {
  Json list = Json::array();
  for (const std::optional<double>& value : values) list.push_back(json_number(value));
  return list;
}

Json values_json(const std::vector<TableValue>& values) {
  Json list = Json::array();
  for (const TableValue& value : values) list.push_back(value_json(value));
  return list;
}

Json robustness_json(const RobustnessFigures& figures) {
  if (figures.drops.empty()) return nullptr;
  return Json{{"drops", values_json(figures.drops)},
              {"ranks", optional_numbers(figures.ranks)},
              {"rank_changes", optional_numbers(figures.rank_changes)},
              {"perturbed_mean", value_json(figures.perturbed_mean)},
              {"relative_robustness", value_json(figures.relative_robustness)},
              {"corruption_error", value_json(figures.corruption_error)},
              {"relative_corruption_error", value_json(figures.relative_corruption_error)},
              {"severity_areas", values_json(figures.severity_areas)}};
}

// `Item` is a LineComparison or a TagComparison.
template <typename Item>
Json comparison_json(const ResultTable& table, const Item& item) {
  return Json{{"a", table.lines[item.a].model_label},
              {"b", table.lines[item.b].model_label},
              {"difference", json_number(item.difference)},
              {"low", json_number(item.low)},
              {"high", json_number(item.high)},
              {"p_value", json_number(item.p_value)},
              {"p_adjusted", json_number(item.p_adjusted)},
              {"reason", item.reason}};
}

}  // namespace

Json table_to_json(const ResultTable& table) {
  Json json{{"metric", table.metric},
            {"dataset", table.dataset},
            {"task", table.task},
            {"split", table.split},
            {"split_sha256", table.split_sha256},
            {"tracks", table.tracks.empty() ? "all" : table.tracks},
            {"splits", Json::array()},
            {"seeds", table.seeds},
            {"protocol", table.protocol},
            {"protocol_sha256", table.protocol_sha256},
            {"precision", table.precision},
            {"audio", table.audio},
            {"conformance", table.conformance},
            {"resamples", table.resamples},
            {"conditions", table.conditions},
            {"tags_shown", table.tags_shown},
            {"reference", table.reference},
            {"chance", table.chance},
            {"ladders", table.ladders},
            {"lines", Json::array()},
            {"comparisons", Json::array()},
            {"tag_estimates", Json::array()},
            {"tag_comparisons", Json::array()},
            {"oracle", Json::array()},
            {"notes", table.notes}};
  for (const auto& [name, sha256] : table.splits) json["splits"].push_back({{"name", name}, {"sha256", sha256}});
  for (const ResultTable::Line& line : table.lines) {
    Json values = Json::array();
    for (size_t c = 0; c < table.conditions.size(); ++c) {
      Json value{{"condition", table.conditions[c]}};
      value.update(value_json(line.values[c]));
      values.push_back(std::move(value));
    }
    json["lines"].push_back({{"architecture", line.model_label},
                             {"values", std::move(values)},
                             {"mean_drop", value_json(line.mean_drop)},
                             {"parameters", line.parameters > 0 ? Json(line.parameters) : Json(nullptr)},
                             {"clips_per_s", json_number(line.clips_per_s)},
                             {"clips_per_s_spread", json_number(line.clips_per_s_spread)},
                             {"latency_p50_ms", json_number(line.latency_p50_ms)},
                             {"throughput_note", line.throughput_note},
                             {"n_failed", line.n_failed},
                             {"n_tracks_left_out", line.n_tracks_left_out},
                             {"robustness", robustness_json(line.robustness)},
                             {"keys", line.keys}});
  }
  for (const LineComparison& item : table.comparisons) {
    Json entry = comparison_json(table, item);
    entry["condition"] = item.condition;
    entry["seed_error"] = json_number(item.seed_error);
    json["comparisons"].push_back(std::move(entry));
  }
  for (const TagEstimate& item : table.tag_estimates) {
    json["tag_estimates"].push_back({{"architecture", table.lines[item.line].model_label},
                                     {"tag", item.tag},
                                     {"roc_auc", json_number(item.roc_auc)},
                                     {"low", json_number(item.low)},
                                     {"high", json_number(item.high)},
                                     {"reason", item.reason}});
  }
  for (const TagComparison& item : table.tag_comparisons) {
    Json entry = comparison_json(table, item);
    entry["tag"] = item.tag;
    json["tag_comparisons"].push_back(std::move(entry));
  }
  for (const OracleLine& line : table.oracle) {
    json["oracle"].push_back({{"architecture", line.model_label},
                              {"change", line.change},
                              {"engine", line.engine},
                              {"true_loss", value_json(line.true_loss)},
                              {"processed_loss", value_json(line.processed_loss)},
                              {"artefact", value_json(line.artefact)}});
  }
  return json;
}

std::string write_json_report(const RunStore& run, const std::vector<ResultTable>& tables) {
  Json json{{"schema_version", kRowSchemaVersion},
            {"run", run.has_run_json() ? run.read_run_json() : Json(nullptr)},
            {"tables", Json::array()},
            {"throughput", Json::array()},
            {"rows", Json::array()}};
  for (const ResultTable& table : tables) json["tables"].push_back(table_to_json(table));
  for (const ThroughputRow& row : run.throughput()) json["throughput"].push_back(row.to_json());
  for (const Row& row : run.rows()) {
    Json entry = row.to_json();
    entry["seconds"] = json_number(row.seconds);
    json["rows"].push_back(std::move(entry));
  }
  return json.dump(1) + "\n";
}

}  // namespace tagbench
