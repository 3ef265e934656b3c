#include "harness/nn/device.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include <filesystem>
#include <limits>
#include <mutex>
#include <optional>

#include "harness/core/errors.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

// A function of a shared library that may not be there.
template <typename Function>
Function* find_function(void* library, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(library, name));
}

// cuDNN 8 counts 8907 for 8.9.7, cuDNN 9 counts 90100 for 9.1.0.
std::string cudnn_text(int64_t version) {
  const int64_t major = version >= 10000 ? version / 10000 : version / 1000;
  const int64_t rest = version >= 10000 ? version % 10000 : version % 1000;
  return std::to_string(major) + "." + std::to_string(rest / 100) + "." + std::to_string(rest % 100);
}

// From the driver, because LibTorch's own way to the name needs headers that a build without CUDA does not have.
std::vector<std::string> cuda_device_names() {
  std::vector<std::string> names;
  const size_t count = torch::cuda::device_count();
  void* driver = count > 0 ? ::dlopen("libcuda.so.1", RTLD_LAZY) : nullptr;
  if (driver == nullptr) return std::vector<std::string>(count, "CUDA device");
  auto* initialise = find_function<int(unsigned)>(driver, "cuInit");
  auto* get_device = find_function<int(int*, int)>(driver, "cuDeviceGet");
  auto* get_name = find_function<int(char*, int, int)>(driver, "cuDeviceGetName");
  for (size_t i = 0; i < count; ++i) {
    int device = 0;
    char name[256] = "";
    const bool known = initialise != nullptr && get_device != nullptr && get_name != nullptr && initialise(0) == 0 &&
                       get_device(&device, static_cast<int>(i)) == 0 && get_name(name, sizeof name - 1, device) == 0;
    names.emplace_back(known ? name : "CUDA device");
  }
  ::dlclose(driver);
  return names;
}

// "CPU capability usage: AVX512" is a line of LibTorch's description of itself; the number itself is not exported
// everywhere.
std::string cpu_capability() {
  constexpr std::string_view kLabel = "CPU capability usage:";
  for (const std::string& line : split_text(at::show_config(), '\n')) {
    const size_t found = line.find(kLabel);
    if (found != std::string::npos) return trim(std::string_view(line).substr(found + kLabel.size()));
  }
  return "unknown";
}

}  // namespace

c10::Device parse_device(std::string_view text) {
  if (text == "cpu") return c10::Device(c10::kCPU);
  const bool numbered = starts_with(text, "cuda:");
  const std::optional<int64_t> number = numbered ? parse_integer(text.substr(5)) : std::nullopt;
  if (text != "cuda" && (!number || *number < 0 || *number > std::numeric_limits<int8_t>::max())) {
    throw UsageError("device must be cpu, cuda or cuda:N, got '" + std::string(text) + "'");
  }
  if (!at::detail::getCUDAHooks().hasCUDA() && !torch::cuda::is_available()) {
    throw UsageError("device " + std::string(text) +
                     ": this LibTorch finds no CUDA (a build without it, no driver, or no device); use --device cpu");
  }
  const auto count = static_cast<int64_t>(torch::cuda::device_count());
  if (number.value_or(0) >= count) {
    throw UsageError("device " + std::string(text) + ": this machine has " + std::to_string(count) +
                     " CUDA devices, numbered from 0");
  }
  return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(number.value_or(0)));
}

Precision parse_precision(std::string_view text) {
  if (text == "fp32") return Precision::kFp32;
  if (text == "bf16") return Precision::kBf16;
  throw UsageError("precision must be fp32 or bf16, got '" + std::string(text) + "'");
}

std::string precision_name(Precision precision) {
  return precision == Precision::kBf16 ? "bf16" : "fp32";
}

void set_threads(int threads) {
  if (threads < 1) throw UsageError("threads must be at least 1, got " + std::to_string(threads));
  at::set_num_threads(threads);
  static std::once_flag once;
  std::call_once(once, [] {
    try {
      at::set_num_interop_threads(1);
    } catch (const c10::Error&) {
      // LibTorch has started its pool already; what it has is recorded in the environment.
    }
  });
  if (auto* set_openblas = find_function<void(int)>(RTLD_DEFAULT, "openblas_set_num_threads")) set_openblas(threads);
}

BlasInfo blas_info() {
  BlasInfo info;
  void* product = ::dlsym(RTLD_DEFAULT, "sgemm_");
  Dl_info where = {};
  if (product == nullptr || ::dladdr(product, &where) == 0 || where.dli_fname == nullptr) {
    info.library = at::hasMKL() ? "MKL, built into libtorch_cpu" : "unknown";
    info.optimised = at::hasMKL();
    return info;
  }
  std::error_code ignored;
  const std::filesystem::path resolved = std::filesystem::canonical(where.dli_fname, ignored);
  info.library = resolved.empty() ? where.dli_fname : resolved.string();
  if (resolved.filename().string().find("libtorch") != std::string::npos) {
    info.library = std::string(at::hasMKL() ? "MKL" : "BLAS") + ", built into " + resolved.filename().string();
    info.optimised = at::hasMKL();
  }
  // The library that provides the product, or one that it calls, knows its own name.
  if (void* library = ::dlopen(where.dli_fname, RTLD_LAZY | RTLD_NOLOAD)) {
    for (const char* symbol :
         {"openblas_get_config", "bli_info_get_version_str", "MKL_Get_Version", "ATL_buildinfo", "armpl_get_version"}) {
      if (::dlsym(library, symbol) != nullptr) info.optimised = true;
    }
    ::dlclose(library);
  }
  return info;
}

TorchEnvironment torch_environment() {
  TorchEnvironment environment;
  environment.version = TORCH_VERSION;
  const at::CUDAHooksInterface& cuda = at::detail::getCUDAHooks();
  if (cuda.hasCUDART()) {
    const auto version = static_cast<int64_t>(cuda.versionCUDART());
    environment.cuda_version = std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
  }
  if (cuda.hasCuDNN()) environment.cudnn_version = cudnn_text(static_cast<int64_t>(cuda.versionCuDNN()));
  environment.devices = cuda_device_names();
  environment.cpu_capability = cpu_capability();
  environment.mkldnn = at::hasMKLDNN();
  environment.blas = blas_info();
  environment.threads = at::get_num_threads();
  environment.interop_threads = at::get_num_interop_threads();
  return environment;
}

}  // namespace tagbench
