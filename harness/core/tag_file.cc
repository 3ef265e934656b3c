#include "harness/core/tag_file.h"

#include <set>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

constexpr uint64_t kMaxTagFileBytes = uint64_t{1} << 24U;

}  // namespace

std::vector<std::string> read_tag_file(const std::filesystem::path& path) {
  std::string text = read_text_file(path, kMaxTagFileBytes);
  if (starts_with(text, "\xEF\xBB\xBF")) text.erase(0, 3);
  if (!is_valid_utf8(text)) throw DataError(path.string() + ": tag names must be UTF-8 text");
  std::vector<std::string> tags;
  for (const std::string& line : split_text(text, '\n')) tags.push_back(trim(line));
  while (!tags.empty() && tags.back().empty()) tags.pop_back();
  std::set<std::string> seen;
  for (size_t i = 0; i < tags.size(); ++i) {
    const std::string where = path.string() + ", line " + std::to_string(i + 1);
    if (tags[i].empty()) throw DataError(where + ": a tag name was expected, the line is empty");
    if (!seen.insert(tags[i]).second) throw DataError(where + ": tag '" + tags[i] + "' is given twice");
  }
  if (tags.empty()) throw DataError(path.string() + ": tag names were expected, the file is empty");
  return tags;
}

}  // namespace tagbench
