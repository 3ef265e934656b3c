#include "harness/nn/zip_archive.h"

#include <algorithm>
#include <boost/crc.hpp>
#include <string_view>

namespace tagbench {
namespace {

constexpr uint64_t kMaxEntries = uint64_t{1} << 17U;
constexpr uint64_t kMaxDirectoryBytes = uint64_t{1} << 26U;

constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr uint32_t kCentralSignature = 0x02014b50;
constexpr uint32_t kEndSignature = 0x06054b50;
constexpr uint32_t kEnd64Signature = 0x06064b50;
constexpr uint32_t kLocator64Signature = 0x07064b50;
constexpr uint64_t kLocalBytes = 30;
constexpr uint64_t kCentralBytes = 46;
constexpr uint64_t kEndBytes = 22;
constexpr uint64_t kEnd64Bytes = 56;
constexpr uint64_t kLocator64Bytes = 20;
constexpr uint64_t kMaxComment = 65535;
constexpr uint32_t kInZip64 = 0xffffffff;  // "see the zip64 record"
constexpr uint64_t kZip64Extra = 0x0001;

// Replaces the sizes and the offset that say "see the zip64 record" by those of the entry's extra field, where they
// stand in a fixed order, only the replaced ones present.
void apply_zip64(const MemorySource& directory, uint64_t extra, uint64_t extra_bytes, ZipArchive::Entry& entry) {
  if (entry.bytes != kInZip64 && entry.stored_bytes != kInZip64 && entry.header_offset != kInZip64) return;
  const uint64_t end = extra + extra_bytes;
  while (end - extra >= 4) {
    const uint64_t id = directory.integer(extra, 2);
    const uint64_t bytes = directory.integer(extra + 2, 2);
    extra += 4;
    if (bytes > end - extra) break;
    if (id == kZip64Extra) {
      uint64_t position = extra;
      for (uint64_t* value : {&entry.bytes, &entry.stored_bytes, &entry.header_offset}) {
        if (*value != kInZip64 || extra + bytes - position < 8) continue;
        *value = directory.integer(position, 8);
        position += 8;
      }
      return;
    }
    extra += bytes;
  }
}

}  // namespace

ZipArchive::Directory ZipArchive::find_directory() const {
  const uint64_t size = source_.size();
  if (size < kEndBytes) source_.fail(size, "the zip file ends before its table of contents (truncated)");
  const uint64_t tail_bytes = std::min(size, kEndBytes + kMaxComment);
  const std::string tail = source_.text(size - tail_bytes, tail_bytes);
  const MemorySource records(source_.name(), tail);
  uint64_t end = size;
  for (uint64_t at = tail_bytes - kEndBytes + 1; at-- > 0;) {
    if (records.integer(at, 4) == kEndSignature && at + kEndBytes + records.integer(at + 20, 2) == tail_bytes) {
      end = size - tail_bytes + at;
      break;
    }
  }
  if (end == size) source_.fail(size, "the zip file has no table of contents at its end (truncated)");

  Directory directory;
  uint64_t disks = source_.integer(end + 4, 2) + source_.integer(end + 6, 2);
  directory.entries = source_.integer(end + 10, 2);
  directory.bytes = source_.integer(end + 12, 4);
  directory.offset = source_.integer(end + 16, 4);
  directory.end = end;
  if (end >= kLocator64Bytes && source_.integer(end - kLocator64Bytes, 4) == kLocator64Signature) {
    const uint64_t end64 = source_.integer(end - kLocator64Bytes + 8, 8);
    if (end64 > end - kLocator64Bytes || end - kLocator64Bytes - end64 < kEnd64Bytes ||
        source_.integer(end64, 4) != kEnd64Signature) {
      source_.fail(end - kLocator64Bytes, "the zip file's zip64 locator leads nowhere (damaged)");
    }
    disks = source_.integer(end64 + 16, 4) + source_.integer(end64 + 20, 4);
    directory.entries = source_.integer(end64 + 32, 8);
    directory.bytes = source_.integer(end64 + 40, 8);
    directory.offset = source_.integer(end64 + 48, 8);
    directory.end = end64;
  }
  if (disks != 0) source_.fail(end, "the zip file is part of a set of several");
  if (directory.offset > directory.end || directory.bytes > directory.end - directory.offset) {
    source_.fail(end, "the zip file's table of contents does not lie in the file (damaged)");
  }
  if (directory.entries > kMaxEntries || directory.bytes > kMaxDirectoryBytes) {
    source_.fail(end, "at most " + std::to_string(kMaxEntries) + " zip entries are accepted, found " +
                          std::to_string(directory.entries));
  }
  return directory;
}

ZipArchive::ZipArchive(const ByteSource& source) : source_(source) {
  const Directory location = find_directory();
  const std::string bytes = source.text(location.offset, location.bytes);
  const MemorySource directory(source.name() + " (table of contents of the zip file)", bytes);
  uint64_t at = 0;
  uint64_t stored_total = 0;
  for (uint64_t i = 0; i < location.entries; ++i) {
    if (directory.integer(at, 4) != kCentralSignature) directory.fail(at, "no entry begins here (damaged)");
    Entry entry;
    entry.flags = static_cast<uint16_t>(directory.integer(at + 8, 2));
    entry.method = static_cast<uint16_t>(directory.integer(at + 10, 2));
    entry.crc32 = static_cast<uint32_t>(directory.integer(at + 16, 4));
    entry.stored_bytes = directory.integer(at + 20, 4);
    entry.bytes = directory.integer(at + 24, 4);
    const uint64_t name_bytes = directory.integer(at + 28, 2);
    const uint64_t extra_bytes = directory.integer(at + 30, 2);
    const uint64_t comment_bytes = directory.integer(at + 32, 2);
    entry.header_offset = directory.integer(at + 42, 4);
    entry.name = directory.text(at + kCentralBytes, name_bytes);
    const uint64_t next = at + kCentralBytes + name_bytes + extra_bytes + comment_bytes;
    if (next > directory.size()) directory.fail(at, "the entry exceeds the table (damaged)");
    apply_zip64(directory, at + kCentralBytes + name_bytes, extra_bytes, entry);
    if (entry.header_offset > location.offset || entry.stored_bytes > location.offset - entry.header_offset) {
      directory.fail(at, "entry " + safe_quote(entry.name) + " does not lie in the file (damaged)");
    }
    // Entries that lie over each other would let a small file ask for much memory.
    stored_total += entry.stored_bytes;
    if (stored_total > location.offset)
      directory.fail(at, "entry " + safe_quote(entry.name) + " overlaps another (damaged)");
    if (!by_name_.emplace(entry.name, entries_.size()).second) {
      directory.fail(at, "entry " + safe_quote(entry.name) + " occurs twice");
    }
    entries_.push_back(std::move(entry));
    at = next;
  }
}

const ZipArchive::Entry* ZipArchive::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &entries_[found->second];
}

