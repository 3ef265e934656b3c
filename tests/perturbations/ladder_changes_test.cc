#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdio>
#include <cstdlib>

#include "harness/core/text.h"
#include "perturbations/condition.h"
#include "perturbations/fft.h"
#include "perturbations/measure.h"
#include "perturbations/noise.h"
#include "perturbations/registry.h"
#include "tests/perturbations/signals.h"

// How far each severity moves a log-mel spectrogram: the numbers that the reasons of the ladders quote. Measured on one
// clip of 4 s at 16 kHz, testing::music over a bed of pink noise 30 dB below it, perturbed with seed 1: power spectrum
// of 2,048 samples under a periodic Hann window, hop 512; 96 triangular filters of height 1, evenly spaced on the mel
// scale of HTK from 0 to 8 kHz; in dB, nothing below 80 dB under the clean clip's largest value. The change is the mean
// of the absolute differences over frames and bands. Where the speed changes by `rate`, a frame centred at t is
// compared with the one centred at t / rate. `cmake --build BUILD --target ladder_changes` prints all.
namespace tagbench {
namespace {

constexpr int kLadderRateHz = 16000;
constexpr int64_t kLadderFrame = 2048;
constexpr int64_t kLadderHop = 512;
constexpr size_t kLadderBands = 96;
constexpr double kLadderRangeDb = 80.0;

Waveform ladder_clip() {
  const Waveform music = testing::music(4.0, kLadderRateHz);
  Rng rng(9, {"bed"});
  return mix_at_snr(music, pink_noise(music.size(), kLadderRateHz, rng), 30.0).waveform;
}

// [frames][bands], power. Frame l is centred at l * kLadderHop / rate, for every frame that lies within `clean_samples`
// at rate 1.
std::vector<std::vector<double>> mel_frames(const Waveform& waveform, int64_t clean_samples, double rate) {
  const RealFft fft(kLadderFrame);
  const auto mel = [](double hz) { return 2595.0 * std::log10(1.0 + hz / 700.0); };
  const double step = mel(kLadderRateHz / 2.0) / static_cast<double>(kLadderBands + 1);
  std::vector<double> windowed(fft.size());
  std::vector<std::complex<double>> spectrum(fft.bins());
  std::vector<std::vector<double>> frames;
  for (int64_t centre = kLadderFrame / 2; centre + kLadderFrame / 2 <= clean_samples; centre += kLadderHop) {
    const int64_t begin = std::llround(static_cast<double>(centre) / rate) - kLadderFrame / 2;
    for (int64_t i = 0; i < kLadderFrame; ++i) {
      const bool inside = begin + i >= 0 && begin + i < waveform.size();
      const double value = inside ? static_cast<double>(waveform.samples[static_cast<size_t>(begin + i)]) : 0.0;
      const double window = 0.5 - 0.5 * std::cos(2.0 * M_PI * static_cast<double>(i) / kLadderFrame);
      windowed[static_cast<size_t>(i)] = window * value;
    }
    fft.forward(windowed.data(), spectrum.data());
    std::vector<double> bands(kLadderBands, 0.0);
    for (size_t k = 0; k < spectrum.size(); ++k) {
      const double place = mel(static_cast<double>(k) * kLadderRateHz / kLadderFrame) / step;
      // Band b rises from place b to b + 1 and falls to b + 2.
      const auto left = static_cast<size_t>(place);
      const double share = place - static_cast<double>(left);
      if (left < kLadderBands) bands[left] += share * std::norm(spectrum[k]);
      if (left >= 1 && left <= kLadderBands) bands[left - 1] += (1.0 - share) * std::norm(spectrum[k]);
    }
    frames.push_back(std::move(bands));
  }
  return frames;
}

double mel_change_db(const Waveform& clean, const Waveform& changed, double rate) {
  const auto before = mel_frames(clean, clean.size(), 1.0);
  const auto after = mel_frames(changed, clean.size(), rate);
  double largest = 0.0;
  for (const auto& frame : before) largest = std::max(largest, *std::max_element(frame.begin(), frame.end()));
  const double floor = largest * std::pow(10.0, -kLadderRangeDb / 10.0);
  double sum = 0.0;
  for (size_t l = 0; l < before.size(); ++l) {
    for (size_t b = 0; b < kLadderBands; ++b)
      sum += std::fabs(10.0 * std::log10(std::max(after[l][b], floor) / std::max(before[l][b], floor)));
  }
  return sum / static_cast<double>(before.size() * kLadderBands);
}

// Of each step of the ladder; nothing where a file or a score of the user's decides.
std::vector<double> ladder_changes_db(const PerturbationFacts& facts) {
  std::vector<double> changes;
  if (facts.from_score || facts.parameters.front().name == "path") return changes;
  const Waveform clip = ladder_clip();
  for (size_t step = 1; step <= facts.ladder.size(); ++step) {
    const Perturbed result = testing::applied(facts.name + "@" + std::to_string(step), clip);
    const double rate = facts.length == LengthChange::kByRatio ? result.reached.at("rate") : 1.0;
    changes.push_back(mel_change_db(clip, result.waveform, rate));
  }
  return changes;
}

TEST(LadderChangesTest, ReasonsQuoteWhatIsMeasured) {
  const bool prints = std::getenv("TAGBENCH_PRINT_LADDER_CHANGES") != nullptr;
  for (const PerturbationEntry& entry : perturbations()) {
    const std::vector<double> changes = ladder_changes_db(entry.facts);
    std::vector<std::string> texts;
    for (const double change : changes) texts.push_back(format_fixed(change, 1));
    if (prints) std::printf("%s: %s dB\n", entry.facts.name.c_str(), join_text(texts, ", ").c_str());
    const std::string& reason = entry.facts.ladder_reason;
    const std::string start = "log-mel change of ";
    const size_t found = reason.find(start);
    if (found == std::string::npos) continue;
    const size_t begin = found + start.size();
    const std::vector<std::string> quoted = split_text(reason.substr(begin, reason.find(" dB", begin) - begin), ',');
    ASSERT_EQ(quoted.size(), changes.size()) << entry.facts.name;
    // Codecs and engines of another release differ by a little; 0.05 dB is the rounding.
    for (size_t i = 0; i < changes.size(); ++i)
      EXPECT_NEAR(changes[i], parse_real(trim(quoted[i])).value(), 0.06 + 0.1 * changes[i]) << entry.facts.name;
  }
}

}  // namespace
}  // namespace tagbench
