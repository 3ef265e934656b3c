#include "harness/core/npy.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

constexpr size_t kMaxHeaderBytes = 1U << 20U;
constexpr size_t kMaxRank = 32;
// What an array without elements may still promise: its extents are not bounded by the file's size.
constexpr uint64_t kMaxEmptyExtents = 1U << 20U;

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw DataError(path.string() + ": not a usable .npy file: " + what);
}

size_t element_size(const std::string& descr) {
  static const std::map<std::string, size_t> kSizes = {{"|b1", 1}, {"|u1", 1}, {"|i1", 1}, {"<u2", 2},
                                                       {"<i2", 2}, {"<u4", 4}, {"<i4", 4}, {"<u8", 8},
                                                       {"<i8", 8}, {"<f4", 4}, {"<f8", 8}};
  const auto found = kSizes.find(descr);
  return found == kSizes.end() ? 0 : found->second;
}

// The value text after 'key': in the header's dictionary literal.
std::string header_value(const std::filesystem::path& path, const std::string& header, const std::string& key) {
  for (const char quote : {'\'', '"'}) {
    const std::string quoted = quote + key + quote;
    const size_t at = header.find(quoted);
    if (at == std::string::npos) continue;
    const size_t colon = header.find(':', at + quoted.size());
    if (colon == std::string::npos) break;
    return trim(header.substr(colon + 1));
  }
  fail(path, "the header has no '" + key + "'");
}

std::vector<int64_t> parse_shape(const std::filesystem::path& path, const std::string& text) {
  const size_t close = text.find(')');
  if (text.empty() || text[0] != '(' || close == std::string::npos) fail(path, "the header's shape is no tuple");
  std::vector<int64_t> shape;
  for (const std::string& part : split_text(text.substr(1, close - 1), ',')) {
    std::string digits = trim(part);
    if (digits.empty()) continue;
    if (digits.back() == 'L') digits.pop_back();
    const auto extent = parse_integer(digits);
    if (!extent || *extent < 0) fail(path, "the header's shape holds '" + digits + "'");
    shape.push_back(*extent);
  }
  if (shape.size() > kMaxRank) fail(path, "more than " + std::to_string(kMaxRank) + " dimensions");
  return shape;
}

uint64_t checked_byte_count(const std::filesystem::path& path, const std::vector<int64_t>& shape, size_t item) {
  uint64_t count = item;
  bool is_empty = false;
  for (const int64_t extent : shape) {
    is_empty = is_empty || extent == 0;
    if (extent > 0 && __builtin_mul_overflow(count, static_cast<uint64_t>(extent), &count))
      fail(path, "shape " + shape_text(shape) + " overflows");
  }
  if (!is_empty) return count;
  if (count / item > kMaxEmptyExtents) {
    fail(path, "extents of at most " + std::to_string(kMaxEmptyExtents) +
                   " in all were expected of an array without elements, found shape " + shape_text(shape));
  }
  return 0;
}

