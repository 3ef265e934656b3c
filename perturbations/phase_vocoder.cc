#include "perturbations/phase_vocoder.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>

#include "perturbations/fft.h"
#include "perturbations/sinc.h"

namespace tagbench {
namespace {

constexpr int64_t kFrame = 2048;
constexpr int64_t kHop = 512;

std::vector<double> periodic_hann(int64_t size) {
  std::vector<double> window(static_cast<size_t>(size));
  for (size_t i = 0; i < window.size(); ++i) {
    window[i] = 0.5 - 0.5 * std::cos(2.0 * M_PI * static_cast<double>(i) / static_cast<double>(size));
  }
  return window;
}

// Index into a signal of n samples that is mirrored at both ends, the end sample not repeated.
int64_t reflected(int64_t index, int64_t n) {
  if (n == 1) return 0;
  const int64_t period = 2 * (n - 1);
  const int64_t folded = ((index % period) + period) % period;
  return folded < n ? folded : period - folded;
}

// Magnitudes and phases of the frames of a centred, reflected STFT, computed when asked for. Frames beyond the last are
// zero.
class FrameReader {
 public:
  struct Frame {
    int64_t index = -1;
    std::vector<double> magnitude;
    std::vector<double> phase;
  };

  FrameReader(const std::vector<float>& input, const RealFft& fft, const std::vector<double>& window)
      : input_(input),
        fft_(fft),
        window_(window),
        count_(static_cast<int64_t>(input.size()) / kHop + 1),
        buffer_(fft.size()),
        spectrum_(fft.bins()) {}

  int64_t count() const { return count_; }

  // The two slots suffice, since only neighbouring frames are asked for.
  const Frame& at(int64_t index) {
    Frame& frame = slots_[index % 2];
    if (frame.index != index) compute(index, frame);
    return frame;
  }

 private:
  void compute(int64_t index, Frame& frame) {
    frame.index = index;
    frame.magnitude.assign(fft_.bins(), 0.0);
    frame.phase.assign(fft_.bins(), 0.0);
    if (index >= count_) return;
    const auto n = static_cast<int64_t>(input_.size());
    for (int64_t i = 0; i < kFrame; ++i) {
      const int64_t source = reflected(index * kHop - kFrame / 2 + i, n);
      buffer_[static_cast<size_t>(i)] =
          window_[static_cast<size_t>(i)] * static_cast<double>(input_[static_cast<size_t>(source)]);
    }
    fft_.forward(buffer_.data(), spectrum_.data());
    for (size_t k = 0; k < spectrum_.size(); ++k) {
      frame.magnitude[k] = std::abs(spectrum_[k]);
      frame.phase[k] = std::arg(spectrum_[k]);
    }
  }

  const std::vector<float>& input_;
  const RealFft& fft_;
  const std::vector<double>& window_;
  int64_t count_;
  std::vector<double> buffer_;
  std::vector<std::complex<double>> spectrum_;
  Frame slots_[2];
};

}  // namespace

std::vector<double> phase_vocoder_stretch(const std::vector<float>& input, double rate, int64_t length) {
  std::vector<double> output(static_cast<size_t>(std::max<int64_t>(length, 0)), 0.0);
  if (input.empty() || output.empty()) return output;
  const RealFft fft(kFrame);
  const std::vector<double> window = periodic_hann(kFrame);
  FrameReader frames(input, fft, window);
  const int64_t most_frames = (length + kFrame + kHop - 1) / kHop;
  const size_t bins = fft.bins();

  std::vector<double> norm(output.size(), 0.0);
  std::vector<double> phase = frames.at(0).phase;
  std::vector<std::complex<double>> spectrum(bins);
  std::vector<double> buffer(fft.size());
  for (int64_t step = 0; step < most_frames; ++step) {
    const double position = static_cast<double>(step) * rate;
    if (position >= static_cast<double>(frames.count())) break;
    const auto index = static_cast<int64_t>(position);
    const double weight = position - static_cast<double>(index);
    const FrameReader::Frame& left = frames.at(index);
    const FrameReader::Frame& right = frames.at(index + 1);
    for (size_t k = 0; k < bins; ++k) {
      spectrum[k] = std::polar((1.0 - weight) * left.magnitude[k] + weight * right.magnitude[k], phase[k]);
      const double advance = M_PI * static_cast<double>(kHop) * static_cast<double>(k) / static_cast<double>(bins - 1);
      double deviation = right.phase[k] - left.phase[k] - advance;
      deviation -= 2.0 * M_PI * std::nearbyint(deviation / (2.0 * M_PI));
      phase[k] += advance + deviation;
    }
    fft.inverse(spectrum.data(), buffer.data());
    const int64_t begin = step * kHop - kFrame / 2;
    for (int64_t i = std::max<int64_t>(0, -begin); i < kFrame && begin + i < length; ++i) {
      const double w = window[static_cast<size_t>(i)];
      output[static_cast<size_t>(begin + i)] += w * buffer[static_cast<size_t>(i)];
      norm[static_cast<size_t>(begin + i)] += w * w;
    }
  }
  for (size_t i = 0; i < output.size(); ++i) {
    if (norm[i] > static_cast<double>(std::numeric_limits<float>::min())) output[i] /= norm[i];
  }
  return output;
}

std::vector<double> phase_vocoder_pitch_shift(const std::vector<float>& input, double semitones) {
  const double rate = std::exp2(-semitones / 12.0);
  const auto n = static_cast<int64_t>(input.size());
  const auto stretched = static_cast<int64_t>(std::llround(static_cast<double>(n) / rate));
  return sinc_resample(phase_vocoder_stretch(input, rate, stretched), rate, n);
}

}  // namespace tagbench
