#pragma once

#include <cstdint>
#include <vector>

#include "harness/core/waveform.h"

// Spectral fingerprints that survive re-encoding, changes of level and of sample rate, and an index that finds equal or
// overlapping recordings among 100,000 tracks in the memory of a laptop (about 10 KB per track).
namespace tagbench {

constexpr double kFingerprintHop_s = 0.025;
constexpr double kFingerprintLongest_s = 30.0;

// One 32-bit word per 25 ms: bit m tells whether the energy difference between bands m and m + 1 (33 bands, logarithmic
// from 300 to 2,000 Hz, windows of 0.37 s) grew since the window 0.1 s earlier. Source: J. Haitsma and T. Kalker, A
// Highly Robust Audio Fingerprinting System, ISMIR 2002; with a coarser hop and a longer difference.
struct Fingerprint {
  std::vector<uint32_t> words;
  std::vector<uint32_t>
      weak;  // per word the bits of smallest margin (three of them): those that re-encoding flips first
  std::vector<bool> sounding;  // per word; silence (60 dB below the loudest window) has no fingerprint
};

// Of at most 30 s, from a quarter into longer audio. Empty for audio under half a second or with a rate under 4,500 Hz.
Fingerprint fingerprint_of(const Waveform& waveform);

// Whether find_matches can find it at all: 2.5 s that sound. Shorter audio can only be told to be equal or not.
bool can_match(const Fingerprint& fingerprint);

struct AudioMatch {
  int64_t first = 0;  // indices of the fingerprints, first < second
  int64_t second = 0;
  double bit_error_rate = 0.0;  // 0 for equal audio, 0.5 for unrelated
  double overlap_s = 0.0;       // compared duration
  double offset_s = 0.0;        // the second's beginning against the first's
};

// Pairs with the same audio: at most kMatchErrorRate of the bits differ over 8 s or more, or kShortMatchErrorRate
// over 2.5 s or more. In order of (first, second); of several alignments the best. The result depends neither on
// threads nor on the order of the fingerprints beyond the indices. Errors: Interrupted.
std::vector<AudioMatch> find_matches(const std::vector<Fingerprint>& fingerprints, int threads);

constexpr double kMatchErrorRate = 0.32;
constexpr double kShortMatchErrorRate = 0.22;

}  // namespace tagbench
