#include "perturbations/recordings.h"

#include <algorithm>
#include <array>
#include <system_error>

#include "harness/audio/audio_file.h"
#include "harness/core/errors.h"
#include "harness/core/hash.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostFiles = 10000;
constexpr uint64_t kMostDecodedBytes = uint64_t{256} << 20U;

bool is_sound_file(const fs::path& path) {
  static const std::array<std::string, 9> extensions = {".wav", ".flac", ".ogg",  ".oga", ".opus",
                                                        ".mp3", ".aif",  ".aiff", ".au"};
  return std::find(extensions.begin(), extensions.end(), to_lower(path.extension().string())) != extensions.end();
}

std::vector<fs::path> sound_files_below(const std::string& owner, const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code unreadable;
    if (!entry->is_regular_file(unreadable) || !is_sound_file(entry->path())) continue;
    if (files.size() == kMostFiles) {
      throw DataError(owner + ": at most " + std::to_string(kMostFiles) + " sound files were expected in '" +
                      folder.string() + "'");
    }
    files.push_back(entry->path());
  }
  if (error) throw DataError(owner + ": cannot read the folder '" + folder.string() + "': " + error.message());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

OptionSpec recordings_option() {
  OptionSpec path = text_option("path", "",
                                "a sound file, or a folder of them; its path without , | and ], which separate options "
                                "and alternatives and end a chain");
  path.required = true;
  return path;
}

Recordings::Recordings(std::string owner, const std::string& path, double longest_s)
    : owner_(std::move(owner)), longest_s_(longest_s) {
  const fs::path given(path);
  std::error_code error;
  if (fs::is_directory(given, error)) {
    files_ = sound_files_below(owner_, given);
    if (files_.empty()) throw DataError(owner_ + ": sound files were expected in '" + path + "', found none");
  } else if (fs::is_regular_file(given, error)) {
    files_ = {given};
  } else {
    throw DataError(owner_ + ": path must name a sound file or a folder of them, found nothing at '" + path + "'");
  }
  std::string digests;
  for (const fs::path& file : files_) {
    try {
      const double duration_s = probe_audio(file).duration_s();
      if (duration_s > longest_s_) {
        throw DataError(file.string() + ": at most " + format_real(longest_s_) + " s were expected, found " +
                        format_fixed(duration_s, 1) + " s");
      }
    } catch (const DataError& unusable) {
      throw DataError(owner_ + ": a recording cannot be used: " + unusable.what());
    }
    digests += sha256_file_hex(file) + "\n";
  }
  content_ = "sha256:" + sha256_hex(digests);
}

Recordings::Picked Recordings::pick(Rng& rng, int sample_rate_hz) const {
  const auto index = static_cast<size_t>(rng.below(static_cast<int64_t>(files_.size())));
  try {
    return {index, read(index, sample_rate_hz)};
  } catch (const DataError& error) {
    throw DataError(owner_ + ": the recording failed, not the track: " + error.what());
  }
}

std::shared_ptr<const Waveform> Recordings::read(size_t index, int sample_rate_hz) const {
  const std::pair<size_t, int> key(index, sample_rate_hz);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = decoded_.find(key);
    if (found != decoded_.end()) return found->second;
  }
  DecodeOptions options;
  options.round_to_16_bits = false;
  options.max_duration_s = longest_s_;
  auto recording = std::make_shared<const Waveform>(resample(decode_audio(files_[index], options), sample_rate_hz));
  if (recording->samples.empty()) {
    throw DataError(files_[index].string() + ": at least one sample was expected, found none at " +
                    std::to_string(sample_rate_hz) + " Hz");
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  const uint64_t bytes = recording->samples.size() * sizeof(float);
  if (decoded_bytes_ + bytes <= kMostDecodedBytes && decoded_.emplace(key, recording).second) decoded_bytes_ += bytes;
  return recording;
}

}  // namespace tagbench
