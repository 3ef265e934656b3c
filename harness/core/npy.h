#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tagbench {

// A NumPy array read from a .npy file (versions 1 to 3, C or Fortran order, little-endian), values held as read.
// Types: |b1 |u1 |i1 <u2 <i2 <u4 <i4 <u8 <i8 <f4 <f8. Object arrays (|O) are pickles and are refused.
struct NpyArray {
  std::vector<int64_t> shape;
  std::string descr;                 // as in the header, "<f4"
  std::vector<unsigned char> bytes;  // always C order

  int64_t size() const;  // number of elements
  bool is_floating() const { return descr == "<f4" || descr == "<f8"; }
  // The values converted to T. Errors: DataError if an integer or boolean conversion would lose the value.
  std::vector<float> as_float() const;
  std::vector<double> as_double() const;
  std::vector<int64_t> as_int64() const;
};

// Errors: DataError that names the file and the first thing that is wrong (magic, header, type, size); the header and
// the element count are checked against the file's size before anything is allocated.
NpyArray read_npy(const std::filesystem::path& path);

// Written atomically, version 1.0, C order.
void write_npy(const std::filesystem::path& path, const std::vector<int64_t>& shape, const float* values);
void write_npy(const std::filesystem::path& path, const std::vector<int64_t>& shape, const double* values);
void write_npy(const std::filesystem::path& path, const std::vector<int64_t>& shape, const uint8_t* values);

// "[4, 50]"
std::string shape_text(const std::vector<int64_t>& shape);

}  // namespace tagbench
