#include "splits/assign.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "harness/core/errors.h"
#include "harness/core/rng.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

struct Group {
  std::string_view name;
  bool named = false;
  std::vector<int64_t> tracks;
  std::vector<std::pair<int64_t, double>> tag_counts;  // (tag, positives), tags in ascending order
  double rarest = 0.0;                                 // positives in the dataset of its rarest tag
  uint64_t tie = 0;
};

std::vector<Group> collect_groups(const Dataset& dataset, const std::vector<double>& positives, uint64_t seed) {
  // Named groups and lone tracks are kept apart: an id may happen to equal a group's name.
  std::map<std::pair<bool, std::string_view>, std::vector<int64_t>> members;
  for (int64_t i = 0; i < dataset.n_tracks(); ++i) {
    const Track& track = dataset.tracks[static_cast<size_t>(i)];
    const bool named = !track.group.empty();
    members[{named, named ? std::string_view(track.group) : std::string_view(track.id)}].push_back(i);
  }
  std::vector<Group> groups;
  groups.reserve(members.size());
  for (auto& [key, tracks] : members) {
    Group group;
    group.named = key.first;
    group.name = key.second;
    group.tracks = std::move(tracks);
    // A group without tags comes last.
    group.rarest = static_cast<double>(dataset.n_tracks()) + 1.0;
    for (int64_t tag = 0; tag < dataset.n_tags(); ++tag) {
      double count = 0.0;
      for (const int64_t track : group.tracks) count += dataset.label(track, tag) == 1 ? 1.0 : 0.0;
      if (count == 0.0) continue;
      group.tag_counts.emplace_back(tag, count);
      group.rarest = std::min(group.rarest, positives[static_cast<size_t>(tag)]);
    }
    group.tie = derived_seed(seed, {"split", group.named ? "group" : "track", group.name});
    groups.push_back(std::move(group));
  }
  std::sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
    if (a.rarest != b.rarest) return a.rarest < b.rarest;
    if (a.tracks.size() != b.tracks.size()) return a.tracks.size() > b.tracks.size();
    if (a.tie != b.tie) return a.tie < b.tie;
    return std::pair(a.named, a.name) < std::pair(b.named, b.name);
  });
  return groups;
}

}  // namespace

std::vector<int> assign_bins(const Dataset& dataset, const std::vector<double>& fractions, uint64_t seed) {
  const auto n_tags = static_cast<size_t>(dataset.n_tags());
  const auto n_tracks = static_cast<double>(dataset.n_tracks());
  std::vector<double> positives(n_tags, 0.0);
  for (int64_t i = 0; i < dataset.n_tracks(); ++i) {
    for (size_t tag = 0; tag < n_tags; ++tag) {
      positives[tag] += dataset.label(i, static_cast<int64_t>(tag)) == 1 ? 1.0 : 0.0;
    }
  }
  const std::vector<Group> groups = collect_groups(dataset, positives, seed);
  const size_t n_bins = fractions.size();
  if (groups.size() < n_bins) {
    throw DataError(dataset.name + ": a split into " + std::to_string(n_bins) +
                    " parts needs as many groups (artists), found " + std::to_string(groups.size()) +
                    "; give a split column, or fewer parts");
  }
  std::vector<double> tracks_in(n_bins, 0.0);
  std::vector<std::vector<double>> positives_in(n_bins, std::vector<double>(n_tags, 0.0));
  std::vector<int> bins(static_cast<size_t>(dataset.n_tracks()), 0);
  size_t groups_left = groups.size();
  for (const Group& group : groups) {
    const auto size = static_cast<double>(group.tracks.size());
    const auto n_empty = static_cast<size_t>(std::count(tracks_in.begin(), tracks_in.end(), 0.0));
    // The last groups go to bins that would otherwise stay empty.
    const bool only_empty = n_empty == groups_left;
    size_t best = n_bins;
    double best_need = 0.0;
    for (size_t bin = 0; bin < n_bins; ++bin) {
      if (only_empty && tracks_in[bin] > 0.0) continue;
      // Shares still lacking, each tag weighted by the share of its positives that the group brings; the number of
      // tracks counts as one more tag.
      double need = size / n_tracks * (1.0 - tracks_in[bin] / (fractions[bin] * n_tracks));
      for (const auto& [tag, count] : group.tag_counts) {
        const auto t = static_cast<size_t>(tag);
        need += count / positives[t] * (1.0 - positives_in[bin][t] / (fractions[bin] * positives[t]));
      }
      // At equal need the larger bin comes first: it has most left to take.
      const bool better = best == n_bins || need > best_need || (need == best_need && fractions[bin] > fractions[best]);
      if (!better) continue;
      best = bin;
      best_need = need;
    }
    tracks_in[best] += size;
    for (const auto& [tag, count] : group.tag_counts) positives_in[best][static_cast<size_t>(tag)] += count;
    for (const int64_t track : group.tracks) bins[static_cast<size_t>(track)] = static_cast<int>(best);
    --groups_left;
  }
  return bins;
}

std::vector<Part> assign_parts(const Dataset& dataset, double valid_fraction, double test_fraction, uint64_t seed) {
  const double train_fraction = 1.0 - valid_fraction - test_fraction;
  // Fractions that should add up to 1 may miss it by rounding.
  constexpr double kSmallestFraction = 1e-9;
  if (train_fraction < kSmallestFraction) {
    throw UsageError(dataset.name + ": valid_fraction and test_fraction must add up to less than 1, got " +
                     format_real(valid_fraction) + " and " + format_real(test_fraction));
  }
  std::vector<double> fractions = {train_fraction};
  std::vector<Part> part_of_bin = {Part::kTrain};
  if (valid_fraction > 0.0) {
    fractions.push_back(valid_fraction);
    part_of_bin.push_back(Part::kValid);
  }
  if (test_fraction > 0.0) {
    fractions.push_back(test_fraction);
    part_of_bin.push_back(Part::kTest);
  }
  std::vector<Part> parts;
  for (const int bin : assign_bins(dataset, fractions, seed)) parts.push_back(part_of_bin[static_cast<size_t>(bin)]);
  return parts;
}

std::vector<Split> fold_splits(const std::vector<int>& fold_of_track, int n_folds, bool with_validation) {
  std::vector<Split> splits;
  for (int fold = 1; fold <= n_folds; ++fold) {
    Split split;
    split.name = "fold" + std::to_string(fold);
    const int validation = fold % n_folds + 1;
    for (const int own : fold_of_track) {
      split.parts.push_back(own == fold                            ? Part::kTest
                            : with_validation && own == validation ? Part::kValid
                                                                   : Part::kTrain);
    }
    splits.push_back(std::move(split));
  }
  return splits;
}

}  // namespace tagbench
