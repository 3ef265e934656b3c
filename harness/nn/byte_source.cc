#include "harness/nn/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "harness/core/errors.h"

namespace tagbench {

void ByteSource::read(uint64_t offset, void* into, uint64_t count) const {
  if (offset > size_ || count > size_ - offset) {
    fail(offset, "expected " + std::to_string(count) + " bytes here, but the file has " + std::to_string(size_) +
                     " in all (truncated or damaged)");
  }
  if (count > 0) copy(offset, into, count);
}

std::string ByteSource::text(uint64_t offset, uint64_t count) const {
  if (offset > size_ || count > size_ - offset) read(offset, nullptr, count);
  std::string bytes(static_cast<size_t>(count), '\0');
  read(offset, bytes.data(), count);
  return bytes;
}

uint64_t ByteSource::integer(uint64_t offset, int bytes) const {
  unsigned char raw[8] = {};
  read(offset, raw, static_cast<uint64_t>(bytes));
  uint64_t value = 0;
  for (int i = bytes - 1; i >= 0; --i) value = value << 8U | raw[i];
  return value;
}

void ByteSource::fail(uint64_t position, const std::string& message) const {
  throw DataError(name_ + ", byte " + std::to_string(position) + ": " + message);
}

FileSource::FileSource(const std::filesystem::path& path) : ByteSource(path.string()) {
  // Without O_NONBLOCK, opening a pipe would wait for its writer.
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) throw DataError("cannot open " + path.string() + ": " + std::strerror(errno));
  struct stat status = {};
  std::string refusal;
  if (::fstat(descriptor_, &status) != 0) {
    refusal = std::strerror(errno);
  } else if (!S_ISREG(status.st_mode)) {
    refusal = S_ISDIR(status.st_mode) ? "this is a folder" : "this is no regular file";
  } else if (static_cast<uint64_t>(status.st_size) > kMaxFileBytes) {
    refusal =
        "at most " + std::to_string(kMaxFileBytes) + " bytes are accepted, found " + std::to_string(status.st_size);
  }
  if (!refusal.empty()) {
    ::close(descriptor_);
    throw DataError(path.string() + ": a file was expected, " + refusal);
  }
  set_size(static_cast<uint64_t>(status.st_size));
}

FileSource::~FileSource() {
  ::close(descriptor_);
}

void FileSource::copy(uint64_t offset, void* into, uint64_t count) const {
  uint64_t done = 0;
  while (done < count) {
    const ssize_t got = ::pread(descriptor_, static_cast<char*>(into) + done, static_cast<size_t>(count - done),
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(offset + done, std::string("cannot read: ") + std::strerror(errno));
    if (got == 0) fail(offset + done, "the file became shorter while it was read");
    done += static_cast<uint64_t>(got);
  }
}

void MemorySource::copy(uint64_t offset, void* into, uint64_t count) const {
  std::memcpy(into, bytes_.data() + offset, static_cast<size_t>(count));
}

std::string safe_quote(std::string_view text) {
  constexpr size_t kShown = 120;
  constexpr char kDigits[] = "0123456789abcdef";
  std::string result = "'";
  for (const char c : text.substr(0, kShown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f && byte < 0x80) {
      result += c;
    } else {
      result += "\\x";
      result += kDigits[byte >> 4U];
      result += kDigits[byte & 15U];
    }
  }
  return result + (text.size() > kShown ? "...'" : "'");
}

void require_booleans(const ByteSource& source, const std::string& what, const void* bytes, int64_t count) {
  const auto* values = static_cast<const unsigned char*>(bytes);
  for (int64_t i = 0; i < count; ++i) {
    if (values[i] > 1) {
      throw DataError(source.name() + ": " + what + ": a boolean must be 0 or 1, found " + std::to_string(values[i]) +
                      " (damaged)");
    }
  }
}

}  // namespace tagbench
