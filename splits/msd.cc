#include <algorithm>
#include <array>
#include <optional>
#include <system_error>
#include <unordered_map>

#include "harness/core/errors.h"
#include "harness/core/npy.h"
#include "harness/core/text.h"
#include "splits/pickle_list.h"
#include "splits/reader_support.h"
#include "splits/readers.h"

namespace tagbench {
namespace {

// In the order of the published label arrays, which is the same for both splits.
const std::vector<std::string>& last_fm_tags() {
  static const std::vector<std::string> tags = {"rock",
                                                "pop",
                                                "alternative",
                                                "indie",
                                                "electronic",
                                                "female vocalists",
                                                "dance",
                                                "00s",
                                                "alternative rock",
                                                "jazz",
                                                "beautiful",
                                                "metal",
                                                "chillout",
                                                "male vocalists",
                                                "classic rock",
                                                "soul",
                                                "indie rock",
                                                "Mellow",
                                                "electronica",
                                                "80s",
                                                "folk",
                                                "90s",
                                                "chill",
                                                "instrumental",
                                                "punk",
                                                "oldies",
                                                "blues",
                                                "hard rock",
                                                "ambient",
                                                "acoustic",
                                                "experimental",
                                                "female vocalist",
                                                "guitar",
                                                "Hip-Hop",
                                                "70s",
                                                "party",
                                                "country",
                                                "easy listening",
                                                "sexy",
                                                "catchy",
                                                "funk",
                                                "electro",
                                                "heavy metal",
                                                "Progressive rock",
                                                "60s",
                                                "rnb",
                                                "indie pop",
                                                "sad",
                                                "House",
                                                "happy"};
  return tags;
}

// The first ids of filtered_list_train.cP are the training part, the others validate.
constexpr size_t kFilteredTrain = 201680;
constexpr size_t kFilteredList = 213454;

constexpr std::array<const char*, 3> kPartNames = {"train", "valid", "test"};

const std::vector<OptionSpec>& msd_options() {
  static const std::vector<OptionSpec> options = {
      root_option("folder of the audio"),
      text_option(
          "lists", "",
          "folder of the published lists, below root or absolute (default: root, or root/MSD_split_for_tagging and "
          "root/MSD_split)"),
      choice_option("audio_layout", "auto", {"auto", "7digital", "msd_id"},
                    "audio as 8/9/8947470.clip.mp3 (7digital) or A/B/C/TRABC....mp3 (msd_id)"),
      missing_option(),
  };
  return options;
}

bool is_msd_id(const std::string& text) {
  const auto legal = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); };
  return text.size() == 18 && starts_with(text, "TR") && std::all_of(text.begin(), text.end(), legal);
}

