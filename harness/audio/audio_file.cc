#include "harness/audio/audio_file.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <vector>

#include "harness/audio/container.h"
#include "harness/audio/sound_file.h"
#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

constexpr int kMinRateHz = 1000;
constexpr int kMaxRateHz = 768000;
constexpr int kMaxChannels = 64;
constexpr int64_t kBlockFrames = 8192;
constexpr uint64_t kMaxMp3Bytes = uint64_t{1} << 30U;
// A few encoders count their own header among the frames, and cutters keep the header of the whole.
constexpr int64_t kMp3FrameTolerance = 2;
constexpr int64_t kMp3FrameSamples = 1152;

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw DataError(path.string() + ": " + what);
}

[[noreturn]] void fail_truncated(const std::filesystem::path& path, const std::string& what) {
  fail(path, "a whole file was expected, this one is truncated or damaged: " + what +
                 " (fetch it again, or leave the track out)");
}

void require_audio_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    fail(path, "an audio file was expected, there is none (check the dataset's folder)");
  }
  if (std::filesystem::is_directory(status)) fail(path, "an audio file was expected, this is a folder");
  if (!std::filesystem::is_regular_file(status)) fail(path, "an audio file was expected, this is no regular file");
  const uint64_t size = std::filesystem::file_size(path, error);
  if (error) fail(path, "cannot be read: " + error.message());
  if (size == 0) fail(path, "an audio file was expected, this one is empty (fetch it again, or leave the track out)");
  if (!std::ifstream(path, std::ios::binary)) fail(path, "cannot be opened for reading (check its permissions)");
}

bool may_be_mp3(const std::filesystem::path& path) {
  if (to_lower(path.extension().string()) == ".mp3") return true;
  unsigned char start[3] = {0, 0, 0};
  std::ifstream(path, std::ios::binary).read(reinterpret_cast<char*>(start), 3);
  return (start[0] == 'I' && start[1] == 'D' && start[2] == '3') || (start[0] == 0xFF && (start[1] & 0xE0U) == 0xE0U);
}

