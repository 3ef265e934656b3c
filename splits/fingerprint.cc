#include "splits/fingerprint.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <map>
#include <mutex>
#include <tuple>

#include "harness/core/interrupt.h"
#include "harness/core/parallel.h"
#include "harness/core/progress.h"

namespace tagbench {
namespace {

constexpr double kWindow_s = 0.3715;
constexpr int kBands = 33;
constexpr double kLowest_hz = 300.0;
constexpr double kHighest_hz = 2000.0;
constexpr size_t kDifferenceHops = 4;  // 0.1 s
constexpr size_t kIndexEvery = 4;      // every fourth word is in the index, all are looked up
constexpr int kWeakBits = 3;
constexpr double kSilence = 1e-6;  // -60 dB in energy
// Compared words that make a match.
constexpr int64_t kLongMatch = 80;   // 8 s
constexpr int64_t kShortMatch = 25;  // 2.5 s

// In-place radix-2 transform of a power of two points.
class Fft {
 public:
  explicit Fft(size_t n) : n_(n), twiddles_(n / 2), reversed_(n) {
    for (size_t i = 0; i < n / 2; ++i) {
      const double angle = -2.0 * M_PI * static_cast<double>(i) / static_cast<double>(n);
      twiddles_[i] = {static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))};
    }
    size_t bits = 0;
    while ((size_t{1} << bits) < n) ++bits;
    for (size_t i = 0; i < n; ++i) {
      size_t j = 0;
      for (size_t b = 0; b < bits; ++b) j |= (i >> b & 1U) << (bits - 1 - b);
      reversed_[i] = j;
    }
  }

  void transform(std::vector<std::complex<float>>& values) const {
    for (size_t i = 0; i < n_; ++i) {
      if (i < reversed_[i]) std::swap(values[i], values[reversed_[i]]);
    }
    for (size_t half = 1; half < n_; half *= 2) {
      const size_t stride = n_ / (2 * half);
      for (size_t begin = 0; begin < n_; begin += 2 * half) {
        for (size_t i = 0; i < half; ++i) {
          const std::complex<float> w = twiddles_[i * stride];
          std::complex<float>& a = values[begin + i];
          std::complex<float>& b = values[begin + i + half];
          // Written out: the library's product tests for NaN, which costs more than the product.
          const std::complex<float> t(w.real() * b.real() - w.imag() * b.imag(),
                                      w.real() * b.imag() + w.imag() * b.real());
          b = a - t;
          a += t;
        }
      }
    }
  }

 private:
  size_t n_;
  std::vector<std::complex<float>> twiddles_;
  std::vector<size_t> reversed_;
};

// Every `factor`-th sample behind a windowed-sinc low-pass at 2.2 kHz, just above the highest band.
std::vector<float> decimated(const float* samples, size_t n, int factor, double sample_rate_hz) {
  const int half = 8 * factor;
  std::vector<float> taps;
  const double cutoff = 2200.0 / sample_rate_hz;
  double sum = 0.0;
  for (int i = -half; i <= half; ++i) {
    const double sinc = i == 0 ? 2.0 * cutoff : std::sin(2.0 * M_PI * cutoff * i) / (M_PI * i);
    const double tap = sinc * (0.5 + 0.5 * std::cos(M_PI * i / (half + 1)));
    taps.push_back(static_cast<float>(tap));
    sum += tap;
  }
  for (float& tap : taps) tap = static_cast<float>(static_cast<double>(tap) / sum);
  std::vector<float> output;
  const auto step = static_cast<size_t>(factor);
  for (size_t at = 0; at < n; at += step) {
    float value = 0.0F;
    const auto centre = static_cast<int64_t>(at);
    const int64_t first = std::max<int64_t>(0, centre - half);
    const int64_t last = std::min<int64_t>(static_cast<int64_t>(n) - 1, centre + half);
    for (int64_t i = first; i <= last; ++i) value += samples[i] * taps[static_cast<size_t>(i - centre + half)];
    output.push_back(value);
  }
  return output;
}

