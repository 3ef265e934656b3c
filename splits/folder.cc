#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <system_error>

#include "harness/core/csv.h"
#include "harness/core/errors.h"
#include "harness/core/text.h"
#include "splits/assign.h"
#include "splits/reader_support.h"
#include "splits/readers.h"

namespace tagbench {
namespace {

const std::vector<OptionSpec>& folder_options() {
  static const std::vector<OptionSpec> options = {
      root_option("folder that the paths in the label file start from"),
      text_option("csv", "labels.csv", "label file, below root or absolute; .tsv is read as tab separated"),
      choice_option("task", "multilabel", {"multilabel", "multiclass"}, "any number of tags per track, or exactly one"),
      text_option("label", "", "name of the dataset in results, beside folder"),
      text_option("ignore_columns", "", "columns that are no tags, separated by ';'"),
      integer_option("seed", "0", "", 0, 9007199254740992.0,
                     "seed of the split, where the label file has no split column"),
      real_option("valid_fraction", "0.15", "", 0.0, 1.0, "share of tracks for validation, without a split column"),
      real_option("test_fraction", "0.25", "", 0.0, 1.0, "share of tracks for the test, without a split column"),
      missing_option(),
  };
  return options;
}

std::optional<Part> parse_part(const std::string& text) {
  static const std::map<std::string, Part> names = {
      {"train", Part::kTrain},   {"training", Part::kTrain}, {"valid", Part::kValid}, {"validation", Part::kValid},
      {"val", Part::kValid},     {"dev", Part::kValid},      {"test", Part::kTest},   {"testing", Part::kTest},
      {"unused", Part::kUnused}, {"", Part::kUnused},
  };
  const auto found = names.find(to_lower(trim(text)));
  if (found == names.end()) return std::nullopt;
  return found->second;
}

// 0, 1 or kUnknownLabel.
std::optional<uint8_t> parse_label(const std::string& field) {
  // A million tracks have tens of millions of these cells, nearly all of one character.
  if (field.size() == 1 && (field[0] == '0' || field[0] == '1')) return static_cast<uint8_t>(field[0] - '0');
  const std::string cell = trim(field);
  if (cell == "1" || cell == "1.0") return 1;
  if (cell == "0" || cell == "0.0") return 0;
  if (cell.empty() || cell == "?") return kUnknownLabel;
  return std::nullopt;
}

// What each column of the label file holds.
struct Layout {
  size_t n_columns = 0;
  size_t path = 0;
  std::optional<size_t> id;
  std::optional<size_t> group;
  std::optional<size_t> split;
  std::optional<size_t> labels;     // one column with all tags of a track
  std::vector<size_t> tag_columns;  // otherwise one column per tag
};

class FolderReader {
 public:
  FolderReader(const Options& options, std::filesystem::path root)
      : options_(options), csv_(root / options.text("csv")), multiclass_(options.text("task") == "multiclass") {
    dataset_.root = std::move(root);
    dataset_.task = multiclass_ ? TaskKind::kMulticlass : TaskKind::kMultilabel;
    const std::string& label = options.text("label");
    dataset_.name = label.empty() ? "folder" : "folder:label=" + label;
  }

  Dataset read() {
    existing_file("folder", csv_, "give the label file with csv=...");
    bool has_header = false;
    const CsvFormat format{ends_with(to_lower(csv_.filename().string()), ".tsv") ? '\t' : ','};
    read_csv(csv_, format, [&](const CsvRow& row) {
      if (has_header) {
        add_row(row);
      } else {
        read_header(row);
        has_header = true;
      }
    });
    if (!has_header) throw DataError(csv_.string() + ": a header row was expected, the file is empty");
    if (dataset_.tracks.empty()) throw DataError(csv_.string() + ": no tracks below the header row");
    if (layout_.labels) fill_listed_labels();
    if (partial_) dataset_.task = TaskKind::kPartial;
    fill_split();
    check_audio_files("folder", options_, "check root and the path column", places_, dataset_);
    return std::move(dataset_);
  }

