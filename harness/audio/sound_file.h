#pragma once

#include <sndfile.h>

#include <memory>
#include <string>

namespace tagbench {

struct SndfileCloser {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using SndfilePtr = std::unique_ptr<SNDFILE, SndfileCloser>;

// Bytes in memory that libsndfile reads and writes like a file. Must outlive the SNDFILE opened on it.
struct MemoryFile {
  std::string bytes;
  size_t position = 0;
};

// Null where libsndfile fails (sf_strerror(nullptr) tells why). For reading, `info` must be zero.
SndfilePtr open_memory(MemoryFile& memory, int mode, SF_INFO& info);

// "WAV", "FLAC", "OGG/Vorbis", "OGG/Opus", "MPEG/Layer III", "AIFF", "AU", otherwise libsndfile's name of the
// container.
std::string format_name(int format);

// Whatever libraries print on stderr from this thread while the object lives is dropped; other threads are not
// affected. libmpg123 reports every oddity of a file there, in libsndfile's hands without a switch; what matters
// becomes an exception.
class QuietStderr {
 public:
  QuietStderr();
  ~QuietStderr();
  QuietStderr(const QuietStderr&) = delete;
  QuietStderr& operator=(const QuietStderr&) = delete;
};

}  // namespace tagbench
