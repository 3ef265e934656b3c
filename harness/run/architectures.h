#pragma once

#include <string>
#include <string_view>

#include "harness/core/options.h"
#include "harness/nn/model_file.h"
#include "harness/nn/state_dict.h"
#include "harness/nn/tagger.h"

namespace tagbench {

// A user's own network as an architecture called "script": a TorchScript file with options path, sample_rate_hz,
// chunk_samples, outputs_probabilities and tags. It comes with its weights, so it is evaluated and never trained.
const ModelEntry& script_architecture();

// The registry's architecture of this name, or "script". Errors: UsageError for an unknown name.
const ModelEntry& find_architecture(std::string_view name);

// A registry network whose weights are in `source`, a file of ours that tells `info`: name and options that `given`
// lacks are the file's. (A file names no script: reading it executes nothing.) Errors: UsageError where what is given
// contradicts the file; DataError where the file's own words fit no architecture.
Spec completed_by_file(const Spec& given, const ModelFileInfo& info, const std::string& source);

// The number of outputs of the architecture in these weights: the length of its last parameter. What the network itself
// has where the weights lack it. Errors: DataError that begins with `what` for more than 100,000.
int64_t n_outputs(const StateDict& state, const Tagger& tagger, const std::string& what);

// load_state, with weights of another architecture called by its name. Errors: as load_state.
void load_weights(Tagger& tagger, const StateDict& state, const std::string& what);

// parse_spec, and the short form "script:net.pt,chunk_samples=59049", in which the first part is the path.
Spec parse_architecture(const std::string& text);

}  // namespace tagbench