 private:
  void read_header(const CsvRow& row) {
    std::vector<std::string> header;
    for (const std::string& field : row.fields) header.push_back(trim(field));
    std::set<std::string> ignored;
    for (const std::string& name : split_text(options_.text("ignore_columns"), ';')) {
      if (trim(name).empty()) continue;
      if (std::find(header.begin(), header.end(), trim(name)) == header.end()) {
        throw UsageError("folder: ignore_columns names the column '" + trim(name) + "', which " + csv_.string() +
                         " has not; " + suggestion(trim(name), header));
      }
      ignored.insert(trim(name));
    }
    std::map<std::string, size_t> columns;
    for (size_t i = 0; i < header.size(); ++i) {
      const auto [found, is_new] = columns.emplace(header[i], i);
      if (is_new || header[i].empty() || ignored.count(header[i]) > 0) continue;
      throw DataError(at_line(csv_, row.line) + ": the column '" + header[i] + "' is named twice (columns " +
                      std::to_string(found->second + 1) + " and " + std::to_string(i + 1) + "; rename one)");
    }
    const auto find = [&](std::string_view name) -> std::optional<size_t> {
      const auto found = std::find(header.begin(), header.end(), name);
      if (found == header.end() || ignored.count(*found) > 0) return std::nullopt;
      return static_cast<size_t>(found - header.begin());
    };
    if (!find("path")) {
      throw DataError(at_line(csv_, row.line) + ": a column 'path' with the audio files is missing; " +
                      suggestion("path", header));
    }
    layout_.n_columns = header.size();
    layout_.path = *find("path");
    layout_.id = find("id");
    layout_.split = find("split");
    const std::optional<size_t> artist = find("artist");
    layout_.group = find("group") ? find("group") : artist;
    if (find("group")) dataset_.group_kind = "group";
    layout_.labels = find("labels");
    if (layout_.labels) return;
    for (size_t i = 0; i < header.size(); ++i) {
      const bool other =
          i == layout_.path || i == layout_.id || i == layout_.split || i == layout_.group || i == artist;
      if (other || ignored.count(header[i]) > 0) continue;
      if (header[i].empty()) {
        throw DataError(at_line(csv_, row.line) + ": column " + std::to_string(i + 1) +
                        " has no name; a tag was expected");
      }
      layout_.tag_columns.push_back(i);
      dataset_.tags.push_back(header[i]);
    }
    if (dataset_.tags.empty()) {
      throw DataError(at_line(csv_, row.line) +
                      ": a column 'labels', or one column of 0 and 1 per tag, was expected besides path, id, group, "
                      "artist and split");
    }
  }

  void add_row(const CsvRow& row) {
    if (row.fields.size() != layout_.n_columns) {
      throw DataError(at_line(csv_, row.line) + ": " + std::to_string(layout_.n_columns) +
                      " fields expected as in the header, found " + std::to_string(row.fields.size()));
    }
    Track track;
    const std::string& path = row.fields[layout_.path];
    if (path.empty()) throw DataError(at_line(csv_, row.line) + ": the path is empty");
    paths_.add(path, csv_, row.line);
    track.audio = path;
    track.id = layout_.id ? trim(row.fields[*layout_.id]) : path;
    if (track.id.empty()) throw DataError(at_line(csv_, row.line) + ": the id is empty");
    if (layout_.id) ids_.add(track.id, csv_, row.line);
    if (layout_.group) track.group = trim(row.fields[*layout_.group]);
    dataset_.tracks.push_back(std::move(track));
    places_.add(csv_, row.line);
    if (layout_.labels) {
      add_listed_labels(row);
    } else {
      add_label_columns(row);
    }
    if (layout_.split) {
      const std::optional<Part> part = parse_part(row.fields[*layout_.split]);
      if (!part) {
        throw DataError(at_line(csv_, row.line) + ": the split must be train, valid, test or empty, found '" +
                        row.fields[*layout_.split] + "'");
      }
      parts_.push_back(*part);
    }
  }

  void add_label_columns(const CsvRow& row) {
    int positive = 0;
    for (const size_t column : layout_.tag_columns) {
      const std::optional<uint8_t> label = parse_label(row.fields[column]);
      if (!label) {
        throw DataError(at_line(csv_, row.line) + ": column '" + dataset_.tags[tag_of_column(column)] +
                        "' must be 0, 1, or ? for unknown, found '" + trim(row.fields[column]) +
                        "' (name columns that are no tags in ignore_columns)");
      }
      positive += *label == 1 ? 1 : 0;
      partial_ = partial_ || *label == kUnknownLabel;
      if (multiclass_ && *label == kUnknownLabel) {
        throw DataError(at_line(csv_, row.line) + ": with task=multiclass every class must be known, '" +
                        dataset_.tags[tag_of_column(column)] + "' is not");
      }
      dataset_.labels.push_back(*label);
    }
    require_one_class(row, positive);
  }

