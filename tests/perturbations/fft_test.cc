#include "perturbations/fft.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/core/rng.h"

namespace tagbench {
namespace {

std::vector<double> random_values(size_t n) {
  Rng rng(1, {"fft"});
  std::vector<double> values(n);
  for (double& value : values) value = rng.normal();
  return values;
}

TEST(FftTest, EqualsTheDefinition) {
  for (const size_t size : {size_t{4}, size_t{8}, size_t{64}}) {
    const RealFft fft(size);
    const std::vector<double> signal = random_values(size);
    std::vector<std::complex<double>> spectrum(fft.bins());
    fft.forward(signal.data(), spectrum.data());
    for (size_t k = 0; k < fft.bins(); ++k) {
      std::complex<double> sum = 0.0;
      for (size_t i = 0; i < size; ++i) {
        sum += signal[i] * std::polar(1.0, -2.0 * M_PI * static_cast<double>(i * k) / static_cast<double>(size));
      }
      // Rounding of some 64 terms of order 1.
      EXPECT_NEAR(std::abs(spectrum[k] - sum), 0.0, 1e-12) << size << " bin " << k;
    }
  }
}

TEST(FftTest, InverseReturnsTheSignal) {
  const RealFft fft(4096);
  const std::vector<double> signal = random_values(fft.size());
  std::vector<std::complex<double>> spectrum(fft.bins());
  std::vector<double> back(fft.size());
  fft.forward(signal.data(), spectrum.data());
  fft.inverse(spectrum.data(), back.data());
  for (size_t i = 0; i < signal.size(); ++i) ASSERT_NEAR(back[i], signal[i], 1e-13);
}

TEST(FftTest, RefusesSizesThatAreNoPowerOfTwo) {
  EXPECT_THROW(RealFft(0), std::logic_error);
  EXPECT_THROW(RealFft(2), std::logic_error);
  EXPECT_THROW(RealFft(12), std::logic_error);
}

TEST(FftTest, ConvolutionEqualsTheSumForAnyLengths) {
  for (const size_t n : {size_t{1}, size_t{5}, size_t{300}}) {
    for (const size_t m : {size_t{1}, size_t{7}, size_t{129}}) {
      const std::vector<double> signal = random_values(n);
      const std::vector<double> kernel = random_values(m);
      const std::vector<double> result = convolve(signal, kernel);
      ASSERT_EQ(result.size(), n + m - 1);
      for (size_t i = 0; i < result.size(); ++i) {
        double sum = 0.0;
        for (size_t k = 0; k < m; ++k) {
          if (i >= k && i - k < n) sum += kernel[k] * signal[i - k];
        }
        ASSERT_NEAR(result[i], sum, 1e-11);
      }
    }
  }
  EXPECT_TRUE(convolve({}, {1.0}).empty());
  EXPECT_TRUE(convolve({1.0}, {}).empty());
}

}  // namespace
}  // namespace tagbench
