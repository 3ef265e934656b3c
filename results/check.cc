#include "results/check.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <set>
#include <tuple>
#include <utility>

#include "harness/core/errors.h"
#include "harness/core/text.h"
#include "results/decision_metrics.h"
#include "results/text_table.h"

namespace tagbench {
namespace {

constexpr double kNormalHalfWidth = 1.959963984540054;  // 95 % of a normal distribution lie within
// Rounding of sums in another order; far below anything that a changed score does to a metric.
constexpr double kEqual = 1e-9;
constexpr int kDecimals = 4;

bool is_decision_metric(const std::string& metric) {
  const auto& names = decision_metric_names();
  return std::find(names.begin(), names.end(), metric) != names.end();
}

bool is_row_metric(const std::string& metric) {
  const auto& names = metric_names();
  return std::find(names.begin(), names.end(), metric) != names.end();
}

std::string signed_text(double value) {
  return (value < 0 ? "lower by " : "higher by ") + format_fixed(std::abs(value), kDecimals);
}

const CheckRule* find_rule(const CheckRules& rules, const std::string& metric, const std::string& tag) {
  if (tag.empty()) {
    const auto found = rules.metrics.find(metric);
    return found == rules.metrics.end() ? nullptr : &found->second;
  }
  const auto of_tag = rules.tags.find(tag);
  if (of_tag != rules.tags.end()) {
    const auto found = of_tag->second.find(metric);
    if (found != of_tag->second.end()) return &found->second;
  }
  const auto found = rules.per_tag.find(metric);
  return found == rules.per_tag.end() ? nullptr : &found->second;
}

void set_not_comparable(CheckItem& item, const std::string& reason, const CheckRules& rules) {
  item.verdict = Verdict::kNotComparable;
  item.reason = reason;
  item.fails = rules.all_comparable;
}

// `noise` is asked for only where it decides.
void judge(CheckItem& item, const std::string& metric, double equal_within, const CheckRules& rules,
           const std::function<std::optional<double>()>& noise) {
  const CheckRule* rule = find_rule(rules, metric, item.tag);
  const double difference = *item.found - *item.expected;
  const double loss = smaller_is_better(metric) ? difference : -difference;
  item.tolerance = std::max(equal_within, rule != nullptr ? rule->tolerance.value_or(0.0) : 0.0);
  if (std::abs(difference) <= item.tolerance + kEqual) {
    item.verdict = Verdict::kReproduced;
    if (std::abs(difference) > equal_within + kEqual)
      item.reason = signed_text(difference) + ", within the tolerance given";
  } else {
    item.noise = noise();
    const bool explained = item.noise && std::abs(difference) <= *item.noise;
    item.verdict = explained ? Verdict::kWithinNoise : Verdict::kOff;
    item.reason = signed_text(difference);
    item.fails = !explained || rules.strict;
  }
  if (rule == nullptr || !rule->max_loss) return;
  if (loss > *rule->max_loss + kEqual) {
    item.verdict = Verdict::kOff;
    item.reason = signed_text(difference) + ", a loss of at most " + format_real(*rule->max_loss) + " is allowed";
    item.fails = true;
  } else if (item.verdict == Verdict::kOff) {
    item.reason += ", allowed by the rule on losses";
    item.fails = false;
  }
}

double square(double value) {
  return value * value;
}

std::optional<double> deviation_of(const std::vector<double>& values) {
  return summarize_sample(values).deviation;
}

const Replicates* tag_replicates(const TaggingReplicates& replicates, const std::vector<std::string>& tags,
                                 const std::string& metric, const std::string& tag) {
  if (tag.empty()) return &replicates_of(replicates, metric);
  const auto found = std::find(tags.begin(), tags.end(), tag);
  if (found == tags.end()) return nullptr;
  const auto& averages = replicates.per_tag[static_cast<size_t>(found - tags.begin())];
  return metric == "roc_auc" ? &averages.roc_auc : &averages.average_precision;
}

MetricValue tag_value(const TaggingMetrics& metrics, const std::vector<std::string>& tags, const std::string& metric,
                      const std::string& tag) {
  if (tag.empty()) return metric_of(metrics, metric);
  if (metric != "roc_auc" && metric != "average_precision")
    return {std::nullopt, "metric definition: there is no " + metric + " of single tags"};
  const auto found = std::find(tags.begin(), tags.end(), tag);
  if (found == tags.end()) return {std::nullopt, "tags: there is no tag '" + tag + "'"};
  const TagMetrics& values = metrics.per_tag[static_cast<size_t>(found - tags.begin())];
  return metric == "roc_auc" ? values.roc_auc : values.average_precision;
}

// Cells that differ in seed alone.
struct SeedGroup {
  std::vector<const Row*> rows;
  const Row& any() const { return *rows.front(); }
};

// Scores and resamples of cells, each read and drawn once.
class Resampled {
 public:
  Resampled(const RunStore& run, const CheckOptions& options) : run_(run), options_(options) {}

