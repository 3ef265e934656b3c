#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>

#include "harness/core/errors.h"
#include "harness/core/text.h"
#include "splits/assign.h"
#include "splits/audio_tree.h"
#include "splits/reader_support.h"
#include "splits/readers.h"

namespace tagbench {
namespace {

constexpr int64_t kOwnersTraining = 6705;
constexpr int64_t kOwnersTest = 2874;

struct Instrument {
  const char* code;
  const char* name;
};
// The owner's codes and what they stand for, in the order of the codes. [cla] in a file name may also mean classical
// music: the folder decides.
constexpr std::array<Instrument, 11> kInstruments = {{{"cel", "cello"},
                                                      {"cla", "clarinet"},
                                                      {"flu", "flute"},
                                                      {"gac", "acoustic_guitar"},
                                                      {"gel", "electric_guitar"},
                                                      {"org", "organ"},
                                                      {"pia", "piano"},
                                                      {"sax", "saxophone"},
                                                      {"tru", "trumpet"},
                                                      {"vio", "violin"},
                                                      {"voi", "voice"}}};

std::optional<size_t> tag_of_code(std::string_view code) {
  for (size_t i = 0; i < kInstruments.size(); ++i) {
    if (code == kInstruments[i].code) return i;
  }
  return std::nullopt;
}

const std::vector<OptionSpec>& irmas_options() {
  static const std::vector<OptionSpec> options = {
      root_option("folder with IRMAS-TrainingData and IRMAS-TestingData-Part1 to Part3"),
      real_option("valid_fraction", "0.15", "", 0.0, 0.9,
                  "share of the training clips taken for validation, recordings kept together"),
      integer_option("seed", "0", "", 0, 9007199254740992.0, "seed of the validation part"),
  };
  return options;
}

// "[cel][cla]0001__2" is the second clip of recording "[cel][cla]0001".
std::string training_recording(const std::string& stem) {
  return "train/" + stem.substr(0, stem.find("__"));
}

// "(02) dont kill the whale-10" is the tenth clip of "(02) dont kill the whale".
std::string test_recording(const std::string& stem) {
  const size_t dash = stem.rfind('-');
  const bool numbered = dash != std::string::npos && dash + 1 < stem.size() &&
                        stem.find_first_not_of("0123456789", dash + 1) == std::string::npos;
  return "test/" + (numbered ? stem.substr(0, dash) : stem);
}

class IrmasReader {
 public:
  explicit IrmasReader(const Options& options)
      : options_(options),
        root_(existing_root("irmas", options, "IRMAS-TrainingData/ and IRMAS-TestingData-Part1 to Part3")) {}

  Dataset read() {
    dataset_.root = root_;
    dataset_.name = dataset_label("irmas", irmas_options(), options_, {"valid_fraction", "seed"});
    dataset_.group_kind = "recording";
    for (const Instrument& instrument : kInstruments) dataset_.tags.emplace_back(instrument.name);
    read_training();
    Split split;
    split.name = "default";
    const double fraction = options_.real("valid_fraction");
    split.parts = assign_parts(dataset_, fraction, 0.0, static_cast<uint64_t>(options_.integer("seed")));
    if (fraction > 0.0) {
      dataset_.notes.push_back("the owners give no validation part: " + format_real(fraction) +
                               " of the training clips drawn with seed " + std::to_string(options_.integer("seed")) +
                               ", clips of one recording kept together");
    }
    const int64_t n_training = dataset_.n_tracks();
    for (int part = 1; part <= 3; ++part) read_test("IRMAS-TestingData-Part" + std::to_string(part));
    split.parts.resize(dataset_.tracks.size(), Part::kTest);
    dataset_.splits.push_back(std::move(split));
    note_count("training", n_training, kOwnersTraining);
    note_count("test", dataset_.n_tracks() - n_training, kOwnersTest);
    return std::move(dataset_);
  }

 private:
  void note_count(const std::string& what, int64_t found, int64_t owners) {
    if (found == owners) return;
    dataset_.notes.push_back(std::to_string(found) + " " + what + " clips, the owners distribute " +
                             std::to_string(owners) + ": results are not comparable with published ones");
  }

  void add_track(std::string id, std::filesystem::path audio, const std::string& group,
                 const std::vector<size_t>& tags) {
    Track track;
    track.id = std::move(id);
    track.audio = std::move(audio);
    track.group = printable_id(group);
    track.recording = track.group;
    dataset_.tracks.push_back(std::move(track));
    for (size_t tag = 0; tag < kInstruments.size(); ++tag) {
      dataset_.labels.push_back(std::find(tags.begin(), tags.end(), tag) != tags.end() ? 1 : 0);
    }
  }

