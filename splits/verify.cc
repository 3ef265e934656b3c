#include "splits/verify.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <system_error>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>

#include "harness/audio/audio_file.h"
#include "harness/core/errors.h"
#include "harness/core/interrupt.h"
#include "harness/core/parallel.h"
#include "harness/core/progress.h"
#include "harness/core/text.h"
#include "splits/audio_tree.h"
#include "splits/openmic2018.h"
#include "splits/reader_support.h"
#include "splits/state_file.h"

namespace tagbench {
namespace {

constexpr const char* kStateFormat = "tagbench verify state 2";

// What is remembered of one file.
struct Record {
  FileState state = FileState::kGood;
  std::string message;
  int64_t bytes = -1;
  int64_t changed = 0;  // time of the last change, in the file system's ticks
  std::string digest;   // the owner's, if it was compared
  double duration_s = 0.0;
  int sample_rate_hz = 0;
  int channels = 0;
  std::string format;
};

Json record_json(const std::string& file, const Record& record) {
  Json json;
  json["file"] = file;
  json["state"] = static_cast<int>(record.state);
  json["message"] = utf8_text(record.message);
  json["bytes"] = record.bytes;
  json["changed"] = record.changed;
  json["digest"] = record.digest;
  json["duration_s"] = record.duration_s;
  json["sample_rate_hz"] = record.sample_rate_hz;
  json["channels"] = record.channels;
  json["format"] = record.format;
  return json;
}

// Records by file, which differs between variants of one corpus where the file does. A damaged line, such as the last
// of a killed process, counts for nothing.
class StateFile {
 public:
  StateFile(const std::filesystem::path& path, const Dataset& dataset) : path_(path) {
    if (path_.empty()) return;
    const std::string header = state_header(kStateFormat, dataset);
    const bool usable = has_state("data verify", path_, header);
    if (usable) read();
    // A line end first: the last line may be half a line.
    file_.open(path_, usable ? std::ios::app : std::ios::trunc);
    file_ << (usable ? std::string() : header) << '\n' << std::flush;
    if (!file_) throw DataError("verify: cannot write " + path_.string());
  }

  const Record* find(const std::filesystem::path& file) const {
    const auto found = records_.find(utf8_text(file.string()));
    return found == records_.end() ? nullptr : &found->second;
  }

  void add(const std::filesystem::path& file, const Record& record) {
    if (path_.empty()) return;
    const std::lock_guard<std::mutex> guard(mutex_);
    file_ << record_json(utf8_text(file.string()), record).dump() << '\n' << std::flush;
    if (!file_) throw DataError("verify: cannot write " + path_.string() + " (is the disk full?)");
  }

 private:
  void read() {
    std::ifstream file(path_);
    std::string line;
    while (std::getline(file, line)) {
      const Json json = Json::parse(line, nullptr, false);
      if (json.is_discarded() || !json.is_object()) continue;
      try {
        Record record;
        const int state = json.at("state").get<int>();
        if (state < 0 || state > static_cast<int>(FileState::kMissing)) continue;
        record.state = static_cast<FileState>(state);
        record.message = json.at("message").get<std::string>();
        record.bytes = json.at("bytes").get<int64_t>();
        record.changed = json.at("changed").get<int64_t>();
        record.digest = json.at("digest").get<std::string>();
        record.duration_s = json.at("duration_s").get<double>();
        record.sample_rate_hz = json.at("sample_rate_hz").get<int>();
        record.channels = json.at("channels").get<int>();
        record.format = json.at("format").get<std::string>();
        records_[json.at("file").get<std::string>()] = std::move(record);
      } catch (const Json::exception&) {
        continue;
      }
    }
  }

