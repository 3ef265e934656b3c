#include "splits/multitrack.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "harness/core/config.h"
#include "harness/core/csv.h"
#include "harness/core/errors.h"
#include "harness/core/text.h"
#include "splits/assign.h"
#include "splits/audio_tree.h"
#include "splits/reader_support.h"
#include "splits/readers.h"

namespace tagbench {
namespace {

constexpr const char* kMetadataSuffix = "_METADATA.yaml";
constexpr const char* kMixSuffix = "_MIX.wav";
constexpr const char* kActivationSuffix = "_ACTIVATION_CONF.lab";
constexpr double kActiveFrom = 0.5;
constexpr int64_t kPublicBleedFree = 457;

std::optional<size_t> tag_of_instrument(const std::string& name) {
  // The metadata call it both ways.
  const std::string wanted = name == "electronic organ" ? "electric organ" : name;
  const std::vector<std::string>& tags = multitrack_instruments();
  const auto found = std::find(tags.begin(), tags.end(), wanted);
  if (found == tags.end()) return std::nullopt;
  return static_cast<size_t>(found - tags.begin());
}

std::string required_text(const ConfigNode& node, const std::string& key) {
  if (!node.has(key)) node.fail("the field '" + key + "' is missing");
  return node[key].text();
}

Multitrack read_metadata(const std::filesystem::path& path, const std::string& id) {
  Multitrack song;
  song.id = id;
  try {
    const ConfigNode node = ConfigNode::load(path);
    song.artist = required_text(node, "artist");
    const std::string bleed = to_lower(required_text(node, "has_bleed"));
    if (bleed != "yes" && bleed != "no") node["has_bleed"].fail("must be 'yes' or 'no', found '" + bleed + "'");
    song.has_bleed = bleed == "yes";
    if (!node["stems"].is_map()) node.fail("the field 'stems' is missing");
    for (const auto& [stem_id, stem_node] : node["stems"].entries()) {
      MultitrackStem stem;
      stem.id = stem_id;
      if (stem_node.has("filename")) stem.file = stem_node["filename"].text();
      const ConfigNode instrument = stem_node["instrument"];
      // One name, a list of names, or nothing.
      if (instrument.is_sequence()) {
        for (const ConfigNode& item : instrument.items()) stem.instruments.push_back(to_lower(trim(item.text())));
      } else if (instrument.defined()) {
        stem.instruments.push_back(to_lower(trim(instrument.text())));
      }
      song.stems.push_back(std::move(stem));
    }
  } catch (const UsageError& error) {
    throw DataError(std::string("multitrack: ") + error.what());
  }
  return song;
}

// Of the owners' two versions of activations, in folders "original" and "v2".
bool is_second_version(const std::filesystem::path& activation) {
  return activation.parent_path().filename() == "v2";
}

// Names of artists are written differently in the two collections.
std::string artist_key(const std::string& artist) {
  std::string key;
  for (const char c : to_lower(artist)) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || byte >= 0x80) key += c;
  }
  return starts_with(key, "the") && key.size() > 3 ? key.substr(3) : key;
}

}  // namespace

const std::vector<std::string>& multitrack_instruments() {
  static const std::vector<std::string> names = {"drum set",
                                                 "electric bass",
                                                 "male singer",
                                                 "distorted electric guitar",
                                                 "clean electric guitar",
                                                 "synthesizer",
                                                 "acoustic guitar",
                                                 "piano",
                                                 "vocalists",
                                                 "female singer",
                                                 "string section",
                                                 "electric piano",
                                                 "electric organ",
                                                 "double bass",
                                                 "cello",
                                                 "violin",
                                                 "tabla",
                                                 "flute"};
  return names;
}

std::vector<Multitrack> find_multitracks(const std::filesystem::path& root) {
  std::map<std::string, std::filesystem::path> mixes;
  std::map<std::string, std::filesystem::path> activations;
  std::map<std::string, std::filesystem::path> metadata;
  std::set<std::string> two_versions;
  const auto id_of = [](const std::filesystem::path& file, std::string_view suffix) {
    const std::string name = file.filename().string();
    return ends_with(name, suffix) ? name.substr(0, name.size() - suffix.size()) : "";
  };
  // The same file may lie in several places; the first in order of paths is taken.
  for (const std::filesystem::path& file : list_files(root, {".yaml", ".lab", ".wav"})) {
    if (const std::string id = id_of(file, kMetadataSuffix); !id.empty()) metadata.emplace(id, file);
    if (const std::string id = id_of(file, kMixSuffix); !id.empty()) mixes.emplace(id, file);
    const std::string id = id_of(file, kActivationSuffix);
    if (id.empty()) continue;
    const auto [found, is_new] = activations.emplace(id, file);
    if (is_new || is_second_version(found->second) == is_second_version(file)) continue;
    two_versions.insert(id);
    if (is_second_version(file)) found->second = file;
  }
  std::vector<Multitrack> songs;
  for (const auto& [id, path] : metadata) {
    Multitrack song = read_metadata(root / path, id);
    song.metadata = path;
    if (const auto found = mixes.find(id); found != mixes.end()) song.mix = found->second;
    if (const auto found = activations.find(id); found != activations.end()) song.activation = found->second;
    song.has_older_activation = two_versions.count(id) > 0;
    songs.push_back(std::move(song));
  }
  return songs;
}

