#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/nn/tagger.h"
#include "harness/run/protocol.h"
#include "harness/run/rendered_tracks.h"
#include "harness/run/scorer.h"
#include "harness/run/track_audio.h"
#include "perturbations/condition.h"
#include "results/row.h"

namespace tagbench {

struct SweepTask {
  const TrackAudio& audio;
  RenderedTracks& rendered;
  std::vector<int64_t> tracks;
  const Condition& condition;
  uint64_t perturbation_seed = 0;
  const Protocol& protocol;
  ScorerOptions scorer;
  int threads = 1;  // that decode and perturb
  bool strict = false;
  std::string label;  // for the progress bar
};

// What one tagger made of all tracks under one condition.
struct SweepResult {
  std::vector<int64_t> tracks;  // scored ones, in the order given
  std::vector<float> scores;    // [tracks, K]
  int64_t n_short_tracks = 0;
  std::vector<TrackFailure> failures;
  std::map<std::string, ReachedSummary> reached;
  std::string error;  // of this tagger; the others go on
};

// Renders every track once per sample rate and scores it with all taggers. Rendering runs ahead on `threads` threads by
// a bounded number of tracks, so memory does not grow with their number; results do not depend on threads or timing.
// Errors: Interrupted; with `strict`, DataError for the first track that cannot be rendered.
std::vector<SweepResult> sweep(const std::vector<std::shared_ptr<Tagger>>& taggers, const SweepTask& task);

}  // namespace tagbench
