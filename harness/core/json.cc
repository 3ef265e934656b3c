#include "harness/core/json.h"

#include <cmath>
#include <stdexcept>

#include "harness/core/errors.h"
#include "harness/core/files.h"

namespace tagbench {
namespace {

constexpr uint64_t kMaxJsonBytes = uint64_t{1} << 28U;
constexpr int kMaxJsonDepth = 64;

void require_finite(const Json& value) {
  if (value.is_number_float() && !std::isfinite(value.get<double>())) {
    throw std::logic_error("json: a number that is not finite reached a file; undefined values are null");
  }
  if (value.is_structured()) {
    for (const Json& child : value) require_finite(child);
  }
}

}  // namespace

Json json_number(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return nullptr;
  return *value;
}

Json read_json(const std::filesystem::path& path) {
  const std::string text = read_text_file(path, kMaxJsonBytes);
  const auto bound_depth = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxJsonDepth)
      throw DataError(path.string() + ": JSON nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
    return true;
  };
  try {
    return Json::parse(text, bound_depth);
  } catch (const Json::exception& error) {
    throw DataError(path.string() + ": not valid JSON: " + error.what());
  }
}

void write_json(const std::filesystem::path& path, const Json& value) {
  require_finite(value);
  write_file_atomically(path, value.dump(2) + "\n");
}

std::string canonical_json(const Json& value) {
  // nlohmann::json, unlike ordered_json, sorts its keys.
  return nlohmann::json::parse(value.dump()).dump();
}

}  // namespace tagbench
