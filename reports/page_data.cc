#include "reports/page_data.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/text.h"
#include "reports/json_tables.h"
#include "results/scored_tracks.h"

namespace tagbench {
namespace {

constexpr size_t kCurvePoints = 40;
constexpr size_t kMostCurves = 6000;                              // architectures x tags; two curves each, about 0.3 KB
constexpr int64_t kMostCurveLabels = int64_t{400} * 1000 * 1000;  // labels sorted for curves: about 30 s

Json rounded(double value) {
  constexpr double kTenThousand = 10000.0;
  return std::round(value * kTenThousand) / kTenThousand;
}

// Four significant digits, as p-values need.
Json short_number(const std::optional<double>& value) {
  if (!value) return nullptr;
  if (*value == 0.0) return 0;
  const double scale = std::pow(10.0, 3.0 - std::floor(std::log10(std::abs(*value))));
  return std::round(*value * scale) / scale;
}

struct PageGroup {
  const ResultTable* table;
  std::vector<std::vector<std::vector<const Row*>>> cells;  // [line][condition][repeat]
  const Row* example = nullptr;                             // any row with metrics
};

bool same_group(const ResultTable& a, const ResultTable& b) {
  if (a.lines.size() != b.lines.size()) return false;
  for (size_t l = 0; l < a.lines.size(); ++l) {
    if (a.lines[l].keys != b.lines[l].keys) return false;
  }
  return true;
}

PageGroup make_group(const ResultTable& table, const std::map<std::string, const Row*>& row_of_key) {
  PageGroup group;
  group.table = &table;
  group.cells.assign(table.lines.size(), std::vector<std::vector<const Row*>>(table.conditions.size()));
  for (size_t l = 0; l < table.lines.size(); ++l) {
    for (const std::string& key : table.lines[l].keys) {
      const Row* row = row_of_key.at(key);
      for (size_t c = 0; c < table.conditions.size(); ++c) {
        const std::string& label = table.conditions[c];
        if (label != row->cell.condition && label != row->cell.condition + " <" + row->cell.condition_key + ">")
          continue;
        group.cells[l][c].push_back(row);
        if (row->metrics && group.example == nullptr) group.example = row;
      }
    }
  }
  return group;
}

// [tag]; null where no repeat has a value.
Json tag_means(const std::vector<const Row*>& rows, const std::vector<std::string>& tags, bool roc) {
  std::vector<double> sums(tags.size(), 0.0);
  std::vector<int> counts(tags.size(), 0);
  for (const Row* row : rows) {
    if (!row->metrics || row->tags != tags) continue;
    for (size_t t = 0; t < tags.size(); ++t) {
      const TagMetrics& tag = row->metrics->per_tag[t];
      const std::optional<double>& value = roc ? tag.roc_auc.value : tag.average_precision.value;
      if (!value) continue;
      sums[t] += *value;
      ++counts[t];
    }
  }
  Json values = Json::array();
  for (size_t t = 0; t < tags.size(); ++t)
    values.push_back(counts[t] > 0 ? rounded(sums[t] / counts[t]) : Json(nullptr));
  return values;
}

// A few points of a curve, evenly along its length, both ends kept, in thousandths.
Json thinned(const std::vector<std::pair<double, double>>& curve) {
  std::vector<double> length = {0.0};
  for (size_t i = 1; i < curve.size(); ++i) {
    length.push_back(length.back() + std::abs(curve[i].first - curve[i - 1].first) +
                     std::abs(curve[i].second - curve[i - 1].second));
  }
  Json xs = Json::array();
  Json ys = Json::array();
  double next = 0.0;
  const double step = length.back() / static_cast<double>(kCurvePoints);
  for (size_t i = 0; i < curve.size(); ++i) {
    if (i + 1 < curve.size() && length[i] < next) continue;
    xs.push_back(std::lround(curve[i].first * 1000.0));
    ys.push_back(std::lround(curve[i].second * 1000.0));
    next = length[i] + step;
  }
  return Json::array({xs, ys});
}

Json tag_curves(const ScoredTracks& tracks, int64_t tag) {
  std::vector<std::pair<double, bool>> ranked;
  double positives = 0.0;
  const ScoreMatrix scores = tracks.score_matrix();
  for (int64_t track = 0; track < tracks.n_tracks; ++track) {
    const auto i = static_cast<size_t>(track * tracks.n_tags + tag);
    if (!tracks.known.empty() && tracks.known[i] == 0) continue;
    ranked.emplace_back(scores.at(track, tag), tracks.labels[i] != 0);
    positives += tracks.labels[i] != 0 ? 1.0 : 0.0;
  }
  const double negatives = static_cast<double>(ranked.size()) - positives;
  if (positives == 0.0 || negatives == 0.0) return nullptr;
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::pair<double, double>> roc = {{0.0, 0.0}};
  std::vector<std::pair<double, double>> precision;
  double hits = 0.0;
  for (size_t i = 0; i < ranked.size(); ++i) {
    hits += ranked[i].second ? 1.0 : 0.0;
    if (i + 1 < ranked.size() && ranked[i + 1].first == ranked[i].first) continue;  // equal scores are decided together
    const auto decided = static_cast<double>(i + 1);
    roc.emplace_back((decided - hits) / negatives, hits / positives);
    precision.emplace_back(hits / positives, hits / decided);
  }
  return Json{{"roc", thinned(roc)}, {"pr", thinned(precision)}};
}

Json group_curves(const RunStore& run, const PageGroup& group, size_t condition, std::vector<std::string>& notes) {
  const size_t n_tags = group.example->tags.size();
  if (group.cells.size() * n_tags > kMostCurves) {
    notes.push_back("ROC and PR curves are left out: " + std::to_string(group.cells.size()) + " architectures x " +
                    std::to_string(n_tags) + " tags are too many for one page.");
    return nullptr;
  }
  Json curves = Json::array();
  int64_t n_labels = 0;
  for (const auto& conditions : group.cells) {
    const auto& rows = conditions[condition];
    const auto first = std::find_if(rows.begin(), rows.end(),
                                    [&](const Row* row) { return row->metrics && row->tags == group.example->tags; });
    Json of_line = Json::array();
    if (first != rows.end()) n_labels += (*first)->n_tracks * static_cast<int64_t>(n_tags);
    if (first == rows.end() || n_labels > kMostCurveLabels) {
      curves.push_back(nullptr);
      continue;
    }
    try {
      const ScoredTracks tracks = scored_tracks(run, **first);
      for (int64_t tag = 0; tag < tracks.n_tags; ++tag) of_line.push_back(tag_curves(tracks, tag));
      curves.push_back(std::move(of_line));
    } catch (const DataError& error) {
      notes.push_back("No curves for " + (*first)->model_label + ": " + error.what());
      curves.push_back(nullptr);
    }
  }
  if (n_labels > kMostCurveLabels)
    notes.emplace_back("ROC and PR curves are left out where the scores are too many for one page.");
  return curves;
}

// What training.jsonl of the cell that holds the training says; nothing if there is none.
Json training_history(const RunStore& run, const std::string& label, const Row& row, std::vector<std::string>& notes) {
  const std::filesystem::path path = run.cell_directory(row.trained_by) / "training.jsonl";
  if (!std::filesystem::exists(path)) return nullptr;
  static const std::vector<std::string> kFields = {
      "epoch", "train_loss", "valid_loss", "valid_roc_auc", "valid_average_precision", "learning_rate"};
  Json history{{"label", label}, {"split", row.cell.split}, {"seed", row.cell.seed}};
  for (const std::string& field : kFields) history[field] = Json::array();
  int64_t number = 0;
  for (const std::string& line : split_text(read_text_file(path, uint64_t{1} << 26U), '\n')) {
    ++number;
    if (trim(line).empty()) continue;
    const Json epoch = Json::parse(line, nullptr, false);
    if (!epoch.is_object() || !epoch.contains("epoch") || !epoch["epoch"].is_number_integer()) {
      notes.push_back("Training curve of " + label + " is cut: line " + std::to_string(number) + " of " +
                      path.string() + " is damaged.");
      break;
    }
    for (const std::string& field : kFields) {
      const auto value = epoch.find(field);
      history[field].push_back(value != epoch.end() && value->is_number() ? *value : Json(nullptr));
    }
  }
  return history;
}

Json group_training(const RunStore& run, const PageGroup& group, std::vector<std::string>& notes) {
  Json training = Json::array();
  for (size_t l = 0; l < group.cells.size(); ++l) {
    std::set<std::string> done;
    for (const auto& rows : group.cells[l]) {
      for (const Row* row : rows) {
        if (row->trained_by.empty() || !done.insert(row->trained_by).second) continue;
        Json history = training_history(run, group.table->lines[l].model_label, *row, notes);
        if (!history.is_null()) training.push_back(std::move(history));
      }
    }
  }
  return training;
}

Json group_json(const RunStore& run, const PageGroup& group, std::vector<std::string>& notes) {
  Json json{{"tags", Json::array()}, {"support", Json::array()}, {"known", Json::array()}, {"splits", Json::array()}};
  for (const auto& [name, sha256] : group.table->splits) json["splits"].push_back(name);
  json["training"] = group_training(run, group, notes);
  json["tagValues"] = {{"roc_auc", Json::array()}, {"average_precision", Json::array()}};
  json["curves"] = nullptr;
  json["curveCondition"] = "";
  if (group.example == nullptr) return json;
  json["tags"] = group.example->tags;
  for (const TagMetrics& tag : group.example->metrics->per_tag) {
    json["support"].push_back(tag.n_positive);
    json["known"].push_back(tag.n_known);
  }
  for (const auto& conditions : group.cells) {
    Json roc = Json::array();
    Json precision = Json::array();
    for (const auto& rows : conditions) {
      roc.push_back(rows.empty() ? Json(nullptr) : tag_means(rows, group.example->tags, true));
      precision.push_back(rows.empty() ? Json(nullptr) : tag_means(rows, group.example->tags, false));
    }
    json["tagValues"]["roc_auc"].push_back(std::move(roc));
    json["tagValues"]["average_precision"].push_back(std::move(precision));
  }
  const auto& labels = group.table->conditions;
  const auto clean = std::find(labels.begin(), labels.end(), "clean");
  const auto condition = static_cast<size_t>(clean == labels.end() ? 0 : clean - labels.begin());
  json["curves"] = group_curves(run, group, condition, notes);
  json["curveCondition"] = labels[condition] + (group.table->seeds.size() > 1 ? ", first seed" : "") +
                           (group.table->splits.size() > 1 ? ", first fold" : "");
  return json;
}

// Numbers in a row instead of named fields: there may be thousands.
Json short_comparisons(const ResultTable& table) {
  Json list = Json::array();
  for (const LineComparison& item : table.comparisons) {
    list.push_back({item.a, item.b, item.condition, short_number(item.difference), short_number(item.low),
                    short_number(item.high), short_number(item.p_value), short_number(item.p_adjusted),
                    short_number(item.seed_error), item.reason});
  }
  return list;
}

Json short_tag_estimates(const ResultTable& table, const Json& tags) {
  std::map<std::string, size_t> places;
  for (const Json& tag : tags) places.emplace(tag.get<std::string>(), places.size());
  Json list = Json::array();
  for (const TagEstimate& item : table.tag_estimates) {
    const auto place = places.find(item.tag);
    if (place != places.end() && item.low)
      list.push_back({item.line, place->second, short_number(item.low), short_number(item.high)});
  }
  return list;
}

Json short_tag_comparisons(const ResultTable& table, const Json& tags) {
  std::map<std::string, size_t> places;
  for (const Json& tag : tags) places.emplace(tag.get<std::string>(), places.size());
  Json list = Json::array();
  for (const TagComparison& item : table.tag_comparisons) {
    const auto place = places.find(item.tag);
    if (place == places.end()) continue;
    list.push_back({item.a, item.b, place->second, short_number(item.difference), short_number(item.low),
                    short_number(item.high), short_number(item.p_value), short_number(item.p_adjusted)});
  }
  return list;
}

}  // namespace

Json page_data(const RunStore& run, const std::vector<ResultTable>& tables, std::vector<std::string>& notes) {
  const std::vector<Row> rows = run.rows();
  std::map<std::string, const Row*> row_of_key;
  for (const Row& row : rows) row_of_key[row.cell.key()] = &row;
  Json data{{"tables", Json::array()}, {"groups", Json::array()}, {"metricTitles", Json::object()}};
  for (const std::string& metric : metric_names()) data["metricTitles"][metric] = metric_title(metric);
  std::vector<const ResultTable*> groups;
  for (const ResultTable& table : tables) {
    auto found =
        std::find_if(groups.begin(), groups.end(), [&](const ResultTable* other) { return same_group(*other, table); });
    if (found == groups.end()) {
      data["groups"].push_back(group_json(run, make_group(table, row_of_key), notes));
      groups.push_back(&table);
      found = groups.end() - 1;
    }
    Json json = table_to_json(table);
    for (Json& line : json["lines"]) line.erase("keys");
    json["group"] = found - groups.begin();
    json["comparisons"] = short_comparisons(table);
    const Json& tags = data["groups"][static_cast<size_t>(found - groups.begin())]["tags"];
    json["tag_estimates"] = short_tag_estimates(table, tags);
    json["tag_comparisons"] = short_tag_comparisons(table, tags);
    data["tables"].push_back(std::move(json));
  }
  return data;
}

}  // namespace tagbench
