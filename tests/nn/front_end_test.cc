#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "harness/core/json.h"
#include "harness/core/npy.h"
#include "harness/nn/harmonic.h"
#include "harness/nn/log_mel.h"
#include "harness/nn/slaney_mel.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::message_of;
using testing::shared_path;

constexpr double kPi = 3.14159265358979323846;

torch::Tensor tone(double hz, double rate_hz, int64_t n_samples, double amplitude = 0.5) {
  return (amplitude * torch::sin(2.0 * kPi * hz / rate_hz * torch::arange(n_samples, torch::kFloat64)))
      .to(torch::kFloat32)
      .unsqueeze(0);
}

torch::Tensor load(const std::string& name) {
  const NpyArray array = read_npy(shared_path("parity/" + name));
  const std::vector<float> values = array.as_float();
  return torch::tensor(values).reshape(array.shape);
}

TEST(PowerSpectrogramTest, ImpulseInTheMiddleOfAFrameHasTheWindowsSquareInEveryBin) {
  torch::Tensor waveform = torch::zeros({1, 2048});
  waveform[0][1024] = 2.0;
  const torch::Tensor power = PowerSpectrogram()->forward(waveform);
  ASSERT_TRUE(power.sizes().equals({1, 257, 9}));
  // Frame 4 is centred on sample 1024, where the window is 1; in frames 3 and 5 it falls on the window's first sample,
  // which is 0.
  EXPECT_TRUE(torch::allclose(power.select(2, 4), torch::full({1, 257}, 4.0), 1e-5));
  EXPECT_EQ(power.select(2, 3).abs().max().item<float>(), 0.0F);
  EXPECT_EQ(power.select(2, 5).abs().max().item<float>(), 0.0F);
}

TEST(PowerSpectrogramTest, ReflectsWithoutRepeatingTheEdge) {
  torch::Tensor waveform = torch::zeros({1, 1024});
  waveform[0][0] = 1.0;
  const torch::Tensor at_edge = PowerSpectrogram()->forward(waveform);
  // A repeated edge sample would double the amplitude.
  EXPECT_TRUE(torch::allclose(at_edge.select(2, 0), torch::ones({1, 257}), 1e-5));
}

TEST(PowerSpectrogramTest, FramesAreOnePerHopAndOneMore) {
  PowerSpectrogram spectrogram;
  for (const int64_t n_samples : {257, 511, 512, 513, 59049}) {
    EXPECT_EQ(spectrogram->forward(torch::zeros({1, n_samples})).size(2), n_samples / 256 + 1) << n_samples;
  }
  EXPECT_EQ(frame_count(464000), 1813);
}

TEST(PowerSpectrogramTest, RejectsWhatCannotBeReflected) {
  EXPECT_EQ(message_of([] {
              PowerSpectrogram()->forward(torch::zeros({1, 256}));
            }),
            "power spectrogram: expected input [B, T] with T >= 257, got [1, 256]");
  EXPECT_EQ(message_of([] { PowerSpectrogram()->forward(torch::zeros({300})); }),
            "power spectrogram: expected input [B, T] with T >= 257, got [300]");
}

TEST(PowerToDbTest, HasAFloorAndNoCeiling) {
  const torch::Tensor db = power_to_db(torch::tensor({0.0F, 1e-11F, 1e-10F, 1.0F, 1000.0F}));
  EXPECT_TRUE(torch::allclose(db, torch::tensor({-100.0F, -100.0F, -100.0F, 0.0F, 30.0F}), 0.0, 1e-4));
}

TEST(MelFilterBankTest, BandsAreTrianglesWithPeaksNearOne) {
  for (const int64_t n_mels : {96, 128}) {
    const torch::Tensor bank = htk_mel_filter_bank(n_mels);
    ASSERT_TRUE(bank.sizes().equals({257, n_mels}));
    EXPECT_GE(bank.min().item<float>(), 0.0F);
    EXPECT_LE(bank.max().item<float>(), 1.0F);
    const torch::Tensor bins_per_band = bank.gt(0.0).sum(0);
    EXPECT_EQ(bins_per_band.eq(0).sum().item<int64_t>(), n_mels == 128 ? 1 : 0);
    EXPECT_EQ(bins_per_band.eq(1).sum().item<int64_t>(), n_mels == 128 ? 25 : 9);
    // Neighbouring triangles add up to one between the first and the last peak.
    const torch::Tensor sums = bank.sum(1).narrow(0, 2, 240);
    EXPECT_TRUE(torch::allclose(sums, torch::ones({240}), 0.0, 1e-5));
  }
  EXPECT_EQ(htk_mel_filter_bank(128).select(1, 0).max().item<float>(), 0.0F);
}

TEST(MelFilterBankTest, RejectsNoBandsAndTooMany) {
  EXPECT_EQ(message_of([] { htk_mel_filter_bank(0); }), "mel filter bank: n_mels must be from 1 to 512, got 0");
  EXPECT_EQ(message_of([] { htk_mel_filter_bank(513); }), "mel filter bank: n_mels must be from 1 to 512, got 513");
}