  const ScoredTracks& tracks(const Row& row) {
    auto& entry = tracks_[row.cell.key()];
    if (!entry) entry = std::make_unique<ScoredTracks>(scored_tracks(run_, row));
    return *entry;
  }
  // Values of a metric in every resample, averaged over the group's seeds; empty where it is undefined.
  std::vector<double> mean_values(const SeedGroup& group, const std::string& metric, const std::string& tag) {
    std::vector<double> sum;
    for (const Row* row : group.rows) {
      const Replicates* of_metric = tag_replicates(replicates(*row), row->tags, metric, tag);
      if (of_metric == nullptr || !of_metric->estimate.value) return {};
      sum.resize(of_metric->values.size(), 0.0);
      for (size_t r = 0; r < sum.size(); ++r) {
        sum[r] += of_metric->values[r].value_or(std::nan("")) / static_cast<double>(group.rows.size());
      }
    }
    return sum;
  }

 private:
  const TaggingReplicates& replicates(const Row& row) {
    auto& entry = replicates_[row.cell.key()];
    if (!entry) {
      entry = std::make_unique<TaggingReplicates>(resample(tracks(row), row.cell.split + " " + row.cell.split_sha256,
                                                           row.cell.task == "multiclass", options_.resamples,
                                                           options_.seed, options_.threads));
    }
    return *entry;
  }
  const RunStore& run_;
  CheckOptions options_;
  std::map<std::string, std::unique_ptr<ScoredTracks>> tracks_;
  std::map<std::string, std::unique_ptr<TaggingReplicates>> replicates_;
};

std::optional<double> standard_error(std::vector<double> values) {
  values.erase(std::remove_if(values.begin(), values.end(), [](double v) { return std::isnan(v); }), values.end());
  return deviation_of(values);
}

// The labels of a multiclass task, for which accuracy is defined.
bool has_one_positive_each(const ScoredTracks& tracks) {
  if (!tracks.known.empty() || tracks.n_tags < 2) return false;
  const auto width = static_cast<std::ptrdiff_t>(tracks.n_tags);
  for (auto row = tracks.labels.begin(); row != tracks.labels.end(); row += width) {
    if (std::count(row, row + width, 1) != 1) return false;
  }
  return true;
}

std::string subject_of(const Row& row) {
  return row.model_label + ", " + row.cell.dataset + ", split " + row.cell.split + ", " + row.cell.condition;
}

std::string reference_of(const PublishedValue& value) {
  return value.source + ", " + value.table + ", " + value.row;
}

std::string metric_text(const std::string& metric, const std::string& decision) {
  return decision.empty() ? metric : metric + " (decisions: " + decision + ")";
}

// Why a metric of the source has no counterpart here; empty if it has.
std::string definition_problem(const PublishedValue& value) {
  if (value.unit != "fraction" && value.unit != "percent") return "metric definition: the source gives " + value.unit;
  if (is_row_metric(value.metric)) return "";
  if (!is_decision_metric(value.metric)) return "metric definition: " + value.metric + " is not computed here";
  if (value.decision == "submitted" || value.decision.empty()) {
    return "metric definition: the source's decisions are its own and not part of the scores";
  }
  return "";
}

std::string split_problem(const PublishedValue& value, const Row& row) {
  const std::vector<std::string> names = split_text(value.split, '|');
  if (std::find(names.begin(), names.end(), row.cell.split) == names.end()) {
    return "split: " + row.cell.split + " here, " + (value.split.empty() ? "not stated" : value.split) +
           " in the source";
  }
  if (value.n_tracks && *value.n_tracks != row.n_tracks) {
    return "split: " + std::to_string(row.n_tracks) + " tracks scored here, " + std::to_string(*value.n_tracks) +
           " in the source";
  }
  if (value.n_tags && *value.n_tags != static_cast<int64_t>(row.tags.size())) {
    return "tags: " + std::to_string(row.tags.size()) + " here, " + std::to_string(*value.n_tags) + " in the source";
  }
  return "";
}

std::string comparison_problem(const PublishedValue& value, const Row& row) {
  if (std::string problem = split_problem(value, row); !problem.empty()) return problem;
  if (value.protocol != row.cell.protocol) {
    return "protocol: " + row.cell.protocol + " here, " +
           (value.protocol.empty() ? "another or not stated" : value.protocol) + " in the source";
  }
  const auto parameters = parse_integer(value.parameters);
  if (parameters && row.parameters > 0 && *parameters != row.parameters) {
    return "architecture: " + std::to_string(row.parameters) + " parameters here, " + value.parameters +
           " in the source";
  }
  return definition_problem(value);
}

std::vector<SeedGroup> seed_groups(const std::vector<Row>& rows, const std::function<bool(const Row&)>& wanted) {
  using Key = std::tuple<std::string, std::string, std::string, std::string, std::string, std::string, std::string,
                         std::string>;
  std::map<Key, size_t> places;
  std::vector<SeedGroup> groups;
  for (const Row& row : rows) {
    if (!wanted(row)) continue;
    const Key key{row.model_label,          row.cell.model_options,
                  row.cell.weights_sha256,  row.cell.dataset,
                  row.cell.split_sha256,    row.cell.split,
                  row.cell.protocol_sha256, row.cell.precision + row.cell.audio + row.cell.condition_key};
    const auto [place, is_new] = places.emplace(key, groups.size());
    if (is_new) groups.emplace_back();
    groups[place->second].rows.push_back(&row);
  }
  return groups;
}

// The mean over seeds, or why there is none.
MetricValue group_value(const SeedGroup& group, const std::function<MetricValue(const Row&)>& value_of,
                        std::vector<double>& values) {
  for (const Row* row : group.rows) {
    MetricValue value = value_of(*row);
    if (!value.value) return value;
    values.push_back(*value.value);
  }
  return {arithmetic_mean(values), ""};
}

CheckItem check_published_value(const SeedGroup& group, const PublishedValue& value, Resampled& resampled,
                                const CheckRules& rules) {
  CheckItem item;
  const Row& row = group.any();
  item.subject = subject_of(row);
  item.metric = metric_text(value.metric, value.decision);
  item.tag = value.tag;
  item.reference = reference_of(value);
  item.expected = value.value;
  const auto failed =
      std::find_if(group.rows.begin(), group.rows.end(), [](const Row* each) { return !each->metrics; });
  if (failed != group.rows.end()) {
    set_not_comparable(item, "the cell has no value: " + (*failed)->message, rules);
    return item;
  }
  if (const std::string problem = comparison_problem(value, row); !problem.empty()) {
    set_not_comparable(item, problem, rules);
    return item;
  }
  std::vector<double> seeds;
  const MetricValue found = group_value(
      group,
      [&](const Row& each) -> MetricValue {
        if (is_row_metric(value.metric)) return tag_value(*each.metrics, each.tags, value.metric, value.tag);
        const ScoredTracks& tracks = resampled.tracks(each);
        return decision_metric(tracks.label_matrix(), tracks.score_matrix(), value.metric, value.decision);
      },
      seeds);
  if (!found.value) {
    set_not_comparable(item, found.reason, rules);
    return item;
  }
  item.found = found.value;
  judge(item, value.metric, value.rounding(), rules, [&]() -> std::optional<double> {
    const std::optional<double> sampling = is_row_metric(value.metric)
                                               ? standard_error(resampled.mean_values(group, value.metric, value.tag))
                                               : std::nullopt;
    const std::optional<double> own = deviation_of(seeds);
    const std::optional<double> theirs = value.deviation ? value.deviation : own;
    if (!sampling && !own && !theirs) return std::nullopt;
    return kNormalHalfWidth *
           std::sqrt(square(sampling.value_or(0.0)) + square(own.value_or(0.0)) / static_cast<double>(seeds.size()) +
                     square(theirs.value_or(0.0)));
  });
  return item;
}

// ---- baseline ----

std::string baseline_problem(const Row& row, const Row& baseline) {
  const auto differ = [](const std::string& what, const std::string& here, const std::string& there) {
    return what + ": " + here + " here, " + there + " in the baseline";
  };
  const CellId& a = row.cell;
  const CellId& b = baseline.cell;
  if (a.split_sha256 != b.split_sha256) {
    return differ("split", a.split + " " + a.split_sha256.substr(0, 12), b.split + " " + b.split_sha256.substr(0, 12));
  }
  if (a.task != b.task) return differ("task", a.task, b.task);
  if (row.tags != baseline.tags)
    return differ("tags", std::to_string(row.tags.size()),
                  std::to_string(baseline.tags.size()) + " (other names or order)");
  if (a.protocol_sha256 != b.protocol_sha256) {
    return differ("protocol", a.protocol + " " + a.protocol_sha256.substr(0, 12),
                  b.protocol + " " + b.protocol_sha256.substr(0, 12));
  }
  if (a.condition_key != b.condition_key) return differ("condition", a.condition_key, b.condition_key);
  if (a.perturbation_seed != b.perturbation_seed) {
    return differ("perturbation seed", std::to_string(a.perturbation_seed), std::to_string(b.perturbation_seed));
  }
  if (a.audio != b.audio) return differ("audio", a.audio, b.audio);
  if (row.n_tracks != baseline.n_tracks) {
    return differ("split", std::to_string(row.n_tracks) + " tracks scored", std::to_string(baseline.n_tracks));
  }
  return "";
}

using BaselineKey = std::tuple<std::string, std::string, std::string, std::string, std::string>;

BaselineKey baseline_key(const Row& row) {
  return {row.cell.dataset, row.model_label, row.cell.split, row.cell.condition, row.cell.precision};
}

std::map<BaselineKey, SeedGroup> by_baseline_key(const std::vector<Row>& rows) {
  std::map<BaselineKey, SeedGroup> groups;
  for (const Row& row : rows) groups[baseline_key(row)].rows.push_back(&row);
  return groups;
}

struct Quantity {
  std::string metric;
  std::string tag;
};

std::vector<Quantity> baseline_quantities(const Row& row, const CheckRules& rules) {
  std::vector<Quantity> quantities;
  std::set<std::string> seen;
  const auto add = [&](const std::string& metric) {
    if (seen.insert(metric).second) quantities.push_back({metric, ""});
  };
  if (row.cell.task == "multiclass") add("accuracy");
  add("roc_auc");
  add("average_precision");
  for (const auto& [metric, rule] : rules.metrics) add(metric);
  for (const std::string& tag : row.tags) {
    for (const char* metric : {"roc_auc", "average_precision"}) {
      if (find_rule(rules, metric, tag) != nullptr) quantities.push_back({metric, tag});
    }
  }
  return quantities;
}

bool same_tracks(const ScoredTracks& a, const ScoredTracks& b) {
  return a.track_ids == b.track_ids && a.groups == b.groups && a.labels == b.labels && a.known == b.known;
}

std::optional<double> baseline_noise(const SeedGroup& group, const SeedGroup& baseline, const Quantity& quantity,
                                     Resampled& here, Resampled& there, const std::vector<double>& seeds_here,
                                     const std::vector<double>& seeds_there) {
  std::vector<double> a = here.mean_values(group, quantity.metric, quantity.tag);
  const std::vector<double> b = there.mean_values(baseline, quantity.metric, quantity.tag);
  if (a.empty() || a.size() != b.size()) return std::nullopt;
  double sampling = 0.0;
  if (same_tracks(here.tracks(group.any()), there.tracks(baseline.any()))) {
    for (size_t r = 0; r < a.size(); ++r) a[r] -= b[r];
    sampling = square(standard_error(a).value_or(0.0));
  } else {
    sampling = square(standard_error(a).value_or(0.0)) + square(standard_error(b).value_or(0.0));
  }
  const auto seed_part = [](const std::vector<double>& values) {
    return square(deviation_of(values).value_or(0.0)) / static_cast<double>(values.size());
  };
  return kNormalHalfWidth * std::sqrt(sampling + seed_part(seeds_here) + seed_part(seeds_there));
}

void check_baseline_group(const SeedGroup& group, const SeedGroup& baseline, Resampled& here, Resampled& there,
                          const CheckRules& rules, CheckReport& report) {
  const Row& row = group.any();
  CheckItem frame;
  frame.subject = subject_of(row);
  frame.reference = "baseline";
  const auto failed = [](const SeedGroup& of) -> const Row* {
    const auto found = std::find_if(of.rows.begin(), of.rows.end(), [](const Row* each) { return !each->metrics; });
    return found == of.rows.end() ? nullptr : *found;
  };
  frame.metric = "all";
  if (const Row* lost = failed(group)) {
    if (failed(baseline) != nullptr) {
      set_not_comparable(frame, "failed here and in the baseline: " + lost->message, rules);
    } else {
      frame.verdict = Verdict::kOff;
      frame.reason = "the cell failed here and not in the baseline: " + lost->message;
      frame.fails = true;
    }
    report.items.push_back(frame);
    return;
  }
  std::string problem =
      failed(baseline) != nullptr ? "the cell failed in the baseline" : baseline_problem(row, baseline.any());
  if (!problem.empty()) {
    set_not_comparable(frame, problem, rules);
    report.items.push_back(frame);
    return;
  }
  for (const Quantity& quantity : baseline_quantities(row, rules)) {
    CheckItem item = frame;
    item.metric = quantity.metric;
    item.tag = quantity.tag;
    std::vector<double> seeds_here;
    std::vector<double> seeds_there;
    const auto value_of = [&](const Row& each) {
      return tag_value(*each.metrics, each.tags, quantity.metric, quantity.tag);
    };
    const MetricValue found = group_value(group, value_of, seeds_here);
    const MetricValue expected = group_value(baseline, value_of, seeds_there);
    item.found = found.value;
    item.expected = expected.value;
    if (!found.value && !expected.value) continue;  // undefined on both sides, for the same labels
    if (!found.value || !expected.value) {
      set_not_comparable(
          item, found.value ? "undefined in the baseline: " + expected.reason : "undefined here: " + found.reason,
          rules);
    } else {
      judge(item, quantity.metric, kEqual, rules,
            [&] { return baseline_noise(group, baseline, quantity, here, there, seeds_here, seeds_there); });
    }
    report.items.push_back(item);
  }
}

CheckRule parse_rule(const ConfigNode& node) {
  const auto positive = [](const ConfigNode& value) {
    const double number = value.real();
    if (number < 0.0) value.fail("0 or more was expected, got " + format_real(number));
    return number;
  };
  CheckRule rule;
  if (!node.is_map()) {
    rule.tolerance = positive(node);
    return rule;
  }
  node.require_known_keys({"tolerance", "max_loss"});
  if (node.has("tolerance")) rule.tolerance = positive(node["tolerance"]);
  if (node.has("max_loss")) rule.max_loss = positive(node["max_loss"]);
  return rule;
}

std::string known_metric(const std::string& name, bool of_tags, const std::string& where) {
  std::string metric = canonical_metric(name);
  std::vector<std::string> known = {"roc_auc", "average_precision"};
  if (!of_tags) {
    known = metric_names();
    known.insert(known.end(), decision_metric_names().begin(), decision_metric_names().end());
  }
  if (std::find(known.begin(), known.end(), metric) == known.end()) {
    throw UsageError(where + ": unknown metric '" + name + "'; " + suggestion(name, known));
  }
  return metric;
}

std::map<std::string, CheckRule> parse_rules(const ConfigNode& node, bool of_tags) {
  std::map<std::string, CheckRule> rules;
  if (!node.defined()) return rules;
  for (const auto& [name, value] : node.entries())
    rules[known_metric(name, of_tags, value.where())] = parse_rule(value);
  return rules;
}

std::string number_or_dash(const std::optional<double>& value) {
  return value ? format_fixed(*value, kDecimals) : "-";
}

}  // namespace

std::string verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kReproduced:
      return "reproduced";
    case Verdict::kWithinNoise:
      return "within noise";
    case Verdict::kOff:
      return "off";
    case Verdict::kNotComparable:
      break;
  }
  return "not comparable";
}

