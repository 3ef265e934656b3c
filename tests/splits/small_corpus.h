#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/waveform.h"
#include "splits/dataset.h"
#include "tests/support/test_support.h"

namespace tagbench::testing {

// Writes the bytes as they are, parents included.
void write_text(const std::filesystem::path& path, const std::string& text);

// A file that is there and not empty: readers look no further.
void write_stub(const std::filesystem::path& path);

Dataset load(const std::string& name, const TemporaryDirectory& root,
             std::vector<std::pair<std::string, std::string>> options = {});

// The labels of a track by id, as "0", "1" and "?".
std::string labels_of(const Dataset& dataset, const std::string& id);
Part part_of(const Dataset& dataset, const Split& split, const std::string& id);

// {train, valid, test}
std::vector<size_t> part_counts(const Split& split);

bool has_note(const Dataset& dataset, const std::string& fragment);

// A dataset in memory for tests of the machinery: tracks t0, t1, ... with these labels and groups.
Dataset made_dataset(const std::vector<std::string>& labels, const std::vector<std::string>& groups);

// Chords of decaying tones that change every quarter of a second, with a little noise: different for each seed.
Waveform made_music(uint64_t seed, double seconds, int sample_rate_hz);

}  // namespace tagbench::testing