// Energies of the bands in every window.
class BandAnalysis {
 public:
  explicit BandAnalysis(double rate_hz)
      : rate_hz_(rate_hz),
        window_(static_cast<size_t>(kWindow_s * rate_hz)),
        fft_size_(fft_size(window_.size())),
        fft_(fft_size_) {
    for (size_t i = 0; i < window_.size(); ++i) {
      window_[i] = static_cast<float>(
          0.5 - 0.5 * std::cos(2.0 * M_PI * (static_cast<double>(i) + 0.5) / static_cast<double>(window_.size())));
    }
    for (int band = 0; band <= kBands; ++band) {
      const double edge_hz = kLowest_hz * std::pow(kHighest_hz / kLowest_hz, static_cast<double>(band) / kBands);
      edges_.push_back(edge_hz / rate_hz * static_cast<double>(fft_size_));
    }
  }

  std::vector<std::array<double, kBands>> energies(const std::vector<float>& samples) const {
    std::vector<std::array<double, kBands>> result;
    std::vector<std::complex<float>> buffer(fft_size_);
    for (size_t frame = 0;; frame += 2) {
      const size_t first = begin_of(frame);
      if (first + window_.size() > samples.size()) break;
      // Two real windows at once: the second in the imaginary part.
      const size_t second = begin_of(frame + 1);
      const bool has_second = second + window_.size() <= samples.size();
      std::fill(buffer.begin(), buffer.end(), std::complex<float>());
      for (size_t i = 0; i < window_.size(); ++i) {
        buffer[i] = {samples[first + i] * window_[i], has_second ? samples[second + i] * window_[i] : 0.0F};
      }
      fft_.transform(buffer);
      result.emplace_back();
      std::array<double, kBands> imaginary{};
      add_bands(buffer, result.back(), imaginary);
      if (has_second) result.push_back(imaginary);
    }
    return result;
  }

 private:
  static size_t fft_size(size_t window) {
    size_t size = 1;
    while (size < window) size *= 2;
    return size;
  }
  size_t begin_of(size_t frame) const {
    return static_cast<size_t>(std::llround(static_cast<double>(frame) * kFingerprintHop_s * rate_hz_));
  }

  // A bin that lies across an edge counts to both bands in proportion, so that sampling rates agree.
  void add_bands(const std::vector<std::complex<float>>& spectrum, std::array<double, kBands>& first,
                 std::array<double, kBands>& second) const {
    const auto lowest = static_cast<size_t>(edges_.front() - 0.5);
    const auto highest = std::min(fft_size_ / 2 - 1, static_cast<size_t>(edges_.back() + 1.5));
    size_t band = 0;
    for (size_t bin = std::max<size_t>(1, lowest); bin <= highest; ++bin) {
      const std::complex<float> a = spectrum[bin];
      const std::complex<float> b = std::conj(spectrum[fft_size_ - bin]);
      const double energy_first = static_cast<double>(std::norm(a + b));
      const double energy_second = static_cast<double>(std::norm(a - b));
      const double low = static_cast<double>(bin) - 0.5;
      const double high = static_cast<double>(bin) + 0.5;
      while (band < kBands && edges_[band + 1] <= low) ++band;
      for (size_t k = band; k < kBands && edges_[k] < high; ++k) {
        const double share = std::min(high, edges_[k + 1]) - std::max(low, edges_[k]);
        if (share <= 0.0) continue;
        first[k] += share * energy_first;
        second[k] += share * energy_second;
      }
    }
  }

  double rate_hz_;
  std::vector<float> window_;
  size_t fft_size_;
  Fft fft_;
  std::vector<double> edges_;  // in bins
};

}  // namespace

