#include <algorithm>
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

// The 50 most frequent of the 188 tags over all 25,863 rows, most frequent first, as usually published. The lists in
// circulation differ in spelling and in the order of two tags, so columns are found by name.
const std::vector<std::string>& top_50_tags() {
  static const std::vector<std::string> tags = {
      "guitar",     "classical", "slow",   "techno",       "strings",      "drums", "electronic", "rock",    "fast",
      "piano",      "ambient",   "beat",   "violin",       "vocal",        "synth", "female",     "indian",  "opera",
      "male",       "singing",   "vocals", "no vocals",    "harpsichord",  "loud",  "quiet",      "flute",   "woman",
      "male vocal", "no vocal",  "pop",    "soft",         "sitar",        "solo",  "man",        "classic", "choir",
      "voice",      "new age",   "dance",  "male voice",   "female vocal", "beats", "harp",       "cello",   "no voice",
      "weird",      "country",   "metal",  "female voice", "choral"};
  return tags;
}

// Distributed with zero bytes.
const std::set<std::string>& broken_files() {
  static const std::set<std::string> files = {
      "6/norine_braun-now_and_zen-08-gently-117-146.mp3",
      "8/jacob_heringman-josquin_des_prez_lute_settings-19-gintzler__pater_noster-204-233.mp3",
      "9/american_baroque-dances_and_suites_of_rameau_and_couperin-25-le_petit_rien_xiveme_ordre_couperin-88-117.mp3"};
  return files;
}

constexpr int64_t kOwnersRows = 25863;

const std::vector<OptionSpec>& magnatagatune_options() {
  static const std::vector<OptionSpec> options = {
      root_option("folder with annotations_final.csv, clip_info_final.csv and the folders 0 to f"),
      choice_option("untagged", "drop", {"drop", "keep"},
                    "clips with none of the 50 tags: dropped as in most published results, or kept in all parts"),
      missing_option(),
  };
  return options;
}

struct ClipInfo {
  std::string artist;
  std::string album;
};

std::unordered_map<std::string, ClipInfo> read_clip_info(const std::filesystem::path& path) {
  std::unordered_map<std::string, ClipInfo> clips;
  try {
    const CsvTable table = CsvTable::read(path, {'\t'});
    const size_t id = table.column("clip_id");
    const size_t artist = table.column("artist");
    const size_t album = table.column("album");
    UniqueKeys ids("the clip_id");
    for (const CsvRow& row : table.rows()) {
      ids.add(row.fields[id], path, row.line);
      clips[row.fields[id]] = {row.fields[artist], row.fields[album]};
    }
  } catch (const DataError& error) {
    throw DataError(std::string(error.what()) + " (fetch it again, or remove it to take artists from file names)");
  }
  return clips;
}

// "0/artist-album-01-title-30-59" is cut from the track "0/artist-album-01-title".
std::string recording_of(const std::string& id) {
  const size_t end = id.rfind('-');
  const size_t start = end == std::string::npos || end == 0 ? std::string::npos : id.rfind('-', end - 1);
  return start == std::string::npos ? "" : id.substr(0, start);
}

Part part_of_folder(char folder) {
  if (folder == 'c') return Part::kValid;
  return folder == 'd' || folder == 'e' || folder == 'f' ? Part::kTest : Part::kTrain;
}

class MagnatagatuneReader {
 public:
  explicit MagnatagatuneReader(const Options& options)
      : options_(options),
        root_(existing_root("magnatagatune", options, "annotations_final.csv and the folders 0 to f")),
        keep_untagged_(options.text("untagged") == "keep") {}

