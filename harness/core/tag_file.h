#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tagbench {

// Tag names, one per line; LF or CRLF, a byte order mark and blank lines at the end are dropped.
// Errors: DataError for text that is not UTF-8, empty names within the list, or a name given twice.
std::vector<std::string> read_tag_file(const std::filesystem::path& path);

}  // namespace tagbench
