#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <complex>

#include "harness/core/json.h"
#include "harness/core/npy.h"
#include "perturbations/condition.h"
#include "perturbations/noise.h"
#include "tests/perturbations/signals.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using testing::applied;
using testing::message_of;

// The inverse real transform of length n - 1 of the spectrum of n values, n odd, by the definition.
std::vector<double> shortened_by_odd_transform(const std::vector<double>& values) {
  const size_t n = values.size();
  const size_t m = n - 1;
  const size_t bins = n / 2 + 1;
  std::vector<std::complex<double>> turns(n);
  for (size_t i = 0; i < n; ++i)
    turns[i] = std::polar(1.0, -2.0 * M_PI * static_cast<double>(i) / static_cast<double>(n));
  std::vector<std::complex<double>> spectrum(bins);
  for (size_t k = 0; k < bins; ++k) {
    double real = 0.0;
    double imaginary = 0.0;
    for (size_t i = 0, turn = 0; i < n; ++i) {
      real += values[i] * turns[turn].real();
      imaginary += values[i] * turns[turn].imag();
      turn += k;
      if (turn >= n) turn -= n;
    }
    spectrum[k] = {real, imaginary};
  }
  std::vector<double> result(m);
  for (size_t i = 0; i < m; ++i)
    turns[i] = std::polar(1.0, 2.0 * M_PI * static_cast<double>(i) / static_cast<double>(m));
  for (size_t i = 0; i < m; ++i) {
    double sum = spectrum[0].real() + spectrum[bins - 1].real() * (i % 2 == 0 ? 1.0 : -1.0);
    for (size_t k = 1, turn = i; k + 1 < bins; ++k) {
      sum += 2.0 * (spectrum[k].real() * turns[turn].real() - spectrum[k].imag() * turns[turn].imag());
      turn += i;
      if (turn >= m) turn -= m;
    }
    result[i] = sum / static_cast<double>(m);
  }
  return result;
}

TEST(WhiteNoiseTest, MixtureEqualsReferenceClips) {
  TAGBENCH_REQUIRE_SHARED("parity/noise/meta.json");
  const Json meta = read_json(testing::shared_path("parity/noise/meta.json"));
  const auto read = [](const Json& name) {
    return read_npy(testing::shared_path("parity/noise/" + name.get<std::string>())).as_double();
  };
  for (const Json& entry : meta.at("cases")) {
    const std::vector<double> wide = read(entry.at("in"));
    std::vector<float> x(wide.begin(), wide.end());
    std::vector<double> raw = read(entry.at("raw_noise"));
    if (raw.size() % 2 == 1) {
      raw = shortened_by_odd_transform(raw);
      x.pop_back();
    }
    const double alpha = entry.at("alpha").get<double>();
    const std::vector<double> expected = read(entry.at("out"));
    const std::vector<float> found = mix_by_weight(x, raw, alpha);
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) {
      // The tolerance stated with the references.
      ASSERT_NEAR(static_cast<double>(found[i]), expected[i], 1e-6) << entry.at("out") << " sample " << i;
    }
    EXPECT_NEAR(snr_of_weight(x, raw, alpha).value(), entry.at("snr_db").get<double>(), 1e-3) << entry.at("out");
  }
}

TEST(WhiteNoiseTest, SnrReachedMatchesAlpha) {
  const Waveform clip = testing::music(2.0);
  for (const double alpha : {0.1, 0.4}) {
    const Perturbed result = applied("white_noise:alpha=" + std::to_string(alpha), clip);
    // By the definition of the mixture the noise is what remains when (1 - alpha) x is taken away.
    double signal = 0.0;
    double noise = 0.0;
    double noise_peak = 0.0;
    double largest = 0.0;
    for (size_t i = 0; i < clip.samples.size(); ++i) {
      const double x = static_cast<double>(clip.samples[i]);
      const double n = static_cast<double>(result.waveform.samples[i]) - (1.0 - alpha) * x;
      signal += (1.0 - alpha) * x * (1.0 - alpha) * x;
      noise += n * n;
      noise_peak = std::max(noise_peak, std::fabs(n));
      largest = std::max(largest, x);
    }
    EXPECT_NEAR(result.reached.at("snr_db"), 10.0 * std::log10(signal / noise), 1e-3);
    EXPECT_NEAR(noise_peak, alpha * largest, 1e-6);
  }
}

TEST(WhiteNoiseTest, ReachesRequestedSnrWithinThousandthOfDb) {
  const Waveform clip = testing::music(1.0);
  for (const double snr : {40.0, 20.0, 0.0, -20.0}) {
    const Perturbed result = applied("white_noise:snr_db=" + std::to_string(snr), clip);
    EXPECT_NEAR(result.reached.at("snr_db"), snr, 1e-3);
    EXPECT_NEAR(testing::snr_db(clip.samples, result.waveform.samples), snr, 1e-3);
  }
}

TEST(WhiteNoiseTest, SpectrumIsFlat) {
  Rng rng(3, {"flat"});
  const std::vector<double> noise = white_noise(200000, rng);
  double sum = 0.0;
  double square = 0.0;
  double neighbours = 0.0;
  for (size_t i = 0; i < noise.size(); ++i) {
    sum += noise[i];
    square += noise[i] * noise[i];
    if (i > 0) neighbours += noise[i] * noise[i - 1];
  }
  const double n = static_cast<double>(noise.size());
  // Five standard errors of each estimate.
  EXPECT_NEAR(sum / n, 0.0, 5.0 / std::sqrt(n));
  EXPECT_NEAR(square / n, 1.0, 5.0 * std::sqrt(2.0 / n));
  EXPECT_NEAR(neighbours / n, 0.0, 5.0 / std::sqrt(n));
}

TEST(WhiteNoiseTest, LeavesSilenceSilentAndItsSnrUndefined) {
  for (const std::string setting : {"alpha=0.4", "snr_db=0"}) {
    const Perturbed result = applied("white_noise:" + setting, testing::silence(1000));
    EXPECT_EQ(result.waveform.samples, std::vector<float>(1000, 0.0F));
    EXPECT_EQ(result.reached.count("snr_db"), 0U);
  }
}

TEST(WhiteNoiseTest, WantsExactlyOneOfAlphaAndSnr) {
  EXPECT_EQ(message_of([] { Condition::parse("white_noise"); }),
            "white_noise: either alpha or snr_db was expected, found neither");
  EXPECT_EQ(message_of([] { Condition::parse("white_noise:alpha=0.1,snr_db=3"); }),
            "white_noise: either alpha or snr_db was expected, found both");
  EXPECT_THAT(message_of([] { Condition::parse("white_noise:alpha=1.5"); }),
              ::testing::HasSubstr("from 0 to 1, got '1.5'"));
  EXPECT_THAT(message_of([] { Condition::parse("white_noise:alpha=nan"); }), ::testing::HasSubstr("finite number"));
}

}  // namespace
}  // namespace tagbench
