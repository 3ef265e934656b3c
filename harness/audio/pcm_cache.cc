#include "harness/audio/pcm_cache.h"

#include <fcntl.h>
#include <samplerate.h>
#include <sndfile.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

constexpr int kFormatVersion = 1;
constexpr std::array<char, 8> kMagic = {'T', 'B', 'P', 'C', 'M', '\r', '\n', kFormatVersion};
constexpr char kEntryFolder[] = "pcm";
constexpr char kIndexFolder[] = "index";
constexpr char kEntrySuffix[] = ".pcm";
constexpr char kIndexSuffix[] = ".idx";
constexpr char kTemporarySuffix[] = ".tmp";
constexpr size_t kKeyDigits = 32;  // of an XXH128 in hexadecimal

// In front of the samples (float32, as the machine orders them), which the note follows.
struct EntryHeader {
  std::array<char, 8> magic;
  uint64_t count;
  int32_t sample_rate_hz;
  uint32_t note_bytes;
  std::array<char, 32> checksum;  // xxh128_hex of the samples
  uint64_t note_checksum;         // 0 without a note
};
static_assert(sizeof(EntryHeader) == 64, "the samples begin at a multiple of a cache line");

struct FileIdentity {
  uint64_t size = 0;
  uint64_t inode = 0;
  int64_t mtime_ns = 0;

  bool operator==(const FileIdentity& other) const {
    return size == other.size && inode == other.inode && mtime_ns == other.mtime_ns;
  }
  std::string text() const {
    return std::to_string(size) + " " + std::to_string(inode) + " " + std::to_string(mtime_ns);
  }
};

