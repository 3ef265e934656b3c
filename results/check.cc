#include "results/check.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <utility>

#include "harness/core/errors.h"
#include "harness/core/text.h"
#include "results/decision_metrics.h"
#include "results/grouped_notes.h"
#include "results/row_groups.h"
#include "results/run_gaps.h"
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

// `noise` is asked for only where it decides. Where scores behind it cannot be read, the difference stands unexplained.
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
    item.reason = signed_text(difference);
    try {
      item.noise = noise();
    } catch (const DataError& error) {
      item.reason += std::string(", and how much of it is noise cannot be told: ") + error.what();
    }
    const bool explained = item.noise && std::abs(difference) <= *item.noise;
    item.verdict = explained ? Verdict::kWithinNoise : Verdict::kOff;
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

// Null where there is no such tag.
const Replicates* find_replicates(const TaggingReplicates& replicates, const std::vector<std::string>& tags,
                                  const std::string& metric, const std::string& tag) {
  if (tag.empty()) return &replicates_of(replicates, metric);
  const auto found = std::find(tags.begin(), tags.end(), tag);
  if (found == tags.end()) return nullptr;
  return &replicates_of_tag(replicates, metric, static_cast<size_t>(found - tags.begin()));
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

// Scores and resamples of cells, each read and drawn once. Errors of all members: DataError that names the file, once
// more for every further call.
class Resampled {
 public:
  Resampled(const RunStore& run, const CheckOptions& options) : run_(run), options_(options) {}

  const ScoredTracks& tracks(const Row& row) {
    return stored(tracks_, row, [&] { return scored_tracks(run_, row); });
  }
  // Values of a metric in every resample, averaged over the group's seeds; empty where it is undefined.
  std::vector<double> mean_values(const SeedGroup& group, const std::string& metric, const std::string& tag) {
    std::vector<double> sum;
    for (const Row* row : group.rows) {
      const Replicates* of_metric = find_replicates(replicates(*row), row->tags, metric, tag);
      if (of_metric == nullptr || !of_metric->estimate.value) return {};
      sum.resize(of_metric->values.size(), 0.0);
      for (size_t r = 0; r < sum.size(); ++r) {
        sum[r] += of_metric->values[r].value_or(std::nan("")) / static_cast<double>(group.rows.size());
      }
    }
    return sum;
  }
  // One note for all cells whose scores were needed and cannot be used.
  std::vector<std::string> notes() const {
    GroupedNotes notes;
    for (const std::string& error : errors_)
      notes.add("Scores cannot be used, so what needs them could not be told", error);
    return notes.texts();
  }

 private:
  template <typename T>
  struct Stored {
    std::unique_ptr<T> value;
    std::string error;
  };
  template <typename T, typename Make>
  const T& stored(std::map<std::string, Stored<T>>& all, const Row& row, const Make& make) {
    Stored<T>& entry = all[row.cell.key()];
    if (!entry.error.empty()) throw DataError(entry.error);
    if (entry.value) return *entry.value;
    try {
      entry.value = std::make_unique<T>(make());
    } catch (const DataError& error) {
      const std::string file = (run_.cell_directory(row.cell.key()) / "scores.npy").string();
      const std::string what = error.what();
      // What is wrong with the numbers themselves is said without the file.
      const bool names_file = what.find(run_.cell_directory(row.cell.key()).string()) != std::string::npos;
      entry.error = names_file ? what : file + ": " + what;
      if (std::find(errors_.begin(), errors_.end(), entry.error) == errors_.end()) errors_.push_back(entry.error);
      throw DataError(entry.error);
    }
    return *entry.value;
  }
  const TaggingReplicates& replicates(const Row& row) {
    const ScoredTracks& scored = tracks(row);
    return stored(replicates_, row, [&] {
      return resample(scored, row.cell.split + " " + row.cell.split_sha256, row.cell.task == "multiclass",
                      options_.resamples, options_.seed, options_.threads);
    });
  }
  const RunStore& run_;
  CheckOptions options_;
  std::map<std::string, Stored<ScoredTracks>> tracks_;
  std::map<std::string, Stored<TaggingReplicates>> replicates_;
  std::vector<std::string> errors_;
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

std::string subject_of(const SeedGroup& group) {
  const Row& row = group.any();
  return group.model_label() + ", " + row.cell.dataset + ", split " + row.cell.split + ", " + row.cell.condition;
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
  item.subject = subject_of(group);
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
  const auto value_of = [&](const Row& each) -> MetricValue {
    if (is_row_metric(value.metric)) return tag_value(*each.metrics, each.tags, value.metric, value.tag);
    try {
      const ScoredTracks& tracks = resampled.tracks(each);
      return decision_metric(tracks.label_matrix(), tracks.score_matrix(), value.metric, value.decision);
    } catch (const DataError& error) {
      return {std::nullopt, std::string("the scores are needed for it: ") + error.what()};
    }
  };
  const MetricValue found = group_value(group, value_of, seeds);
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

// Settings in which a run may differ from its baseline and still be held to it; a note tells them.
bool may_differ(const std::string& setting) {
  return setting == "weights" || setting == "conformance";
}

constexpr const char* kHere = "here";
constexpr const char* kThere = "in the baseline";

std::string failed_ids(const Row& row) {
  std::vector<std::string> ids;
  for (const TrackFailure& failure : row.failures) ids.push_back(failure.id);
  return join_text(ids, "\n");
}

// What the rows themselves say against a comparison; empty if nothing.
std::string baseline_problem(const CellMatch& match) {
  std::vector<RowDifference> refused;
  for (const RowDifference& each : match.differs) {
    if (!may_differ(each.name)) refused.push_back(each);
  }
  if (!refused.empty()) return differences_text(refused, kHere, kThere);
  const Row& row = match.a->any();
  const Row& baseline = match.b->any();
  if (row.n_tracks != baseline.n_tracks) {
    return differences_text(
        {{"split", std::to_string(row.n_tracks) + " tracks scored", std::to_string(baseline.n_tracks)}}, kHere, kThere);
  }
  if (failed_ids(row) != failed_ids(baseline)) return "";
  for (size_t k = 0; k < row.tags.size(); ++k) {
    const TagMetrics& a = row.metrics->per_tag[k];
    const TagMetrics& b = baseline.metrics->per_tag[k];
    if (a.n_positive == b.n_positive && a.n_known == b.n_known) continue;
    const auto text = [](const TagMetrics& tag) {
      return std::to_string(tag.n_positive) + " of " + std::to_string(tag.n_known) + " tracks";
    };
    return differences_text({{"labels", "'" + row.tags[k] + "' for " + text(a), text(b)}}, kHere, kThere);
  }
  return "";
}

// Whether the tracks that all of them scored have the same labels; empty if so, or if scores cannot be read.
std::string label_problem_between(const CellMatch& match, Resampled& here, Resampled& there) {
  try {
    const ScoredTracks& first = here.tracks(match.a->any());
    const auto against = [&](const ScoredTracks& other) {
      if (other.track_ids == first.track_ids) return label_problem(first, other);
      const std::vector<std::string> common = common_track_ids({&first, &other});
      return label_problem(select_tracks(first, common), select_tracks(other, common));
    };
    for (const Row* row : match.a->rows) {
      if (std::string problem = against(here.tracks(*row)); !problem.empty())
        return problem + " in the run's own seeds";
    }
    for (const Row* row : match.b->rows) {
      if (std::string problem = against(there.tracks(*row)); !problem.empty()) return problem + " in the baseline";
    }
  } catch (const DataError&) {
    // Told by the values that need these scores.
  }
  return "";
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

// One item for a whole cell.
CheckItem cell_item(const SeedGroup& group) {
  CheckItem item;
  item.subject = subject_of(group);
  item.metric = "all";
  item.reference = "baseline";
  return item;
}

CheckItem lost_cell(const SeedGroup& group, const std::string& reason) {
  CheckItem item = cell_item(group);
  item.verdict = Verdict::kOff;
  item.reason = reason;
  item.fails = true;
  return item;
}

CheckItem unpaired_cell(const CellMatch& match, const CheckRules& rules) {
  if (match.b != nullptr && match.ambiguous.empty())
    return lost_cell(*match.b, "the baseline has this cell, the run does not");
  CheckItem item = cell_item(match.a != nullptr ? *match.a : *match.b);
  const std::string missing = match.a != nullptr ? "the baseline has no such cell" : "the run has no such cell";
  set_not_comparable(item, missing + (match.ambiguous.empty() ? "" : ", only others of this name: " + match.ambiguous),
                     rules);
  return item;
}

void check_baseline_group(const CellMatch& match, Resampled& here, Resampled& there, const CheckRules& rules,
                          CheckReport& report, GroupedNotes& notes) {
  const auto failed = [](const SeedGroup& of) -> const Row* {
    const auto found = std::find_if(of.rows.begin(), of.rows.end(), [](const Row* each) { return !each->metrics; });
    return found == of.rows.end() ? nullptr : *found;
  };
  const auto refuse = [&](const std::string& reason) {
    report.items.push_back(cell_item(*match.a));
    set_not_comparable(report.items.back(), reason, rules);
  };
  const Row* lost = failed(*match.a);
  if (lost != nullptr && failed(*match.b) != nullptr)
    return refuse("failed here and in the baseline: " + lost->message);
  if (lost != nullptr) {
    report.items.push_back(lost_cell(*match.a, "the cell failed here and not in the baseline: " + lost->message));
    return;
  }
  if (failed(*match.b) != nullptr) return refuse("the cell failed in the baseline");
  if (const std::string problem = baseline_problem(match); !problem.empty()) return refuse(problem);

  struct Judged {
    CheckItem item;
    Quantity quantity;
    MetricValue found, expected;
    std::vector<double> seeds_here, seeds_there;
  };
  std::vector<Judged> all;
  bool differs = false;
  for (const Quantity& quantity : baseline_quantities(match.a->any(), rules)) {
    const auto value_of = [&](const Row& each) {
      return tag_value(*each.metrics, each.tags, quantity.metric, quantity.tag);
    };
    Judged judged{cell_item(*match.a), quantity, {}, {}, {}, {}};
    judged.found = group_value(*match.a, value_of, judged.seeds_here);
    judged.expected = group_value(*match.b, value_of, judged.seeds_there);
    judged.item.metric = quantity.metric;
    judged.item.tag = quantity.tag;
    judged.item.found = judged.found.value;
    judged.item.expected = judged.expected.value;
    differs = differs || std::abs(judged.item.difference().value_or(0.0)) > kEqual;
    all.push_back(std::move(judged));
  }
  if (differs) {
    if (const std::string problem = label_problem_between(match, here, there); !problem.empty()) return refuse(problem);
  }
  if (!match.differs.empty()) {
    notes.add("Held to the baseline although they differ, " + differences_text(match.differs, kHere, kThere),
              subject_of(*match.a));
  }
  for (Judged& judged : all) {
    CheckItem& item = judged.item;
    if (!item.found && !item.expected) continue;  // undefined on both sides, for the same labels
    if (!item.found || !item.expected) {
      set_not_comparable(item,
                         item.found ? "undefined in the baseline: " + judged.expected.reason
                                    : "undefined here: " + judged.found.reason,
                         rules);
    } else {
      judge(item, judged.quantity.metric, kEqual, rules, [&] {
        return baseline_noise(*match.a, *match.b, judged.quantity, here, there, judged.seeds_here, judged.seeds_there);
      });
    }
    report.items.push_back(std::move(item));
  }
}

// ---- rules ----

// What rules can be about in one check.
struct Checked {
  std::set<std::string> metrics;      // over all tags
  std::set<std::string> tag_metrics;  // of single tags
  std::set<std::string> tags;
};

// A rule under which nothing falls would pass without a word.
void require_rules_apply(const CheckRules& rules, const Checked& checked) {
  if (checked.metrics.empty() && checked.tag_metrics.empty()) return;  // nothing is comparable, which the items say
  const auto require = [](const std::string& rule, const std::string& name, const std::set<std::string>& known) {
    if (known.count(name) > 0) return;
    throw UsageError(
        "check: " + rule + " '" + name + "' applies to nothing that is checked here; " +
        (known.empty() ? "no value of a single tag is checked" : suggestion(name, {known.begin(), known.end()})));
  };
  for (const auto& [metric, rule] : rules.metrics) require("the rule for metric", metric, checked.metrics);
  for (const auto& [metric, rule] : rules.per_tag) require("the rule per_tag for metric", metric, checked.tag_metrics);
  for (const auto& [tag, of_tag] : rules.tags) {
    require("the rule for tag", tag, checked.tags);
    for (const auto& [metric, rule] : of_tag)
      require("the rule for tag '" + tag + "', metric", metric, checked.tag_metrics);
  }
}

Checked checked_values(const std::vector<PublishedValue>& values) {
  Checked checked;
  for (const PublishedValue& value : values) {
    (value.tag.empty() ? checked.metrics : checked.tag_metrics).insert(value.metric);
    if (!value.tag.empty()) checked.tags.insert(value.tag);
  }
  return checked;
}

Checked checked_cells(const std::vector<Row>& rows, const std::vector<Row>& baseline) {
  Checked checked;
  for (const auto* side : {&rows, &baseline}) {
    for (const Row& row : *side) {
      if (!row.metrics) continue;
      for (const std::string& metric : metric_names()) {
        if (metric_of(row, metric).value) checked.metrics.insert(metric);
      }
      checked.tags.insert(row.tags.begin(), row.tags.end());
      checked.tag_metrics = {"roc_auc", "average_precision"};
    }
  }
  return checked;
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

std::vector<std::string> checkable_metrics(bool of_tags) {
  if (of_tags) return {"roc_auc", "average_precision"};
  std::vector<std::string> known = metric_names();
  known.insert(known.end(), decision_metric_names().begin(), decision_metric_names().end());
  return known;
}

std::string known_metric(const std::string& name, bool of_tags, const std::string& where) {
  std::string metric = canonical_metric(name);
  const std::vector<std::string> known = checkable_metrics(of_tags);
  if (std::find(known.begin(), known.end(), metric) == known.end()) {
    throw UsageError(where + ": unknown metric '" + name + "'; " + suggestion(name, known));
  }
  return metric;
}

void add_rule(std::map<std::string, CheckRule>& rules, const std::string& name, const ConfigNode& node, bool of_tags) {
  if (!rules.emplace(known_metric(name, of_tags, node.where()), parse_rule(node)).second)
    node.fail("a second rule for metric '" + canonical_metric(name) + "'; keep one");
}

std::map<std::string, CheckRule> parse_rules(const ConfigNode& node, bool of_tags) {
  std::map<std::string, CheckRule> rules;
  if (!node.defined()) return rules;
  for (const auto& [name, value] : node.entries()) add_rule(rules, name, value, of_tags);
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
  return !fails && !compares_nothing() && gaps.empty();
}

bool CheckReport::compares_nothing() const {
  return count(Verdict::kNotComparable) == static_cast<int64_t>(items.size());
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
  CheckRules rules;
  rules.metrics = parse_rules(node["metrics"], false);
  const std::vector<std::string> keys = {"metrics", "per_tag", "tags", "strict", "all_comparable"};
  std::vector<std::string> known = checkable_metrics(false);
  known.insert(known.begin(), keys.begin(), keys.end());
  for (const auto& [name, value] : node.entries()) {
    if (std::find(keys.begin(), keys.end(), name) != keys.end()) continue;
    const std::string metric = canonical_metric(name);
    if (std::find(known.begin(), known.end(), metric) == known.end()) {
      throw UsageError(value.where() + ": unknown key '" + name + "'; " + suggestion(name, known));
    }
    add_rule(rules.metrics, name, value, false);
  }
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

namespace {

// A number that its own scores contradict is no evidence, whatever it is compared with.
void add_contradicted_rows(const RunStore& run, const std::vector<Row>& rows, std::vector<std::string>& gaps) {
  for (const Row& row : rows) {
    if (!row.metrics || !std::filesystem::exists(run.cell_directory(row.cell.key()) / "scores.npy")) continue;
    try {
      scored_tracks(run, row);
    } catch (const DataError& error) {
      gaps.emplace_back(error.what());
    }
  }
}

}  // namespace

CheckReport check_against_published(const RunStore& run, const std::vector<PublishedValue>& values,
                                    const CheckRules& rules, const CheckOptions& options) {
  constexpr const char* kCondition = "clean";
  const std::vector<Row> rows = run.rows();
  const std::vector<SeedGroup> groups = seed_groups(rows);
  std::vector<std::pair<const SeedGroup*, const PublishedValue*>> pairs;
  std::vector<PublishedValue> about_run;
  for (const PublishedValue& value : values) {
    if (value.registry_model.empty() || value.dataset.empty()) continue;
    const size_t n_before = pairs.size();
    for (const SeedGroup& group : groups) {
      const CellId& cell = group.any().cell;
      if (cell.model == value.registry_model && cell.dataset == value.dataset && cell.condition == kCondition)
        pairs.emplace_back(&group, &value);
    }
    if (pairs.size() > n_before) about_run.push_back(value);
  }
  require_rules_apply(rules, checked_values(about_run));
  Resampled resampled(run, options);
  CheckReport report;
  for (const auto& [group, value] : pairs)
    report.items.push_back(check_published_value(*group, *value, resampled, rules));
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
  const RunGaps gaps = run_gaps(run, rows, kCondition);
  report.gaps = gaps.unfinished;
  report.gaps.insert(report.gaps.end(), gaps.missing.begin(), gaps.missing.end());
  add_contradicted_rows(run, rows, report.gaps);
  report.notes = resampled.notes();
  return report;
}

CheckReport check_against_published(const ScoredTracks& tracks, const std::string& subject,
                                    const std::vector<PublishedValue>& values, const CheckRules& rules,
                                    const CheckOptions& options) {
  require_rules_apply(rules, checked_values(values));
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
        for (const auto& each : find_replicates(*replicates, tracks.tags, value.metric, value.tag)->values) {
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
  require_rules_apply(rules, checked_cells(rows, baseline_rows));
  const std::vector<SeedGroup> here = seed_groups(rows);
  const std::vector<SeedGroup> there = seed_groups(baseline_rows);
  Resampled resampled_here(run, options);
  Resampled resampled_there(baseline, options);
  CheckReport report;
  GroupedNotes notes;
  for (const CellMatch& match : match_cells(here, there)) {
    if (match.a != nullptr && match.b != nullptr) {
      check_baseline_group(match, resampled_here, resampled_there, rules, report, notes);
    } else {
      report.items.push_back(unpaired_cell(match, rules));
    }
  }
  report.notes = notes.texts();
  const auto add = [](std::vector<std::string>& into, const std::string& whose, const std::vector<std::string>& texts) {
    for (const std::string& text : texts) into.push_back(whose + text);
  };
  const RunGaps gaps = run_gaps(run, rows);
  const RunGaps baseline_gaps = run_gaps(baseline, baseline_rows);
  add(report.gaps, "The run: ", gaps.unfinished);
  add(report.gaps, "The baseline: ", baseline_gaps.unfinished);
  add_contradicted_rows(run, rows, report.gaps);
  add_contradicted_rows(baseline, baseline_rows, report.gaps);
  // No gap in the check: the baseline decides which cells there have to be.
  add(report.notes, "The run: ", gaps.missing);
  add(report.notes, "The baseline: ", baseline_gaps.missing);
  add(report.notes, "The run: ", resampled_here.notes());
  add(report.notes, "The baseline: ", resampled_there.notes());
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
  for (const auto* notes : {&report.gaps, &report.notes}) {
    for (const std::string& note : *notes) text += "- " + escape_markdown(note) + "\n";
  }
  if (!report.gaps.empty() || !report.notes.empty()) text += "\n";
  std::vector<std::string> counts;
  for (const Verdict verdict : {Verdict::kReproduced, Verdict::kWithinNoise, Verdict::kOff, Verdict::kNotComparable}) {
    counts.push_back(std::to_string(report.count(verdict)) + " " + verdict_name(verdict));
  }
  const int64_t n_failing = std::count_if(items.begin(), items.end(), [](const CheckItem& item) { return item.fails; });
  text += "Of " + std::to_string(items.size()) + " values: " + join_text(counts, ", ") + ". ";
  if (report.holds()) return text + "The check holds.\n";
  std::vector<std::string> reasons;
  if (n_failing > 0) reasons.push_back(std::to_string(n_failing) + " fail");
  if (report.compares_nothing()) reasons.emplace_back("nothing could be compared");
  if (!report.gaps.empty())
    reasons.emplace_back("something is missing or contradicts itself (see above), so that it shows nothing");
  return text + "The check does not hold: " + join_text(reasons, "; ") + ".\n";
}

Json check_json(const CheckReport& report) {
  Json json{{"schema_version", 1},      {"holds", report.holds()}, {"complete", report.gaps.empty()},
            {"counts", Json::object()}, {"gaps", report.gaps},     {"notes", report.notes},
            {"items", Json::array()}};
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
  const auto add_failure = [&](const std::string& name, const std::string& message) {
    ++n_failures;
    ++n_cases;
    cases += "    <testcase classname=\"" + escape_markup(suite) + "\" name=\"" + name +
             "\">\n      <failure message=\"" + escape_markup(message) + "\"/>\n    </testcase>\n";
  };
  if (!report.gaps.empty()) add_failure("all is there", join_text(report.gaps, " "));
  if (report.compares_nothing() && n_failures == 0) add_failure("something was compared", "nothing could be compared");
  const std::string counts = "tests=\"" + std::to_string(n_cases) + "\" failures=\"" + std::to_string(n_failures) +
                             "\" errors=\"0\" skipped=\"" + std::to_string(n_skipped) + "\"";
  const std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites " + counts +
                          ">\n  <testsuite name=\"" + escape_markup(suite) + "\" " + counts + ">\n" + cases +
                          "  </testsuite>\n</testsuites>\n";
  return valid_utf8(xml);
}

}  // namespace tagbench
