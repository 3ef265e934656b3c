#pragma once

#include <string>
#include <string_view>

#include "harness/core/options.h"
#include "harness/nn/tagger.h"

namespace tagbench {

// A user's own network as an architecture called "script": a TorchScript file with options path, sample_rate_hz,
// chunk_samples, outputs_probabilities and tags. It comes with its weights, so it is evaluated and never trained.
const ModelEntry& script_architecture();

// The registry's architecture of this name, or "script". Errors: UsageError for an unknown name.
const ModelEntry& find_architecture(std::string_view name);

// parse_spec, and the short form "script:net.pt,chunk_samples=59049", in which the first part is the path.
Spec parse_architecture(const std::string& text);

}  // namespace tagbench
