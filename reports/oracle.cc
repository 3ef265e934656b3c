#include "reports/oracle.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "harness/core/errors.h"
#include "harness/core/hash.h"
#include "harness/core/parallel.h"
#include "harness/core/text.h"
#include "harness/metrics/statistics.h"
#include "reports/line_replicates.h"

namespace tagbench {
namespace {

constexpr std::string_view kOracle = "oracle_";

// "pitch_shift/1:engine=rubberband_r2,semitones=1"; nothing for chains and other keys.
struct ConditionKey {
  std::string name;
  std::map<std::string, std::string> options;
};

std::optional<ConditionKey> parse_key(const std::string& key) {
  const size_t slash = key.find('/');
  const size_t colon = key.find(':', slash == std::string::npos ? 0 : slash);
  if (slash == std::string::npos || colon == std::string::npos || starts_with(key, "chain:")) return std::nullopt;
  ConditionKey parsed{key.substr(0, slash), {}};
  for (const std::string& option : split_text(std::string_view(key).substr(colon + 1), ',')) {
    const size_t equals = option.find('=');
    if (equals == std::string::npos) return std::nullopt;
    parsed.options[option.substr(0, equals)] = option.substr(equals + 1);
  }
  return parsed;
}

struct Pair {
  std::string oracle;  // condition keys
  std::string processed;
  std::string change;  // "pitch_shift semitones=1", as the oracle's label spells the value
  std::string engine;  // what only the processed condition says
};

std::vector<Pair> find_pairs(const std::vector<OracleInput>& systems) {
  std::vector<std::pair<std::string, std::string>> conditions;  // key, label
  std::set<std::string> seen;
  for (const OracleInput& system : systems) {
    for (const Row* row : system.cells) {
      if (seen.insert(row->cell.condition_key).second)
        conditions.emplace_back(row->cell.condition_key, row->cell.condition);
    }
  }
  std::vector<Pair> pairs;
  for (const auto& [oracle_key, oracle_label] : conditions) {
    const auto oracle = parse_key(oracle_key);
    if (!oracle || !starts_with(oracle->name, kOracle)) continue;
    for (const auto& entry : conditions) {
      const auto processed = parse_key(entry.first);
      if (!processed || processed->name != oracle->name.substr(kOracle.size())) continue;
      const bool same = std::all_of(oracle->options.begin(), oracle->options.end(), [&](const auto& option) {
        const auto found = processed->options.find(option.first);
        return found != processed->options.end() && found->second == option.second;
      });
      if (!same) continue;
      std::vector<std::string> rest;
      for (const auto& [name, value] : processed->options) {
        if (oracle->options.count(name) == 0) rest.push_back(name == "engine" ? value : name + "=" + value);
      }
      const size_t colon = oracle_label.find(':');
      const std::string setting = colon == std::string::npos ? oracle_label : oracle_label.substr(colon + 1);
      pairs.push_back({oracle_key, entry.first, processed->name + " " + setting, join_text(rest, ", ")});
    }
  }
  return pairs;
}

// Of one architecture, pair and split: what each seed's three cells hold.
using Triple = std::array<const Row*, 3>;  // clean, oracle, processed
using Triples = std::map<int64_t, Triple>;

struct FoundTriples {
  std::map<std::string, Triples> by_split;  // with all three cells done
  int64_t n_failed = 0;                     // left out, as a cell failed
  std::string reason = "not computed";      // of one that was left out
};

FoundTriples find_triples(const OracleInput& system, const Pair& pair) {
  std::map<std::string, Triples> all;
  for (const Row* row : system.cells) {
    const std::string& key = row->cell.condition_key;
    Triple& rows = all[row->cell.split][row->cell.seed];
    if (row->cell.condition == "clean") rows[0] = row;
    if (key == pair.oracle) rows[1] = row;
    if (key == pair.processed) rows[2] = row;
  }
  FoundTriples found;
  for (const auto& [split, triples] : all) {
    for (const auto& [seed, rows] : triples) {
      if (std::find(rows.begin(), rows.end(), nullptr) != rows.end()) continue;
      const auto failed = std::find_if(rows.begin(), rows.end(), [](const Row* row) { return !row->metrics; });
      if (failed == rows.end()) {
        found.by_split[split][seed] = rows;
      } else {
        ++found.n_failed;
        found.reason = (*failed)->message;
      }
    }
  }
  return found;
}

// The values of cells, with resamples where there are to be any.
class CellValues {
 public:
  CellValues(const RunStore& run, const std::vector<std::string>& metrics, const TagSelection& selection,
             const ReportOptions& options, int resamples)
      : run_(run), metrics_(metrics), selection_(selection), seed_(options.seed), resamples_(resamples) {}

