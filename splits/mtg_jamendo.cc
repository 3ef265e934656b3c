#include <algorithm>
#include <array>
#include <set>
#include <system_error>
#include <unordered_map>

#include "harness/core/csv.h"
#include "harness/core/errors.h"
#include "harness/core/text.h"
#include "splits/reader_support.h"
#include "splits/readers.h"

namespace tagbench {
namespace {

constexpr int kSplits = 5;

const std::vector<OptionSpec>& mtg_jamendo_options() {
  static const std::vector<OptionSpec> options = {
      root_option("folder with data/splits/ (the metadata repository) and the audio folders 00 to 99"),
      choice_option("subset", "top50", {"top50", "moodtheme", "genre", "instrument", "all"},
                    "which of the owner's tag lists"),
      text_option("lists", "",
                  "folder with split-0 to split-4, below root or absolute (default: data/splits or splits below root)"),
      text_option("audio_dir", "",
                  "folder with 00 to 99, below root or absolute (default: root, or one of its folders audio, "
                  "audio-low, raw_30s)"),
      missing_option(),
  };
  return options;
}

struct PartFile {
  const char* name;
  Part part;
};
constexpr std::array<PartFile, 3> kPartFiles = {
    {{"train", Part::kTrain}, {"validation", Part::kValid}, {"test", Part::kTest}}};

class MtgJamendoReader {
 public:
  explicit MtgJamendoReader(const Options& options)
      : options_(options),
        root_(existing_root("mtg_jamendo", options, "data/splits/ and the audio folders 00 to 99")) {}

  Dataset read() {
    dataset_.root = root_;
    dataset_.name = dataset_label("mtg_jamendo", mtg_jamendo_options(), options_, {"subset"});
    const std::filesystem::path lists = list_folder();
    const std::string& subset = options_.text("subset");
    const std::string stem =
        subset == "all" ? "autotagging" : "autotagging_" + (subset == "top50" ? "top50tags" : subset);
    for (int number = 0; number < kSplits; ++number) {
      const std::string name = "split-" + std::to_string(number);
      std::error_code ignored;
      // Whoever fetched split 0 alone has what nearly all published results used.
      if (number > 0 && !std::filesystem::is_directory(lists / name, ignored)) {
        dataset_.notes.push_back(name + " is not there (below " + lists.string() + ")");
        continue;
      }
      read_split(lists / name, name, stem);
    }
    fill_labels();
    find_audio();
    check_audio_files("mtg_jamendo", options_, "unpack the tar files of the audio below root", listed_, dataset_);
    return std::move(dataset_);
  }

 private:
  void find_audio() {
    const std::string& given = options_.text("audio_dir");
    std::vector<std::filesystem::path> folders = {".",
                                                  "audio",
                                                  "audio-low",
                                                  "raw_30s",
                                                  "raw_30s/audio",
                                                  "raw_30s/audio-low",
                                                  "autotagging_moodtheme/audio",
                                                  "autotagging_moodtheme/audio-low"};
    if (!given.empty()) folders = {given};
    // The low-rate version is named NN/ID.low.mp3; the lists do not say so.
    const auto low = [](std::filesystem::path file) { return file.replace_extension(".low.mp3"); };
    locate_audio(folders, low, dataset_);
    const auto n_low = std::count_if(dataset_.tracks.begin(), dataset_.tracks.end(),
                                     [](const Track& track) { return ends_with(track.audio.native(), ".low.mp3"); });
    if (n_low > 0)
      dataset_.notes.push_back(std::to_string(n_low) + " tracks are read from the low-rate version (.low.mp3)");
  }

  std::filesystem::path list_folder() const {
    const std::string& given = options_.text("lists");
    std::filesystem::path folder =
        given.empty()
            ? root_ / first_existing(root_, {"data/splits", "splits", "mtg-jamendo-dataset/data/splits"}, {"split-0"})
            : root_ / given;
    return folder;
  }