std::vector<unsigned char> to_c_order(const std::vector<unsigned char>& bytes, const std::vector<int64_t>& shape,
                                      size_t item) {
  std::vector<unsigned char> ordered(bytes.size());
  const size_t rank = shape.size();
  std::vector<int64_t> index(rank, 0);
  std::vector<size_t> stride(rank, item);
  for (size_t d = 1; d < rank; ++d) stride[d] = stride[d - 1] * static_cast<size_t>(shape[d - 1]);
  for (size_t out = 0; out < ordered.size(); out += item) {
    size_t in = 0;
    for (size_t d = 0; d < rank; ++d) in += static_cast<size_t>(index[d]) * stride[d];
    std::memcpy(&ordered[out], &bytes[in], item);
    for (size_t d = rank; d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
  return ordered;
}

template <typename From, typename To>
void convert(const NpyArray& array, std::vector<To>& values) {
  for (size_t i = 0; i < values.size(); ++i) {
    From value;
    std::memcpy(&value, &array.bytes[i * sizeof(From)], sizeof(From));
    if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
      if (!(std::floor(value) == value) || std::fabs(value) > 9e15) {
        throw DataError("npy: an integer was expected, found " + format_real(static_cast<double>(value)));
      }
    }
    if constexpr (std::is_same_v<To, int64_t> && std::is_same_v<From, uint64_t>) {
      if (value > static_cast<uint64_t>(INT64_MAX))
        throw DataError("npy: " + std::to_string(value) + " does not fit 64 signed bits");
    }
    // NOLINTNEXTLINE(bugprone-signed-char-misuse): an array of int8 holds numbers, not characters
    values[i] = static_cast<To>(value);
  }
}

template <typename To>
std::vector<To> converted(const NpyArray& array) {
  std::vector<To> values(static_cast<size_t>(array.size()));
  const std::string& d = array.descr;
  if (d == "|b1" || d == "|u1")
    convert<uint8_t>(array, values);
  else if (d == "|i1")
    convert<int8_t>(array, values);
  else if (d == "<u2")
    convert<uint16_t>(array, values);
  else if (d == "<i2")
    convert<int16_t>(array, values);
  else if (d == "<u4")
    convert<uint32_t>(array, values);
  else if (d == "<i4")
    convert<int32_t>(array, values);
  else if (d == "<u8")
    convert<uint64_t>(array, values);
  else if (d == "<i8")
    convert<int64_t>(array, values);
  else if (d == "<f4")
    convert<float>(array, values);
  else
    convert<double>(array, values);
  return values;
}

void write_bytes(const std::filesystem::path& path, const std::vector<int64_t>& shape, const std::string& descr,
                 const void* values, size_t item) {
  std::string extents;
  size_t count = 1;
  for (const int64_t extent : shape) {
    extents += (extents.empty() ? "" : ", ") + std::to_string(extent);
    count *= static_cast<size_t>(extent);
  }
  if (shape.size() == 1) extents += ",";
  std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + extents + "), }";
  // NumPy pads so that the data begins at a multiple of 64.
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string bytes = std::string("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size() & 255U);
  bytes += static_cast<char>(header.size() >> 8U);
  bytes += header;
  bytes.append(static_cast<const char*>(values), count * item);
  write_file_atomically(path, bytes);
}

}  // namespace

int64_t NpyArray::size() const {
  int64_t count = 1;
  for (const int64_t extent : shape) count *= extent;
  return count;
}

std::vector<float> NpyArray::as_float() const {
  return converted<float>(*this);
}
std::vector<double> NpyArray::as_double() const {
  return converted<double>(*this);
}
std::vector<int64_t> NpyArray::as_int64() const {
  return converted<int64_t>(*this);
}

NpyArray read_npy(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw DataError("cannot open " + path.string() + " for reading");
  file.seekg(0, std::ios::end);
  const auto file_size = static_cast<uint64_t>(file.tellg());
  file.seekg(0);
  unsigned char magic[8];
  if (!file.read(reinterpret_cast<char*>(magic), 8)) fail(path, "shorter than 8 bytes");
  if (std::memcmp(magic, "\x93NUMPY", 6) != 0) fail(path, "the magic bytes are missing");
  const unsigned major = magic[6];
  if (major < 1 || major > 3) fail(path, "format version " + std::to_string(major) + " is unknown");
  unsigned char length_bytes[4] = {0, 0, 0, 0};
  const int length_size = major == 1 ? 2 : 4;
  if (!file.read(reinterpret_cast<char*>(length_bytes), length_size)) fail(path, "the header is cut off");
  const size_t header_size = length_bytes[0] | (static_cast<size_t>(length_bytes[1]) << 8U) |
                             (static_cast<size_t>(length_bytes[2]) << 16U) |
                             (static_cast<size_t>(length_bytes[3]) << 24U);
  if (header_size > kMaxHeaderBytes || header_size > file_size)
    fail(path, "a header of " + std::to_string(header_size) + " bytes");
  std::string header(header_size, '\0');
  if (!file.read(header.data(), static_cast<std::streamsize>(header_size))) fail(path, "the header is cut off");

  NpyArray array;
  const std::string descr = header_value(path, header, "descr");
  if (descr.size() < 2 || (descr[0] != '\'' && descr[0] != '"')) fail(path, "structured types are not supported");
  array.descr = descr.substr(1, descr.find(descr[0], 1) - 1);
  if (!array.descr.empty() && array.descr[0] == '=') array.descr[0] = '<';
  const size_t item = element_size(array.descr);
  if (item == 0) {
    fail(path,
         "type '" + array.descr + "' is not supported" +
             (array.descr.find('O') != std::string::npos ? " (object arrays are pickles; save plain numbers)" : ""));
  }
  const bool fortran = starts_with(header_value(path, header, "fortran_order"), "True");
  array.shape = parse_shape(path, header_value(path, header, "shape"));
  const uint64_t wanted = checked_byte_count(path, array.shape, item);
  const uint64_t available = file_size - static_cast<uint64_t>(file.tellg());
  if (wanted != available) {
    fail(path, "shape " + shape_text(array.shape) + " of '" + array.descr + "' needs " + std::to_string(wanted) +
                   " bytes, found " + std::to_string(available));
  }
  array.bytes.resize(wanted);
  if (!file.read(reinterpret_cast<char*>(array.bytes.data()), static_cast<std::streamsize>(wanted)))
    fail(path, "the data is cut off");
  if (fortran && array.shape.size() > 1) array.bytes = to_c_order(array.bytes, array.shape, item);
  return array;
}

void write_npy(const std::filesystem::path& path, const std::vector<int64_t>& shape, const float* values) {
  write_bytes(path, shape, "<f4", values, sizeof *values);
}
void write_npy(const std::filesystem::path& path, const std::vector<int64_t>& shape, const double* values) {
  write_bytes(path, shape, "<f8", values, sizeof *values);
}
void write_npy(const std::filesystem::path& path, const std::vector<int64_t>& shape, const uint8_t* values) {
  write_bytes(path, shape, "|u1", values, sizeof *values);
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

}  // namespace tagbench
