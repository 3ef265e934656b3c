#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/audio/pcm_cache.h"
#include "results/row.h"
#include "splits/dataset.h"

namespace tagbench {

// The audio of a dataset's tracks, through the PCM cache.
class TrackAudio {
 public:
  TrackAudio(const Dataset& dataset, PcmCache& cache) : dataset_(dataset), cache_(cache) {}
  // Safe from several threads. Errors: DataError that names the track's file.
  PcmClip load(int64_t track, int sample_rate_hz) const;
  // The track played anew from its score with a change. Safe from several threads. Errors: UsageError for a dataset
  // without scores; DataError that names the track's file.
  Waveform play(int64_t track, const ScoreChange& change, int sample_rate_hz) const;
  // PcmCache::source_key of the track's file.
  std::string source_key(int64_t track, int sample_rate_hz) const;
  const Dataset& dataset() const { return dataset_; }
  // "16-bit, best": how files are decoded and resampled, as it goes into a cell's identity.
  std::string settings() const;

 private:
  std::filesystem::path file(int64_t track) const;
  const Dataset& dataset_;
  PcmCache& cache_;
};

struct PreparedTracks {
  std::vector<int64_t> usable;         // in the order given
  std::vector<TrackFailure> failures;  // in the order given
};

// Decodes every track at every rate into the cache with `threads` threads and a progress bar; tells which cannot be
// used and why. Errors: Interrupted. With `strict`, DataError for the first track that fails.
PreparedTracks prepare_tracks(const TrackAudio& audio, const std::vector<int64_t>& tracks,
                              const std::vector<int>& sample_rates_hz, int threads, bool strict);

}  // namespace tagbench
