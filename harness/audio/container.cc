#include "harness/audio/container.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <string_view>

namespace tagbench {
namespace {

constexpr uint64_t kOpenSize = 0x7F000000;

uint64_t little_endian(const unsigned char* bytes, size_t size) {
  uint64_t value = 0;
  for (size_t i = size; i-- > 0;) value = (value << 8U) | bytes[i];
  return value;
}

uint64_t big_endian(const unsigned char* bytes, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value = (value << 8U) | bytes[i];
  return value;
}

class ByteReader {
 public:
  explicit ByteReader(const std::filesystem::path& path) : file_(path, std::ios::binary) {
    file_.seekg(0, std::ios::end);
    if (file_) size_ = static_cast<uint64_t>(file_.tellg());
  }
  uint64_t size() const { return size_; }
  bool read(uint64_t offset, unsigned char* target, size_t count) {
    if (!file_ || offset > size_ || count > size_ - offset) return false;
    file_.seekg(static_cast<std::streamoff>(offset));
    return static_cast<bool>(file_.read(reinterpret_cast<char*>(target), static_cast<std::streamsize>(count)));
  }

 private:
  std::ifstream file_;
  uint64_t size_ = 0;
};

bool is_tag(const unsigned char* bytes, const char* tag) {
  return std::memcmp(bytes, tag, 4) == 0;
}

std::optional<std::string> missing_bytes(uint64_t promised_end, uint64_t size) {
  if (promised_end <= size) return std::nullopt;
  return "its header promises " + std::to_string(promised_end) + " bytes, the file has " + std::to_string(size);
}

// RIFF, RIFX and FORM: chunks of tag, 32-bit size, content padded to an even length.
std::optional<std::string> check_chunks(ByteReader& reader, bool is_big_endian, const char* data_tag) {
  constexpr int kMaxChunks = 4096;
  uint64_t offset = 12;
  unsigned char head[8];
  for (int i = 0; i < kMaxChunks && reader.read(offset, head, 8); ++i) {
    const uint64_t size = is_big_endian ? big_endian(head + 4, 4) : little_endian(head + 4, 4);
    if (is_tag(head, data_tag)) {
      if (size == 0 || size >= kOpenSize) return std::nullopt;
      return missing_bytes(offset + 8 + size, reader.size());
    }
    offset += 8 + size + (size & 1U);
  }
  return std::nullopt;
}

std::optional<std::string> check_au(ByteReader& reader, const unsigned char* start) {
  const uint64_t data_offset = big_endian(start + 4, 4);
  const uint64_t size = big_endian(start + 8, 4);
  if (size >= kOpenSize) return std::nullopt;
  return missing_bytes(data_offset + size, reader.size());
}

std::optional<std::string> check_wave64(ByteReader& reader) {
  unsigned char size[8];
  if (!reader.read(16, size, 8)) return std::nullopt;
  const uint64_t promised = little_endian(size, 8);
  if (promised >= uint64_t{1} << 62U) return std::nullopt;
  return missing_bytes(promised, reader.size());
}

// Ogg promises no length, but each page tells its own, and the last of a stream is marked.
std::optional<std::string> check_ogg(ByteReader& reader) {
  uint64_t offset = 0;
  bool ended = false;
  unsigned char head[27];
  std::array<unsigned char, 255> segments{};
  while (offset < reader.size()) {
    if (!reader.read(offset, head, sizeof head)) return missing_bytes(offset + sizeof head, reader.size());
    if (!is_tag(head, "OggS")) return std::nullopt;
    const size_t count = head[26];
    if (!reader.read(offset + sizeof head, segments.data(), count))
      return missing_bytes(offset + sizeof head + count, reader.size());
    uint64_t end = offset + sizeof head + count;
    for (size_t i = 0; i < count; ++i) end += segments[i];
    if (end > reader.size()) return missing_bytes(end, reader.size());
    ended = (head[5] & 4U) != 0;
    offset = end;
  }
  if (ended) return std::nullopt;
  return "its last Ogg page does not end the stream";
}

constexpr size_t kMp3HeaderBytes = 4;

struct Mp3Header {
  unsigned version = 0;  // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
  unsigned rate_index = 0;
  bool mono = false;
  size_t frame_bytes = 0;

