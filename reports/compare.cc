#include "reports/compare.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <tuple>
#include <unordered_set>

#include "harness/core/errors.h"
#include "harness/core/text.h"
#include "harness/metrics/delong.h"
#include "reports/flatten.h"
#include "reports/table_layout.h"
#include "reports/table_text.h"
#include "results/grouped_notes.h"
#include "results/row_groups.h"
#include "results/run_gaps.h"
#include "results/text_table.h"

namespace tagbench {
namespace {

namespace fs = std::filesystem;

constexpr int kDecimals = 4;

// The same cell in both: one split, one architecture, one condition; seeds of each side.
struct CellPair {
  const SeedGroup* a = nullptr;
  const SeedGroup* b = nullptr;
};

struct LinePair {
  std::string subject;
  std::string condition;
  std::vector<CellPair> splits;
};

struct MatchedTracks {
  std::vector<ScoredTracks> a, b;
  std::string problem;
  std::string note;
  int64_t n_left_out = 0;
};

MatchedTracks match_tracks(const RunStore& run_a, const RunStore& run_b, const CellPair& pair) {
  MatchedTracks matched;
  const auto load = [](const RunStore& run, const std::vector<const Row*>& rows, std::vector<ScoredTracks>& into) {
    for (const Row* row : rows) into.push_back(scored_tracks(run, *row));
  };
  load(run_a, pair.a->rows, matched.a);
  load(run_b, pair.b->rows, matched.b);
  std::vector<ScoredTracks*> all;
  for (ScoredTracks& tracks : matched.a) all.push_back(&tracks);
  for (ScoredTracks& tracks : matched.b) all.push_back(&tracks);
  const bool same_ids = std::all_of(
      all.begin(), all.end(), [&](const ScoredTracks* each) { return each->track_ids == all.front()->track_ids; });
  if (!same_ids) {
    const std::vector<std::string> common = common_track_ids({all.begin(), all.end()});
    std::unordered_set<std::string> anywhere;
    for (const ScoredTracks* each : all) anywhere.insert(each->track_ids.begin(), each->track_ids.end());
    matched.n_left_out = static_cast<int64_t>(anywhere.size() - common.size());
    if (common.size() < 2) {
      matched.problem = "tracks: fewer than two in common";
      return matched;
    }
    for (ScoredTracks* each : all) *each = select_tracks(*each, common);
  }
  // Else the two were scored against different truths.
  for (const ScoredTracks* each : all) {
    if (matched.problem.empty()) matched.problem = label_problem(*all.front(), *each);
  }
  // Resamples are drawn alike only for one grouping.
  const auto grouped = std::find_if(all.begin(), all.end(), [](const ScoredTracks* each) { return has_groups(*each); });
  const std::vector<std::string> groups = grouped == all.end() ? all.front()->groups : (*grouped)->groups;
  for (ScoredTracks* each : all) {
    if (each->groups == groups) continue;
    each->groups = groups;
    matched.note = "groups (artists) of the tracks are not the same in all cells; one cell's are used for all";
  }
  return matched;
}

// Of one metric or tag: the mean over seeds within each fold, then over folds.
Replicates side_replicates(const std::vector<std::vector<TaggingReplicates>>& folds,
                           const std::function<const Replicates&(const TaggingReplicates&)>& get) {
  std::vector<Replicates> of_folds;
  for (const auto& seeds : folds) {
    std::vector<const Replicates*> of_seeds;
    for (const TaggingReplicates& seed : seeds) of_seeds.push_back(&get(seed));
    of_folds.push_back(mean_of_paired(of_seeds));
  }
  std::vector<const Replicates*> pointers;
  for (const Replicates& fold : of_folds) pointers.push_back(&fold);
  return mean_of_independent(pointers);
}

void finish(PairedDifference& item, const Replicates& a, const Replicates& b) {
  item.a = a.estimate.value;
  item.b = b.estimate.value;
  const Comparison found = compare(b, a);
  item.difference = found.difference.value.value;
  item.reason = found.difference.reason;
  item.p_value = found.p_value;
  if (!found.difference.interval) return;
  item.low = found.difference.interval->low;
  item.high = found.difference.interval->high;
}

// DeLong's test resolves p-values that resamples cannot, which many tags need.
void finish_tag_roc_auc(PairedDifference& item, const std::vector<Placements>& a, const std::vector<Placements>& b) {
  const DelongComparison found = compare_placements(b, a);
  item.difference = found.difference.value;
  item.reason = found.reason;
  item.p_value = found.p_value;
  item.low.reset();
  item.high.reset();
  if (!found.interval) return;
  item.low = found.interval->low;
  item.high = found.interval->high;
}

void adjust(const std::vector<PairedDifference*>& family, bool holm) {
  std::vector<std::optional<double>> p_values;
  for (const PairedDifference* item : family) p_values.push_back(item->p_value);
  const auto adjusted = holm ? holm_adjusted(p_values) : benjamini_hochberg_adjusted(p_values);
  for (size_t i = 0; i < family.size(); ++i) family[i]->p_adjusted = adjusted[i];
}

void sort_by_what_matters(std::vector<PairedDifference>& items) {
  const auto rank = [](const PairedDifference& item) {
    return std::make_tuple(!item.difference.has_value(), !item.matters(), -std::abs(item.difference.value_or(0.0)));
  };
  std::stable_sort(items.begin(), items.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
}

// Scores and replicates of both sides on the folds compared.
struct PairReplicates {
  std::vector<std::vector<ScoredTracks>> tracks_a, tracks_b;  // [fold][seed]
  std::vector<std::vector<TaggingReplicates>> a, b;           // [fold][seed]
  std::vector<std::string> tags;
  std::vector<const Row*> rows_a, rows_b;  // of all folds and seeds; none for score files
  int64_t n_tracks = 0;
  bool multiclass = false;
};

// The squared standard error of the mean over seeds; nothing for fewer than two that have all folds.
std::optional<double> squared_seed_error(const std::vector<const Row*>& rows, const std::string& metric) {
  RepeatValues values;
  for (const Row* row : rows) {
    const MetricValue value = metric_of(*row, metric);
    if (value.value) values[{row->cell.split, row->cell.seed}].push_back(*value.value);
  }
  return squared_error_of_mean(whole_seed_means(values));
}

// [fold], the mean over seeds; `groups` by fold, one for all seeds.
std::vector<Placements> tag_placements(const std::vector<std::vector<ScoredTracks>>& folds,
                                       const std::vector<std::vector<int64_t>>& groups, size_t tag) {
  std::vector<Placements> placed;
  for (size_t fold = 0; fold < folds.size(); ++fold) {
    std::vector<Placements> of_seeds;
    for (const ScoredTracks& tracks : folds[fold]) {
      of_seeds.push_back(
          placements(tracks.label_matrix(), tracks.score_matrix(), static_cast<int64_t>(tag), groups[fold]));
    }
    placed.push_back(mean_of(of_seeds));
  }
  return placed;
}

std::vector<std::string> compared_metrics(bool multiclass) {
  std::vector<std::string> metrics = {"roc_auc", "average_precision"};
  if (multiclass) metrics.insert(metrics.begin(), "accuracy");
  return metrics;
}

void add_differences(const PairReplicates& pairs, const PairedDifference& frame, bool per_tag,
                     RunComparison& comparison) {
  for (const std::string& metric : compared_metrics(pairs.multiclass)) {
    PairedDifference item = frame;
    item.metric = metric;
    item.n_tracks = pairs.n_tracks;
    const auto get = [&](const TaggingReplicates& replicates) -> const Replicates& {
      return replicates_of(replicates, metric);
    };
    finish(item, side_replicates(pairs.a, get), side_replicates(pairs.b, get));
    const auto of_a = squared_seed_error(pairs.rows_a, metric);
    const auto of_b = squared_seed_error(pairs.rows_b, metric);
    if (of_a && of_b) item.seed_error = std::sqrt(*of_a + *of_b);
    comparison.overall.push_back(item);
  }
  if (!per_tag) return;
  std::vector<std::vector<int64_t>> groups;  // of both sides alike
  for (const auto& seeds : pairs.tracks_a) groups.push_back(group_indices(seeds.front().groups));
  for (const char* metric : {"roc_auc", "average_precision"}) {
    std::vector<PairedDifference> family;
    for (size_t tag = 0; tag < pairs.tags.size(); ++tag) {
      PairedDifference item = frame;
      item.metric = metric;
      item.tag = pairs.tags[tag];
      item.n_tracks = pairs.n_tracks;
      const auto get = [&](const TaggingReplicates& replicates) -> const Replicates& {
        return replicates_of_tag(replicates, metric, tag);
      };
      finish(item, side_replicates(pairs.a, get), side_replicates(pairs.b, get));
      if (item.metric == "roc_auc")
        finish_tag_roc_auc(item, tag_placements(pairs.tracks_a, groups, tag),
                           tag_placements(pairs.tracks_b, groups, tag));
      family.push_back(item);
    }
    std::vector<PairedDifference*> members;
    for (PairedDifference& item : family) members.push_back(&item);
    adjust(members, false);
    comparison.per_tag.insert(comparison.per_tag.end(), family.begin(), family.end());
  }
}

void finish_comparison(RunComparison& comparison) {
  std::map<std::string, std::vector<PairedDifference*>> families;
  for (PairedDifference& item : comparison.overall) families[item.metric].push_back(&item);
  for (const auto& [metric, family] : families) adjust(family, true);
  sort_by_what_matters(comparison.overall);
  sort_by_what_matters(comparison.per_tag);
}

// ---- matching cells ----

std::string where_text(const Row& row, const std::string& model_label) {
  return model_label + ", split " + row.cell.split + ", seed " + std::to_string(row.cell.seed) + ", " +
         row.cell.condition;
}

LinePair line_of(const CellPair& pair) {
  // Of one name, what tells the one side's cells apart is told once.
  const bool one_name = pair.a->any().model_label == pair.b->any().model_label;
  const std::string label_a = (one_name && pair.a->apart.empty() ? pair.b : pair.a)->model_label();
  const std::string label_b = one_name ? label_a : pair.b->model_label();
  const std::string& condition_a = pair.a->any().cell.condition;
  const std::string& condition_b = pair.b->any().cell.condition;
  return {label_a == label_b ? label_a : label_a + " | " + label_b,
          condition_a == condition_b ? condition_a : condition_a + " | " + condition_b,
          {pair}};
}

std::string pair_text(const LinePair& line, const CellPair& pair) {
  return line.subject + ", split " + pair.a->any().cell.split + ", " + line.condition;
}

// The number of each row's group of rows that may be averaged over folds.
std::map<const Row*, size_t> numbers_of_groups(const std::vector<Row>& rows) {
  std::map<const Row*, size_t> numbers;
  size_t n = 0;
  for (const RowGroup& group : group_rows(rows)) {
    for (const Row* row : group.rows) numbers[row] = n;
    ++n;
  }
  return numbers;
}

RowSettings without_split(RowSettings identity) {
  identity.erase(
      std::remove_if(identity.begin(), identity.end(), [](const auto& each) { return each.first == "split"; }),
      identity.end());
  return identity;
}

// Cells with their counterparts, folds of one assignment together.
std::vector<LinePair> match_lines(const ComparedSide& a, const ComparedSide& b, const std::vector<SeedGroup>& cells_a,
                                  const std::vector<SeedGroup>& cells_b, GroupedNotes& notes) {
  if (a.single_row && b.single_row) return {line_of({&cells_a.front(), &cells_b.front()})};
  const std::map<const Row*, size_t> numbers_a = numbers_of_groups(a.rows);
  const std::map<const Row*, size_t> numbers_b = numbers_of_groups(b.rows);
  std::vector<LinePair> lines;
  std::map<std::tuple<size_t, size_t, RowSettings, RowSettings>, size_t> places;
  for (const CellMatch& match : match_cells(cells_a, cells_b)) {
    if (match.a == nullptr || match.b == nullptr) {
      const bool in_a = match.a != nullptr;
      const SeedGroup& cells = in_a ? *match.a : *match.b;
      notes.add(std::string("Only in ") + (in_a ? "A" : "B") +
                    (match.ambiguous.empty() ? "" : ", the other has but " + match.ambiguous),
                where_text(cells.any(), cells.model_label()));
      continue;
    }
    const CellPair pair{match.a, match.b};
    std::vector<RowDifference> refused;
    for (const RowDifference& each : match.differs) {
      if (each.name == "task" || each.name == "split" || each.name == "tags") refused.push_back(each);
    }
    if (!refused.empty()) {
      notes.add("Not compared, " + differences_text(refused, "in A", "in B"), pair_text(line_of(pair), pair));
      continue;
    }
    if (!match.differs.empty()) {
      notes.add("Compared although they differ, " + differences_text(match.differs, "in A", "in B"),
                pair_text(line_of(pair), pair));
    }
    const auto [place, is_new] =
        places.emplace(std::make_tuple(numbers_a.at(&match.a->any()), numbers_b.at(&match.b->any()),
                                       without_split(match.a->identity), without_split(match.b->identity)),
                       lines.size());
    if (is_new) {
      lines.push_back(line_of(pair));
    } else {
      lines[place->second].splits.push_back(pair);
    }
  }
  return lines;
}

std::vector<TaggingReplicates> draw_seeds(const RunStore& run, const SeedGroup& cells,
                                          const std::vector<ScoredTracks>& seeds, const CompareOptions& options) {
  std::vector<TaggingReplicates> replicates;
  const CellId& cell = cells.any().cell;
  for (size_t i = 0; i < seeds.size(); ++i) {
    try {
      replicates.push_back(resample(seeds[i], cell.split + " " + cell.split_sha256, cell.task == "multiclass",
                                    options.resamples, options.seed, options.threads));
    } catch (const DataError& error) {
      throw DataError((run.cell_directory(cells.rows[i]->cell.key()) / "scores.npy").string() + ": " + error.what());
    }
  }
  return replicates;
}

// ---- without scores ----

// The rows' own values: the mean over seeds within each fold, then over folds.
MetricValue stored_value(const std::vector<const SeedGroup*>& folds,
                         const std::function<MetricValue(const Row&)>& value_of) {
  std::vector<double> of_folds;
  for (const SeedGroup* fold : folds) {
    std::vector<double> of_seeds;
    for (const Row* row : fold->rows) {
      MetricValue value = value_of(*row);
      if (!value.value) return value;
      of_seeds.push_back(*value.value);
    }
    of_folds.push_back(arithmetic_mean(of_seeds));
  }
  return {arithmetic_mean(of_folds), ""};
}

// Without scores the tracks cannot be matched: counts have to be those of the same tracks and labels.
std::string count_problem(const CellPair& pair) {
  const Row& first = pair.a->any();
  for (const SeedGroup* side : {pair.a, pair.b}) {
    for (const Row* row : side->rows) {
      if (row->tags != first.tags) return "tags: other names or another order";
      if (row->n_tracks != first.n_tracks)
        return "tracks: " + std::to_string(first.n_tracks) + " and " + std::to_string(row->n_tracks);
      for (size_t tag = 0; tag < first.tags.size(); ++tag) {
        const TagMetrics& of_first = first.metrics->per_tag[tag];
        const TagMetrics& of_row = row->metrics->per_tag[tag];
        if (of_first.n_positive != of_row.n_positive || of_first.n_known != of_row.n_known)
          return "labels: other numbers of positives";
      }
    }
  }
  return "";
}

void add_stored_differences(const std::vector<CellPair>& splits, const PairedDifference& frame, bool per_tag,
                            RunComparison& comparison) {
  std::vector<const SeedGroup*> folds_a, folds_b;
  int64_t n_tracks = 0;
  for (const CellPair& pair : splits) {
    folds_a.push_back(pair.a);
    folds_b.push_back(pair.b);
    n_tracks += pair.a->any().n_tracks;
  }
  const auto item_of = [&](const std::string& metric, const std::string& tag,
                           const std::function<MetricValue(const Row&)>& value_of) {
    const MetricValue of_a = stored_value(folds_a, value_of);
    const MetricValue of_b = stored_value(folds_b, value_of);
    PairedDifference item = frame;
    item.metric = metric;
    item.tag = tag;
    item.n_tracks = n_tracks;
    item.a = of_a.value;
    item.b = of_b.value;
    item.reason = !of_a.value ? of_a.reason : !of_b.value ? of_b.reason : "no interval: the scores cannot be used";
    if (item.a && item.b) item.difference = *item.b - *item.a;
    return item;
  };
  const Row& any = splits.front().a->any();
  for (const std::string& metric : compared_metrics(any.cell.task == "multiclass"))
    comparison.overall.push_back(item_of(metric, "", [&](const Row& row) { return metric_of(row, metric); }));
  if (!per_tag) return;
  for (const char* metric : {"roc_auc", "average_precision"}) {
    for (size_t tag = 0; tag < any.tags.size(); ++tag) {
      comparison.per_tag.push_back(item_of(metric, any.tags[tag], [&](const Row& row) {
        const TagMetrics& values = row.metrics->per_tag[tag];
        return std::string_view(metric) == "roc_auc" ? values.roc_auc : values.average_precision;
      }));
    }
  }
}

void compare_line(const ComparedSide& a, const ComparedSide& b, const LinePair& line, const CompareOptions& options,
                  RunComparison& comparison, GroupedNotes& notes) {
  PairReplicates pairs;
  std::vector<CellPair> unreadable;
  std::vector<std::string> errors;
  for (const CellPair& pair : line.splits) {
    const Row& row_a = pair.a->any();
    const std::string where = pair_text(line, pair);
    const auto failed = [](const std::vector<const Row*>& rows) {
      return std::any_of(rows.begin(), rows.end(), [](const Row* row) { return row->status != "done"; });
    };
    if (failed(pair.a->rows) || failed(pair.b->rows)) {
      notes.add(std::string("Not compared, a cell failed in ") + (failed(pair.a->rows) ? "A" : "B"), where);
      continue;
    }
    const CellId& cell_b = pair.b->any().cell;
    if (row_a.cell.split_sha256 != cell_b.split_sha256) {
      notes.add("Not compared, other splits (" + row_a.cell.split_sha256.substr(0, 12) + ", " +
                    cell_b.split_sha256.substr(0, 12) + ")",
                where);
      continue;
    }
    try {
      MatchedTracks matched = match_tracks(a.run, b.run, pair);
      if (!matched.problem.empty()) {
        notes.add("Not compared, " + matched.problem, where);
        continue;
      }
      if (matched.n_left_out > 0)
        notes.add("Left out " + std::to_string(matched.n_left_out) + " tracks that not all cells have", where);
      if (!matched.note.empty()) notes.add(matched.note, where);
      // Both before either is kept: a fold of one side alone would pair with nothing.
      std::vector<TaggingReplicates> replicates_a = draw_seeds(a.run, *pair.a, matched.a, options);
      std::vector<TaggingReplicates> replicates_b = draw_seeds(b.run, *pair.b, matched.b, options);
      pairs.a.push_back(std::move(replicates_a));
      pairs.b.push_back(std::move(replicates_b));
      pairs.rows_a.insert(pairs.rows_a.end(), pair.a->rows.begin(), pair.a->rows.end());
      pairs.rows_b.insert(pairs.rows_b.end(), pair.b->rows.begin(), pair.b->rows.end());
      pairs.n_tracks += matched.a.front().n_tracks;
      pairs.tracks_a.push_back(std::move(matched.a));
      pairs.tracks_b.push_back(std::move(matched.b));
      pairs.tags = row_a.tags;
      pairs.multiclass = row_a.cell.task == "multiclass";
    } catch (const DataError& error) {
      if (const std::string problem = count_problem(pair); !problem.empty()) {
        notes.add("Not compared, " + problem, where);
        continue;
      }
      unreadable.push_back(pair);
      errors.push_back(where + ": " + error.what());
    }
  }
  PairedDifference frame;
  frame.subject = line.subject;
  frame.condition = line.condition;
  if (!pairs.a.empty()) {
    add_differences(pairs, frame, options.per_tag, comparison);
  } else if (!unreadable.empty()) {
    add_stored_differences(unreadable, frame, options.per_tag, comparison);
  }
  for (const std::string& error : errors) {
    notes.add(pairs.a.empty() ? "Values of the rows without interval, as scores cannot be used"
                              : "Left out of the folds compared, as scores cannot be used",
              error);
  }
}

// ---- speed and settings ----

void compare_speed(const ComparedSide& a, const ComparedSide& b, RunComparison& comparison) {
  const auto settings = [](const ThroughputRow& row) {
    return row.part + ", " + row.precision + ", " + row.device + ", " + std::to_string(row.threads) +
           " threads, batch " + std::to_string(row.batch);
  };
  std::map<std::pair<std::string, std::string>, ThroughputRow> there;
  for (const ThroughputRow& row : b.run.throughput()) there[{row.model_label, settings(row)}] = row;
  for (const ThroughputRow& row : a.run.throughput()) {
    const auto found = there.find({row.model_label, settings(row)});
    if (found == there.end()) {
      comparison.notes.push_back("Speed only in A: " + row.model_label + ", " + settings(row));
      continue;
    }
    const ThroughputRow& other = found->second;
    SpeedDifference frame;
    frame.model_label = row.model_label;
    frame.settings = settings(row);
    if (!row.valid || !other.valid) {
      std::vector<std::string> reasons;
      if (!row.valid) reasons.push_back("A: " + row.invalid_reason);
      if (!other.valid) reasons.push_back("B: " + other.invalid_reason);
      comparison.notes.push_back("Speed not compared, as the measurement is invalid (" + join_text(reasons, "; ") +
                                 "): " + row.model_label + ", " + frame.settings);
      continue;
    }
    const auto add = [&](const char* quantity, const std::optional<double>& of_a, const std::optional<double>& of_b,
                         const std::optional<double>& spread_a, const std::optional<double>& spread_b) {
      if (!of_a || !of_b) return;
      SpeedDifference item = frame;
      item.quantity = quantity;
      item.a = *of_a;
      item.b = *of_b;
      item.spread_a = spread_a;
      item.spread_b = spread_b;
      item.beyond_spread = spread_a && spread_b && std::abs(item.b - item.a) > *spread_a + *spread_b;
      comparison.speed.push_back(item);
    };
    add("clips/s", row.clips_per_s, other.clips_per_s, row.clips_per_s_spread, other.clips_per_s_spread);
    add("latency p50 ms", row.p50_ms, other.p50_ms, std::nullopt, std::nullopt);
    add("peak memory MiB", row.peak_memory_mib, other.peak_memory_mib, std::nullopt, std::nullopt);
  }
}

void add_setting_differences(const std::string& where, const Settings& a, const Settings& b,
                             RunComparison& comparison) {
  constexpr const char* kAbsent = "(absent)";
  for (const auto& [name, value] : a) {
    const auto found = b.find(name);
    const std::string other = found == b.end() ? kAbsent : found->second;
    if (other != value) comparison.settings.push_back({where, name, value, other});
  }
  for (const auto& [name, value] : b) {
    if (a.count(name) == 0) comparison.settings.push_back({where, name, kAbsent, value});
  }
}

void compare_settings(const ComparedSide& a, const ComparedSide& b, RunComparison& comparison) {
  if (a.run.directory() == b.run.directory()) return;
  const auto config = [](const ComparedSide& side) {
    Settings settings;
    const fs::path path = side.run.directory() / "config.resolved.yaml";
    if (fs::exists(path)) flatten(ConfigNode::load(path), "", settings);
    return settings;
  };
  const auto environment = [](const ComparedSide& side) {
    Settings settings;
    const fs::path path = side.run.directory() / "env.json";
    if (fs::exists(path)) flatten(read_json(path), "", settings);
    return settings;
  };
  add_setting_differences("config", config(a), config(b), comparison);
  add_setting_differences("environment", environment(a), environment(b), comparison);
}

// What the rows themselves say: several values of one field are listed together.
void compare_row_settings(const ComparedSide& a, const ComparedSide& b, RunComparison& comparison) {
  const auto collect = [](const ComparedSide& side) {
    std::map<std::string, std::set<std::string>> values;
    for (const Row& row : side.rows) {
      values["protocol"].insert(row.cell.protocol + " " + row.cell.protocol_sha256.substr(0, 12));
      values["audio"].insert(row.cell.audio);
      values["precision"].insert(row.cell.precision);
      values["conformance"].insert(std::to_string(row.cell.conformance));
      values["seed"].insert(std::to_string(row.cell.seed));
      values["perturbation seed"].insert(std::to_string(row.cell.perturbation_seed));
      Settings software;
      flatten(row.software, "software", software);
      for (const auto& [name, value] : software) values[name].insert(value);
    }
    Settings settings;
    for (const auto& [name, set] : values) settings[name] = join_text({set.begin(), set.end()}, ", ");
    return settings;
  };
  add_setting_differences("rows", collect(a), collect(b), comparison);
}

std::string signed_number(const std::optional<double>& value) {
  if (!value) return "-";
  return (*value > 0 ? "+" : "") + format_fixed(*value, kDecimals);
}

std::string number(const std::optional<double>& value) {
  return value ? format_fixed(*value, kDecimals) : "-";
}

std::string differences_table(const std::vector<PairedDifference>& items, bool with_tags) {
  std::vector<std::vector<std::string>> rows = {
      {"architecture", "condition", "metric", "A", "B", "B - A", "95 % interval", "p", "p adjusted", ""}};
  const bool with_seeds = std::any_of(items.begin(), items.end(), [](const auto& item) { return item.seed_error; });
  if (with_seeds) rows[0].insert(rows[0].end() - 1, "± seeds");
  if (with_tags) rows[0].insert(rows[0].begin(), "tag");
  for (const PairedDifference& item : items) {
    const std::string interval = item.low ? "[" + signed_number(item.low) + ", " + signed_number(item.high) + "]" : "-";
    std::vector<std::string> row = {
        escape_markdown(item.subject),
        escape_markdown(item.condition),
        item.metric,
        number(item.a),
        number(item.b),
        signed_number(item.difference),
        interval,
        p_text(item.p_value),
        p_text(item.p_adjusted),
        item.matters() ? (*item.difference > 0 ? "B higher" : "B lower") : escape_markdown(item.reason)};
    if (with_seeds) row.insert(row.end() - 1, number(item.seed_error));
    if (with_tags) row.insert(row.begin(), escape_markdown(item.tag));
    rows.push_back(row);
  }
  return aligned_markdown(rows, with_tags ? 4 : 3);
}

void add_gaps(const std::string& whose, const ComparedSide& side, RunComparison& comparison) {
  if (side.single_row) return;
  const RunGaps found = run_gaps(side.run, side.rows);
  for (const auto* texts : {&found.unfinished, &found.missing}) {
    for (const std::string& text : *texts) comparison.gaps.push_back(whose + text);
  }
  if (side.rows.empty()) comparison.gaps.push_back(whose + "The run has no row.");
}

}  // namespace

ComparedSide ComparedSide::open(const fs::path& given) {
  fs::path path = given;
  if (path.filename() == "row.json") path = path.parent_path();
  if (!fs::exists(path / "row.json")) {
    ComparedSide side{RunStore::open(path), {}, false};
    side.rows = side.run.rows();
    return side;
  }
  // .../RUN/cells/KEY
  const fs::path absolute = fs::absolute(path).lexically_normal();
  const fs::path cell = absolute.has_filename() ? absolute : absolute.parent_path();
  ComparedSide side{RunStore::open(cell.parent_path().parent_path()), {}, true};
  side.rows.push_back(side.run.row(cell.filename().string()).value());
  return side;
}

ComparedSide ComparedSide::of_unseen_artists() const {
  ComparedSide side{run.of_unseen_artists(), {}, single_row};
  for (const Row& row : rows) side.rows.push_back(side.run.row(row.cell.key()).value());
  return side;
}

RunComparison compare_runs(const ComparedSide& a, const ComparedSide& b, const CompareOptions& options) {
  RunComparison comparison;
  const auto name = [](const ComparedSide& side) {
    std::string text = side.run.directory().string();
    if (side.single_row) text += ", " + where_text(side.rows.front(), side.rows.front().model_label);
    if (!side.rows.empty() && !side.rows.front().tracks.empty()) text += ", test tracks of " + side.rows.front().tracks;
    return text;
  };
  comparison.name_a = name(a);
  comparison.name_b = name(b);
  const std::vector<SeedGroup> cells_a = seed_groups(a.rows);
  const std::vector<SeedGroup> cells_b = seed_groups(b.rows);
  GroupedNotes notes;
  for (const LinePair& line : match_lines(a, b, cells_a, cells_b, notes))
    compare_line(a, b, line, options, comparison, notes);
  finish_comparison(comparison);
  comparison.notes = notes.texts();
  add_gaps("A: ", a, comparison);
  add_gaps("B: ", b, comparison);
  if (!a.single_row && !b.single_row) compare_speed(a, b, comparison);
  compare_settings(a, b, comparison);
  compare_row_settings(a, b, comparison);
  return comparison;
}

RunComparison compare_score_files(const ScoredTracks& a, const ScoredTracks& b, const std::string& name_a,
                                  const std::string& name_b, const CompareOptions& options) {
  if (const std::string problem = label_problem(a, b); !problem.empty()) {
    throw DataError("compare: both score files must belong to the same labels; " + problem);
  }
  RunComparison comparison;
  comparison.name_a = name_a;
  comparison.name_b = name_b;
  PairReplicates pairs;
  pairs.a.push_back({resample(a, "", false, options.resamples, options.seed, options.threads)});
  pairs.b.push_back({resample(b, "", false, options.resamples, options.seed, options.threads)});
  pairs.tracks_a.push_back({a});
  pairs.tracks_b.push_back({b});
  pairs.n_tracks = a.n_tracks;
  pairs.tags = a.tags;
  if (pairs.tags.empty()) pairs.tags = b.tags;
  if (pairs.tags.empty()) {
    for (int64_t tag = 0; tag < a.n_tags; ++tag) pairs.tags.push_back("column " + std::to_string(tag));
  }
  PairedDifference frame;
  frame.subject = "scores";
  add_differences(pairs, frame, options.per_tag, comparison);
  finish_comparison(comparison);
  return comparison;
}

std::string comparison_table(const RunComparison& comparison, size_t most_tags) {
  std::string text = "A: " + escape_markdown(comparison.name_a) + "\nB: " + escape_markdown(comparison.name_b) + "\n\n";
  if (comparison.overall.empty()) {
    text += "Nothing could be compared; the notes say why.\n";
  } else {
    text += differences_table(comparison.overall, false);
    text +=
        "\nDifferences are paired on the same tracks; intervals by bootstrap over tracks (BCa), of the ROC-AUC of "
        "single "
        "tags after DeLong; p adjusted after Holm (overall) and Benjamini-Hochberg (tags). With several seeds the "
        "standard error by their spread stands apart: what other trainings would change.\n";
  }
  std::vector<PairedDifference> tags;
  size_t n_others = 0;
  for (const PairedDifference& item : comparison.per_tag) {
    if (item.matters()) {
      tags.push_back(item);
    } else if (n_others < most_tags && item.difference) {
      tags.push_back(item);
      ++n_others;
    }
  }
  if (!tags.empty()) {
    text += "\n" + differences_table(tags, true);
    if (tags.size() < comparison.per_tag.size()) {
      text +=
          "\nTags not shown, without a sure difference: " + std::to_string(comparison.per_tag.size() - tags.size()) +
          " comparisons.\n";
    }
  }
  if (!comparison.speed.empty()) {
    std::vector<std::vector<std::string>> rows = {
        {"architecture", "measured", "quantity", "A", "B", "B / A", "remark"}};
    const auto with_spread = [](double value, const std::optional<double>& spread) {
      return spread ? rate_text(value) + " ± " + rate_text(*spread) : rate_text(value);
    };
    for (const SpeedDifference& item : comparison.speed) {
      rows.push_back({escape_markdown(item.model_label), item.settings, item.quantity,
                      with_spread(item.a, item.spread_a), with_spread(item.b, item.spread_b),
                      item.a > 0.0 ? format_fixed(item.b / item.a, 2) : "-",
                      item.beyond_spread ? "beyond the spread" : ""});
    }
    text += "\n" + aligned_markdown(rows, 3);
  }
  if (!comparison.settings.empty()) {
    std::vector<std::vector<std::string>> rows = {{"where", "setting", "A", "B"}};
    for (const SettingDifference& item : comparison.settings) {
      rows.push_back({item.where, escape_markdown(item.name), escape_markdown(item.a), escape_markdown(item.b)});
    }
    text += "\n" + aligned_markdown(rows, 4);
  }
  if (!comparison.gaps.empty() || !comparison.notes.empty()) text += "\n";
  for (const auto* notes : {&comparison.gaps, &comparison.notes}) {
    for (const std::string& note : *notes) text += "- " + escape_markdown(note) + "\n";
  }
  return text;
}

Json comparison_json(const RunComparison& comparison) {
  Json json{{"schema_version", 1},       {"a", comparison.name_a},   {"b", comparison.name_b},
            {"overall", Json::array()},  {"per_tag", Json::array()}, {"speed", Json::array()},
            {"settings", Json::array()}, {"gaps", comparison.gaps},  {"notes", comparison.notes}};
  const auto add = [](Json& into, const std::vector<PairedDifference>& items) {
    for (const PairedDifference& item : items) {
      into.push_back({{"architecture", item.subject},
                      {"condition", item.condition},
                      {"metric", item.metric},
                      {"tag", item.tag},
                      {"a", json_number(item.a)},
                      {"b", json_number(item.b)},
                      {"difference", json_number(item.difference)},
                      {"low", json_number(item.low)},
                      {"high", json_number(item.high)},
                      {"p_value", json_number(item.p_value)},
                      {"p_adjusted", json_number(item.p_adjusted)},
                      {"seed_error", json_number(item.seed_error)},
                      {"n_tracks", item.n_tracks},
                      {"reason", item.reason}});
    }
  };
  add(json["overall"], comparison.overall);
  add(json["per_tag"], comparison.per_tag);
  for (const SpeedDifference& item : comparison.speed) {
    json["speed"].push_back({{"architecture", item.model_label},
                             {"settings", item.settings},
                             {"quantity", item.quantity},
                             {"a", json_number(item.a)},
                             {"b", json_number(item.b)},
                             {"spread_a", json_number(item.spread_a)},
                             {"spread_b", json_number(item.spread_b)},
                             {"beyond_spread", item.beyond_spread}});
  }
  for (const SettingDifference& item : comparison.settings) {
    json["settings"].push_back({{"where", item.where}, {"name", item.name}, {"a", item.a}, {"b", item.b}});
  }
  return json;
}

}  // namespace tagbench