  std::filesystem::path path_;
  std::unordered_map<std::string, Record> records_;
  std::ofstream file_;
  std::mutex mutex_;
};

void mark(Record& record, FileState state, const std::string& message) {
  if (static_cast<int>(state) > static_cast<int>(record.state)) record.state = state;
  record.message += (record.message.empty() ? "" : "; ") + message;
}

// Coders pad, and "30 s" is often a little more or less.
double length_tolerance_s(const DatasetEntry& entry, double expected_s) {
  return entry.length_tolerance_s > 0.0 ? entry.length_tolerance_s : std::min(1.0, 0.1 * expected_s);
}

void check_audio(const std::filesystem::path& path, const Track& track, const DatasetEntry& entry, Record& record) {
  const AudioInfo info = probe_audio(path);
  const Waveform waveform = decode_audio(path);
  record.duration_s = waveform.duration_s();
  record.sample_rate_hz = info.sample_rate_hz;
  record.channels = info.channels;
  record.format = info.format;
  const auto expected_s = static_cast<double>(track.expected_s);
  if (expected_s > 0.0 && std::abs(record.duration_s - expected_s) > length_tolerance_s(entry, expected_s)) {
    mark(record, FileState::kSuspicious,
         format_fixed(expected_s, 2) + " s were expected, found " + format_fixed(record.duration_s, 2) + " s");
  }
  if (entry.sample_rate_hz > 0 && info.sample_rate_hz != entry.sample_rate_hz) {
    mark(record, FileState::kSuspicious,
         std::to_string(entry.sample_rate_hz) + " Hz were expected, found " + std::to_string(info.sample_rate_hz) +
             " Hz");
  }
}

Record check_file(const Dataset& dataset, const Track& track, const DatasetEntry& entry, const FileChecksum* checksum,
                  Record record) {
  const std::filesystem::path path = dataset.root / track.audio;
  try {
    if (dataset.has_sound) {
      check_audio(path, track, entry, record);
    } else {
      read_vggish_json(path);
      record.format = "VGGish features";
    }
    if (checksum != nullptr) {
      record.digest = checksum->digest;
      if (file_digest_hex(path, checksum->algorithm) != checksum->digest) {
        mark(record, FileState::kBroken, "another " + checksum->algorithm + " than the owner's: fetch the file again");
      }
    }
  } catch (const DataError& error) {
    mark(record, FileState::kBroken, error.what());
  }
  return record;
}

bool is_that_form(const KnownBroken& broken, const Track& track) {
  return broken.extension.empty() || to_lower(track.audio.extension().string()) == broken.extension;
}

std::vector<std::filesystem::path> files_of_no_track(const Dataset& dataset) {
  const std::filesystem::path root = dataset.root.lexically_normal();
  std::set<std::filesystem::path> folders;
  std::set<std::string> extensions;
  std::unordered_set<std::string> named;
  for (const Track& track : dataset.tracks) {
    const std::filesystem::path path = (root / track.audio).lexically_normal();
    folders.insert(path.parent_path());
    extensions.insert(to_lower(path.extension().string()));
    named.insert(path.string());
  }
  std::vector<std::filesystem::path> files;
  for (const std::filesystem::path& folder : folders) {
    std::error_code error;  // a folder that cannot be read has its tracks among the verdicts
    std::filesystem::directory_iterator entry(folder.empty() ? "." : folder, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
      const std::filesystem::path path = entry->path().lexically_normal();
      const bool candidate = extensions.count(to_lower(path.extension().string())) > 0 &&
                             !starts_with(path.filename().string(), ".") && named.count(path.string()) == 0;
      std::error_code ignored;
      if (candidate && entry->is_regular_file(ignored)) files.push_back(path.lexically_relative(root));
    }
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.native() < b.native(); });
  return files;
}

}  // namespace

std::string file_state_name(FileState state) {
  switch (state) {
    case FileState::kGood:
      return "good";
    case FileState::kSuspicious:
      return "suspicious";
    case FileState::kKnownBroken:
      return "known_broken";
    case FileState::kBroken:
      return "broken";
    case FileState::kMissing:
      return "missing";
  }
  throw std::logic_error("unhandled file state");
}

std::string file_digest_hex(const std::filesystem::path& path, const std::string& algorithm) {
  const EVP_MD* kind = algorithm == "md5"      ? EVP_md5()
                       : algorithm == "sha1"   ? EVP_sha1()
                       : algorithm == "sha256" ? EVP_sha256()
                                               : nullptr;
  if (kind == nullptr) throw std::logic_error("file_digest_hex: unknown algorithm " + algorithm);
  std::ifstream file(path, std::ios::binary);
  if (!file) throw DataError("cannot open " + path.string() + " for reading");
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (!context || EVP_DigestInit_ex(context.get(), kind, nullptr) != 1)
    throw std::logic_error("file_digest_hex: " + algorithm + " is not available");
  std::vector<char> block(size_t{1} << 18U);
  while (file.read(block.data(), static_cast<std::streamsize>(block.size())) || file.gcount() > 0) {
    EVP_DigestUpdate(context.get(), block.data(), static_cast<size_t>(file.gcount()));
  }
  if (file.bad()) throw DataError("cannot read " + path.string());
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(context.get(), digest, &size);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    constexpr const char* kDigits = "0123456789abcdef";
    hex += kDigits[digest[i] >> 4U];
    hex += kDigits[digest[i] & 0xFU];
  }
  return hex;
}

int64_t VerifyReport::count(FileState state) const {
  const auto found = counts.find(state);
  return found == counts.end() ? 0 : found->second;
}

