#pragma once

#include <complex>
#include <cstddef>
#include <vector>

namespace tagbench {

// Discrete Fourier transform of real signals in double precision, sizes that are powers of two from 4 on. The tables
// are made once; transforms are const and safe to use from several threads at once.
class RealFft {
 public:
  // Errors: std::logic_error if `size` is no power of two or below 4.
  explicit RealFft(size_t size);

  size_t size() const { return size_; }
  size_t bins() const { return size_ / 2 + 1; }

  // `signal` [size] to `spectrum` [bins]; no scaling.
  void forward(const double* signal, std::complex<double>* spectrum) const;
  // `spectrum` [bins] to `signal` [size], divided by the size: the inverse of forward(). The imaginary parts of the
  // first and the last bin are ignored.
  void inverse(const std::complex<double>* spectrum, double* signal) const;

 private:
  void transform_half(std::vector<std::complex<double>>& values) const;

  size_t size_;
  std::vector<std::complex<double>> twiddles_;  // exp(-2 pi i k / size), k < size / 2
  std::vector<size_t> reversed_;                // bit reversal of 0 .. size / 2 - 1
};

// Smallest power of two that is at least `n` (and at least 4).
size_t fft_size_at_least(size_t n);

// Linear convolution, signal.size() + kernel.size() - 1 values (none if either is empty), in blocks of the kernel's
// length.
std::vector<double> convolve(const std::vector<double>& signal, const std::vector<double>& kernel);

}  // namespace tagbench
