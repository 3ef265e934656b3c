#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "splits/dataset.h"

// Seeded, stratified assignment of tracks to parts or folds that tears no group apart, for datasets whose owners give
// none.
namespace tagbench {

// The bin (0 .. fractions.size() - 1) of each track. `fractions` are the wanted shares of tracks, positive, adding up
// to 1. Tracks with the same non-empty group share a bin; a track without a group stands alone. Whole groups are dealt
// out, those with the rarest tags first, each to the bin that lacks its tags most in proportion to what it should have
// (iterative stratification after Sechidis et al. 2011, applied to groups). Ties are broken by a hash of seed and
// group, so the result depends neither on the order of tracks nor on the machine. Unknown labels count for nothing.
// Errors: DataError if there are fewer groups than bins.
std::vector<int> assign_bins(const Dataset& dataset, const std::vector<double>& fractions, uint64_t seed);

// Train, valid and test. A fraction of 0 leaves that part empty. Errors: UsageError if nothing is left for training.
std::vector<Part> assign_parts(const Dataset& dataset, double valid_fraction, double test_fraction, uint64_t seed);

// Splits "fold1" .. "foldN" of equal share, each track tested once. With `with_validation` fold k validates on fold k
// mod N + 1; otherwise the valid part is empty.
std::vector<Split> fold_splits(const std::vector<int>& fold_of_track, int n_folds, bool with_validation);

}  // namespace tagbench