bool VerifyReport::good() const {
  const bool splits_hold =
      std::all_of(splits.begin(), splits.end(), [](const SplitCheck& check) { return !check.known || check.matches; });
  return count(FileState::kMissing) == 0 && count(FileState::kBroken) == 0 && splits_hold;
}

VerifyReport verify_dataset(const Dataset& dataset, const VerifyOptions& options) {
  const DatasetEntry& entry = find_dataset(dataset.reader());
  VerifyReport report;
  StateFile state(options.state, dataset);
  std::vector<FileChecksum> listed;
  if (options.checksums && entry.checksums != nullptr) {
    try {
      listed = entry.checksums(dataset);
    } catch (const DataError& error) {
      // Decoding tells of most damage without them.
      report.checksum_failure = error.what();
    }
  }
  std::unordered_map<std::string, const FileChecksum*> checksums;
  for (const FileChecksum& checksum : listed) checksums.emplace(checksum.file.string(), &checksum);
  std::unordered_map<std::string, const KnownBroken*> known_broken;
  for (const KnownBroken& broken : entry.known_broken) known_broken.emplace(broken.id, &broken);

  std::vector<Record> records(dataset.tracks.size());
  Progress progress("verifying", dataset.n_tracks(), "files");
  parallel_for(dataset.n_tracks(), options.threads > 0 ? options.threads : available_processors(), [&](int64_t t) {
    throw_if_interrupted();
    const Track& track = dataset.tracks[static_cast<size_t>(t)];
    Record& record = records[static_cast<size_t>(t)];
    const std::filesystem::path path = dataset.root / track.audio;
    const auto checksum = checksums.find(track.audio.string());
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path, error);
    if (error || bytes == 0) {
      mark(record, FileState::kMissing, track.audio.string() + (error ? " is not there" : " is empty"));
    } else {
      record.bytes = static_cast<int64_t>(bytes);
      record.changed = static_cast<int64_t>(std::filesystem::last_write_time(path, error).time_since_epoch().count());
      const std::string digest = checksum == checksums.end() ? "" : checksum->second->digest;
      const Record* known = state.find(track.audio);
      if (known != nullptr && known->bytes == record.bytes && known->changed == record.changed &&
          known->digest == digest) {
        record = *known;
      } else {
        record = check_file(dataset, track, entry, checksum == checksums.end() ? nullptr : checksum->second, record);
        state.add(track.audio, record);
      }
    }
    const auto broken = known_broken.find(track.id);
    if (broken != known_broken.end() && record.state == FileState::kBroken && is_that_form(*broken->second, track)) {
      record.state = FileState::kKnownBroken;
      record.message += "; known: " + broken->second->reason;
    }
    progress.advance();
  });

  report.dataset = dataset.name;
  report.n_tracks = dataset.n_tracks();
  report.splits = check_published_splits(dataset);
  std::unordered_set<std::string> ids;
  if (!entry.known_broken.empty()) {
    for (const Track& track : dataset.tracks) ids.insert(track.id);
  }
  for (const KnownBroken& broken : entry.known_broken) {
    if (ids.count(broken.id) == 0) report.left_out.push_back(broken);
  }
  report.files_of_no_track = files_of_no_track(dataset);
  report.notes = dataset.notes;
  report.shortest_s = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < records.size(); ++i) {
    const Record& record = records[i];
    ++report.counts[record.state];
    report.n_checksums += record.digest.empty() ? 0 : 1;
    if (record.state != FileState::kGood)
      report.verdicts.push_back({static_cast<int64_t>(i), record.state, record.message});
    if (record.duration_s <= 0.0) continue;
    report.hours += record.duration_s / 3600.0;
    report.shortest_s = std::min(report.shortest_s, record.duration_s);
    report.longest_s = std::max(report.longest_s, record.duration_s);
    ++report.formats[record.format];
    ++report.sample_rates_hz[record.sample_rate_hz];
    ++report.channels[record.channels];
  }
  if (report.longest_s == 0.0) report.shortest_s = 0.0;
  return report;
}

