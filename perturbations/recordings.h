#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/options.h"
#include "harness/core/rng.h"
#include "harness/core/waveform.h"

namespace tagbench {

// The required option "path" of perturbations that use recordings.
OptionSpec recordings_option();

// A sound file of the user's, or all those in a folder and below it (WAV, FLAC, Ogg, Opus, MP3, AIFF), in the order of
// their names. Samples are read when they are first asked for; the decoded ones are kept up to 256 MiB. Safe to use
// from several threads at once.
class Recordings {
 public:
  struct Picked {
    size_t index;  // of the file in the sorted list, from 0
    std::shared_ptr<const Waveform> waveform;
  };

  // Reads the header of every file, so that a bad one is refused before the first track is rendered. `owner` begins
  // every message. Errors: DataError if the path is missing, holds no sound file, or more than 10,000, or a file that
  // cannot be read or is longer than `longest_s`.
  Recordings(std::string owner, const std::string& path, double longest_s);

  // "sha256:" and a digest over the content of all files, in order; independent of where they lie.
  const std::string& content() const { return content_; }
  // A file chosen by `rng`, as one channel at the wanted rate. Errors: DataError that names the file, for damage that
  // its header did not show.
  Picked pick(Rng& rng, int sample_rate_hz) const;

 private:
  std::shared_ptr<const Waveform> read(size_t index, int sample_rate_hz) const;

  std::string owner_;
  double longest_s_;
  std::vector<std::filesystem::path> files_;
  std::string content_;
  mutable std::mutex mutex_;
  mutable std::map<std::pair<size_t, int>, std::shared_ptr<const Waveform>> decoded_;
  mutable uint64_t decoded_bytes_ = 0;
};

}  // namespace tagbench
