#include "splits/fingerprint.h"

#include <gtest/gtest.h>

#include <functional>

#include "harness/audio/audio_file.h"
#include "harness/audio/codec.h"
#include "tests/splits/small_corpus.h"

namespace tagbench {
namespace {

using testing::made_music;

constexpr int kPieces = 6;
constexpr double kSeconds = 12.0;

class FingerprintTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    for (uint64_t i = 0; i < kPieces; ++i) pieces().push_back(made_music(i, kSeconds, 16000));
  }
  static void TearDownTestSuite() { pieces().clear(); }
  static std::vector<Waveform>& pieces() {
    static std::vector<Waveform> waveforms;
    return waveforms;
  }

  // Matches between the pieces and what `change` makes of them; every piece must be found, and no other.
  static std::vector<AudioMatch> matches_after(const std::function<Waveform(const Waveform&)>& change) {
    std::vector<Fingerprint> fingerprints;
    for (const Waveform& piece : pieces()) fingerprints.push_back(fingerprint_of(piece));
    for (const Waveform& piece : pieces()) fingerprints.push_back(fingerprint_of(change(piece)));
    const std::vector<AudioMatch> matches = find_matches(fingerprints, 2);
    EXPECT_EQ(matches.size(), static_cast<size_t>(kPieces));
    for (const AudioMatch& match : matches) EXPECT_EQ(match.second, match.first + kPieces);
    return matches;
  }
};

Waveform without_beginning(const Waveform& piece, double seconds) {
  Waveform cut;
  cut.sample_rate_hz = piece.sample_rate_hz;
  cut.samples.assign(piece.samples.begin() + static_cast<std::ptrdiff_t>(seconds * piece.sample_rate_hz),
                     piece.samples.end());
  return cut;
}

TEST_F(FingerprintTest, EqualAudioHasNoBitErrors) {
  for (const AudioMatch& match : matches_after([](const Waveform& piece) { return piece; })) {
    EXPECT_EQ(match.bit_error_rate, 0.0);
    EXPECT_EQ(match.offset_s, 0.0);
    EXPECT_GT(match.overlap_s, 11.0);
  }
}

TEST_F(FingerprintTest, LevelDoesNotMatter) {
  const auto softer = [](const Waveform& piece) {
    Waveform quiet = piece;
    for (float& sample : quiet.samples) sample *= 0.05F;
    return quiet;
  };
  // Rounding of float sums flips a bit here and there.
  for (const AudioMatch& match : matches_after(softer)) EXPECT_LT(match.bit_error_rate, 0.001);
}

TEST_F(FingerprintTest, FindsEncodedCopies) {
  for (const CodecSettings& settings : {CodecSettings{Codec::kMp3, 64.0}, CodecSettings{Codec::kMp3, 24.0},
                                        CodecSettings{Codec::kVorbis, 32.0}, CodecSettings{Codec::kOpus, 16.0}}) {
    SCOPED_TRACE(codec_name(settings.codec));
    matches_after([&](const Waveform& piece) { return through_codec(piece, settings); });
  }
}

TEST_F(FingerprintTest, FindsOtherSampleRates) {
  for (const int rate_hz : {8000, 22050, 44100}) {
    SCOPED_TRACE(rate_hz);
    matches_after([&](const Waveform& piece) { return resample(piece, rate_hz, ResampleQuality::kFastest); });
  }
}

TEST_F(FingerprintTest, FindsCopiesCutDifferentlyAndTellsTheOffset) {
  // Half a hop off the grid, the worst case.
  for (const AudioMatch& match :
       matches_after([](const Waveform& piece) { return without_beginning(piece, 2.0125); })) {
    EXPECT_NEAR(match.offset_s, 2.0125, kFingerprintHop_s);
    EXPECT_NEAR(match.overlap_s, kSeconds - 2.0125 - 0.5, 0.3);
  }
}

TEST_F(FingerprintTest, OtherMusicIsNotFound) {
  std::vector<Fingerprint> fingerprints;
  for (uint64_t i = 0; i < 30; ++i) fingerprints.push_back(fingerprint_of(made_music(100 + i, 6.0, 16000)));
  EXPECT_TRUE(find_matches(fingerprints, 2).empty());
}

TEST_F(FingerprintTest, DoesNotDependOnThreads) {
  std::vector<Fingerprint> fingerprints;
  for (const Waveform& piece : pieces()) {
    fingerprints.push_back(fingerprint_of(piece));
    fingerprints.push_back(fingerprint_of(without_beginning(piece, 1.0)));
  }
  const std::vector<AudioMatch> one = find_matches(fingerprints, 1);
  const std::vector<AudioMatch> four = find_matches(fingerprints, 4);
  ASSERT_EQ(one.size(), four.size());
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].first, four[i].first);
    EXPECT_EQ(one[i].second, four[i].second);
    EXPECT_EQ(one[i].bit_error_rate, four[i].bit_error_rate);
    EXPECT_EQ(one[i].offset_s, four[i].offset_s);
  }
}

TEST_F(FingerprintTest, LongAudioIsHeardForThirtySecondsAndEdgesAreDefined) {
  const Fingerprint of_minute = fingerprint_of(made_music(1, 60.0, 16000));
  EXPECT_NEAR(static_cast<double>(of_minute.words.size()) * kFingerprintHop_s, kFingerprintLongest_s, 0.6);
  Waveform nothing;
  nothing.sample_rate_hz = 16000;
  EXPECT_TRUE(fingerprint_of(nothing).words.empty());
  nothing.samples.assign(7000, 0.5F);
  EXPECT_TRUE(fingerprint_of(nothing).words.empty());
  Waveform low = pieces()[0];
  low.sample_rate_hz = 4000;
  EXPECT_TRUE(fingerprint_of(low).words.empty());
  Waveform silence;
  silence.sample_rate_hz = 16000;
  silence.samples.assign(160000, 0.0F);
  std::vector<Fingerprint> silent(3, fingerprint_of(silence));
  EXPECT_TRUE(find_matches(silent, 1).empty());
  EXPECT_TRUE(find_matches({}, 2).empty());
}

TEST(FingerprintLengthTest, TellsWhatIsTooShortForAMatch) {
  for (const double seconds : {0.3, 1.0, 2.5, 2.8, 2.9, 4.0}) {
    const Fingerprint fingerprint = fingerprint_of(made_music(1, seconds, 16000));
    // 25 words, one every 0.1 s, make a match; each needs a window of 0.37 s and the one 0.1 s before it.
    EXPECT_EQ(can_match(fingerprint), seconds > 24 * 0.1 + 0.1 + 0.37) << seconds;
    EXPECT_EQ(!find_matches({fingerprint, fingerprint}, 1).empty(), can_match(fingerprint)) << seconds;
  }
}

}  // namespace
}  // namespace tagbench
