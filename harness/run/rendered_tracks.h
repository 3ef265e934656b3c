#pragma once

#include <cstdint>
#include <filesystem>

#include "harness/audio/pcm_cache.h"
#include "harness/run/track_audio.h"
#include "perturbations/condition.h"

namespace tagbench {

// Tracks under conditions; with a directory, what was rendered is kept on disk and found again by later runs, as long
// as the file's content, the decoding, the condition (with its perturbations' versions) and the libraries that render
// it are the same; where the condition is random, also the seed and the track's id. Results are the same, to the bit,
// with and without.
class RenderedTracks {
 public:
  // `kept.directory` empty: nothing is kept. Only its directory and size limit count.
  explicit RenderedTracks(PcmCacheOptions kept) : kept_(std::move(kept)) {}
  // Safe from several threads. Errors: as TrackAudio::load, TrackAudio::play and Condition::apply.
  Perturbed render(const TrackAudio& audio, int64_t track, int sample_rate_hz, const Condition& condition,
                   uint64_t seed);

 private:
  PcmCache kept_;
};

}  // namespace tagbench
