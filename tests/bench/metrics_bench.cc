#include <benchmark/benchmark.h>

#include <cmath>

#include "harness/core/rng.h"
#include "harness/metrics/bootstrap.h"
#include "harness/metrics/delong.h"
#include "harness/metrics/metrics.h"

namespace tagbench {
namespace {

// Probabilities and labels like a tagger's: one label in twenty holds, and scores follow the labels to some degree.
template <typename Score>
struct Corpus {
  std::vector<uint8_t> labels;
  std::vector<Score> scores;

  explicit Corpus(int64_t n_pairs) {
    Rng rng(1, {"metrics_bench"});
    for (int64_t i = 0; i < n_pairs; ++i) {
      const bool positive = rng.uniform() < 0.05;
      const double logit = 1.5 * rng.normal() - 3.0 + (positive ? 2.0 : 0.0);
      labels.push_back(positive ? 1 : 0);
      scores.push_back(static_cast<Score>(1.0 / (1.0 + std::exp(-logit))));
    }
  }
};

void compute_metrics_float32(benchmark::State& state) {
  const int64_t n_tracks = state.range(0);
  const int64_t n_tags = state.range(1);
  const Corpus<float> corpus(n_tracks * n_tags);
  for (auto _ : state) {
    benchmark::DoNotOptimize(compute_metrics({n_tracks, n_tags, corpus.labels.data(), nullptr},
                                             {n_tracks, n_tags, corpus.scores.data(), nullptr}));
  }
}
BENCHMARK(compute_metrics_float32)->Args({5000, 50})->Args({200000, 50})->Unit(benchmark::kMillisecond);

void compute_metrics_float64(benchmark::State& state) {
  const int64_t n_tracks = state.range(0);
  const int64_t n_tags = state.range(1);
  const Corpus<double> corpus(n_tracks * n_tags);
  for (auto _ : state) {
    benchmark::DoNotOptimize(compute_metrics({n_tracks, n_tags, corpus.labels.data(), nullptr},
                                             {n_tracks, n_tags, nullptr, corpus.scores.data()}));
  }
}
BENCHMARK(compute_metrics_float64)->Args({200000, 50})->Unit(benchmark::kMillisecond);

void bootstrap_2000_resamples(benchmark::State& state) {
  const int64_t n_tracks = state.range(0);
  const int64_t n_tags = state.range(1);
  const Corpus<float> corpus(n_tracks * n_tags);
  BootstrapOptions options;
  options.threads = static_cast<int>(state.range(2));
  for (auto _ : state) {
    benchmark::DoNotOptimize(bootstrap_metrics({n_tracks, n_tags, corpus.labels.data(), nullptr},
                                               {n_tracks, n_tags, corpus.scores.data(), nullptr}, {}, options));
  }
}
BENCHMARK(bootstrap_2000_resamples)
    ->Args({5000, 50, 1})
    ->Args({5000, 50, 2})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void estimates_of_2000_resamples(benchmark::State& state) {
  constexpr int64_t kTracks = 1000;
  constexpr int64_t kTags = 50;
  const Corpus<float> corpus(kTracks * kTags);
  const TaggingReplicates replicates = bootstrap_metrics({kTracks, kTags, corpus.labels.data(), nullptr},
                                                         {kTracks, kTags, corpus.scores.data(), nullptr}, {}, {});
  for (auto _ : state) benchmark::DoNotOptimize(estimates_of(replicates));
}
BENCHMARK(estimates_of_2000_resamples)->Unit(benchmark::kMillisecond);

void delong_per_tag_5000_tracks(benchmark::State& state) {
  constexpr int64_t kTracks = 5000;
  constexpr int64_t kTags = 50;
  const Corpus<float> corpus(kTracks * kTags);
  for (auto _ : state) {
    benchmark::DoNotOptimize(delong_per_tag({kTracks, kTags, corpus.labels.data(), nullptr},
                                            {kTracks, kTags, corpus.scores.data(), nullptr}));
  }
}
BENCHMARK(delong_per_tag_5000_tracks)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tagbench
