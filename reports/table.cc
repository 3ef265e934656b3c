#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "harness/core/errors.h"
#include "harness/core/hash.h"
#include "harness/core/options.h"
#include "harness/core/parallel.h"
#include "harness/core/text.h"
#include "harness/metrics/statistics.h"
#include "reports/report.h"
#include "reports/table_text.h"
#include "results/scored_tracks.h"

namespace tagbench {
namespace {

constexpr size_t kMostNamed = 5;    // left-out tracks and undefined tags named in a note; the others are counted
constexpr size_t kMostFailed = 20;  // failed cells named

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
  return {{"task", row.cell.task},   {"protocol file", row.cell.protocol_sha256.substr(0, 12)},
          {"split", split_setting},  {"precision", row.cell.precision},
          {"audio", row.cell.audio}, {"conformance", std::to_string(row.cell.conformance)}};
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

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
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
  return summarize(values, reason);
}

std::optional<size_t> clean_place(const Layout& layout) {
  const auto found = std::find(layout.condition_labels.begin(), layout.condition_labels.end(), "clean");
  if (found == layout.condition_labels.end()) return std::nullopt;
  return static_cast<size_t>(found - layout.condition_labels.begin());
}

// Per repeat first, so that the deviation is that of the drop itself. A repeat counts only if it has every condition.
TableValue mean_drop_value(const LineCells& line, const Layout& layout, const std::string& metric) {
  const auto clean = clean_place(layout);
  if (!clean) return summarize({}, "no clean condition");
  if (layout.condition_labels.size() < 2) return summarize({}, "no condition but clean");
  // Drops over another set of conditions than the neighbours' would not compare.
  std::map<std::pair<std::string, int64_t>, std::vector<std::vector<double>>> by_repeat;
  std::string missing;
  for (size_t c = 0; c < layout.condition_labels.size(); ++c) {
    for (const auto& [repeat, row] : line.by_condition[c]) {
      auto& values = by_repeat[{std::get<0>(repeat), std::get<1>(repeat)}];
      values.resize(layout.condition_labels.size());
      const MetricValue value = metric_of(*row, metric);
      if (value.value) values[c].push_back(*value.value);
    }
  }
  std::vector<double> drops;
  for (const auto& [repeat, values] : by_repeat) {
    double sum = 0.0;
    bool whole = true;
    for (size_t c = 0; c < values.size(); ++c) {
      if (values[c].empty()) {
        whole = false;
        missing = layout.condition_labels[c];
        break;
      }
      if (c != *clean) sum += mean_of(values[c]);
    }
    if (whole) drops.push_back(mean_of(values[*clean]) - sum / static_cast<double>(values.size() - 1));
  }
  return summarize(drops, missing.empty() ? "not computed" : "no value under " + missing);
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

void note_undefined_tags(const Group& group, std::vector<std::string>& notes) {
  std::map<std::string, size_t> cells_of_tag;
  size_t n_cells = 0;
  size_t n_tags = 0;
  for (const Row* row : group.rows) {
    if (!row->metrics) continue;
    ++n_cells;
    n_tags = std::max(n_tags, row->tags.size());
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

// A figure of one line on the tracks of one split, averaged over seeds.
struct Sample {
  double estimate = 0.0;
  std::vector<double> resamples;  // NaN where undefined in a resample, which never leaves this file

  void add(const Sample& other, double weight) {
    estimate += weight * other.estimate;
    resamples.resize(other.resamples.size(), 0.0);
    for (size_t r = 0; r < resamples.size(); ++r) resamples[r] += weight * other.resamples[r];
  }
};
using BySplit = std::map<std::string, Sample>;

// Of one metric.
struct LineSamples {
  std::vector<BySplit> by_condition;
  BySplit mean_drop;
};

BySplit mean_drop_samples(const LineSamples& line, size_t clean) {
  BySplit drops;
  const size_t n_conditions = line.by_condition.size();
  if (n_conditions < 2) return drops;
  for (const auto& [split, clean_sample] : line.by_condition[clean]) {
    Sample drop = clean_sample;
    bool whole = true;
    for (size_t c = 0; c < n_conditions && whole; ++c) {
      if (c == clean) continue;
      const auto found = line.by_condition[c].find(split);
      whole = found != line.by_condition[c].end();
      if (whole) drop.add(found->second, -1.0 / static_cast<double>(n_conditions - 1));
    }
    if (whole) drops[split] = drop;
  }
  return drops;
}

// The mean over the splits that `other` has too. Folds are drawn independently, so value r of one and value r of
// another make one draw of both.
std::optional<Sample> over_splits(const BySplit& samples, const BySplit& other) {
  Sample mean;
  const auto shared =
      std::count_if(samples.begin(), samples.end(), [&](const auto& entry) { return other.count(entry.first) > 0; });
  if (shared == 0) return std::nullopt;
  for (const auto& [split, sample] : samples) {
    if (other.count(split) > 0) mean.add(sample, 1.0 / static_cast<double>(shared));
  }
  return mean;
}

void set_interval(TableValue& value, const BySplit& samples, double lowest) {
  const auto sample = over_splits(samples, samples);
  if (!value.mean || !sample) return;
  const auto interval = centred_interval(sample->resamples, sample->estimate);
  if (!interval) return;
  value.low = std::max(interval->low, lowest);
  value.high = std::min(interval->high, 1.0);
}

// True if the interval of first minus second lies above 0.
bool surely_greater(const BySplit& first, const BySplit& second) {
  std::optional<Sample> difference = over_splits(first, second);
  const std::optional<Sample> subtracted = over_splits(second, first);
  if (!difference || !subtracted) return false;
  difference->add(*subtracted, -1.0);
  const auto interval = centred_interval(difference->resamples, difference->estimate);
  return interval && interval->low > 0.0;
}

// Marks the best of a column if it is surely better than every other that has a value. `sign` -1: the smallest is the
// best.
void mark_best(const std::vector<TableValue*>& values, const std::vector<const BySplit*>& samples, double sign) {
  std::optional<size_t> best;
  size_t n_values = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i]->mean) continue;
    ++n_values;
    if (!best || sign * *values[i]->mean > sign * *values[*best]->mean) best = i;
  }
  if (n_values < 2) return;
  for (size_t i = 0; i < values.size(); ++i) {
    if (i == *best || !values[i]->mean) continue;
    const bool greater =
        sign > 0 ? surely_greater(*samples[*best], *samples[i]) : surely_greater(*samples[i], *samples[*best]);
    if (!greater) return;
  }
  values[*best]->best = true;
}

struct GroupSamples {
  std::vector<std::vector<LineSamples>> own;     // [metric][line], on all tracks of each cell
  std::vector<std::vector<LineSamples>> paired;  // on the tracks that all cells of a split have; empty: the same as own
  int resamples = 0;
  bool grouped = false;  // whole groups were drawn
  std::vector<std::string> notes;
};

// One per metric; a metric without a value has no resamples.
using MetricSamples = std::vector<Sample>;

MetricSamples metric_samples(const ScoredTracks& tracks, const Row& row, const std::vector<std::string>& metrics,
                             const ReportOptions& options, int resamples, int threads) {
  const TaggingReplicates replicates =
      resample(tracks, row.cell.split_sha256, row.cell.task == "multiclass", resamples, options.seed, threads);
  MetricSamples samples(metrics.size());
  for (size_t m = 0; m < metrics.size(); ++m) {
    const Replicates& of_metric = replicates_of(replicates, metrics[m]);
    if (!of_metric.estimate.value) continue;
    samples[m].estimate = *of_metric.estimate.value;
    for (const std::optional<double>& value : of_metric.values) {
      samples[m].resamples.push_back(value.value_or(std::numeric_limits<double>::quiet_NaN()));
    }
  }
  return samples;
}

struct CellTask {
  const Row* row;
  size_t line;
  size_t condition;
  MetricSamples own;
  MetricSamples paired;
  std::string ids_hash;
};

// As many as asked for, or as the limit of work allows; 0 where that is too few to be of use.
int64_t affordable_resamples(const std::vector<CellTask>& tasks, const ReportOptions& options) {
  int64_t n_labels = 1;
  for (const CellTask& task : tasks) n_labels += task.row->n_tracks * static_cast<int64_t>(task.row->tags.size());
  constexpr int64_t kFewest = 200;  // below this the ends of a 95 % interval are a matter of luck
  const int64_t affordable = std::min<int64_t>(options.resamples, options.most_resampled_labels / n_labels);
  return affordable < std::min<int64_t>(kFewest, options.resamples) ? 0 : affordable;
}

std::vector<std::vector<LineSamples>> collect(const std::vector<CellTask>& tasks, const Layout& layout,
                                              size_t n_metrics, bool paired) {
  std::vector<std::vector<LineSamples>> collected(n_metrics, std::vector<LineSamples>(layout.lines.size()));
  for (size_t m = 0; m < n_metrics; ++m) {
    for (LineSamples& line : collected[m]) line.by_condition.resize(layout.condition_labels.size());
    std::map<std::tuple<size_t, size_t, std::string>, std::vector<const Sample*>> over_seeds;
    for (const CellTask& task : tasks) {
      const MetricSamples& samples = paired ? task.paired : task.own;
      if (samples.empty() || samples[m].resamples.empty()) continue;
      over_seeds[{task.line, task.condition, task.row->cell.split}].push_back(&samples[m]);
    }
    for (const auto& [place, samples] : over_seeds) {
      Sample& mean = collected[m][std::get<0>(place)].by_condition[std::get<1>(place)][std::get<2>(place)];
      for (const Sample* sample : samples) mean.add(*sample, 1.0 / static_cast<double>(samples.size()));
    }
    if (const auto clean = clean_place(layout)) {
      for (LineSamples& line : collected[m]) line.mean_drop = mean_drop_samples(line, *clean);
    }
  }
  return collected;
}

GroupSamples resample_group(const RunStore& run, const Layout& layout, const std::vector<std::string>& metrics,
                            const ReportOptions& options) {
  GroupSamples result;
  std::vector<CellTask> tasks;
  for (size_t l = 0; l < layout.lines.size(); ++l) {
    for (size_t c = 0; c < layout.condition_labels.size(); ++c) {
      for (const auto& [repeat, row] : layout.lines[l].by_condition[c]) {
        if (row->metrics && row->n_tracks >= 2) tasks.push_back({row, l, c, {}, {}, ""});
      }
    }
  }
  if (options.resamples <= 0 || tasks.empty()) return result;
  int64_t affordable = affordable_resamples(tasks, options);
  if (affordable == 0) {
    if (const auto clean = clean_place(layout)) {
      tasks.erase(
          std::remove_if(tasks.begin(), tasks.end(), [&](const CellTask& task) { return task.condition != *clean; }),
          tasks.end());
      affordable = affordable_resamples(tasks, options);
      if (affordable > 0)
        result.notes.emplace_back(
            "Intervals and best values are given for the clean condition only: the run is too large to resample it all "
            "in a report with its usual limit.");
    }
  }
  if (affordable == 0 || tasks.empty()) {
    result.notes.emplace_back(
        "No intervals and no best values: the run is too large to resample in a report with its usual limit.");
    return result;
  }
  result.resamples = static_cast<int>(affordable);

  const int processors = available_processors();
  const bool many = tasks.size() >= static_cast<size_t>(processors);
  std::vector<std::string> problems(tasks.size());
  std::vector<char> grouped(tasks.size(), 0);
  std::vector<std::vector<std::string>> ids(tasks.size());
  parallel_for(static_cast<int64_t>(tasks.size()), many ? processors : 1, [&](int64_t i) {
    const auto index = static_cast<size_t>(i);
    CellTask& task = tasks[index];
    try {
      const ScoredTracks tracks = scored_tracks(run, *task.row);
      task.ids_hash = sha256_hex(join_text(tracks.track_ids, "\n"));
      grouped[index] = has_groups(tracks) ? 1 : 0;
      task.own = metric_samples(tracks, *task.row, metrics, options, result.resamples, many ? 1 : processors);
    } catch (const DataError& error) {
      problems[index] = error.what();
    }
  });
  for (const std::string& problem : problems) {
    if (!problem.empty()) result.notes.push_back("No interval for a cell: " + problem);
  }
  result.grouped = std::any_of(grouped.begin(), grouped.end(), [](char g) { return g != 0; });
  result.own = collect(tasks, layout, metrics.size(), false);

  // Pairs need the same tracks. Where some cells left tracks out, all cells of the split are compared on those that
  // every cell has.
  std::map<std::string, std::set<std::string>> hashes_of_split;
  for (const CellTask& task : tasks) {
    if (!task.ids_hash.empty()) hashes_of_split[task.row->cell.split].insert(task.ids_hash);
  }
  bool differ = false;
  for (const auto& [split, hashes] : hashes_of_split) {
    if (hashes.size() < 2) continue;
    differ = true;
    std::vector<std::string> common;
    std::set<std::string> done;
    for (const CellTask& task : tasks) {
      if (task.row->cell.split != split || task.own.empty() || !done.insert(task.ids_hash).second) continue;
      std::vector<std::string> own = scored_tracks(run, *task.row).track_ids;
      std::sort(own.begin(), own.end());
      if (done.size() == 1) {
        common = own;
        continue;
      }
      std::vector<std::string> both;
      std::set_intersection(common.begin(), common.end(), own.begin(), own.end(), std::back_inserter(both));
      common = both;
    }
    result.notes.push_back("Not all cells of split " + split + " hold the same tracks; best values are found on the " +
                           std::to_string(common.size()) + " tracks that all hold.");
    for (CellTask& task : tasks) {
      if (task.row->cell.split != split || task.own.empty() || common.size() < 2) continue;
      task.paired = metric_samples(select_tracks(scored_tracks(run, *task.row), common), *task.row, metrics, options,
                                   result.resamples, processors);
    }
  }
  if (differ) {
    for (CellTask& task : tasks) {
      if (hashes_of_split[task.row->cell.split].size() < 2) task.paired = task.own;
    }
    result.paired = collect(tasks, layout, metrics.size(), true);
  }
  return result;
}

void apply_samples(ResultTable& table, const std::vector<LineSamples>& own, const std::vector<LineSamples>& paired) {
  const double sign = smaller_is_better(table.metric) ? -1.0 : 1.0;
  for (size_t c = 0; c <= table.conditions.size(); ++c) {
    const bool drop = c == table.conditions.size();
    std::vector<TableValue*> values;
    std::vector<const BySplit*> samples;
    for (size_t l = 0; l < table.lines.size(); ++l) {
      values.push_back(drop ? &table.lines[l].mean_drop : &table.lines[l].values[c]);
      set_interval(*values.back(), drop ? own[l].mean_drop : own[l].by_condition[c], drop ? -1.0 : 0.0);
      samples.push_back(drop ? &paired[l].mean_drop : &paired[l].by_condition[c]);
    }
    mark_best(values, samples, drop ? -sign : sign);
  }
}

std::string repeats_text(const Layout& layout) {
  std::vector<std::string> parts;
  if (layout.seeds.size() > 1) parts.push_back(counted(layout.seeds.size(), "seed"));
  if (layout.splits.size() > 1) parts.push_back(counted(layout.splits.size(), "fold"));
  return join_text(parts, " and ");
}

void note_intervals(const ResultTable& table, const Layout& layout, const GroupSamples& samples,
                    std::vector<std::string>& notes) {
  const std::string repeats = repeats_text(layout);
  if (!repeats.empty())
    notes.push_back("Values are means over " + repeats + "; ± is the sample standard deviation over them.");
  notes.insert(notes.end(), samples.notes.begin(), samples.notes.end());
  if (samples.resamples == 0) return;
  notes.push_back("Intervals: 95 %, bootstrap over the test " +
                  std::string(samples.grouped ? "tracks in whole groups (artists)" : "tracks") + ", " +
                  grouped_digits(samples.resamples) + " resamples" +
                  (layout.splits.size() > 1 ? ", each fold drawn apart" : "") +
                  "; they hold for the trained systems as they are and say nothing about other training runs.");
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

}  // namespace

std::vector<ResultTable> build_tables(const RunStore& run, const ReportOptions& options) {
  const std::vector<Row> rows = run.rows();
  const std::vector<ThroughputRow> throughput = run.throughput();
  std::vector<ResultTable> tables;
  for (const Group& group : group_rows(rows)) {
    const Layout layout = lay_out(run, group);
    std::vector<std::string> metrics;
    if (group.rows.front()->cell.task == "multiclass") metrics.emplace_back("accuracy");
    metrics.emplace_back("roc_auc");
    metrics.emplace_back("average_precision");
    const GroupSamples samples = resample_group(run, layout, metrics, options);
    for (size_t m = 0; m < metrics.size(); ++m) {
      ResultTable table = table_frame(group, layout, metrics[m]);
      table.resamples = samples.resamples;
      for (const LineCells& cells : layout.lines) table.lines.push_back(table_line(cells, layout, table, throughput));
      if (samples.resamples > 0) {
        apply_samples(table, samples.own[m], samples.paired.empty() ? samples.own[m] : samples.paired[m]);
      }
      if (!group.differs.empty()) {
        table.notes.push_back("A table of its own, not to be merged with others of this data set and protocol: " +
                              join_text(group.differs, ", ") + ".");
      }
      note_intervals(table, layout, samples, table.notes);
      note_unequal_repeats(table, layout, table.notes);
      note_failed_cells(group, table.notes);
      note_left_out_tracks(group, table.notes);
      note_short_tracks(layout, table.notes);
      note_undefined_tags(group, table.notes);
      note_throughput(table, throughput, table.notes);
      note_run(run, table.notes);
      tables.push_back(std::move(table));
    }
  }
  return tables;
}

}  // namespace tagbench