std::optional<double> CheckItem::difference() const {
  if (!found || !expected) return std::nullopt;
  return *found - *expected;
}

int64_t CheckReport::count(Verdict verdict) const {
  return std::count_if(items.begin(), items.end(), [&](const CheckItem& item) { return item.verdict == verdict; });
}

bool CheckReport::holds() const {
  const bool fails = std::any_of(items.begin(), items.end(), [](const CheckItem& item) { return item.fails; });
  return !fails && count(Verdict::kNotComparable) < static_cast<int64_t>(items.size());
}

std::string canonical_metric(const std::string& name) {
  static const std::map<std::string, std::string> other_names = {{"roc_auc_macro", "roc_auc"},
                                                                 {"pr_auc", "average_precision"},
                                                                 {"pr_auc_macro", "average_precision"},
                                                                 {"average_precision_macro", "average_precision"},
                                                                 {"pr_auc_micro", "average_precision_micro"},
                                                                 {"pr_auc_weighted", "average_precision_weighted"}};
  const auto found = other_names.find(name);
  return found == other_names.end() ? name : found->second;
}

CheckRules CheckRules::parse(const ConfigNode& node) {
  node.require_known_keys({"metrics", "per_tag", "tags", "strict", "all_comparable"});
  CheckRules rules;
  rules.metrics = parse_rules(node["metrics"], false);
  rules.per_tag = parse_rules(node["per_tag"], true);
  if (node.has("tags")) {
    for (const auto& [tag, value] : node["tags"].entries()) rules.tags[tag] = parse_rules(value, true);
  }
  if (node.has("strict")) rules.strict = node["strict"].flag();
  if (node.has("all_comparable")) rules.all_comparable = node["all_comparable"].flag();
  return rules;
}