StemActivity read_stem_activity(const std::filesystem::path& path) {
  constexpr size_t kMaxStems = 256;
  constexpr size_t kMaxFrames = 2000000;  // a day
  StemActivity activity;
  bool has_header = false;
  read_csv(path, {}, [&](const CsvRow& row) {
    if (!has_header) {
      if (row.fields.size() < 2 || row.fields.size() > kMaxStems || trim(row.fields[0]) != "time") {
        throw DataError(at_line(path, row.line) + ": the header time,S01,S02,... was expected, found '" +
                        join_text(row.fields, ",") + "'");
      }
      for (size_t i = 1; i < row.fields.size(); ++i) activity.stems.push_back(trim(row.fields[i]));
      has_header = true;
      return;
    }
    if (row.fields.size() != activity.stems.size() + 1) {
      throw DataError(at_line(path, row.line) + ": " + std::to_string(activity.stems.size() + 1) +
                      " fields expected as in the header, found " + std::to_string(row.fields.size()));
    }
    const auto time_s = parse_real(trim(row.fields[0]));
    if (!time_s || !(*time_s >= 0.0 && *time_s < 1e6) ||
        (!activity.times_s.empty() && *time_s <= activity.times_s.back())) {
      throw DataError(at_line(path, row.line) + ": a time in seconds later than the row before was expected, found '" +
                      row.fields[0] + "'");
    }
    activity.times_s.push_back(*time_s);
    if (activity.times_s.size() > kMaxFrames)
      throw DataError(path.string() + ": more than " + std::to_string(kMaxFrames) + " rows");
    for (size_t i = 1; i < row.fields.size(); ++i) {
      const auto value = parse_real(trim(row.fields[i]));
      if (!value || !(*value >= 0.0 && *value <= 1.0)) {
        throw DataError(at_line(path, row.line) + ": an activation from 0 to 1 was expected, found '" + row.fields[i] +
                        "'");
      }
      activity.values.push_back(static_cast<float>(*value));
    }
  });
  if (activity.times_s.empty())
    throw DataError(path.string() + ": no activations; time,S01,... and rows of numbers were expected");
  return activity;
}

std::vector<uint8_t> instrument_seconds(const Multitrack& song, const StemActivity& activity) {
  const size_t n_tags = multitrack_instruments().size();
  if (activity.times_s.empty()) return {};
  const auto n_seconds = static_cast<size_t>(activity.times_s.back()) + 1;
  std::vector<uint8_t> active(n_seconds * n_tags, 0);
  for (size_t column = 0; column < activity.stems.size(); ++column) {
    const auto stem = std::find_if(song.stems.begin(), song.stems.end(),
                                   [&](const MultitrackStem& s) { return s.id == activity.stems[column]; });
    if (stem == song.stems.end()) continue;
    for (const std::string& instrument : stem->instruments) {
      const std::optional<size_t> tag = tag_of_instrument(instrument);
      if (!tag) continue;
      for (size_t frame = 0; frame < activity.times_s.size(); ++frame) {
        if (static_cast<double>(activity.values[frame * activity.stems.size() + column]) < kActiveFrom) continue;
        active[static_cast<size_t>(activity.times_s[frame]) * n_tags + *tag] = 1;
      }
    }
  }
  return active;
}

