#include "splits/dataset.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string_view>
#include <unordered_map>

#include "harness/core/errors.h"
#include "harness/core/text.h"
#include "splits/manifest.h"
#include "splits/published_splits.h"
#include "splits/reader_support.h"
#include "splits/readers.h"

namespace tagbench {

std::string task_name(TaskKind task) {
  switch (task) {
    case TaskKind::kMultilabel:
      return "multilabel";
    case TaskKind::kMulticlass:
      return "multiclass";
    case TaskKind::kPartial:
      return "partial";
  }
  throw std::logic_error("unhandled task kind");
}

std::string part_name(Part part) {
  switch (part) {
    case Part::kUnused:
      return "unused";
    case Part::kTrain:
      return "train";
    case Part::kValid:
      return "valid";
    case Part::kTest:
      return "test";
  }
  throw std::logic_error("unhandled part");
}

const std::vector<DatasetEntry>& datasets() {
  static const std::vector<DatasetEntry> entries = {
      synth_entry(),        folder_entry(),      magnatagatune_entry(),
      msd_entry(),          mtg_jamendo_entry(), openmic2018_entry(),
      gtzan_entry(),        ballroom_entry(),    extended_ballroom_entry(),
      urbansound8k_entry(), irmas_entry(),       esc50_entry(),
      multitrack_entry(),
  };
  return entries;
}

const DatasetEntry& find_dataset(std::string_view name) {
  return find_registered(datasets(), name, "dataset", [](const DatasetEntry& entry) { return entry.facts.name; });
}

namespace {

// Tabs and line ends would make a manifest ambiguous; results as JSON demand UTF-8.
bool is_usable_name(const std::string& text) {
  return !text.empty() && text.find_first_of("\t\r\n") == std::string::npos && is_valid_utf8(text);
}

// Files of the first two tracks called `id`.
std::string files_of_id(const Dataset& dataset, std::string_view id) {
  std::vector<std::string> files;
  for (const Track& track : dataset.tracks) {
    if (track.id == id && files.size() < 2) files.push_back(utf8_text(track.audio.string()));
  }
  return join_text(files, " and ");
}

void check_names(const Dataset& dataset) {
  if (dataset.tracks.empty()) throw DataError(dataset.name + ": no tracks (below " + dataset.root.string() + ")");
  if (dataset.tags.empty()) throw DataError(dataset.name + ": no tags (below " + dataset.root.string() + ")");
  std::set<std::string_view> tags;
  for (const std::string& tag : dataset.tags) {
    if (!is_usable_name(tag)) {
      throw DataError(dataset.name + ": a tag name must be UTF-8, not empty, without tabs or line ends, found '" +
                      utf8_text(tag) + "'");
    }
    if (!tags.insert(tag).second) throw DataError(dataset.name + ": the tag '" + tag + "' is named twice");
  }
  std::vector<std::string_view> ids;
  ids.reserve(dataset.tracks.size());
  for (const Track& track : dataset.tracks) {
    if (!is_usable_name(track.id)) {
      throw DataError(dataset.name + ": a track id must be UTF-8, not empty, without tabs or line ends, found '" +
                      utf8_text(track.id) + "' (" + utf8_text(track.audio.string()) + ")");
    }
    ids.emplace_back(track.id);
  }
  if (!std::is_sorted(ids.begin(), ids.end())) std::sort(ids.begin(), ids.end());
  const auto repeated = std::adjacent_find(ids.begin(), ids.end());
  if (repeated != ids.end()) {
    throw DataError(dataset.name + ": the track id '" + std::string(*repeated) + "' appears twice: " +
                    files_of_id(dataset, *repeated) + " (below " + dataset.root.string() + "; remove or rename one)");
  }
}

void check_labels(const Dataset& dataset) {
  if (dataset.labels.size() != dataset.tracks.size() * dataset.tags.size()) {
    throw std::logic_error(dataset.name + ": the reader made " + std::to_string(dataset.labels.size()) +
                           " labels for " + std::to_string(dataset.tracks.size()) + " tracks and " +
                           std::to_string(dataset.tags.size()) + " tags");
  }
  for (int64_t i = 0; i < dataset.n_tracks(); ++i) {
    int64_t positive = 0;
    for (int64_t tag = 0; tag < dataset.n_tags(); ++tag) {
      const uint8_t label = dataset.label(i, tag);
      const bool legal = label <= 1 || (label == kUnknownLabel && dataset.task == TaskKind::kPartial);
      if (!legal) {
        throw std::logic_error(dataset.name + ": label " + std::to_string(label) + " in a " + task_name(dataset.task) +
                               " dataset");
      }
      positive += label == 1 ? 1 : 0;
    }
    if (dataset.task == TaskKind::kMulticlass && positive != 1) {
      throw DataError(dataset.name + ": exactly one class per track was expected, track '" +
                      dataset.tracks[static_cast<size_t>(i)].id + "' has " + std::to_string(positive));
    }
  }
}

// Groups with tracks in more than one part make results look better than they are; the reader may have no choice, so it
// is told.
void note_torn_groups(const Split& split, Dataset& dataset) {
  std::unordered_map<std::string_view, unsigned> parts_of_group;
  for (size_t i = 0; i < split.parts.size(); ++i) {
    const std::string& group = dataset.tracks[i].group;
    if (group.empty() || split.parts[i] == Part::kUnused) continue;
    parts_of_group[group] |= 1U << static_cast<unsigned>(split.parts[i]);
  }
  std::vector<std::string> torn;
  for (const auto& [group, parts] : parts_of_group) {
    if ((parts & (parts - 1U)) != 0U) torn.emplace_back(group);
  }
  if (torn.empty()) return;
  std::sort(torn.begin(), torn.end());
  dataset.notes.push_back("split " + split.name + ": " + std::to_string(torn.size()) + " of " +
                          std::to_string(parts_of_group.size()) + " " + dataset.group_kind +
                          "s have tracks in more than one part: " + first_few(torn, 3));
}

void note_tags_without_positives(const Split& split, Dataset& dataset) {
  for (const Part part : kUsedParts) {
    const std::vector<int64_t> tracks = tracks_of(split, part);
    if (tracks.empty()) continue;
    std::vector<std::string> lacking;
    for (int64_t tag = 0; tag < dataset.n_tags(); ++tag) {
      const auto positive = [&](int64_t track) { return dataset.label(track, tag) == 1; };
      if (std::none_of(tracks.begin(), tracks.end(), positive))
        lacking.push_back(dataset.tags[static_cast<size_t>(tag)]);
    }
    if (lacking.empty()) continue;
    dataset.notes.push_back("split " + split.name + ": the " + part_name(part) + " part has no positive example of " +
                            std::to_string(lacking.size()) + " tags: " + first_few(lacking));
  }
}

void check_splits(Dataset& dataset) {
  if (dataset.splits.empty()) throw std::logic_error(dataset.name + ": the reader made no split");
  std::set<std::string_view> names;
  for (const Split& split : dataset.splits) {
    if (!names.insert(split.name).second) throw std::logic_error(dataset.name + ": two splits named " + split.name);
    if (split.parts.size() != dataset.tracks.size()) {
      throw std::logic_error(dataset.name + ": split " + split.name + " has " + std::to_string(split.parts.size()) +
                             " parts for " + std::to_string(dataset.tracks.size()) + " tracks");
    }
    if (std::all_of(split.parts.begin(), split.parts.end(), [](Part part) { return part == Part::kUnused; })) {
      throw DataError(dataset.name + ": split " + split.name + " has no tracks in any part");
    }
    note_torn_groups(split, dataset);
    note_tags_without_positives(split, dataset);
  }
}

}  // namespace

Dataset load_dataset(const std::string& name, const std::vector<std::pair<std::string, std::string>>& options) {
  const DatasetEntry& entry = find_dataset(name);
  Dataset dataset = entry.load(Options(name, entry.facts.options, options));
  check_names(dataset);
  check_labels(dataset);
  check_splits(dataset);
  for (Split& split : dataset.splits) freeze_split(dataset, split);
  for (const SplitCheck& check : check_published_splits(dataset)) {
    if (check.known && !check.matches) dataset.notes.push_back(check.message);
  }
  // Notes name files, and file names of old archives are not always UTF-8.
  for (std::string& note : dataset.notes) note = utf8_text(note);
  return dataset;
}

void require_sound(const Dataset& dataset, std::string_view who) {
  if (dataset.has_sound) return;
  throw UsageError(std::string(who) + ": a dataset with sound was expected, the files of " + dataset.name +
                   " are features, which no network here takes yet (data list, data verify and data audit --no-audio "
                   "take them; for all else leave features=audio)");
}

const Split& find_split(const Dataset& dataset, std::string_view name) {
  return find_registered(dataset.splits, name, "split of dataset " + dataset.name,
                         [](const Split& split) { return split.name; });
}

std::vector<int64_t> tracks_of(const Split& split, Part part) {
  std::vector<int64_t> tracks;
  for (size_t i = 0; i < split.parts.size(); ++i) {
    if (split.parts[i] == part) tracks.push_back(static_cast<int64_t>(i));
  }
  return tracks;
}

}  // namespace tagbench