CheckRules CheckRules::load(const std::filesystem::path& path) {
  return parse(ConfigNode::load(path));
}

void CheckRules::add_tolerance(const std::string& text) {
  const size_t equals = text.find('=');
  const auto value = equals == std::string::npos ? std::nullopt : parse_real(text.substr(equals + 1));
  if (!value || !std::isfinite(*value) || *value < 0.0) {
    throw UsageError("tolerance '" + text + "': metric=number was expected, as in roc_auc=0.005");
  }
  metrics[known_metric(text.substr(0, equals), false, "tolerance '" + text + "'")].tolerance = *value;
}

CheckReport check_against_published(const RunStore& run, const std::vector<PublishedValue>& values,
                                    const CheckRules& rules, const CheckOptions& options) {
  const std::vector<Row> rows = run.rows();
  Resampled resampled(run, options);
  CheckReport report;
  for (const PublishedValue& value : values) {
    if (value.registry_model.empty() || value.dataset.empty()) continue;
    const auto wanted = [&](const Row& row) {
      return row.cell.model == value.registry_model && row.cell.dataset == value.dataset &&
             row.cell.condition == "clean";
    };
    for (const SeedGroup& group : seed_groups(rows, wanted))
      report.items.push_back(check_published_value(group, value, resampled, rules));
  }
  if (report.items.empty()) {
    CheckItem item;
    item.subject = run.directory().string();
    item.metric = "all";
    item.reference = "published values";
    set_not_comparable(
        item,
        "none of the " + std::to_string(values.size()) + " values is about an architecture and data set of this run",
        rules);
    report.items.push_back(item);
  }
  return report;
}

