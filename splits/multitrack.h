#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

// The multi-track form of MedleyDB and Mixing Secrets: mixes with stems, and how active each stem is over time.
namespace tagbench {

// The 18 instruments of Gururani (2020), chapter 2.
const std::vector<std::string>& multitrack_instruments();

struct MultitrackStem {
  std::string id;                        // "S01"
  std::string file;                      // name of the stem's audio file
  std::vector<std::string> instruments;  // as in the metadata, lower case; often one, sometimes none
};

// One song of either collection.
struct Multitrack {
  std::string id;  // "AimeeNorwich_Child"
  std::string artist;
  bool has_bleed = false;
  std::filesystem::path metadata;     // below root
  std::filesystem::path mix;          // below root; empty if it is not there
  std::filesystem::path activation;   // below root; empty if it is not there
  bool has_older_activation = false;  // beside it there is one of the first version (original/)
  std::vector<MultitrackStem> stems;
};

// Every song whose <Id>_METADATA.yaml lies below root, by id. Mixes (<Id>_MIX.wav) and activations
// (<Id>_ACTIVATION_CONF.lab) are found by name wherever they lie below root; of two activations the one in a folder v2
// is taken, the owners' second version. Errors: DataError that names the file: not YAML, or a field that is missing.
std::vector<Multitrack> find_multitracks(const std::filesystem::path& root);

// How active stems are. Values 0 .. 1.
struct StemActivity {
  std::vector<std::string> stems;  // "S01", "S02", ...
  std::vector<double> times_s;     // of the frames, ascending
  std::vector<float> values;       // [frames, stems]
};

// <Id>_ACTIVATION_CONF.lab: comma separated, header time,S01,S02,... Errors: DataError that names file and line.
StemActivity read_stem_activity(const std::filesystem::path& path);

// Which of the 18 instruments sounds in each second: 1 where a stem of the instrument reaches 0.5 in any frame of the
// second. Shape: [seconds, 18], the last second begun counting.
std::vector<uint8_t> instrument_seconds(const Multitrack& song, const StemActivity& activity);

}  // namespace tagbench
