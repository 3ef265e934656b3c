#include <signal.h>

#include <chrono>
#include <thread>

#include "harness/audio/audio_file.h"
#include "harness/core/files.h"
#include "tests/cli/program.h"
#include "tests/run/small_corpus.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

std::vector<std::filesystem::path> files_in(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) files.push_back(entry.path());
  return files;
}

// What the program in the background has said so far.
std::string said(const std::filesystem::path& log) {
  return std::filesystem::exists(log / "err") ? read_text_file(log / "err") : "";
}

// Measuring saves nothing before it ends, so it ends at once, and its child with it.
TEST(InterruptTest, AVerbThatSavesNothingEndsWithTheSignal) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const testing::TemporaryDirectory directory;
    const pid_t process =
        testing::start_program({"bench", "--models", "short:n_channels=2", "--min-time-s", "600"}, directory / "log");
    while (said(directory / "log").find("measuring") == std::string::npos)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    ::kill(process, signal);
    EXPECT_EQ(testing::wait_for_program(process), 128 + signal);
  }
}

TEST(InterruptTest, AnInterruptedPerturbLeavesWholeFilesOnly) {
  const testing::TemporaryDirectory directory;
  testing::write_small_corpus(directory / "corpus", 30, 30.0);
  const pid_t process = testing::start_program({"perturb", "pitch_shift:semitones=1", (directory / "corpus").string(),
                                                "-o", (directory / "out").string(), "--threads", "2"},
                                               directory / "log");
  while (files_in(directory / "out/audio").empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ::kill(process, SIGINT);
  EXPECT_EQ(testing::wait_for_program(process), 130);
  EXPECT_NE(said(directory / "log").find("of 30 files are written"), std::string::npos);
  const auto written = files_in(directory / "out/audio");
  EXPECT_LT(written.size(), 30U);
  for (const auto& path : written) EXPECT_EQ(probe_audio(path).frames, 480000) << path;
}

}  // namespace
}  // namespace tagbench
