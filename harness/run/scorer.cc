#include "harness/run/scorer.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <map>
#include <utility>

#include "harness/core/errors.h"
#include "harness/nn/autocast.h"
#include "harness/run/chunking.h"

namespace tagbench {
namespace {

// The first feature maps of the song-level networks hold about 24 values per input sample; a million samples keep
// a batch of any architecture below 1 GiB.
constexpr int64_t kMaxBatchSamples = int64_t{1} << 20U;

// Of the `batch` that begins at chunk `first`. Checked before the network as well as after it: some layers turn NaN
// into 0.
torch::Tensor finite_features(Tagger& tagger, const torch::Tensor& batch, int64_t first) {
  torch::Tensor features = tagger.front_end(batch);
  const torch::Tensor bad = features.flatten(1).isfinite().all(1).logical_not().nonzero();
  if (bad.numel() > 0) {
    throw DataError(tagger.facts().name + ": the front end gave NaN or infinity for chunk " +
                    std::to_string(first + bad[0].item<int64_t>()) +
                    " (counted from 0); its samples are too large, or the weights are damaged");
  }
  return features;
}

void require_finite(const torch::Tensor& logits, const std::string& model) {
  if (!logits.isfinite().all().item<bool>()) {
    throw DataError(model +
                    ": the network gave a value that is not finite; its weights are damaged or training diverged");
  }
}

int64_t batch_of(const ScorerOptions& options, int64_t chunk_samples) {
  return options.batch_chunks > 0 ? options.batch_chunks : evaluation_batch(chunk_samples);
}

}  // namespace

int64_t evaluation_batch(int64_t chunk_samples) {
  return std::max<int64_t>(1, kMaxBatchSamples / std::max<int64_t>(1, chunk_samples));
}

torch::Tensor probabilities(const torch::Tensor& logits, bool softmax) {
  return softmax ? torch::softmax(logits, 1) : torch::sigmoid(logits);
}

torch::Tensor chunk_logits(Tagger& tagger, const torch::Tensor& chunks, const ScorerOptions& options) {
  const c10::InferenceMode inference;
  tagger.eval();
  std::vector<torch::Tensor> parts;
  int64_t first = 0;
  for (const torch::Tensor& batch : chunks.split(batch_of(options, chunks.size(1)))) {
    const torch::Tensor features = finite_features(tagger, batch.to(options.device), first);
    const AutocastGuard autocast(options.device, options.bf16);
    parts.push_back(tagger.network(features).to(torch::kCPU, torch::kFloat32));
    first += batch.size(0);
  }
  return torch::cat(parts);
}

Scorer::Scorer(std::vector<std::shared_ptr<Tagger>> taggers, const Protocol& protocol, ScorerOptions options)
    : taggers_(std::move(taggers)), protocol_(protocol), options_(options) {
  for (const auto& tagger : taggers_) tagger->eval();
}

std::vector<TrackScores> Scorer::score(SampleSpan track, int n_chunks) const {
  const c10::InferenceMode inference;
  std::vector<TrackScores> results(taggers_.size());
  std::map<int64_t, torch::Tensor> chunks_by_length;
  std::map<std::pair<int64_t, std::string>, std::vector<torch::Tensor>> features_by_front_end;

  for (size_t m = 0; m < taggers_.size(); ++m) {
    Tagger& tagger = *taggers_[m];
    const int64_t chunk_samples = tagger.facts().input_samples;
    TrackScores& result = results[m];
    result.is_short = track.size < chunk_samples;

    torch::Tensor& chunks = chunks_by_length[chunk_samples];
    if (!chunks.defined()) {
      // A short track is filled up to one chunk; the hop rule then gives n_chunks equal ones, of which one is computed.
      const std::vector<int64_t> starts =
          result.is_short ? std::vector<int64_t>{0} : chunk_starts(track.size, chunk_samples, n_chunks);
      chunks = torch::empty({static_cast<int64_t>(starts.size()), chunk_samples});
      for (size_t i = 0; i < starts.size(); ++i) {
        copy_chunk(track, starts[i], chunk_samples, protocol_.short_tracks == "repeat",
                   chunks.data_ptr<float>() + static_cast<int64_t>(i) * chunk_samples);
      }
    }

    const std::string front_end = tagger.front_end_key();
    const auto compute_features = [&] {
      std::vector<torch::Tensor> batches;
      int64_t first = 0;
      for (const torch::Tensor& batch : chunks.split(batch_of(options_, chunk_samples))) {
        batches.push_back(finite_features(tagger, batch.to(options_.device), first));
        first += batch.size(0);
      }
      return batches;
    };
    std::vector<torch::Tensor> own;
    std::vector<torch::Tensor>* features = &own;
    if (front_end.empty()) {
      own = compute_features();
    } else {
      features = &features_by_front_end[{chunk_samples, front_end}];
      if (features->empty()) *features = compute_features();
    }

    std::vector<torch::Tensor> logits;
    {
      const AutocastGuard autocast(options_.device, options_.bf16);
      for (const torch::Tensor& batch : *features)
        logits.push_back(tagger.network(batch).to(torch::kCPU, torch::kFloat32));
    }
    const torch::Tensor all_logits = torch::cat(logits);
    require_finite(all_logits, tagger.facts().name);
    const torch::Tensor scores = probabilities(all_logits, protocol_.softmax_scores()).contiguous();
    const torch::Tensor mean = scores.mean(0).contiguous();
    result.mean.assign(mean.data_ptr<float>(), mean.data_ptr<float>() + mean.numel());
    result.chunks.assign(scores.data_ptr<float>(), scores.data_ptr<float>() + scores.numel());
  }
  return results;
}

}  // namespace tagbench
