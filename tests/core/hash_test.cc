#include "harness/core/hash.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "harness/core/errors.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using testing::TemporaryDirectory;

TEST(HashTest, Sha256MatchesTheStandardsExamples) {
  // FIPS 180-4, and the empty message.
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(HashTest, XxhMatchesItsPublishedValuesForNothing) {
  EXPECT_EQ(xxh128_hex("", 0), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(xxh64("", 0), 0x2D06800538D394C2U);
  EXPECT_NE(xxh64("a", 1), xxh64("a", 2));
}

TEST(HashTest, FilesHashAsTheirBytes) {
  const TemporaryDirectory folder;
  // Around the size of the block in which files are read.
  for (const size_t size :
       {size_t{0}, size_t{1}, (size_t{1} << 20U) - 1, size_t{1} << 20U, (size_t{1} << 20U) + 1, size_t{3} << 20U}) {
    std::string bytes(size, 'x');
    for (size_t i = 0; i < size; i += 97) bytes[i] = static_cast<char>(i);
    std::ofstream(folder / "a", std::ios::binary) << bytes;
    EXPECT_EQ(sha256_file_hex(folder / "a"), sha256_hex(bytes));
    EXPECT_EQ(xxh128_file_hex(folder / "a"), xxh128_hex(bytes.data(), bytes.size()));
  }
}

TEST(HashTest, RefusesFilesItCannotRead) {
  const TemporaryDirectory folder;
  EXPECT_THROW(sha256_file_hex(folder / "missing"), DataError);
  EXPECT_THROW(xxh128_file_hex(folder / "missing"), DataError);
  EXPECT_THROW(sha256_file_hex(folder.path()), DataError);
  EXPECT_THROW(xxh128_file_hex(folder.path()), DataError);
}

}  // namespace
}  // namespace tagbench
