#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tagbench {

// The files named, and the audio files below the folders named, sorted. Errors: DataError for what does not exist and
// for a folder without audio files.
std::vector<std::filesystem::path> expand_audio_inputs(const std::vector<std::string>& inputs);

}  // namespace tagbench
