#include "tests/splits/small_corpus.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include "harness/core/rng.h"

namespace tagbench::testing {

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

void write_stub(const std::filesystem::path& path) {
  write_text(path, "stub");
}

Dataset load(const std::string& name, const TemporaryDirectory& root,
             std::vector<std::pair<std::string, std::string>> options) {
  options.emplace_back("root", root.path().string());
  return load_dataset(name, options);
}

namespace {

size_t index_of(const Dataset& dataset, const std::string& id) {
  for (size_t i = 0; i < dataset.tracks.size(); ++i) {
    if (dataset.tracks[i].id == id) return i;
  }
  ADD_FAILURE() << "no track " << id;
  return 0;
}

}  // namespace

std::string labels_of(const Dataset& dataset, const std::string& id) {
  const auto track = static_cast<int64_t>(index_of(dataset, id));
  std::string text;
  for (int64_t tag = 0; tag < dataset.n_tags(); ++tag) {
    const uint8_t label = dataset.label(track, tag);
    text += label == kUnknownLabel ? '?' : static_cast<char>('0' + label);
  }
  return text;
}

Part part_of(const Dataset& dataset, const Split& split, const std::string& id) {
  return split.parts[index_of(dataset, id)];
}

std::vector<size_t> part_counts(const Split& split) {
  return {tracks_of(split, Part::kTrain).size(), tracks_of(split, Part::kValid).size(),
          tracks_of(split, Part::kTest).size()};
}

bool has_note(const Dataset& dataset, const std::string& fragment) {
  return std::any_of(dataset.notes.begin(), dataset.notes.end(),
                     [&](const std::string& note) { return note.find(fragment) != std::string::npos; });
}

Dataset made_dataset(const std::vector<std::string>& labels, const std::vector<std::string>& groups) {
  Dataset dataset;
  dataset.name = "made";
  for (size_t tag = 0; tag < labels.at(0).size(); ++tag) dataset.tags.push_back("tag" + std::to_string(tag));
  for (size_t i = 0; i < labels.size(); ++i) {
    dataset.tracks.push_back(
        {"t" + std::to_string(i), "t" + std::to_string(i) + ".wav", groups.empty() ? "" : groups[i]});
    for (const char c : labels[i]) dataset.labels.push_back(c == '?' ? kUnknownLabel : static_cast<uint8_t>(c - '0'));
    if (labels[i].find('?') != std::string::npos) dataset.task = TaskKind::kPartial;
  }
  return dataset;
}

Waveform made_music(uint64_t seed, double seconds, int sample_rate_hz) {
  Rng rng(seed, {"made_music"});
  Waveform waveform;
  waveform.sample_rate_hz = sample_rate_hz;
  waveform.samples.assign(static_cast<size_t>(seconds * sample_rate_hz), 0.0F);
  const auto step = static_cast<size_t>(sample_rate_hz / 4);
  for (size_t begin = 0; begin < waveform.samples.size(); begin += step) {
    for (int tone = 0; tone < 4; ++tone) {
      const double frequency_hz = 110.0 * std::exp2(static_cast<double>(rng.below(48)) / 12.0);
      const double level = rng.uniform(0.03, 0.15);
      for (size_t i = begin; i < std::min(begin + 2 * step, waveform.samples.size()); ++i) {
        const double time_s = static_cast<double>(i - begin) / sample_rate_hz;
        const double phase = 2.0 * M_PI * frequency_hz * time_s;
        const double tone_value = std::sin(phase) + 0.5 * std::sin(2.0 * phase) + 0.3 * std::sin(3.0 * phase);
        waveform.samples[i] += static_cast<float>(level * std::exp(-6.0 * time_s) * tone_value);
      }
    }
  }
  for (float& sample : waveform.samples) sample += static_cast<float>(rng.uniform(-0.002, 0.002));
  return waveform;
}

}  // namespace tagbench::testing
