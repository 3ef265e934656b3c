#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace tagbench {

// Keys keep the order in which they were written, so files read as they were meant to.
using Json = nlohmann::ordered_json;

// The number, or null for nothing and for values JSON cannot hold. Every undefined value in a file goes through here.
Json json_number(std::optional<double> value);
inline Json json_number(double value) {
  return json_number(std::optional<double>(value));
}

// Errors: DataError that names the file and where it stops being JSON. At most 256 MiB, 64 levels deep.
Json read_json(const std::filesystem::path& path);
// Two-space indentation, a newline at the end, atomically. Errors: std::logic_error if a number is NaN or infinite.
void write_json(const std::filesystem::path& path, const Json& value);
// One line, keys sorted, without blanks: equal values, equal text. For hashing.
std::string canonical_json(const Json& value);

}  // namespace tagbench
