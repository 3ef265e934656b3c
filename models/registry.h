#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "harness/nn/tagger.h"

namespace tagbench {

// Every architecture, in the order of `tagbench list models`.
const std::vector<ModelEntry>& models();

// Errors: UsageError for an unknown name (names the nearest and the known ones).
const ModelEntry& find_model(std::string_view name);

}  // namespace tagbench