// Lines of one of the *_x_*.txt lists, those at its end that are empty left out.
std::vector<std::string> read_list(const std::filesystem::path& path) {
  std::vector<std::string> lines = read_lines(path);
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

// "5/5/5504670.npy": two folders of one digit, and the 7digital number.
std::string without_extension(const std::filesystem::path& list, size_t line, const std::string& text) {
  const std::filesystem::path path = text;
  const bool plain =
      !text.empty() && !path.is_absolute() && text.find("..") == std::string::npos && path.has_extension();
  if (!plain) {
    throw DataError(at_line(list, static_cast<int64_t>(line) + 1) +
                    ": a path as 5/5/5504670.npy was expected, found '" + text + "'");
  }
  return std::filesystem::path(path).replace_extension().string();
}

class MsdReader {
 public:
  explicit MsdReader(const Options& options)
      : options_(options), root_(existing_root("msd", options, "the audio of the Million Song Dataset's previews")) {}

  Dataset read() {
    dataset_.root = root_;
    dataset_.name = "msd";
    dataset_.tags = last_fm_tags();
    Split choi;
    choi.name = "choi";
    for (size_t p = 0; p < kUsedParts.size(); ++p) read_choi_part(kPartNames[p], kUsedParts[p], choi);
    for (size_t i = 0; i < dataset_.tracks.size(); ++i) index_.emplace(dataset_.tracks[i].id, i);
    std::optional<Split> filtered = read_filtered();
    if (filtered) dataset_.splits.push_back(std::move(*filtered));
    dataset_.splits.push_back(std::move(choi));
    dataset_.notes.emplace_back(
        "neither split keeps artists apart; the training parts of choi and filtered differ, although both count "
        "201,680 tracks: never mix them");
    choose_layout();
    check_audio_files("msd", options_, "name the layout with audio_layout, copies of the previews are often incomplete",
                      listed_, dataset_);
    return std::move(dataset_);
  }

 private:
  std::filesystem::path list(const std::string& name, const std::string& what_to_do) const {
    const std::string& given = options_.text("lists");
    const std::filesystem::path folder =
        given.empty() ? root_ / first_existing(root_, {".", "MSD_split_for_tagging", "MSD_split", "lists"}, {name})
                      : root_ / given;
    return existing_file("msd", (folder / name).lexically_normal(), what_to_do);
  }

  void read_choi_part(const std::string& part_name, Part part, Split& split) {
    const std::string source = "fetch it from github.com/keunwoochoi/MSD_split_for_tagging";
    const std::filesystem::path id_list = list(part_name + "_x_msd_id.txt", source);
    const std::filesystem::path file_list = list(part_name + "_x_filename.txt", source);
    const std::filesystem::path label_file = list(part_name + "_y.npy", source);
    const std::vector<std::string> ids = read_list(id_list);
    const std::vector<std::string> files = read_list(file_list);
    const NpyArray labels = read_npy(label_file);
    if (files.size() != ids.size()) {
      throw DataError(file_list.string() + ": " + std::to_string(ids.size()) + " lines were expected as in " +
                      id_list.filename().string() + ", found " + std::to_string(files.size()));
    }
    const std::vector<int64_t> shape = {static_cast<int64_t>(ids.size()), dataset_.n_tags()};
    if (labels.shape != shape) {
      throw DataError(label_file.string() + ": shape " + shape_text(shape) + " was expected (a row per line of " +
                      id_list.filename().string() + "), found " + shape_text(labels.shape));
    }
    for (size_t i = 0; i < ids.size(); ++i) {
      if (!is_msd_id(ids[i])) {
        throw DataError(at_line(id_list, static_cast<int64_t>(i) + 1) +
                        ": an id as TRAAAAW128F429D538 was expected, found '" + ids[i] + "'");
      }
      ids_.add(ids[i], id_list, static_cast<int64_t>(i) + 1);
      listed_.add(file_list, static_cast<int64_t>(i) + 1);
      Track track;
      track.id = ids[i];
      track.audio = without_extension(file_list, i, files[i]) + ".clip.mp3";
      dataset_.tracks.push_back(std::move(track));
      split.parts.push_back(part);
    }
    const std::vector<int64_t> values = labels.as_int64();
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i] != 0 && values[i] != 1) {
        const size_t row = i / dataset_.tags.size();
        throw DataError(label_file.string() + ": labels must be 0 or 1, found " + std::to_string(values[i]) +
                        " in row " + std::to_string(row + 1) + " (" + ids[row] + "; fetch it again)");
      }
      dataset_.labels.push_back(static_cast<uint8_t>(values[i]));
    }
  }

  // The split without clips shorter than 29.1 s. Its labels are those of the same ids in the other one.
  std::optional<Split> read_filtered() {
    const std::string source = "fetch it from github.com/jongpillee/music_dataset_split, MSD_split";
    std::filesystem::path train_list;
    std::filesystem::path test_list;
    try {
      train_list = list("filtered_list_train.cP", source);
      test_list = list("filtered_list_test.cP", source);
    } catch (const DataError& error) {
      dataset_.notes.push_back(std::string("the split 'filtered' is not available: ") + error.what());
      return std::nullopt;
    }
    Split split;
    split.name = "filtered";
    split.parts.assign(dataset_.tracks.size(), Part::kUnused);
    std::vector<int64_t> lines;
    const std::vector<std::string> train = read_pickled_strings(train_list, &lines);
    if (train.size() != kFilteredList) {
      throw DataError(train_list.string() + ": " + std::to_string(kFilteredList) + " ids were expected (the first " +
                      std::to_string(kFilteredTrain) + " train, the others validate), found " +
                      std::to_string(train.size()));
    }
    UniqueKeys listed("the id");
    const auto assign = [&](const std::filesystem::path& path, int64_t line, const std::string& id, Part part) {
      const auto found = index_.find(id);
      if (found == index_.end()) {
        throw DataError(at_line(path, line) + ": '" + utf8_text(id) +
                        "' is in none of the *_x_msd_id.txt lists, which the labels come from (fetch both again)");
      }
      listed.add(id, path, line);
      split.parts[found->second] = part;
    };
    for (size_t i = 0; i < train.size(); ++i)
      assign(train_list, lines[i], train[i], i < kFilteredTrain ? Part::kTrain : Part::kValid);
    lines.clear();
    const std::vector<std::string> test = read_pickled_strings(test_list, &lines);
    for (size_t i = 0; i < test.size(); ++i) assign(test_list, lines[i], test[i], Part::kTest);
    return split;
  }

  // Tracks hold 7digital paths so far; with `auto` the layout of the first file that is there decides.
  void choose_layout() {
    std::string layout = options_.text("audio_layout");
    if (layout == "auto") {
      layout = "7digital";
      for (const Track& track : dataset_.tracks) {
        std::error_code ignored;
        if (std::filesystem::exists(root_ / track.audio, ignored)) break;
        if (!std::filesystem::exists(root_ / msd_id_path(track.id), ignored)) continue;
        layout = "msd_id";
        break;
      }
    }
    if (layout == "7digital") return;
    for (Track& track : dataset_.tracks) track.audio = msd_id_path(track.id);
  }

  static std::filesystem::path msd_id_path(const std::string& id) {
    return std::filesystem::path(id.substr(2, 1)) / id.substr(3, 1) / id.substr(4, 1) / (id + ".mp3");
  }

  const Options& options_;
  std::filesystem::path root_;
  Dataset dataset_;
  std::unordered_map<std::string_view, size_t> index_;
  UniqueKeys ids_{"the id"};
  ListedAt listed_;
};