uint64_t ZipArchive::data_offset(const Entry& entry) const {
  const uint64_t header = entry.header_offset;
  if ((entry.flags & 1U) != 0) source_.fail(header, "zip entry " + safe_quote(entry.name) + " is encrypted");
  if (entry.method != 0 || entry.stored_bytes != entry.bytes) {
    source_.fail(header, "zip entry " + safe_quote(entry.name) +
                             " is compressed; torch.save stores its entries plainly, so this file was "
                             "packed anew: save it again with torch.save");
  }
  if (source_.integer(header, 4) != kLocalSignature) {
    source_.fail(header, "zip entry " + safe_quote(entry.name) + " does not begin here (damaged)");
  }
  // The name here is not compared: like every reader, we trust the table of contents and take only the lengths from
  // here.
  return header + kLocalBytes + source_.integer(header + 26, 2) + source_.integer(header + 28, 2);
}

void ZipArchive::read(const Entry& entry, void* into) const {
  const uint64_t offset = data_offset(entry);
  source_.read(offset, into, entry.bytes);
  boost::crc_32_type crc;
  crc.process_bytes(into, static_cast<size_t>(entry.bytes));
  if (crc.checksum() != entry.crc32) {
    source_.fail(offset, "the bytes of zip entry " + safe_quote(entry.name) +
                             " do not have the CRC-32 that the file states (damaged)");
  }
}

std::string ZipArchive::text(const Entry& entry, uint64_t max_bytes) const {
  if (entry.bytes > max_bytes) {
    source_.fail(entry.header_offset, "zip entry " + safe_quote(entry.name) + ": at most " + std::to_string(max_bytes) +
                                          " bytes are accepted, found " + std::to_string(entry.bytes));
  }
  std::string bytes(static_cast<size_t>(entry.bytes), '\0');
  read(entry, bytes.data());
  return bytes;
}

}  // namespace tagbench
