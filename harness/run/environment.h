#pragma once

#include <string>

#include "harness/core/json.h"

namespace tagbench {

// Versions of everything that computes, compiler, commit, processor, BLAS, threads, devices: for env.json and `tagbench
// env`.
Json environment();

// The part that goes into every row: what could move a number between two machines.
Json row_software(const std::string& device, int threads);

// Warns, once in a process, if LibTorch computes with the reference BLAS: networks are then tens of times slower, and
// throughput says nothing about them.
void warn_of_slow_blas();

}  // namespace tagbench
