#include "harness/audio/sound_file.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace tagbench {
namespace {

sf_count_t memory_length(void* user) {
  return static_cast<sf_count_t>(static_cast<MemoryFile*>(user)->bytes.size());
}

sf_count_t memory_seek(sf_count_t offset, int whence, void* user) {
  auto& memory = *static_cast<MemoryFile*>(user);
  sf_count_t base = 0;
  if (whence == SEEK_CUR) base = static_cast<sf_count_t>(memory.position);
  if (whence == SEEK_END) base = static_cast<sf_count_t>(memory.bytes.size());
  if (base + offset < 0) return -1;
  memory.position = static_cast<size_t>(base + offset);
  return base + offset;
}

sf_count_t memory_read(void* target, sf_count_t count, void* user) {
  auto& memory = *static_cast<MemoryFile*>(user);
  if (count <= 0 || memory.position >= memory.bytes.size()) return 0;
  const size_t available = std::min(static_cast<size_t>(count), memory.bytes.size() - memory.position);
  std::memcpy(target, memory.bytes.data() + memory.position, available);
  memory.position += available;
  return static_cast<sf_count_t>(available);
}

sf_count_t memory_write(const void* source, sf_count_t count, void* user) {
  auto& memory = *static_cast<MemoryFile*>(user);
  const size_t end = memory.position + static_cast<size_t>(count);
  if (end > memory.bytes.size()) memory.bytes.resize(end);
  std::memcpy(memory.bytes.data() + memory.position, source, static_cast<size_t>(count));
  memory.position = end;
  return count;
}

sf_count_t memory_tell(void* user) {
  return static_cast<sf_count_t>(static_cast<MemoryFile*>(user)->position);
}

#ifdef __GLIBC__
thread_local int quiet_depth = 0;

ssize_t write_unless_quiet(void* /*cookie*/, const char* bytes, size_t size) {
  return quiet_depth > 0 ? static_cast<ssize_t>(size) : ::write(STDERR_FILENO, bytes, size);
}

// glibc's stderr is a variable: a stream that asks the calling thread takes its place. Descriptor 2 stays as it is.
void install_switchable_stderr() {
  cookie_io_functions_t functions{};
  functions.write = write_unless_quiet;
  FILE* stream = ::fopencookie(nullptr, "w", functions);
  if (stream == nullptr) return;
  std::setvbuf(stream, nullptr, _IONBF, 0);
  stderr = stream;
}
#endif

}  // namespace

SndfilePtr open_memory(MemoryFile& memory, int mode, SF_INFO& info) {
  static SF_VIRTUAL_IO functions = {memory_length, memory_seek, memory_read, memory_write, memory_tell};
  memory.position = 0;
  return SndfilePtr(sf_open_virtual(&functions, mode, &info, &memory));
}

std::string format_name(int format) {
  const int subtype = format & SF_FORMAT_SUBMASK;
  switch (format & SF_FORMAT_TYPEMASK) {
    case SF_FORMAT_WAV:
    case SF_FORMAT_WAVEX:
      return "WAV";
    case SF_FORMAT_FLAC:
      return "FLAC";
    case SF_FORMAT_AIFF:
      return "AIFF";
    case SF_FORMAT_AU:
      return "AU";
    case SF_FORMAT_OGG:
      if (subtype == SF_FORMAT_VORBIS) return "OGG/Vorbis";
      if (subtype == SF_FORMAT_OPUS) return "OGG/Opus";
      return "OGG";
    case SF_FORMAT_MPEG:
      if (subtype == SF_FORMAT_MPEG_LAYER_I) return "MPEG/Layer I";
      if (subtype == SF_FORMAT_MPEG_LAYER_II) return "MPEG/Layer II";
      return "MPEG/Layer III";
    default:
      break;
  }
  SF_FORMAT_INFO description{};
  description.format = format & SF_FORMAT_TYPEMASK;
  if (sf_command(nullptr, SFC_GET_FORMAT_INFO, &description, sizeof description) != 0 || description.name == nullptr) {
    return "unknown";
  }
  return description.name;
}

QuietStderr::QuietStderr() {
#ifdef __GLIBC__
  static const bool kInstalled = (install_switchable_stderr(), true);
  static_cast<void>(kInstalled);
  ++quiet_depth;
#endif
}

QuietStderr::~QuietStderr() {
#ifdef __GLIBC__
  --quiet_depth;
#endif
}

}  // namespace tagbench