// An open file that has passed all checks that need no decoding.
class AudioSource {
 public:
  AudioSource(const std::filesystem::path& path, double max_duration_s) : path_(path) {
    require_audio_file(path);
    if (const auto missing = describe_truncation(path)) fail_truncated(path, *missing);
    open();
    if (!file_) {
      fail(path, std::string(
                     "WAV, FLAC, Ogg Vorbis, Opus, MP3, AIFF or AU was expected, found something else (libsndfile: ") +
                     trim(sf_strerror(nullptr)) + "; fetch it again, or convert it)");
    }
    if ((info_.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_RAW)
      fail(path, "a format with a header was expected, found headerless samples");
    if (info_.samplerate < kMinRateHz || info_.samplerate > kMaxRateHz) {
      fail(path,
           "a sample rate from 1000 to 768000 Hz was expected, found " + std::to_string(info_.samplerate) + " Hz");
    }
    if (info_.channels < 1 || info_.channels > kMaxChannels) {
      fail(path, "1 to 64 channels were expected, found " + std::to_string(info_.channels));
    }
    if (info_.frames <= 0)
      fail(path, "audio was expected, the file holds no samples (fetch it again, or leave the track out)");
    max_frames_ = std::llround(std::min(max_duration_s * info_.samplerate, 9e15));
    if (length_is_known() && info_.frames > max_frames_) fail_too_long();
  }

  const SF_INFO& info() const { return info_; }
  SNDFILE* handle() const { return file_.get(); }
  int64_t max_frames() const { return max_frames_; }
  // FLAC and Ogg streams written into a pipe tell no length.
  bool length_is_known() const { return info_.frames < std::numeric_limits<int64_t>::max() / 2; }
  // How many frames fewer than promised are no sign of damage.
  int64_t tolerance() const {
    return (info_.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_MPEG ? kMp3FrameTolerance * kMp3FrameSamples : 0;
  }
  // Decoded frames that are to be dropped in front.
  int64_t skip_frames() const { return skip_frames_; }

  [[noreturn]] void fail_too_long() const {
    fail(path_, "at most " + format_real(static_cast<double>(max_frames_) / info_.samplerate) +
                    " s were expected, the file is longer (cut it, or raise the limit)");
  }

 private:
  void open() {
    if (may_be_mp3(path_)) {
      std::string bytes = read_text_file(path_, kMaxMp3Bytes);
      if (auto stream = read_mp3_stream(bytes)) {
        check_mp3(*stream, bytes.size());
        memory_.bytes = std::move(stream->bytes);
        file_ = open_memory(memory_, SFM_READ, info_);
        if (!stream->has_lame_tag) info_.frames = stream->frames * stream->frame_samples;
        skip_frames_ = stream->skip_samples;
        return;
      }
    }
    file_.reset(sf_open(path_.c_str(), SFM_READ, &info_));
  }

  void check_mp3(const Mp3Stream& stream, size_t file_bytes) const {
    if (stream.promised && *stream.promised > stream.frames + kMp3FrameTolerance) {
      fail_truncated(path_, "its header promises " + std::to_string(*stream.promised) + " MPEG frames, found " +
                                std::to_string(stream.frames));
    }
    if (static_cast<uint64_t>(stream.stray_bytes) > file_bytes / 20) {
      fail_truncated(path_, std::to_string(stream.stray_bytes) + " of " + std::to_string(file_bytes) +
                                " bytes between its MPEG frames belong to none");
    }
  }

  std::filesystem::path path_;
  SF_INFO info_{};
  MemoryFile memory_;
  SndfilePtr file_;
  int64_t skip_frames_ = 0;
  int64_t max_frames_ = 0;
};

float rounded_to_16_bits(float sample) {
  const float scaled = std::nearbyint(sample * 32768.0F);
  return std::min(std::max(scaled, -32768.0F), 32767.0F) / 32768.0F;
}

}  // namespace

AudioInfo probe_audio(const std::filesystem::path& path) {
  const QuietStderr quiet;
  const AudioSource source(path, std::numeric_limits<double>::infinity());
  if (!source.length_is_known()) fail(path, "its header does not tell its length (convert it)");
  return {source.info().frames, source.info().samplerate, source.info().channels, format_name(source.info().format)};
}

Waveform decode_audio(const std::filesystem::path& path, const DecodeOptions& options) {
  const QuietStderr quiet;
  const AudioSource source(path, options.max_duration_s);
  const auto channels = static_cast<size_t>(source.info().channels);
  Waveform mono;
  mono.sample_rate_hz = source.info().samplerate;
  // The header is not trusted with memory: what it promises is reserved up to a minute or so, the rest grows with what
  // comes.
  constexpr int64_t kMostReserved = int64_t{1} << 22U;
  if (source.length_is_known())
    mono.samples.reserve(static_cast<size_t>(std::min<int64_t>(source.info().frames, kMostReserved)));
  std::vector<float> block(static_cast<size_t>(kBlockFrames) * channels);
  if (source.skip_frames() > 0) sf_readf_float(source.handle(), block.data(), source.skip_frames());
  int64_t total = 0;
  while (true) {
    const int64_t count = sf_readf_float(source.handle(), block.data(), kBlockFrames);
    if (count <= 0) break;
    for (int64_t frame = 0; frame < count; ++frame) {
      double sum = 0.0;
      for (size_t c = 0; c < channels; ++c) {
        const float sample = block[static_cast<size_t>(frame) * channels + c];
        if (!std::isfinite(sample)) {
          fail(path, "finite samples were expected, found " + std::string(std::isnan(sample) ? "NaN" : "infinity") +
                         " in frame " + std::to_string(total + frame) + " (repair or leave out the track)");
        }
        sum += options.round_to_16_bits ? rounded_to_16_bits(sample) : sample;
      }
      mono.samples.push_back(static_cast<float>(sum / static_cast<double>(channels)));
    }
    total += count;
    if (total > source.max_frames()) source.fail_too_long();
  }
  if (sf_error(source.handle()) != SF_ERR_NO_ERROR) {
    fail_truncated(path, "decoding stopped after " + std::to_string(total) +
                             " samples (libsndfile: " + trim(sf_strerror(source.handle())) + ")");
  }
  if (source.length_is_known() && total < source.info().frames - source.tolerance()) {
    fail_truncated(path, "its header promises " + std::to_string(source.info().frames) + " samples, found " +
                             std::to_string(total));
  }
  if (total == 0) fail(path, "audio was expected, the file holds no samples (fetch it again, or leave the track out)");
  return mono;
}

void write_wav(const std::filesystem::path& path, const Waveform& waveform) {
  // RIFF counts bytes in 32 bits.
  constexpr int64_t kMostSamples = (int64_t{1} << 30U) - 1024;
  if (waveform.size() > kMostSamples) fail(path, "a WAV file holds at most 4 GiB, cut the audio");
  AtomicFile target(path);
  SF_INFO info{};
  info.samplerate = waveform.sample_rate_hz;
  info.channels = 1;
  info.format = SF_FORMAT_WAV | SF_FORMAT_FLOAT;
  SndfilePtr file(sf_open(target.temporary_path().c_str(), SFM_WRITE, &info));
  if (!file) fail(path, std::string("cannot be written: ") + trim(sf_strerror(nullptr)));
  // The PEAK chunk carries the time of writing; without it equal samples are equal bytes.
  sf_command(file.get(), SFC_SET_ADD_PEAK_CHUNK, nullptr, SF_FALSE);
  const int64_t written = sf_writef_float(file.get(), waveform.samples.data(), waveform.size());
  const bool closed = sf_close(file.release()) == 0;
  std::error_code error;
  const uint64_t bytes = std::filesystem::file_size(target.temporary_path(), error);
  if (written != waveform.size() || !closed || error || bytes < waveform.samples.size() * sizeof(float)) {
    fail(path, "cannot be written (is there space left?)");
  }
  target.commit();
}

}  // namespace tagbench
