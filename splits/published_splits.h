#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "splits/dataset.h"

namespace tagbench {

// What is known about a split from papers and from the owners' own lists, to tell a changed or partial copy from the
// real thing.
struct PublishedSplit {
  std::string dataset;  // Dataset::name; with `any_options` that of the reader alone
  std::string split;
  std::array<int64_t, 3> counts{};          // train, valid, test; -1 where nothing is published
  std::string sha256;                       // of the manifest; "" where the owner's labels were not at hand
  std::array<std::string, 3> ids_sha256{};  // of the ids of train, valid, test (ids_sha256 below); "" where not at hand
  std::string source;
  bool any_options = false;  // the options decide about the drawing of the valid part and the form of files alone
  // Of train and valid together, where we draw the valid part from the owners' training part.
  int64_t train_and_valid = -1;
  std::string train_and_valid_ids_sha256{};
};

const std::vector<PublishedSplit>& published_splits();

// SHA-256 of the ids of some parts: sorted bytewise, each followed by a line end.
std::string ids_sha256(const Dataset& dataset, const Split& split, const std::vector<Part>& parts);

struct SplitCheck {
  std::string split;
  bool known = false;    // something is published about it
  bool matches = false;  // all that is on record holds; false if nothing is known
  // What is on record of the whole split: "manifest" (ids and labels), "ids", or "counts"; "" if nothing is known.
  std::string compared;
  std::string message;  // what was compared with which source, what differs, and what could not be compared
};
// One per split. Splits must be frozen.
std::vector<SplitCheck> check_published_splits(const Dataset& dataset);

}  // namespace tagbench
