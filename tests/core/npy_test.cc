#include "harness/core/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

#include "harness/core/errors.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using testing::TemporaryDirectory;

// A .npy file of version `major`, header and data as given.
std::string npy_bytes(const std::string& header, const std::string& data, int major = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(major);
  bytes += '\0';
  for (size_t i = 0; i < (major == 1 ? 2U : 4U); ++i) bytes += static_cast<char>((header.size() >> (8 * i)) & 255U);
  return bytes + header + data;
}

std::string dictionary(const std::string& descr, const std::string& shape, const std::string& fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
}

template <typename T>
std::string data_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

class NpyTest : public ::testing::Test {
 protected:
  NpyArray read(const std::string& bytes) {
    std::ofstream(folder_ / "a.npy", std::ios::binary) << bytes;
    return read_npy(folder_ / "a.npy");
  }
  std::string message(const std::string& bytes) {
    return message_of([&] { read(bytes); });
  }
  TemporaryDirectory folder_;
};

TEST_F(NpyTest, ReadsEveryTypeAndVersion) {
  for (const int major : {1, 2, 3}) {
    const NpyArray array = read(npy_bytes(dictionary("<f4", "(2, 3)"), data_of<float>({1, 2, 3, 4, 5, 6.5F}), major));
    EXPECT_THAT(array.shape, ElementsAre(2, 3));
    EXPECT_TRUE(array.is_floating());
    EXPECT_THAT(array.as_double(), ElementsAre(1, 2, 3, 4, 5, 6.5));
  }
  EXPECT_THAT(read(npy_bytes(dictionary("<f8", "(2,)"), data_of<double>({0.1, -1}))).as_double(),
              ElementsAre(0.1, -1.0));
  EXPECT_THAT(read(npy_bytes(dictionary("|b1", "(2,)"), data_of<uint8_t>({1, 0}))).as_int64(), ElementsAre(1, 0));
  EXPECT_THAT(read(npy_bytes(dictionary("|u1", "(1,)"), data_of<uint8_t>({255}))).as_int64(), ElementsAre(255));
  EXPECT_THAT(read(npy_bytes(dictionary("|i1", "(1,)"), data_of<int8_t>({-7}))).as_int64(), ElementsAre(-7));
  EXPECT_THAT(read(npy_bytes(dictionary("<u2", "(1,)"), data_of<uint16_t>({65535}))).as_int64(), ElementsAre(65535));
  EXPECT_THAT(read(npy_bytes(dictionary("<i2", "(1,)"), data_of<int16_t>({-300}))).as_float(), ElementsAre(-300.0F));
  EXPECT_THAT(read(npy_bytes(dictionary("<u4", "(1,)"), data_of<uint32_t>({4294967295U}))).as_int64(),
              ElementsAre(4294967295));
  EXPECT_THAT(read(npy_bytes(dictionary("<i4", "(1,)"), data_of<int32_t>({-5}))).as_int64(), ElementsAre(-5));
  EXPECT_THAT(read(npy_bytes(dictionary("<u8", "(1,)"), data_of<uint64_t>({9}))).as_int64(), ElementsAre(9));
  EXPECT_THAT(read(npy_bytes(dictionary("=i8", "(1,)"), data_of<int64_t>({-9}))).as_int64(), ElementsAre(-9));
}

TEST_F(NpyTest, ReadsScalarsAndEmptyArrays) {
  const NpyArray scalar = read(npy_bytes(dictionary("<f4", "()"), data_of<float>({3})));
  EXPECT_TRUE(scalar.shape.empty());
  EXPECT_THAT(scalar.as_float(), ElementsAre(3.0F));
  const NpyArray empty = read(npy_bytes(dictionary("<f4", "(0, 50)"), ""));
  EXPECT_EQ(empty.size(), 0);
  EXPECT_TRUE(empty.as_float().empty());
}

TEST_F(NpyTest, TurnsFortranOrderIntoCOrder) {
  // [[1, 2, 3], [4, 5, 6]], column by column.
  const NpyArray array = read(npy_bytes(dictionary("<i4", "(2, 3)", "True"), data_of<int32_t>({1, 4, 2, 5, 3, 6})));
  EXPECT_THAT(array.as_int64(), ElementsAre(1, 2, 3, 4, 5, 6));
  std::vector<int32_t> fortran;
  for (int k = 0; k < 4; ++k) {
    for (int j = 0; j < 3; ++j) {
      for (int i = 0; i < 2; ++i) fortran.push_back((i * 3 + j) * 4 + k);
    }
  }
  const auto values = read(npy_bytes(dictionary("<i4", "(2, 3, 4)", "True"), data_of(fortran))).as_int64();
  for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], static_cast<int64_t>(i));
}

