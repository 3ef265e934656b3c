#include "harness/core/csv.h"

#include "harness/core/text.h"
#include "reports/formats.h"

namespace tagbench {
namespace {

std::string number_text(const std::optional<double>& value) {
  return value ? format_real(*value) : "";
}

}  // namespace

std::string write_csv(const RunStore& run, const std::vector<ResultTable>& /*tables*/) {
  std::string text = csv_line({"key",
                               "dataset",
                               "task",
                               "split",
                               "split_sha256",
                               "protocol",
                               "protocol_sha256",
                               "architecture",
                               "model",
                               "model_options",
                               "weights_sha256",
                               "seed",
                               "condition",
                               "condition_key",
                               "perturbation_seed",
                               "precision",
                               "audio",
                               "conformance",
                               "status",
                               "tracks",
                               "n_tracks",
                               "n_short_tracks",
                               "n_left_out",
                               "parameters",
                               "seconds",
                               "metric",
                               "tag",
                               "value",
                               "reason",
                               "n_positive",
                               "n_known"}) +
                     "\n";
  for (const Row& row : run.rows()) {
    const CellId& cell = row.cell;
    const std::string prefix =
        csv_line({cell.key(),
                  cell.dataset,
                  cell.task,
                  cell.split,
                  cell.split_sha256,
                  cell.protocol,
                  cell.protocol_sha256,
                  row.model_label,
                  cell.model,
                  cell.model_options,
                  cell.weights_sha256,
                  std::to_string(cell.seed),
                  cell.condition,
                  cell.condition_key,
                  std::to_string(cell.perturbation_seed),
                  cell.precision,
                  cell.audio,
                  std::to_string(cell.conformance),
                  row.status,
                  row.tracks.empty() ? "all" : row.tracks,
                  std::to_string(row.n_tracks),
                  row.n_short_tracks == Row::kNotCounted ? "" : std::to_string(row.n_short_tracks),
                  std::to_string(row.failures.size()),
                  std::to_string(row.parameters),
                  number_text(row.seconds)}) +
        ",";
    const auto add = [&](const std::string& metric, const std::string& tag, const MetricValue& value,
                         const std::string& n_positive, const std::string& n_known) {
      text += prefix + csv_line({metric, tag, number_text(value.value), value.reason, n_positive, n_known}) + "\n";
    };
    for (const std::string& metric : metric_names()) add(metric, "", metric_of(row, metric), "", "");
    if (!row.metrics) continue;
    for (size_t t = 0; t < row.tags.size(); ++t) {
      const TagMetrics& tag = row.metrics->per_tag[t];
      const std::string n_positive = std::to_string(tag.n_positive);
      const std::string n_known = std::to_string(tag.n_known);
      add("roc_auc", row.tags[t], tag.roc_auc, n_positive, n_known);
      add("average_precision", row.tags[t], tag.average_precision, n_positive, n_known);
    }
  }
  return text;
}

}  // namespace tagbench
