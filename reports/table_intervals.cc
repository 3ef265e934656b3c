#include "reports/table_intervals.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "harness/core/errors.h"
#include "harness/core/hash.h"
#include "harness/core/parallel.h"
#include "harness/core/text.h"
#include "harness/metrics/statistics.h"
#include "reports/table_text.h"
#include "results/scored_tracks.h"

namespace tagbench {
namespace {

constexpr size_t kMostCellsNamed = 5;    // cells without scores named in notes; the others are counted
constexpr int64_t kFewUnits = 10;        // independent parts below which intervals are rough
constexpr size_t kMostPairedLines = 16;  // up to here every pair of architectures is compared
// Labels sorted to compare single tags: some 5 s.
constexpr int64_t kMostTagLabels = int64_t{60} * 1000 * 1000;

// `with_value`: the replicates are of other tracks than the value, which then is theirs.
void set_interval(TableValue& value, const BySplit& replicates, bool with_value) {
  const std::vector<Replicates> mean = on_shared_splits({&replicates});
  if (!value.mean || mean.empty()) return;
  const Estimate estimate = estimate_of(mean.front());
  if (with_value && estimate.value.value) value.mean = estimate.value.value;
  if (!estimate.interval) return;
  value.low = estimate.interval->low;
  value.high = estimate.interval->high;
}

// Marks the best of a column if no other that has a value ties with it.
void mark_best(const std::vector<TableValue*>& values, const std::vector<const BySplit*>& replicates,
               bool higher_is_better) {
  std::vector<TableValue*> with_value;
  std::vector<const BySplit*> parts;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i]->mean) continue;
    with_value.push_back(values[i]);
    parts.push_back(replicates[i]);
  }
  const std::vector<Replicates> means = on_shared_splits(parts);
  // On fewer folds than the values shown the best might be another.
  const bool fewer = std::any_of(parts.begin(), parts.end(), [&](const BySplit* part) {
    return part->size() != parts.front()->size() || n_shared_splits(parts) != part->size();
  });
  if (means.size() < 2 || fewer) return;
  std::vector<const Replicates*> systems;
  for (const Replicates& mean : means) systems.push_back(&mean);
  const std::vector<bool> ties = ties_with_best(systems, higher_is_better);
  if (std::count(ties.begin(), ties.end(), true) != 1) return;
  with_value[static_cast<size_t>(std::find(ties.begin(), ties.end(), true) - ties.begin())]->best = true;
}

// Cells that differ in seed alone.
struct SeedCells {
  size_t line = 0;
  size_t condition = 0;
  std::string split;
  std::vector<const Row*> rows;
  std::vector<std::string> tracks;  // hashes of ids, groups and labels, one per row
  std::vector<Replicates> own;      // one per metric, on all tracks of the rows; empty where scores are missing
  std::vector<Replicates> paired;   // on the tracks that all cells of the split have; empty: the same as own

  int64_t n_labels() const {
    int64_t n = 0;
    for (const Row* row : rows) n += row->n_tracks * static_cast<int64_t>(row->tags.size());
    return n;
  }
};

std::vector<std::string> common_ids(const std::vector<ScoredTracks>& all) {
  std::vector<const ScoredTracks*> pointers;
  for (const ScoredTracks& each : all) pointers.push_back(&each);
  return common_track_ids(pointers);
}

// Groups, and tracks that stand alone.
int64_t n_units(const ScoredTracks& tracks) {
  const std::set<std::string> names(tracks.groups.begin(), tracks.groups.end());
  const auto alone = std::count(tracks.groups.begin(), tracks.groups.end(), "");
  return tracks.groups.empty() ? tracks.n_tracks : static_cast<int64_t>(names.size()) - (alone > 0 ? 1 : 0) + alone;
}

std::vector<ScoredTracks> read_seeds(const RunStore& run, const SeedCells& cells) {
  std::vector<ScoredTracks> seeds;
  for (const Row* row : cells.rows) seeds.push_back(scored_tracks(run, *row));
  return seeds;
}

std::string tracks_hash(const ScoredTracks& tracks) {
  const auto bytes = [](const std::vector<uint8_t>& values) { return std::string(values.begin(), values.end()); };
  return sha256_hex(join_text(tracks.track_ids, "\n") + "\n" + join_text(tracks.groups, "\n") + "\n" +
                    bytes(tracks.labels) + "\n" + bytes(tracks.known));
}

