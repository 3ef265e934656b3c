#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/core/csv.h"
#include "harness/core/options.h"
#include "splits/dataset.h"

// What the dataset readers share: the options that all of them have, positions for messages, and checks of files.
namespace tagbench {

// "root", required.
OptionSpec root_option(std::string help);
// "missing": what to do about listed audio files that are absent or empty. `error` names the first of them and stops;
// `drop` takes them out of every part and tells; `keep` leaves them in, to be reported one by one when they are used;
// `auto` (the default) keeps one file or up to 5 % and is an error beyond.
OptionSpec missing_option();

// The root folder. Errors: DataError if it is no folder; `contents` says what was expected there ("meta/esc50.csv and
// audio/").
std::filesystem::path existing_root(const std::string& reader, const Options& options, std::string_view contents);
// The path itself. Errors: DataError that says what the file is for.
std::filesystem::path existing_file(const std::string& reader, const std::filesystem::path& path,
                                    std::string_view what_to_do);

// The first of `folders` (below root) that holds any of `probes`, or the first of them if none does.
std::filesystem::path first_existing(const std::filesystem::path& root,
                                     const std::vector<std::filesystem::path>& folders,
                                     const std::vector<std::filesystem::path>& probes);

// Completes Track::audio, which holds the usual name below the folder of the audio. That folder is the first of
// `folders` (below root) in which any file is found of 1,000 tracks from all over the list: of a half-downloaded set
// any part may be missing. `other_name` makes the name that a file has in other copies; it is taken where only it is
// there.
void locate_audio(const std::vector<std::filesystem::path>& folders,
                  const std::function<std::filesystem::path(const std::filesystem::path&)>& other_name,
                  Dataset& dataset);

// "labels.csv, line 7"
std::string at_line(const std::filesystem::path& path, int64_t line);

// Lines of a text file without blanks at both ends; empty ones are kept, so that line numbers hold. A UTF-8 byte order
// mark is dropped. Errors: DataError that names file and line of text that is not UTF-8.
std::vector<std::string> read_lines(const std::filesystem::path& path, uint64_t max_bytes = uint64_t{256} << 20U);

// A cell as a whole number. Errors: DataError that names file, line, column and range.
int64_t checked_integer(const CsvTable& table, const CsvRow& row, std::string_view column, int64_t minimum,
                        int64_t maximum);

// The text itself, or, where it is not UTF-8 (file names of old archives), with its bytes as %XX: JSON takes no other.
std::string utf8_text(const std::string& text);

// Reader's name followed by those of the options in `names` that differ from their defaults: "esc50:subset=esc10".
std::string dataset_label(const std::string& reader, const std::vector<OptionSpec>& specs, const Options& options,
                          const std::vector<std::string>& names);

// Where each track is listed, for messages: 8 bytes a track.
class ListedAt {
 public:
  // Of the next track. Line 0: the file as a whole.
  void add(const std::filesystem::path& path, int64_t line);
  // "labels.csv, line 7"; "" for a track that was not added.
  std::string text(size_t track) const;

 private:
  std::vector<std::filesystem::path> files_;
  std::vector<std::pair<uint32_t, uint32_t>> places_;  // (file, line)
};

// Applies the option `missing` to dataset.tracks, after the splits are filled. Errors: DataError as the option says,
// always if none of the files is there. `what_to_do` ends the message.
void check_audio_files(const std::string& reader, const Options& options, std::string_view what_to_do,
                       const ListedAt& listed, Dataset& dataset);

// Remembers where each key was first seen: 24 bytes a key, found by 128 bits of hash. Errors: DataError naming both
// places when a key comes again.
class UniqueKeys {
 public:
  explicit UniqueKeys(std::string what) : what_(std::move(what)) {}
  void add(const std::string& key, const std::filesystem::path& path, int64_t line);

 private:
  struct Slot {
    uint64_t low = 0;
    uint64_t high = 0;
    uint32_t file = 0;
    uint32_t line = 0;  // 0: free
  };
  // The slot that holds the hash, or the free one where it belongs.
  static Slot& slot_of(std::vector<Slot>& slots, uint64_t low, uint64_t high);
  std::string what_;
  std::vector<std::filesystem::path> files_;
  std::vector<Slot> slots_;
  size_t n_keys_ = 0;
};

// Lines "<digest> <file>", as sha256sum and its kin write them, or "SHA256 (<file>) = <digest>", as BSD's do; the
// length of the digest tells the algorithm. Blank lines are skipped. Errors: DataError that names file and line.
std::vector<FileChecksum> read_checksum_list(const std::filesystem::path& path);

// "a, b, c and 17 more"
std::string first_few(const std::vector<std::string>& names, size_t shown = 5);

}  // namespace tagbench
