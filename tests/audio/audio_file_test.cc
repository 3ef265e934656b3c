#include "harness/audio/audio_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <limits>

#include "harness/core/errors.h"
#include "tests/audio/fixtures.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::message_of;
using testing::music_like;
using ::testing::Not;
using testing::read_bytes;
using testing::snr_db;
using testing::TemporaryDirectory;
using testing::wav_bytes;
using testing::write_audio;
using testing::write_bytes;

constexpr int kWav = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
constexpr int kWavFloat = SF_FORMAT_WAV | SF_FORMAT_FLOAT;
constexpr int kFlac = SF_FORMAT_FLAC | SF_FORMAT_PCM_16;
constexpr int kVorbis = SF_FORMAT_OGG | SF_FORMAT_VORBIS;
constexpr int kOpus = SF_FORMAT_OGG | SF_FORMAT_OPUS;
constexpr int kMp3 = SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III;
constexpr int kAiff = SF_FORMAT_AIFF | SF_FORMAT_PCM_16;
constexpr int kAu = SF_FORMAT_AU | SF_FORMAT_PCM_16;

struct FormatCase {
  const char* file;
  int format;
  const char* name;
  double least_snr_db;  // against what was encoded
};

// The lossy ones at libsndfile's default settings; measured 14 (Vorbis), 14 (Opus) and 20 dB (MP3).
const FormatCase kFormats[] = {{"a.wav", kWav, "WAV", 70.0},        {"f.wav", kWavFloat, "WAV", 70.0},
                               {"a.flac", kFlac, "FLAC", 70.0},     {"a.aiff", kAiff, "AIFF", 70.0},
                               {"a.au", kAu, "AU", 70.0},           {"a.ogg", kVorbis, "OGG/Vorbis", 10.0},
                               {"a.opus", kOpus, "OGG/Opus", 10.0}, {"a.mp3", kMp3, "MPEG/Layer III", 10.0}};

TEST(DecodeAudioTest, ReadsEveryFormatWithItsLengthAndRate) {
  const TemporaryDirectory folder;
  const Waveform source = music_like(16000, 40001);
  for (const FormatCase& expected : kFormats) {
    SCOPED_TRACE(expected.file);
    const auto path = folder / expected.file;
    write_audio(path, expected.format, 16000, 1, source.samples);
    const AudioInfo info = probe_audio(path);
    EXPECT_EQ(info.format, expected.name);
    EXPECT_EQ(info.frames, 40001);
    EXPECT_EQ(info.sample_rate_hz, 16000);
    EXPECT_EQ(info.channels, 1);
    EXPECT_DOUBLE_EQ(info.duration_s(), 40001.0 / 16000.0);
    const Waveform decoded = decode_audio(path);
    EXPECT_EQ(decoded.sample_rate_hz, 16000);
    ASSERT_EQ(decoded.size(), 40001);
    EXPECT_GT(snr_db(source.samples, decoded.samples, 0, source.samples.size()), expected.least_snr_db);
  }
}

TEST(DecodeAudioTest, LeavesSixteenBitSamplesAsTheyAre) {
  const TemporaryDirectory folder;
  std::vector<int16_t> samples;
  for (int value = -32768; value <= 32767; ++value) samples.push_back(static_cast<int16_t>(value));
  write_bytes(folder / "all.wav", wav_bytes(16000, 1, samples));
  for (const bool round : {true, false}) {
    DecodeOptions options;
    options.round_to_16_bits = round;
    const Waveform decoded = decode_audio(folder / "all.wav", options);
    ASSERT_EQ(decoded.samples.size(), samples.size());
    for (size_t i = 0; i < samples.size(); ++i)
      ASSERT_EQ(decoded.samples[i], static_cast<float>(samples[i]) / 32768.0F);
  }
}