Json verify_json(const VerifyReport& report, const Dataset& dataset) {
  Json json;
  json["dataset"] = utf8_text(report.dataset);
  json["good"] = report.good();
  json["tracks"] = report.n_tracks;
  for (const FileState state :
       {FileState::kGood, FileState::kSuspicious, FileState::kKnownBroken, FileState::kBroken, FileState::kMissing}) {
    json["files"][file_state_name(state)] = report.count(state);
  }
  json["checksums_compared"] = report.n_checksums;
  json["checksum_failure"] = report.checksum_failure.empty() ? Json(nullptr) : Json(utf8_text(report.checksum_failure));
  json["hours"] = report.hours;
  json["shortest_s"] = report.shortest_s;
  json["longest_s"] = report.longest_s;
  json["formats"] = report.formats;
  json["sample_rates_hz"] = Json::object();
  for (const auto& [rate, count] : report.sample_rates_hz) json["sample_rates_hz"][std::to_string(rate)] = count;
  json["channels"] = Json::object();
  for (const auto& [channels, count] : report.channels) json["channels"][std::to_string(channels)] = count;
  json["splits"] = Json::array();
  for (size_t i = 0; i < report.splits.size(); ++i) {
    const SplitCheck& check = report.splits[i];
    Json entry;
    entry["split"] = check.split;
    entry["sha256"] = dataset.splits[i].sha256;
    // Counts alone prove a difference, not that there is none.
    const bool proven = check.known && (!check.matches || check.compared != "counts");
    entry["as_published"] = proven ? Json(check.matches) : Json(nullptr);
    entry["compared"] = check.known ? Json(check.compared) : Json(nullptr);
    entry["message"] = utf8_text(check.message);
    json["splits"].push_back(std::move(entry));
  }
  json["not_good"] = Json::array();
  for (const FileVerdict& verdict : report.verdicts) {
    const Track& track = dataset.tracks[static_cast<size_t>(verdict.track)];
    Json entry;
    entry["id"] = track.id;
    entry["file"] = utf8_text(track.audio.string());
    entry["state"] = file_state_name(verdict.state);
    entry["message"] = utf8_text(verdict.message);
    json["not_good"].push_back(std::move(entry));
  }
  json["known_broken_left_out"] = Json::array();
  for (const KnownBroken& broken : report.left_out)
    json["known_broken_left_out"].push_back({{"id", broken.id}, {"reason", broken.reason}});
  json["files_of_no_track"] = Json::array();
  for (const std::filesystem::path& file : report.files_of_no_track)
    json["files_of_no_track"].push_back(utf8_text(file.string()));
  json["notes"] = report.notes;
  return json;
}

namespace {

template <typename Key>
std::string histogram_text(const std::map<Key, int64_t>& counts, const std::string& unit) {
  std::vector<std::string> parts;
  for (const auto& [key, count] : counts) {
    if constexpr (std::is_same_v<Key, int>) {
      parts.push_back(std::to_string(key) + unit + ": " + std::to_string(count));
    } else {
      parts.push_back(key + unit + ": " + std::to_string(count));
    }
  }
  return join_text(parts, ", ");
}

}  // namespace

std::string verify_text(const VerifyReport& report, const Dataset& dataset) {
  std::string text = report.dataset + ": " + std::to_string(report.n_tracks) + " files";
  for (const FileState state :
       {FileState::kGood, FileState::kSuspicious, FileState::kKnownBroken, FileState::kBroken, FileState::kMissing}) {
    const std::string name = state == FileState::kKnownBroken ? "known to be broken" : file_state_name(state);
    text += ", " + std::to_string(report.count(state)) + " " + name;
  }
  text += "\n";
  if (report.longest_s > 0.0) {
    text += format_fixed(report.hours, 2) + " h of audio, " + format_fixed(report.shortest_s, 2) + " to " +
            format_fixed(report.longest_s, 2) + " s each; " + histogram_text(report.formats, "") + "; " +
            histogram_text(report.sample_rates_hz, " Hz") + "; " + histogram_text(report.channels, " channels") + "\n";
  }
  if (report.n_checksums > 0)
    text += std::to_string(report.n_checksums) + " files compared with the owner's checksums\n";
  if (!report.checksum_failure.empty())
    text += "the owner's checksums were not compared: " + report.checksum_failure + "\n";
  for (const SplitCheck& check : report.splits) text += check.message + "\n";
  if (!report.files_of_no_track.empty()) {
    std::vector<std::string> names;
    for (const std::filesystem::path& file : report.files_of_no_track) names.push_back(file.string());
    text += std::to_string(names.size()) +
            " files beside those of the tracks belong to none (of another variant or subset, or without labels): " +
            first_few(names) + "\n";
  }
  for (const KnownBroken& broken : report.left_out)
    text += "left out\t" + broken.id + "\tknown to be broken: " + broken.reason + "\n";
  for (const FileVerdict& verdict : report.verdicts) {
    text += file_state_name(verdict.state) + "\t" + dataset.tracks[static_cast<size_t>(verdict.track)].id + "\t" +
            verdict.message + "\n";
  }
  return text;
}

}  // namespace tagbench
