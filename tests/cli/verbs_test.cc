#include <gmock/gmock.h>

#include <set>

#include "harness/audio/audio_file.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/npy.h"
#include "tests/cli/program.h"
#include "tests/run/small_corpus.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::Outcome;
using testing::run_program;

TEST(VerbsTest, ListModelsAsJsonTellsThePublishedCounts) {
  const Outcome outcome = run_program({"list", "models", "--format", "json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json models = Json::parse(outcome.out);
  bool found = false;
  for (const Json& model : models) {
    if (model["name"] != "short") continue;
    found = true;
    EXPECT_EQ(model["parameters"], 3687348);
    EXPECT_EQ(model["input_samples"], 59049);
    EXPECT_EQ(model["sample_rate_hz"], 16000);
  }
  EXPECT_TRUE(found);
}

TEST(VerbsTest, ListModelsTakesOptions) {
  const auto outcome = run_program({"list", "models", "short:n_channels=4", "--format", "json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  for (const Json& layer : Json::parse(outcome.out)) {
    if (layer.at("layer") != "layer1") continue;
    EXPECT_EQ(layer.at("output_shape"), "[1, 4, 64, 115]");
  }
  EXPECT_EQ(run_program({"list", "models", "short:channels=4"}).code, 2);
}

TEST(VerbsTest, EverythingThatCanBeListedIsListed) {
  for (const char* what : {"models", "datasets", "perturbations", "protocols", "metrics", "formats"}) {
    for (const char* format : {"table", "csv", "json"}) {
      const Outcome outcome = run_program({"list", what, "--format", format});
      EXPECT_EQ(outcome.code, 0) << what << " " << outcome.err;
      EXPECT_GT(outcome.out.size(), 50U);
    }
  }
}

// A listed name is one that rows, CSV files and `check --tolerance` know.
TEST(VerbsTest, ListMetricsGivesTheNamesThatOtherVerbsTake) {
  const testing::TemporaryDirectory directory;
  const std::vector<uint8_t> labels = {0, 1};
  const std::vector<float> scores = {0.1F, 0.9F};
  write_npy(directory / "l.npy", {2, 1}, labels.data());
  write_npy(directory / "s.npy", {2, 1}, scores.data());
  const Json metrics = Json::parse(run_program({"list", "metrics", "--format", "json"}).out);
  std::vector<std::string> check = {
      "check",       "--labels",      (directory / "l.npy").string(), "--scores", (directory / "s.npy").string(),
      "--published", "no-such-source"};
  std::set<std::string> names;
  for (const Json& metric : metrics) {
    names.insert(metric["name"].get<std::string>());
    check.insert(check.end(), {"--tolerance", metric["name"].get<std::string>() + "=0.1"});
  }
  EXPECT_THAT(names, ::testing::IsSupersetOf({"roc_auc", "roc_auc_micro", "average_precision_weighted", "log_loss"}));
  EXPECT_THAT(run_program(check).err, ::testing::Not(HasSubstr("unknown metric")));
  check.insert(check.end(), {"--tolerance", "roc_auc_macros=0.1"});
  EXPECT_THAT(run_program(check).err, HasSubstr("unknown metric"));
}

TEST(VerbsTest, PublishedNumbersAreNumbersInJson) {
  const Outcome outcome = run_program({"list", "published", "won2020", "fcn", "--format", "json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json values = Json::parse(outcome.out);
  ASSERT_FALSE(values.empty());
  for (const Json& value : values) EXPECT_TRUE(value.at("value").is_number()) << value;
}

TEST(VerbsTest, ScorePrintsTheDocumentedForm) {
  const testing::TemporaryDirectory directory;
  const std::vector<uint8_t> labels = {0, 0, 1, 0, 1, 0, 0, 0};
  const std::vector<float> scores = {0.1F, 0.4F, 0.8F, 0.3F, 0.35F, 0.2F, 0.5F, 0.1F};
  write_npy(directory / "l.npy", {4, 2}, labels.data());
  write_npy(directory / "s.npy", {4, 2}, scores.data());
  write_file_atomically(directory / "tags.txt", "guitar\r\nflute\r\n");
  const Outcome outcome =
      run_program({"score", "--labels", (directory / "l.npy").string(), "--scores", (directory / "s.npy").string(),
                   "--tags", (directory / "tags.txt").string(), "--format", "json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["n_tracks"], 4);
  EXPECT_EQ(json["per_tag"][0]["tag"], "guitar");
  EXPECT_EQ(json["per_tag"][0]["roc_auc"], 0.75);  // of four pairs, 0.35 below 0.5 is the one lost
  EXPECT_EQ(json["macro"]["roc_auc"], 0.75);
  EXPECT_TRUE(json["per_tag"][1]["roc_auc"].is_null());
  EXPECT_FALSE(json["per_tag"][1]["reason"].get<std::string>().empty());
  EXPECT_EQ(json["undefined_tags"], Json::array({"flute"}));
  EXPECT_TRUE(json["per_tag"][1]["roc_auc_interval"].is_null());
  EXPECT_EQ(json["intervals"]["resamples"], 1000);
}

TEST(VerbsTest, ScoreGivesIntervalsThatKnowOfGroups) {
  const testing::TemporaryDirectory directory;
  std::vector<uint8_t> labels;
  std::vector<float> scores;
  std::string groups;
  for (int track = 0; track < 60; ++track) {  // every track three times over
    const int origin = track / 3;
    labels.push_back(origin % 2 == 0 ? 1 : 0);
    scores.push_back(static_cast<float>((origin * 7) % 20 + (origin % 2 == 0 ? 6 : 0)));
    groups += "artist " + std::to_string(origin) + "\n";
  }
  write_npy(directory / "l.npy", {60, 1}, labels.data());
  write_npy(directory / "s.npy", {60, 1}, scores.data());
  write_file_atomically(directory / "groups.txt", groups);
  const auto widths = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {
        "score",    "--labels", (directory / "l.npy").string(), "--scores", (directory / "s.npy").string(),
        "--format", "json"};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = run_program(words);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    const Json json = Json::parse(outcome.out);
    std::vector<double> found;
    for (const Json& interval : {json["intervals"]["macro"]["roc_auc"], json["per_tag"][0]["roc_auc_interval"]}) {
      EXPECT_LT(interval[0], json["macro"]["roc_auc"]);
      EXPECT_GT(interval[1], json["macro"]["roc_auc"]);
      found.push_back(interval[1].get<double>() - interval[0].get<double>());
    }
    return found;
  };
  const auto of_tracks = widths({});
  const auto of_groups = widths({"--groups", (directory / "groups.txt").string()});
  for (size_t i = 0; i < 2; ++i) EXPECT_GT(of_groups[i], 1.4 * of_tracks[i]);  // sqrt(3), roughly
  write_file_atomically(directory / "groups.txt", "one\n");
  EXPECT_EQ(run_program({"score", "--labels", (directory / "l.npy").string(), "--scores",
                         (directory / "s.npy").string(), "--groups", (directory / "groups.txt").string()})
                .code,
            3);
}

TEST(VerbsTest, ScorePrintsEveryMetricInEveryForm) {
  const testing::TemporaryDirectory directory;
  const std::vector<uint8_t> labels = {1, 0, 0, 1, 1, 0, 0, 1};
  const std::vector<float> scores = {0.75F, 0.25F, 0.75F, 0.25F, 0.75F, 0.25F, 0.25F, 0.75F};
  write_npy(directory / "l.npy", {4, 2}, labels.data());
  write_npy(directory / "s.npy", {4, 2}, scores.data());
  const auto score = [&](const std::string& task, const std::string& format) {
    const Outcome outcome = run_program({"score", "--labels", (directory / "l.npy").string(), "--scores",
                                         (directory / "s.npy").string(), "--task", task, "--format", format});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.out;
  };
  // Three of four tracks are right. Log loss: three tracks lose -ln 0.75 for each tag, one -ln 0.25.
  const std::string log_loss = "0.56233514461880";
  for (const char* format : {"table", "csv", "json"}) {
    const std::string out = score("multiclass", format);
    EXPECT_THAT(out, HasSubstr("0.75")) << format;
    EXPECT_THAT(out, HasSubstr(log_loss)) << format;
    for (const char* name : {"n_known", "log_loss", "accuracy"}) EXPECT_THAT(out, HasSubstr(name)) << format;
  }
  EXPECT_THAT(score("multiclass", "csv"), HasSubstr("(all),4,8,,,0.5623351446188"));
  EXPECT_THAT(score("multilabel", "csv"), HasSubstr("accuracy: "));  // and why there is none
}

TEST(VerbsTest, PerturbWritesFloatWavAndTellsWhatWasReached) {
  const testing::TemporaryDirectory directory;
  testing::write_small_corpus(directory / "corpus", 1, 2.0);
  const Outcome outcome =
      run_program({"perturb", "time_stretch:rate=2^0.5", (directory / "corpus/audio/track0.wav").string(), "-o",
                   (directory / "out.wav").string()});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(probe_audio(directory / "out.wav").frames, 22627);  // round(32000 / 2^0.5)
  const Outcome set =
      run_program({"perturb", "won2020", (directory / "corpus").string(), "-o", (directory / "out").string()});
  ASSERT_EQ(set.code, 0) << set.err;
  const std::filesystem::directory_iterator written(directory / "out/audio");  // as below the input folder
  EXPECT_EQ(std::distance(written, std::filesystem::directory_iterator()), 8);
}

TEST(VerbsTest, PerturbReadsFloatFilesUnroundedUnlessAsked) {
  const testing::TemporaryDirectory directory;
  const Waveform waveform{{0.0F, 1.5F, -2.0F, 1e-6F, 0.25F}, 16000};
  write_wav(directory / "in.wav", waveform);
  DecodeOptions exact;
  exact.round_to_16_bits = false;
  const auto perturbed = [&](std::vector<std::string> more) {
    const std::string out = (directory / "out.wav").string();
    more.insert(more.begin(), {"perturb", "clean", (directory / "in.wav").string(), "-o", out});
    const Outcome outcome = run_program(more);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return decode_audio(out, exact).samples;
  };
  EXPECT_EQ(perturbed({}), waveform.samples);
  EXPECT_EQ(perturbed({"--round-to-16-bits"}), (std::vector<float>{0.0F, 32767.0F / 32768.0F, -1.0F, 0.0F, 0.25F}));
}

TEST(VerbsTest, PerturbKeepsEqualNamesOfDifferentFoldersApart) {
  const testing::TemporaryDirectory directory;
  const Waveform waveform{std::vector<float>(1600, 0.25F), 16000};
  for (const char* name : {"in/a/x.wav", "in/b/x.wav"}) write_wav(directory / name, waveform);
  const std::string out = (directory / "out").string();
  const Outcome outcome = run_program({"perturb", "white_noise:alpha=0.1", (directory / "in").string(), "-o", out});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Waveform a = decode_audio(directory / "out/a/x.white_noise_alpha_0.1.wav");
  const Waveform b = decode_audio(directory / "out/b/x.white_noise_alpha_0.1.wav");
  EXPECT_NE(a.samples, b.samples);  // each path draws its own noise
  // The same file by itself draws by its name.
  const std::string alone = (directory / "alone.wav").string();
  ASSERT_EQ(run_program({"perturb", "white_noise:alpha=0.1", (directory / "in/a").string(), "-o", out}).code, 0);
  ASSERT_EQ(run_program({"perturb", "white_noise:alpha=0.1", (directory / "in/a/x.wav").string(), "-o", alone}).code,
            0);
  EXPECT_EQ(decode_audio(alone).samples, decode_audio(directory / "out/x.white_noise_alpha_0.1.wav").samples);
}

TEST(VerbsTest, PerturbOverwritesNothingOfItsOwn) {
  const testing::TemporaryDirectory directory;
  const Waveform waveform{std::vector<float>(1600, 0.25F), 16000};
  for (const char* name : {"in/a/x.wav", "in/b/x.wav"}) write_wav(directory / name, waveform);
  const auto refused = [&](std::vector<std::string> words, const std::string& message) {
    words.insert(words.begin(), {"perturb", "clean"});
    const Outcome outcome = run_program(words);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.err, HasSubstr(message));
  };
  const std::string a = (directory / "in/a/x.wav").string();
  const std::string b = (directory / "in/b/x.wav").string();
  refused({a, b, "-o", (directory / "out").string()}, "found two for");
  refused({a, "-o", a}, "itself");
  refused({a, b, "-o", (directory / "out.wav").string()}, "name a folder");
  EXPECT_FALSE(std::filesystem::exists(directory / "out"));
  EXPECT_EQ(decode_audio(a).samples, waveform.samples);
}

TEST(VerbsTest, AnEmptyRunReportsNothingAsDamage) {
  const testing::TemporaryDirectory directory;
  testing::write_small_corpus(directory / "corpus", 15, 1.0);
  const std::vector<std::string> experiment = {"--dataset", "folder:root=" + (directory / "corpus").string(),
                                               "--models",  "short:n_channels=2",
                                               "--set",     "protocol.name=quick",
                                               "--set",     "protocol.epochs=1",
                                               "--cache",   "none",
                                               "-o",        (directory / "run").string()};
  std::vector<std::string> train = {"train"};
  train.insert(train.end(), experiment.begin(), experiment.end());
  const Outcome trained = run_program(train);
  ASSERT_EQ(trained.code, 0) << trained.err;
  const Outcome env = run_program({"env", "--format", "json"});
  ASSERT_EQ(env.code, 0);
  EXPECT_TRUE(Json::parse(env.out).contains("blas"));
}

}  // namespace
}  // namespace tagbench
