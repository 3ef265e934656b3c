#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace tagbench {

// SHA-256 (OpenSSL) as 64 lower-case hexadecimal digits: for everything that is written into results.
std::string sha256_hex(std::string_view bytes);
// Errors: DataError if the file cannot be read.
std::string sha256_file_hex(const std::filesystem::path& path);

// XXH3, 128 bit, as 32 hexadecimal digits: for cache keys, never for results.
std::string xxh128_hex(const void* data, size_t size);
std::string xxh128_file_hex(const std::filesystem::path& path);

// XXH3, 64 bit, seeded: for keying random generators.
uint64_t xxh64(std::string_view bytes, uint64_t seed);

}  // namespace tagbench
