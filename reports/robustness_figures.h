#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "reports/line_replicates.h"
#include "reports/report.h"

namespace tagbench {

// What the figures of one architecture are made of.
struct RobustnessInput {
  std::vector<std::optional<double>> means;  // [condition], over seeds and folds, as the table shows them
  // [split][seed][condition]. Figures are of the repeats that have all of their conditions.
  std::map<std::string, std::map<int64_t, std::vector<std::optional<double>>>> repeats;
  LineReplicates replicates;  // no conditions: no intervals
};

// Fills the table's ladders and every line's robustness, one input per line. `reference` is a line.
// Conditions of a perturbation are those whose labels have its name before ':' or '@'; a chain is a perturbation of its
// own. Steps of a ladder are labels "name@step" with equal further options.
void add_robustness(ResultTable& table, const std::vector<RobustnessInput>& inputs, size_t clean, size_t reference);

}  // namespace tagbench
