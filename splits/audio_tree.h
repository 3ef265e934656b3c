#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tagbench {

// Files below `folder` whose extension is one of `extensions` (lower case, with the dot; the files' case is ignored),
// relative to it, in bytewise order, hidden files and __MACOSX left out. Depth at most 16, at most 10 million files.
// Errors: DataError if the folder cannot be read.
std::vector<std::filesystem::path> list_files(const std::filesystem::path& folder,
                                              const std::vector<std::string>& extensions);

// A file name as an id: bytes that are not UTF-8 text (names from old archives) and control characters become %XX.
std::string printable_id(const std::string& name);

}  // namespace tagbench