  // [cell][metric], in the order of the triples' cells, on the tracks that all of them hold, so that they are paired.
  // `plan` stands for a split where nothing is resampled.
  std::vector<std::vector<Replicates>> get(const Triples& triples, uint64_t plan) {
    std::vector<const Row*> rows;
    for (const auto& [seed, triple] : triples) rows.insert(rows.end(), triple.begin(), triple.end());
    std::vector<std::vector<Replicates>> values;
    if (resamples_ == 0) {
      for (const Row* row : rows) values.push_back(estimates(*row, plan));
      return values;
    }
    std::vector<const ScoredTracks*> tracks;
    for (const Row* row : rows) tracks.push_back(&ids_and_groups(*row));
    const std::vector<std::string> common = common_track_ids(tracks);
    if (common.size() < 2) throw DataError("fewer than two tracks are in all cells");
    const std::vector<std::string> groups = select_tracks(*tracks.front(), common).groups;
    for (const Row* row : rows) values.push_back(resampled(*row, common, groups));
    return values;
  }

 private:
  // Of a cell's tracks; labels and scores are not kept.
  const ScoredTracks& ids_and_groups(const Row& row) {
    const std::string key = row.cell.key();
    const auto known = ids_.find(key);
    if (known != ids_.end()) return known->second;
    ScoredTracks tracks = scored_tracks(run_, row);
    ScoredTracks kept;
    kept.n_tracks = tracks.n_tracks;
    kept.track_ids = std::move(tracks.track_ids);
    kept.groups = std::move(tracks.groups);
    return ids_.emplace(key, std::move(kept)).first->second;
  }

  std::vector<Replicates> estimates(const Row& row, uint64_t plan) const {
    std::vector<Replicates> values;
    for (const std::string& metric : metrics_) {
      values.emplace_back();
      values.back().estimate = metric_of(row, metric);
      values.back().plan = plan;
    }
    return values;
  }

  // Resamples are drawn alike only for one grouping.
  const std::vector<Replicates>& resampled(const Row& row, const std::vector<std::string>& ids,
                                           const std::vector<std::string>& groups) {
    const auto key = std::make_pair(row.cell.key(), sha256_hex(join_text(ids, "\n") + "\n" + join_text(groups, "\n")));
    const auto known = replicates_.find(key);
    if (known != replicates_.end()) return known->second;
    ScoredTracks tracks = scored_tracks(run_, row);
    if (tracks.track_ids != ids) tracks = select_tracks(tracks, ids);
    tracks.groups = groups;
    const TaggingReplicates all = resample(tracks, row.cell.split + " " + row.cell.split_sha256,
                                           row.cell.task == "multiclass", resamples_, seed_, available_processors());
    std::vector<Replicates> of_metrics;
    for (const std::string& metric : metrics_) of_metrics.push_back(selection_.narrowed(all, metric, row.tags));
    return replicates_.emplace(key, std::move(of_metrics)).first->second;
  }

  const RunStore& run_;
  const std::vector<std::string>& metrics_;
  const TagSelection& selection_;
  uint64_t seed_;
  int resamples_;
  std::map<std::string, ScoredTracks> ids_;
  std::map<std::pair<std::string, std::string>, std::vector<Replicates>> replicates_;
};

// One of the three differences, over seeds and folds.
class Loss {
 public:
  // Of one split; from[i] and subtracted[i] are of one seed.
  void add(const std::vector<const Replicates*>& from, const std::vector<const Replicates*>& subtracted,
           const Triples& triples) {
    auto seed = triples.begin();
    for (size_t i = 0; i < from.size(); ++i, ++seed) {
      for (const Replicates* each : {from[i], subtracted[i]}) {
        if (!each->estimate.value && reason_.empty()) reason_ = each->estimate.reason;
      }
      if (!reason_.empty()) return;
      by_seed_[seed->first].push_back(*from[i]->estimate.value - *subtracted[i]->estimate.value);
    }
    splits_.push_back(difference(mean_of_paired(from), mean_of_paired(subtracted)));
  }

  TableValue value() const {
    TableValue value;
    value.reason = reason_;
    if (!reason_.empty()) return value;
    std::vector<const Replicates*> splits;
    std::vector<double> repeats, of_splits;
    for (const Replicates& split : splits_) {
      splits.push_back(&split);
      of_splits.push_back(split.estimate.value.value_or(0.0));
    }
    for (const auto& [seed, values] : by_seed_) {
      repeats.push_back(arithmetic_mean(values));
      value.n += static_cast<int64_t>(values.size());
    }
    value.deviation = summarize_sample(repeats.size() > 1 ? repeats : of_splits).deviation;
    const Replicates whole = mean_of_independent(splits);
    value.mean = whole.estimate.value;
    if (whole.values.empty()) return value;
    if (const auto interval = estimate_of(whole).interval) {
      value.low = interval->low;
      value.high = interval->high;
    }
    return value;
  }