Dataset load_msd(const Options& options) {
  return MsdReader(options).read();
}

}  // namespace

DatasetEntry msd_entry() {
  DatasetEntry entry;
  entry.facts.name = "msd";
  entry.facts.summary =
      "Million Song Dataset, 50 Last.fm tags: splits 'filtered' (201,680 / 11,774 / 28,435) and 'choi' (201,680 / "
      "12,634 / 28,540)";
  entry.facts.source =
      "T. Bertin-Mahieux, D. P. W. Ellis, B. Whitman and P. Lamere, The Million Song Dataset, ISMIR 2011; splits: "
      "github.com/keunwoochoi/MSD_split_for_tagging and github.com/jongpillee/music_dataset_split";
  entry.facts.licence =
      "metadata free for research, Last.fm tags non-commercial; the 7digital previews must not be passed on";
  entry.facts.fetch =
      "The audio is not distributed: a copy of the 7digital previews (about 30 s of MP3 each) is needed as root. "
      "Lists: "
      "{train,valid,test}_x_msd_id.txt, _x_filename.txt and _y.npy from keunwoochoi/MSD_split_for_tagging, which hold "
      "the labels for both "
      "splits; filtered_list_train.cP and filtered_list_test.cP from jongpillee/music_dataset_split for 'filtered'.";
  entry.facts.options = msd_options();
  entry.load = load_msd;
  return entry;
}

}  // namespace tagbench
