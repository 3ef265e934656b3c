#include <algorithm>
#include <map>
#include <numeric>
#include <system_error>

#include "harness/core/errors.h"
#include "harness/core/text.h"
#include "splits/assign.h"
#include "splits/reader_support.h"
#include "splits/readers.h"
#include "splits/simple_xml.h"

namespace tagbench {
namespace {

constexpr int64_t kOwnersTracks = 4180;
constexpr const char* kXmlName = "extendedballroom_v1.1.xml";

const std::vector<std::string>& classes() {
  static const std::vector<std::string> names = {"Chacha",        "Foxtrot", "Jive",   "Pasodoble", "Quickstep",
                                                 "Rumba",         "Salsa",   "Samba",  "Slowwaltz", "Tango",
                                                 "Viennesewaltz", "Waltz",   "Wcswing"};
  return names;
}

const std::vector<OptionSpec>& extended_ballroom_options() {
  static const std::vector<OptionSpec> options = {
      root_option("folder with extendedballroom_v1.1.xml and a folder of MP3 files per class"),
      integer_option("folds", "10", "", 2, 100, "number of folds; the owners give none"),
      integer_option("seed", "0", "", 0, 9007199254740992.0, "seed of the folds"),
      choice_option(
          "grouping", "repetitions", {"repetitions", "none"},
          "keep versions and duplicates of one track in one fold, or let them fall apart as in most published results"),
      choice_option("valid_fold", "next", {"none", "next"},
                    "fold k is the test part; 'next' validates on the following fold"),
      missing_option(),
  };
  return options;
}

struct Song {
  std::string id;
  std::string genre;
  std::string album;
  std::string md5;
  std::vector<std::string> repeats;  // ids of the tracks that it is a version or duplicate of
};

std::vector<Song> read_songs(const std::filesystem::path& xml) {
  std::vector<Song> songs;
  UniqueKeys ids("the song id");
  read_xml(xml, [&](const XmlElement& element) {
    if (element.path.size() != 3 || element.path[2] != "song") return;
    Song song;
    song.id = element.attribute("id");
    song.genre = element.path[1];
    song.album = element.attribute("album");
    song.md5 = to_lower(element.attribute("hash"));
    const bool is_plain = !song.id.empty() && song.id.find_first_of("/\\ \t\r\n") == std::string::npos;
    if (!is_plain) throw DataError(at_line(xml, element.line) + ": a song needs an id, found '" + song.id + "'");
    if (std::find(classes().begin(), classes().end(), song.genre) == classes().end()) {
      throw DataError(at_line(xml, element.line) + ": unknown class '" + song.genre + "'; " +
                      suggestion(song.genre, classes()));
    }
    for (const char* link : {"version", "exact", "time", "karaoke"}) {
      if (!element.attribute(link).empty()) song.repeats.push_back(element.attribute(link));
    }
    ids.add(song.id, xml, element.line);
    songs.push_back(std::move(song));
  });
  if (songs.empty()) throw DataError(xml.string() + ": no songs found; <root><Class><song id=.../> was expected");
  return songs;
}

// Name of the group of each song: the smallest id among all that repeat one another, or "" for a song without
// repetitions.
std::vector<std::string> repetition_groups(const std::vector<Song>& songs, int64_t& n_dangling) {
  std::map<std::string, size_t> index;
  for (size_t i = 0; i < songs.size(); ++i) index[songs[i].id] = i;
  std::vector<size_t> parent(songs.size());
  std::iota(parent.begin(), parent.end(), size_t{0});
  const auto root_of = [&](size_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
  };
  std::vector<bool> linked(songs.size(), false);
  n_dangling = 0;
  for (size_t i = 0; i < songs.size(); ++i) {
    for (const std::string& other : songs[i].repeats) {
      const auto found = index.find(other);
      if (found == index.end()) {
        ++n_dangling;
        continue;
      }
      linked[i] = linked[found->second] = true;
      parent[root_of(i)] = root_of(found->second);
    }
  }
  std::vector<std::string> smallest(songs.size());
  for (size_t i = 0; i < songs.size(); ++i) {
    std::string& name = smallest[root_of(i)];
    if (name.empty() || songs[i].id < name) name = songs[i].id;
  }
  std::vector<std::string> groups;
  for (size_t i = 0; i < songs.size(); ++i) groups.push_back(linked[i] ? smallest[root_of(i)] : "");
  return groups;
}

std::filesystem::path xml_path(const std::filesystem::path& root) {
  const std::filesystem::path inner = first_existing(root, {".", "extendedballroom_v1.1"}, kXmlName);
  return existing_file("extended_ballroom", (root / inner / kXmlName).lexically_normal(),
                       "fetch it from anasynth.ircam.fr/home/media/ExtendedBallroom");
}

// "<Class>/<id>.mp3" or "<Class>/<Class>.<id>.mp3", by version of the download script; relative to root.
std::filesystem::path audio_path(const std::filesystem::path& root, const std::filesystem::path& folder,
                                 const Song& song) {
  const std::filesystem::path plain = (folder / song.genre / (song.id + ".mp3")).lexically_normal();
  const std::filesystem::path prefixed =
      (folder / song.genre / (song.genre + "." + song.id + ".mp3")).lexically_normal();
  std::error_code ignored;
  return !std::filesystem::exists(root / plain, ignored) && std::filesystem::exists(root / prefixed, ignored) ? prefixed
                                                                                                              : plain;
}

std::filesystem::path audio_folder(const std::filesystem::path& root) {
  return first_existing(root, {".", "extendedballroom_v1.1", "audio", "songs"}, classes().front());
}

Dataset load_extended_ballroom(const Options& options) {
  Dataset dataset;
  dataset.root =
      existing_root("extended_ballroom", options, std::string(kXmlName) + " and a folder of MP3 files per class");
  dataset.name = dataset_label("extended_ballroom", extended_ballroom_options(), options,
                               {"folds", "seed", "grouping", "valid_fold"});
  dataset.task = TaskKind::kMulticlass;
  dataset.tags = classes();
  const std::vector<Song> songs = read_songs(xml_path(dataset.root));
  int64_t n_dangling = 0;
  const std::vector<std::string> groups = repetition_groups(songs, n_dangling);
  const bool grouped = options.text("grouping") == "repetitions";
  for (size_t i = 0; i < songs.size(); ++i) {
    Track track;
    track.id = songs[i].id;
    track.audio = audio_path(dataset.root, audio_folder(dataset.root), songs[i]);
    track.group = grouped ? groups[i] : "";
    track.album = songs[i].album;
    track.expected_s = 30.0F;
    for (const std::string& name : classes()) dataset.labels.push_back(name == songs[i].genre ? 1 : 0);
    dataset.tracks.push_back(std::move(track));
  }
  const auto n_folds = static_cast<size_t>(options.integer("folds"));
  const std::vector<double> shares(n_folds, 1.0 / static_cast<double>(n_folds));
  std::vector<int> folds = assign_bins(dataset, shares, static_cast<uint64_t>(options.integer("seed")));
  for (int& fold : folds) ++fold;
  dataset.splits = fold_splits(folds, static_cast<int>(n_folds), options.text("valid_fold") == "next");
  // Told by the generic checks when audited, whatever the folds were drawn by.
  for (size_t i = 0; i < songs.size(); ++i) dataset.tracks[i].group = groups[i];
  dataset.notes.push_back("the owners give no folds: drawn with seed " + std::to_string(options.integer("seed")) +
                          ", stratified, " +
                          (grouped ? "versions and duplicates of a track kept together"
                                   : "versions and duplicates fall into several folds"));
  if (dataset.n_tracks() != kOwnersTracks) {
    dataset.notes.push_back(std::string(kXmlName) + " lists " + std::to_string(dataset.n_tracks()) + " tracks, " +
                            std::to_string(kOwnersTracks) + " are published");
  }
  if (n_dangling > 0)
    dataset.notes.push_back(std::to_string(n_dangling) + " links to a repeated track name an id that is not listed");
  check_audio_files("extended_ballroom", options, "the owners' script fetches them, many links are dead", dataset);
  return dataset;
}

std::vector<FileChecksum> extended_ballroom_checksums(const Dataset& dataset) {
  std::vector<FileChecksum> checksums;
  for (const Song& song : read_songs(xml_path(dataset.root))) {
    if (song.md5.empty()) continue;
    checksums.push_back({audio_path(dataset.root, audio_folder(dataset.root), song), "md5", song.md5});
  }
  return checksums;
}

}  // namespace

DatasetEntry extended_ballroom_entry() {
  DatasetEntry entry;
  entry.facts.name = "extended_ballroom";
  entry.facts.summary = "Extended Ballroom: 4,180 excerpts of 30 s in 13 dance styles, seeded folds";
  entry.facts.source =
      "U. Marchand and G. Peeters, The Extended Ballroom Dataset, ISMIR 2016 late-breaking; "
      "anasynth.ircam.fr/home/media/ExtendedBallroom";
  entry.facts.licence = "copyrighted excerpts, research use";
  entry.facts.fetch =
      "extendedballroom_v1.1.xml and the owners' download script; root holds the XML and <Class>/<id>.mp3 (or "
      "<Class>/<Class>.<id>.mp3).";
  entry.facts.options = extended_ballroom_options();
  entry.load = load_extended_ballroom;
  entry.checksums = extended_ballroom_checksums;
  return entry;
}

}  // namespace tagbench
