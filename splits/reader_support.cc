#include "splits/reader_support.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/parallel.h"
#include "harness/core/text.h"
#include "splits/audio_tree.h"

namespace tagbench {

OptionSpec root_option(std::string help) {
  OptionSpec spec = text_option("root", "", std::move(help));
  spec.required = true;
  return spec;
}

OptionSpec missing_option() {
  return choice_option(
      "missing", "auto", {"auto", "error", "drop", "keep"},
      "listed audio files that are absent or empty: an error, dropped from all parts, or kept and reported when used; "
      "auto keeps one file or up to 5 % and is an error beyond");
}

std::filesystem::path existing_root(const std::string& reader, const Options& options, std::string_view contents) {
  std::filesystem::path root = options.text("root");
  std::error_code ignored;
  if (!std::filesystem::is_directory(root, ignored)) {
    throw DataError(reader + ": root must be a folder with " + std::string(contents) + ", '" + root.string() + "' is " +
                    (std::filesystem::exists(root, ignored) ? "a file" : "not there"));
  }
  return root;
}

std::filesystem::path existing_file(const std::string& reader, const std::filesystem::path& path,
                                    std::string_view what_to_do) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    throw DataError(reader + ": the file " + path.string() + " was expected and is not there (" +
                    std::string(what_to_do) + ")");
  }
  return path;
}

std::filesystem::path first_existing(const std::filesystem::path& root,
                                     const std::vector<std::filesystem::path>& folders,
                                     const std::vector<std::filesystem::path>& probes) {
  for (const std::filesystem::path& folder : folders) {
    for (const std::filesystem::path& probe : probes) {
      std::error_code ignored;
      if (std::filesystem::exists(root / folder / probe, ignored)) return folder;
    }
  }
  return folders.front();
}

void locate_audio(const std::vector<std::filesystem::path>& folders,
                  const std::function<std::filesystem::path(const std::filesystem::path&)>& other_name,
                  Dataset& dataset) {
  constexpr size_t kSampled = 1000;
  std::vector<std::filesystem::path> sample;
  const size_t step = std::max<size_t>(1, dataset.tracks.size() / kSampled);
  for (size_t i = 0; i < dataset.tracks.size() && folders.size() > 1; i += step) {
    sample.push_back(dataset.tracks[i].audio);
    if (other_name) sample.push_back(other_name(dataset.tracks[i].audio));
  }
  const std::filesystem::path folder = first_existing(dataset.root, folders, sample);
  for (Track& track : dataset.tracks) {
    std::filesystem::path file = (folder / track.audio).lexically_normal();
    if (other_name) {
      std::filesystem::path other = (folder / other_name(track.audio)).lexically_normal();
      std::error_code ignored;
      if (!std::filesystem::exists(dataset.root / file, ignored) &&
          std::filesystem::exists(dataset.root / other, ignored)) {
        file = std::move(other);
      }
    }
    track.audio = std::move(file);
  }
}

std::string at_line(const std::filesystem::path& path, int64_t line) {
  return path.string() + ", line " + std::to_string(line);
}

