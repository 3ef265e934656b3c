#include <algorithm>
#include <array>

#include "harness/core/errors.h"
#include "harness/core/text.h"
#include "splits/reader_support.h"
#include "splits/readers.h"

namespace tagbench {
namespace {

const std::vector<std::string>& genres() {
  static const std::vector<std::string> names = {"blues", "classical", "country", "disco",  "hiphop",
                                                 "jazz",  "metal",     "pop",     "reggae", "rock"};
  return names;
}

struct ListFile {
  const char* name;
  Part part;
};
constexpr std::array<ListFile, 3> kLists = {
    {{"train_filtered.txt", Part::kTrain}, {"valid_filtered.txt", Part::kValid}, {"test_filtered.txt", Part::kTest}}};

// Cut short in a widespread copy; the owner's .au file is whole.
constexpr const char* kTruncatedClip = "jazz/jazz.00054";

const std::vector<OptionSpec>& gtzan_options() {
  static const std::vector<OptionSpec> options = {
      root_option("folder with genres/ (or genres_original/, or the ten genre folders themselves)"),
      text_option("lists", "",
                  "folder of the fault-filtered lists, below root or absolute (default: root or root/GTZAN_split)"),
      missing_option(),
  };
  return options;
}

Dataset load_gtzan(const Options& options) {
  Dataset dataset;
  dataset.root = existing_root("gtzan", options, "genres/<genre>/<genre>.00000.au");
  dataset.name = "gtzan";
  dataset.task = TaskKind::kMulticlass;
  dataset.tags = genres();
  const std::string& given = options.text("lists");
  const std::filesystem::path lists =
      dataset.root / (given.empty() ? first_existing(dataset.root, {".", "GTZAN_split", "lists"}, {kLists[0].name})
                                    : std::filesystem::path(given));
  Split split;
  split.name = "default";
  UniqueKeys names("the file");
  ListedAt listed;
  for (const ListFile& list : kLists) {
    const std::filesystem::path path =
        existing_file("gtzan", (lists / list.name).lexically_normal(),
                      "fetch it from github.com/jongpillee/music_dataset_split, GTZAN_split");
    const std::vector<std::string> lines = read_lines(path);
    for (size_t i = 0; i < lines.size(); ++i) {
      const std::string& line = lines[i];
      if (line.empty()) continue;
      const auto number = static_cast<int64_t>(i) + 1;
      const std::filesystem::path file = line;
      const std::string genre = file.parent_path().string();
      const auto known = std::find(genres().begin(), genres().end(), genre);
      if (known == genres().end() || !starts_with(file.filename().string(), genre + ".")) {
        throw DataError(at_line(path, number) + ": a file as blues/blues.00029.wav was expected, found '" + line + "'");
      }
      Track track;
      track.id = (file.parent_path() / file.stem()).string();
      names.add(track.id, path, number);
      listed.add(path, number);
      track.audio = track.id + ".au";
      track.expected_s = 30.0F;
      for (const std::string& name : genres()) dataset.labels.push_back(name == genre ? 1 : 0);
      dataset.tracks.push_back(std::move(track));
      split.parts.push_back(list.part);
    }
  }
  dataset.splits.push_back(std::move(split));
  // The lists say .wav, the original archive holds .au.
  const auto wav = [](std::filesystem::path file) { return file.replace_extension(".wav"); };
  locate_audio({".", "genres", "genres_original", "Data/genres_original"}, wav, dataset);
  for (const Track& track : dataset.tracks) {
    if (track.id != kTruncatedClip || track.audio.extension() != ".wav") continue;
    dataset.notes.push_back(std::string(kTruncatedClip) +
                            ".wav (training part) is cut short and cannot be decoded in a widespread copy; the "
                            "original .au is whole");
  }
  dataset.notes.emplace_back(
      "artists of GTZAN are not listed: the fault-filtered lists keep them apart as far as they are known");
  check_audio_files("gtzan", options, "unpack genres.tar.gz below root", listed, dataset);
  return dataset;
}

}  // namespace

DatasetEntry gtzan_entry() {
  DatasetEntry entry;
  entry.facts.name = "gtzan";
  entry.facts.summary = "GTZAN, fault-filtered: 930 of 1,000 excerpts of 30 s in ten genres (443 / 197 / 290)";
  entry.facts.source =
      "G. Tzanetakis and P. Cook, Musical Genre Classification of Audio Signals, IEEE TSAP 2002; lists: C. Kereliuk, "
      "B. L. Sturm and J. Larsen, "
      "Deep Learning and Music Adversaries, IEEE TMM 2015, as in github.com/jongpillee/music_dataset_split";
  entry.facts.licence = "none stated; research use only";
  entry.facts.fetch =
      "genres.tar.gz (the original site is down, mirrors hold it) unpacked below root; train_filtered.txt, "
      "valid_filtered.txt and "
      "test_filtered.txt from jongpillee/music_dataset_split (GTZAN_split) into root or root/GTZAN_split.";
  entry.facts.options = gtzan_options();
  entry.load = load_gtzan;
  entry.sample_rate_hz = 22050;
  entry.known_broken = {{kTruncatedClip,
                         "the .wav of a widespread copy is cut short and cannot be decoded; the owner's .au is whole",
                         ".wav"}};
  return entry;
}

}  // namespace tagbench
