#include <algorithm>
#include <array>
#include <map>

#include "harness/core/csv.h"
#include "harness/core/errors.h"
#include "harness/core/text.h"
#include "splits/assign.h"
#include "splits/reader_support.h"
#include "splits/readers.h"

namespace tagbench {
namespace {

constexpr int kEsc50Folds = 5;

const std::vector<OptionSpec>& esc50_options() {
  static const std::vector<OptionSpec> options = {
      root_option("folder with meta/esc50.csv and audio/"),
      choice_option("subset", "esc50", {"esc50", "esc10"}, "all 50 classes, or the ten of ESC-10"),
      choice_option("valid_fold", "none", {"none", "next"},
                    "fold k is the test part; 'next' validates on fold k mod 5 + 1, 'none' trains on the other four"),
      missing_option(),
  };
  return options;
}

struct Clip {
  std::string stem;  // file name without extension
  std::string category;
  std::string source;
  int fold = 0;
  int64_t target = 0;
};

// "1-100032-A-0.wav": fold, source clip, take, target.
void check_file_name(const CsvTable& table, const CsvRow& row, const Clip& clip, const std::string& take) {
  const std::string expected =
      std::to_string(clip.fold) + "-" + clip.source + "-" + take + "-" + std::to_string(clip.target);
  if (clip.stem != expected) {
    throw DataError(table.where(row) + ": fold, src_file, take and target make the file name '" + expected +
                    "', found '" + clip.stem + "'; fetch meta/esc50.csv again");
  }
}

std::vector<Clip> read_clips(const std::filesystem::path& csv, bool only_esc10, ListedAt& listed) {
  const CsvTable table = CsvTable::read(csv);
  UniqueKeys names("the file");
  std::vector<Clip> clips;
  for (const CsvRow& row : table.rows()) {
    Clip clip;
    const std::filesystem::path file = row.fields[table.column("filename")];
    clip.stem = file.stem().string();
    if (clip.stem.empty() || file.has_parent_path()) {
      throw DataError(table.where(row) + ": a plain file name was expected, found '" + file.string() + "'");
    }
    clip.category = trim(row.fields[table.column("category")]);
    clip.source = trim(row.fields[table.column("src_file")]);
    clip.fold = static_cast<int>(checked_integer(table, row, "fold", 1, kEsc50Folds));
    clip.target = checked_integer(table, row, "target", 0, 49);
    names.add(clip.stem, csv, row.line);
    check_file_name(table, row, clip, trim(row.fields[table.column("take")]));
    const std::string esc10 = to_lower(trim(row.fields[table.column("esc10")]));
    if (esc10 != "true" && esc10 != "false") {
      throw DataError(table.where(row) + ": esc10 must be True or False, found '" + esc10 + "'");
    }
    if (only_esc10 && esc10 == "false") continue;
    clips.push_back(std::move(clip));
    listed.add(csv, row.line);
  }
  return clips;
}

// Owner's counts: 40 clips of each class, as many in every fold.
void note_counts(const std::vector<Clip>& clips, size_t n_classes, Dataset& dataset) {
  const size_t per_fold = n_classes * 40 / kEsc50Folds;
  std::array<size_t, kEsc50Folds> counts{};
  for (const Clip& clip : clips) ++counts[static_cast<size_t>(clip.fold - 1)];
  if (std::all_of(counts.begin(), counts.end(), [&](size_t count) { return count == per_fold; })) return;
  std::vector<std::string> found;
  for (const size_t count : counts) found.push_back(std::to_string(count));
  dataset.notes.push_back("a partial copy: " + std::to_string(per_fold) +
                          " clips in each fold are the owner's, meta/esc50.csv lists " + join_text(found, ", ") +
                          "; results are not comparable with published ones");
}

Dataset load_esc50(const Options& options) {
  Dataset dataset;
  dataset.root = existing_root("esc50", options, "meta/esc50.csv and audio/");
  dataset.name = dataset_label("esc50", esc50_options(), options, {"subset", "valid_fold"});
  dataset.task = TaskKind::kMulticlass;
  const bool esc10 = options.text("subset") == "esc10";
  const std::filesystem::path csv = existing_file("esc50", dataset.root / "meta" / "esc50.csv",
                                                  "root must be the unpacked repository karolpiczak/ESC-50");
  dataset.group_kind = "recording";
  ListedAt listed;
  const std::vector<Clip> clips = read_clips(csv, esc10, listed);
  if (clips.empty()) throw DataError(csv.string() + ": no clips" + (esc10 ? " with esc10 True" : ""));

  std::map<int64_t, std::string> classes;
  for (const Clip& clip : clips) {
    const auto [found, is_new] = classes.emplace(clip.target, clip.category);
    if (!is_new && found->second != clip.category) {
      throw DataError(csv.string() + ": target " + std::to_string(clip.target) + " is called both '" + found->second +
                      "' and '" + clip.category + "'");
    }
  }
  const size_t n_classes = esc10 ? 10 : 50;
  if (classes.size() != n_classes) {
    if (!esc10 && classes.size() == 10) {
      throw DataError("esc50: " + csv.string() + " lists the ten classes of ESC-10 only (set subset=esc10)");
    }
    throw DataError("esc50: " + std::to_string(n_classes) + " classes were expected, " + csv.string() + " lists " +
                    std::to_string(classes.size()) + " (fetch it again)");
  }
  std::map<int64_t, size_t> class_of_target;
  for (const auto& [target, category] : classes) {
    class_of_target[target] = dataset.tags.size();
    dataset.tags.push_back(category);
  }

  std::vector<int> folds;
  dataset.labels.assign(clips.size() * n_classes, 0);
  for (size_t i = 0; i < clips.size(); ++i) {
    const Clip& clip = clips[i];
    Track track;
    track.id = clip.stem;
    track.audio = clip.stem + ".wav";
    track.group = clip.source;
    track.recording = clip.source;
    track.expected_s = 5.0F;
    dataset.labels[i * n_classes + class_of_target[clip.target]] = 1;
    folds.push_back(clip.fold);
    dataset.tracks.push_back(std::move(track));
  }
  dataset.splits = fold_splits(folds, kEsc50Folds, options.text("valid_fold") == "next");
  note_counts(clips, n_classes, dataset);
  // Copies in Ogg Vorbis keep the names but for the extension.
  const auto ogg = [](std::filesystem::path file) { return file.replace_extension(".ogg"); };
  locate_audio({"audio"}, ogg, dataset);
  check_audio_files("esc50", options, "the download seems incomplete", listed, dataset);
  return dataset;
}

}  // namespace

DatasetEntry esc50_entry() {
  DatasetEntry entry;
  entry.facts.name = "esc50";
  entry.facts.summary =
      "ESC-50: 2,000 environmental sounds in 50 classes, 5 s each, five folds; subset=esc10 for ESC-10";
  entry.facts.source =
      "K. J. Piczak, ESC: Dataset for Environmental Sound Classification, ACM Multimedia 2015; "
      "https://github.com/karolpiczak/ESC-50";
  entry.facts.licence = "CC BY-NC 3.0; the ESC-10 subset CC BY 3.0";
  entry.facts.fetch =
      "Clone or download karolpiczak/ESC-50 from GitHub and point root at it: meta/esc50.csv, audio/*.wav (or *.ogg).";
  entry.facts.options = esc50_options();
  entry.load = load_esc50;
  entry.sample_rate_hz = 44100;
  return entry;
}

}  // namespace tagbench
