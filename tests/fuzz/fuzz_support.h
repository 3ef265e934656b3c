#pragma once

#include <sys/mman.h>
#include <torch/types.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include "harness/core/errors.h"
#include "harness/nn/byte_source.h"
#include "harness/nn/state_dict.h"

namespace tagbench::testing {

// Runs a reader. Errors that a user may meet are its right answer to a bad file; everything else is a finding.
template <typename Read>
int fuzz(Read read) {
  try {
    read();
  } catch (const Error&) {
  }
  return 0;
}

// Looks at every value, so that the sanitizers see views that leave their storage.
inline void touch(const StateDict& state) {
  for (const auto& [key, tensor] : state.tensors) {
    if (tensor.numel() > (int64_t{1} << 20U)) continue;
    const torch::Tensor copy = tensor.clone(at::MemoryFormat::Contiguous);
    if (copy.numel() != tensor.numel() || key.empty()) throw std::logic_error("a copy differs");
  }
}

// A file in memory, for readers that take a path.
class MemoryFile {
 public:
  MemoryFile(const uint8_t* data, size_t size) : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    if (descriptor_ < 0 || ::write(descriptor_, data, size) != static_cast<ssize_t>(size))
      throw std::runtime_error("no memory file");
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

inline std::string_view view(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace tagbench::testing