  size_t tag_of_column(size_t column) const {
    const auto found = std::find(layout_.tag_columns.begin(), layout_.tag_columns.end(), column);
    return static_cast<size_t>(found - layout_.tag_columns.begin());
  }

  void add_listed_labels(const CsvRow& row) {
    std::string cell = row.fields[*layout_.labels];
    std::replace(cell.begin(), cell.end(), ';', '|');
    std::vector<int32_t> tags;
    for (const std::string& part : split_text(cell, '|')) {
      const std::string tag = trim(part);
      if (tag.empty()) continue;
      const auto next = static_cast<int32_t>(tag_numbers_.size());
      const int32_t number = tag_numbers_.emplace(tag, next).first->second;
      if (std::find(tags.begin(), tags.end(), number) != tags.end()) {
        throw DataError(at_line(csv_, row.line) + ": the tag '" + tag + "' is listed twice");
      }
      tags.push_back(number);
    }
    require_one_class(row, static_cast<int>(tags.size()));
    listed_.push_back(std::move(tags));
  }

  void require_one_class(const CsvRow& row, int positive) const {
    if (!multiclass_ || positive == 1) return;
    throw DataError(at_line(csv_, row.line) + ": with task=multiclass exactly one class per track is expected, found " +
                    std::to_string(positive));
  }

  // Tags in sorted order, whatever the order of rows.
  void fill_listed_labels() {
    std::vector<size_t> column_of(tag_numbers_.size());
    for (const auto& [tag, number] : tag_numbers_) {
      column_of[static_cast<size_t>(number)] = dataset_.tags.size();
      dataset_.tags.push_back(tag);
    }
    if (dataset_.tags.empty()) throw DataError(csv_.string() + ": no track has a tag in the column 'labels'");
    dataset_.labels.assign(listed_.size() * dataset_.tags.size(), 0);
    for (size_t i = 0; i < listed_.size(); ++i) {
      for (const int32_t number : listed_[i])
        dataset_.labels[i * dataset_.tags.size() + column_of[static_cast<size_t>(number)]] = 1;
    }
  }

  void fill_split() {
    Split split;
    split.name = "default";
    if (layout_.split) {
      split.parts = std::move(parts_);
    } else {
      const double valid_fraction = options_.real("valid_fraction");
      const double test_fraction = options_.real("test_fraction");
      const auto seed = static_cast<uint64_t>(options_.integer("seed"));
      split.parts = assign_parts(dataset_, valid_fraction, test_fraction, seed);
      dataset_.notes.push_back(csv_.filename().string() + " has no split column: parts drawn with seed " +
                               std::to_string(seed) + ", stratified by tag, " +
                               (layout_.group ? "groups kept together" : "no groups known"));
    }
    dataset_.splits.push_back(std::move(split));
  }

  const Options& options_;
  std::filesystem::path csv_;
  bool multiclass_;
  bool partial_ = false;
  Layout layout_;
  Dataset dataset_;
  UniqueKeys ids_{"the id"};
  UniqueKeys paths_{"the path"};
  ListedAt places_;
  std::vector<Part> parts_;
  std::map<std::string, int32_t> tag_numbers_;
  std::vector<std::vector<int32_t>> listed_;
};

Dataset load_folder(const Options& options) {
  return FolderReader(options, existing_root("folder", options, "audio and a label file")).read();
}

}  // namespace

DatasetEntry folder_entry() {
  DatasetEntry entry;
  entry.facts.name = "folder";
  entry.facts.summary = "your own audio files with a CSV of labels";
  entry.facts.source = "the user";
  entry.facts.licence = "the user's";
  entry.facts.fetch =
      "A folder of audio and a UTF-8 CSV with a header: a column 'path'; either a column 'labels' (tags separated by | "
      "or ;) or one column "
      "per tag (0, 1, ? or empty for unknown); optionally 'id', 'group' or 'artist' (tracks that must stay in one "
      "part), and 'split' "
      "(train, valid, test). Without 'split' a seeded, stratified split keeps groups together.";
  entry.facts.options = folder_options();
  entry.load = load_folder;
  return entry;
}

}  // namespace tagbench
