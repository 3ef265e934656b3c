#pragma once

#include <optional>
#include <vector>

#include "harness/core/rng.h"
#include "perturbations/perturbation.h"

namespace tagbench {

// n independent standard normal deviates.
std::vector<double> white_noise(int64_t n, Rng& rng);

// Gaussian noise whose power falls with the frequency by 3 dB (pink) or 6 dB (brown) per octave, from 20 Hz on; flat
// below. Within 0.3 dB per octave up to a quarter of the sample rate. Only the shape is defined, not the level.
std::vector<double> pink_noise(int64_t n, int sample_rate_hz, Rng& rng);
std::vector<double> brown_noise(int64_t n, int sample_rate_hz, Rng& rng);

// y = (1 - alpha) x + alpha n, where n is `raw_noise` scaled so that max|n| equals the largest (signed) sample of x. A
// pure function of its arguments; `raw_noise` has as many values as `x`. Silence stays silence.
//
// Source: Won et al. (2020), section 2.2, and the released evaluation script. Differs from the script where n is odd:
// the script then loses the last sample.
std::vector<float> mix_by_weight(const std::vector<float>& x, const std::vector<double>& raw_noise, double alpha);

// 10 log10 of the energy of (1 - alpha) x over that of alpha n in mix_by_weight. Nothing where either has none.
std::optional<double> snr_of_weight(const std::vector<float>& x, const std::vector<double>& raw_noise, double alpha);

// y = x + g n with g such that the energies of x and g n differ by `snr_db` over the whole track. Reached: snr_db.
// Where x or the noise has no energy the ratio is undefined and y = x.
Perturbed mix_at_snr(const Waveform& x, const std::vector<double>& noise, double snr_db);

}  // namespace tagbench