TEST(DecodeAudioTest, RoundsToSixteenBitsAndClips) {
  const TemporaryDirectory folder;
  const float step = 1.0F / 32768.0F;
  // Halves go to the even neighbour.
  write_audio(folder / "f.wav", kWavFloat, 8000, 1,
              {0.4F * step, 0.6F * step, 0.5F * step, 1.5F * step, -0.6F * step, 1.0F, 2.0F, -2.0F});
  EXPECT_EQ(decode_audio(folder / "f.wav").samples,
            (std::vector<float>{0.0F, step, 0.0F, 2.0F * step, -step, 1.0F - step, 1.0F - step, -1.0F}));
  DecodeOptions exact;
  exact.round_to_16_bits = false;
  EXPECT_EQ(decode_audio(folder / "f.wav", exact).samples,
            (std::vector<float>{0.4F * step, 0.6F * step, 0.5F * step, 1.5F * step, -0.6F * step, 1.0F, 2.0F, -2.0F}));
}

TEST(DecodeAudioTest, AveragesChannelsAfterRounding) {
  const TemporaryDirectory folder;
  write_bytes(folder / "stereo.wav", wav_bytes(44100, 2, {100, 200, -100, 100, 32767, 32767, 1, 0}));
  EXPECT_EQ(decode_audio(folder / "stereo.wav").samples,
            (std::vector<float>{150.0F / 32768.0F, 0.0F, 32767.0F / 32768.0F, 0.5F / 32768.0F}));
  const float step = 1.0F / 32768.0F;
  write_audio(folder / "f.wav", kWavFloat, 8000, 2, {0.4F * step, 0.4F * step});
  EXPECT_EQ(decode_audio(folder / "f.wav").samples, std::vector<float>{0.0F});
}

TEST(DecodeAudioTest, ReadsEightChannelsAndExtremeRates) {
  const TemporaryDirectory folder;
  std::vector<float> eight;
  for (int frame = 0; frame < 20000; ++frame) {
    for (int channel = 0; channel < 8; ++channel) eight.push_back(static_cast<float>(channel) / 16.0F);
  }
  write_audio(folder / "eight.wav", kWav, 48000, 8, eight);
  write_audio(folder / "eight.flac", kFlac, 48000, 8, eight);
  for (const char* name : {"eight.wav", "eight.flac"}) {
    const Waveform decoded = decode_audio(folder / name);
    ASSERT_EQ(decoded.size(), 20000);
    for (const float sample : decoded.samples) ASSERT_EQ(sample, 3.5F / 16.0F);
    EXPECT_EQ(probe_audio(folder / name).channels, 8);
  }
  for (const int rate : {1000, 4000, 192000, 768000}) {
    write_audio(folder / "rate.wav", kWav, rate, 1, music_like(rate, 5000).samples);
    EXPECT_EQ(decode_audio(folder / "rate.wav").sample_rate_hz, rate);
  }
}

TEST(DecodeAudioTest, ReadsOneSample) {
  const TemporaryDirectory folder;
  write_bytes(folder / "one.wav", wav_bytes(16000, 1, {1234}));
  EXPECT_EQ(decode_audio(folder / "one.wav").samples, std::vector<float>{1234.0F / 32768.0F});
}

TEST(DecodeAudioTest, RefusesFilesCutInTheMiddle) {
  const TemporaryDirectory folder;
  const Waveform source = music_like(16000, 160000);
  for (const FormatCase& expected : kFormats) {
    const auto path = folder / expected.file;
    write_audio(path, expected.format, 16000, 1, source.samples);
    const std::string bytes = read_bytes(path);
    for (const double part : {0.3, 0.6, 0.95}) {
      SCOPED_TRACE(std::string(expected.file) + " " + std::to_string(part));
      write_bytes(path, bytes.substr(0, static_cast<size_t>(static_cast<double>(bytes.size()) * part)));
      EXPECT_THAT(message_of([&] { decode_audio(path); }),
                  AllOf(HasSubstr(path.string() + ": a whole file was expected, this one is truncated or damaged"),
                        Not(HasSubstr("\n"))));
    }
  }
}

TEST(DecodeAudioTest, RefusesAnOggFileCutBetweenTwoPages) {
  const TemporaryDirectory folder;
  for (const FormatCase& format : {FormatCase{"a.ogg", kVorbis, "", 0}, FormatCase{"a.opus", kOpus, "", 0}}) {
    const auto path = folder / format.file;
    write_audio(path, format.format, 16000, 1, music_like(16000, 160000).samples);
    const std::string bytes = read_bytes(path);
    write_bytes(path, bytes.substr(0, bytes.rfind("OggS")));
    EXPECT_THAT(message_of([&] { decode_audio(path); }), HasSubstr("its last Ogg page does not end the stream"));
  }
}

