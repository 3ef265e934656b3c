#include <signal.h>

#include <chrono>
#include <thread>

#include "harness/core/files.h"
#include "harness/core/json.h"
#include "tests/cli/program.h"
#include "tests/run/small_corpus.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using testing::Outcome;
using testing::result_files;
using testing::run_program;

class ResumeTest : public ::testing::Test {
 protected:
  ResumeTest() {
    testing::write_small_corpus(directory_ / "corpus", 45, 4.0);
    write_file_atomically(directory_ / "test.yaml",
                          "name: test\n"
                          "dataset: {name: folder, root: " +
                              (directory_ / "corpus").string() +
                              "}\n"
                              "models: ['short:n_channels=4', 'sample:n_channels=4']\n"
                              "protocol: {name: quick, epochs: 3, batch_size: 8, stages: [{learning_rate: 3e-3}]}\n"
                              "perturbations: ['white_noise:alpha=0.4', 'drc:preset=speech']\n"
                              "threads: 1\nresamples: 20\n"
                              "cache: {directory: " +
                              (directory_ / "cache").string() + "}\n");
  }
  std::vector<std::string> command(const std::string& output, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"run", (directory_ / "test.yaml").string(), "-o", (directory_ / output).string()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  testing::TemporaryDirectory directory_;
};

// The run is killed again and again at moments that differ, and goes on each time; what it leaves equals an undisturbed
// run's to the byte.
TEST_F(ResumeTest, AfterKillNineTheSameBytes) {
  const auto start = std::chrono::steady_clock::now();
  const Outcome whole = run_program(command("whole"));
  ASSERT_EQ(whole.code, 0) << whole.err;
  const auto undisturbed = std::chrono::steady_clock::now() - start;
  int kills = 0;
  for (int attempt = 1; attempt <= 40; ++attempt) {
    const pid_t process = testing::start_program(command("killed"), directory_ / "log");
    std::this_thread::sleep_for(undisturbed * (2 + attempt) / 10);
    ::kill(process, SIGKILL);
    if (testing::wait_for_program(process) == 0) break;
    ++kills;
  }
  EXPECT_GE(kills, 1);
  const Outcome last = run_program(command("killed"));
  ASSERT_EQ(last.code, 0) << last.err;
  const std::vector<std::string> expected = result_files(directory_ / "whole");
  EXPECT_EQ(expected.size(), 2U * (3 * 3 + 2));  // three cells of three files, and the training's two
  EXPECT_EQ(result_files(directory_ / "killed"), expected);
  EXPECT_EQ(last.out, whole.out);
}

// The process that evaluates need not be the one that trained: its rows name the same tracks that were left out.
TEST_F(ResumeTest, TracksLeftOutOfTrainingAreNamedWhoeverEvaluates) {
  write_file_atomically(directory_ / "corpus/audio/track0.wav", "no audio");
  ASSERT_EQ(run_program(command("whole")).code, 0);
  ASSERT_EQ(run_program(command("parts", {"--shard", "0/2"})).code, 0);
  ASSERT_EQ(run_program(command("parts")).code, 0);
  const std::vector<std::string> expected = result_files(directory_ / "whole");
  EXPECT_EQ(result_files(directory_ / "parts"), expected);
  size_t naming = 0;
  for (const auto& cell : std::filesystem::directory_iterator(directory_ / "whole/cells")) {
    naming += read_text_file(cell.path() / "row.json").find("track0.wav") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(naming, 6U);
}

TEST_F(ResumeTest, FreshIsRefusedWhileAnotherProcessWorks) {
  const pid_t process = testing::start_program(command("busy", {"--set", "protocol.epochs=500"}), directory_ / "log");
  const std::filesystem::path log = directory_ / "log/err";
  while (!std::filesystem::exists(log) || read_text_file(log).find("epoch 1/") == std::string::npos)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const Outcome fresh = run_program(command("busy", {"--set", "protocol.epochs=500", "--fresh"}));
  EXPECT_EQ(fresh.code, 2);
  EXPECT_NE(fresh.err.find("another process works on cell"), std::string::npos) << fresh.err;
  ::kill(process, SIGINT);
  EXPECT_EQ(testing::wait_for_program(process), 130);
  EXPECT_EQ(read_json(directory_ / "busy/run.json")["status"], "interrupted");
}

TEST_F(ResumeTest, AFinishedRunIsNotComputedAgain) {
  ASSERT_EQ(run_program(command("again")).code, 0);
  const Outcome second = run_program(command("again"));
  EXPECT_EQ(second.code, 0);
  EXPECT_NE(second.err.find("6 cells, 0 computed now"), std::string::npos) << second.err;
}

TEST_F(ResumeTest, TwoShardsAtOnceFillOneRun) {
  const pid_t first = testing::start_program(command("shards", {"--shard", "0/2"}), directory_ / "log0");
  const pid_t second = testing::start_program(command("shards", {"--shard", "1/2"}), directory_ / "log1");
  EXPECT_EQ(testing::wait_for_program(first), 0);
  EXPECT_EQ(testing::wait_for_program(second), 0);
  ASSERT_EQ(run_program(command("whole")).code, 0);
  EXPECT_EQ(result_files(directory_ / "shards"), result_files(directory_ / "whole"));
  EXPECT_EQ(read_json(directory_ / "shards/run.json")["status"], "done");
}

TEST_F(ResumeTest, AnInterruptSavesAndSaysSo) {
  const pid_t process =
      testing::start_program(command("interrupted", {"--set", "protocol.epochs=500"}), directory_ / "log");
  while (!std::filesystem::exists(directory_ / "interrupted/cells"))
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  std::this_thread::sleep_for(std::chrono::seconds(1));
  ::kill(process, SIGINT);
  EXPECT_EQ(testing::wait_for_program(process), 130);
  EXPECT_NE(read_text_file(directory_ / "log/err").find("the same command continues it"), std::string::npos);
}

}  // namespace
}  // namespace tagbench
