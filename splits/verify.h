#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/core/json.h"
#include "splits/dataset.h"
#include "splits/published_splits.h"

namespace tagbench {

struct VerifyOptions {
  int threads = 0;  // 0: all processors
  // Remembers finished files, so that a stopped call goes on where it was; empty: nothing is kept.
  std::filesystem::path state;
  bool checksums = true;  // compare the owner's checksums, where there are any
};

enum class FileState : uint8_t {
  kGood,
  kSuspicious,   // usable, but of another length or rate than the owner states
  kKnownBroken,  // damaged as distributed
  kBroken,       // cannot be decoded, or another checksum than the owner's
  kMissing,      // absent or empty
};
std::string file_state_name(FileState state);  // "good", "suspicious", "known_broken", "broken", "missing"

struct FileVerdict {
  int64_t track = 0;
  FileState state = FileState::kGood;
  std::string message;
};

struct VerifyReport {
  std::string dataset;
  int64_t n_tracks = 0;
  int64_t n_checksums = 0;       // files compared with the owner's checksum
  std::string checksum_failure;  // why the owner's checksums could not be read; "" if they could, or if there are none
  std::map<FileState, int64_t> counts;
  double hours = 0.0;  // of what could be decoded
  double shortest_s = 0.0;
  double longest_s = 0.0;
  std::map<std::string, int64_t> formats;  // "MPEG/Layer III" -> files
  std::map<int, int64_t> sample_rates_hz;
  std::map<int, int64_t> channels;
  std::vector<FileVerdict> verdicts;  // all that are not good, in the dataset's order
  std::vector<SplitCheck> splits;     // against what is published
  std::vector<KnownBroken> left_out;  // damaged as distributed, and therefore no tracks
  // Files of the tracks' kinds, in the tracks' folders, that no track names: of another variant or subset, or without
  // labels. Below the root, in bytewise order.
  std::vector<std::filesystem::path> files_of_no_track;
  std::vector<std::string> notes;  // the dataset's

  int64_t count(FileState state) const;
  // Nothing missing or broken (known damage apart), and every split that something is published about is as published.
  bool good() const;
};

// Opens and decodes every file (features in .json are read), with a progress bar. A file is checked again only if its
// size or time of change differs from what `state` remembers. Errors: Interrupted, with `state` up to date; UsageError
// for a `state` that is anything else (state_file.h); DataError if it cannot be written.
VerifyReport verify_dataset(const Dataset& dataset, const VerifyOptions& options);

Json verify_json(const VerifyReport& report, const Dataset& dataset);
// For people: totals, then one line per file that is not good.
std::string verify_text(const VerifyReport& report, const Dataset& dataset);

// Digest of a file in lower-case hexadecimal digits. `algorithm`: "md5", "sha1" or "sha256".
// Errors: DataError if the file cannot be read.
std::string file_digest_hex(const std::filesystem::path& path, const std::string& algorithm);

}  // namespace tagbench
