#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "harness/core/waveform.h"
#include "harness/nn/tagger.h"
#include "harness/run/protocol.h"

namespace tagbench {

struct ScorerOptions {
  torch::Device device = torch::kCPU;
  bool bf16 = false;
  int64_t batch_chunks = 0;  // at once through a network; 0: as many as memory allows. Results do not depend on it.
};

// Scores of one track under a protocol.
struct TrackScores {
  std::vector<float> mean;    // [K] arithmetic mean of the chunks' probabilities
  std::vector<float> chunks;  // [n_chunks, K] probabilities
  bool is_short = false;      // the track was shorter than a chunk
};

// Scores tracks with several taggers at once. What taggers share is computed once: chunks of equal length are cut once,
// and equal front ends run once per chunk. All chunks of a track form one batch (cut further only to bound memory), so
// scores depend on the track alone.
class Scorer {
 public:
  // Taggers are put into evaluation mode and must stay unchanged while the scorer lives.
  Scorer(std::vector<std::shared_ptr<Tagger>> taggers, const Protocol& protocol, ScorerOptions options);
  // One entry per tagger. `n_chunks` evenly spaced chunks by the protocol's hop rule.
  // Errors: DataError if a network gives a value that is not finite.
  std::vector<TrackScores> score(SampleSpan track, int n_chunks) const;

 private:
  std::vector<std::shared_ptr<Tagger>> taggers_;
  Protocol protocol_;
  ScorerOptions options_;
};

// Logits [B, K] of ready chunks [B, T] in evaluation mode, in batches that bound memory.
torch::Tensor chunk_logits(Tagger& tagger, const torch::Tensor& chunks, const ScorerOptions& options);

// Probabilities from logits: sigmoid, or softmax over tags.
torch::Tensor probabilities(const torch::Tensor& logits, bool softmax);

// The largest batch of chunks of `chunk_samples` samples that evaluation puts through a network at once.
int64_t evaluation_batch(int64_t chunk_samples);

}  // namespace tagbench