  size_t side_info_bytes() const { return version == 3 ? (mono ? 17 : 32) : (mono ? 9 : 17); }
  bool same_stream(const Mp3Header& other) const { return version == other.version && rate_index == other.rate_index; }
};

size_t mp3_frame_bytes(unsigned version, unsigned bitrate_index, unsigned rate_index, unsigned padding) {
  static constexpr std::array<unsigned, 15> kMpeg1Kbps = {0,   32,  40,  48,  56,  64,  80, 96,
                                                          112, 128, 160, 192, 224, 256, 320};
  static constexpr std::array<unsigned, 15> kMpeg2Kbps = {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160};
  static constexpr std::array<unsigned, 3> kRates = {44100, 48000, 32000};
  const unsigned rate = kRates[rate_index] / (version == 3 ? 1 : (version == 2 ? 2 : 4));
  const unsigned kbps = version == 3 ? kMpeg1Kbps[bitrate_index] : kMpeg2Kbps[bitrate_index];
  return (version == 3 ? 144 : 72) * kbps * 1000 / rate + padding;
}

std::optional<Mp3Header> parse_mp3_header(std::string_view bytes, size_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < kMp3HeaderBytes) return std::nullopt;
  const auto word = static_cast<uint32_t>(big_endian(reinterpret_cast<const unsigned char*>(bytes.data() + offset), 4));
  const unsigned version = (word >> 19U) & 3U;
  const unsigned layer = (word >> 17U) & 3U;
  const unsigned bitrate_index = (word >> 12U) & 15U;
  const unsigned rate_index = (word >> 10U) & 3U;
  if ((word >> 21U) != 0x7FF || version == 1 || layer != 1 || bitrate_index == 0 || bitrate_index == 15 ||
      rate_index == 3) {
    return std::nullopt;
  }
  Mp3Header header;
  header.version = version;
  header.rate_index = rate_index;
  header.mono = ((word >> 6U) & 3U) == 3;
  header.frame_bytes = mp3_frame_bytes(version, bitrate_index, rate_index, (word >> 9U) & 1U);
  return header;
}

size_t id3v2_bytes(std::string_view bytes, size_t offset) {
  if (bytes.size() - offset < 10 || bytes.compare(offset, 3, "ID3") != 0) return 0;
  size_t size = 0;
  for (size_t i = 6; i < 10; ++i) size = (size << 7U) | (static_cast<unsigned char>(bytes[offset + i]) & 127U);
  const bool footer = (static_cast<unsigned char>(bytes[offset + 5]) & 16U) != 0;
  return size + (footer ? 20 : 10);
}

// The next frame of the stream at or after `offset`. A header is four bytes that also occur by chance; where the frame
// before does not vouch for it, another header (or the end) must stand behind the frame.
std::optional<size_t> find_mp3_frame(std::string_view bytes, size_t offset, const std::optional<Mp3Header>& stream,
                                     size_t limit) {
  limit = std::min(limit, bytes.size());
  for (size_t at = offset; at < limit; ++at) {
    if (bytes[at] != '\xFF') continue;
    const auto header = parse_mp3_header(bytes, at);
    if (!header || (stream && !header->same_stream(*stream))) continue;
    const size_t next = at + header->frame_bytes;
    if (next == bytes.size()) return at;
    const auto follower = parse_mp3_header(bytes, next);
    if (follower && follower->same_stream(*header)) return at;
  }
  return std::nullopt;
}

int64_t number_at(std::string_view bytes, size_t offset) {
  return static_cast<int64_t>(big_endian(reinterpret_cast<const unsigned char*>(bytes.data() + offset), 4));
}

void put_number(std::string& bytes, size_t offset, uint64_t value) {
  for (size_t i = 0; i < 4; ++i) bytes[offset + i] = static_cast<char>((value >> (24U - 8U * i)) & 255U);
}

struct Mp3InfoFrame {
  std::optional<int64_t> frames;
  bool has_lame_tag = false;
};

// A Xing header stands behind the side information: flags, then what they announce (number of frames, of bytes, a table
// of contents, a quality), then LAME's tag, which begins with the encoder's name.
std::optional<Mp3InfoFrame> parse_info_frame(std::string_view frame, const Mp3Header& header) {
  const size_t xing = kMp3HeaderBytes + header.side_info_bytes();
  if (frame.size() >= xing + 12 && (frame.compare(xing, 4, "Xing") == 0 || frame.compare(xing, 4, "Info") == 0)) {
    const int64_t flags = number_at(frame, xing + 4);
    Mp3InfoFrame info;
    if ((flags & 1) != 0) info.frames = number_at(frame, xing + 8);
    const size_t tag = xing + 8 + ((flags & 1) != 0 ? 4 : 0) + ((flags & 2) != 0 ? 4 : 0) +
                       ((flags & 4) != 0 ? 100 : 0) + ((flags & 8) != 0 ? 4 : 0);
    constexpr size_t kLameTagBytes = 24;
    info.has_lame_tag = frame.size() >= tag + kLameTagBytes && frame[tag] != '\0';
    return info;
  }
  constexpr size_t kVbri = kMp3HeaderBytes + 32;
  if (frame.size() >= kVbri + 18 && frame.compare(kVbri, 4, "VBRI") == 0)
    return Mp3InfoFrame{number_at(frame, kVbri + 14), false};
  return std::nullopt;
}

// A frame of zeros like those of the stream, without CRC and padding: silence that refers to nothing before it.
std::string silent_frame(std::string_view like, const Mp3Header& header, unsigned bitrate_index) {
  std::string frame(mp3_frame_bytes(header.version, bitrate_index, header.rate_index, 0), '\0');
  frame[0] = like[0];
  frame[1] = static_cast<char>(static_cast<unsigned char>(like[1]) | 1U);
  frame[2] = static_cast<char>((bitrate_index << 4U) | (header.rate_index << 2U));
  frame[3] = like[3];
  return frame;
}

// A stream cut out of a longer one may begin with frames whose data began in frames before. Those are silence, whatever
// stands before them now.
class MissingReservoir {
 public:
  void mute(std::string& frame, const Mp3Header& header, bool has_crc) {
    constexpr size_t kMostReferred = 511;
    if (available_ >= kMostReferred) return;
    const size_t side = kMp3HeaderBytes + (has_crc ? 2 : 0);
    if (frame.size() < side + header.side_info_bytes()) return;
    size_t referred = static_cast<unsigned char>(frame[side]);
    if (header.version == 3) referred = (referred << 1U) | (static_cast<unsigned char>(frame[side + 1]) >> 7U);
    if (referred > available_)
      std::fill_n(frame.begin() + static_cast<std::ptrdiff_t>(side), header.side_info_bytes(), '\0');
    available_ += frame.size() - side - header.side_info_bytes();
  }