TEST(DecodeAudioTest, AcceptsWavFilesWrittenIntoAPipe) {
  const TemporaryDirectory folder;
  for (const std::string& open_size : {std::string("\xFF\xFF\xFF\xFF"), std::string("\x00\xF0\xFF\x7F", 4)}) {
    std::string bytes = wav_bytes(16000, 1, {1, 2, 3, 4});
    bytes.replace(4, 4, open_size);
    bytes.replace(40, 4, open_size);
    write_bytes(folder / "pipe.wav", bytes);
    EXPECT_EQ(decode_audio(folder / "pipe.wav").size(), 4);
  }
}

class Mp3Test : public ::testing::Test {
 protected:
  void SetUp() override {
    source_ = music_like(16000, 160000);
    // Loud and soft stretches, so that the bit rate varies.
    for (size_t i = 0; i < 30000; ++i) source_.samples[i] *= 0.001F;
    write_audio(folder_ / "whole.mp3", kMp3, 16000, 1, source_.samples, true);
    whole_ = read_bytes(folder_ / "whole.mp3");
    const size_t first = whole_.find("\xFF\xF3");
    ASSERT_NE(whole_.find("Xing", first), std::string::npos);
    second_frame_ = whole_.find("\xFF\xF3", first + 4);
  }
  TemporaryDirectory folder_;
  Waveform source_;
  std::string whole_;
  size_t second_frame_ = 0;
};

TEST_F(Mp3Test, VariableRateWithoutAHeaderIsReadToItsEnd) {
  write_bytes(folder_ / "bare.mp3", whole_.substr(second_frame_));
  const Waveform decoded = decode_audio(folder_ / "bare.mp3");
  // Without LAME's tag nothing is cut off: 576 + 529 samples of delay in front, the last frame's padding behind.
  EXPECT_EQ(decoded.size() % 576, 0);
  ASSERT_GE(decoded.size(), 160000 + 1105);
  EXPECT_LT(decoded.size(), 160000 + 1105 + 2 * 1152);
  EXPECT_EQ(probe_audio(folder_ / "bare.mp3").frames, decoded.size());
  const std::vector<float> aligned(decoded.samples.begin() + 1105, decoded.samples.end());
  EXPECT_GT(snr_db(source_.samples, aligned, 30000, 150000), 10.0);
}

TEST_F(Mp3Test, AStreamCutOutOfALongerOneBeginsWithSilenceAndThenAgrees) {
  write_bytes(folder_ / "bare.mp3", whole_.substr(second_frame_));
  const std::vector<float> all = decode_audio(folder_ / "bare.mp3").samples;
  // From the middle, where frames lean on the bit reservoir of those before.
  write_bytes(folder_ / "cut.mp3", whole_.substr(whole_.find("\xFF\xF3", whole_.size() / 2)));
  const std::vector<float> cut = decode_audio(folder_ / "cut.mp3").samples;
  ASSERT_EQ(cut.size() % 576, 0U);
  // The first frames lack what came before; the filter bank overlaps into one more.
  constexpr size_t kSettled = size_t{4} * 576;
  ASSERT_GT(cut.size(), 2 * kSettled);
  // One step of 16 bits: the decoder's sums run in another order when it starts at another frame.
  for (size_t i = kSettled; i < cut.size(); ++i)
    ASSERT_NEAR(cut[i], all[all.size() - cut.size() + i], 1.5F / 32768.0F) << i;
}

TEST_F(Mp3Test, TagsAndStrayBytesChangeNothing) {
  const Waveform expected = decode_audio(folder_ / "whole.mp3");
  std::string id3 = "ID3\x03";
  id3 += std::string("\0\0\0\0\x4E\x10", 6) + std::string(10000, 'x');
  write_bytes(folder_ / "id3.mp3", id3 + whole_ + "TAG" + std::string(125, 'x'));
  EXPECT_EQ(decode_audio(folder_ / "id3.mp3").samples, expected.samples);
  size_t middle = whole_.find("\xFF\xF3", whole_.size() / 2);
  std::string stray = whole_;
  stray.insert(middle, std::string(1200, 'x'));
  write_bytes(folder_ / "stray.mp3", stray + std::string(5000, '\0'));
  EXPECT_EQ(decode_audio(folder_ / "stray.mp3").samples, expected.samples);
}

