#include "harness/core/csv.h"
#include "tests/fuzz/fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tagbench;
  const testing::MemoryFile file(data, size);
  return testing::fuzz([&] {
    const CsvTable table = CsvTable::read(file.path());
    for (const CsvRow& row : table.rows()) table.where(row);
  });
}