 private:
  size_t available_ = 0;
};

}  // namespace

std::optional<std::string> describe_truncation(const std::filesystem::path& path) {
  ByteReader reader(path);
  unsigned char start[12];
  if (!reader.read(0, start, sizeof start)) return std::nullopt;
  if (is_tag(start, "RIFF")) {
    return is_tag(start + 8, "WAVE") ? check_chunks(reader, false, "data") : std::nullopt;
  }
  if (is_tag(start, "RIFX")) return check_chunks(reader, true, "data");
  if (is_tag(start, "FORM")) return check_chunks(reader, true, "SSND");
  if (is_tag(start, ".snd")) return check_au(reader, start);
  if (is_tag(start, "riff")) return check_wave64(reader);
  if (is_tag(start, "OggS")) return check_ogg(reader);
  return std::nullopt;
}

std::optional<Mp3Stream> read_mp3_stream(const std::string& bytes) {
  constexpr size_t kSearchBytes = size_t{1} << 17U;
  size_t offset = 0;
  while (const size_t tag = id3v2_bytes(bytes, std::min(offset, bytes.size()))) offset += tag;
  const auto first = find_mp3_frame(bytes, offset, std::nullopt, offset + kSearchBytes);
  if (!first) return std::nullopt;
  const std::string_view all = bytes;
  const Mp3Header stream = *parse_mp3_header(all, *first);
  offset = *first;

  Mp3Stream result;
  result.frame_samples = stream.version == 3 ? 1152 : 576;
  const std::string_view first_frame = all.substr(offset, stream.frame_bytes);
  const auto info = parse_info_frame(first_frame, stream);
  if (info) {
    result.promised = info->frames;
    result.has_lame_tag = info->frames && info->has_lame_tag;
    offset += stream.frame_bytes;
  }
  result.bytes.reserve(bytes.size() - offset + 4096);
  const size_t xing = kMp3HeaderBytes + stream.side_info_bytes();
  constexpr int64_t kXingFrames = 1;
  constexpr int64_t kXingBytes = 2;
  if (result.has_lame_tag) {
    result.bytes = first_frame;
  } else {
    // A bit rate that leaves room for the header at every sample rate; the lowest for the silence.
    constexpr unsigned kRoomyBitrateIndex = 8;
    result.bytes = silent_frame(first_frame, stream, kRoomyBitrateIndex);
    result.bytes.replace(xing, 4, "Xing");
    put_number(result.bytes, xing + 4, kXingFrames | kXingBytes);
    result.bytes += silent_frame(first_frame, stream, 1);
    constexpr int64_t kDecoderDelaySamples = 529;
    result.skip_samples = result.frame_samples - kDecoderDelaySamples;
  }

  MissingReservoir reservoir;
  while (offset < bytes.size()) {
    const auto header = parse_mp3_header(all, offset);
    if (header && header->same_stream(stream)) {
      if (header->frame_bytes > bytes.size() - offset) break;
      std::string frame(all.substr(offset, header->frame_bytes));
      reservoir.mute(frame, *header, (static_cast<unsigned char>(frame[1]) & 1U) == 0);
      result.bytes += frame;
      offset += header->frame_bytes;
      ++result.frames;
      continue;
    }
    const auto next = find_mp3_frame(all, offset, stream, bytes.size());
    if (!next) break;
    result.stray_bytes += static_cast<int64_t>(*next - offset);
    offset = *next;
  }
  if (result.frames < 2) return std::nullopt;
  const int64_t flags = number_at(result.bytes, xing + 4);
  put_number(result.bytes, xing + 8, static_cast<uint64_t>(result.frames + (result.has_lame_tag ? 0 : 1)));
  if ((flags & kXingBytes) != 0) put_number(result.bytes, xing + 12, result.bytes.size());
  return result;
}

}  // namespace tagbench
