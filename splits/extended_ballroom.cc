#include <algorithm>
#include <map>
#include <numeric>

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

const std::vector<std::string>& extended_classes() {
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
  std::string artist;
  std::string md5;
  int64_t line = 0;
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
    song.artist = trim(element.attribute("artist"));
    song.line = element.line;
    song.md5 = to_lower(element.attribute("hash"));
    const bool is_plain = !song.id.empty() && song.id.find_first_of("/\\ \t\r\n") == std::string::npos;
    if (!is_plain) throw DataError(at_line(xml, element.line) + ": a song needs an id, found '" + song.id + "'");
    if (std::find(extended_classes().begin(), extended_classes().end(), song.genre) == extended_classes().end()) {
      throw DataError(at_line(xml, element.line) + ": unknown class '" + song.genre + "'; " +
                      suggestion(song.genre, extended_classes()));
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

// Songs that belong together, directly or through others.
class SongSets {
 public:
  explicit SongSets(size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), size_t{0}); }
  size_t root(size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(size_t a, size_t b) { parent_[root(a)] = root(b); }

 private:
  std::vector<size_t> parent_;
};

// Bytewise smallest of the names in the set of each song, empty ones left out.
std::vector<std::string> names_of_sets(SongSets& sets, const std::vector<std::string>& names) {
  std::vector<std::string> smallest(names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    std::string& name = smallest[sets.root(i)];
    if (!names[i].empty() && (name.empty() || names[i] < name)) name = names[i];
  }
  std::vector<std::string> of_song;
  for (size_t i = 0; i < names.size(); ++i) of_song.push_back(smallest[sets.root(i)]);
  return of_song;
}

struct Kin {
  // The smallest id among all songs that repeat one another; "" for a song without repetitions.
  std::vector<std::string> repetitions;
  // An artist, or several where repetitions tie them together: no two tracks of different groups share an artist or
  // repeat one another. Named after the first of them, or after the repetition where nobody is named.
  std::vector<std::string> artists;
  int64_t n_dangling = 0;  // links to songs that are not listed
};

Kin find_kin(const std::vector<Song>& songs) {
  Kin kin;
  std::map<std::string, size_t> index;
  for (size_t i = 0; i < songs.size(); ++i) index[songs[i].id] = i;
  SongSets sets(songs.size());
  std::vector<bool> linked(songs.size(), false);
  for (size_t i = 0; i < songs.size(); ++i) {
    for (const std::string& other : songs[i].repeats) {
      const auto found = index.find(other);
      if (found == index.end()) {
        ++kin.n_dangling;
        continue;
      }
      linked[i] = linked[found->second] = true;
      sets.join(i, found->second);
    }
  }
  std::vector<std::string> names;
  for (size_t i = 0; i < songs.size(); ++i) names.push_back(linked[i] ? songs[i].id : "");
  kin.repetitions = names_of_sets(sets, names);

  std::map<std::string, size_t> first_of_artist;
  names.clear();
  for (size_t i = 0; i < songs.size(); ++i) {
    names.push_back(songs[i].artist);
    if (!songs[i].artist.empty()) sets.join(i, first_of_artist.emplace(songs[i].artist, i).first->second);
  }
  kin.artists = names_of_sets(sets, names);
  for (size_t i = 0; i < songs.size(); ++i) {
    if (kin.artists[i].empty()) kin.artists[i] = kin.repetitions[i];
  }
  return kin;
}

std::filesystem::path xml_path(const std::filesystem::path& root) {
  const std::filesystem::path inner = first_existing(root, {".", "extendedballroom_v1.1"}, {kXmlName});
  return existing_file("extended_ballroom", (root / inner / kXmlName).lexically_normal(),
                       "fetch it from anasynth.ircam.fr/home/media/ExtendedBallroom");
}

Dataset load_extended_ballroom(const Options& options) {
  Dataset dataset;
  dataset.root =
      existing_root("extended_ballroom", options, std::string(kXmlName) + " and a folder of MP3 files per class");
  dataset.name = dataset_label("extended_ballroom", extended_ballroom_options(), options,
                               {"folds", "seed", "grouping", "valid_fold"});
  dataset.task = TaskKind::kMulticlass;
  dataset.tags = extended_classes();
  const std::filesystem::path xml = xml_path(dataset.root);
  const std::vector<Song> songs = read_songs(xml);
  const Kin kin = find_kin(songs);
  const bool grouped = options.text("grouping") == "repetitions";
  ListedAt listed;
  for (size_t i = 0; i < songs.size(); ++i) {
    Track track;
    track.id = songs[i].id;
    track.audio = std::filesystem::path(songs[i].genre) / (songs[i].id + ".mp3");
    track.group = grouped ? kin.repetitions[i] : "";
    track.album = songs[i].album;
    track.recording = kin.repetitions[i];
    track.expected_s = 30.0F;
    for (const std::string& name : extended_classes()) dataset.labels.push_back(name == songs[i].genre ? 1 : 0);
    dataset.tracks.push_back(std::move(track));
    listed.add(xml, songs[i].line);
  }
  const auto n_folds = static_cast<size_t>(options.integer("folds"));
  const std::vector<double> shares(n_folds, 1.0 / static_cast<double>(n_folds));
  std::vector<int> folds = assign_bins(dataset, shares, static_cast<uint64_t>(options.integer("seed")));
  for (int& fold : folds) ++fold;
  dataset.splits = fold_splits(folds, static_cast<int>(n_folds), options.text("valid_fold") == "next");
  // The folds keep together what the option says. Artists that they share nevertheless are told by the generic checks,
  // and a bootstrap draws by artist and repetition.
  for (size_t i = 0; i < songs.size(); ++i) dataset.tracks[i].group = kin.artists[i];
  dataset.notes.push_back("the owners give no folds: drawn with seed " + std::to_string(options.integer("seed")) +
                          ", stratified, " +
                          (grouped ? "versions and duplicates of a track kept together"
                                   : "versions and duplicates fall into several folds"));
  if (dataset.n_tracks() != kOwnersTracks) {
    dataset.notes.push_back(std::string(kXmlName) + " lists " + std::to_string(dataset.n_tracks()) + " tracks, " +
                            std::to_string(kOwnersTracks) + " are published");
  }
  if (kin.n_dangling > 0)
    dataset.notes.push_back(std::to_string(kin.n_dangling) +
                            " links to a repeated track name an id that is not listed");
  const auto nameless = std::count_if(songs.begin(), songs.end(), [](const Song& song) { return song.artist.empty(); });
  if (nameless > 0) {
    dataset.notes.push_back(std::to_string(nameless) +
                            " songs name no artist: their group is that of the tracks they repeat");
  }
  // Named by version of the download script.
  const auto prefixed = [](const std::filesystem::path& file) {
    return file.parent_path() / (file.parent_path().filename().string() + "." + file.filename().string());
  };
  locate_audio({".", "extendedballroom_v1.1", "audio", "songs"}, prefixed, dataset);
  check_audio_files("extended_ballroom", options, "the owners' script fetches them, many links are dead", listed,
                    dataset);
  return dataset;
}

std::vector<FileChecksum> extended_ballroom_checksums(const Dataset& dataset) {
  std::map<std::string, std::filesystem::path> files;
  for (const Track& track : dataset.tracks) files.emplace(track.id, track.audio);
  std::vector<FileChecksum> checksums;
  for (const Song& song : read_songs(xml_path(dataset.root))) {
    const auto found = files.find(song.id);
    if (!song.md5.empty() && found != files.end()) checksums.push_back({found->second, "md5", song.md5});
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