// One per metric, the mean over seeds; a seed without a value is left out as it is from the table's mean. On the tracks
// that all seeds have.
std::vector<Replicates> seed_replicates(std::vector<ScoredTracks> seeds, const Row& row,
                                        const std::vector<std::string>& metrics, const TagSelection& selection,
                                        const ReportOptions& options, int resamples, int threads) {
  const std::vector<std::string> common = common_ids(seeds);
  if (common.size() < 2) return std::vector<Replicates>(metrics.size());
  std::vector<TaggingReplicates> drawn;
  for (ScoredTracks& tracks : seeds) {
    if (tracks.track_ids != common) tracks = select_tracks(tracks, common);
    tracks.groups = seeds.front().groups;  // resamples are drawn alike only for one grouping
    drawn.push_back(resample(tracks, row.cell.split + " " + row.cell.split_sha256, row.cell.task == "multiclass",
                             resamples, options.seed, threads));
  }
  std::vector<Replicates> means;
  for (const std::string& metric : metrics) {
    std::vector<Replicates> of_metric;
    for (const TaggingReplicates& each : drawn) of_metric.push_back(selection.narrowed(each, metric, row.tags));
    std::vector<const Replicates*> defined;
    for (const Replicates& each : of_metric) {
      if (each.estimate.value) defined.push_back(&each);
    }
    means.push_back(defined.empty() ? Replicates() : mean_of_paired(defined));
  }
  return means;
}

int affordable(const std::vector<SeedCells>& cells, const ReportOptions& options) {
  int64_t n_labels = 0;
  for (const SeedCells& each : cells) n_labels += each.n_labels();
  return affordable_resamples(n_labels, options);
}

std::vector<std::vector<LineReplicates>> collect(const std::vector<SeedCells>& cells, const TableLayout& layout,
                                                 size_t n_metrics, bool paired) {
  std::vector<std::vector<LineReplicates>> collected(n_metrics, std::vector<LineReplicates>(layout.lines.size()));
  for (size_t m = 0; m < n_metrics; ++m) {
    for (LineReplicates& line : collected[m]) line.by_condition.resize(layout.condition_labels.size());
    for (const SeedCells& each : cells) {
      const std::vector<Replicates>& replicates = paired && !each.paired.empty() ? each.paired : each.own;
      if (replicates.empty() || !replicates[m].estimate.value) continue;
      collected[m][each.line].by_condition[each.condition][each.split] = replicates[m];
    }
  }
  return collected;
}

// On the same tracks under all conditions. Where a training lacks a condition, its mean drop is not in the table, and
// replicates that hold it would be of something else: that line gets none.
void add_mean_drops(std::vector<std::vector<LineReplicates>>& replicates, const std::vector<SeedCells>& cells,
                    const TableLayout& layout) {
  const auto clean = clean_place(layout);
  if (!clean) return;
  std::map<std::pair<size_t, std::string>, std::set<std::vector<int64_t>>> seeds;  // of a line's split, per condition
  for (const SeedCells& each : cells) {
    std::vector<int64_t> of_cell;
    for (const Row* row : each.rows) of_cell.push_back(row->cell.seed);
    std::sort(of_cell.begin(), of_cell.end());
    seeds[{each.line, each.split}].insert(of_cell);
  }
  std::vector<char> partial(layout.lines.size(), 0);
  for (const auto& [place, kinds] : seeds) {
    if (kinds.size() > 1) partial[place.first] = 1;
  }
  for (auto& of_metric : replicates) {
    for (size_t l = 0; l < of_metric.size(); ++l) {
      if (partial[l] == 0) of_metric[l].mean_drop = mean_drop_replicates(of_metric[l].by_condition, *clean);
    }
  }
}