  void read_split(const std::filesystem::path& folder, const std::string& name, const std::string& stem) {
    Split split;
    split.name = name;
    split.parts.assign(dataset_.tracks.size(), Part::kUnused);
    for (const PartFile& part : kPartFiles) {
      const std::filesystem::path path = existing_file("mtg_jamendo", folder / (stem + "-" + part.name + ".tsv"),
                                                       "clone github.com/MTG/mtg-jamendo-dataset into root");
      bool has_header = false;
      read_csv(path, {'\t'}, [&](const CsvRow& row) {
        if (has_header) {
          add_row(path, row, part.part, split);
        } else {
          check_header(path, row);
          has_header = true;
        }
      });
      if (!has_header) throw DataError(path.string() + ": a header row was expected, the file is empty");
    }
    for (Split& earlier : dataset_.splits) earlier.parts.resize(dataset_.tracks.size(), Part::kUnused);
    dataset_.splits.push_back(std::move(split));
  }

  static void check_header(const std::filesystem::path& path, const CsvRow& row) {
    const std::vector<std::string> expected = {"TRACK_ID", "ARTIST_ID", "ALBUM_ID", "PATH", "DURATION", "TAGS"};
    if (row.fields == expected) return;
    throw DataError(at_line(path, row.line) + ": the header '" + join_text(expected, " ") +
                    "' (tab separated) was expected, found '" + join_text(row.fields, " ") + "'");
  }

  // The number of tags differs from row to row.
  void add_row(const std::filesystem::path& path, const CsvRow& row, Part part, Split& split) {
    constexpr size_t kFirstTag = 5;
    if (row.fields.size() <= kFirstTag) {
      throw DataError(at_line(path, row.line) +
                      ": at least 6 fields were expected (the sixth and later ones are tags), found " +
                      std::to_string(row.fields.size()));
    }
    const std::string& id = row.fields[0];
    const auto duration = parse_real(row.fields[4]);
    if (!duration || !(*duration > 0.0 && *duration < 1e6)) {
      throw DataError(at_line(path, row.line) + ": a duration in seconds was expected, found '" + row.fields[4] + "'");
    }
    const size_t index = track_at(path, row);
    std::vector<int32_t> tags;
    for (size_t i = kFirstTag; i < row.fields.size(); ++i) tags.push_back(tag_number(path, row, row.fields[i]));
    std::sort(tags.begin(), tags.end());
    if (std::adjacent_find(tags.begin(), tags.end()) != tags.end())
      throw DataError(at_line(path, row.line) + ": a tag is listed twice");
    if (index == tags_of_track_.size()) {
      dataset_.tracks[index].expected_s = static_cast<float>(*duration);
      tags_of_track_.push_back(std::move(tags));
    } else if (tags_of_track_[index] != tags) {
      throw DataError(at_line(path, row.line) + ": the tags of " + id + " differ from those in another list");
    }
    if (split.parts.size() < dataset_.tracks.size()) split.parts.resize(dataset_.tracks.size(), Part::kUnused);
    if (split.parts[index] != Part::kUnused) {
      throw DataError(at_line(path, row.line) + ": " + id + " appeared before in " + split.name + " (" +
                      part_name(split.parts[index]) + "); each track belongs to one part");
    }
    split.parts[index] = part;
  }

  // The track of the row, added if it is new.
  size_t track_at(const std::filesystem::path& path, const CsvRow& row) {
    const std::string& id = row.fields[0];
    const auto number = starts_with(id, "track_") ? parse_integer(id.substr(6)) : std::nullopt;
    if (!number || *number < 0)
      throw DataError(at_line(path, row.line) + ": an id as track_0000241 was expected, found '" + id + "'");
    // Zero padding differs between the owner's files.
    const auto [found, is_new] = index_.emplace(*number, dataset_.tracks.size());
    const std::string last_two = std::to_string(*number % 100);
    const std::string expected =
        (last_two.size() == 1 ? "0" + last_two : last_two) + "/" + std::to_string(*number) + ".mp3";
    if (row.fields[3] != expected) {
      throw DataError(at_line(path, row.line) + ": the path of " + id + " must be '" + expected + "', found '" +
                      row.fields[3] + "'");
    }
    if (!is_new) return found->second;
    Track track;
    const std::string digits = std::to_string(*number);
    track.id = "track_" + std::string(digits.size() < 7 ? 7 - digits.size() : 0, '0') + digits;
    track.group = row.fields[1];
    track.album = row.fields[2];
    track.audio = expected;
    listed_.add(path, row.line);
    dataset_.tracks.push_back(std::move(track));
    return found->second;
  }

