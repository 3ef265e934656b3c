#include "harness/core/npy.h"
#include "tests/fuzz/fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tagbench;
  const testing::MemoryFile file(data, size);
  return testing::fuzz([&] {
    const NpyArray array = read_npy(file.path());
    array.as_double();
    array.as_float();
    array.as_int64();
  });
}