CheckReport check_against_published(const ScoredTracks& tracks, const std::string& subject,
                                    const std::vector<PublishedValue>& values, const CheckRules& rules,
                                    const CheckOptions& options) {
  const bool multiclass = has_one_positive_each(tracks);
  const TaggingMetrics metrics = compute_metrics(tracks.label_matrix(), tracks.score_matrix(), multiclass);
  std::optional<TaggingReplicates> replicates;
  CheckReport report;
  for (const PublishedValue& value : values) {
    CheckItem item;
    item.subject = subject;
    item.metric = metric_text(value.metric, value.decision);
    item.tag = value.tag;
    item.reference = reference_of(value);
    item.expected = value.value;
    std::string problem = definition_problem(value);
    if (problem.empty() && value.n_tracks && *value.n_tracks != tracks.n_tracks) {
      problem = "split: " + std::to_string(tracks.n_tracks) + " tracks here, " + std::to_string(*value.n_tracks) +
                " in the source";
    }
    if (problem.empty() && value.n_tags && *value.n_tags != tracks.n_tags) {
      problem = "tags: " + std::to_string(tracks.n_tags) + " here, " + std::to_string(*value.n_tags) + " in the source";
    }
    if (problem.empty() && !value.tag.empty() && tracks.tags.empty())
      problem = "tags: their names are needed to find '" + value.tag + "'";
    if (problem.empty()) {
      const MetricValue found =
          is_row_metric(value.metric)
              ? tag_value(metrics, tracks.tags, value.metric, value.tag)
              : decision_metric(tracks.label_matrix(), tracks.score_matrix(), value.metric, value.decision);
      item.found = found.value;
      problem = found.reason;
    }
    if (!problem.empty()) {
      set_not_comparable(item, problem, rules);
    } else {
      judge(item, value.metric, value.rounding(), rules, [&]() -> std::optional<double> {
        if (!is_row_metric(value.metric)) return std::nullopt;
        if (!replicates)
          replicates = resample(tracks, "", multiclass, options.resamples, options.seed, options.threads);
        std::vector<double> resampled_values;
        for (const auto& each : tag_replicates(*replicates, tracks.tags, value.metric, value.tag)->values) {
          if (each) resampled_values.push_back(*each);
        }
        const std::optional<double> sampling = standard_error(resampled_values);
        if (!sampling) return std::nullopt;
        return kNormalHalfWidth * std::sqrt(square(*sampling) + square(value.deviation.value_or(0.0)));
      });
    }
    report.items.push_back(item);
  }
  return report;
}

