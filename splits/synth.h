#pragma once

#include <cstdint>
#include <filesystem>

#include "splits/dataset.h"

namespace tagbench {

struct SynthSettings {
  int64_t tracks = 240;
  double seconds = 30.0;
  uint64_t seed = 0;
  int sample_rate_hz = 16000;
  std::filesystem::path soundfont = "/usr/share/sounds/sf2/sf_GMbank.sf2";
  int threads = 0;  // that render; 0: all processors. Changes no sample
};

// Composes and renders the synthetic corpus into `root`, and resumes where an earlier call was stopped:
// per track clips/ID.wav (16 bit, mono), clips/ID.mid, clips/ID.json (the score, read_score) and clips/ID.csv
// (activity); corpus.json with the settings; at last labels.csv in the form that the `folder` dataset reads. Same
// settings, FluidSynth and sound font: same bytes. Returns at once if the corpus is complete. Errors: DataError if root
// holds a corpus with other settings or other files, or cannot be written; Interrupted between two clips.
void generate_synthetic_corpus(const std::filesystem::path& root, const SynthSettings& settings);

}  // namespace tagbench