  Dataset read() {
    dataset_.root = root_;
    dataset_.name = dataset_label("magnatagatune", magnatagatune_options(), options_, {"untagged"});
    dataset_.tags = top_50_tags();
    const std::filesystem::path info = root_ / "clip_info_final.csv";
    std::error_code ignored;
    if (std::filesystem::exists(info, ignored)) {
      info_ = read_clip_info(info);
    } else {
      dataset_.notes.push_back("artists are taken from file names and albums are unknown: " + info.string() +
                               " is not there");
    }
    csv_ = existing_file("magnatagatune", root_ / "annotations_final.csv",
                         "fetch it from https://mirg.city.ac.uk/codeapps/the-magnatagatune-dataset");
    bool has_header = false;
    read_csv(csv_, {'\t'}, [&](const CsvRow& row) {
      if (has_header) {
        add_row(row);
      } else {
        read_header(row);
        has_header = true;
      }
    });
    if (!has_header) throw DataError(csv_.string() + ": a header row was expected, the file is empty");
    Split split;
    split.name = "default";
    split.parts = std::move(parts_);
    dataset_.splits.push_back(std::move(split));
    tell();
    locate_audio({".", "mp3", "audio", "MagnaTagATune"}, nullptr, dataset_);
    check_audio_files("magnatagatune", options_, "unpack all three parts of mp3.zip below root", listed_, dataset_);
    return std::move(dataset_);
  }

 private:
  void read_header(const CsvRow& row) {
    header_ = row.fields;
    const auto column = [&](const std::string& name) {
      const auto found = std::find(header_.begin(), header_.end(), name);
      if (found == header_.end()) {
        throw DataError(at_line(csv_, row.line) + ": column '" + name + "' is missing; " + suggestion(name, header_));
      }
      return static_cast<size_t>(found - header_.begin());
    };
    id_column_ = column("clip_id");
    path_column_ = column("mp3_path");
    for (const std::string& tag : dataset_.tags) tag_columns_.push_back(column(tag));
    for (size_t i = 0; i < header_.size(); ++i) {
      if (i != id_column_ && i != path_column_) all_tag_columns_.push_back(i);
    }
    positives_.assign(header_.size(), 0);
  }

  void add_row(const CsvRow& row) {
    if (row.fields.size() != header_.size()) {
      throw DataError(at_line(csv_, row.line) + ": " + std::to_string(header_.size()) +
                      " fields expected as in the header, found " + std::to_string(row.fields.size()));
    }
    ++n_rows_;
    const std::string& path = row.fields[path_column_];
    const std::string& id = row.fields[id_column_];
    ids_.add(id, csv_, row.line);
    const bool hexadecimal =
        !path.empty() && std::string_view("0123456789abcdef").find(path[0]) != std::string_view::npos;
    if (path.size() < 3 || path[1] != '/' || !hexadecimal || path.find("..") != std::string::npos) {
      throw DataError(at_line(csv_, row.line) + ": mp3_path must begin with one of the folders 0 to f, found '" + path +
                      "'");
    }
    paths_.add(path, csv_, row.line);
    for (const size_t column : all_tag_columns_) {
      const std::string& cell = row.fields[column];
      if (cell != "0" && cell != "1") {
        throw DataError(at_line(csv_, row.line) + ": column '" + header_[column] + "' must be 0 or 1, found '" + cell +
                        "'");
      }
      positives_[column] += cell == "1" ? 1 : 0;
    }
    if (broken_files().count(path) > 0) {
      ++n_broken_;
      return;
    }
    bool tagged = false;
    for (const size_t column : tag_columns_) tagged = tagged || row.fields[column] == "1";
    if (!tagged) {
      ++n_untagged_;
      if (!keep_untagged_) return;
    }
    for (const size_t column : tag_columns_) dataset_.labels.push_back(row.fields[column] == "1" ? 1 : 0);
    Track track;
    // The path names a clip in every list in circulation; the number only in the owner's.
    track.id = std::filesystem::path(path).replace_extension().string();
    track.audio = path;
    track.recording = recording_of(track.id);
    track.expected_s = 29.0F;
    const auto info = info_.find(id);
    if (info != info_.end()) {
      track.group = info->second.artist;
      track.album = info->second.album;
    } else {
      track.group = path.substr(2, path.find('-') == std::string::npos ? std::string::npos : path.find('-') - 2);
      n_without_info_ += info_.empty() ? 0 : 1;
    }
    dataset_.tracks.push_back(std::move(track));
    listed_.add(csv_, row.line);
    parts_.push_back(part_of_folder(path[0]));
  }