TEST_F(Mp3Test, IsFoundByContentWhateverTheName) {
  write_bytes(folder_ / "song.audio", whole_);
  EXPECT_EQ(decode_audio(folder_ / "song.audio").size(), 160000);
}

TEST_F(Mp3Test, AHeaderThatPromisesMoreMeansTruncation) {
  write_bytes(folder_ / "cut.mp3", whole_.substr(0, whole_.size() / 2));
  EXPECT_THAT(message_of([&] { decode_audio(folder_ / "cut.mp3"); }), HasSubstr("MPEG frames, found"));
  EXPECT_THAT(message_of([&] { probe_audio(folder_ / "cut.mp3"); }), HasSubstr("MPEG frames, found"));
  // Without the header nothing tells how much there should be: what is there is read.
  write_bytes(folder_ / "bare_cut.mp3", whole_.substr(second_frame_, whole_.size() / 2));
  EXPECT_GT(decode_audio(folder_ / "bare_cut.mp3").size(), 40000);
}

TEST_F(Mp3Test, MuchThatIsNoFrameMeansDamage) {
  std::string damaged = whole_;
  damaged.insert(whole_.find("\xFF\xF3", whole_.size() / 2), std::string(whole_.size() / 4, 'x'));
  write_bytes(folder_ / "damaged.mp3", damaged);
  EXPECT_THAT(message_of([&] { decode_audio(folder_ / "damaged.mp3"); }),
              HasSubstr("bytes between its MPEG frames belong to none"));
}

TEST_F(Mp3Test, DecoderWarningsStayOffStderr) {
  std::string flipped = whole_.substr(second_frame_);
  for (size_t i = 500; i < flipped.size(); i += 397) flipped[i] = static_cast<char>(flipped[i] ^ 0x55);
  write_bytes(folder_ / "flipped.mp3", flipped);
  ::testing::internal::CaptureStderr();
  try {
    decode_audio(folder_ / "flipped.mp3");
  } catch (const DataError&) {
  }
  std::fputs("heard", stderr);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "heard");
}

TEST(DecodeAudioTest, SaysWhatIsWrongInOneLine) {
  const TemporaryDirectory folder;
  const auto expect = [&](const std::string& name, const std::string& part) {
    const auto path = folder / name;
    const auto matcher = AllOf(HasSubstr(path.string() + ": "), HasSubstr(part), Not(HasSubstr("\n")));
    EXPECT_THAT(message_of([&] { decode_audio(path); }), matcher);
    EXPECT_THAT(message_of([&] { probe_audio(path); }), matcher);
  };
  expect("missing.wav", "an audio file was expected, there is none");
  std::filesystem::create_directory(folder / "folder.wav");
  expect("folder.wav", "this is a folder");
  ::mkfifo((folder / "fifo.wav").c_str(), 0600);
  expect("fifo.wav", "this is no regular file");
  write_bytes(folder / "empty.mp3", "");
  expect("empty.mp3", "this one is empty");
  write_bytes(folder / "text.wav", "This is not audio at all, but a page that says 404.");
  expect("text.wav", "WAV, FLAC, Ogg Vorbis, Opus, MP3, AIFF or AU was expected, found something else");
  write_bytes(folder / "text.mp3", "This is not audio at all, but a page that says 404.");
  expect("text.mp3", "found something else");
  write_bytes(folder / "headerless.gsm", std::string(330, 'x'));
  expect("headerless.gsm", "found headerless samples");
  write_bytes(folder / "none.wav", wav_bytes(16000, 1, {}));
  expect("none.wav", "the file holds no samples");
  write_bytes(folder / "slow.wav", wav_bytes(999, 1, {1, 2}));
  expect("slow.wav", "1000 to 768000 Hz was expected, found 999 Hz");
  write_bytes(folder / "fast.wav", wav_bytes(800000, 1, {1, 2}));
  expect("fast.wav", "found 800000 Hz");
  write_bytes(folder / "many.wav", wav_bytes(16000, 65, std::vector<int16_t>(650, 1)));
  expect("many.wav", "1 to 64 channels were expected, found 65");
}

