#include "reports/line_comparisons.h"

#include <algorithm>
#include <cmath>

#include "harness/core/parallel.h"
#include "harness/metrics/delong.h"

namespace tagbench {
namespace {

constexpr const char* kMeanDrop = "mean drop";

LineComparison compare_pair(const BySplit& of_a, const BySplit& of_b, size_t n_splits) {
  LineComparison item;
  const std::vector<Replicates> both = on_shared_splits({&of_a, &of_b});
  if (both.empty()) {
    item.reason = "no split on which both could be resampled";
    return item;
  }
  const size_t n_shared = n_shared_splits({&of_a, &of_b});
  const Comparison comparison = compare(both[0], both[1]);
  item.difference = comparison.difference.value.value;
  item.reason = comparison.difference.reason;
  if (item.reason.empty() && n_shared < n_splits)
    item.reason = "on " + std::to_string(n_shared) + " of " + std::to_string(n_splits) + " folds";
  if (comparison.difference.interval) {
    item.low = comparison.difference.interval->low;
    item.high = comparison.difference.interval->high;
  }
  item.p_value = comparison.p_value;
  return item;
}

}  // namespace

std::vector<std::pair<size_t, size_t>> compared_pairs(size_t n_lines, size_t best, size_t most_lines) {
  std::vector<std::pair<size_t, size_t>> pairs;
  for (size_t a = 0; a < n_lines; ++a) {
    for (size_t b = a + 1; b < n_lines; ++b) {
      if (n_lines <= most_lines || a == best || b == best) pairs.emplace_back(a, b);
    }
  }
  return pairs;
}

void compare_lines(ResultTable& table, const std::vector<LineReplicates>& replicates,
                   const std::vector<std::pair<size_t, size_t>>& pairs,
                   const std::vector<std::vector<std::optional<double>>>& squared_seed_errors) {
  const size_t n_conditions = table.conditions.size();
  const auto clean = static_cast<size_t>(std::find(table.conditions.begin(), table.conditions.end(), "clean") -
                                         table.conditions.begin());
  const auto is_resampled = [&](size_t column) {
    return std::any_of(replicates.begin(), replicates.end(), [&](const LineReplicates& line) {
      return column == n_conditions ? !line.mean_drop.empty() : !line.by_condition[column].empty();
    });
  };
  std::vector<size_t> columns = {clean < n_conditions ? clean : 0};
  if (pairs.size() * (n_conditions + 1) <= kMostComparisons) {
    for (size_t c = 0; c < n_conditions; ++c) {
      if (c != columns.front() && is_resampled(c)) columns.push_back(c);
    }
  } else {
    table.notes.push_back("Differences are given under " + table.conditions[columns.front()] +
                          " and for the mean drop only: under every condition they would be more than " +
                          std::to_string(kMostComparisons) + ".");
  }
  if (clean < n_conditions && n_conditions > 1 && is_resampled(n_conditions)) columns.push_back(n_conditions);
  // Where only the pairs with the best are looked at, the others belong to the family all the same: which is the best
  // was found on the same tracks.
  const size_t n_family = table.lines.size() * (table.lines.size() - 1) / 2;
  if (pairs.size() < n_family) {
    table.notes.push_back("Of " + std::to_string(n_family) + " pairs of architectures the " +
                          std::to_string(pairs.size()) +
                          " with the best one are compared; p-values are corrected for all.");
  }
  const size_t n_items = columns.size() * pairs.size();
  std::vector<LineComparison> items(n_items);
  parallel_for(static_cast<int64_t>(n_items), available_processors(), [&](int64_t i) {
    const size_t column = columns[static_cast<size_t>(i) / pairs.size()];
    const auto& [a, b] = pairs[static_cast<size_t>(i) % pairs.size()];
    const auto of = [&](size_t line) -> const BySplit& {
      return column == n_conditions ? replicates[line].mean_drop : replicates[line].by_condition[column];
    };
    LineComparison& item = items[static_cast<size_t>(i)];
    item = compare_pair(of(a), of(b), table.splits.size());
    item.a = a;
    item.b = b;
    item.condition = column == n_conditions ? kMeanDrop : table.conditions[column];
    const auto& of_a = squared_seed_errors[a][column];
    const auto& of_b = squared_seed_errors[b][column];
    if (of_a && of_b) item.seed_error = std::sqrt(*of_a + *of_b);
  });
  for (size_t begin = 0; begin < n_items; begin += pairs.size()) {
    std::vector<std::optional<double>> p_values;
    for (size_t i = 0; i < pairs.size(); ++i) p_values.push_back(items[begin + i].p_value);
    p_values.resize(n_family, 1.0);
    const auto adjusted = holm_adjusted(p_values);
    for (size_t i = 0; i < pairs.size(); ++i) items[begin + i].p_adjusted = adjusted[i];
  }
  table.comparisons = std::move(items);
}

TagFindings judge_tags(const std::vector<std::string>& tags, const std::vector<LineScores>& lines,
                       const std::vector<std::pair<size_t, size_t>>& pairs, int threads) {
  std::vector<size_t> with_scores;
  std::vector<std::vector<std::vector<int64_t>>> groups(lines.size());  // [line][fold]
  for (size_t l = 0; l < lines.size(); ++l) {
    if (!lines[l].empty()) with_scores.push_back(l);
    for (const auto& trainings : lines[l]) groups[l].push_back(group_indices(trainings.front().groups));
  }
  TagFindings findings;
  findings.estimates.resize(with_scores.size() * tags.size());
  findings.comparisons.resize(pairs.size() * tags.size());
  parallel_for(static_cast<int64_t>(tags.size()), threads, [&](int64_t tag) {
    const auto t = static_cast<size_t>(tag);
    std::vector<std::vector<Placements>> placed(lines.size());  // [line][fold]
    for (const size_t l : with_scores) {
      for (size_t fold = 0; fold < lines[l].size(); ++fold) {
        std::vector<Placements> of_trainings;
        for (const ScoredTracks& tracks : lines[l][fold])
          of_trainings.push_back(placements(tracks.label_matrix(), tracks.score_matrix(), tag, groups[l][fold]));
        placed[l].push_back(mean_of(of_trainings));
      }
    }
    for (size_t i = 0; i < with_scores.size(); ++i) {
      TagEstimate& item = findings.estimates[i * tags.size() + t];
      const DelongEstimate found = estimate_placements(placed[with_scores[i]]);
      item.line = with_scores[i];
      item.tag = tags[t];
      item.roc_auc = found.roc_auc.value;
      item.reason = found.reason;
      if (!found.interval) continue;
      item.low = found.interval->low;
      item.high = found.interval->high;
    }
    for (size_t p = 0; p < pairs.size(); ++p) {
      const auto& [a, b] = pairs[p];
      TagComparison& item = findings.comparisons[p * tags.size() + t];
      item.a = a;
      item.b = b;
      item.tag = tags[t];
      const DelongComparison found = compare_placements(placed[a], placed[b]);
      item.difference = found.difference.value;
      item.p_value = found.p_value;
      item.reason = found.reason;
      if (!found.interval) continue;
      item.low = found.interval->low;
      item.high = found.interval->high;
    }
  });
  for (size_t p = 0; p < pairs.size(); ++p) {
    std::vector<std::optional<double>> p_values;
    for (size_t t = 0; t < tags.size(); ++t) p_values.push_back(findings.comparisons[p * tags.size() + t].p_value);
    const auto adjusted = benjamini_hochberg_adjusted(p_values);
    for (size_t t = 0; t < tags.size(); ++t) findings.comparisons[p * tags.size() + t].p_adjusted = adjusted[t];
  }
  return findings;
}

}  // namespace tagbench
