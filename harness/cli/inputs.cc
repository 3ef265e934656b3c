#include "harness/cli/inputs.h"

#include <algorithm>
#include <set>

#include "harness/core/errors.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

bool has_audio_extension(const std::filesystem::path& path) {
  static const std::set<std::string> kExtensions = {".wav", ".flac", ".ogg",  ".oga", ".opus",
                                                    ".mp3", ".aif",  ".aiff", ".au"};
  return kExtensions.count(to_lower(path.extension().string())) > 0;
}

}  // namespace

std::vector<AudioInput> expand_audio_inputs(const std::vector<std::string>& inputs) {
  std::vector<AudioInput> files;
  for (const std::string& input : inputs) {
    std::error_code error;
    if (!std::filesystem::is_directory(input, error)) {
      if (!std::filesystem::exists(input, error)) throw DataError(input + ": no such file or folder");
      files.push_back({input, std::filesystem::path(input).filename()});
      continue;
    }
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(input)) {
      if (entry.is_regular_file() && has_audio_extension(entry.path())) found.push_back(entry.path());
    }
    if (found.empty()) throw DataError(input + ": the folder holds no audio files");
    std::sort(found.begin(), found.end());
    for (const auto& path : found) files.push_back({path, path.lexically_relative(input)});
  }
  return files;
}

}  // namespace tagbench
