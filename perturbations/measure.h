#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tagbench {

// Sum of squares, in double.
double energy(const std::vector<float>& samples);
double energy(const std::vector<double>& values);
// Largest absolute value; 0 for no samples.
double peak(const std::vector<float>& samples);
// 10 log10(a / b); nothing where either is not positive.
std::optional<double> ratio_db(double a, double b);
double from_db(double db);  // amplitude

std::vector<double> to_double(const std::vector<float>& samples);
std::vector<float> to_float(const std::vector<double>& values);
// `values` times the factor that gives them `wanted` energy; as they are where they or `wanted` have none. For
// perturbations that change the sound but not the loudness.
std::vector<float> with_energy(const std::vector<double>& values, double wanted);

// Stores what is defined and leaves out what is not.
void record(std::map<std::string, double>& reached, const std::string& name, std::optional<double> value);

// round(samples / rate): the length of a track played `rate` times as fast.
int64_t length_at_rate(int64_t samples, double rate);

}  // namespace tagbench
