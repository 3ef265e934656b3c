#include "results/decision_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "harness/core/errors.h"
#include "harness/core/options.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

struct Counts {
  int64_t true_positives = 0;
  int64_t decided = 0;  // positives decided
  int64_t positives = 0;
};

double ratio_or_zero(int64_t numerator, int64_t denominator) {
  return denominator == 0 ? 0.0 : static_cast<double>(numerator) / static_cast<double>(denominator);
}

double figure(const Counts& counts, const std::string& kind) {
  if (kind == "precision") return ratio_or_zero(counts.true_positives, counts.decided);
  if (kind == "recall") return ratio_or_zero(counts.true_positives, counts.positives);
  return ratio_or_zero(2 * counts.true_positives, counts.decided + counts.positives);
}

bool is_known(const LabelMatrix& labels, int64_t track, int64_t tag) {
  return labels.known == nullptr || labels.known[track * labels.n_tags + tag] != 0;
}

double oracle_threshold(const LabelMatrix& labels, const ScoreMatrix& scores, int64_t tag) {
  std::vector<std::pair<double, bool>> ranked;
  int64_t positives = 0;
  for (int64_t track = 0; track < labels.n_tracks; ++track) {
    if (!is_known(labels, track, tag)) continue;
    const bool positive = labels.values[track * labels.n_tags + tag] != 0;
    ranked.emplace_back(scores.at(track, tag), positive);
    positives += positive ? 1 : 0;
  }
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  double best = -1.0;
  double threshold = std::numeric_limits<double>::infinity();
  Counts counts;
  counts.positives = positives;
  for (size_t i = 0; i < ranked.size(); ++i) {
    ++counts.decided;
    counts.true_positives += ranked[i].second ? 1 : 0;
    const bool last_of_equals = i + 1 == ranked.size() || ranked[i + 1].first != ranked[i].first;
    if (!last_of_equals) continue;
    const double f1 = figure(counts, "f1");
    if (f1 >= best) {  // of equals the lowest score
      best = f1;
      threshold = ranked[i].first;
    }
  }
  return threshold;
}

}  // namespace

const std::vector<std::string>& decision_metric_names() {
  static const std::vector<std::string> names = {"precision_macro", "recall_macro", "f1_macro",
                                                 "precision_micro", "recall_micro", "f1_micro"};
  return names;
}

MetricValue decision_metric(const LabelMatrix& labels, const ScoreMatrix& scores, const std::string& metric,
                            const std::string& decision) {
  find_registered(decision_metric_names(), metric, "decision metric", [](const std::string& name) { return name; });
  const std::optional<double> fixed = parse_real(decision);
  if (!fixed && decision != "oracle")
    throw UsageError("decisions are made by a threshold or 'oracle', found '" + decision + "'");
  if (labels.n_tracks != scores.n_tracks || labels.n_tags != scores.n_tags) {
    throw DataError("decision metrics: labels and scores of one shape expected");
  }
  Counts all;
  double sum = 0.0;
  bool any = false;
  const std::string kind = metric.substr(0, metric.find('_'));
  for (int64_t tag = 0; tag < labels.n_tags; ++tag) {
    const double threshold = fixed ? *fixed : oracle_threshold(labels, scores, tag);
    Counts counts;
    for (int64_t track = 0; track < labels.n_tracks; ++track) {
      if (!is_known(labels, track, tag)) continue;
      any = true;
      const double score = scores.at(track, tag);
      if (std::isnan(score))
        throw DataError("decision metrics: the score of track " + std::to_string(track) + ", tag " +
                        std::to_string(tag) + " is no number");
      const bool positive = labels.values[track * labels.n_tags + tag] != 0;
      const bool decided = score > threshold;
      counts.positives += positive ? 1 : 0;
      counts.decided += decided ? 1 : 0;
      counts.true_positives += positive && decided ? 1 : 0;
    }
    sum += figure(counts, kind);
    all.positives += counts.positives;
    all.decided += counts.decided;
    all.true_positives += counts.true_positives;
  }
  if (!any) return {std::nullopt, "no known labels"};
  if (ends_with(metric, "_micro")) return {figure(all, kind), ""};
  return {sum / static_cast<double>(labels.n_tags), ""};
}

}  // namespace tagbench