namespace {

const std::vector<OptionSpec>& multitrack_options() {
  static const std::vector<OptionSpec> options = {
      root_option("folder that holds MedleyDB, Mixing Secrets, or both, in their owners' layouts"),
      integer_option("seed", "0", "", 0, 9007199254740992.0, "seed of the split; the published one is not known"),
      real_option("valid_fraction", "0.08", "", 0.0, 1.0, "share of songs for validation"),
      real_option("test_fraction", "0.2", "", 0.0, 1.0, "share of songs for the test"),
      missing_option(),
  };
  return options;
}

// 1 for each of the 18 instruments that sounds in any second; without activations, that has a stem.
std::vector<uint8_t> song_labels(const std::filesystem::path& root, const Multitrack& song) {
  const size_t n_tags = multitrack_instruments().size();
  std::vector<uint8_t> labels(n_tags, 0);
  if (song.activation.empty()) {
    for (const MultitrackStem& stem : song.stems) {
      for (const std::string& instrument : stem.instruments) {
        if (const std::optional<size_t> tag = tag_of_instrument(instrument)) labels[*tag] = 1;
      }
    }
    return labels;
  }
  const std::vector<uint8_t> seconds = instrument_seconds(song, read_stem_activity(root / song.activation));
  for (size_t i = 0; i < seconds.size(); ++i) labels[i % n_tags] = std::max(labels[i % n_tags], seconds[i]);
  return labels;
}

Dataset load_multitrack(const Options& options) {
  Dataset dataset;
  dataset.root =
      existing_root("multitrack", options,
                    "MedleyDB and Mixing Secrets (<Id>_METADATA.yaml, <Id>_MIX.wav, <Id>_ACTIVATION_CONF.lab)");
  dataset.name =
      dataset_label("multitrack", multitrack_options(), options, {"seed", "valid_fraction", "test_fraction"});
  dataset.tags = multitrack_instruments();
  ListedAt listed;
  int64_t n_bleeding = 0;
  int64_t n_without_activation = 0;
  int64_t n_older_activation = 0;
  for (const Multitrack& song : find_multitracks(dataset.root)) {
    if (song.has_bleed) {
      ++n_bleeding;
      continue;
    }
    n_without_activation += song.activation.empty() ? 1 : 0;
    n_older_activation += song.has_older_activation ? 1 : 0;
    Track track;
    track.id = printable_id(song.id);
    track.group = utf8_text(artist_key(song.artist));
    track.audio = song.mix.empty() ? std::filesystem::path(song.id + kMixSuffix) : song.mix;
    listed.add(dataset.root / song.metadata, 0);
    const std::vector<uint8_t> labels = song_labels(dataset.root, song);
    dataset.labels.insert(dataset.labels.end(), labels.begin(), labels.end());
    dataset.tracks.push_back(std::move(track));
  }
  if (dataset.tracks.empty()) {
    throw DataError("multitrack: no bleed-free song found below " + dataset.root.string() + "; <Id>" + kMetadataSuffix +
                    " files were expected");
  }
  Split split;
  split.name = "default";
  split.parts = assign_parts(dataset, options.real("valid_fraction"), options.real("test_fraction"),
                             static_cast<uint64_t>(options.integer("seed")));
  dataset.splits.push_back(std::move(split));
  dataset.notes.push_back("the published split is not known: drawn with seed " +
                          std::to_string(options.integer("seed")) + ", artists kept together");
  if (n_bleeding > 0)
    dataset.notes.push_back(std::to_string(n_bleeding) + " songs left out whose stems bleed into one another");
  if (n_without_activation > 0) {
    dataset.notes.push_back(std::to_string(n_without_activation) + " songs have no " + kActivationSuffix +
                            " file: an instrument counts as heard if it has a stem");
  }
  if (n_older_activation > 0) {
    dataset.notes.push_back(std::to_string(n_older_activation) +
                            " songs have activations of both versions: those in v2 are used (remove v2 for the first)");
  }
  if (dataset.n_tracks() != kPublicBleedFree) {
    dataset.notes.push_back(std::to_string(dataset.n_tracks()) +
                            " bleed-free songs; the public metadata of both collections have " +
                            std::to_string(kPublicBleedFree) + ", the thesis used 461");
  }
  check_audio_files("multitrack", options, "the mixes <Id>_MIX.wav must lie below root", listed, dataset);
  return dataset;
}

}  // namespace

DatasetEntry multitrack_entry() {
  DatasetEntry entry;
  entry.facts.name = "multitrack";
  entry.facts.summary = "MedleyDB and Mixing Secrets: bleed-free mixes, 18 instruments from the activity of the stems";
  entry.facts.source =
      "R. Bittner et al., MedleyDB: A Multitrack Dataset for Annotation-Intensive MIR Research, ISMIR 2014; S. "
      "Gururani and A. Lerch, Mixing "
      "Secrets, ISMIR 2017 late-breaking; use as in S. Gururani, PhD thesis 2020, chapter 2";
  entry.facts.licence = "MedleyDB CC BY-NC-SA 4.0; Mixing Secrets for educational use only";
  entry.facts.fetch =
      "MedleyDB audio on request (medleydb.weebly.com), metadata and activations from github.com/marl/medleydb; Mixing "
      "Secrets audio from the "
      "public library named in github.com/SiddGururani/mixing_secrets, metadata and activations from there. Put all of "
      "it below root.";
  entry.facts.options = multitrack_options();
  entry.load = load_multitrack;
  entry.sample_rate_hz = 44100;
  return entry;
}

}  // namespace tagbench