// Pairs need the same tracks and labels. Where some cells left tracks out, all cells of the split are compared on those
// that every cell has. Returns whether that concerns any split.
bool pair_up(const RunStore& run, std::vector<SeedCells>& cells, const std::vector<std::string>& metrics,
             const TagSelection& selection, const ReportOptions& options, GroupReplicates& result) {
  std::map<std::string, std::set<std::string>> hashes_of_split;
  for (const SeedCells& each : cells) hashes_of_split[each.split].insert(each.tracks.begin(), each.tracks.end());
  bool differ = false;
  for (const auto& [split, hashes] : hashes_of_split) {
    if (hashes.size() < 2) continue;
    differ = true;
    std::vector<ScoredTracks> kinds;  // one cell of each kind
    std::set<std::string> done;
    for (const SeedCells& each : cells) {
      if (each.split != split || each.own.empty()) continue;
      for (size_t i = 0; i < each.rows.size(); ++i) {
        if (done.insert(each.tracks[i]).second) kinds.push_back(scored_tracks(run, *each.rows[i]));
      }
    }
    const std::vector<std::string> common = common_ids(kinds);
    if (common.size() >= 2) {
      for (ScoredTracks& kind : kinds) kind = select_tracks(kind, common);
    }
    const bool same_labels = std::all_of(kinds.begin(), kinds.end(), [&](const ScoredTracks& kind) {
      return kind.labels == kinds.front().labels && kind.known == kinds.front().known;
    });
    if (common.size() < 2) {
      result.notes.push_back("Fewer than two tracks are in all cells of split " + split +
                             ": no best values, no differences between them.");
    } else if (!same_labels) {
      result.notes.push_back(
          "The cells of split " + split +
          " hold different labels for the same tracks: no best values, no differences between them.");
    } else {
      result.notes.push_back("Not all cells of split " + split +
                             " hold the same tracks and groups; best values, differences, mean drops and robustness "
                             "figures are those of the " +
                             std::to_string(common.size()) + " tracks that all hold.");
    }
    for (SeedCells& each : cells) {
      if (each.split != split || each.own.empty()) continue;
      each.paired.assign(metrics.size(), Replicates());
      if (!same_labels || common.size() < 2) continue;
      std::vector<ScoredTracks> seeds = read_seeds(run, each);
      for (ScoredTracks& tracks : seeds) {
        tracks = select_tracks(tracks, common);
        tracks.groups = kinds.front().groups;
      }
      each.paired = seed_replicates(std::move(seeds), *each.rows.front(), metrics, selection, options, result.resamples,
                                    available_processors());
    }
  }
  return differ;
}

size_t best_line(const TableLayout& layout, const std::string& metric) {
  const size_t column = clean_place(layout).value_or(0);
  size_t best = 0;
  std::optional<double> highest;
  for (size_t l = 0; l < layout.lines.size(); ++l) {
    const std::optional<double> mean = condition_value(layout.lines[l].by_condition[column], metric).mean;
    if (!mean || (highest && *mean <= *highest)) continue;
    highest = mean;
    best = l;
  }
  return best;
}

// Whether each of two architectures or more has every split, all on the same tracks.
bool are_comparable(const std::vector<std::map<std::string, const SeedCells*>>& by_line, size_t n_splits) {
  std::map<std::string, std::set<std::string>> hashes_of_split;
  for (const auto& line : by_line) {
    if (line.size() < n_splits) return false;
    for (const auto& [split, each] : line) hashes_of_split[split].insert(each->tracks.begin(), each->tracks.end());
  }
  return std::all_of(hashes_of_split.begin(), hashes_of_split.end(),
                     [](const auto& entry) { return entry.second.size() == 1; });
}

// ROC-AUC of single tags under the clean condition.
void add_tag_findings(const RunStore& run, const TableLayout& layout, const std::vector<SeedCells>& cells,
                      GroupReplicates& result) {
  const auto clean = clean_place(layout);
  if (!clean) return;
  std::vector<std::map<std::string, const SeedCells*>> by_line(layout.lines.size());
  int64_t n_labels = 0;
  for (const SeedCells& each : cells) {
    const bool one_set = std::set<std::string>(each.tracks.begin(), each.tracks.end()).size() == 1;
    if (each.condition != *clean || each.own.empty() || !one_set) continue;
    by_line[each.line][each.split] = &each;
    n_labels += each.n_labels();
  }
  if (n_labels > kMostTagLabels) {
    result.notes.emplace_back(
        "Single tags have no intervals and are not compared between architectures: the run is too large.");
    return;
  }
  std::vector<LineScores> lines(by_line.size());
  parallel_for(static_cast<int64_t>(lines.size()), available_processors(), [&](int64_t l) {
    for (const auto& [split, each] : by_line[static_cast<size_t>(l)])
      lines[static_cast<size_t>(l)].push_back(read_seeds(run, *each));
  });
  std::vector<std::pair<size_t, size_t>> pairs;
  if (are_comparable(by_line, layout.splits.size())) {
    pairs = compared_pairs(lines.size(), best_line(layout, "roc_auc"), kMostPairedLines);
  } else {
    result.notes.emplace_back(
        "Single tags are not compared between architectures: not all have scores of the same tracks under the clean "
        "condition.");
  }
  result.tags = judge_tags(layout.lines.front().all.front()->tags, lines, pairs, available_processors());
}