TEST(DecodeAudioTest, RefusesSamplesThatAreNotFinite) {
  const TemporaryDirectory folder;
  write_audio(folder / "nan.wav", kWavFloat, 8000, 2, {0.0F, 0.0F, 0.0F, std::numeric_limits<float>::quiet_NaN()});
  EXPECT_THAT(message_of([&] { decode_audio(folder / "nan.wav"); }),
              HasSubstr("finite samples were expected, found NaN in frame 1"));
  write_audio(folder / "inf.wav", kWavFloat, 8000, 1, {-std::numeric_limits<float>::infinity()});
  EXPECT_THAT(message_of([&] { decode_audio(folder / "inf.wav"); }), HasSubstr("found infinity in frame 0"));
}

TEST(DecodeAudioTest, RefusesFilesThatAreTooLong) {
  const TemporaryDirectory folder;
  write_audio(folder / "long.flac", kFlac, 8000, 1, std::vector<float>(8001, 0.1F));
  DecodeOptions options;
  options.max_duration_s = 1.0;
  EXPECT_THAT(message_of([&] { decode_audio(folder / "long.flac", options); }),
              HasSubstr("at most 1 s were expected, the file is longer"));
  options.max_duration_s = 8001.0 / 8000.0;
  EXPECT_EQ(decode_audio(folder / "long.flac", options).size(), 8001);
}

TEST(DecodeAudioTest, SurvivesDamageAnywhere) {
  const TemporaryDirectory folder;
  const Waveform source = music_like(16000, 8000);
  for (const FormatCase& format : kFormats) {
    const auto path = folder / format.file;
    write_audio(path, format.format, 16000, 1, source.samples);
    const std::string bytes = read_bytes(path);
    for (size_t at = 0; at < bytes.size(); at += 1 + at / 4) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ 0xFF);
      write_bytes(path, damaged);
      try {
        for (const float sample : decode_audio(path).samples) ASSERT_TRUE(std::isfinite(sample));
      } catch (const DataError&) {
      }
    }
  }
}

TEST(WriteWavTest, IsReadBackUnchangedAndEqualEachTime) {
  const TemporaryDirectory folder;
  Waveform source = music_like(22050, 5000);
  source.samples[7] = 1.75F;
  write_wav(folder / "sub/a.wav", source);
  write_wav(folder / "b.wav", source);
  EXPECT_EQ(read_bytes(folder / "sub/a.wav"), read_bytes(folder / "b.wav"));
  DecodeOptions exact;
  exact.round_to_16_bits = false;
  const Waveform back = decode_audio(folder / "b.wav", exact);
  EXPECT_EQ(back.samples, source.samples);
  EXPECT_EQ(back.sample_rate_hz, 22050);
}

TEST(WriteWavTest, SaysThatItCannotWrite) {
  const TemporaryDirectory folder;
  write_bytes(folder / "file", "x");
  EXPECT_THROW(write_wav(folder / "file/a.wav", music_like(16000, 10)), DataError);
  std::filesystem::create_directory(folder / "folder.wav");
  EXPECT_THROW(write_wav(folder / "folder.wav", music_like(16000, 10)), DataError);
}

TEST(DecodeAudioTest, ReadsRealOggFiles) {
  TAGBENCH_REQUIRE_SHARED("data/esc10/audio");
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(testing::shared_path("data/esc10/audio"))) {
    const AudioInfo info = probe_audio(entry.path());
    EXPECT_EQ(info.format, "OGG/Vorbis");
    EXPECT_EQ(info.sample_rate_hz, 44100);
    EXPECT_GT(info.duration_s(), 2.0) << entry.path();
    EXPECT_LT(info.duration_s(), 9.0) << entry.path();
    if (++files % 40 == 0) {
      EXPECT_EQ(decode_audio(entry.path()).size(), info.frames);
    }
  }
  EXPECT_EQ(files, 400);
}

}  // namespace
}  // namespace tagbench
