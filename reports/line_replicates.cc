#include "reports/line_replicates.h"

#include <algorithm>
#include <numeric>

namespace tagbench {

namespace {

std::vector<std::string> shared_splits(const std::vector<const BySplit*>& parts) {
  std::vector<std::string> shared;
  if (parts.empty()) return shared;
  for (const auto& entry : *parts.front()) {
    const bool everywhere =
        std::all_of(parts.begin(), parts.end(), [&](const BySplit* part) { return part->count(entry.first) > 0; });
    if (everywhere) shared.push_back(entry.first);
  }
  return shared;
}

}  // namespace

int affordable_resamples(int64_t n_labels, const ReportOptions& options) {
  constexpr int64_t kFewest = 200;  // below this the ends of a 95 % interval are a matter of luck
  // The jackknife behind every interval costs as much as so many resamples.
  const int64_t affordable = std::min<int64_t>(
      options.resamples, options.most_resampled_labels / std::max<int64_t>(1, n_labels) - kMaxJackknifeParts);
  return affordable < std::min<int64_t>(kFewest, options.resamples) ? 0 : static_cast<int>(affordable);
}

size_t n_shared_splits(const std::vector<const BySplit*>& parts) {
  return shared_splits(parts).size();
}

std::vector<Replicates> on_shared_splits(const std::vector<const BySplit*>& parts) {
  std::vector<Replicates> means;
  const std::vector<std::string> shared = shared_splits(parts);
  if (shared.empty()) return means;
  for (const BySplit* part : parts) {
    std::vector<const Replicates*> folds;
    for (const std::string& split : shared) folds.push_back(&part->at(split));
    means.push_back(mean_of_independent(folds));
  }
  return means;
}

std::optional<Replicates> over_splits(const std::vector<const BySplit*>& parts, const Figure& figure) {
  const std::vector<Replicates> means = on_shared_splits(parts);
  if (means.empty()) return std::nullopt;
  std::vector<const Replicates*> pointers;
  for (const Replicates& mean : means) pointers.push_back(&mean);
  return combine(pointers, figure);
}

BySplit mean_drop_replicates(const std::vector<BySplit>& by_condition, size_t clean) {
  BySplit drops;
  if (by_condition.size() < 2) return drops;
  for (const auto& [split, of_clean] : by_condition[clean]) {
    std::vector<const Replicates*> replicates = {&of_clean};
    for (size_t c = 0; c < by_condition.size(); ++c) {
      const auto found = by_condition[c].find(split);
      if (c != clean && found != by_condition[c].end()) replicates.push_back(&found->second);
    }
    if (replicates.size() < by_condition.size()) continue;
    drops[split] = combine(replicates, [](const std::vector<double>& values) -> std::optional<double> {
      return values[0] -
             std::accumulate(values.begin() + 1, values.end(), 0.0) / static_cast<double>(values.size() - 1);
    });
  }
  return drops;
}

}  // namespace tagbench
