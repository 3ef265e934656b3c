#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "harness/nn/model_file.h"
#include "harness/nn/tagger.h"

namespace tagbench {

// --model, --weights, --tags: an architecture with given weights.
struct LoadModelFlags {
  std::string model, weights, tags;
  int sample_rate_hz = 0;              // of script: models
  int64_t chunk_samples = 0;           // of script: models
  bool outputs_probabilities = false;  // of script: models
  // --model and --tags.
  void add_model_flags(CLI::App& verb);
  // These, --weights and what script: models need.
  void add_to(CLI::App& verb);
};

struct LoadedModel {
  std::shared_ptr<Tagger> tagger;  // in evaluation mode
  std::vector<std::string> tags;   // empty if nobody told their names
  int64_t n_tags = 0;
  ModelFileInfo info;
};

// Builds the architecture with as many tags as the weights have and loads them strictly. A model file of our own tells
// architecture, options and tags by itself, so --model may be left out. Errors: UsageError, DataError (all keys that do
// not fit at once).
LoadedModel load_model(const LoadModelFlags& flags);

}  // namespace tagbench
