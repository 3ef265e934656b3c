#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "perturbations/perturbation.h"

namespace tagbench {

// Every perturbation, in the order of `tagbench list perturbations`.
const std::vector<PerturbationEntry>& perturbations();

// Errors: UsageError for an unknown name (names the nearest and the known ones).
const PerturbationEntry& find_perturbation(std::string_view name);

}  // namespace tagbench
