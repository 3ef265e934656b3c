#pragma once

#include <string>
#include <utility>
#include <vector>

#include "reports/line_replicates.h"
#include "reports/report.h"
#include "results/scored_tracks.h"

namespace tagbench {

// Which architectures are compared: every pair; where there are more than `most_lines`, each with the line `best`.
std::vector<std::pair<size_t, size_t>> compared_pairs(size_t n_lines, size_t best, size_t most_lines);

// Every pair under every condition, and their mean drops where the table has a clean condition and others. Conditions
// but the clean one (the first where there is no clean one) and the mean drop are left out where there would be more
// than kMostComparisons. `seed_errors` [line][condition, then mean drop]: squared standard errors by the spread over
// seeds. Tables without replicates get no comparisons.
constexpr size_t kMostComparisons = 3000;
void compare_lines(ResultTable& table, const std::vector<LineReplicates>& replicates,
                   const std::vector<std::pair<size_t, size_t>>& pairs,
                   const std::vector<std::vector<std::optional<double>>>& squared_seed_errors);

// Scores of an architecture's cells under one condition: [fold][training], the trainings of a fold on the same tracks;
// empty where that is not so.
using LineScores = std::vector<std::vector<ScoredTracks>>;

struct TagFindings {
  std::vector<TagEstimate> estimates;      // of every line with scores; in order of the lines, then the tags
  std::vector<TagComparison> comparisons;  // in order of the pairs, then the tags
};

// ROC-AUC of every tag, over the folds. The two lines of a pair have the same folds, on the same tracks.
TagFindings judge_tags(const std::vector<std::string>& tags, const std::vector<LineScores>& lines,
                       const std::vector<std::pair<size_t, size_t>>& pairs, int threads);

}  // namespace tagbench
