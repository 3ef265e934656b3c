#include "perturbations/fft.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace tagbench {

RealFft::RealFft(size_t size) : size_(size) {
  if (size < 4 || (size & (size - 1)) != 0) {
    throw std::logic_error("RealFft: size must be a power of two from 4 on, got " + std::to_string(size));
  }
  const size_t half = size / 2;
  twiddles_.resize(half);
  for (size_t k = 0; k < half; ++k) {
    const double angle = -2.0 * M_PI * static_cast<double>(k) / static_cast<double>(size);
    twiddles_[k] = {std::cos(angle), std::sin(angle)};
  }
  reversed_.assign(half, 0);
  for (size_t i = 1; i < half; ++i) reversed_[i] = (reversed_[i / 2] / 2) | ((i & 1U) != 0 ? half / 2 : 0);
}

// Cooley and Tukey's radix-2 transform of size / 2 complex values, decimation in time.
void RealFft::transform_half(std::vector<std::complex<double>>& values) const {
  const size_t half = size_ / 2;
  for (size_t i = 0; i < half; ++i) {
    if (i < reversed_[i]) std::swap(values[i], values[reversed_[i]]);
  }
  for (size_t width = 1; width < half; width *= 2) {
    const size_t stride = half / width;
    for (size_t begin = 0; begin < half; begin += 2 * width) {
      for (size_t k = 0; k < width; ++k) {
        const std::complex<double> turn = twiddles_[k * stride];
        const std::complex<double> a = values[begin + k];
        const std::complex<double> b = values[begin + k + width];
        // Written out, since operator* of complex numbers checks for infinities.
        const std::complex<double> turned(turn.real() * b.real() - turn.imag() * b.imag(),
                                          turn.real() * b.imag() + turn.imag() * b.real());
        values[begin + k] = a + turned;
        values[begin + k + width] = a - turned;
      }
    }
  }
}

// Even samples as real parts and odd ones as imaginary parts go through one transform of half the size.
void RealFft::forward(const double* signal, std::complex<double>* spectrum) const {
  const size_t half = size_ / 2;
  std::vector<std::complex<double>> packed(half);
  for (size_t i = 0; i < half; ++i) packed[i] = {signal[2 * i], signal[2 * i + 1]};
  transform_half(packed);
  spectrum[0] = packed[0].real() + packed[0].imag();
  spectrum[half] = packed[0].real() - packed[0].imag();
  for (size_t k = 1; k < half; ++k) {
    const std::complex<double> mirrored = std::conj(packed[half - k]);
    const std::complex<double> even = 0.5 * (packed[k] + mirrored);
    const std::complex<double> odd = std::complex<double>(0.0, -0.5) * (packed[k] - mirrored);
    spectrum[k] = even + twiddles_[k] * odd;
  }
}

void RealFft::inverse(const std::complex<double>* spectrum, double* signal) const {
  const size_t half = size_ / 2;
  std::vector<std::complex<double>> packed(half);
  const double first = spectrum[0].real();
  const double last = spectrum[half].real();
  // The inverse transform is the forward one of the conjugate.
  packed[0] = {0.5 * (first + last), -0.5 * (first - last)};
  for (size_t k = 1; k < half; ++k) {
    const std::complex<double> mirrored = std::conj(spectrum[half - k]);
    const std::complex<double> even = 0.5 * (spectrum[k] + mirrored);
    const std::complex<double> odd = 0.5 * (spectrum[k] - mirrored) * std::conj(twiddles_[k]);
    packed[k] = std::conj(even + std::complex<double>(0.0, 1.0) * odd);
  }
  transform_half(packed);
  const double scale = 1.0 / static_cast<double>(half);
  for (size_t i = 0; i < half; ++i) {
    signal[2 * i] = packed[i].real() * scale;
    signal[2 * i + 1] = -packed[i].imag() * scale;
  }
}

size_t fft_size_at_least(size_t n) {
  size_t size = 4;
  while (size < n) size *= 2;
  return size;
}

std::vector<double> convolve(const std::vector<double>& signal, const std::vector<double>& kernel) {
  if (signal.empty() || kernel.empty()) return {};
  // Blocks of the kernel's length or more; short kernels would make too many.
  const RealFft fft(fft_size_at_least(std::max<size_t>(2 * kernel.size(), 1024)));
  const size_t block = fft.size() - kernel.size() + 1;
  std::vector<double> result(signal.size() + kernel.size() - 1, 0.0);
  std::vector<double> buffer(fft.size(), 0.0);
  std::vector<std::complex<double>> kernel_spectrum(fft.bins());
  std::vector<std::complex<double>> spectrum(fft.bins());
  std::copy(kernel.begin(), kernel.end(), buffer.begin());
  fft.forward(buffer.data(), kernel_spectrum.data());
  for (size_t begin = 0; begin < signal.size(); begin += block) {
    const size_t count = std::min(block, signal.size() - begin);
    std::fill(buffer.begin(), buffer.end(), 0.0);
    std::copy_n(signal.begin() + static_cast<std::ptrdiff_t>(begin), count, buffer.begin());
    fft.forward(buffer.data(), spectrum.data());
    for (size_t k = 0; k < spectrum.size(); ++k) spectrum[k] *= kernel_spectrum[k];
    fft.inverse(spectrum.data(), buffer.data());
    const size_t produced = count + kernel.size() - 1;
    for (size_t i = 0; i < produced; ++i) result[begin + i] += buffer[i];
  }
  return result;
}

}  // namespace tagbench
