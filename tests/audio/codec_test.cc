#include "harness/audio/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "harness/core/errors.h"
#include "tests/audio/fixtures.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::message_of;
using testing::music_like;

// The shift at which two signals agree best, and how well.
struct Alignment {
  int lag_samples;
  double correlation;
};

Alignment align(const std::vector<float>& reference, const std::vector<float>& signal, int most) {
  Alignment best{0, -2.0};
  const auto count = static_cast<int>(std::min(reference.size(), signal.size()));
  for (int lag = -most; lag <= most; ++lag) {
    double product = 0.0;
    double a = 1e-30;
    double b = 1e-30;
    for (int i = most; i < count - most; ++i) {
      const double x = reference[static_cast<size_t>(i)];
      const double y = signal[static_cast<size_t>(i + lag)];
      product += x * y;
      a += x * x;
      b += y * y;
    }
    const double correlation = product / std::sqrt(a * b);
    if (correlation > best.correlation) best = {lag, correlation};
  }
  return best;
}

struct Case {
  Codec codec;
  int rate_hz;
  double kbps;
  int codec_rate_hz;
  int most_lag_samples;
  double least_correlation;
};

TEST(CodecTest, KeepsLengthAndAlignment) {
  const Case cases[] = {
      // Below 40 kbit/s at 16 kHz a frame has no room for LAME's tag; above it has.
      {Codec::kMp3, 16000, 8, 16000, 0, 0.8},     {Codec::kMp3, 16000, 32, 16000, 0, 0.95},
      {Codec::kMp3, 16000, 64, 16000, 0, 0.99},   {Codec::kMp3, 16000, 320, 32000, 0, 0.99},
      {Codec::kMp3, 12000, 16, 12000, 0, 0.9},    {Codec::kMp3, 44100, 32, 44100, 0, 0.9},
      {Codec::kMp3, 44100, 128, 44100, 0, 0.98},  {Codec::kMp3, 44100, 16, 24000, 0, 0.85},
      {Codec::kVorbis, 16000, 24, 16000, 0, 0.9}, {Codec::kVorbis, 16000, 96, 16000, 0, 0.98},
      {Codec::kVorbis, 44100, 64, 44100, 0, 0.9}, {Codec::kOpus, 16000, 64, 16000, 0, 0.95},
      {Codec::kOpus, 16000, 6, 16000, 2, 0.5},    {Codec::kOpus, 22050, 32, 24000, 3, 0.85},
      {Codec::kOpus, 48000, 24, 48000, 7, 0.8},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(codec_name(c.codec) + " " + std::to_string(c.kbps) + " kbit/s at " + std::to_string(c.rate_hz));
    const Waveform input = music_like(c.rate_hz, c.rate_hz + 123);
    CodecReport report;
    const Waveform output = through_codec(input, {c.codec, c.kbps}, &report);
    EXPECT_EQ(output.sample_rate_hz, c.rate_hz);
    EXPECT_EQ(report.codec_rate_hz, c.codec_rate_hz);
    ASSERT_EQ(output.size(), input.size());
    // Far enough to find the 1105 samples that a forgotten delay would leave.
    const Alignment found = align(input.samples, output.samples, 1200);
    EXPECT_LE(std::abs(found.lag_samples), c.most_lag_samples);
    EXPECT_GT(found.correlation, c.least_correlation);
  }
}

TEST(CodecTest, Mp3HoldsItsBitRate) {
  for (const double kbps : {8.0, 16.0, 24.0, 32.0, 48.0, 64.0, 96.0, 128.0, 144.0, 160.0}) {
    CodecReport report;
    through_codec(music_like(16000, 160000), {Codec::kMp3, kbps}, &report);
    // Up to three frames of 36 ms more than the ten seconds: the encoder's flush and its header.
    EXPECT_GE(report.bit_rate_kbps, kbps) << kbps;
    EXPECT_LT(report.bit_rate_kbps, kbps * 1.02) << kbps;
  }
}

TEST(CodecTest, VariableRatesRiseWithWhatIsAsked) {
  for (const Codec codec : {Codec::kVorbis, Codec::kOpus}) {
    double previous = 0.0;
    for (const double kbps : {24.0, 40.0, 64.0, 96.0}) {
      CodecReport report;
      through_codec(music_like(16000, 80000), {codec, kbps}, &report);
      EXPECT_GT(report.bit_rate_kbps, previous) << codec_name(codec) << " " << kbps;
      EXPECT_LT(report.bit_rate_kbps, kbps * 1.6) << codec_name(codec) << " " << kbps;
      previous = report.bit_rate_kbps;
    }
  }
}

