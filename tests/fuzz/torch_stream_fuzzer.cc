#include "harness/nn/torch_file.h"
#include "tests/fuzz/fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tagbench;
  return testing::fuzz([&] { testing::touch(read_torch_stream(MemorySource("fuzz", testing::view(data, size)))); });
}
