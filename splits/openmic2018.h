#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace tagbench {

constexpr int64_t kVggishFrames = 10;
constexpr int64_t kVggishBands = 128;

// The quantised VGGish features of one clip of OpenMIC-2018 (vggish/000/000046_3840.json; a track's file with the
// dataset's option features=vggish). Shape: [kVggishFrames, kVggishBands], values 0 .. 255. Errors: DataError for
// another shape or other values.
std::vector<uint8_t> read_vggish_json(const std::filesystem::path& path);

}  // namespace tagbench
