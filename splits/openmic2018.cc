#include "splits/openmic2018.h"

#include <algorithm>
#include <array>
#include <map>
#include <system_error>
#include <unordered_map>

#include "harness/core/csv.h"
#include "harness/core/errors.h"
#include "harness/core/json.h"
#include "harness/core/text.h"
#include "splits/assign.h"
#include "splits/reader_support.h"
#include "splits/readers.h"

namespace tagbench {
namespace {

constexpr size_t kOpenmicInstruments = 20;
constexpr int64_t kOwnersClips = 20000;

// Labels that the owners corrected after the first release, all of them positive.
struct CorrectedLabel {
  const char* key;
  const char* instrument;
};
constexpr std::array<CorrectedLabel, 3> kCorrections = {
    {{"095253_134400", "piano"}, {"095263_96000", "mallet_percussion"}, {"113025_99840", "trumpet"}}};

const std::vector<OptionSpec>& openmic2018_options() {
  static const std::vector<OptionSpec> options = {
      root_option("folder openmic-2018 as unpacked"),
      choice_option("features", "audio", {"audio", "vggish"},
                    "what a track's file is: the sound, or the VGGish features as distributed"),
      real_option("valid_fraction", "0.15", "", 0.0, 0.9,
                  "share of the training clips taken for validation, artists kept together (the owners give none)"),
      integer_option("seed", "0", "", 0, 9007199254740992.0, "seed of the validation part"),
      missing_option(),
  };
  return options;
}

bool is_sample_key(const std::string& text) {
  const size_t separator = text.find('_');
  const auto is_digits = [](std::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  return separator != std::string::npos && separator >= 3 && text.size() <= 32 &&
         is_digits(std::string_view(text).substr(0, separator)) &&
         is_digits(std::string_view(text).substr(separator + 1));
}

class Openmic2018Reader {
 public:
  explicit Openmic2018Reader(const Options& options)
      : options_(options),
        root_(existing_root("openmic2018", options, "openmic-2018-aggregated-labels.csv, partitions/ and audio/")) {}

  Dataset read() {
    dataset_.root = root_;
    dataset_.name =
        dataset_label("openmic2018", openmic2018_options(), options_, {"features", "valid_fraction", "seed"});
    dataset_.task = TaskKind::kPartial;
    inner_ = first_existing(root_, {".", "openmic-2018"}, {"class-map.json"});
    read_class_map();
    read_labels();
    read_metadata();
    read_partitions();
    check_corrections();
    check_audio_files("openmic2018", options_, "unpack openmic-2018-v1.0.0.tgz again", listed_, dataset_);
    return std::move(dataset_);
  }

 private:
  std::filesystem::path file(const std::string& name) const {
    return existing_file("openmic2018", (root_ / inner_ / name).lexically_normal(),
                         "unpack openmic-2018-v1.0.0.tgz again");
  }

  void read_class_map() {
    const std::filesystem::path path = file("class-map.json");
    const Json map = read_json(path);
    const std::string expected = path.string() + ": an object with 20 instruments numbered 0 to 19 was expected";
    if (!map.is_object() || map.size() != kOpenmicInstruments) throw DataError(expected);
    dataset_.tags.resize(kOpenmicInstruments);
    for (const auto& [name, index] : map.items()) {
      if (!index.is_number_integer() || index.get<int64_t>() < 0 ||
          index.get<int64_t>() >= static_cast<int64_t>(kOpenmicInstruments)) {
        throw DataError(expected);
      }
      std::string& tag = dataset_.tags[index.get<size_t>()];
      if (!tag.empty()) throw DataError(expected);
      tag = name;
    }
  }

  void read_labels() {
    struct Label {
      std::string key;
      size_t tag;
      uint8_t value;
    };
    const bool vggish = options_.text("features") == "vggish";
    dataset_.has_sound = !vggish;
    const std::filesystem::path path = file("openmic-2018-aggregated-labels.csv");
    const CsvTable table = CsvTable::read(path);
    const size_t key_column = table.column("sample_key");
    const size_t instrument_column = table.column("instrument");
    const size_t relevance_column = table.column("relevance");
    std::vector<Label> labels;
    UniqueKeys rows("the label of");
    for (const CsvRow& row : table.rows()) {
      const std::string& key = row.fields[key_column];
      if (!is_sample_key(key))
        throw DataError(table.where(row) + ": a sample key as 000046_3840 was expected, found '" + key + "'");
      // Some of the owners' texts write "mallet percussion".
      std::string instrument = row.fields[instrument_column];
      std::replace(instrument.begin(), instrument.end(), ' ', '_');
      const auto tag = std::find(dataset_.tags.begin(), dataset_.tags.end(), instrument);
      if (tag == dataset_.tags.end()) {
        throw DataError(table.where(row) + ": unknown instrument '" + instrument + "'; " +
                        suggestion(instrument, dataset_.tags));
      }
      const auto relevance = parse_real(row.fields[relevance_column]);
      if (!relevance || !(*relevance >= 0.0 && *relevance <= 1.0)) {
        throw DataError(table.where(row) + ": relevance must be a number from 0 to 1, found '" +
                        row.fields[relevance_column] + "'");
      }
      rows.add(key + " " + instrument, path, row.line);
      labels.push_back(
          {key, static_cast<size_t>(tag - dataset_.tags.begin()), static_cast<uint8_t>(*relevance >= 0.5 ? 1 : 0)});
    }
    // The owners' arrays hold the clips in the order of their keys.
    std::map<std::string, int64_t> keys;  // with the line of the first label
    for (size_t i = 0; i < labels.size(); ++i) keys.emplace(labels[i].key, table.rows()[i].line);
    for (const auto& [key, line] : keys) {
      listed_.add(path, line);
      Track track;
      track.id = key;
      track.audio = (inner_ / (vggish ? "vggish" : "audio") / key.substr(0, 3) / (key + (vggish ? ".json" : ".ogg")))
                        .lexically_normal();
      track.recording = "fma_" + key.substr(0, key.find('_'));
      track.group = track.recording;
      track.expected_s = vggish ? 0.0F : 10.0F;
      index_.emplace(key, dataset_.tracks.size());
      dataset_.tracks.push_back(std::move(track));
    }
    dataset_.labels.assign(dataset_.tracks.size() * kOpenmicInstruments, kUnknownLabel);
    for (const Label& label : labels)
      dataset_.labels[index_.at(label.key) * kOpenmicInstruments + label.tag] = label.value;
    if (dataset_.n_tracks() != kOwnersClips) {
      dataset_.notes.push_back(path.filename().string() + " labels " + std::to_string(dataset_.n_tracks()) +
                               " clips, the owners' " + std::to_string(kOwnersClips));
    }
  }

  // Artists and albums. Without them a source track is its own group, which is nearly as good: no two clips come from
  // one recording.
  void read_metadata() {
    try {
      const CsvTable table = CsvTable::read(file("openmic-2018-metadata.csv"));
      const size_t key = table.column("sample_key");
      const size_t artist = table.column(table.has_column("artist_id") ? "artist_id" : "artist_name");
      const size_t album = table.column(table.has_column("album_id") ? "album_id" : "album_title");
      size_t n_artists = 0;
      for (const CsvRow& row : table.rows()) {
        const auto found = index_.find(row.fields[key]);
        if (found == index_.end()) continue;
        Track& track = dataset_.tracks[found->second];
        track.album = trim(row.fields[album]);
        if (trim(row.fields[artist]).empty()) continue;
        track.group = "artist_" + trim(row.fields[artist]);
        ++n_artists;
      }
      if (n_artists < dataset_.tracks.size()) {
        dataset_.notes.push_back(std::to_string(dataset_.tracks.size() - n_artists) +
                                 " clips have no artist in openmic-2018-metadata.csv: each source track counts as one");
      }
    } catch (const DataError& error) {
      dataset_.group_kind = "recording";
      dataset_.notes.push_back(std::string("artists are unknown, clips are grouped by source track: ") + error.what());
    }
  }

  void read_partitions() {
    Split split;
    split.name = "default";
    split.parts.assign(dataset_.tracks.size(), Part::kUnused);
    read_partition({"partitions/split01_train.csv", "partitions/train01.txt"}, Part::kTrain, split);
    read_partition({"partitions/split01_test.csv", "partitions/test01.txt"}, Part::kTest, split);
    const auto n_unused = std::count(split.parts.begin(), split.parts.end(), Part::kUnused);
    if (n_unused > 0)
      dataset_.notes.push_back(std::to_string(n_unused) +
                               " labelled clips are in neither partition file and stay unused");
    draw_validation(split);
    dataset_.splits.push_back(std::move(split));
  }

  // The archive and its documentation name the files differently.
  void read_partition(const std::array<std::string, 2>& names, Part part, Split& split) const {
    const bool first =
        std::filesystem::exists(root_ / inner_ / names[0]) || !std::filesystem::exists(root_ / inner_ / names[1]);
    const std::filesystem::path path = file(first ? names[0] : names[1]);
    read_csv(path, {}, [&](const CsvRow& row) {
      const std::string key = trim(row.fields[0]);
      const auto found = index_.find(key);
      if (found == index_.end())
        throw DataError(at_line(path, row.line) + ": the clip '" + key +
                        "' has no labels in openmic-2018-aggregated-labels.csv");
      Part& own = split.parts[found->second];
      if (own != Part::kUnused)
        throw DataError(at_line(path, row.line) + ": the clip '" + key + "' appeared before in the partition files");
      own = part;
    });
  }

  void draw_validation(Split& split) {
    const double fraction = options_.real("valid_fraction");
    if (fraction == 0.0) return;
    const std::vector<int64_t> train = tracks_of(split, Part::kTrain);
    Dataset training;
    training.name = dataset_.name;
    training.task = dataset_.task;
    training.tags = dataset_.tags;
    for (const int64_t track : train) {
      training.tracks.push_back(dataset_.tracks[static_cast<size_t>(track)]);
      for (int64_t tag = 0; tag < dataset_.n_tags(); ++tag) training.labels.push_back(dataset_.label(track, tag));
    }
    const std::vector<Part> parts =
        assign_parts(training, fraction, 0.0, static_cast<uint64_t>(options_.integer("seed")));
    for (size_t i = 0; i < train.size(); ++i) split.parts[static_cast<size_t>(train[i])] = parts[i];
    dataset_.notes.push_back("the owners give no validation part: " + format_real(fraction) +
                             " of the training clips drawn with seed " + std::to_string(options_.integer("seed")) +
                             ", artists kept together");
  }

  void check_corrections() {
    for (const CorrectedLabel& correction : kCorrections) {
      const auto found = index_.find(correction.key);
      if (found == index_.end()) continue;
      const auto tag =
          std::find(dataset_.tags.begin(), dataset_.tags.end(), correction.instrument) - dataset_.tags.begin();
      if (dataset_.label(static_cast<int64_t>(found->second), tag) == 1) continue;
      dataset_.notes.push_back(std::string("a copy from before the owners' erratum: ") + correction.instrument +
                               " of " + correction.key + " should be positive");
    }
  }

  const Options& options_;
  std::filesystem::path root_;
  std::filesystem::path inner_;
  Dataset dataset_;
  std::unordered_map<std::string, size_t> index_;
  ListedAt listed_;
};

Dataset load_openmic2018(const Options& options) {
  return Openmic2018Reader(options).read();
}

// The file `checksums` of the archive, as far as it names audio or features that are tracks.
std::vector<FileChecksum> openmic2018_checksums(const Dataset& dataset) {
  const std::filesystem::path inner = first_existing(dataset.root, {".", "openmic-2018"}, {"class-map.json"});
  const std::filesystem::path list = dataset.root / inner / "checksums";
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(list, ignored)) return {};
  std::unordered_map<std::string, const FileChecksum*> by_name;
  const std::vector<FileChecksum> listed = read_checksum_list(list);
  for (const FileChecksum& checksum : listed) by_name.emplace(checksum.file.filename().string(), &checksum);
  std::vector<FileChecksum> checksums;
  for (const Track& track : dataset.tracks) {
    const auto found = by_name.find(track.audio.filename().string());
    if (found != by_name.end()) checksums.push_back({track.audio, found->second->algorithm, found->second->digest});
  }
  return checksums;
}

}  // namespace

std::vector<uint8_t> read_vggish_json(const std::filesystem::path& path) {
  const Json json = read_json(path);
  const auto fail = [&](const std::string& message) { throw DataError(path.string() + ": " + message); };
  if (!json.is_object() || !json.contains("features") || !json["features"].is_array())
    fail("an object with 'features' was expected");
  if (static_cast<int64_t>(json["features"].size()) != kVggishFrames) {
    fail(std::to_string(kVggishFrames) + " frames of features were expected, found " +
         std::to_string(json["features"].size()));
  }
  std::vector<uint8_t> values;
  for (const Json& frame : json["features"]) {
    if (!frame.is_array() || static_cast<int64_t>(frame.size()) != kVggishBands) {
      fail(std::to_string(kVggishBands) + " features in each frame were expected");
    }
    for (const Json& value : frame) {
      if (!value.is_number_integer() || value.get<int64_t>() < 0 || value.get<int64_t>() > 255) {
        fail("features must be whole numbers from 0 to 255, found " + value.dump());
      }
      values.push_back(value.get<uint8_t>());
    }
  }
  return values;
}

DatasetEntry openmic2018_entry() {
  DatasetEntry entry;
  entry.facts.name = "openmic2018";
  entry.facts.summary =
      "OpenMIC-2018: 20,000 clips of 10 s, 20 instruments, about a tenth of the labels known (14,915 train, 5,085 "
      "test)";
  entry.facts.source =
      "E. J. Humphrey, S. Durand and B. McFee, OpenMIC-2018: An Open Dataset for Multiple Instrument Recognition, "
      "ISMIR 2018; "
      "https://zenodo.org/record/1432913";
  entry.facts.licence = "CC BY 4.0 for the collection; each clip has the Creative Commons licence of its FMA track";
  entry.facts.fetch =
      "openmic-2018-v1.0.0.tgz from Zenodo 1432913, unpacked; root is the folder openmic-2018 or its parent.";
  entry.facts.options = openmic2018_options();
  entry.load = load_openmic2018;
  entry.checksums = openmic2018_checksums;
  return entry;
}

}  // namespace tagbench