CheckReport check_against_baseline(const RunStore& run, const RunStore& baseline, const CheckRules& rules,
                                   const CheckOptions& options) {
  const std::vector<Row> rows = run.rows();
  const std::vector<Row> baseline_rows = baseline.rows();
  const std::map<BaselineKey, SeedGroup> there = by_baseline_key(baseline_rows);
  const std::map<BaselineKey, SeedGroup> here = by_baseline_key(rows);
  Resampled resampled_here(run, options);
  Resampled resampled_there(baseline, options);
  CheckReport report;
  std::set<BaselineKey> done;
  for (const Row& row : rows) {
    const BaselineKey key = baseline_key(row);
    if (!done.insert(key).second) continue;
    const auto counterpart = there.find(key);
    if (counterpart != there.end()) {
      check_baseline_group(here.at(key), counterpart->second, resampled_here, resampled_there, rules, report);
      continue;
    }
    CheckItem item;
    item.subject = subject_of(row);
    item.metric = "all";
    item.reference = "baseline";
    set_not_comparable(item, "the baseline has no such cell", rules);
    report.items.push_back(item);
  }
  for (const Row& row : baseline_rows) {
    if (!done.insert(baseline_key(row)).second) continue;
    CheckItem item;
    item.subject = subject_of(row);
    item.metric = "all";
    item.reference = "baseline";
    item.verdict = Verdict::kOff;
    item.reason = "the baseline has this cell, the run does not";
    item.fails = true;
    report.items.push_back(item);
  }
  return report;
}

