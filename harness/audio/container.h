#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace tagbench {

// libsndfile reads a WAV, AIFF, AU or Ogg file that was cut off to where it ends and reports that as its length. This
// compares what the container promises with the bytes that are there. Sizes that writers into pipes leave open (0,
// 0x7FFFF000 and above) promise nothing. A description of what is missing, or nothing if the file is whole or of
// another kind.
std::optional<std::string> describe_truncation(const std::filesystem::path& path);

// An MPEG-1/2/2.5 Layer III stream rebuilt for decoding: the frames alone (no tags, no stray bytes between frames),
// headed by a Xing frame with their true number. Without one libsndfile guesses the length from the first frame's bit
// rate, and of a variable-rate file plays only that much.
//
// Where the file has LAME's tag, the decoder cuts off the delay and padding that it tells. Otherwise nothing is cut
// off, as in FFmpeg: libmpg123 drops its own delay of 529 samples wherever it finds a Xing frame, so a silent frame
// stands in front, of which skip_samples are left to drop.
struct Mp3Stream {
  std::string bytes;
  int64_t frames = 0;               // MPEG frames of the file, without its header
  int64_t frame_samples = 0;        // per MPEG frame: 1152 or 576
  std::optional<int64_t> promised;  // MPEG frames, as the file's own Xing, Info or VBRI header says
  int64_t stray_bytes = 0;          // skipped between the first frame and the last
  bool has_lame_tag = false;
  int64_t skip_samples = 0;
};

// Nothing if the bytes are no Layer III stream, are of free-format bit rate, or hold fewer than two frames.
std::optional<Mp3Stream> read_mp3_stream(const std::string& bytes);

}  // namespace tagbench
