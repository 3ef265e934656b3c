#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/npy.h"
#include "harness/core/rng.h"
#include "tests/cli/program.h"
#include "tests/run/small_corpus.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using testing::run_program;
using testing::shared_path;

// Ready chunks through the published FCN: probabilities, logits and front end against the authors' own, tolerances as
// stated with them.
TEST(PredictTest, ReadyChunksGiveThePublishedOutputs) {
  TAGBENCH_REQUIRE_SHARED("parity/fcn/meta.json");
  const Json meta = read_json(shared_path("parity/fcn/meta.json"));
  const testing::TemporaryDirectory directory;
  const auto outcome =
      run_program({"predict", "--model", "fcn", "--weights", shared_path("checkpoints/mtat/fcn.pth").string(),
                   shared_path("parity/inputs/audio_464000.npy").string(), "--scores", (directory / "s.npy").string(),
                   "--logits", (directory / "g.npy").string(), "--front-end", (directory / "f.npy").string()});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto worst = [&](const std::string& ours, const std::string& theirs) {
    const NpyArray a = read_npy(directory / ours);
    const NpyArray b = read_npy(shared_path(theirs));
    EXPECT_EQ(a.shape, b.shape);
    const std::vector<double> x = a.as_double();
    const std::vector<double> y = b.as_double();
    double largest = 0.0;
    for (size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::fabs(x[i] - y[i]));
    return largest;
  };
  EXPECT_LE(worst("s.npy", "parity/fcn/output.npy"), meta["tolerance"]["prob_abs"].get<double>());
  EXPECT_LE(worst("g.npy", "parity/fcn/logits.npy"), meta["tolerance"]["logits_abs"].get<double>());
  EXPECT_LE(worst("f.npy", "parity/inputs/logmel96_ckpt_464000.npy"),
            meta["tolerance"]["frontend_db_abs_elsewhere"].get<double>());
}

class TrainedModelTest : public ::testing::Test {
 protected:
  // A small network, trained for one epoch once for all tests here.
  static void SetUpTestSuite() {
    directory_ = std::make_unique<testing::TemporaryDirectory>();
    testing::write_small_corpus(*directory_ / "corpus", 15, 4.0);
    const auto trained = run_program({"train", "--dataset", "folder:root=" + (*directory_ / "corpus").string(),
                                      "--model", "short:n_channels=2", "--protocol", "quick", "--set",
                                      "protocol.epochs=1", "--cache", "none", "-o", (*directory_ / "run").string()});
    ASSERT_EQ(trained.code, 0) << trained.err;
    for (const auto& cell : std::filesystem::directory_iterator(*directory_ / "run/cells"))
      weights_ = (cell.path() / "checkpoint/model.safetensors").string();
  }
  static void TearDownTestSuite() { directory_.reset(); }

  static constexpr int64_t kChunkSamples = 59049;  // of short
  static std::filesystem::path file(const std::string& name) { return *directory_ / name; }
  static testing::Outcome predict(const std::vector<float>& samples, const std::vector<std::string>& more) {
    write_npy(file("chunks.npy"), {static_cast<int64_t>(samples.size()) / kChunkSamples, kChunkSamples},
              samples.data());
    std::vector<std::string> words = {"predict", "--weights", weights_, file("chunks.npy").string()};
    words.insert(words.end(), more.begin(), more.end());
    return run_program(words);
  }
  inline static std::unique_ptr<testing::TemporaryDirectory> directory_;
  inline static std::string weights_;
};

std::vector<float> noise(size_t n_samples) {
  Rng rng(0, {"predict test"});
  std::vector<float> samples;
  for (size_t i = 0; i < n_samples; ++i) samples.push_back(static_cast<float>(rng.uniform(-0.5, 0.5)));
  return samples;
}

TEST_F(TrainedModelTest, WhatIsNotFiniteIsNeverSaved) {
  std::vector<float> samples = noise(3 * kChunkSamples);
  std::fill(samples.begin() + kChunkSamples, samples.begin() + 2 * kChunkSamples, 1e30F);  // its power is infinite
  const auto outcome = predict(samples, {"--scores", file("bad.npy").string()});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_NE(outcome.err.find("NaN or infinity for chunk 1 (counted from 0)"), std::string::npos) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(file("bad.npy")));
}

// More chunks than one batch takes.
TEST_F(TrainedModelTest, TheFrontEndOfManyChunksIsThatOfEach) {
  constexpr int64_t kChunks = 20;
  const std::vector<float> samples = noise(kChunks * kChunkSamples);
  ASSERT_EQ(predict(samples, {"--front-end", file("all.npy").string()}).code, 0);
  ASSERT_EQ(predict({samples.end() - kChunkSamples, samples.end()}, {"--front-end", file("last.npy").string()}).code,
            0);
  const NpyArray all = read_npy(file("all.npy"));
  const NpyArray last = read_npy(file("last.npy"));
  ASSERT_EQ(all.shape[0], kChunks);
  ASSERT_EQ(all.size(), kChunks * last.size());
  const std::vector<float> of_all = all.as_float();
  const std::vector<float> alone = last.as_float();
  for (size_t i = 0; i < alone.size(); ++i) {
    // Decibels; the matrix product over mel bands may be blocked otherwise.
    ASSERT_NEAR(of_all[of_all.size() - alone.size() + i], alone[i], 1e-3);
  }
}