int64_t nanoseconds(const struct timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::optional<FileIdentity> identify(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return FileIdentity{static_cast<uint64_t>(status.st_size), static_cast<uint64_t>(status.st_ino),
                      nanoseconds(status.st_mtim)};
}

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

class Mapping {
 public:
  Mapping(void* address, size_t size) : address_(address), size_(size) {}
  ~Mapping() { ::munmap(address_, size_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  const void* address() const { return address_; }

 private:
  void* address_;
  size_t size_;
};

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

// Renamed into place without waiting for the disk: checksums find what a power cut may tear.
void write_unsynced(const std::filesystem::path& path, const std::vector<std::string_view>& parts) {
  AtomicFile target(path);
  {
    const Descriptor file(::open(target.temporary_path().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.number() < 0) throw DataError("cannot write " + path.string() + ": " + std::strerror(errno));
    for (std::string_view bytes : parts) {
      while (!bytes.empty()) {
        const ssize_t count = ::write(file.number(), bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) throw DataError("cannot write " + path.string() + ": " + std::strerror(errno));
        bytes.remove_prefix(static_cast<size_t>(count));
      }
    }
  }
  target.commit(AtomicFile::Sync::kNo);
}

// What the cache's files occupy, and when each was last used. Only the folders that the cache makes are looked at, and
// only names that it gives: whatever else lies in the user's folder is not ours to remove.
struct StoredFile {
  std::filesystem::path path;
  uint64_t bytes;
  int64_t used_ns;
  bool temporary;
};

void list_folder(const std::filesystem::path& directory, const std::string& suffix, std::vector<StoredFile>& files) {
  std::error_code error;
  std::filesystem::recursive_directory_iterator end;
  for (std::filesystem::recursive_directory_iterator it(
           directory, std::filesystem::directory_options::skip_permission_denied, error);
       !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    const bool temporary = ends_with(name, kTemporarySuffix);
    const size_t start = temporary && starts_with(name, ".") ? 1 : 0;
    if (name.find_first_not_of("0123456789abcdef", start) != start + kKeyDigits ||
        name.compare(start + kKeyDigits, suffix.size(), suffix) != 0) {
      continue;
    }
    struct stat status {};
    // Another process may have removed it meanwhile.
    if (::lstat(it->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    constexpr uint64_t kDiskBlock = 4096;
    const auto bytes = (static_cast<uint64_t>(status.st_size) + kDiskBlock - 1) / kDiskBlock * kDiskBlock;
    files.push_back({it->path(), bytes, nanoseconds(status.st_mtim), temporary});
  }
}

std::vector<StoredFile> list_files(const std::filesystem::path& directory) {
  std::vector<StoredFile> files;
  list_folder(directory / kEntryFolder, kEntrySuffix, files);
  list_folder(directory / kIndexFolder, kIndexSuffix, files);
  return files;
}

std::string made_key(const std::string& key) {
  const std::string text = "made " + std::to_string(kFormatVersion) + "\n" + key;
  return xxh128_hex(text.data(), text.size());
}

}  // namespace

struct PcmCache::State {
  PcmCacheOptions options;
  std::mutex mutex;
  std::unordered_set<uint64_t> verified;  // entries whose checksum this process has seen to be right
  std::optional<uint64_t> stored_bytes;   // estimate: the last listing, and what this process has added since
  uint64_t added_since_listing = 0;
  std::atomic<bool> warned{false};

  void warn_once(const std::string& message) {
    if (!warned.exchange(true)) spdlog::warn("audio cache: {}; audio is decoded anew where it is not stored", message);
  }

  std::filesystem::path in_folder(const std::string& kind, const std::string& key, const char* suffix) const {
    return options.directory / kind / key.substr(0, 2) / (key + suffix);
  }

  std::string entry_key(const std::string& content, int sample_rate_hz) const {
    // Decoders and resamplers of another version may give other samples.
    const std::string settings =
        "pcm " + std::to_string(kFormatVersion) + "\n" + content + "\n" + std::to_string(sample_rate_hz) + "\n" +
        resample_quality_name(options.quality) + "\n" + (options.decode.round_to_16_bits ? "16" : "float") + "\n" +
        format_real(options.decode.max_duration_s) + "\n" + sf_version_string() + "\n" + src_get_version();
    return xxh128_hex(settings.data(), settings.size());
  }

  std::string content_hash(const std::filesystem::path& audio, const FileIdentity& identity);
  std::optional<PcmClip> open_entry(const std::string& key, int sample_rate_hz, bool touch,
                                    std::string* note = nullptr);
  void store(const std::string& key, const Waveform& waveform, const std::string& note = "");
  void account(uint64_t bytes);
  void evict();
};

// The file's hash, from the index if it is the same file as then. Index entries are small text files of one writer
// each, replaced as a whole; a torn one does not match and is written anew.
std::string PcmCache::State::content_hash(const std::filesystem::path& audio, const FileIdentity& identity) {
  const std::string absolute = std::filesystem::absolute(audio).lexically_normal().string();
  const std::filesystem::path index =
      in_folder(kIndexFolder, xxh128_hex(absolute.data(), absolute.size()), kIndexSuffix);
  const std::string expected = identity.text() + "\n" + absolute + "\n";
  std::ifstream stored(index, std::ios::binary);
  if (stored) {
    std::string text(expected.size() + kKeyDigits + 2, '\0');
    stored.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(stored.gcount()));
    if (text.size() == expected.size() + kKeyDigits + 1 && starts_with(text, expected) && text.back() == '\n') {
      return text.substr(expected.size(), kKeyDigits);
    }
  }
  std::string hash = xxh128_file_hex(audio);
  // A file changed a moment ago may change again within the clock's grain: its time does not identify it yet.
  constexpr int64_t kSettledNs = 2'000'000'000;
  if (now_ns() - identity.mtime_ns < kSettledNs) return hash;
  try {
    const std::string text = expected + hash + "\n";
    write_unsynced(index, {text});
    account(4096);
  } catch (const DataError& error) {
    warn_once(error.what());
  }
  return hash;
}

std::optional<PcmClip> PcmCache::State::open_entry(const std::string& key, int sample_rate_hz, bool touch,
                                                   std::string* note) {
  const std::filesystem::path path = in_folder(kEntryFolder, key, kEntrySuffix);
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (file.number() < 0 || ::fstat(file.number(), &status) != 0) return std::nullopt;
  const auto size = static_cast<size_t>(status.st_size);
  if (size < sizeof(EntryHeader)) return std::nullopt;
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.number(), 0);
  if (address == MAP_FAILED) return std::nullopt;
  auto mapping = std::make_shared<const Mapping>(address, size);
  EntryHeader header{};
  std::memcpy(&header, address, sizeof header);
  if (header.note_bytes > size - sizeof header) return std::nullopt;
  const size_t payload = size - sizeof header - header.note_bytes;
  if (header.magic != kMagic || header.sample_rate_hz != sample_rate_hz || payload % sizeof(float) != 0 ||
      header.count != payload / sizeof(float)) {
    return std::nullopt;
  }
  const auto* samples = reinterpret_cast<const float*>(static_cast<const char*>(address) + sizeof header);
  const char* note_text = static_cast<const char*>(address) + sizeof header + payload;
  // A replaced entry is another file, so it is looked at again.
  const uint64_t identity = xxh64(key + std::to_string(status.st_ino), static_cast<uint64_t>(size));
  bool known = false;
  {
    const std::lock_guard<std::mutex> guard(mutex);
    known = verified.count(identity) > 0;
  }
  if (!known) {
    if (xxh128_hex(samples, payload) != std::string(header.checksum.data(), header.checksum.size()))
      return std::nullopt;
    if (header.note_bytes > 0 && xxh64(std::string_view(note_text, header.note_bytes), 0) != header.note_checksum)
      return std::nullopt;
    const std::lock_guard<std::mutex> guard(mutex);
    verified.insert(identity);
  }
  if (note != nullptr) note->assign(note_text, header.note_bytes);
  // Marks the entry as used just now; in a cache that one may only read there is nothing to mark.
  if (touch) ::futimens(file.number(), nullptr);
  return PcmClip(std::move(mapping), SampleSpan{samples, static_cast<int64_t>(header.count)}, sample_rate_hz);
}

void PcmCache::State::store(const std::string& key, const Waveform& waveform, const std::string& note) {
  const std::filesystem::path path = in_folder(kEntryFolder, key, kEntrySuffix);
  const size_t payload = waveform.samples.size() * sizeof(float);
  EntryHeader header{};
  header.magic = kMagic;
  header.count = waveform.samples.size();
  header.sample_rate_hz = waveform.sample_rate_hz;
  header.note_bytes = static_cast<uint32_t>(note.size());
  header.note_checksum = note.empty() ? 0 : xxh64(note, 0);
  const std::string checksum = xxh128_hex(waveform.samples.data(), payload);
  std::copy(checksum.begin(), checksum.end(), header.checksum.begin());
  write_unsynced(path, {{reinterpret_cast<const char*>(&header), sizeof header},
                        {reinterpret_cast<const char*>(waveform.samples.data()), payload},
                        note});
  account(sizeof header + payload + note.size());
}

// Listing a large cache takes a while, so between listings the size is estimated. Other processes' additions are
// unknown: each process lists again after adding a sixteenth of the limit, which bounds how far they overshoot
// together.
void PcmCache::State::account(uint64_t bytes) {
  bool over = false;
  {
    const std::lock_guard<std::mutex> guard(mutex);
    if (stored_bytes) *stored_bytes += bytes;
    added_since_listing += bytes;
    over = !stored_bytes || *stored_bytes > options.max_bytes || added_since_listing > options.max_bytes / 16;
  }
  if (over) evict();
}

void PcmCache::State::evict() {
  // One at a time; while another process removes files this one goes on.
  const auto lock = FileLock::try_acquire(options.directory / "evict.lock");
  if (!lock) return;
  std::vector<StoredFile> files = list_files(options.directory);
  uint64_t total = 0;
  for (const StoredFile& file : files) total += file.bytes;
  if (total > options.max_bytes) {
    // Some room is made at once, so that the next entries need no listing.
    const uint64_t target = options.max_bytes - options.max_bytes / 10;
    const int64_t abandoned_ns = now_ns() - int64_t{3600} * 1'000'000'000;
    std::sort(files.begin(), files.end(),
              [](const StoredFile& a, const StoredFile& b) { return a.used_ns < b.used_ns; });
    for (const StoredFile& file : files) {
      if (total <= target) break;
      // A temporary file is being written, unless its writer died long ago.
      if (file.temporary && file.used_ns > abandoned_ns) continue;
      std::error_code error;
      if (std::filesystem::remove(file.path, error)) total -= file.bytes;
    }
  }
  const std::lock_guard<std::mutex> guard(mutex);
  stored_bytes = total;
  added_since_listing = 0;
}

PcmCache::PcmCache(PcmCacheOptions options) : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
}

PcmCache::~PcmCache() = default;

const PcmCacheOptions& PcmCache::options() const {
  return state_->options;
}

PcmClip PcmCache::get(const std::filesystem::path& audio, int sample_rate_hz) {
  const bool caching = !state_->options.directory.empty();
  const auto identity = caching ? identify(audio) : std::nullopt;
  std::string key;
  if (identity) {
    key = state_->entry_key(state_->content_hash(audio, *identity), sample_rate_hz);
    if (auto clip = state_->open_entry(key, sample_rate_hz, true)) return *clip;
  }
  auto waveform = std::make_shared<Waveform>(
      resample(decode_audio(audio, state_->options.decode), sample_rate_hz, state_->options.quality));
  if (waveform->samples.empty()) {
    throw DataError(audio.string() + ": audio was expected, the file is shorter than one sample at " +
                    std::to_string(sample_rate_hz) + " Hz (leave the track out)");
  }
  // A file that changed while it was read must not be filed under what it was before.
  if (identity && identify(audio) == identity) {
    try {
      state_->store(key, *waveform);
      if (auto clip = state_->open_entry(key, sample_rate_hz, false)) return *clip;
    } catch (const DataError& error) {
      state_->warn_once(error.what());
    }
  }
  const SampleSpan samples{waveform->samples.data(), waveform->size()};
  return PcmClip(std::move(waveform), samples, sample_rate_hz);
}

std::string PcmCache::source_key(const std::filesystem::path& audio, int sample_rate_hz) {
  if (state_->options.directory.empty()) throw std::logic_error("a cache without a directory has no keys");
  const auto identity = identify(audio);
  if (!identity) throw DataError(audio.string() + ": the file cannot be read (missing, or no permission)");
  return state_->entry_key(state_->content_hash(audio, *identity), sample_rate_hz);
}

std::optional<PcmCache::Made> PcmCache::find_made(const std::string& key, int sample_rate_hz) {
  std::string note;
  const auto clip = state_->open_entry(made_key(key), sample_rate_hz, true, &note);
  if (!clip) return std::nullopt;
  return Made{*clip, note};
}

void PcmCache::keep_made(const std::string& key, const Waveform& waveform, const std::string& note) {
  try {
    state_->store(made_key(key), waveform, note);
  } catch (const DataError& error) {
    state_->warn_once(error.what());
  }
}

bool PcmCache::contains(const std::filesystem::path& audio, int sample_rate_hz) {
  if (state_->options.directory.empty()) return false;
  const auto identity = identify(audio);
  if (!identity) return false;
  return state_
      ->open_entry(state_->entry_key(state_->content_hash(audio, *identity), sample_rate_hz), sample_rate_hz, false)
      .has_value();
}

}  // namespace tagbench