Fingerprint fingerprint_of(const Waveform& waveform) {
  Fingerprint fingerprint;
  constexpr int kLowestRate_hz = 4500;
  constexpr double kShortest_s = 0.5;
  if (waveform.sample_rate_hz < kLowestRate_hz || waveform.duration_s() < kShortest_s) return fingerprint;
  const double rate_hz = waveform.sample_rate_hz;
  // Part of long audio, from a quarter in: beginnings are often silent or alike.
  const auto n_wanted = static_cast<size_t>(kFingerprintLongest_s * rate_hz);
  const size_t begin = waveform.samples.size() > n_wanted + n_wanted / 15
                           ? std::min(waveform.samples.size() / 4, waveform.samples.size() - n_wanted)
                           : 0;
  const size_t count = std::min(n_wanted, waveform.samples.size() - begin);
  const int factor = std::max(1, waveform.sample_rate_hz / 5000);
  const std::vector<float> samples = decimated(waveform.samples.data() + begin, count, factor, rate_hz);
  const std::vector<std::array<double, kBands>> energies = BandAnalysis(rate_hz / factor).energies(samples);

  std::vector<double> totals;
  double loudest = 0.0;
  for (const auto& bands : energies) {
    double total = 0.0;
    for (const double energy : bands) total += energy;
    totals.push_back(total);
    loudest = std::max(loudest, total);
  }
  const size_t n_words = energies.size() - std::min(energies.size(), kDifferenceHops);
  fingerprint.words.reserve(n_words);
  fingerprint.weak.reserve(n_words);
  for (size_t frame = kDifferenceHops; frame < energies.size(); ++frame) {
    const std::array<double, kBands>& now = energies[frame];
    const std::array<double, kBands>& before = energies[frame - kDifferenceHops];
    uint32_t word = 0;
    std::array<std::pair<double, int>, kBands - 1> margins;
    for (int m = 0; m + 1 < kBands; ++m) {
      const auto k = static_cast<size_t>(m);
      const double difference = (now[k] - now[k + 1]) - (before[k] - before[k + 1]);
      if (difference > 0.0) word |= 1U << static_cast<unsigned>(m);
      const double scale = now[k] + now[k + 1] + before[k] + before[k + 1];
      margins[k] = {scale > 0.0 ? std::abs(difference) / scale : 0.0, m};
    }
    std::partial_sort(margins.begin(), margins.begin() + kWeakBits, margins.end());
    uint32_t weak = 0;
    for (int i = 0; i < kWeakBits; ++i) weak |= 1U << static_cast<unsigned>(margins[static_cast<size_t>(i)].second);
    fingerprint.words.push_back(word);
    fingerprint.weak.push_back(weak);
    fingerprint.sounding.push_back(loudest > 0.0 && totals[frame] > kSilence * loudest &&
                                   totals[frame - kDifferenceHops] > kSilence * loudest);
  }
  return fingerprint;
}

namespace {

int popcount(uint32_t word) {
  word -= word >> 1U & 0x55555555U;
  word = (word & 0x33333333U) + (word >> 2U & 0x33333333U);
  return static_cast<int>(((word + (word >> 4U)) & 0x0F0F0F0FU) * 0x01010101U >> 24U);
}

// Words with the place they come from, sorted by word, behind a table of the upper bits.
class WordIndex {
 public:
  explicit WordIndex(const std::vector<Fingerprint>& fingerprints) {
    size_t n_places = 0;
    for (const Fingerprint& fingerprint : fingerprints)
      n_places += (fingerprint.words.size() + kIndexEvery - 1) / kIndexEvery;
    entries_.reserve(n_places);
    uint64_t place = 0;
    for (const Fingerprint& fingerprint : fingerprints) {
      first_place_.push_back(place);
      for (size_t i = 0; i < fingerprint.words.size(); i += kIndexEvery, ++place) {
        if (fingerprint.sounding[i]) entries_.push_back(static_cast<uint64_t>(fingerprint.words[i]) << 32U | place);
      }
    }
    std::sort(entries_.begin(), entries_.end());
    table_.assign((size_t{1} << kTableBits) + 1, 0);
    for (const uint64_t entry : entries_) ++table_[(entry >> (64U - kTableBits)) + 1];
    for (size_t i = 1; i < table_.size(); ++i) table_[i] += table_[i - 1];
  }

  // Calls found(track, word number in the track) for each place of the word. Words of very many places tell nothing
  // apart and are passed over.
  template <typename Found>
  void look_up(uint32_t word, Found found) const {
    const size_t bucket = word >> (32U - kTableBits);
    const auto end = entries_.begin() + table_[bucket + 1];
    auto entry = std::lower_bound(entries_.begin() + table_[bucket], end, static_cast<uint64_t>(word) << 32U);
    const auto last =
        std::find_if(entry, std::min(end, entry + kMostPlaces + 1), [&](uint64_t e) { return e >> 32U != word; });
    if (last - entry > kMostPlaces) return;
    for (; entry != last; ++entry) {
      const uint64_t place = *entry & 0xFFFFFFFFU;
      const auto next = std::upper_bound(first_place_.begin(), first_place_.end(), place);
      const auto track = static_cast<int64_t>(next - first_place_.begin()) - 1;
      found(track, static_cast<int64_t>((place - first_place_[static_cast<size_t>(track)]) * kIndexEvery));
    }
  }

