#include "perturbations/filters.h"

#include <cmath>

#include "perturbations/fft.h"

namespace tagbench {
namespace {

constexpr int kSections = 4;

struct Section {
  double b0;
  double b1;
  double b2;
  double a1;
  double a2;
};

// Second-order section of a Butterworth filter of order 2 * kSections, `index` counting its pairs of poles.
Section butterworth_section(int index, double cutoff_hz, int sample_rate_hz, bool high) {
  const double k = std::tan(M_PI * cutoff_hz / sample_rate_hz);
  const double damping = 2.0 * std::sin(M_PI * (2.0 * index + 1.0) / (4.0 * kSections));
  const double norm = 1.0 / (1.0 + damping * k + k * k);
  const double b0 = high ? norm : k * k * norm;
  return {b0, high ? -2.0 * b0 : 2.0 * b0, b0, 2.0 * (k * k - 1.0) * norm, (1.0 - damping * k + k * k) * norm};
}

std::vector<double> butterworth(std::vector<double> values, double cutoff_hz, int sample_rate_hz, bool high) {
  for (int index = 0; index < kSections; ++index) {
    const Section s = butterworth_section(index, cutoff_hz, sample_rate_hz, high);
    double state1 = 0.0;
    double state2 = 0.0;
    for (double& value : values) {
      const double x = value;
      value = s.b0 * x + state1;
      state1 = s.b1 * x - s.a1 * value + state2;
      state2 = s.b2 * x - s.a2 * value;
    }
  }
  return values;
}

}  // namespace

std::vector<double> low_pass(const std::vector<double>& input, double cutoff_hz, int sample_rate_hz) {
  if (cutoff_hz >= sample_rate_hz / 2.0) return input;
  return butterworth(input, cutoff_hz, sample_rate_hz, false);
}

std::vector<double> high_pass(const std::vector<double>& input, double cutoff_hz, int sample_rate_hz) {
  if (cutoff_hz >= sample_rate_hz / 2.0) return std::vector<double>(input.size(), 0.0);
  return butterworth(input, cutoff_hz, sample_rate_hz, true);
}

std::vector<double> centred_convolution(const std::vector<double>& input, const std::vector<double>& kernel) {
  const std::vector<double> whole = convolve(input, kernel);
  if (whole.empty()) return input;
  const auto begin = whole.begin() + static_cast<std::ptrdiff_t>(kernel.size() / 2);
  return std::vector<double>(begin, begin + static_cast<std::ptrdiff_t>(input.size()));
}

}  // namespace tagbench
