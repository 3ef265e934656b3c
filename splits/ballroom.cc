#include <algorithm>
#include <set>

#include "harness/core/errors.h"
#include "harness/core/text.h"
#include "splits/assign.h"
#include "splits/audio_tree.h"
#include "splits/reader_support.h"
#include "splits/readers.h"

namespace tagbench {
namespace {

constexpr int64_t kOwnersFiles = 698;

const std::vector<std::string>& ballroom_classes() {
  static const std::vector<std::string> names = {"ChaChaCha", "Jive",  "Quickstep",     "Rumba",
                                                 "Samba",     "Tango", "VienneseWaltz", "Waltz"};
  return names;
}

const std::vector<OptionSpec>& ballroom_options() {
  static const std::vector<OptionSpec> options = {
      root_option("folder with BallroomData/ (or its class folders themselves)"),
      integer_option("folds", "10", "", 2, 100, "number of folds; the owners give none"),
      integer_option("seed", "0", "", 0, 9007199254740992.0, "seed of the folds"),
      choice_option("valid_fold", "next", {"none", "next"},
                    "fold k is the test part; 'next' validates on the following fold"),
  };
  return options;
}

// "Albums-Latin_Jam-06" comes from the album Latin_Jam; "Media-103414" from nobody knows where.
std::string album_of(const std::string& stem) {
  if (!starts_with(stem, "Albums-")) return "";
  const size_t dash = stem.rfind('-');
  return stem.substr(7, dash > 7 ? dash - 7 : std::string::npos);
}

Dataset load_ballroom(const Options& options) {
  Dataset dataset;
  dataset.root = existing_root("ballroom", options, "BallroomData/<class>/*.wav");
  dataset.name = dataset_label("ballroom", ballroom_options(), options, {"folds", "seed", "valid_fold"});
  dataset.task = TaskKind::kMulticlass;
  dataset.tags = ballroom_classes();
  dataset.group_kind = "album";
  std::vector<std::filesystem::path> folders(ballroom_classes().begin(), ballroom_classes().end());
  for (const char* rumba : {"Rumba-American", "Rumba-International", "Rumba-Misc"}) folders.emplace_back(rumba);
  const std::filesystem::path inner = first_existing(dataset.root, {".", "BallroomData"}, folders);
  std::set<std::string> foreign;
  for (const std::filesystem::path& file : list_files(dataset.root / inner, {".wav"})) {
    const std::string folder = file.begin()->string();
    // Rumba comes as one folder or as Rumba-American, Rumba-International and Rumba-Misc.
    const std::string name = starts_with(folder, "Rumba-") ? "Rumba" : folder;
    if (std::find(ballroom_classes().begin(), ballroom_classes().end(), name) == ballroom_classes().end()) {
      foreign.insert(folder);
      continue;
    }
    Track track;
    // Unique among all classes: the published beat annotations lie in one folder under these names.
    track.id = printable_id(file.stem().string());
    track.audio = (inner / file).lexically_normal();
    track.album = album_of(file.stem().string());
    track.group = track.album;
    track.expected_s = 30.0F;
    for (const std::string& label : ballroom_classes()) dataset.labels.push_back(label == name ? 1 : 0);
    dataset.tracks.push_back(std::move(track));
  }
  if (dataset.tracks.empty()) {
    throw DataError("ballroom: no .wav files in folders " + join_text(ballroom_classes(), ", ") + " below " +
                    (dataset.root / inner).lexically_normal().string() + " (unpack data1.tar.gz below root)");
  }
  for (const std::string& folder : foreign)
    dataset.notes.push_back("the folder '" + folder + "' is no class of Ballroom and was left out");
  if (dataset.n_tracks() != kOwnersFiles) {
    dataset.notes.push_back(std::to_string(dataset.n_tracks()) + " files, the owners distribute " +
                            std::to_string(kOwnersFiles));
  }
  const auto n_folds = static_cast<size_t>(options.integer("folds"));
  const std::vector<double> shares(n_folds, 1.0 / static_cast<double>(n_folds));
  std::vector<int> folds = assign_bins(dataset, shares, static_cast<uint64_t>(options.integer("seed")));
  for (int& fold : folds) ++fold;
  dataset.splits = fold_splits(folds, static_cast<int>(n_folds), options.text("valid_fold") == "next");
  dataset.notes.push_back(
      "the owners give no folds: drawn with seed " + std::to_string(options.integer("seed")) +
      ", stratified, albums kept together (so that the two identical files of Latin_Jam, 06 and 15, share a fold)");
  return dataset;
}

}  // namespace

DatasetEntry ballroom_entry() {
  DatasetEntry entry;
  entry.facts.name = "ballroom";
  entry.facts.summary = "Ballroom: 698 excerpts of 30 s in eight dance styles, seeded folds";
  entry.facts.source =
      "F. Gouyon et al., An Experimental Comparison of Audio Tempo Induction Algorithms, IEEE TASLP 2006; "
      "http://mtg.upf.edu/ismir2004/contest/tempoContest/node5.html";
  entry.facts.licence = "copyrighted excerpts, research use";
  entry.facts.fetch =
      "data1.tar.gz (MD5 2872a3e52070bc342a4510a95e2fa0b8) from the owner's page, unpacked; root is BallroomData or "
      "its parent.";
  entry.facts.options = ballroom_options();
  entry.load = load_ballroom;
  return entry;
}

}  // namespace tagbench
