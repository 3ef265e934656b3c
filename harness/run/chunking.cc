#include "harness/run/chunking.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace tagbench {

std::vector<int64_t> chunk_starts(int64_t n_samples, int64_t chunk_samples, int n_chunks) {
  if (n_samples < chunk_samples || n_chunks < 1) {
    throw std::logic_error("chunk_starts: " + std::to_string(n_samples) + " samples, chunks of " +
                           std::to_string(chunk_samples));
  }
  const int64_t hop = (n_samples - chunk_samples) / n_chunks;
  std::vector<int64_t> starts(static_cast<size_t>(n_chunks));
  for (int i = 0; i < n_chunks; ++i) starts[static_cast<size_t>(i)] = i * hop;
  return starts;
}

int64_t random_chunk_start(int64_t n_samples, int64_t chunk_samples, Rng& rng) {
  const int64_t room = std::max<int64_t>(0, n_samples - chunk_samples);
  return static_cast<int64_t>(std::floor(rng.uniform() * static_cast<double>(room)));
}

void copy_chunk(SampleSpan track, int64_t start, int64_t chunk_samples, bool repeat_short, float* chunk) {
  if (track.size >= chunk_samples) {
    std::copy_n(track.data + start, chunk_samples, chunk);
    return;
  }
  std::copy_n(track.data, track.size, chunk);
  if (!repeat_short || track.size == 0) {
    std::fill(chunk + track.size, chunk + chunk_samples, 0.0F);
    return;
  }
  for (int64_t i = track.size; i < chunk_samples; ++i) chunk[i] = chunk[i - track.size];
}

}  // namespace tagbench