  void read_training() {
    const std::filesystem::path folder = "IRMAS-TrainingData";
    if (!std::filesystem::is_directory(root_ / folder)) {
      throw DataError("irmas: the folder " + (root_ / folder).string() +
                      " was expected and is not there (unpack IRMAS-TrainingData.zip below root)");
    }
    for (const std::filesystem::path& file : list_files(root_ / folder, {".wav"})) {
      // The zip file may bring a folder of the same name along.
      const auto tag = tag_of_code(file.parent_path().filename().string());
      if (!tag) {
        throw DataError("irmas: " + (root_ / folder / file).string() +
                        " is in no folder of an instrument (cel, cla, flu, gac, gel, org, pia, "
                        "sax, tru, vio, voi)");
      }
      const std::string stem = file.stem().string();
      add_track(printable_id(std::string("train/") + kInstruments[*tag].code + "/" + stem), folder / file,
                training_recording(stem), {*tag});
      dataset_.tracks.back().expected_s = 3.0F;
    }
    if (dataset_.tracks.empty()) throw DataError("irmas: no .wav files below " + (root_ / folder).string());
  }

  // The nesting differs between the three parts.
  void read_test(const std::string& folder) {
    if (!std::filesystem::is_directory(root_ / folder)) {
      dataset_.notes.push_back("the folder " + folder + " is not there: its test clips are missing (unpack " + folder +
                               ".zip below root)");
      return;
    }
    std::vector<std::string> without_labels;
    std::map<std::filesystem::path, bool> label_files;
    for (const std::filesystem::path& file : list_files(root_ / folder, {".txt"})) label_files[file] = false;
    for (const std::filesystem::path& file : list_files(root_ / folder, {".wav"})) {
      const std::filesystem::path labels = std::filesystem::path(file).replace_extension(".txt");
      const auto found = label_files.find(labels);
      if (found == label_files.end()) {
        without_labels.push_back(file.string());
        continue;
      }
      found->second = true;
      const std::string stem = file.stem().string();
      add_track(printable_id("test/" + folder.substr(folder.size() - 5) + "/" + stem),
                std::filesystem::path(folder) / file, test_recording(stem), read_codes(root_ / folder / labels));
    }
    std::vector<std::string> without_sound;
    for (const auto& [file, used] : label_files) {
      if (!used && to_lower(file.filename().string()).find("readme") == std::string::npos)
        without_sound.push_back(printable_id(file.string()));
    }
    if (!without_labels.empty()) {
      throw DataError("irmas: " + std::to_string(without_labels.size()) + " clips of " + folder +
                      " have no .txt with their instruments: " + printable_id(first_few(without_labels)) + " (unpack " +
                      folder + ".zip again)");
    }
    if (!without_sound.empty()) {
      dataset_.notes.push_back(std::to_string(without_sound.size()) + " label files of " + folder +
                               " have no .wav: " + first_few(without_sound));
    }
  }

  static std::vector<size_t> read_codes(const std::filesystem::path& path) {
    constexpr uint64_t kMaxLabelBytes = 65536;
    std::vector<size_t> tags;
    const std::vector<std::string> lines = read_lines(path, kMaxLabelBytes);
    for (size_t i = 0; i < lines.size(); ++i) {
      const std::string& code = lines[i];
      if (code.empty()) continue;
      const auto tag = tag_of_code(code);
      if (!tag)
        throw DataError(at_line(path, static_cast<int64_t>(i) + 1) +
                        ": an instrument code as 'cel' was expected, found '" + code + "'");
      tags.push_back(*tag);
    }
    if (tags.empty()) throw DataError(path.string() + ": at least one instrument code was expected, the file has none");
    return tags;
  }

  const Options& options_;
  std::filesystem::path root_;
  Dataset dataset_;
};

Dataset load_irmas(const Options& options) {
  return IrmasReader(options).read();
}

}  // namespace

DatasetEntry irmas_entry() {
  DatasetEntry entry;
  entry.facts.name = "irmas";
  entry.facts.summary =
      "IRMAS: predominant instruments, 11 classes; 6,705 training clips with one label, 2,874 test clips with one to "
      "five";
  entry.facts.source =
      "J. J. Bosch, J. Janer, F. Fuhrmann and P. Herrera, A Comparison of Sound Segregation Techniques for Predominant "
      "Instrument Recognition, "
      "ISMIR 2012; https://zenodo.org/record/1290750";
  entry.facts.licence = "CC BY-NC-SA 3.0";
  entry.facts.fetch =
      "IRMAS-TrainingData.zip and IRMAS-TestingData-Part1.zip to Part3.zip from Zenodo 1290750, unpacked into root.";
  entry.facts.options = irmas_options();
  entry.load = load_irmas;
  entry.sample_rate_hz = 44100;
  return entry;
}

}  // namespace tagbench
