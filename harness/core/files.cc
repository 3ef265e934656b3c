#include "harness/core/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

#include "harness/core/errors.h"

namespace tagbench {
namespace {

std::string reason() {
  return std::strerror(errno);
}

void make_parents(const std::filesystem::path& path) {
  if (!path.has_parent_path()) return;
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) throw DataError("cannot create folder " + path.parent_path().string() + ": " + error.message());
}

void sync_path(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw DataError("cannot open " + path.string() + ": " + reason());
  const int status = ::fsync(descriptor);
  const std::string why = status != 0 ? reason() : "";
  ::close(descriptor);
  // Some file systems cannot sync a directory; the rename is atomic without it.
  if (status != 0 && !std::filesystem::is_directory(path))
    throw DataError("cannot write " + path.string() + ": " + why);
}

// What a link points to: renaming over the link itself would leave the file behind it as it was.
std::filesystem::path behind_links(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_symlink(path, error)) return path;
  std::filesystem::path target = std::filesystem::weakly_canonical(path, error);
  if (error) throw DataError("cannot write " + path.string() + ": " + error.message());
  return target;
}

// A terminal, pipe or device: a rename would replace it by a file.
bool is_stream(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status) &&
         !std::filesystem::is_directory(status);
}

std::filesystem::path temporary_beside(const std::filesystem::path& path) {
  static std::atomic<unsigned> counter{0};
  char host[64] = "host";
  ::gethostname(host, sizeof host - 1);
  // Host and process number keep two machines that fill one folder apart.
  return path.parent_path() / ("." + path.filename().string() + "." + host + "." + std::to_string(::getpid()) + "." +
                               std::to_string(counter++) + ".tmp");
}

}  // namespace

std::string read_text_file(const std::filesystem::path& path, uint64_t max_bytes) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) throw DataError(path.string() + " is a folder, a file was expected");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw DataError("cannot open " + path.string() + " for reading: " + reason());
  const uint64_t size = std::filesystem::file_size(path, error);
  if (!error && size > max_bytes) {
    throw DataError(path.string() + ": at most " + std::to_string(max_bytes) + " bytes are accepted, found " +
                    std::to_string(size));
  }
  std::string bytes;
  char block[65536];
  while (file.read(block, sizeof block) || file.gcount() > 0) {
    bytes.append(block, static_cast<size_t>(file.gcount()));
    if (bytes.size() > max_bytes)
      throw DataError(path.string() + ": more than " + std::to_string(max_bytes) + " bytes");
  }
  if (file.bad()) throw DataError("cannot read " + path.string() + ": " + reason());
  return bytes;
}

AtomicFile::AtomicFile(const std::filesystem::path& final_path) : final_(behind_links(final_path)) {
  make_parents(final_);
  temporary_ =
      temporary_beside(is_stream(final_) ? std::filesystem::temp_directory_path() / final_.filename() : final_);
}

AtomicFile::~AtomicFile() {
  if (committed_) return;
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void AtomicFile::commit(Sync sync) {
  if (is_stream(final_)) {
    std::ofstream stream(final_, std::ios::binary);
    const std::ifstream file(temporary_, std::ios::binary);
    stream << file.rdbuf() << std::flush;
    // An empty file has no bytes to insert, which counts as a failure.
    if (!stream && std::filesystem::file_size(temporary_) > 0) throw DataError("cannot write " + final_.string());
    return;
  }
  if (sync == Sync::kYes) sync_path(temporary_);
  std::error_code error;
  std::filesystem::rename(temporary_, final_, error);
  if (error)
    throw DataError("cannot rename " + temporary_.string() + " to " + final_.string() + ": " + error.message());
  committed_ = true;
  if (sync == Sync::kYes) sync_path(final_.has_parent_path() ? final_.parent_path() : std::filesystem::path("."));
}

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  AtomicFile file(path);
  const int descriptor = ::open(file.temporary_path().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) throw DataError("cannot write " + path.string() + ": " + reason());
  size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t count = ::write(descriptor, bytes.data() + written, bytes.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const std::string why = reason();
      ::close(descriptor);
      throw DataError("cannot write " + path.string() + ": " + why);
    }
    written += static_cast<size_t>(count);
  }
  if (::close(descriptor) != 0) throw DataError("cannot write " + path.string() + ": " + reason());
  file.commit();
}

namespace {

int open_lock_file(const std::filesystem::path& path) {
  make_parents(path);
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) throw DataError("cannot open lock file " + path.string() + ": " + reason());
  return descriptor;
}

}  // namespace

std::optional<FileLock> FileLock::try_acquire(const std::filesystem::path& path) {
  FileLock lock(open_lock_file(path));
  if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) return std::nullopt;
  throw DataError("cannot lock " + path.string() + ": " + reason());
}

FileLock FileLock::acquire(const std::filesystem::path& path) {
  FileLock lock(open_lock_file(path));
  while (::flock(lock.descriptor_, LOCK_EX) != 0) {
    if (errno != EINTR) throw DataError("cannot lock " + path.string() + ": " + reason());
  }
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void require_writable_directory(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw UsageError("cannot create folder " + path.string() + ": " + error.message());
  const std::filesystem::path probe = temporary_beside(path / "probe");
  const int descriptor = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) throw UsageError("cannot write into folder " + path.string() + ": " + reason());
  ::close(descriptor);
  std::filesystem::remove(probe, error);
}

}  // namespace tagbench
