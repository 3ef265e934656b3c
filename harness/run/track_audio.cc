#include "harness/run/track_audio.h"

#include "harness/core/errors.h"
#include "harness/core/interrupt.h"
#include "harness/core/log.h"
#include "harness/core/parallel.h"
#include "harness/core/progress.h"

namespace tagbench {

std::filesystem::path TrackAudio::file(int64_t track) const {
  const std::filesystem::path& path = dataset_.tracks[static_cast<size_t>(track)].audio;
  return path.is_absolute() ? path : dataset_.root / path;
}

PcmClip TrackAudio::load(int64_t track, int sample_rate_hz) const {
  return cache_.get(file(track), sample_rate_hz);
}

std::string TrackAudio::source_key(int64_t track, int sample_rate_hz) const {
  return cache_.source_key(file(track), sample_rate_hz);
}

Waveform TrackAudio::play(int64_t track, const ScoreChange& change, int sample_rate_hz) const {
  if (!dataset_.play) throw UsageError("the tracks of " + dataset_.name + " have no scores that could be played anew");
  return resample(dataset_.play(dataset_.tracks[static_cast<size_t>(track)], change), sample_rate_hz,
                  cache_.options().quality);
}

std::string TrackAudio::settings() const {
  const PcmCacheOptions& options = cache_.options();
  return std::string(options.decode.round_to_16_bits ? "16-bit" : "float") + ", " +
         resample_quality_name(options.quality);
}

PreparedTracks prepare_tracks(const TrackAudio& audio, const std::vector<int64_t>& tracks,
                              const std::vector<int>& sample_rates_hz, int threads, bool strict) {
  std::vector<std::string> messages(tracks.size());
  Progress progress("preparing audio", static_cast<int64_t>(tracks.size()), "tracks");
  parallel_for(static_cast<int64_t>(tracks.size()), threads, [&](int64_t i) {
    throw_if_interrupted();
    try {
      for (const int rate : sample_rates_hz) audio.load(tracks[static_cast<size_t>(i)], rate);
    } catch (const DataError& error) {
      if (strict) throw;
      messages[static_cast<size_t>(i)] = error.what();
    }
    progress.advance();
  });
  PreparedTracks prepared;
  for (size_t i = 0; i < tracks.size(); ++i) {
    if (messages[i].empty()) {
      prepared.usable.push_back(tracks[i]);
    } else {
      prepared.failures.push_back({audio.dataset().tracks[static_cast<size_t>(tracks[i])].id, messages[i]});
      spdlog::warn("left out: {}", messages[i]);
    }
  }
  return prepared;
}

}  // namespace tagbench
