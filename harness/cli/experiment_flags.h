#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/config.h"

namespace tagbench {

// Key and value of --set. Errors: UsageError if it is not key=value.
std::pair<std::string, std::string> parse_setting(const std::string& text);

// The flags that equal the keys of an experiment file, for every verb that takes an experiment. Flags and --set
// override the file.
class ExperimentFlags {
 public:
  // With `file`, the experiment file is the verb's argument; returns it, or null.
  CLI::Option* add_to(CLI::App& verb, bool file);
  // The file (or an empty experiment) with every override applied.
  ConfigNode config() const;

 private:
  void apply_models(ConfigNode& config) const;
  std::string file_;
  std::string dataset_, protocol_, device_, precision_, output_, weights_, name_, cache_;
  std::vector<std::string> models_, splits_, perturbations_, seeds_, settings_;
  std::string tags_;
  long chunk_samples_ = 0;
  int sample_rate_hz_ = 0;
  bool outputs_probabilities_ = false;
  int threads_ = -1;
  long perturbation_seed_ = 0;
  int resamples_ = -1;
  bool strict_ = false;
  bool throughput_ = false;
  CLI::Option* perturbation_seed_option_ = nullptr;
};

}  // namespace tagbench