TEST_F(TrainedModelTest, AScriptIsEvaluatedFromItsShortForm) {
  const std::string script = file("net.pt").string();
  ASSERT_EQ(run_program({"export", weights_, "-o", script}).code, 0);
  const auto evaluate = [&](const std::string& name, const std::string& model) {
    const auto outcome = run_program({"eval", "--model", model, "--dataset", "folder:root=" + file("corpus").string(),
                                      "--protocol", "quick", "--cache", "none", "-o", file(name).string()});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    for (const auto& cell : std::filesystem::directory_iterator(file(name) / "cells"))
      return read_json(cell.path() / "row.json")["metrics"]["macro"];
    return Json();
  };
  const Json by_script = evaluate("eval_script", "script:" + script + ",chunk_samples=59049");
  const Json by_weights = evaluate("eval_weights", "short:n_channels=2,weights=" + weights_);
  EXPECT_EQ(by_script, by_weights);
  // A model file names its architecture and options itself.
  const auto outcome =
      run_program({"eval", "--weights", weights_, "--dataset", "folder:root=" + file("corpus").string(), "--protocol",
                   "quick", "--cache", "none", "-o", file("eval_file").string()});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  for (const auto& cell : std::filesystem::directory_iterator(file("eval_file") / "cells"))
    EXPECT_EQ(read_json(cell.path() / "row.json")["metrics"]["macro"], by_weights);
}

// What a downloaded file says of itself is not believed further than the registry goes.
TEST_F(TrainedModelTest, AModelFilesOwnWordsNeverRunAScriptAndNeverContradict) {
  const std::string script = file("ran.pt").string();
  ASSERT_EQ(run_program({"export", weights_, "-o", script}).code, 0);
  const std::string bytes = read_text_file(weights_);
  uint64_t length = 0;  // of the header, little-endian
  std::memcpy(&length, bytes.data(), sizeof length);
  const Json header = Json::parse(bytes.substr(sizeof length, length));
  const auto described_as = [&](const std::string& name, const Json& options) {
    Json changed = header;
    std::string& text = changed["__metadata__"]["tagbench_model"].get_ref<std::string&>();
    Json description = Json::parse(text);
    description["model"] = name;
    description["options"] = options;
    text = description.dump();
    const std::string dumped = changed.dump();
    const uint64_t size = dumped.size();
    const std::string path = file("described.safetensors").string();
    write_file_atomically(path, std::string(reinterpret_cast<const char*>(&size), sizeof size) + dumped +
                                    bytes.substr(sizeof length + length));
    return run_program({"predict", "--weights", path, "x.wav"});
  };
  const auto hostile = described_as("script", {{"path", script}, {"chunk_samples", "59049"}});
  EXPECT_EQ(hostile.code, 3);
  EXPECT_NE(hostile.err.find("described.safetensors: the model file's description names the architecture"),
            std::string::npos)
      << hostile.err;
  EXPECT_EQ(described_as("short", {{"n_chan", "2"}}).code, 3);
  const auto contradicted = run_program({"predict", "--model", "short:n_channels=8", "--weights", weights_, "x.wav"});
  EXPECT_EQ(contradicted.code, 2);
  EXPECT_NE(contradicted.err.find("holds short with n_channels=2, not with n_channels=8"), std::string::npos)
      << contradicted.err;
  const auto other = run_program({"predict", "--model", "fcn", "--weights", weights_, "x.wav"});
  EXPECT_EQ(other.code, 2);
  EXPECT_LT(other.err.size(), 300U) << other.err;
}

TEST_F(TrainedModelTest, FlagsThatWouldBeIgnoredAreRefused) {
  const auto refused = [&](std::vector<std::string> words, const std::string& message) {
    const auto outcome = run_program(words);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_NE(outcome.err.find(message), std::string::npos) << outcome.err;
  };
  const std::string dataset = "folder:root=" + file("corpus").string();
  for (const auto& flag : std::vector<std::vector<std::string>>{
           {"--sample-rate-hz", "16000"}, {"--chunk-samples", "100"}, {"--outputs-probabilities"}}) {
    std::vector<std::string> eval = {"eval", "--dataset", dataset, "--model", "short", "--weights", weights_};
    eval.insert(eval.end(), flag.begin(), flag.end());
    refused(eval, "belong to --model script:FILE.pt");
    std::vector<std::string> predict = {"predict", "--weights", weights_, "x.wav"};
    predict.insert(predict.end(), flag.begin(), flag.end());
    refused(predict, "belong to --model script:FILE.pt");
  }
  refused({"train", "--dataset", dataset, "--models", "short", "fcn", "--tags", "tags.txt"}, "exactly one --model");
  refused({"eval", "--dataset", dataset, "--models", "short", "fcn"}, "eval needs weights");
  refused({"eval", "--dataset", dataset}, "eval needs weights");
  refused({"predict", "--model", "script:net.pt,chunk_samples=1", "--weights", weights_, "x.wav"}, "in one");
}

TEST_F(TrainedModelTest, AModelOnTheCommandLineReplacesTheFilesList) {
  write_file_atomically(file("test.yaml"), "dataset: {name: folder, root: " + file("corpus").string() +
                                               "}\nmodels: [fcn, sample]\nprotocol: quick\n");
  const auto outcome = run_program({"validate", file("test.yaml").string(), "--model", "short:n_channels=2",
                                    "--weights", weights_, "--print-config"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("name: short"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("name: sample"), std::string::npos) << outcome.out;
}

}  // namespace
}  // namespace tagbench