 private:
  static constexpr unsigned kTableBits = 22;
  static constexpr std::ptrdiff_t kMostPlaces = 200;
  std::vector<uint64_t> entries_;
  std::vector<uint64_t> first_place_;  // of each track
  std::vector<int64_t> table_;
};

struct Comparison {
  double bit_error_rate = 0.5;
  int64_t n_words = 0;
};

// Words of `a` from `a_begin` against those of `b` from `b_begin`, as far as both go and sound.
Comparison compare(const Fingerprint& a, const Fingerprint& b, int64_t shift) {
  const int64_t begin = std::max<int64_t>(0, -shift);
  const int64_t end = std::min(static_cast<int64_t>(a.words.size()), static_cast<int64_t>(b.words.size()) - shift);
  Comparison comparison;
  int64_t errors = 0;
  for (int64_t i = begin; i < end; i += kIndexEvery) {
    const auto in_a = static_cast<size_t>(i);
    const auto in_b = static_cast<size_t>(i + shift);
    if (!a.sounding[in_a] || !b.sounding[in_b]) continue;
    errors += popcount(a.words[in_a] ^ b.words[in_b]);
    ++comparison.n_words;
  }
  if (comparison.n_words > 0)
    comparison.bit_error_rate = static_cast<double>(errors) / (32.0 * static_cast<double>(comparison.n_words));
  return comparison;
}

bool is_match(const Comparison& comparison) {
  return (comparison.n_words >= kLongMatch && comparison.bit_error_rate <= kMatchErrorRate) ||
         (comparison.n_words >= kShortMatch && comparison.bit_error_rate <= kShortMatchErrorRate);
}

}  // namespace

bool can_match(const Fingerprint& fingerprint) {
  // As compare() walks, from each of its possible beginnings.
  std::array<int64_t, kIndexEvery> n_sounding{};
  for (size_t i = 0; i < fingerprint.words.size(); ++i) n_sounding[i % kIndexEvery] += fingerprint.sounding[i] ? 1 : 0;
  return *std::max_element(n_sounding.begin(), n_sounding.end()) >= kShortMatch;
}

std::vector<AudioMatch> find_matches(const std::vector<Fingerprint>& fingerprints, int threads) {
  const WordIndex index(fingerprints);
  std::mutex mutex;
  std::map<std::pair<int64_t, int64_t>, AudioMatch> best;
  Progress progress("comparing", static_cast<int64_t>(fingerprints.size()), "tracks");
  parallel_for(static_cast<int64_t>(fingerprints.size()), threads, [&](int64_t own) {
    throw_if_interrupted();
    const Fingerprint& fingerprint = fingerprints[static_cast<size_t>(own)];
    std::vector<std::pair<int64_t, int64_t>> candidates;  // (track, shift)
    for (size_t i = 0; i < fingerprint.words.size(); ++i) {
      if (!fingerprint.sounding[i]) continue;
      // All ways to flip the weak bits, none included.
      uint32_t flips = 0;
      do {
        index.look_up(fingerprint.words[i] ^ flips, [&](int64_t track, int64_t word) {
          if (track != own) candidates.emplace_back(track, word - static_cast<int64_t>(i));
        });
        flips = (flips - fingerprint.weak[i]) & fingerprint.weak[i];
      } while (flips != 0);
    }
    std::sort(candidates.begin(), candidates.end());
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
    for (const auto& [track, shift] : candidates) {
      const bool own_first = own < track;
      const Fingerprint& other = fingerprints[static_cast<size_t>(track)];
      const Comparison comparison =
          own_first ? compare(fingerprint, other, shift) : compare(other, fingerprint, -shift);
      if (!is_match(comparison)) continue;
      AudioMatch match;
      match.first = std::min(own, track);
      match.second = std::max(own, track);
      match.bit_error_rate = comparison.bit_error_rate;
      match.overlap_s = static_cast<double>(comparison.n_words) * kFingerprintHop_s * kIndexEvery;
      // Word i of the first is word i + shift of the second, which therefore begins `shift` hops before it.
      match.offset_s = -static_cast<double>(own_first ? shift : -shift) * kFingerprintHop_s;
      const auto rank = [](const AudioMatch& m) {
        return std::tuple(m.bit_error_rate, -m.overlap_s, std::abs(m.offset_s), m.offset_s);
      };
      const std::lock_guard<std::mutex> guard(mutex);
      const auto [found, is_new] = best.emplace(std::pair(match.first, match.second), match);
      if (!is_new && rank(match) < rank(found->second)) found->second = match;
    }
    progress.advance();
  });
  std::vector<AudioMatch> matches;
  for (const auto& [pair, match] : best) matches.push_back(match);
  return matches;
}

}  // namespace tagbench