TEST(CodecTest, GivesTheSameSamplesEachTime) {
  const Waveform input = music_like(16000, 20000);
  for (const Codec codec : {Codec::kMp3, Codec::kVorbis, Codec::kOpus}) {
    EXPECT_EQ(through_codec(input, {codec, 32.0}).samples, through_codec(input, {codec, 32.0}).samples)
        << codec_name(codec);
  }
}

TEST(CodecTest, TakesEmptyOneSampleSilenceAndFullScale) {
  for (const Codec codec : {Codec::kMp3, Codec::kVorbis, Codec::kOpus}) {
    SCOPED_TRACE(codec_name(codec));
    CodecReport report;
    EXPECT_EQ(through_codec({{}, 16000}, {codec, 32.0}, &report).size(), 0);
    EXPECT_EQ(report.bit_rate_kbps, 0.0);
    EXPECT_EQ(through_codec({{0.5F}, 16000}, {codec, 32.0}).size(), 1);
    EXPECT_EQ(through_codec({{0.5F}, 44100}, {codec, 64.0}).size(), 1);
    for (const float sample : through_codec({std::vector<float>(16000, 0.0F), 16000}, {codec, 32.0}).samples) {
      ASSERT_NEAR(sample, 0.0F, 1e-4F);
    }
    Waveform loud = music_like(16000, 16000);
    for (float& sample : loud.samples) sample *= 10.0F;
    for (const float sample : through_codec(loud, {codec, 32.0}).samples) ASSERT_TRUE(std::isfinite(sample));
  }
}

TEST(CodecTest, LongAudioNeedsNoLargeStack) {
  const Waveform input = music_like(16000, 200000);
  for (const Codec codec : {Codec::kMp3, Codec::kVorbis, Codec::kOpus}) {
    const CodecSettings settings{codec, 32.0};
    const Waveform expected = through_codec(input, settings);
    struct Job {
      const Waveform& input;
      CodecSettings settings;
      Waveform output;
    } job{input, settings, {}};
    // Less than the samples take, and what the codecs themselves need.
    pthread_attr_t attributes;
    ASSERT_EQ(::pthread_attr_init(&attributes), 0);
    ASSERT_EQ(::pthread_attr_setstacksize(&attributes, 600 * 1024), 0);
    pthread_t thread;
    const auto work = [](void* given) -> void* {
      auto& task = *static_cast<Job*>(given);
      task.output = through_codec(task.input, task.settings);
      return nullptr;
    };
    ASSERT_EQ(::pthread_create(&thread, &attributes, work, &job), 0);
    ::pthread_join(thread, nullptr);
    ::pthread_attr_destroy(&attributes);
    EXPECT_EQ(job.output.samples, expected.samples) << codec_name(codec);
  }
}

TEST(CodecTest, RefusesBitRatesThatTheCodecDoesNotHave) {
  const Waveform input = music_like(16000, 1000);
  const auto message = [&](Codec codec, double kbps) {
    return message_of([&] { through_codec(input, {codec, kbps}); });
  };
  EXPECT_THAT(message(Codec::kMp3, 12), HasSubstr("mp3: bit rate must be one of 8, 16, 24, 32"));
  EXPECT_THAT(message(Codec::kMp3, 640), HasSubstr("got 640"));
  EXPECT_THAT(message(Codec::kOpus, 5.9), HasSubstr("opus: bit rate must be from 6 to 256 kbit/s, got 5.9"));
  EXPECT_THAT(message(Codec::kVorbis, 8),
              HasSubstr("vorbis: bit rate must be from 24 to 100 kbit/s at 16000 Hz, got 8"));
  for (const double kbps : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THROW(through_codec(input, {Codec::kOpus, kbps}), UsageError);
  }
}

TEST(CodecTest, RefusesSamplesThatAreNotFinite) {
  Waveform input = music_like(16000, 1000);
  input.samples[500] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(message_of([&] { through_codec(input, {}); }), HasSubstr("mp3: finite samples were expected"));
}

TEST(CodecTest, RefusesSamplesThatEncodersDoNotSurvive) {
  Waveform input = music_like(16000, 1000);
  for (const Codec codec : {Codec::kMp3, Codec::kVorbis, Codec::kOpus}) {
    input.samples[500] = -1e10F;
    EXPECT_THAT(message_of([&] {
                  through_codec(input, {codec, 32.0});
                }),
                HasSubstr(codec_name(codec) + ": a peak of at most 10000 times full scale was expected, found 1e+10"));
    // The loudest that is allowed is rendered, and stays loud.
    input.samples[500] = 0.0F;
    Waveform loud = input;
    for (float& sample : loud.samples) sample *= 1e4F;
    float peak = 0.0F;
    for (const float sample : through_codec(loud, {codec, 32.0}).samples) peak = std::max(peak, std::fabs(sample));
    EXPECT_GT(peak, 0.5F) << codec_name(codec);
  }
}

}  // namespace
}  // namespace tagbench
