#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace tagbench {

// Random access to the bytes of a file that nobody vouches for. Every read is checked against the size, so a reader
// never takes memory or looks at bytes because of a number in the file alone.
class ByteSource {
 public:
  // `name` begins every message; usually the path.
  explicit ByteSource(std::string name) : name_(std::move(name)) {}
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  const std::string& name() const { return name_; }
  uint64_t size() const { return size_; }
  // Errors: DataError if the range does not lie in the source, or if the file has become shorter.
  void read(uint64_t offset, void* into, uint64_t count) const;
  std::string text(uint64_t offset, uint64_t count) const;
  // Little-endian. Bytes: 2, 4 or 8.
  uint64_t integer(uint64_t offset, int bytes) const;
  // Errors: always DataError, "NAME, byte 17: MESSAGE".
  [[noreturn]] void fail(uint64_t position, const std::string& message) const;

 protected:
  void set_size(uint64_t size) { size_ = size; }

 private:
  virtual void copy(uint64_t offset, void* into, uint64_t count) const = 0;
  std::string name_;
  uint64_t size_ = 0;
};

// Bytes of the source that stand for booleans: one that is neither 0 nor 1 is undefined behaviour for whoever looks at
// it as a bool. `what` is the tensor or storage. Errors: DataError.
void require_booleans(const ByteSource& source, const std::string& what, const void* bytes, int64_t count);

class FileSource : public ByteSource {
 public:
  // Errors: DataError if the path is no regular file, cannot be opened, or is larger than kMaxFileBytes.
  explicit FileSource(const std::filesystem::path& path);
  ~FileSource() override;

  static constexpr uint64_t kMaxFileBytes = uint64_t{16} << 30U;

 private:
  void copy(uint64_t offset, void* into, uint64_t count) const override;
  int descriptor_ = -1;
};

// Borrows `bytes`.
class MemorySource : public ByteSource {
 public:
  MemorySource(std::string name, std::string_view bytes) : ByteSource(std::move(name)), bytes_(bytes) {
    set_size(bytes.size());
  }

 private:
  void copy(uint64_t offset, void* into, uint64_t count) const override;
  std::string_view bytes_;
};

// Text from a file made fit for a message: quoted, unprintable bytes as \xNN, cut after 120 bytes.
std::string safe_quote(std::string_view text);

}  // namespace tagbench