TEST(MelSpectrogramTest, ToneIsLoudestInTheBandAroundItsFrequency) {
  MelSpectrogram mel(128);
  const double top_mel = 2595.0 * std::log10(1.0 + 8000.0 / 700.0);
  for (const double hz : {440.0, 1000.0, 3000.0, 7000.0}) {
    const torch::Tensor power = mel->forward(tone(hz, 16000.0, 8000)).select(2, 15);
    const double band = 2595.0 * std::log10(1.0 + hz / 700.0) / top_mel * 129.0 - 1.0;
    EXPECT_NEAR(static_cast<double>(power.argmax().item<int64_t>()), band, 1.0) << hz;
  }
}

TEST(HarmonicTest, CentresRunInHalfSemitonesFromC1) {
  const std::vector<double> centres = harmonic_centres_hz();
  ASSERT_EQ(centres.size(), 768U);
  EXPECT_NEAR(centres.front(), 32.703, 5e-4);
  EXPECT_NEAR(centres[127], 1280.97, 5e-3);
  EXPECT_NEAR(centres.back(), 7685.85, 5e-3);
  EXPECT_NEAR(centres[128] / centres[0], 2.0, 1e-12);
  EXPECT_NEAR(centres[2] / centres[0], std::exp2(1.0 / 12.0), 1e-12);
}

TEST(HarmonicTest, OneFilterHoldsNoBinAtUnitQuality) {
  const torch::Tensor bank = HarmonicSpectrogram()->filter_bank();
  EXPECT_EQ(bank.gt(0.0).sum(0).eq(0).sum().item<int64_t>(), 1);
  EXPECT_LE(bank.max().item<float>(), 1.0F);
}

TEST(HarmonicTest, ToneShowsInTheBandsWhoseHarmonicItIs) {
  HarmonicSpectrogram harmonic;
  const torch::NoGradGuard no_gradient;
  // 1046.5 Hz is C6: level 120 of the first harmonic, 96 of the second (an octave is 24 levels).
  const torch::Tensor db = harmonic->forward(harmonic->power(tone(1046.502, 16000.0, 8000)));
  ASSERT_TRUE(db.sizes().equals({1, 6, 128, 32}));
  EXPECT_NEAR(static_cast<double>(db[0][0].select(1, 16).argmax().item<int64_t>()), 120.0, 1.0);
  EXPECT_NEAR(static_cast<double>(db[0][1].select(1, 16).argmax().item<int64_t>()), 96.0, 1.0);
}

TEST(HarmonicTest, QualityHasTheGradientOfFiniteDifferences) {
  HarmonicSpectrogram harmonic;
  harmonic->to(torch::kFloat64);
  torch::manual_seed(5);
  const torch::Tensor power = torch::rand({1, 257, 3}, torch::kFloat64);
  const auto value = [&] { return harmonic->forward(power).sum(); };
  value().backward();
  const double gradient = harmonic->bw_Q.grad().item<double>();
  const torch::NoGradGuard no_gradient;
  constexpr double kStep = 1e-6;
  harmonic->bw_Q.add_(kStep);
  const double above = value().item<double>();
  harmonic->bw_Q.sub_(2.0 * kStep);
  const double below = value().item<double>();
  // A triangle's foot may cross a bin within the step; that and rounding stay below a thousandth here.
  EXPECT_NEAR(gradient, (above - below) / (2.0 * kStep), 1e-3 * std::abs(gradient));
}

TEST(SlaneyMelTest, FramesFollowTheDatasetsCutterAndSilenceIsTheFloor) {
  const torch::Tensor db = SlaneyMelSpectrogram().forward(torch::zeros({2, 349200}));
  ASSERT_TRUE(db.sizes().equals({2, 96, 1366}));
  EXPECT_TRUE(torch::allclose(db, torch::full_like(db, -200.0), 0.0, 1e-4));
  EXPECT_EQ(message_of([] {
              SlaneyMelSpectrogram().forward(torch::zeros({1, 100}));
            }),
            "slaney mel spectrogram: expected input [B, T] with T >= 256, got [1, 100]");
}

TEST(FrontEndParityTest, WindowAndFilterBanksMatchTheReferences) {
  TAGBENCH_REQUIRE_SHARED("parity/mel");
  // The same arithmetic in single precision: equal here; other versions' vectorised functions may differ in the last
  // place, which the subtraction of neighbouring edges magnifies to about 1e-5 of a weight.
  EXPECT_LE((PowerSpectrogram()->window - load("mel/hann512.npy")).abs().max().item<float>(), 1.2e-7F);
  for (const int64_t n_mels : {96, 128}) {
    const torch::Tensor expected = load("mel/mel_fb_" + std::to_string(n_mels) + ".npy");
    EXPECT_LE((htk_mel_filter_bank(n_mels) - expected).abs().max().item<float>(), 2e-5F) << n_mels;
  }
}

