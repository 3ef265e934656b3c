#pragma once

#include <string>

#include "harness/core/json.h"

namespace tagbench {

// Versions of everything that computes, compiler, commit, processor, BLAS, threads, devices: for env.json and `tagbench
// env`.
Json environment();

// The part that goes into every row: what could move a number between two machines.
Json row_software(const std::string& device, int threads);

}  // namespace tagbench
