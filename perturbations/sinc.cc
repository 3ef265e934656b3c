#include "perturbations/sinc.h"

#include <algorithm>
#include <cmath>

namespace tagbench {
namespace {

constexpr int kZeroCrossings = 64;
constexpr int kStepsPerCrossing = 512;
constexpr double kKaiserBeta = 14.769656459379492;

double bessel_i0(double x) {
  double term = 1.0;
  double sum = 1.0;
  for (int k = 1; term > 1e-17 * sum; ++k) {
    term *= (x / (2.0 * k)) * (x / (2.0 * k));
    sum += term;
  }
  return sum;
}

// Right half of the windowed sinc, one value more than needed so that interpolation may read past the end.
std::vector<double> windowed_sinc() {
  const int steps = kZeroCrossings * kStepsPerCrossing;
  std::vector<double> table(static_cast<size_t>(steps) + 2, 0.0);
  for (int i = 0; i <= steps; ++i) {
    const double x = M_PI * kSincRollOff * i / kStepsPerCrossing;
    const double sinc = i == 0 ? 1.0 : std::sin(x) / x;
    const double edge = static_cast<double>(i) / steps;
    const double window = bessel_i0(kKaiserBeta * std::sqrt(1.0 - edge * edge)) / bessel_i0(kKaiserBeta);
    table[static_cast<size_t>(i)] = kSincRollOff * sinc * window;
  }
  return table;
}

}  // namespace

double sinc_value(const std::vector<double>& signal, double time, double scale) {
  static const std::vector<double> table = windowed_sinc();
  const double reach = kZeroCrossings / scale;
  const auto n = static_cast<int64_t>(signal.size());
  const auto first = std::max<int64_t>(0, static_cast<int64_t>(std::ceil(time - reach)));
  const auto last = std::min<int64_t>(n - 1, static_cast<int64_t>(std::floor(time + reach)));
  double sum = 0.0;
  for (int64_t k = first; k <= last; ++k) {
    const double offset = std::fabs(time - static_cast<double>(k)) * scale * kStepsPerCrossing;
    const auto index = static_cast<size_t>(offset);
    const double fraction = offset - static_cast<double>(index);
    sum += signal[static_cast<size_t>(k)] * (table[index] + fraction * (table[index + 1] - table[index]));
  }
  return sum * scale;
}

std::vector<double> sinc_resample(const std::vector<double>& input, double ratio, int64_t length) {
  std::vector<double> output(static_cast<size_t>(std::max<int64_t>(length, 0)), 0.0);
  const auto produced = std::min(length, static_cast<int64_t>(std::ceil(static_cast<double>(input.size()) * ratio)));
  // When the rate falls, the cut-off falls with it.
  const double scale = std::min(1.0, ratio);
  for (int64_t i = 0; i < produced; ++i) {
    output[static_cast<size_t>(i)] = sinc_value(input, static_cast<double>(i) / ratio, scale);
  }
  return output;
}

}  // namespace tagbench
