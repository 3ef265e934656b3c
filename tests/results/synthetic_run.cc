#include "tests/results/synthetic_run.h"

#include <cmath>

#include "harness/core/hash.h"
#include "harness/core/rng.h"

namespace tagbench::testing {

SyntheticScores synthetic_scores(const SyntheticCell& cell) {
  SyntheticScores made;
  Row& row = made.row;
  row.cell.dataset = "synth";
  row.cell.task = cell.task;
  row.cell.split = cell.split;
  row.cell.split_sha256 = sha256_hex("split " + cell.split);
  row.cell.model = cell.model;
  row.cell.model_options = "n_channels=16";
  row.cell.protocol = "won2020";
  row.cell.protocol_sha256 = sha256_hex("won2020");
  row.cell.seed = cell.seed;
  row.cell.condition = cell.condition;
  row.cell.condition_key = cell.condition + "@1";
  row.cell.audio = "16000 Hz, 16-bit, best";
  row.cell.precision = "fp32";
  row.model_label = cell.model;
  row.parameters = 1000 + static_cast<int64_t>(cell.model.size());
  row.multiply_adds = 12345678;
  row.input_samples = 59049;
  row.sample_rate_hz = 16000;
  row.software = {{"tagbench", "0.1.0"}, {"threads", 2}};
  row.seconds = 1.5;
  const bool multiclass = cell.task == "multiclass";
  for (int64_t tag = 0; tag < cell.n_tags; ++tag) row.tags.push_back("tag" + std::to_string(tag));

  const std::string size = std::to_string(cell.n_tracks) + "x" + std::to_string(cell.n_tags);
  Rng label_rng(7, {"labels", cell.split, size});
  Rng score_rng(static_cast<uint64_t>(cell.seed), {"scores", cell.model, cell.condition, cell.split});
  std::vector<uint8_t> known;
  for (int64_t track = 0; track < cell.n_tracks; ++track) {
    made.track_ids.push_back(cell.split + "/track" + std::to_string(track) + ".wav");
    made.groups.push_back("artist" + std::to_string(track / 3));
    const int64_t labelled = label_rng.below(cell.n_tags);
    for (int64_t tag = 0; tag < cell.n_tags; ++tag) {
      const bool positive = multiclass ? tag == labelled : label_rng.uniform() < 0.4;
      const bool is_known = label_rng.uniform() >= cell.unknown_share;
      made.labels.push_back(!is_known ? kMissingLabel : static_cast<uint8_t>(positive ? 1 : 0));
      known.push_back(is_known ? 1 : 0);
      const double logit = cell.skill * (positive ? 1.0 : -1.0) + score_rng.normal();
      made.scores.push_back(static_cast<float>(1.0 / (1.0 + std::exp(-logit))));
    }
  }
  std::vector<uint8_t> values = made.labels;
  for (uint8_t& value : values) value = value == 1 ? 1 : 0;
  row.n_tracks = cell.n_tracks;
  row.metrics = compute_metrics({cell.n_tracks, cell.n_tags, values.data(), known.data()},
                                {cell.n_tracks, cell.n_tags, made.scores.data(), nullptr}, multiclass);
  return made;
}

Row add_cell(const RunStore& run, const SyntheticScores& cell) {
  run.finish_cell(cell.row, cell.track_ids, cell.groups, cell.labels, cell.scores);
  return cell.row;
}

Row add_cell(const RunStore& run, const SyntheticCell& cell) {
  return add_cell(run, synthetic_scores(cell));
}

Row add_failed_cell(const RunStore& run, const SyntheticCell& cell, const std::string& message) {
  Row row = synthetic_scores(cell).row;
  row.status = "failed";
  row.message = message;
  row.metrics.reset();
  row.n_tracks = 0;
  run.finish_cell(row, {}, {}, {}, {});
  return row;
}

void write_run_order(const RunStore& run, const std::vector<std::string>& models,
                     const std::vector<std::string>& conditions) {
  run.write_run_json({{"schema_version", 1}, {"status", "finished"}, {"models", models}, {"conditions", conditions}});
}

}  // namespace tagbench::testing
