#include <gmock/gmock.h>

#include <cmath>
#include <fstream>

#include "harness/audio/audio_file.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/npy.h"
#include "harness/core/text.h"
#include "tests/cli/program.h"
#include "tests/run/small_corpus.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::Outcome;
using testing::run_program;

class BadInputTest : public ::testing::Test {
 protected:
  BadInputTest() { testing::write_small_corpus(directory_ / "corpus", 15, 4.0); }
  std::vector<std::string> run_command(std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"run", (directory_ / "test.yaml").string(), "-o", (directory_ / "run").string()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  void write_experiment(const std::string& rest = "") const {
    write_file_atomically(directory_ / "test.yaml",
                          "dataset: {name: folder, root: " + (directory_ / "corpus").string() +
                              "}\n"
                              "models: ['short:n_channels=4']\n"
                              "protocol: {name: quick, epochs: 1, batch_size: 4, stages: [{learning_rate: 1e-3}]}\n"
                              "threads: 1\nresamples: 0\n"
                              "cache: {directory: " +
                              (directory_ / "cache").string() + "}\n" + rest);
  }
  // One line, the exit code, and no trace of the library that failed.
  static void expect_clear(const Outcome& outcome, int code, const std::string& text) {
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(text));
    EXPECT_THAT(outcome.err, ::testing::Not(HasSubstr("frame #")));
    EXPECT_EQ(outcome.out, "");
  }
  testing::TemporaryDirectory directory_;
};

TEST_F(BadInputTest, WrongUsageEndsWithTwo) {
  expect_clear(run_program({"rnu"}), 2, "tagbench: unknown verb 'rnu'; did you mean 'run'?");
  expect_clear(run_program({"data", "verifi", "gtzan"}), 2,
               "tagbench data: unknown verb 'verifi'; did you mean 'verify'?");
  expect_clear(run_program({"run", "--modles", "fcn", "x.yaml"}), 2,
               "tagbench run: unknown flag --modles; did you mean --models?");
  expect_clear(run_program({"report", "a", "b", "--quite=1"}), 2, "unknown flag --quite; did you mean --quiet?");
  expect_clear(run_program({"check", "run", "--baseline", "run", "--resamples", "0"}), 2, "--resamples");
  write_file_atomically(directory_ / "a.npy", "x");
  const std::string scores = (directory_ / "a.npy").string();
  expect_clear(run_program({"compare", scores, scores}), 2, "--labels");
  expect_clear(run_program({"train", "--model", "short", "--weights", scores}), 2, "nothing to train");
  expect_clear(run_program({"list", "modells"}), 2, "did you mean 'models'");
  expect_clear(run_program({"list", "models", "shrot"}), 2, "did you mean 'short'");
  expect_clear(run_program({"perturb", "pitch_shift:semitone=1", "x.wav", "-o", "y.wav"}), 2,
               "did you mean 'semitones'");
  write_experiment("perturbation: clean\n");
  expect_clear(run_program(run_command()), 2, "test.yaml:7: unknown key 'perturbation'; did you mean 'perturbations'");
  expect_clear(run_program({"data", "list", "synth", "--set", "tracks"}), 2, "key=value was expected");
  expect_clear(run_program({"data", "prepare", "folder:root=" + (directory_ / "corpus").string(), "--cache", "none"}),
               2, "a folder was expected");
  write_experiment();
  expect_clear(run_program(run_command({"--device", "cuda:99"})), 2, "cuda");
  expect_clear(run_program(run_command({"--shard", "3/2"})), 2, "0 <= i < n");
}

TEST_F(BadInputTest, MissingFilesEndWithThree) {
  expect_clear(run_program({"run", "nowhere.yaml"}), 3, "nowhere.yaml");
  expect_clear(run_program({"report", (directory_ / "norun").string()}), 3, "norun");
  expect_clear(run_program({"predict", "--model", "fcn", "--weights", "nowhere.pth", "x.wav"}), 3, "nowhere.pth");
}

