#include "splits/audio_tree.h"

#include <algorithm>
#include <cstdint>
#include <system_error>

#include "harness/core/errors.h"
#include "harness/core/text.h"

namespace tagbench {

std::vector<std::filesystem::path> list_files(const std::filesystem::path& folder,
                                              const std::vector<std::string>& extensions) {
  constexpr int kMaxDepth = 16;
  constexpr size_t kMaxFiles = 10000000;
  std::vector<std::filesystem::path> files;
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(
      folder, std::filesystem::directory_options::follow_directory_symlink, error);
  const std::filesystem::recursive_directory_iterator end;
  for (; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (entry->is_directory(ignored)) {
      if (starts_with(name, ".") || name == "__MACOSX" || entry.depth() >= kMaxDepth) entry.disable_recursion_pending();
      continue;
    }
    const std::string extension = to_lower(entry->path().extension().string());
    if (starts_with(name, ".") || std::find(extensions.begin(), extensions.end(), extension) == extensions.end())
      continue;
    files.push_back(entry->path().lexically_relative(folder));
    if (files.size() > kMaxFiles)
      throw DataError(folder.string() + ": more than " + std::to_string(kMaxFiles) + " files");
  }
  if (error) throw DataError("cannot read the folder " + folder.string() + ": " + error.message());
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.native() < b.native(); });
  return files;
}

std::string printable_id(const std::string& name) {
  const bool is_text = is_valid_utf8(name);
  std::string id;
  for (const char c : name) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte >= 0x20 && (byte < 0x7F || (is_text && byte >= 0x80))) {
      id += c;
      continue;
    }
    constexpr const char* kDigits = "0123456789ABCDEF";
    id += '%';
    id += kDigits[byte >> 4U];
    id += kDigits[byte & 0xFU];
  }
  return id;
}

}  // namespace tagbench
