#pragma once

#include <cstdint>
#include <vector>

#include "harness/core/rng.h"
#include "harness/core/waveform.h"

namespace tagbench {

// Evenly spaced chunk starts: hop = floor((n_samples - chunk_samples) / n_chunks), chunk i begins at i * hop. The last
// chunk ends hop to hop + n_chunks - 1 samples before the end. Requires n_samples >= chunk_samples. Source: Won et al.
// 2020, official evaluation code.
std::vector<int64_t> chunk_starts(int64_t n_samples, int64_t chunk_samples, int n_chunks);

// A random start, floor(u * (n_samples - chunk_samples)) with u uniform on [0, 1), as in training.
int64_t random_chunk_start(int64_t n_samples, int64_t chunk_samples, Rng& rng);

// Copies chunk_samples samples from `start` on into `chunk`. A track shorter than a chunk is repeated cyclically, or
// followed by zeros; start must then be 0. The official code fails on such tracks; repetition keeps the level
// statistics, where zeros would feed frames of -100 dB. An empty track gives silence.
void copy_chunk(SampleSpan track, int64_t start, int64_t chunk_samples, bool repeat_short, float* chunk);

}  // namespace tagbench