std::vector<SeedCells> seed_cells(const TableLayout& layout) {
  std::map<std::tuple<size_t, size_t, std::string>, SeedCells> places;
  for (size_t l = 0; l < layout.lines.size(); ++l) {
    for (size_t c = 0; c < layout.condition_labels.size(); ++c) {
      for (const auto& [repeat, row] : layout.lines[l].by_condition[c]) {
        if (!row->metrics || row->n_tracks < 2) continue;
        SeedCells& each = places[{l, c, row->cell.split}];
        each.line = l;
        each.condition = c;
        each.split = row->cell.split;
        each.rows.push_back(row);
      }
    }
  }
  std::vector<SeedCells> cells;
  for (auto& [place, each] : places) cells.push_back(std::move(each));
  return cells;
}

// The first few in full, the others counted: of a run whose scores were deleted every cell has one.
void note_problems(const std::vector<std::string>& problems, std::vector<std::string>& notes) {
  size_t n = 0;
  for (const std::string& problem : problems) {
    if (!problem.empty() && ++n <= kMostCellsNamed) notes.push_back("No interval for a cell: " + problem);
  }
  if (n > kMostCellsNamed)
    notes.push_back("No interval for " + counted(n - kMostCellsNamed, "cell") + " beside these either.");
}

void apply_replicates(ResultTable& table, const std::vector<LineReplicates>& own,
                      const std::vector<LineReplicates>& paired) {
  const bool higher_is_better = !smaller_is_better(table.metric);
  for (size_t c = 0; c <= table.conditions.size(); ++c) {
    const bool drop = c == table.conditions.size();
    std::vector<TableValue*> values;
    std::vector<const BySplit*> replicates;
    for (size_t l = 0; l < table.lines.size(); ++l) {
      values.push_back(drop ? &table.lines[l].mean_drop : &table.lines[l].values[c]);
      set_interval(*values.back(), drop ? paired[l].mean_drop : own[l].by_condition[c], drop && table.on_common_tracks);
      replicates.push_back(drop ? &paired[l].mean_drop : &paired[l].by_condition[c]);
    }
    mark_best(values, replicates, higher_is_better != drop);
  }
}

// The squared standard error of the mean over seeds, under every condition and of the mean drop; nothing for one seed.
std::vector<std::optional<double>> squared_seed_errors(const LineCells& cells, const TableLayout& layout,
                                                       const std::string& metric) {
  std::vector<std::optional<double>> errors;
  for (const auto& condition : cells.by_condition)
    errors.push_back(squared_error_of_mean(whole_seed_means(condition_values(condition, metric))));
  const auto clean = clean_place(layout);
  const bool drops = clean && layout.condition_labels.size() > 1;
  errors.push_back(drops ? squared_error_of_mean(whole_seed_means(mean_drops(cells, layout, *clean, metric).values))
                         : std::nullopt);
  return errors;
}

std::string repeats_text(const TableLayout& layout) {
  std::vector<std::string> parts;
  if (layout.seeds.size() > 1) parts.push_back(counted(layout.seeds.size(), "seed"));
  if (layout.splits.size() > 1) parts.push_back(counted(layout.splits.size(), "fold"));
  return join_text(parts, " and ");
}

}  // namespace

