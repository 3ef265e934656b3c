#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/waveform.h"
#include "perturbations/perturbation.h"

// Signals for the tests of perturbations, and measurements on what comes out.
namespace tagbench::testing {

Waveform sine(double frequency_hz, double amplitude, double duration_s, int sample_rate_hz = 16000);
Waveform silence(int64_t samples, int sample_rate_hz = 16000);
// A chord with vibrato, a beat of short noise bursts and a fade: something with pitch, rhythm and dynamics. Peak about
// 0.5.
Waveform music(double duration_s, int sample_rate_hz = 16000);
// Gaussian noise with standard deviation 0.1.
Waveform hiss(int64_t samples, int sample_rate_hz = 16000);

// Frequency of the largest peak of the spectrum (Hann window, parabola through the logarithms), the median over frames
// of 8,192 samples: engines that reset phases in the middle of a tone split the peak of the whole. Needs 8,192 samples.
double peak_frequency_hz(const Waveform& waveform);
// Mean power of the bins from `low_hz` to `high_hz`, summed, in dB: frames of 2,048 samples under a Hann window.
double band_db(const Waveform& waveform, double low_hz, double high_hz);
// 10 log10(sum reference^2 / sum (reference - test)^2); 1000 where they are equal. The lengths must be equal.
double snr_db(const std::vector<float>& reference, const std::vector<float>& test);
double rms(const std::vector<float>& samples, size_t begin, size_t end);
inline double rms(const std::vector<float>& samples) {
  return rms(samples, 0, samples.size());
}
bool all_finite(const std::vector<float>& samples);

// All samples of a sound file of one channel, as they are.
Waveform read_sound(const std::string& path);

// Condition::parse(text).apply(input, seed, "track").
Perturbed applied(const std::string& condition, const Waveform& input, uint64_t seed = 1);

}  // namespace tagbench::testing