TEST(FrontEndParityTest, MelPowerAndDecibelsMatchTheReferences) {
  TAGBENCH_REQUIRE_SHARED("parity/mel");
  const Json meta = read_json(shared_path("parity/mel/meta.json"));
  const Json& tolerance = meta.at("tolerance");
  const torch::NoGradGuard no_gradient;
  int n_cases = 0;
  for (const Json& item : meta.at("cases")) {
    if (item.contains("harmonic")) continue;
    ++n_cases;
    const int64_t n_mels = item.at("n_mels").get<int64_t>();
    MelSpectrogram mel(n_mels);
    mel->spectrogram->window.copy_(load("mel/hann512.npy"));
    mel->mel_scale->fb.copy_(load("mel/mel_fb_" + std::to_string(n_mels) + ".npy"));
    const torch::Tensor power = mel->forward(load("mel/" + item.at("wave").get<std::string>()));
    const torch::Tensor db = power_to_db(power);
    const torch::Tensor expected_db = load("mel/" + item.at("db").get<std::string>());
    ASSERT_TRUE(db.sizes().equals(expected_db.sizes()));
    const torch::Tensor near_maximum = expected_db.gt(std::get<0>(expected_db.max(1, true)) - 80.0);
    EXPECT_LE((db - expected_db).abs().masked_select(near_maximum).max().item<double>(),
              tolerance.at("db_abs_within_80_db_of_frame_maximum").get<double>());
    if (item.at("power").is_null()) continue;
    const torch::Tensor expected = load("mel/" + item.at("power").get<std::string>());
    const torch::Tensor allowed =
        tolerance.at("power_relative").get<double>() * expected +
        tolerance.at("power_absolute_times_frame_maximum").get<double>() * std::get<0>(expected.max(1, true));
    EXPECT_LE(((power - expected).abs() - allowed).max().item<double>(), 0.0);
  }
  EXPECT_EQ(n_cases, 4);
}

TEST(FrontEndParityTest, PowerSpectrogramMatchesTheReference) {
  TAGBENCH_REQUIRE_SHARED("parity/mel");
  const torch::Tensor wave = load("mel/wave_b20011.npy").narrow(0, 0, 1).narrow(1, 0, 8000).contiguous();
  const torch::Tensor expected = load("mel/power_spectrogram_first8000.npy").reshape({1, 257, 32});
  const torch::Tensor power = PowerSpectrogram()->forward(wave);
  // The rule of the mel fixtures: 1e-4 relative and 5e-10 of the frame's maximum, for rounding in the transform.
  const torch::Tensor allowed = 1e-4 * expected + 5e-10 * std::get<0>(expected.max(1, true));
  EXPECT_LE(((power - expected).abs() - allowed).max().item<double>(), 0.0);
}

TEST(FrontEndParityTest, HarmonicFiltersAndDecibelsMatchTheReferences) {
  TAGBENCH_REQUIRE_SHARED("parity/mel");
  const std::vector<double> centres = harmonic_centres_hz();
  const torch::Tensor expected_centres = load("mel/harmonic_f0.npy");
  // Equal after rounding to float32, but for the last place (6e-8 relative).
  EXPECT_TRUE(torch::allclose(torch::tensor(centres).to(torch::kFloat32), expected_centres, 1.2e-7, 0.0));
  const torch::Tensor wave = load("mel/wave_a48000.npy").narrow(0, 0, 2).narrow(1, 0, 16000).contiguous();
  const torch::NoGradGuard no_gradient;
  for (const char* quality : {"1.0", "0.73"}) {
    HarmonicSpectrogram harmonic;
    harmonic->bw_Q.fill_(std::stod(quality));
    const torch::Tensor bank = load(std::string("mel/harmonic_fb_Q") + quality + ".npy");
    // The reference subtracts two products of up to 1000 in float32, which costs up to about 1e-4.
    EXPECT_LE((harmonic->filter_bank() - bank).abs().max().item<float>(), 1.5e-4F) << quality;
    const torch::Tensor expected = load(std::string("mel/harmdb_Q") + quality + "_a48000.npy");
    const torch::Tensor db = harmonic->forward(harmonic->power(wave));
    const torch::Tensor loud = expected.gt(-60.0);
    // 0.0083 and 0.05 dB are the tolerances of the harmonic CNN's own fixtures.
    EXPECT_LE((db - expected).abs().masked_select(loud).max().item<double>(), 0.0083) << quality;
    EXPECT_LE((db - expected).abs().max().item<double>(), 0.05) << quality;
  }
}

TEST(FrontEndParityTest, SlaneyMelMatchesEssentias) {
  TAGBENCH_REQUIRE_SHARED("parity/inputs");
  const torch::Tensor expected = load("inputs/essentia_mel96_12k.npy");
  const torch::Tensor found = SlaneyMelSpectrogram().forward(load("inputs/audio12k_349200.npy"));
  ASSERT_TRUE(found.sizes().equals(expected.sizes()));
  const torch::Tensor difference = (found - expected).abs().masked_select(expected.gt(-120.0));
  // Single precision in the reference shows in quiet cells of loud frames: the same steps in double precision leave 59
  // of 259,941 cells beyond the 0.02 dB stated with the fixture, by up to 0.106 dB.
  EXPECT_LE(difference.gt(0.02).to(torch::kFloat64).mean().item<double>(), 5e-4);
  EXPECT_LE(difference.max().item<double>(), 0.15);
}

}  // namespace
}  // namespace tagbench
