#pragma once

#include <filesystem>
#include <string>

namespace tagbench::testing {

// Writes a labelled corpus for the `folder` reader into `root`: `n_tracks` WAV files of `seconds` at 16 kHz and
// labels.csv with the tags "low" (a 220 Hz tone), "high" (a 3 kHz tone) and "noisy" (white noise), the parts train /
// valid / test, and one artist per three tracks. Learnable within seconds, deterministic.
void write_small_corpus(const std::filesystem::path& root, int n_tracks, double seconds);

}  // namespace tagbench::testing