TEST_F(NpyTest, ReadsBackWhatItWrites) {
  const std::vector<float> floats = {1.5F, -2.0F, std::nanf(""), 1e-38F, 0.0F, 3.0F};
  write_npy(folder_ / "sub/f.npy", {2, 3}, floats.data());
  const NpyArray array = read_npy(folder_ / "sub/f.npy");
  EXPECT_THAT(array.shape, ElementsAre(2, 3));
  EXPECT_EQ(std::memcmp(array.bytes.data(), floats.data(), 24), 0);
  const std::vector<double> doubles = {0.1, 0.2};
  write_npy(folder_ / "d.npy", {2}, doubles.data());
  EXPECT_EQ(read_npy(folder_ / "d.npy").as_double(), doubles);
  const std::vector<uint8_t> bytes = {0, 255};
  write_npy(folder_ / "b.npy", {2, 1, 1}, bytes.data());
  EXPECT_THAT(read_npy(folder_ / "b.npy").as_int64(), ElementsAre(0, 255));
  write_npy(folder_ / "s.npy", {}, doubles.data());
  EXPECT_TRUE(read_npy(folder_ / "s.npy").shape.empty());
}

TEST_F(NpyTest, WritesTheHeaderThatNumPyWrites) {
  const float value = 1.0F;
  write_npy(folder_ / "a.npy", {1}, &value);
  std::ifstream file(folder_ / "a.npy", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  ASSERT_EQ(bytes.size(), 132U);  // NumPy's size for this array: the data begin at byte 128
  EXPECT_EQ(bytes.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  EXPECT_EQ(bytes.substr(10, 59), "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }  ");
}

TEST_F(NpyTest, RefusesConversionsThatWouldLoseTheValue) {
  EXPECT_THAT(message_of([&] { read(npy_bytes(dictionary("<f4", "(1,)"), data_of<float>({0.5F}))).as_int64(); }),
              HasSubstr("an integer was expected, found 0.5"));
  for (const double bad : {std::nan(""), HUGE_VAL, 1e18}) {
    EXPECT_THROW(read(npy_bytes(dictionary("<f8", "(1,)"), data_of<double>({bad}))).as_int64(), DataError);
  }
  EXPECT_THAT(
      message_of([&] { read(npy_bytes(dictionary("<u8", "(1,)"), data_of<uint64_t>({UINT64_MAX}))).as_int64(); }),
      HasSubstr("does not fit 64 signed bits"));
}

TEST_F(NpyTest, NamesTheFirstThingThatIsWrong) {
  EXPECT_THAT(message(""), HasSubstr("a.npy: not a usable .npy file: shorter than 8 bytes"));
  EXPECT_THAT(message("PK\x03\x04 this is a zip file"), HasSubstr("the magic bytes are missing"));
  EXPECT_THAT(message(npy_bytes(dictionary("<f4", "(1,)"), "1234", 9)), HasSubstr("format version 9 is unknown"));
  EXPECT_THAT(message(std::string("\x93NUMPY\x01\x00\x76", 9)), HasSubstr("the header is cut off"));
  EXPECT_THAT(message(std::string("\x93NUMPY\x01\x00\x76\x00{", 11)), HasSubstr("a header of 118 bytes"));
  EXPECT_THAT(message(std::string("\x93NUMPY\x02\x00\xFF\xFF\xFF\xFF{}", 14)),
              HasSubstr("a header of 4294967295 bytes"));
  EXPECT_THAT(message(npy_bytes("{'shape': (1,), 'fortran_order': False}", "1234")),
              HasSubstr("the header has no 'descr'"));
  EXPECT_THAT(message(npy_bytes(dictionary("|O", "(1,)"), "1234")),
              HasSubstr("type '|O' is not supported (object arrays are pickles"));
  EXPECT_THAT(message(npy_bytes(dictionary(">f4", "(1,)"), "1234")), HasSubstr("type '>f4' is not supported"));
  EXPECT_THAT(message(npy_bytes("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "1234")),
              HasSubstr("structured types are not supported"));
  EXPECT_THAT(message(npy_bytes(dictionary("<f4", "5"), "1234")), HasSubstr("the header's shape is no tuple"));
  EXPECT_THAT(message(npy_bytes(dictionary("<f4", "(-1,)"), "1234")), HasSubstr("the header's shape holds '-1'"));
  EXPECT_THAT(message(npy_bytes(dictionary("<f4", "(2,)"), "1234")),
              HasSubstr("shape [2] of '<f4' needs 8 bytes, found 4"));
  EXPECT_THAT(message(npy_bytes(dictionary("<f4", "(1,)"), "12345678")), HasSubstr("needs 4 bytes, found 8"));
  EXPECT_THAT(message(npy_bytes(dictionary("<f4", "(4611686018427387904, 4)"), "1234")), HasSubstr("overflows"));
  EXPECT_THAT(message(npy_bytes(dictionary("<f4", "(0, 1099511627776)"), "")), HasSubstr("without elements"));
  EXPECT_THAT(message(npy_bytes(dictionary("<f4", "(4611686018427387904, 4, 0)"), "")), HasSubstr("overflows"));
  EXPECT_THAT(message(npy_bytes(dictionary("<f4", "(1152921504606846976,)"), "1234")),
              HasSubstr("needs 4611686018427387904 bytes"));
  EXPECT_THAT(message_of([&] { read_npy(folder_ / "missing.npy"); }), HasSubstr("missing.npy"));
  EXPECT_THROW(read_npy(folder_.path()), DataError);
}

TEST(NpyShapeTest, IsWrittenInBrackets) {
  EXPECT_EQ(shape_text({4, 50}), "[4, 50]");
  EXPECT_EQ(shape_text({}), "[]");
}

}  // namespace
}  // namespace tagbench
