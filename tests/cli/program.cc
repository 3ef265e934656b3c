#include "tests/cli/program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <stdexcept>

#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "tests/support/test_support.h"

namespace tagbench::testing {

pid_t start_program(const std::vector<std::string>& arguments, const std::filesystem::path& directory) {
  std::filesystem::create_directories(directory);
  std::vector<std::string> words = {TAGBENCH_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string out = (directory / "out").string();
  const std::string err = (directory / "err").string();
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("cannot start a process");
  if (child == 0) {
    const int out_file = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    const int err_file = ::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ::dup2(out_file, STDOUT_FILENO);
    ::dup2(err_file, STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  return child;
}

int wait_for_program(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) throw std::runtime_error("cannot wait for a process");
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Outcome run_program(const std::vector<std::string>& arguments) {
  const TemporaryDirectory directory;
  Outcome outcome;
  outcome.code = wait_for_program(start_program(arguments, directory.path()));
  outcome.out = read_text_file(directory / "out");
  outcome.err = read_text_file(directory / "err");
  return outcome;
}

std::vector<std::string> result_files(const std::filesystem::path& root) {
  static const std::set<std::string> kNames = {"row.json", "scores.npy", "tracks.csv", "training.jsonl",
                                               "model.safetensors"};
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "cells")) {
    if (kNames.count(entry.path().filename().string()) == 0) continue;
    files.push_back(std::filesystem::relative(entry.path(), root).string() + ": " + sha256_file_hex(entry.path()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace tagbench::testing
