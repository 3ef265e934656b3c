#include "harness/run/environment.h"

#include <fluidsynth.h>
#include <rubberband/RubberBandStretcher.h>
#include <samplerate.h>
#include <sndfile.h>
#include <sys/utsname.h>

#include <fstream>

#include "harness/core/log.h"
#include "harness/core/parallel.h"
#include "harness/core/text.h"
#include "harness/core/version.h"
#include "harness/nn/device.h"
#include "harness/run/commit.h"
#include "results/row.h"

namespace tagbench {
namespace {

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    const size_t colon = line.find(':');
    if (starts_with(line, "model name") && colon != std::string::npos) return trim(line.substr(colon + 1));
  }
  return "unknown";
}

double memory_gib() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  double kib = 0;
  return file >> name >> kib ? kib / 1048576.0 : 0.0;
}

}  // namespace

Json environment() {
  const TorchEnvironment torch = torch_environment();
  utsname system{};
  ::uname(&system);
  Json json;
  json["schema_version"] = 1;
  json["tagbench"] = kVersion;
  json["commit"] = kCommit;
  json["conformance"] = kConformance;
  json["compiler"] = __VERSION__;
  json["build_type"] = kBuildType;
  json["libtorch"] = torch.version;
  json["cuda"] = torch.cuda_version.empty() ? Json(nullptr) : Json(torch.cuda_version);
  json["cudnn"] = torch.cudnn_version.empty() ? Json(nullptr) : Json(torch.cudnn_version);
  json["devices"] = torch.devices;
  json["cpu_capability"] = torch.cpu_capability;
  json["mkldnn"] = torch.mkldnn;
  json["blas"] = torch.blas.library;
  json["blas_optimised"] = torch.blas.optimised;
  json["libsndfile"] = sf_version_string();
  json["libsamplerate"] = src_get_version();
  json["rubberband"] = RUBBERBAND_VERSION;
  json["fluidsynth"] = fluid_version_str();
  json["processor"] = processor_name();
  json["processors"] = available_processors();
  json["memory_gib"] = memory_gib();
  json["system"] = std::string(system.sysname) + " " + system.release + " " + system.machine;
  return json;
}

void warn_of_slow_blas() {
  static const bool warned = [] {
    const BlasInfo blas = blas_info();
    if (!blas.optimised) {
      spdlog::warn(
          "LibTorch computes with {}, tens of times slower than an optimised BLAS; on Debian install "
          "libopenblas0-openmp",
          blas.library);
    }
    return true;
  }();
  (void)warned;
}

Json row_software(const std::string& device, int threads) {
  const Json all = environment();
  Json json;
  for (const char* key : {"tagbench", "commit", "libtorch", "cuda", "cudnn", "cpu_capability", "blas", "libsndfile",
                          "libsamplerate", "rubberband", "processor"}) {
    json[key] = all[key];
  }
  json["device"] = device;
  json["threads"] = threads;
  return json;
}

}  // namespace tagbench
