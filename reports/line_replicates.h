#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/metrics/bootstrap.h"

namespace tagbench {

// Replicates by split, trainings averaged. Folds are drawn apart.
using BySplit = std::map<std::string, Replicates>;

// Of one architecture and one metric.
struct LineReplicates {
  std::vector<BySplit> by_condition;
  BySplit mean_drop;
};

// Each on the splits that all have, the mean over them; paired with each other. Empty if they share no split.
std::vector<Replicates> on_shared_splits(const std::vector<const BySplit*>& parts);

// The figure of those means; nothing if they share no split.
std::optional<Replicates> over_splits(const std::vector<const BySplit*>& parts, const Figure& figure);

// clean minus the mean over the other conditions, on every split that has them all on the same tracks.
BySplit mean_drop_replicates(const std::vector<BySplit>& by_condition, size_t clean);

}  // namespace tagbench