TEST_F(BadInputTest, AnUnwritableOutputIsToldBeforeWork) {
  write_experiment();
  write_file_atomically(directory_ / "file", "not a folder");
  expect_clear(run_program({"run", (directory_ / "test.yaml").string(), "-o", (directory_ / "file/run").string()}), 2,
               "file/run");
}

TEST_F(BadInputTest, UnreadableTracksAreNamedInTheRowAndFatalWithStrict) {
  write_experiment();
  write_file_atomically(directory_ / "corpus/audio/track12.wav", "");                      // a test track, empty
  write_file_atomically(directory_ / "corpus/audio/track0.wav", "this is no audio file");  // a training track
  const Outcome strict = run_program(run_command({"--strict"}));
  EXPECT_EQ(strict.code, 3) << strict.err;
  const Outcome outcome = run_program(run_command());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  for (const auto& entry : std::filesystem::directory_iterator(directory_ / "run/cells")) {
    const Json row = read_json(entry.path() / "row.json");
    EXPECT_EQ(row["n_tracks"], 2);
    ASSERT_EQ(row["failures"].size(), 2U);
    EXPECT_THAT(row.dump(), HasSubstr("track12.wav"));
  }
  EXPECT_THAT(outcome.out, HasSubstr("left out"));
}

TEST_F(BadInputTest, OddAudioIsReadOrRefusedClearly) {
  const auto perturb = [&](const std::string& name) {
    return run_program(
        {"perturb", "drc:preset=speech", (directory_ / name).string(), "-o", (directory_ / "out.wav").string()});
  };
  write_file_atomically(directory_ / "empty.wav", "");
  expect_clear(perturb("empty.wav"), 3, "empty.wav");
  write_file_atomically(directory_ / "text.wav", "hello");
  expect_clear(perturb("text.wav"), 3, "text.wav");
  Waveform bad{std::vector<float>(100, 0.1F), 16000};
  bad.samples[50] = NAN;
  write_wav(directory_ / "nan.wav", bad);
  expect_clear(perturb("nan.wav"), 3, "nan.wav");
  const std::string whole = read_text_file(directory_ / "corpus/audio/track1.wav");
  write_file_atomically(directory_ / "cut.wav", std::string_view(whole).substr(0, whole.size() / 2));
  expect_clear(perturb("cut.wav"), 3, "cut.wav");
  for (const int rate : {4000, 192000}) {
    write_wav(directory_ / "odd.wav", {std::vector<float>(static_cast<size_t>(rate), 0.1F), rate});
    EXPECT_EQ(perturb("odd.wav").code, 0) << rate;
  }
}

TEST_F(BadInputTest, ScoreRefusesWhatDoesNotFit) {
  const std::vector<uint8_t> labels = {0, 1, 1, 0};
  write_npy(directory_ / "l.npy", {2, 2}, labels.data());
  const std::vector<float> scores = {0.1F, 0.2F, 0.3F, NAN};
  write_npy(directory_ / "nan.npy", {2, 2}, scores.data());
  write_npy(directory_ / "narrow.npy", {4, 1}, scores.data());
  const auto score = [&](const std::string& name) {
    return run_program(
        {"score", "--labels", (directory_ / "l.npy").string(), "--scores", (directory_ / name).string()});
  };
  expect_clear(score("nan.npy"), 3, "NaN");
  expect_clear(score("narrow.npy"), 3, "[2, 2]");
  const auto score_of_labels = [&](const std::vector<int64_t>& shape) {
    write_npy(directory_ / "empty.npy", shape, labels.data());
    const std::string path = (directory_ / "empty.npy").string();
    return run_program({"score", "--labels", path, "--scores", path});
  };
  expect_clear(score_of_labels({0, 2}), 3, "at least one each");
  expect_clear(score_of_labels({2, 0}), 3, "at least one each");
  expect_clear(score_of_labels({0, int64_t{1} << 40U}), 3, "empty.npy");
  write_file_atomically(directory_ / "text.npy", "no array");
  expect_clear(score("text.npy"), 3, "text.npy");
}

}  // namespace
}  // namespace tagbench
