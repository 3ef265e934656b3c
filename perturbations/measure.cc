#include "perturbations/measure.h"

#include <algorithm>
#include <cmath>

namespace tagbench {

double energy(const std::vector<float>& samples) {
  double sum = 0.0;
  for (const float sample : samples) sum += static_cast<double>(sample) * static_cast<double>(sample);
  return sum;
}

double energy(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value * value;
  return sum;
}

double peak(const std::vector<float>& samples) {
  double largest = 0.0;
  for (const float sample : samples) largest = std::max(largest, std::fabs(static_cast<double>(sample)));
  return largest;
}

std::optional<double> ratio_db(double a, double b) {
  if (!(a > 0.0) || !(b > 0.0)) return std::nullopt;
  return 10.0 * std::log10(a / b);
}

double from_db(double db) {
  return std::pow(10.0, db / 20.0);
}

std::vector<double> to_double(const std::vector<float>& samples) {
  return std::vector<double>(samples.begin(), samples.end());
}

std::vector<float> to_float(const std::vector<double>& values) {
  std::vector<float> samples;
  samples.reserve(values.size());
  for (const double value : values) samples.push_back(static_cast<float>(value));
  return samples;
}

std::vector<float> with_energy(const std::vector<double>& values, double wanted) {
  const double found = energy(values);
  const double factor = found > 0.0 && wanted > 0.0 ? std::sqrt(wanted / found) : 1.0;
  std::vector<float> samples;
  samples.reserve(values.size());
  for (const double value : values) samples.push_back(static_cast<float>(value * factor));
  return samples;
}

void record(std::map<std::string, double>& reached, const std::string& name, std::optional<double> value) {
  if (value) reached[name] = *value;
}

int64_t length_at_rate(int64_t samples, double rate) {
  return std::llround(static_cast<double>(samples) / rate);
}

}  // namespace tagbench
