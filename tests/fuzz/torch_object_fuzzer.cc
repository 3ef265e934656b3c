#include "harness/nn/torch_file.h"
#include "tests/fuzz/fuzz_support.h"
#include "tests/nn/weight_files.h"

// The first byte chooses between torch.save and TorchScript, the rest is the pickle of a zip file with right checksums,
// which mutations of a whole file would hardly ever reach.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tagbench;
  if (size == 0) return 0;
  const std::string object(testing::view(data + 1, size - 1));
  std::vector<testing::ZipEntry> entries = {{"archive/data.pkl", object},
                                            {"archive/data/0", testing::float_bytes({0, 1, 2, 3, 4, 5})},
                                            {"archive/data/1", testing::little_endian(7, 8)}};
  if (data[0] % 2 == 1) entries.push_back({"archive/constants.pkl", "\x80\x02)."});
  const std::string file = testing::zip_file(entries);
  return testing::fuzz([&] { testing::touch(read_torch_zip(MemorySource("fuzz", file))); });
}
