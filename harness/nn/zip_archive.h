#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/nn/byte_source.h"

namespace tagbench {

// The table of contents of a zip file, and its uncompressed entries: what torch.save writes. Zip64 is understood;
// compressed or encrypted entries, several disks and repeated names are refused.
class ZipArchive {
 public:
  struct Entry {
    std::string name;
    uint64_t header_offset = 0;
    uint64_t stored_bytes = 0;
    uint64_t bytes = 0;
    uint32_t crc32 = 0;
    uint16_t method = 0;
    uint16_t flags = 0;
  };

  // Keeps a reference to `source`. Errors: DataError that names the file, the byte and what does not fit.
  explicit ZipArchive(const ByteSource& source);

  const std::vector<Entry>& entries() const { return entries_; }
  // The entry, or null.
  const Entry* find(const std::string& name) const;
  // `into` holds entry.bytes bytes. Errors: DataError: compressed, encrypted, outside the file, or another CRC-32.
  void read(const Entry& entry, void* into) const;
  // Errors: also DataError if the entry is larger than max_bytes.
  std::string text(const Entry& entry, uint64_t max_bytes) const;

 private:
  // Where the table of contents lies, from the records at the file's end.
  struct Directory {
    uint64_t entries = 0;
    uint64_t bytes = 0;
    uint64_t offset = 0;
    uint64_t end = 0;  // the first byte of the records behind it
  };
  Directory find_directory() const;
  // Errors: DataError if the entry is not stored plainly.
  uint64_t data_offset(const Entry& entry) const;

  const ByteSource& source_;
  std::vector<Entry> entries_;
  std::map<std::string, size_t> by_name_;
};

}  // namespace tagbench
