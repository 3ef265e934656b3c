#include "harness/core/config.h"
#include "tests/fuzz/fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tagbench;
  return testing::fuzz([&] {
    ConfigNode config = ConfigNode::parse(std::string(testing::view(data, size)), "fuzz");
    config.set("dataset.root", "x", "--set");
    config.require_known_keys({"dataset", "seed"});
  });
}
