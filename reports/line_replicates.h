#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/metrics/bootstrap.h"
#include "reports/report.h"

namespace tagbench {

// Replicates by split, trainings averaged. Folds are drawn apart.
using BySplit = std::map<std::string, Replicates>;

// Of one architecture and one metric.
struct LineReplicates {
  std::vector<BySplit> by_condition;
  BySplit mean_drop;
};

// As many as asked for, or as the limit of work allows for so many labels; 0 where that is too few to be of use.
int affordable_resamples(int64_t n_labels, const ReportOptions& options);

size_t n_shared_splits(const std::vector<const BySplit*>& parts);

// Each on the splits that all have, the mean over them; paired with each other. Empty if they share no split.
std::vector<Replicates> on_shared_splits(const std::vector<const BySplit*>& parts);

// The figure of those means; nothing if they share no split.
std::optional<Replicates> over_splits(const std::vector<const BySplit*>& parts, const Figure& figure);

// clean minus the mean over the other conditions, on every split that has them all. Errors: std::logic_error if they
// are not on the same tracks.
BySplit mean_drop_replicates(const std::vector<BySplit>& by_condition, size_t clean);

}  // namespace tagbench
