#include "splits/state_file.h"

#include <fstream>
#include <system_error>

#include "harness/core/errors.h"
#include "harness/core/json.h"
#include "harness/core/text.h"
#include "splits/reader_support.h"

namespace tagbench {
namespace {

std::string text_of(const Json& header, const char* key) {
  const auto found = header.find(key);
  return found != header.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

std::string state_header(const std::string& format, const Dataset& dataset) {
  std::error_code error;
  std::filesystem::path root = std::filesystem::canonical(dataset.root, error);
  if (error) root = dataset.root;
  return Json{{"format", format}, {"dataset", utf8_text(dataset.reader())}, {"root", utf8_text(root.string())}}.dump();
}

bool has_state(const std::string& who, const std::filesystem::path& path, const std::string& header) {
  const std::string begin = who + ": the state file " + utf8_text(path.string());
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) throw UsageError(begin + " is a folder, a file was expected");
  if (path.has_parent_path()) {
    std::filesystem::create_directories(path.parent_path(), error);
    if (error)
      throw UsageError(begin + " cannot be made: " + utf8_text(path.parent_path().string()) + ": " + error.message());
  }
  constexpr size_t kLongestHeader = 65536;
  std::string text(kLongestHeader, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  const size_t end = text.find('\n');
  const std::string line = text.substr(0, end);
  if (end != std::string::npos && line == header) return true;
  if (end == std::string::npos && starts_with(header, line)) return false;
  const Json found = Json::parse(line, nullptr, false);
  const Json expected = Json::parse(header);
  const std::string what_to_do = "; name another file, or delete this one if it is no longer needed";
  if (!found.is_object() || text_of(found, "format") != text_of(expected, "format")) {
    throw UsageError(begin + ": '" + text_of(expected, "format") + "' was expected, found a file that begins '" +
                     utf8_text(line.substr(0, 60)) + "'" + what_to_do);
  }
  throw UsageError(begin + ": work on " + text_of(expected, "dataset") + " below " + text_of(expected, "root") +
                   " was expected, found that on " + text_of(found, "dataset") + " below " + text_of(found, "root") +
                   what_to_do);
}

}  // namespace tagbench