  int32_t tag_number(const std::filesystem::path& path, const CsvRow& row, const std::string& tag) {
    const bool known_category =
        starts_with(tag, "genre---") || starts_with(tag, "instrument---") || starts_with(tag, "mood/theme---");
    if (!known_category) {
      throw DataError(at_line(path, row.line) +
                      ": a tag as genre---rock, instrument---piano or mood/theme---calm was expected, found '" + tag +
                      "'");
    }
    const auto next = static_cast<int32_t>(tag_names_.size());
    const auto [found, is_new] = tag_numbers_.emplace(tag, next);
    if (is_new) tag_names_.push_back(tag);
    return found->second;
  }

  // Sorted by name, as in the owner's tag lists.
  void fill_labels() {
    dataset_.tags = tag_names_;
    std::sort(dataset_.tags.begin(), dataset_.tags.end());
    std::vector<size_t> column_of(tag_names_.size());
    for (size_t i = 0; i < tag_names_.size(); ++i) {
      column_of[i] = static_cast<size_t>(std::lower_bound(dataset_.tags.begin(), dataset_.tags.end(), tag_names_[i]) -
                                         dataset_.tags.begin());
    }
    dataset_.labels.assign(dataset_.tracks.size() * dataset_.tags.size(), 0);
    for (size_t i = 0; i < tags_of_track_.size(); ++i) {
      for (const int32_t tag : tags_of_track_[i])
        dataset_.labels[i * dataset_.tags.size() + column_of[static_cast<size_t>(tag)]] = 1;
    }
  }

  const Options& options_;
  std::filesystem::path root_;
  Dataset dataset_;
  std::unordered_map<int64_t, size_t> index_;
  std::unordered_map<std::string, int32_t> tag_numbers_;
  std::vector<std::string> tag_names_;
  std::vector<std::vector<int32_t>> tags_of_track_;
  ListedAt listed_;
};

Dataset load_mtg_jamendo(const Options& options) {
  return MtgJamendoReader(options).read();
}

// The owners' lists "<download set>_<type>_sha256_tracks.txt": a digest and "NN/ID.mp3" (or "NN/ID.low.mp3") in each
// line.
std::vector<FileChecksum> mtg_jamendo_checksums(const Dataset& dataset) {
  const std::filesystem::path folder =
      dataset.root /
      first_existing(dataset.root, {"data/download", "download", "mtg-jamendo-dataset/data/download"}, {"."});
  std::unordered_map<std::string, std::string> digests;
  for (const char* set : {"autotagging_moodtheme", "raw_30s"}) {
    for (const char* type : {"audio", "audio-low"}) {
      const std::filesystem::path path = folder / (std::string(set) + "_" + type + "_sha256_tracks.txt");
      std::error_code ignored;
      if (!std::filesystem::is_regular_file(path, ignored)) continue;
      for (const FileChecksum& checksum : read_checksum_list(path))
        digests.emplace(checksum.file.string(), checksum.digest);
    }
  }
  std::vector<FileChecksum> checksums;
  for (const Track& track : dataset.tracks) {
    const auto found = digests.find((track.audio.parent_path().filename() / track.audio.filename()).string());
    if (found != digests.end()) checksums.push_back({track.audio, "sha256", found->second});
  }
  return checksums;
}

}  // namespace

DatasetEntry mtg_jamendo_entry() {
  DatasetEntry entry;
  entry.facts.name = "mtg_jamendo";
  entry.facts.summary =
      "MTG-Jamendo: 55,000 full tracks; top-50, genre, instrument or mood/theme tags, or all 183; splits split-0 to "
      "split-4";
  entry.facts.source =
      "D. Bogdanov, M. Won, P. Tovstogan, A. Porter and X. Serra, The MTG-Jamendo Dataset for Automatic Music Tagging, "
      "ML4MD at ICML 2019; "
      "https://github.com/MTG/mtg-jamendo-dataset";
  entry.facts.licence =
      "metadata CC BY-NC-SA 4.0; each track has a Creative Commons licence of its own (audio_licenses.txt)";
  entry.facts.fetch =
      "Clone MTG/mtg-jamendo-dataset into root (data/splits), and unpack the audio (its download script; audio or "
      "audio-low, set raw_30s or "
      "autotagging_moodtheme) so that root, root/audio or root/audio-low holds the folders 00 to 99.";
  entry.facts.options = mtg_jamendo_options();
  entry.load = load_mtg_jamendo;
  entry.checksums = mtg_jamendo_checksums;
  return entry;
}

}  // namespace tagbench
