#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "harness/core/errors.h"
#include "harness/core/hash.h"
#include "harness/core/options.h"
#include "harness/core/parallel.h"
#include "harness/core/text.h"
#include "harness/metrics/robustness.h"
#include "harness/metrics/statistics.h"
#include "reports/line_comparisons.h"
#include "reports/line_replicates.h"
#include "reports/oracle.h"
#include "reports/report.h"
#include "reports/robustness_figures.h"
#include "reports/table_text.h"
#include "reports/tag_selection.h"
#include "results/scored_tracks.h"

namespace tagbench {
namespace {

constexpr size_t kMostNamed = 5;         // left-out tracks and undefined tags named in a note; the others are counted
constexpr size_t kMostFailed = 20;       // failed cells named
constexpr int64_t kFewUnits = 10;        // independent parts below which intervals are rough
constexpr size_t kMostPairedLines = 16;  // up to here every pair of architectures is compared
// Labels sorted to compare single tags: some 5 s.
constexpr int64_t kMostTagLabels = int64_t{60} * 1000 * 1000;

std::string counted(size_t n, const std::string& noun) {
  return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}

std::string first_names(const std::vector<std::string>& names, size_t most) {
  const size_t n = std::min(names.size(), most);
  std::string text = join_text({names.begin(), names.begin() + static_cast<std::ptrdiff_t>(n)}, ", ");
  if (names.size() > n) text += " and " + std::to_string(names.size() - n) + " more";
  return text;
}

// "fold3" is fold 3 of several; other splits stand alone.
std::optional<int64_t> fold_number(const std::string& split) {
  if (!starts_with(split, "fold")) return std::nullopt;
  return parse_integer(split.substr(4));
}

// All rows that may be averaged and compared with each other.
struct Group {
  std::vector<const Row*> rows;
  std::vector<std::string> differs;  // from other groups of the same dataset and protocol: "precision fp32"
};

std::vector<std::pair<std::string, std::string>> settings_of(const Row& row, const std::string& split_setting) {
  return {{"task", row.cell.task},
          {"protocol file", row.cell.protocol_sha256.substr(0, 12)},
          {"split", split_setting},
          {"precision", row.cell.precision},
          {"audio", row.cell.audio},
          {"conformance", std::to_string(row.cell.conformance)},
          {"tags", std::to_string(row.tags.size()) + " (" + sha256_hex(join_text(row.tags, "\n")).substr(0, 12) + ")"}};
}

std::vector<Group> group_rows(const std::vector<Row>& rows) {
  // A fold name with two hashes belongs to two assignments; which other folds belong to which cannot be known, so none
  // are averaged.
  std::map<std::tuple<std::string, std::string, std::string>, std::set<std::string>> hashes;
  const auto fold_key = [](const Row& row) {
    return std::make_tuple(row.cell.dataset, row.cell.protocol, row.cell.split);
  };
  std::set<std::pair<std::string, std::string>> ambiguous;
  for (const Row& row : rows) {
    auto& seen = hashes[fold_key(row)];
    seen.insert(row.cell.split_sha256);
    if (seen.size() > 1) ambiguous.emplace(row.cell.dataset, row.cell.protocol);
  }
  using Settings = std::vector<std::pair<std::string, std::string>>;
  std::vector<std::pair<std::pair<std::string, std::string>, Settings>> keys;
  std::vector<Group> groups;
  for (const Row& row : rows) {
    const std::pair<std::string, std::string> owner = {row.cell.dataset, row.cell.protocol};
    const bool averaged = fold_number(row.cell.split).has_value() && ambiguous.count(owner) == 0;
    const Settings settings =
        settings_of(row, averaged ? "folds" : row.cell.split + " (" + row.cell.split_sha256.substr(0, 12) + ")");
    const auto key = std::make_pair(owner, settings);
    const auto found = std::find(keys.begin(), keys.end(), key);
    if (found == keys.end()) {
      keys.push_back(key);
      groups.push_back({{&row}, {}});
    } else {
      groups[static_cast<size_t>(found - keys.begin())].rows.push_back(&row);
    }
  }
  for (size_t a = 0; a < groups.size(); ++a) {
    for (size_t s = 0; s < keys[a].second.size(); ++s) {
      const bool differs = std::any_of(keys.begin(), keys.end(), [&](const auto& other) {
        return other.first == keys[a].first && other.second[s] != keys[a].second[s];
      });
      if (differs) groups[a].differs.push_back(keys[a].second[s].first + " " + keys[a].second[s].second);
    }
  }
  return groups;
}

// A row of the table in the making: cells by condition, then by (split, seed, perturbation seed).
using Repeat = std::tuple<std::string, int64_t, int64_t>;
struct LineCells {
  std::string label;
  std::string model;
  std::vector<std::map<Repeat, const Row*>> by_condition;
  std::vector<const Row*> all;
};

struct Layout {
  std::vector<std::string> condition_labels;
  std::vector<std::string> condition_keys;
  std::vector<LineCells> lines;
  std::vector<std::pair<std::string, std::string>> splits;
  std::vector<int64_t> seeds;
};

Layout lay_out(const RunStore& run, const Group& group) {
  Layout layout;
  std::map<std::string, std::set<std::string>> keys_of_label;
  std::map<std::string, size_t> place_of_key;
  std::set<int64_t> seeds;
  std::set<std::pair<std::string, std::string>> splits;
  // Conditions in the order of the run's list, which the rows of any one model follow; a model may lack some, so the
  // list itself decides.
  std::vector<std::string> listed;
  if (run.has_run_json()) {
    const Json json = run.read_run_json();
    if (json.contains("conditions") && json["conditions"].is_array()) {
      for (const Json& entry : json["conditions"])
        listed.push_back(entry.is_string() ? entry.get<std::string>() : entry.dump());
    }
  }
  std::vector<std::pair<std::string, std::string>> conditions;  // label, key
  for (const Row* row : group.rows) {
    keys_of_label[row->cell.condition].insert(row->cell.condition_key);
    seeds.insert(row->cell.seed);
    splits.emplace(row->cell.split, row->cell.split_sha256);
    const auto condition = std::make_pair(row->cell.condition, row->cell.condition_key);
    if (place_of_key.emplace(row->cell.condition_key, 0).second) conditions.push_back(condition);
  }
  const auto rank = [&](const auto& condition) {
    const auto place = std::find(listed.begin(), listed.end(), condition.first) - listed.begin();
    return std::make_tuple(place, condition.first != "clean", condition.first, condition.second);
  };
  std::sort(conditions.begin(), conditions.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  for (size_t i = 0; i < conditions.size(); ++i) {
    const auto& [label, key] = conditions[i];
    place_of_key[key] = i;
    // One label, two versions of the perturbation: two columns.
    layout.condition_labels.push_back(keys_of_label[label].size() > 1 ? label + " <" + key + ">" : label);
    layout.condition_keys.push_back(key);
  }
  layout.splits.assign(splits.begin(), splits.end());
  std::sort(layout.splits.begin(), layout.splits.end(), [](const auto& a, const auto& b) {
    return std::make_pair(fold_number(a.first).value_or(0), a) < std::make_pair(fold_number(b.first).value_or(0), b);
  });
  layout.seeds.assign(seeds.begin(), seeds.end());

  std::map<std::tuple<std::string, std::string, std::string, std::string>, size_t> place_of_line;
  std::map<std::string, int> uses_of_label;
  for (const Row* row : group.rows) {
    const auto identity =
        std::make_tuple(row->model_label, row->cell.model, row->cell.model_options, row->cell.weights_sha256);
    const auto [place, is_new] = place_of_line.emplace(identity, layout.lines.size());
    if (is_new) {
      LineCells line;
      line.label = row->model_label;
      line.model = row->cell.model;
      line.by_condition.resize(conditions.size());
      layout.lines.push_back(line);
      ++uses_of_label[row->model_label];
    }
    LineCells& line = layout.lines[place->second];
    line.by_condition[place_of_key[row->cell.condition_key]]
                     [{row->cell.split, row->cell.seed, row->cell.perturbation_seed}] = row;
    line.all.push_back(row);
  }
  for (const auto& [identity, place] : place_of_line) {
    if (uses_of_label[std::get<0>(identity)] < 2) continue;
    const std::string& weights = std::get<3>(identity);
    layout.lines[place].label +=
        weights.empty() ? " (" + std::get<2>(identity) + ")" : " (weights " + weights.substr(0, 8) + ")";
  }
  return layout;
}

TableValue summarize(const std::vector<double>& values, const std::string& reason) {
  const SampleSummary sample = summarize_sample(values);
  TableValue summary;
  summary.n = sample.n;
  summary.mean = sample.mean;
  summary.deviation = sample.deviation;
  if (!summary.mean) summary.reason = reason;
  return summary;
}

// Means over folds, per seed; seeds without a value are left out.
std::map<int64_t, double> seed_means(const std::map<Repeat, const Row*>& cells, const std::string& metric) {
  std::map<int64_t, std::vector<double>> values;
  for (const auto& [repeat, row] : cells) {
    const MetricValue value = metric_of(*row, metric);
    if (value.value) values[std::get<1>(repeat)].push_back(*value.value);
  }
  std::map<int64_t, double> means;
  for (const auto& [seed, of_seed] : values) means[seed] = arithmetic_mean(of_seed);
  return means;
}

TableValue condition_value(const std::map<Repeat, const Row*>& cells, const std::string& metric) {
  std::vector<double> values;
  std::string reason = "not computed";
  for (const auto& [repeat, row] : cells) {
    const MetricValue value = metric_of(*row, metric);
    if (value.value) {
      values.push_back(*value.value);
    } else {
      reason = value.reason;
    }
  }
  TableValue summary = summarize(values, reason);
  const std::map<int64_t, double> seeds = seed_means(cells, metric);
  if (seeds.size() < 2) return summary;
  std::vector<double> of_seeds;
  for (const auto& [seed, mean] : seeds) of_seeds.push_back(mean);
  summary.deviation = summarize_sample(of_seeds).deviation;
  return summary;
}

std::optional<size_t> clean_place(const Layout& layout) {
  const auto found = std::find(layout.condition_labels.begin(), layout.condition_labels.end(), "clean");
  if (found == layout.condition_labels.end()) return std::nullopt;
  return static_cast<size_t>(found - layout.condition_labels.begin());
}

// Of every repeat that has every condition, by seed: drops over another set of conditions than the neighbours' would
// not compare.
struct MeanDrops {
  std::map<int64_t, std::vector<double>> by_seed;
  std::string missing;  // a condition that some repeat lacks
};

MeanDrops mean_drops(const LineCells& line, const Layout& layout, size_t clean, const std::string& metric) {
  std::map<std::pair<std::string, int64_t>, std::vector<std::vector<double>>> by_repeat;
  for (size_t c = 0; c < layout.condition_labels.size(); ++c) {
    for (const auto& [repeat, row] : line.by_condition[c]) {
      auto& values = by_repeat[{std::get<0>(repeat), std::get<1>(repeat)}];
      values.resize(layout.condition_labels.size());
      const MetricValue value = metric_of(*row, metric);
      if (value.value) values[c].push_back(*value.value);
    }
  }
  MeanDrops drops;
  for (const auto& [repeat, values] : by_repeat) {
    double sum = 0.0;
    bool whole = true;
    for (size_t c = 0; c < values.size(); ++c) {
      if (values[c].empty()) {
        whole = false;
        drops.missing = layout.condition_labels[c];
        break;
      }
      if (c != clean) sum += arithmetic_mean(values[c]);
    }
    if (!whole) continue;
    drops.by_seed[repeat.second].push_back(arithmetic_mean(values[clean]) -
                                           sum / static_cast<double>(values.size() - 1));
  }
  return drops;
}

// Per repeat first, so that the deviation is that of the drop itself.
TableValue mean_drop_value(const LineCells& line, const Layout& layout, const std::string& metric) {
  const auto clean = clean_place(layout);
  if (!clean) return summarize({}, "no clean condition");
  if (layout.condition_labels.size() < 2) return summarize({}, "no condition but clean");
  const MeanDrops drops = mean_drops(line, layout, *clean, metric);
  std::vector<double> all;
  std::vector<double> of_seeds;
  for (const auto& [seed, of_seed] : drops.by_seed) {
    all.insert(all.end(), of_seed.begin(), of_seed.end());
    of_seeds.push_back(arithmetic_mean(of_seed));
  }
  TableValue summary = summarize(all, drops.missing.empty() ? "not computed" : "no value under " + drops.missing);
  if (of_seeds.size() > 1) summary.deviation = summarize_sample(of_seeds).deviation;
  return summary;
}

void add_throughput(ResultTable::Line& line, const std::string& label, const std::string& precision,
                    const std::vector<ThroughputRow>& throughput) {
  // The whole system in the precision of the accuracies; the largest batch tells the rate, batch 1 the latency.
  const ThroughputRow* rate = nullptr;
  const ThroughputRow* latency = nullptr;
  for (const ThroughputRow& row : throughput) {
    if (row.model_label != label || row.part != "whole" || row.precision != precision) continue;
    if (row.clips_per_s && (rate == nullptr || row.batch > rate->batch)) rate = &row;
    if (row.p50_ms && row.batch == 1 && latency == nullptr) latency = &row;
  }
  for (const ThroughputRow* row : {rate, latency}) {
    if (row != nullptr && !row->valid) line.throughput_note = "invalid: " + row->invalid_reason;
  }
  if (!line.throughput_note.empty()) return;
  if (rate != nullptr) {
    line.clips_per_s = rate->clips_per_s;
    line.clips_per_s_spread = rate->clips_per_s_spread;
  }
  if (latency != nullptr) line.latency_p50_ms = latency->p50_ms;
}

// ---- notes ----

void note_undefined_tags(const Group& group, const TagSelection& selection, std::vector<std::string>& notes) {
  std::map<std::string, size_t> cells_of_tag;
  size_t n_cells = 0;
  size_t n_tags = 0;
  for (const Row* row : group.rows) {
    if (!row->metrics) continue;
    ++n_cells;
    const auto selected =
        std::count_if(row->tags.begin(), row->tags.end(), [&](const std::string& tag) { return selection.holds(tag); });
    n_tags = std::max(n_tags, static_cast<size_t>(selected));
    for (const int64_t tag : row->metrics->undefined_tags) ++cells_of_tag[row->tags[static_cast<size_t>(tag)]];
  }
  if (cells_of_tag.empty()) return;
  std::vector<std::string> names;
  for (const auto& [tag, n] : cells_of_tag)
    names.push_back(n == n_cells ? tag
                                 : tag + " (in " + std::to_string(n) + " of " + std::to_string(n_cells) + " cells)");
  notes.push_back("Undefined tags (labels of one class only), left out of the means: " + std::to_string(names.size()) +
                  " of " + std::to_string(n_tags) + ": " + first_names(names, kMostNamed * 2) + ".");
}

void note_short_tracks(const Layout& layout, std::vector<std::string>& notes) {
  for (const LineCells& line : layout.lines) {
    int64_t most = 0;
    int64_t of = 0;
    for (const Row* row : line.all) {
      if (row->n_short_tracks <= most) continue;
      most = row->n_short_tracks;
      of = row->n_tracks;
    }
    if (most > 0) {
      notes.push_back("Tracks shorter than a chunk, filled up as the protocol says: " + line.label + ": up to " +
                      std::to_string(most) + " of " + std::to_string(of) + " in a cell.");
    }
  }
}

void note_left_out_tracks(const Group& group, std::vector<std::string>& notes) {
  std::map<std::string, std::pair<size_t, std::string>> failures;  // id: number of cells, first message
  size_t n_cells = 0;
  for (const Row* row : group.rows) {
    if (row->status == "done") ++n_cells;
    std::set<std::string> ids;
    for (const TrackFailure& failure : row->failures) {
      if (!ids.insert(failure.id).second) continue;
      auto& entry = failures[failure.id];
      if (entry.first++ == 0) entry.second = failure.message;
    }
  }
  if (failures.empty()) return;
  std::vector<std::string> names;
  for (const auto& [id, entry] : failures) {
    names.push_back(id + " (" + entry.second +
                    (entry.first == n_cells
                         ? ")"
                         : "; in " + std::to_string(entry.first) + " of " + std::to_string(n_cells) + " cells)"));
  }
  notes.push_back("Left out: " + counted(names.size(), "track") + ": " + first_names(names, kMostNamed) + ".");
}

void note_failed_cells(const Group& group, std::vector<std::string>& notes) {
  std::vector<std::pair<std::string, std::vector<const Row*>>>
      failures;  // by what a note says, in the order of the rows
  for (const Row* row : group.rows) {
    if (row->status == "done") continue;
    const std::string what = row->model_label + ", " + row->cell.condition + ": " + row->message;
    const auto found =
        std::find_if(failures.begin(), failures.end(), [&](const auto& failure) { return failure.first == what; });
    if (found == failures.end()) {
      failures.push_back({what, {row}});
    } else {
      found->second.push_back(row);
    }
  }
  for (size_t i = 0; i < std::min(failures.size(), kMostFailed); ++i) {
    const auto& [what, rows] = failures[i];
    std::string where = "split " + rows.front()->cell.split + ", seed " + std::to_string(rows.front()->cell.seed);
    if (rows.size() > 1) where += " and " + counted(rows.size() - 1, "other cell");
    notes.push_back("Failed (" + where + "): " + what);
  }
  if (failures.size() > kMostFailed) {
    size_t n = 0;
    for (size_t i = kMostFailed; i < failures.size(); ++i) n += failures[i].second.size();
    notes.push_back("Failed beside these: " + counted(n, "cell") + ".");
  }
}

void note_unequal_repeats(const ResultTable& table, const Layout& layout, std::vector<std::string>& notes) {
  int64_t most = 0;
  for (const auto& line : table.lines) {
    for (const TableValue& value : line.values) most = std::max(most, value.n);
  }
  for (const auto& line : table.lines) {
    std::vector<std::string> fewer;
    for (size_t c = 0; c < line.values.size(); ++c) {
      const TableValue& value = line.values[c];
      if (value.n == most) continue;
      fewer.push_back(layout.condition_labels[c] + " " + std::to_string(value.n) + " of " + std::to_string(most) +
                      (value.mean ? "" : " (" + value.reason + ")"));
    }
    if (!fewer.empty())
      notes.push_back("Fewer rows than elsewhere in the table: " + line.model_label + ": " +
                      first_names(fewer, kMostFailed) + ".");
  }
}

void note_run(const RunStore& run, std::vector<std::string>& notes) {
  if (!run.has_run_json()) {
    notes.emplace_back("run.json is missing: the run was not started properly or its folder is incomplete.");
    return;
  }
  const Json json = run.read_run_json();
  const auto status = json.find("status");
  if (status != json.end() && status->is_string() && *status != "done" && *status != "finished") {
    notes.push_back("The run is not complete (status: " + status->get<std::string>() + "): cells may be missing.");
  }
  const auto given = json.find("notes");
  if (given == json.end() || !given->is_array()) return;
  for (const Json& note : *given) {
    if (note.is_string()) notes.push_back(note.get<std::string>());
  }
}

// ---- intervals ----

void set_interval(TableValue& value, const BySplit& replicates) {
  const std::vector<Replicates> mean = on_shared_splits({&replicates});
  if (!value.mean || mean.empty()) return;
  const auto interval = estimate_of(mean.front()).interval;
  if (!interval) return;
  value.low = interval->low;
  value.high = interval->high;
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

struct GroupReplicates {
  std::vector<std::vector<LineReplicates>> own;     // [metric][line], on all tracks of each cell
  std::vector<std::vector<LineReplicates>> paired;  // on the tracks that all cells of a split have
  std::vector<TagComparison> tag_comparisons;
  int resamples = 0;
  bool grouped = false;                                        // whole groups were drawn
  int64_t fewest_units = std::numeric_limits<int64_t>::max();  // groups (tracks without one) that a cell is made of
  std::vector<std::string> notes;
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

std::vector<std::vector<LineReplicates>> collect(const std::vector<SeedCells>& cells, const Layout& layout,
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
                    const Layout& layout) {
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
                             " hold the same tracks and groups; best values, differences and the intervals of mean "
                             "drops are those of the " +
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

size_t best_line(const Layout& layout, const std::string& metric) {
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

// ROC-AUC of single tags under the clean condition.
void add_tag_comparisons(const RunStore& run, const Layout& layout, const std::vector<SeedCells>& cells,
                         GroupReplicates& result) {
  const auto clean = clean_place(layout);
  if (!clean || layout.lines.size() < 2) return;
  std::vector<std::map<std::string, const SeedCells*>> by_line(layout.lines.size());
  int64_t n_labels = 0;
  for (const SeedCells& each : cells) {
    if (each.condition != *clean || each.own.empty()) continue;
    by_line[each.line][each.split] = &each;
    n_labels += each.n_labels();
  }
  std::set<std::string> shared;
  for (const auto& of_first_line : by_line.front()) {
    const std::string& wanted = of_first_line.second->tracks.front();
    const bool everywhere = std::all_of(by_line.begin(), by_line.end(), [&](const auto& line) {
      const auto found = line.find(of_first_line.first);
      if (found == line.end()) return false;
      const auto& tracks = found->second->tracks;
      return std::all_of(tracks.begin(), tracks.end(), [&](const std::string& t) { return t == wanted; });
    });
    if (everywhere) shared.insert(of_first_line.first);
  }
  if (shared.size() < layout.splits.size()) {
    result.notes.emplace_back(
        "Single tags are not compared between architectures: not all have scores of the same tracks under the clean "
        "condition.");
    return;
  }
  if (n_labels > kMostTagLabels) {
    result.notes.emplace_back("Single tags are not compared between architectures: the run is too large.");
    return;
  }
  std::vector<LineScores> lines(by_line.size());
  parallel_for(static_cast<int64_t>(lines.size()), available_processors(), [&](int64_t l) {
    for (const auto& [split, each] : by_line[static_cast<size_t>(l)])
      lines[static_cast<size_t>(l)].push_back(read_seeds(run, *each));
  });
  const auto pairs = compared_pairs(lines.size(), best_line(layout, "roc_auc"), kMostPairedLines);
  result.tag_comparisons = compare_tags(layout.lines.front().all.front()->tags, lines, pairs, available_processors());
}

std::vector<SeedCells> seed_cells(const Layout& layout) {
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

GroupReplicates resample_group(const RunStore& run, const Layout& layout, const std::vector<std::string>& metrics,
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
            "in a report with its usual limit.");
    }
  }
  if (resamples == 0 || cells.empty()) {
    result.notes.emplace_back(
        "No intervals and no best values: the run is too large to resample in a report with its usual limit.");
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
      problems[index] = error.what();
      each.tracks.clear();
    }
  });
  for (const std::string& problem : problems) {
    if (!problem.empty()) result.notes.push_back("No interval for a cell: " + problem);
  }
  result.fewest_units = *std::min_element(units.begin(), units.end());
  result.grouped = std::any_of(grouped.begin(), grouped.end(), [](char g) { return g != 0; });
  result.own = collect(cells, layout, metrics.size(), false);
  const bool differ = pair_up(run, cells, metrics, selection, options, result);
  result.paired = differ ? collect(cells, layout, metrics.size(), true) : result.own;
  add_mean_drops(result.paired, cells, layout);
  if (selection.all()) {
    add_tag_comparisons(run, layout, cells, result);
  } else {
    result.notes.emplace_back("Single tags are compared between architectures in reports of all tags only.");
  }
  return result;
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
      set_interval(*values.back(), drop ? paired[l].mean_drop : own[l].by_condition[c]);
      replicates.push_back(drop ? &paired[l].mean_drop : &paired[l].by_condition[c]);
    }
    mark_best(values, replicates, higher_is_better != drop);
  }
}

// The squared standard error of the mean over seeds, under every condition and of the mean drop; nothing for one seed.
std::vector<std::optional<double>> squared_seed_errors(const LineCells& cells, const Layout& layout,
                                                       const std::string& metric) {
  std::vector<std::optional<double>> errors;
  for (const auto& condition : cells.by_condition) {
    std::vector<double> of_seeds;
    for (const auto& [seed, mean] : seed_means(condition, metric)) of_seeds.push_back(mean);
    errors.push_back(squared_error_of_mean(of_seeds));
  }
  std::vector<double> of_seeds;
  const auto clean = clean_place(layout);
  if (clean && layout.condition_labels.size() > 1) {
    for (const auto& [seed, drops] : mean_drops(cells, layout, *clean, metric).by_seed)
      of_seeds.push_back(arithmetic_mean(drops));
  }
  errors.push_back(squared_error_of_mean(of_seeds));
  return errors;
}

// What guessing reaches: 1/2; the share of positives, averaged over the tags that have any; one in as many classes.
double chance_level(const Group& group, const TagSelection& selection, const std::string& metric) {
  if (metric == "roc_auc") return 0.5;
  std::vector<double> shares;
  for (const Row* row : group.rows) {
    if (!row->metrics) continue;
    if (metric == "accuracy") return 1.0 / static_cast<double>(std::max<size_t>(1, row->tags.size()));
    std::vector<double> of_tags;
    for (size_t t = 0; t < row->tags.size(); ++t) {
      const TagMetrics& tag = row->metrics->per_tag[t];
      if (tag.average_precision.value && selection.holds(row->tags[t]))
        of_tags.push_back(static_cast<double>(tag.n_positive) / static_cast<double>(tag.n_known));
    }
    if (!of_tags.empty()) shares.push_back(arithmetic_mean(of_tags));
  }
  return shares.empty() ? 0.0 : arithmetic_mean(shares);
}

void add_robustness_figures(ResultTable& table, const Group& group, const Layout& layout, const TagSelection& selection,
                            const std::vector<LineReplicates>& replicates, const std::string& reference) {
  const auto clean = clean_place(layout);
  if (!clean || table.conditions.size() < 2) return;
  size_t reference_line = 0;
  bool has_reference = reference.empty();
  for (size_t l = 0; l < table.lines.size(); ++l) {
    if (table.lines[l].model_label != reference) continue;
    reference_line = l;
    has_reference = true;
  }
  if (!has_reference)
    table.notes.push_back("The reference " + reference + " is not in this table; " + table.lines.front().model_label +
                          " takes its place.");
  table.chance = chance_level(group, selection, table.metric);
  std::vector<RobustnessInput> inputs;
  for (size_t l = 0; l < table.lines.size(); ++l) {
    RobustnessInput input;
    for (size_t c = 0; c < table.conditions.size(); ++c) {
      input.means.push_back(table.lines[l].values[c].mean);
      std::map<std::pair<std::string, int64_t>, std::vector<double>> found;  // several seeds of the perturbation
      for (const auto& [repeat, row] : layout.lines[l].by_condition[c]) {
        const MetricValue value = metric_of(*row, table.metric);
        if (value.value) found[{std::get<0>(repeat), std::get<1>(repeat)}].push_back(*value.value);
      }
      for (const auto& [repeat, values] : found) {
        OptionalValues& of_repeat = input.repeats[repeat.first][repeat.second];
        of_repeat.resize(table.conditions.size());
        of_repeat[c] = arithmetic_mean(values);
      }
    }
    if (!replicates.empty()) input.replicates = replicates[l];
    inputs.push_back(std::move(input));
  }
  add_robustness(table, inputs, *clean, reference_line);
}

std::string repeats_text(const Layout& layout) {
  std::vector<std::string> parts;
  if (layout.seeds.size() > 1) parts.push_back(counted(layout.seeds.size(), "seed"));
  if (layout.splits.size() > 1) parts.push_back(counted(layout.splits.size(), "fold"));
  return join_text(parts, " and ");
}

void note_intervals(const ResultTable& table, const Layout& layout, const GroupReplicates& samples,
                    std::vector<std::string>& notes) {
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

ResultTable table_frame(const Group& group, const Layout& layout, const std::string& metric) {
  const Row& any = *group.rows.front();
  ResultTable table;
  table.metric = metric;
  table.dataset = any.cell.dataset;
  table.task = any.cell.task;
  table.protocol = any.cell.protocol;
  table.protocol_sha256 = any.cell.protocol_sha256;
  table.precision = any.cell.precision;
  table.audio = any.cell.audio;
  table.tracks = any.tracks;
  table.conformance = any.cell.conformance;
  table.splits = layout.splits;
  table.seeds = layout.seeds;
  table.conditions = layout.condition_labels;
  if (layout.splits.size() == 1) {
    table.split = layout.splits[0].first;
    table.split_sha256 = layout.splits[0].second;
  } else {
    table.split = layout.splits.front().first + " to " + layout.splits.back().first;
    std::string all;
    for (const auto& [name, sha256] : layout.splits) all += name + " " + sha256 + "\n";
    table.split_sha256 = sha256_hex(all);
  }
  return table;
}

ResultTable::Line table_line(const LineCells& cells, const Layout& layout, const ResultTable& table,
                             const std::vector<ThroughputRow>& throughput) {
  ResultTable::Line line;
  line.model_label = cells.label;
  for (const auto& condition : cells.by_condition) line.values.push_back(condition_value(condition, table.metric));
  line.mean_drop = mean_drop_value(cells, layout, table.metric);
  std::set<std::string> left_out;
  for (const Row* row : cells.all) {
    line.parameters = std::max(line.parameters, row->parameters);
    line.n_failed += row->status == "done" ? 0 : 1;
    for (const TrackFailure& failure : row->failures) left_out.insert(failure.id);
    line.keys.push_back(row->cell.key());
  }
  line.n_tracks_left_out = static_cast<int64_t>(left_out.size());
  add_throughput(line, cells.all.front()->model_label, table.precision, throughput);
  return line;
}

void note_throughput(const ResultTable& table, const std::vector<ThroughputRow>& throughput,
                     std::vector<std::string>& notes) {
  std::set<std::string> settings;
  for (const ThroughputRow& row : throughput) {
    if (row.part == "whole" && row.precision == table.precision) {
      settings.insert(row.device + ", " + counted(static_cast<size_t>(std::max(row.threads, 0)), "thread") + ", " +
                      row.precision);
    }
  }
  for (const auto& line : table.lines) {
    if (!line.throughput_note.empty())
      notes.push_back("Speed of " + line.model_label + " is not shown: the measurement is " + line.throughput_note);
  }
  if (settings.empty()) return;
  notes.push_back("Speed, front end included (" + join_text({settings.begin(), settings.end()}, "; ") +
                  "): clips/s with the largest batch measured, latency of batch 1 (median).");
  if (settings.size() > 1) notes.emplace_back("Speeds were measured under several settings: compare within one only.");
}

void check_reference(const std::vector<ResultTable>& tables, const std::string& reference) {
  if (reference.empty() || tables.empty()) return;
  std::vector<std::string> known;
  for (const ResultTable& table : tables) {
    for (const auto& line : table.lines) {
      if (line.model_label == reference) return;
      if (std::find(known.begin(), known.end(), line.model_label) == known.end()) known.push_back(line.model_label);
    }
  }
  throw_unknown_name("reference architecture", reference, known);
}

std::vector<ResultTable> tables_over(const RunStore& run, const std::vector<Row>& all_rows,
                                     const TagSelection& selection, const ReportOptions& options) {
  std::vector<Row> rows;
  for (const Row& row : all_rows) rows.push_back(selection.narrowed(row));
  const std::vector<ThroughputRow> throughput = run.throughput();
  std::vector<ResultTable> tables;
  for (const Group& group : group_rows(rows)) {
    const Layout layout = lay_out(run, group);
    std::vector<std::string> metrics;
    // Accuracy is about all classes at once.
    if (group.rows.front()->cell.task == "multiclass" && selection.all()) metrics.emplace_back("accuracy");
    metrics.emplace_back("roc_auc");
    metrics.emplace_back("average_precision");
    const GroupReplicates samples = resample_group(run, layout, metrics, selection, options);
    std::vector<OracleInput> systems;
    for (const LineCells& cells : layout.lines) systems.push_back({cells.label, cells.all});
    std::vector<std::string> oracle_notes;
    const auto oracle = oracle_lines(run, systems, metrics, selection, options, oracle_notes);
    for (size_t m = 0; m < metrics.size(); ++m) {
      ResultTable table = table_frame(group, layout, metrics[m]);
      table.resamples = samples.resamples;
      table.oracle = oracle[m];
      for (const LineCells& cells : layout.lines) table.lines.push_back(table_line(cells, layout, table, throughput));
      if (samples.resamples > 0) {
        apply_replicates(table, samples.own[m], samples.paired[m]);
        std::vector<std::vector<std::optional<double>>> seed_errors;
        for (size_t l = 0; l < layout.lines.size(); ++l)
          seed_errors.push_back(squared_seed_errors(layout.lines[l], layout, table.metric));
        compare_lines(table, samples.paired[m],
                      compared_pairs(table.lines.size(), best_line(layout, table.metric), kMostPairedLines),
                      seed_errors);
        if (table.metric == "roc_auc") table.tag_comparisons = samples.tag_comparisons;
      }
      add_robustness_figures(table, group, layout, selection,
                             samples.resamples > 0 ? samples.paired[m] : std::vector<LineReplicates>(),
                             options.reference);
      if (!group.differs.empty()) {
        table.notes.push_back("A table of its own, not to be merged with others of this data set and protocol: " +
                              join_text(group.differs, ", ") + ".");
      }
      note_intervals(table, layout, samples, table.notes);
      note_unequal_repeats(table, layout, table.notes);
      note_failed_cells(group, table.notes);
      note_left_out_tracks(group, table.notes);
      note_short_tracks(layout, table.notes);
      note_undefined_tags(group, selection, table.notes);
      note_throughput(table, throughput, table.notes);
      table.notes.insert(table.notes.end(), oracle_notes.begin(), oracle_notes.end());
      note_run(run, table.notes);
      tables.push_back(std::move(table));
    }
  }
  check_reference(tables, options.reference);
  return tables;
}

std::string named_tags(const std::vector<FalsifiedTag>& tags) {
  std::vector<std::string> texts;
  for (const FalsifiedTag& tag : tags) texts.push_back(tag.tag + " (" + first_names(tag.conditions, kMostNamed) + ")");
  return first_names(texts, kMostFailed);
}

}  // namespace

std::vector<ResultTable> build_tables(const RunStore& run, const ReportOptions& options) {
  const std::vector<Row> rows = run.rows();
  if (options.falsified_tags == FalsifiedTags::kKeep) return tables_over(run, rows, {}, options);
  const std::vector<FalsifiedTag> falsified = falsified_tags(
      run, rows, options.tag_kinds != nullptr ? *options.tag_kinds : std::map<std::string, std::string>());
  if (falsified.empty()) {
    std::vector<ResultTable> tables = tables_over(run, rows, {}, options);
    for (ResultTable& table : tables)
      table.notes.emplace_back("No tag is of a kind that a condition of the run may falsify: none is left out.");
    return tables;
  }
  const std::string count = counted(falsified.size(), "tag");
  std::vector<ResultTable> tables = tables_over(run, rows, TagSelection::without(falsified), options);
  for (ResultTable& table : tables) {
    table.tags_shown = "without " + count + " that conditions may falsify";
    table.notes.push_back(
        "Left out under every condition, because some may make their labels wrong: " + named_tags(falsified) + ".");
  }
  if (options.falsified_tags == FalsifiedTags::kOmit) return tables;
  for (ResultTable& table : tables_over(run, rows, TagSelection::only(falsified), options)) {
    table.tags_shown = "only " + count + " that conditions may falsify";
    table.notes.push_back(
        "These tags alone, whose labels the conditions in brackets may make wrong: " + named_tags(falsified) + ".");
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace tagbench