  void tell() {
    if (n_rows_ != kOwnersRows) {
      dataset_.notes.push_back("annotations_final.csv has " + std::to_string(n_rows_) + " rows, the owner's has " +
                               std::to_string(kOwnersRows) + ": results are not comparable with published ones");
    }
    dataset_.notes.push_back(
        std::to_string(n_untagged_) + " clips with none of the 50 tags " +
        (keep_untagged_ ? "kept: published results on the lists without them are higher"
                        : "dropped, as in the lists that most published results used (untagged=keep keeps them)"));
    if (n_broken_ > 0) {
      dataset_.notes.push_back(std::to_string(n_broken_) +
                               " clips left out that are distributed with zero bytes (35644, 55753, 57881)");
    }
    if (n_without_info_ > 0) {
      dataset_.notes.push_back(std::to_string(n_without_info_) +
                               " clips are not in clip_info_final.csv: artist taken from the file name");
    }
    note_other_ranking();
  }

  // The tags are fixed; another ranking in the user's file means another file.
  void note_other_ranking() {
    std::vector<size_t> columns = all_tag_columns_;
    std::stable_sort(columns.begin(), columns.end(), [&](size_t a, size_t b) { return positives_[a] > positives_[b]; });
    columns.resize(std::min(columns.size(), dataset_.tags.size()));
    std::vector<std::string> unexpected;
    for (const size_t column : columns) {
      if (std::find(tag_columns_.begin(), tag_columns_.end(), column) == tag_columns_.end())
        unexpected.push_back(header_[column]);
    }
    if (unexpected.empty()) return;
    dataset_.notes.push_back(
        "the 50 most frequent tags of this annotations_final.csv are not the published ones: they include " +
        first_few(unexpected));
  }

  const Options& options_;
  std::filesystem::path root_;
  bool keep_untagged_;
  Dataset dataset_;
  std::filesystem::path csv_;
  std::unordered_map<std::string, ClipInfo> info_;
  std::vector<std::string> header_;
  size_t id_column_ = 0;
  size_t path_column_ = 0;
  std::vector<size_t> tag_columns_;
  std::vector<size_t> all_tag_columns_;
  std::vector<int64_t> positives_;  // per column
  std::vector<Part> parts_;
  UniqueKeys ids_{"the clip_id"};
  UniqueKeys paths_{"the mp3_path"};
  ListedAt listed_;
  int64_t n_rows_ = 0;
  int64_t n_broken_ = 0;
  int64_t n_untagged_ = 0;
  int64_t n_without_info_ = 0;
};

Dataset load_magnatagatune(const Options& options) {
  return MagnatagatuneReader(options).read();
}

}  // namespace

DatasetEntry magnatagatune_entry() {
  DatasetEntry entry;
  entry.facts.name = "magnatagatune";
  entry.facts.summary = "MagnaTagATune: 25,863 clips of 29 s, the 50 most frequent tags, split by folder (12 / 1 / 3)";
  entry.facts.source =
      "E. Law, K. West, M. Mandel, M. Bay and J. S. Downie, Evaluation of Algorithms Using Games: The Case of Music "
      "Tagging, ISMIR 2009; "
      "https://mirg.city.ac.uk/codeapps/the-magnatagatune-dataset";
  entry.facts.licence = "CC BY-NC-SA 3.0 (audio from Magnatune)";
  entry.facts.fetch =
      "From the owner's page: annotations_final.csv and clip_info_final.csv into root; mp3.zip.001 to .003, joined and "
      "unpacked, so that "
      "root (or root/mp3) holds the folders 0 to f.";
  entry.facts.options = magnatagatune_options();
  entry.load = load_magnatagatune;
  entry.sample_rate_hz = 16000;
  for (const std::string& file : broken_files()) {
    entry.known_broken.push_back(
        {std::filesystem::path(file).replace_extension().string(), "zero bytes as distributed; never part of a split"});
  }
  return entry;
}

}  // namespace tagbench
