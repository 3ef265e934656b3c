#include "reports/table_layout.h"

#include <algorithm>
#include <set>

#include "harness/core/text.h"
#include "harness/metrics/robustness.h"
#include "harness/metrics/statistics.h"

namespace tagbench {
namespace {

// "fold3" is fold 3 of several; other splits stand alone.
std::optional<int64_t> fold_number(const std::string& split) {
  if (!starts_with(split, "fold")) return std::nullopt;
  return parse_integer(split.substr(4));
}

// The mean over folds of the means within them, as the replicates behind the interval have it: a fold that has more
// seeds than others weighs no more.
TableValue summarize(const RepeatValues& values, const std::string& reason) {
  std::map<std::string, std::vector<double>> by_split;
  std::map<int64_t, std::vector<double>> by_seed;
  TableValue summary;
  for (const auto& [repeat, found] : values) {
    summary.n += static_cast<int64_t>(found.size());
    auto& of_split = by_split[repeat.first];
    of_split.insert(of_split.end(), found.begin(), found.end());
    by_seed[repeat.second].push_back(arithmetic_mean(found));
  }
  if (by_split.empty()) {
    summary.reason = reason;
    return summary;
  }
  std::vector<double> of_folds;
  for (const auto& [split, found] : by_split) of_folds.push_back(arithmetic_mean(found));
  summary.mean = arithmetic_mean(of_folds);
  summary.deviation = summarize_sample(by_seed.size() > 1 ? whole_seed_means(values) : of_folds).deviation;
  return summary;
}

}  // namespace

TableLayout lay_out(const RunStore& run, const RowGroup& group) {
  TableLayout layout;
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

  std::map<RowSettings, size_t> place_of_line;
  std::map<std::string, int> uses_of_label;
  for (const Row* row : group.rows) {
    const auto [place, is_new] = place_of_line.emplace(system_of(*row), layout.lines.size());
    if (is_new) {
      LineCells line;
      line.label = row->model_label;
      line.by_condition.resize(conditions.size());
      layout.lines.push_back(line);
      ++uses_of_label[row->model_label];
    }
    LineCells& line = layout.lines[place->second];
    line.by_condition[place_of_key[row->cell.condition_key]]
                     [{row->cell.split, row->cell.seed, row->cell.perturbation_seed}] = row;
    line.all.push_back(row);
  }
  for (LineCells& line : layout.lines) {
    if (uses_of_label[line.label] < 2) continue;
    const CellId& cell = line.all.front()->cell;
    line.label += cell.weights_sha256.empty() ? " (" + cell.model_options + ")"
                                              : " (weights " + cell.weights_sha256.substr(0, 8) + ")";
  }
  return layout;
}

std::vector<double> whole_seed_means(const RepeatValues& values) {
  std::map<int64_t, std::vector<double>> by_seed;
  std::set<std::string> splits;
  for (const auto& [repeat, found] : values) {
    splits.insert(repeat.first);
    by_seed[repeat.second].push_back(arithmetic_mean(found));
  }
  std::vector<double> means;
  for (const auto& [seed, of_seed] : by_seed) {
    if (of_seed.size() == splits.size()) means.push_back(arithmetic_mean(of_seed));
  }
  return means;
}

RepeatValues condition_values(const std::map<Repeat, const Row*>& cells, const std::string& metric,
                              std::string* reason) {
  RepeatValues values;
  for (const auto& [repeat, row] : cells) {
    const MetricValue value = metric_of(*row, metric);
    if (value.value) {
      values[{std::get<0>(repeat), std::get<1>(repeat)}].push_back(*value.value);
    } else if (reason != nullptr) {
      *reason = value.reason;
    }
  }
  return values;
}

TableValue condition_value(const std::map<Repeat, const Row*>& cells, const std::string& metric) {
  std::string reason = "not computed";
  const RepeatValues values = condition_values(cells, metric, &reason);
  return summarize(values, reason);
}

std::optional<size_t> clean_place(const TableLayout& layout) {
  const auto found = std::find(layout.condition_labels.begin(), layout.condition_labels.end(), "clean");
  if (found == layout.condition_labels.end()) return std::nullopt;
  return static_cast<size_t>(found - layout.condition_labels.begin());
}

MeanDrops mean_drops(const LineCells& line, const TableLayout& layout, size_t clean, const std::string& metric) {
  std::map<std::pair<std::string, int64_t>, std::vector<std::vector<double>>> by_repeat;
  for (size_t c = 0; c < layout.condition_labels.size(); ++c) {
    for (const auto& [repeat, found] : condition_values(line.by_condition[c], metric)) {
      auto& values = by_repeat[repeat];
      values.resize(layout.condition_labels.size());
      values[c] = found;
    }
  }
  MeanDrops drops;
  for (const auto& [repeat, values] : by_repeat) {
    OptionalValues perturbed;
    bool whole = true;
    for (size_t c = 0; c < values.size() && whole; ++c) {
      whole = !values[c].empty();
      if (!whole) drops.missing = layout.condition_labels[c];
      if (whole && c != clean) perturbed.emplace_back(arithmetic_mean(values[c]));
    }
    if (whole) drops.values[repeat] = {*mean_drop(arithmetic_mean(values[clean]), perturbed).value};
  }
  return drops;
}

TableValue mean_drop_value(const LineCells& line, const TableLayout& layout, const std::string& metric) {
  const auto clean = clean_place(layout);
  if (!clean) return summarize({}, "no clean condition");
  if (layout.condition_labels.size() < 2) return summarize({}, "no condition but clean");
  const MeanDrops drops = mean_drops(line, layout, *clean, metric);
  return summarize(drops.values, drops.missing.empty() ? "not computed" : "no value under " + drops.missing);
}

}  // namespace tagbench