GroupReplicates resample_group(const RunStore& run, const TableLayout& layout, const std::vector<std::string>& metrics,
                               const TagSelection& selection, const ReportOptions& options) {
  GroupReplicates result;
  std::vector<SeedCells> cells = seed_cells(layout);
  if (options.resamples <= 0 || cells.empty()) return result;
  int resamples = affordable(cells, options);
  if (resamples == 0) {
    if (const auto clean = clean_place(layout)) {
      cells.erase(
          std::remove_if(cells.begin(), cells.end(), [&](const SeedCells& each) { return each.condition != *clean; }),
          cells.end());
      resamples = affordable(cells, options);
      if (resamples > 0)
        result.notes.emplace_back(
            "Intervals and best values are given for the clean condition only: the run is too large to resample it all "
            "in some 10 s; report --resamples N gives them all.");
    }
  }
  if (resamples == 0 || cells.empty()) {
    result.notes.emplace_back(
        "No intervals and no best values: the run is too large to resample in some 10 s; report --resamples N gives "
        "them.");
    return result;
  }
  result.resamples = resamples;

  const int processors = available_processors();
  const bool many = cells.size() >= static_cast<size_t>(processors);
  std::vector<std::string> problems(cells.size());
  std::vector<char> grouped(cells.size(), 0);
  std::vector<int64_t> units(cells.size(), std::numeric_limits<int64_t>::max());
  parallel_for(static_cast<int64_t>(cells.size()), many ? processors : 1, [&](int64_t i) {
    const auto index = static_cast<size_t>(i);
    SeedCells& each = cells[index];
    try {
      std::vector<ScoredTracks> seeds = read_seeds(run, each);
      for (const ScoredTracks& tracks : seeds) {
        each.tracks.push_back(tracks_hash(tracks));
        if (has_groups(tracks)) grouped[index] = 1;
        units[index] = std::min(units[index], n_units(tracks));
      }
      each.own = seed_replicates(std::move(seeds), *each.rows.front(), metrics, selection, options, result.resamples,
                                 many ? 1 : processors);
    } catch (const DataError& error) {
      const Row& row = *each.rows.front();
      problems[index] = row.model_label + ", " + row.cell.condition + ", split " + row.cell.split + ": " + error.what();
      each.tracks.clear();
    }
  });
  note_problems(problems, result.notes);
  if (std::none_of(cells.begin(), cells.end(), [](const SeedCells& each) { return !each.own.empty(); })) {
    result.resamples = 0;
    return result;
  }
  result.fewest_units = *std::min_element(units.begin(), units.end());
  result.grouped = std::any_of(grouped.begin(), grouped.end(), [](char g) { return g != 0; });
  result.own = collect(cells, layout, metrics.size(), false);
  result.differ = pair_up(run, cells, metrics, selection, options, result);
  result.paired = result.differ ? collect(cells, layout, metrics.size(), true) : result.own;
  add_mean_drops(result.paired, cells, layout);
  if (selection.all()) {
    add_tag_findings(run, layout, cells, result);
  } else {
    result.notes.emplace_back(
        "Single tags have intervals and are compared between architectures in reports of all tags only.");
  }
  return result;
}

void add_intervals(const TableLayout& layout, const GroupReplicates& samples, size_t m, ResultTable& table) {
  table.resamples = samples.resamples;
  table.on_common_tracks = samples.differ;
  if (samples.resamples == 0) return;
  apply_replicates(table, samples.own[m], samples.paired[m]);
  std::vector<std::vector<std::optional<double>>> seed_errors;
  for (const LineCells& cells : layout.lines) seed_errors.push_back(squared_seed_errors(cells, layout, table.metric));
  compare_lines(table, samples.paired[m],
                compared_pairs(table.lines.size(), best_line(layout, table.metric), kMostPairedLines), seed_errors);
  if (table.metric != "roc_auc") return;
  table.tag_estimates = samples.tags.estimates;
  table.tag_comparisons = samples.tags.comparisons;
}

void note_intervals(const TableLayout& layout, const GroupReplicates& samples, ResultTable& table) {
  std::vector<std::string>& notes = table.notes;
  const std::string repeats = repeats_text(layout);
  if (!repeats.empty())
    notes.push_back("Values are means over " + repeats + "; ± is the sample standard deviation over " +
                    (layout.seeds.size() > 1 ? "seeds" : "folds") + ".");
  notes.insert(notes.end(), samples.notes.begin(), samples.notes.end());
  if (samples.resamples == 0) return;
  notes.push_back("Intervals: 95 %, bootstrap over the test " +
                  std::string(samples.grouped ? "tracks in whole groups (artists)" : "tracks") + ", " + "BCa, " +
                  grouped_digits(samples.resamples) + " resamples" +
                  (layout.splits.size() > 1 ? ", each fold drawn apart" : "") +
                  "; they hold for the trained systems as they are and say nothing about other training runs.");
  if (samples.fewest_units < kFewUnits) {
    notes.push_back("Only " + std::to_string(samples.fewest_units) +
                    (samples.grouped ? " groups (artists)" : " tracks") +
                    " are in a cell: intervals of so few independent parts are rough, and may be far too narrow.");
  }
  const bool marked = std::any_of(table.lines.begin(), table.lines.end(), [](const auto& line) {
    return line.mean_drop.best ||
           std::any_of(line.values.begin(), line.values.end(), [](const TableValue& v) { return v.best; });
  });
  if (table.lines.size() > 1) {
    notes.push_back(std::string(marked ? "Marked as best (bold)" : "No value is marked as best. The mark would stand") +
                    " where the 95 % interval of the paired difference to every other architecture, on the same "
                    "tracks, excludes a tie.");
  }
}

}  // namespace tagbench