 private:
  std::vector<Replicates> splits_;
  std::map<int64_t, std::vector<double>> by_seed_;  // one per split
  std::string reason_;
};

int64_t labels_to_resample(const std::vector<OracleInput>& systems, const std::vector<Pair>& pairs) {
  std::set<std::string> used;
  for (const Pair& pair : pairs) used.insert({pair.oracle, pair.processed});
  int64_t n_labels = 0;
  for (const OracleInput& system : systems) {
    for (const Row* row : system.cells) {
      if (used.count(row->cell.condition_key) > 0 || row->cell.condition == "clean")
        n_labels += row->n_tracks * static_cast<int64_t>(row->tags.size());
    }
  }
  return n_labels;
}

// Whether cells without resamples stand for other tracks than their neighbours do.
bool same_numbers_of_tracks(const std::map<std::string, Triples>& by_split) {
  return std::all_of(by_split.begin(), by_split.end(), [](const auto& split) {
    return std::all_of(split.second.begin(), split.second.end(), [&](const auto& triple) {
      return std::all_of(triple.second.begin(), triple.second.end(),
                         [&](const Row* row) { return row->n_tracks == triple.second.front()->n_tracks; });
    });
  });
}

}  // namespace

std::vector<std::vector<OracleLine>> oracle_lines(const RunStore& run, const std::vector<OracleInput>& systems,
                                                  const std::vector<std::string>& metrics,
                                                  const TagSelection& selection, const ReportOptions& options,
                                                  std::vector<std::string>& notes) {
  std::vector<std::vector<OracleLine>> lines(metrics.size());
  const std::vector<Pair> pairs = find_pairs(systems);
  if (pairs.empty()) return lines;
  const int resamples = affordable_resamples(labels_to_resample(systems, pairs), options);
  if (resamples == 0 && options.resamples > 0)
    notes.emplace_back(
        "No intervals beside the oracle: the run is too large to resample in some 10 s; report --resamples N gives "
        "them.");
  int64_t n_failed = 0;
  bool unequal = false;
  for (const OracleInput& system : systems) {
    CellValues cells(run, metrics, selection, options, resamples);
    for (const Pair& pair : pairs) {
      const FoundTriples found = find_triples(system, pair);
      const std::map<std::string, Triples>& by_split = found.by_split;
      n_failed += found.n_failed;
      unequal = unequal || (resamples == 0 && !same_numbers_of_tracks(by_split));
      std::vector<std::array<Loss, 3>> losses(metrics.size());
      std::string problem = by_split.empty() ? found.reason : "";
      try {
        uint64_t plan = 0;
        for (const auto& [split, triples] : by_split) {
          const auto values = cells.get(triples, ++plan);
          for (size_t m = 0; m < metrics.size(); ++m) {
            std::array<std::vector<const Replicates*>, 3> kinds;
            for (size_t i = 0; i < values.size(); ++i) kinds[i % kinds.size()].push_back(&values[i][m]);
            const auto& [clean, oracle, processed] = kinds;
            losses[m][0].add(clean, oracle, triples);
            losses[m][1].add(clean, processed, triples);
            losses[m][2].add(oracle, processed, triples);
          }
        }
      } catch (const DataError& error) {
        problem = error.what();
      }
      for (size_t m = 0; m < metrics.size(); ++m) {
        OracleLine line{system.label, pair.change, pair.engine, {}, {}, {}};
        std::array<TableValue*, 3> shown = {&line.true_loss, &line.processed_loss, &line.artefact};
        for (size_t v = 0; v < shown.size(); ++v) {
          if (problem.empty()) {
            *shown[v] = losses[m][v].value();
          } else {
            shown[v]->reason = problem;
          }
        }
        lines[m].push_back(std::move(line));
      }
    }
  }
  if (n_failed > 0)
    notes.push_back("Beside the oracle, " + std::to_string(n_failed) +
                    " comparisons of a fold and seed are left out, as one of their cells failed.");
  if (unequal)
    notes.emplace_back(
        "Beside the oracle, some cells hold fewer tracks than others; without resamples their losses are "
        "not brought to the same tracks.");
  return lines;
}

TextTable oracle_text(const ResultTable& table) {
  TextTable text;
  text.title = "True and processed change, " + metric_title(table.metric);
  if (table.oracle.empty()) return text;
  const std::string plus_minus = " ± ";
  text.rows = {{"architecture", "change", "engine", "true loss", "processed loss", "artefact", "95 % interval"}};
  for (const OracleLine& line : table.oracle) {
    text.rows.push_back({line.model_label, line.change, line.engine, value_text(line.true_loss, plus_minus),
                         value_text(line.processed_loss, plus_minus), value_text(line.artefact, plus_minus),
                         interval_text(line.artefact)});
  }
  text.notes = {
      "True loss: clean minus the change made in the score. Processed loss: clean minus the same change made by the "
      "engine. Artefact: processed minus true loss, what the processing adds; its interval is paired over tracks."};
  return text;
}

}  // namespace tagbench