std::vector<std::string> read_lines(const std::filesystem::path& path, uint64_t max_bytes) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  const std::string bytes = read_text_file(path, max_bytes);
  std::string_view text = bytes;
  if (starts_with(text, kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<std::string> lines = split_text(text, '\n');
  for (size_t i = 0; i < lines.size(); ++i) {
    if (!is_valid_utf8(lines[i])) {
      throw DataError(at_line(path, static_cast<int64_t>(i) + 1) +
                      ": text must be UTF-8 (convert it, for example with iconv), found '" +
                      utf8_text(lines[i].substr(0, 100)) + "'");
    }
    lines[i] = trim(lines[i]);
  }
  return lines;
}

int64_t checked_integer(const CsvTable& table, const CsvRow& row, std::string_view column, int64_t minimum,
                        int64_t maximum) {
  const std::string text = trim(row.fields[table.column(column)]);
  const auto value = parse_integer(text);
  if (!value || *value < minimum || *value > maximum) {
    throw DataError(table.where(row) + ": " + std::string(column) + " must be a whole number from " +
                    std::to_string(minimum) + " to " + std::to_string(maximum) + ", found '" + text + "'");
  }
  return *value;
}

std::string utf8_text(const std::string& text) {
  return is_valid_utf8(text) ? text : printable_id(text);
}

std::string dataset_label(const std::string& reader, const std::vector<OptionSpec>& specs, const Options& options,
                          const std::vector<std::string>& names) {
  Spec label;
  label.name = reader;
  for (const OptionSpec& spec : specs) {
    if (std::find(names.begin(), names.end(), spec.name) == names.end()) continue;
    const std::string& value = options.canonical().at(spec.name);
    // The default in its canonical spelling.
    if (value != Options(reader, {spec}, {}).canonical().at(spec.name)) label.options.emplace_back(spec.name, value);
  }
  return spec_text(label);
}

void ListedAt::add(const std::filesystem::path& path, int64_t line) {
  if (files_.empty() || files_.back() != path) files_.push_back(path);
  places_.emplace_back(static_cast<uint32_t>(files_.size() - 1), static_cast<uint32_t>(line));
}

std::string ListedAt::text(size_t track) const {
  if (track >= places_.size()) return "";
  const auto& [file, line] = places_[track];
  return line == 0 ? files_[file].string() : at_line(files_[file], line);
}

void check_audio_files(const std::string& reader, const Options& options, std::string_view what_to_do,
                       const ListedAt& listed, Dataset& dataset) {
  const std::string& policy = options.text("missing");
  enum Presence : uint8_t { kThere, kEmpty, kAbsent };
  std::vector<Presence> presence(dataset.tracks.size(), kThere);
  // A million questions to the file system take seconds: all cores ask, and the root is looked up once.
  const int root = ::open(dataset.root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  constexpr int64_t kBlock = 4096;
  parallel_for((dataset.n_tracks() + kBlock - 1) / kBlock, available_processors(), [&](int64_t block) {
    const int64_t end = std::min(dataset.n_tracks(), (block + 1) * kBlock);
    for (int64_t i = block * kBlock; i < end; ++i) {
      struct stat status {};
      const bool there = ::fstatat(root, dataset.tracks[static_cast<size_t>(i)].audio.c_str(), &status, 0) == 0 &&
                         S_ISREG(status.st_mode);
      presence[static_cast<size_t>(i)] = !there ? kAbsent : status.st_size == 0 ? kEmpty : kThere;
    }
  });
  if (root >= 0) ::close(root);
  std::vector<std::string> absent;
  std::vector<size_t> absent_tracks;
  size_t n_empty = 0;
  for (size_t i = 0; i < dataset.tracks.size(); ++i) {
    if (presence[i] == kThere) continue;
    n_empty += presence[i] == kEmpty ? 1 : 0;
    absent.push_back(dataset.tracks[i].audio.string() + (presence[i] == kEmpty ? " (empty)" : ""));
    absent_tracks.push_back(i);
  }
  if (absent.empty()) return;
  const std::string counted = std::to_string(absent.size()) + " of " + std::to_string(dataset.tracks.size()) +
                              " listed audio files are missing" +
                              (n_empty > 0 ? " or empty (" + std::to_string(n_empty) + " empty)" : "") + ": " +
                              first_few(absent);
  constexpr double kToleratedShare = 0.05;
  const auto n_tracks = static_cast<double>(dataset.tracks.size());
  const bool tolerated = absent.size() <= 1 || static_cast<double>(absent.size()) <= kToleratedShare * n_tracks;
  const bool nothing_left = absent.size() == dataset.tracks.size();
  if (policy == "error" || (policy == "auto" && (!tolerated || nothing_left)) || (policy == "drop" && nothing_left)) {
    const std::string place = listed.text(absent_tracks.front());
    throw DataError(reader + ": " + counted + " (" + (place.empty() ? "" : "the first is listed in " + place + "; ") +
                    "all below " + dataset.root.string() + "; " + std::string(what_to_do) + ", or set " +
                    (nothing_left ? "" : "missing=drop to go on without them, or ") +
                    "missing=keep to keep them as they are)");
  }
  if (policy == "drop") {
    for (Split& split : dataset.splits) {
      for (const size_t i : absent_tracks) split.parts[i] = Part::kUnused;
    }
  }
  dataset.notes.push_back(counted + (policy == "drop" ? "; dropped from all parts" : "; kept in their parts"));
}

UniqueKeys::Slot& UniqueKeys::slot_of(std::vector<Slot>& slots, uint64_t low, uint64_t high) {
  size_t at = low & (slots.size() - 1);
  while (slots[at].line != 0 && (slots[at].low != low || slots[at].high != high)) at = (at + 1) & (slots.size() - 1);
  return slots[at];
}

void UniqueKeys::add(const std::string& key, const std::filesystem::path& path, int64_t line) {
  if (files_.empty() || files_.back() != path) files_.push_back(path);
  if (4 * (n_keys_ + 1) > 3 * slots_.size()) {
    std::vector<Slot> larger(std::max<size_t>(64, 2 * slots_.size()));
    for (const Slot& slot : slots_) {
      if (slot.line != 0) slot_of(larger, slot.low, slot.high) = slot;
    }
    slots_ = std::move(larger);
  }
  const uint64_t low = xxh64(key, 0);
  const uint64_t high = xxh64(key, 1);
  const auto file = static_cast<uint32_t>(files_.size() - 1);
  Slot& slot = slot_of(slots_, low, high);
  if (slot.line != 0) {
    throw DataError(at_line(path, line) + ": " + what_ + " '" + key + "' appeared before, on line " +
                    std::to_string(slot.line) + (slot.file == file ? "" : " of " + files_[slot.file].string()) +
                    "; each must appear once");
  }
  slot = {low, high, file, static_cast<uint32_t>(line)};
  ++n_keys_;
}

namespace {

// "SHA256 (<file>) = <digest>" as "<digest> <file>"; any other line as it is.
std::string plain_checksum_line(const std::string& line) {
  const size_t open = line.find(" (");
  const size_t close = line.rfind(") = ");
  const bool is_bsd = open != std::string::npos && close != std::string::npos && open + 2 <= close &&
                      line.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == open;
  return is_bsd ? line.substr(close + 4) + " " + line.substr(open + 2, close - open - 2) : line;
}

}  // namespace

std::vector<FileChecksum> read_checksum_list(const std::filesystem::path& path) {
  std::vector<FileChecksum> checksums;
  const std::vector<std::string> lines = read_lines(path);
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const std::string line = plain_checksum_line(lines[i]);
    const size_t blank = line.find_first_of(" \t");
    // An asterisk marks a file read as binary.
    const size_t name = blank == std::string::npos ? blank : line.find_first_not_of(" \t*", blank);
    FileChecksum checksum;
    checksum.digest = to_lower(std::string_view(line).substr(0, blank));
    checksum.algorithm = checksum.digest.size() == 32   ? "md5"
                         : checksum.digest.size() == 40 ? "sha1"
                         : checksum.digest.size() == 64 ? "sha256"
                                                        : "";
    const bool is_digest = checksum.digest.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (name == std::string::npos || checksum.algorithm.empty() || !is_digest) {
      throw DataError(at_line(path, static_cast<int64_t>(i) + 1) + ": a digest and a file name were expected, found '" +
                      utf8_text(line.substr(0, 100)) + "'");
    }
    checksum.file = line.substr(name);
    checksums.push_back(std::move(checksum));
  }
  return checksums;
}

std::string first_few(const std::vector<std::string>& names, size_t shown) {
  if (names.size() <= shown) return join_text(names, ", ");
  return join_text({names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown)}, ", ") + " and " +
         std::to_string(names.size() - shown) + " more";
}

}  // namespace tagbench
