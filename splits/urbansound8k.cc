#include <algorithm>

#include "harness/core/csv.h"
#include "harness/core/errors.h"
#include "harness/core/text.h"
#include "splits/assign.h"
#include "splits/reader_support.h"
#include "splits/readers.h"

namespace tagbench {
namespace {

constexpr int kUrbanFolds = 10;
constexpr size_t kOwnersSlices = 8732;

const std::vector<std::string>& urban_classes() {
  static const std::vector<std::string> names = {"air_conditioner", "car_horn",      "children_playing", "dog_bark",
                                                 "drilling",        "engine_idling", "gun_shot",         "jackhammer",
                                                 "siren",           "street_music"};
  return names;
}

const std::vector<OptionSpec>& urbansound8k_options() {
  static const std::vector<OptionSpec> options = {
      root_option("folder with metadata/UrbanSound8K.csv and audio/fold1 to fold10"),
      choice_option("valid_fold", "next", {"none", "next"},
                    "fold k is the test part; 'next' validates on fold k mod 10 + 1, 'none' trains on the other nine"),
      missing_option(),
  };
  return options;
}

double checked_real(const CsvTable& table, const CsvRow& row, std::string_view column, double minimum, double maximum) {
  const std::string text = trim(row.fields[table.column(column)]);
  const auto value = parse_real(text);
  if (!value || !(*value >= minimum && *value <= maximum)) {
    throw DataError(table.where(row) + ": " + std::string(column) + " must be a number from " + format_real(minimum) +
                    " to " + format_real(maximum) + ", found '" + text + "'");
  }
  return *value;
}

Dataset load_urbansound8k(const Options& options) {
  Dataset dataset;
  dataset.root = existing_root("urbansound8k", options, "metadata/UrbanSound8K.csv and audio/");
  dataset.name = dataset_label("urbansound8k", urbansound8k_options(), options, {"valid_fold"});
  dataset.task = TaskKind::kMulticlass;
  dataset.tags = urban_classes();
  const std::filesystem::path inner = first_existing(dataset.root, {".", "UrbanSound8K"}, {"metadata"});
  const std::filesystem::path csv =
      existing_file("urbansound8k", (dataset.root / inner / "metadata" / "UrbanSound8K.csv").lexically_normal(),
                    "unpack UrbanSound8K.tar.gz below root");
  const CsvTable table = CsvTable::read(csv);
  dataset.group_kind = "recording";
  UniqueKeys names("the slice");
  ListedAt listed;
  std::vector<int> folds;
  for (const CsvRow& row : table.rows()) {
    const std::string file = trim(row.fields[table.column("slice_file_name")]);
    const std::string source = trim(row.fields[table.column("fsID")]);
    const auto fold = static_cast<int>(checked_integer(table, row, "fold", 1, kUrbanFolds));
    const auto target = static_cast<size_t>(checked_integer(table, row, "classID", 0, 9));
    const double start_s = checked_real(table, row, "start", 0.0, 1e6);
    const double end_s = checked_real(table, row, "end", start_s, 1e6);
    names.add(file, csv, row.line);
    listed.add(csv, row.line);
    // fsID-classID-occurrence-slice.wav
    const std::vector<std::string> name = split_text(file, '-');
    if (name.size() != 4 || name[0] != source || name[1] != std::to_string(target) || !ends_with(file, ".wav") ||
        file.find('/') != std::string::npos) {
      throw DataError(table.where(row) + ": a file name '" + source + "-" + std::to_string(target) +
                      "-occurrence-slice.wav' was expected from fsID and classID, found '" + file + "'");
    }
    const std::string& label = row.fields[table.column("class")];
    if (label != urban_classes()[target]) {
      throw DataError(table.where(row) + ": classID " + std::to_string(target) + " is " + urban_classes()[target] +
                      ", found '" + label + "'");
    }
    Track track;
    track.id = file.substr(0, file.size() - 4);
    track.audio = (inner / "audio" / ("fold" + std::to_string(fold)) / file).lexically_normal();
    track.group = source;
    track.recording = source;
    track.expected_s = static_cast<float>(end_s - start_s);
    for (size_t i = 0; i < urban_classes().size(); ++i) dataset.labels.push_back(i == target ? 1 : 0);
    dataset.tracks.push_back(std::move(track));
    folds.push_back(fold);
  }
  dataset.splits = fold_splits(folds, kUrbanFolds, options.text("valid_fold") == "next");
  if (table.rows().size() != kOwnersSlices) {
    dataset.notes.push_back("UrbanSound8K.csv lists " + std::to_string(table.rows().size()) + " slices, the owner's " +
                            std::to_string(kOwnersSlices) + ": results are not comparable with published ones");
  }
  check_audio_files("urbansound8k", options, "the download seems incomplete", listed, dataset);
  return dataset;
}

}  // namespace

DatasetEntry urbansound8k_entry() {
  DatasetEntry entry;
  entry.facts.name = "urbansound8k";
  entry.facts.summary = "UrbanSound8K: 8,732 slices of up to 4 s of ten urban sounds, the ten given folds";
  entry.facts.source =
      "J. Salamon, C. Jacoby and J. P. Bello, A Dataset and Taxonomy for Urban Sound Research, ACM Multimedia 2014; "
      "https://urbansounddataset.weebly.com/urbansound8k.html";
  entry.facts.licence = "CC BY-NC 3.0";
  entry.facts.fetch =
      "UrbanSound8K.tar.gz from the owner's page or Zenodo 1203745, unpacked; root is the folder UrbanSound8K or its "
      "parent.";
  entry.facts.options = urbansound8k_options();
  entry.load = load_urbansound8k;
  // The list states begin and end to the microsecond, and the shortest slices last 0.05 s.
  entry.length_tolerance_s = 0.05;
  return entry;
}

}  // namespace tagbench
