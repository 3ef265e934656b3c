#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace tagbench::testing {

struct Outcome {
  int code = -1;  // exit code; 128 + signal where a signal ended it
  std::string out;
  std::string err;
};

// Runs the built program with these arguments and waits for it.
Outcome run_program(const std::vector<std::string>& arguments);

// Starts it in the background, its output into files in `directory`.
pid_t start_program(const std::vector<std::string>& arguments, const std::filesystem::path& directory);
// Waits for it; the exit code, or 128 + signal.
int wait_for_program(pid_t process);

// Every regular file below `root` that decides results, as "relative path: bytes": rows, scores, tracks, training logs
// and weights.
std::vector<std::string> result_files(const std::filesystem::path& root);

}  // namespace tagbench::testing
