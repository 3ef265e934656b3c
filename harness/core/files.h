#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace tagbench {

// The whole file. Errors: DataError if it is missing, unreadable or larger than max_bytes.
std::string read_text_file(const std::filesystem::path& path, uint64_t max_bytes = uint64_t{1} << 30U);

// Writes a temporary file beside `path`, syncs it and renames it, so a reader sees the old bytes or the new ones.
// Creates parent folders. A link's target is written, not the link; what is already there and no regular file (a pipe,
// a device) gets the bytes as a stream. Errors: DataError (no space, no permission) that names the path; nothing is
// left behind.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

// The path that a writer of large files may fill before commit() renames it to its final name. Removed if not
// committed.
class AtomicFile {
 public:
  // Unsynced, a file may be torn after a power cut: only for what is checked when it is read, and can be made again.
  enum class Sync { kYes, kNo };
  explicit AtomicFile(const std::filesystem::path& final_path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  const std::filesystem::path& temporary_path() const { return temporary_; }
  void commit(Sync sync = Sync::kYes);

 private:
  std::filesystem::path final_;
  std::filesystem::path temporary_;
  bool committed_ = false;
};

// An advisory exclusive lock on a file, released when the object or the process ends (also after kill -9).
class FileLock {
 public:
  // Nothing if another process, or another FileLock of this process, holds the lock.
  static std::optional<FileLock> try_acquire(const std::filesystem::path& path);
  // Waits until the lock is free.
  static FileLock acquire(const std::filesystem::path& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

// Creates the folder and its parents and checks that a file can be written there.
// Errors: UsageError that names the folder and the reason.
void require_writable_directory(const std::filesystem::path& path);

}  // namespace tagbench