std::string check_table(const CheckReport& report, bool all) {
  std::vector<CheckItem> items = report.items;
  const auto rank = [](const CheckItem& item) {
    return std::make_pair(!item.fails, item.verdict == Verdict::kOff           ? 0
                                       : item.verdict == Verdict::kWithinNoise ? 1
                                       : item.verdict == Verdict::kReproduced  ? 2
                                                                               : 3);
  };
  std::stable_sort(items.begin(), items.end(),
                   [&](const CheckItem& a, const CheckItem& b) { return rank(a) < rank(b); });
  std::vector<std::vector<std::string>> rows = {
      {"verdict", "what", "metric", "tag", "found", "expected", "difference", "noise ±", "against", "remark"}};
  for (const CheckItem& item : items) {
    if (!all && item.verdict == Verdict::kReproduced && !item.fails) continue;
    rows.push_back({verdict_name(item.verdict) + (item.fails ? " (fails)" : ""), escape_markdown(item.subject),
                    escape_markdown(item.metric), escape_markdown(item.tag), number_or_dash(item.found),
                    number_or_dash(item.expected), number_or_dash(item.difference()), number_or_dash(item.noise),
                    escape_markdown(item.reference), escape_markdown(item.reason)});
  }
  std::string text;
  if (rows.size() > 1) text = aligned_markdown(rows, 4) + "\n";
  std::vector<std::string> counts;
  for (const Verdict verdict : {Verdict::kReproduced, Verdict::kWithinNoise, Verdict::kOff, Verdict::kNotComparable}) {
    counts.push_back(std::to_string(report.count(verdict)) + " " + verdict_name(verdict));
  }
  const int64_t n_failing = std::count_if(items.begin(), items.end(), [](const CheckItem& item) { return item.fails; });
  text += "Of " + std::to_string(items.size()) + " values: " + join_text(counts, ", ") + ". ";
  if (report.holds()) return text + "The check holds.\n";
  return text + "The check does not hold: " +
         (n_failing > 0 ? std::to_string(n_failing) + " fail.\n" : "nothing could be compared.\n");
}

