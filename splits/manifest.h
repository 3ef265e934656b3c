#pragma once

#include <filesystem>
#include <string>

#include "splits/dataset.h"

namespace tagbench {

// The frozen form of a split: a header with dataset, split, tags and counts, then one line per track that is used,
// sorted by id: "part<TAB>id<TAB>labels" (labels as a string of 0, 1 and ?). Equal splits give equal bytes whatever the
// machine or folder.
std::string split_manifest(const Dataset& dataset, const Split& split);

// Fills split.sha256 with the SHA-256 of the manifest.
void freeze_split(const Dataset& dataset, Split& split);

}  // namespace tagbench
