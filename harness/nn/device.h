#pragma once

#include <c10/core/Device.h>

#include <string>
#include <string_view>
#include <vector>

namespace tagbench {

// "cpu", "cuda" or "cuda:1". Errors: UsageError for another text, or if this LibTorch or this machine has no such
// device.
c10::Device parse_device(std::string_view text);

enum class Precision { kFp32, kBf16 };

// "fp32" or "bf16". Errors: UsageError for another text.
Precision parse_precision(std::string_view text);
std::string precision_name(Precision precision);

// Sets how many threads LibTorch and the BLAS library use for one operation: OpenBLAS with its own threads ignores
// LibTorch's setting. Operations run one after another (one inter-operation thread), which can be set only before the
// first of them. Errors: UsageError if `threads` is below 1.
void set_threads(int threads);

// The library whose matrix product LibTorch calls.
struct BlasInfo {
  std::string library;  // its file, links resolved; "built into libtorch_cpu" where it has none of its own; "unknown"
  bool optimised = false;  // false for the reference implementation, which is some 26 times slower
};
BlasInfo blas_info();

struct TorchEnvironment {
  std::string version;
  std::string cuda_version;          // "12.4"; empty without CUDA
  std::string cudnn_version;         // "9.1.0"; empty without cuDNN
  std::vector<std::string> devices;  // names of the CUDA devices, in order
  std::string cpu_capability;        // the instruction set that LibTorch's own kernels use: "AVX512"
  bool mkldnn = false;               // oneDNN
  BlasInfo blas;
  int threads = 1;
  int interop_threads = 1;
};
TorchEnvironment torch_environment();

}  // namespace tagbench
