#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tagbench {

struct AudioInput {
  std::filesystem::path path;
  std::filesystem::path relative;  // to the folder that was named; of a file its name
};

// The files named, and the audio files below the folders named, sorted. Errors: DataError for what does not exist and
// for a folder without audio files.
std::vector<AudioInput> expand_audio_inputs(const std::vector<std::string>& inputs);

}  // namespace tagbench