Json check_json(const CheckReport& report) {
  Json json{{"schema_version", 1}, {"holds", report.holds()}, {"counts", Json::object()}, {"items", Json::array()}};
  for (const Verdict verdict : {Verdict::kReproduced, Verdict::kWithinNoise, Verdict::kOff, Verdict::kNotComparable}) {
    json["counts"][verdict_name(verdict)] = report.count(verdict);
  }
  for (const CheckItem& item : report.items) {
    json["items"].push_back({{"subject", item.subject},
                             {"metric", item.metric},
                             {"tag", item.tag},
                             {"reference", item.reference},
                             {"found", json_number(item.found)},
                             {"expected", json_number(item.expected)},
                             {"difference", json_number(item.difference())},
                             {"tolerance", item.tolerance},
                             {"noise", json_number(item.noise)},
                             {"verdict", verdict_name(item.verdict)},
                             {"reason", item.reason},
                             {"fails", item.fails}});
  }
  return json;
}

std::string check_junit(const CheckReport& report, const std::string& suite) {
  int64_t n_failures = 0;
  int64_t n_skipped = 0;
  auto n_cases = static_cast<int64_t>(report.items.size());
  std::string cases;
  for (const CheckItem& item : report.items) {
    const std::string name = item.metric + (item.tag.empty() ? "" : " of " + item.tag) + " against " + item.reference;
    cases += "    <testcase classname=\"" + escape_markup(item.subject) + "\" name=\"" + escape_markup(name) + "\"";
    const std::string message = verdict_name(item.verdict) + ": found " + number_or_dash(item.found) + ", expected " +
                                number_or_dash(item.expected) + (item.reason.empty() ? "" : "; " + item.reason);
    if (item.fails) {
      ++n_failures;
      cases += ">\n      <failure message=\"" + escape_markup(message) + "\"/>\n    </testcase>\n";
    } else if (item.verdict == Verdict::kNotComparable) {
      ++n_skipped;
      cases += ">\n      <skipped message=\"" + escape_markup(message) + "\"/>\n    </testcase>\n";
    } else {
      cases += "/>\n";
    }
  }
  if (!report.holds() && n_failures == 0) {
    ++n_failures;
    ++n_cases;
    cases += "    <testcase classname=\"" + escape_markup(suite) +
             "\" name=\"something was compared\">\n      <failure message=\"nothing could be compared\"/>\n    "
             "</testcase>\n";
  }
  const std::string counts = "tests=\"" + std::to_string(n_cases) + "\" failures=\"" + std::to_string(n_failures) +
                             "\" errors=\"0\" skipped=\"" + std::to_string(n_skipped) + "\"";
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites " + counts + ">\n  <testsuite name=\"" +
         escape_markup(suite) + "\" " + counts + ">\n" + cases + "  </testsuite>\n</testsuites>\n";
}

}  // namespace tagbench
