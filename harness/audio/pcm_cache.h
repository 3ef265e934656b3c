#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "harness/audio/audio_file.h"
#include "harness/core/waveform.h"

namespace tagbench {

// A track's samples, decoded, mono, at the wanted rate: memory-mapped from the cache or held in memory. Copies share
// it.
class PcmClip {
 public:
  PcmClip(std::shared_ptr<const void> owner, SampleSpan samples, int sample_rate_hz)
      : owner_(std::move(owner)), samples_(samples), sample_rate_hz_(sample_rate_hz) {}
  const float* data() const { return samples_.data; }
  int64_t size() const { return samples_.size; }
  int sample_rate_hz() const { return sample_rate_hz_; }

 private:
  std::shared_ptr<const void> owner_;
  SampleSpan samples_;
  int sample_rate_hz_;
};

struct PcmCacheOptions {
  std::filesystem::path directory;           // empty: nothing is stored, every clip is decoded anew
  uint64_t max_bytes = uint64_t{20} << 30U;  // entries used longest ago are removed beyond it
  DecodeOptions decode;
  ResampleQuality quality = ResampleQuality::kBest;
};

// Decoded audio on disk, keyed by the file's content (not its name) and the settings, so an edited file is decoded anew
// and a moved one is not. Safe when several threads and processes fill it. A damaged entry is replaced: its size is
// checked each time, its checksum when the cache first meets it. What a file holds is remembered by path, size, inode
// and time of change.
class PcmCache {
 public:
  explicit PcmCache(PcmCacheOptions options);
  ~PcmCache();
  // Decoded from the cache or the file. Errors: as decode_audio. A full disk is no error: the clip is then served from
  // memory and the fact is logged once.
  PcmClip get(const std::filesystem::path& audio, int sample_rate_hz);
  // True if get() would find the clip stored.
  bool contains(const std::filesystem::path& audio, int sample_rate_hz);
  const PcmCacheOptions& options() const;

  // Stands for the samples that get() gives: the file's content and the settings. Errors: DataError if the file cannot
  // be read; std::logic_error without a directory.
  std::string source_key(const std::filesystem::path& audio, int sample_rate_hz);

  // Audio that was made from other audio, with a note, under a key that stands for everything that decides both. As
  // get(): damaged entries are not found, a full disk is no error.
  struct Made {
    PcmClip clip;
    std::string note;
  };
  std::optional<Made> find_made(const std::string& key, int sample_rate_hz);
  void keep_made(const std::string& key, const Waveform& waveform, const std::string& note);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tagbench
