#include <gmock/gmock.h>

#include <cmath>

#include "harness/audio/audio_file.h"
#include "harness/core/csv.h"
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
using ::testing::Not;
using testing::Outcome;
using testing::run_program;

class DataTest : public ::testing::Test {
 protected:
  DataTest() { testing::write_small_corpus(directory_ / "corpus", 15, 4.0); }
  Outcome data(const std::string& verb, std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"data", verb, "folder", "--root", (directory_ / "corpus").string()};
    words.insert(words.end(), more.begin(), more.end());
    return run_program(words);
  }
  std::string path(const std::string& name) const { return (directory_ / name).string(); }
  testing::TemporaryDirectory directory_;
};

TEST_F(DataTest, ListTellsPartsTagsAndTheManifestOfASplit) {
  const Outcome table = data("list");
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr("folder: 15 tracks, 3 tags, multilabel"));
  const Outcome json = data("list", {"--format", "json"});
  ASSERT_EQ(json.code, 0) << json.err;
  EXPECT_EQ(Json::parse(json.out)[0]["tag"], "low");
  EXPECT_EQ(Json::parse(json.out)[0]["test_positive"], 2);
  const Outcome manifest = data("list", {"--split", "default", "-o", path("manifest.txt")});
  ASSERT_EQ(manifest.code, 0) << manifest.err;
  EXPECT_THAT(read_text_file(directory_ / "manifest.txt"), HasSubstr("\ntest\taudio/track12.wav\t111\n"));
  EXPECT_EQ(data("list", {"--split", "fold1"}).code, 2);
}

TEST_F(DataTest, VerifyReportsAsTextAndJsonGoesOnAndEndsWithThreeOnDamage) {
  const Outcome good = data("verify", {"--state", path("state"), "-o", path("report.json")});
  ASSERT_EQ(good.code, 0) << good.err;
  EXPECT_THAT(good.out, HasSubstr("folder: 15 files, 15 good"));
  EXPECT_EQ(read_json(directory_ / "report.json")["good"], true);
  const std::string state = read_text_file(directory_ / "state");
  write_file_atomically(directory_ / "corpus/audio/track3.wav", "no audio");
  const Outcome damaged = data("verify", {"--state", path("state"), "--format", "json", "--threads", "2"});
  EXPECT_EQ(damaged.code, 3);
  const Json report = Json::parse(damaged.out);
  EXPECT_EQ(report["files"]["broken"], 1);
  EXPECT_EQ(report["not_good"][0]["file"], "audio/track3.wav");
  // Only the changed file was looked at again.
  const std::vector<std::string> added =
      split_text(trim(read_text_file(directory_ / "state").substr(state.size())), '\n');
  EXPECT_EQ(added.size(), 1U);
  EXPECT_EQ(data("verify", {"--format", "xml"}).code, 2);
}

TEST_F(DataTest, AuditTellsSharedArtistsAndSounds) {
  std::filesystem::copy_file(directory_ / "corpus/audio/track0.wav", directory_ / "corpus/audio/track13.wav",
                             std::filesystem::copy_options::overwrite_existing);
  const Outcome outcome = data("audit", {"-o", path("audit.json"), "--state", path("audit.state")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("same_file\taudio/track0.wav\taudio/track13.wav"));
  EXPECT_THAT(outcome.out, HasSubstr("3 test tracks are of unseen artists"));
  const Json json = read_json(directory_ / "audit.json");
  EXPECT_EQ(json["splits"][0]["same_sound_pairs"]["train/test"], 1);
  EXPECT_EQ(json["splits"][0]["artists"]["shared"]["train/test"]["names"], 0);
  const Outcome silent = data("audit", {"--no-audio", "--format", "json"});
  ASSERT_EQ(silent.code, 0) << silent.err;
  EXPECT_EQ(Json::parse(silent.out)["audio_compared"], false);
}

TEST_F(DataTest, PrepareFillsTheCacheAndNamesWhatCannotBeUsed) {
  const Outcome whole = data("prepare", {"--cache", path("cache"), "--sample-rate-hz", "16000", "8000"});
  ASSERT_EQ(whole.code, 0) << whole.err;
  EXPECT_EQ(whole.out, "");
  write_file_atomically(directory_ / "corpus/audio/track3.wav", "no audio");
  const Outcome partial = data("prepare", {"--cache", path("cache"), "--format", "json"});
  EXPECT_EQ(partial.code, 1);
  EXPECT_EQ(Json::parse(partial.out)[0]["track"], "audio/track3.wav");
  EXPECT_EQ(data("prepare", {"--cache", path("cache"), "--strict"}).code, 3);
}

TEST_F(DataTest, DamagedListsAreOneLineWithFileAndRow) {
  const std::string labels = read_text_file(directory_ / "corpus/labels.csv");
  const auto complaint = [&](const std::string& text) {
    write_file_atomically(directory_ / "corpus/labels.csv", text);
    const Outcome outcome = data("list");
    EXPECT_EQ(outcome.code, 3);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(split_text(trim(outcome.err), '\n').size(), 1U) << outcome.err;
    return outcome.err;
  };
  EXPECT_THAT(complaint(labels + "audio/x.wav,a,test,1,0\n"),
              HasSubstr("labels.csv, line 17: 6 fields expected as in the header, found 5"));
  EXPECT_THAT(complaint(labels + "audio/track0.wav,a,test,1,0,0\n"), HasSubstr("appeared before, on line 2"));
  std::filesystem::remove(directory_ / "corpus/audio/track0.wav");
  std::filesystem::remove(directory_ / "corpus/audio/track1.wav");
  write_file_atomically(directory_ / "corpus/labels.csv", labels);
  const Outcome prepare = data("prepare", {"--cache", path("cache")});
  EXPECT_EQ(prepare.code, 3);
  EXPECT_THAT(prepare.err, HasSubstr("2 of 15 listed audio files are missing: audio/track0.wav, audio/track1.wav (the "
                                     "first is listed in "));
  EXPECT_THAT(prepare.err, HasSubstr("labels.csv, line 2; "));
  // Lists and labels can be looked at without the audio.
  EXPECT_EQ(data("list").code, 0);
  EXPECT_EQ(data("audit", {"--no-audio"}).code, 0);
  EXPECT_EQ(data("audit").code, 3);
}

TEST_F(DataTest, WhatCannotBeWrittenIsFoundBeforeTheWork) {
  for (const char* verb : {"verify", "audit"}) {
    const Outcome format = data(verb, {"--format", "csv", "--state", path("state")});
    EXPECT_EQ(format.code, 2);
    EXPECT_THAT(format.err, HasSubstr("--format: unknown format 'csv'; known: table, json"));
    EXPECT_EQ(data(verb, {"-o", directory_.path().string(), "--state", path("state")}).code, 2);
    EXPECT_EQ(data(verb, {"-o", path("corpus/labels.csv/report.json"), "--state", path("state")}).code, 2);
    EXPECT_FALSE(std::filesystem::exists(directory_ / "state"));
    EXPECT_THAT(run_program({"data", verb, "--help"}).out, HasSubstr("table, json (default table)"));
  }
  EXPECT_EQ(data("prepare", {"--cache", path("cache"), "--format", "xml"}).code, 2);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "cache"));
}

TEST_F(DataTest, AFileThatIsNoStateIsLeftAlone) {
  const std::string labels = read_text_file(directory_ / "corpus/labels.csv");
  for (const char* verb : {"verify", "audit"}) {
    const Outcome taken = data(verb, {"--state", path("corpus/labels.csv")});
    EXPECT_EQ(taken.code, 2);
    EXPECT_THAT(taken.err, HasSubstr("found a file that begins 'path,"));
    EXPECT_EQ(data(verb, {"--state", path("corpus/labels.csv/state")}).code, 2);
  }
  EXPECT_EQ(read_text_file(directory_ / "corpus/labels.csv"), labels);
}

TEST(ListDatasetsTest, StatesWhatToFetchFromWhomUnderWhichLicence) {
  const Outcome all = run_program({"list", "datasets", "--format", "json"});
  ASSERT_EQ(all.code, 0) << all.err;
  for (const Json& dataset : Json::parse(all.out)) {
    for (const char* fact : {"summary", "source", "licence", "fetch"}) {
      EXPECT_GT(dataset[fact].get<std::string>().size(), 5U) << dataset["name"] << " " << fact;
    }
  }
  const Outcome one = run_program({"list", "datasets", "openmic2018", "--format", "json"});
  ASSERT_EQ(one.code, 0) << one.err;
  EXPECT_THAT(Json::parse(one.out)["fetch"].get<std::string>(), HasSubstr("openmic-2018-v1.0.0.tgz from Zenodo"));
  EXPECT_EQ(Json::parse(one.out)["options"][0]["option"], "root");
  const Outcome text = run_program({"list", "datasets", "openmic2018"});
  EXPECT_THAT(text.out, HasSubstr("licence: CC BY 4.0 for the collection"));
  EXPECT_THAT(text.out, HasSubstr("get it: openmic-2018-v1.0.0.tgz from Zenodo"));
}

// OpenMIC-2018 in its owners' layout: 30 clips of 20 artists, two instruments heard in the clip or not, most labels
// unknown. One test clip's artist is also in training.
class PartialLabelsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::vector<std::string> instruments = {"accordion", "banjo",   "bass",    "cello",     "clarinet",
                                                  "cymbals",   "drums",   "flute",   "guitar",    "mallet_percussion",
                                                  "mandolin",  "organ",   "piano",   "saxophone", "synthesizer",
                                                  "trombone",  "trumpet", "ukulele", "violin",    "voice"};
    Json map;
    for (size_t i = 0; i < instruments.size(); ++i) map[instruments[i]] = i;
    write_json(root_ / "class-map.json", map);
    testing::write_small_corpus(directory_ / "sounds", 30, 4.0);
    std::string labels = "sample_key,instrument,relevance,num_responses\n";
    std::string metadata = "track_id,artist_id,album_title,sample_key\n";
    std::string train;
    std::string test;
    for (int i = 0; i < 30; ++i) {
      const std::string key = "0000" + std::to_string(10 + i) + "_0";
      std::filesystem::create_directories(root_ / "audio/000");
      std::filesystem::copy_file(directory_ / ("sounds/audio/track" + std::to_string(i) + ".wav"),
                                 root_ / ("audio/000/" + key + ".ogg"));
      // Of every third clip the flute is known, of the others the bass; of two training clips both.
      const bool flute = i % 3 == 0;
      const bool both = i == 4 || i == 9;
      if (!flute || both) labels += key + ",bass," + (i % 2 == 0 ? "0.9" : "0.1") + ",3\n";
      if (flute || both) labels += key + ",flute," + (i / 3 % 2 == 0 ? "0.8" : "0.2") + ",3\n";
      metadata += std::to_string(i) + "," + std::to_string(i == 29 ? 0 : i * 2 / 3) + ",Album," + key + "\n";
      (i < 18 ? train : test) += key + "\n";
    }
    write_file_atomically(root_ / "openmic-2018-aggregated-labels.csv", labels);
    write_file_atomically(root_ / "openmic-2018-metadata.csv", metadata);
    write_file_atomically(root_ / "partitions/split01_train.csv", train);
    write_file_atomically(root_ / "partitions/split01_test.csv", test);
  }
  Outcome report(const std::vector<std::string>& more) const {
    std::vector<std::string> words = {"report", (directory_ / "run").string(), "--resamples", "50"};
    words.insert(words.end(), more.begin(), more.end());
    return run_program(words);
  }
  testing::TemporaryDirectory directory_;
  std::filesystem::path root_ = directory_ / "openmic-2018";
};

TEST_F(PartialLabelsTest, GoThroughTrainingMetricsReportsAndScore) {
  write_file_atomically(directory_ / "test.yaml",
                        "dataset: {name: openmic2018, root: " + root_.string() +
                            ", valid_fraction: 0.3}\n"
                            "models: ['short:n_channels=2']\n"
                            "protocol: {name: quick, epochs: 2, batch_size: 4, stages: [{learning_rate: 1e-3}]}\n"
                            "threads: 1\nresamples: 0\n"
                            "cache: {directory: " +
                            (directory_ / "cache").string() + "}\n");
  const Outcome run = run_program({"run", (directory_ / "test.yaml").string(), "-o", (directory_ / "run").string()});
  ASSERT_EQ(run.code, 0) << run.err;
  std::filesystem::path cell;
  for (const auto& entry : std::filesystem::directory_iterator(directory_ / "run/cells")) cell = entry.path();
  const Json row = read_json(cell / "row.json");
  EXPECT_EQ(row["cell"]["task"], "partial");
  EXPECT_EQ(row["n_tracks"], 12);
  // Known labels only: 8 of the bass, 4 of the flute, none of any other instrument.
  const Json& metrics = row["metrics"];
  EXPECT_EQ(metrics["per_tag"][2]["n_known"], 8);
  EXPECT_EQ(metrics["per_tag"][7]["n_known"], 4);
  EXPECT_EQ(metrics["per_tag"][0]["n_known"], 0);
  EXPECT_TRUE(metrics["per_tag"][0]["roc_auc"].is_null());
  EXPECT_EQ(metrics["undefined_tags"].size(), 18U);
  // A masked loss is that of the known labels: a finite number, near log 2 for a network that knows nothing. Unknown
  // labels taken for negatives would soon push it far below.
  const Json epoch = Json::parse(split_text(read_text_file(cell / "training.jsonl"), '\n').at(0));
  EXPECT_NEAR(epoch["train_loss"].get<double>(), std::log(2.0), 0.35);
  EXPECT_TRUE(epoch["valid_loss"].is_number());

  const Json all = Json::parse(report({"--format", "json"}).out);
  EXPECT_EQ(all["tables"][0]["tracks"], "all");
  const Json value = all["tables"][0]["lines"][0]["values"][0];
  EXPECT_EQ(value["mean"], metrics["macro"]["roc_auc"]);
  EXPECT_THAT(report({}).out, HasSubstr("Undefined tags (labels of one class only), left out of the means: 18 of 20"));

  // The same metrics from the stored scores through `score`, with the mask.
  std::vector<uint8_t> labels;
  std::vector<uint8_t> mask;
  const CsvTable tracks = CsvTable::read(cell / "tracks.csv");
  for (const CsvRow& track : tracks.rows()) {
    for (size_t i = 2; i < track.fields.size(); ++i) {
      labels.push_back(track.fields[i] == "1" ? 1 : 0);
      mask.push_back(track.fields[i] == "?" ? 0 : 1);
    }
  }
  write_npy(directory_ / "labels.npy", {12, 20}, labels.data());
  write_npy(directory_ / "mask.npy", {12, 20}, mask.data());
  const Outcome score =
      run_program({"score", "--labels", (directory_ / "labels.npy").string(), "--scores",
                   (cell / "scores.npy").string(), "--mask", (directory_ / "mask.npy").string(), "--format", "json"});
  ASSERT_EQ(score.code, 0) << score.err;
  EXPECT_EQ(Json::parse(score.out)["macro"], metrics["macro"]);
  EXPECT_EQ(Json::parse(score.out)["micro"], metrics["micro"]);

  // Clip 29 is by the artist of training clip 0.
  const Outcome unseen = report({"--unseen-artists"});
  ASSERT_EQ(unseen.code, 0) << unseen.err;
  EXPECT_THAT(unseen.out, HasSubstr("protocol quick, test tracks of unseen artists"));
  EXPECT_THAT(unseen.out, HasSubstr("default: 11 of 12 test tracks"));
  const Json restricted = Json::parse(report({"--unseen-artists", "--format", "json"}).out);
  EXPECT_EQ(restricted["tables"][0]["tracks"], "unseen artists");
  EXPECT_EQ(restricted["rows"][0]["n_tracks"], 11);
  EXPECT_EQ(restricted["rows"][0]["metrics"]["per_tag"][2]["n_known"], 7);
  EXPECT_EQ(report({"--unseen-artists", "--format", "html"}).code, 0);
  EXPECT_THAT(report({"--unseen-artists", "--format", "csv"}).out, HasSubstr(",done,unseen artists,11,"));
  const Outcome compared = run_program({"compare", (directory_ / "run").string(), (directory_ / "run").string(),
                                        "--unseen-artists", "--resamples", "50"});
  EXPECT_EQ(compared.code, 0) << compared.err;
  EXPECT_THAT(compared.out, HasSubstr("test tracks of unseen artists"));
  // Networks on the features are not there yet.
  const std::string features = "openmic2018:features=vggish,missing=keep";
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"data", "audit", features, "--root", root_.string()},
        {"data", "prepare", features, "--root", root_.string(), "--cache", (directory_ / "unused").string()},
        {"validate", (directory_ / "test.yaml").string(), "--set", "dataset.features=vggish",
         "dataset.missing=keep"}}) {
    const Outcome refused = run_program(words);
    EXPECT_EQ(refused.code, 2) << words[1];
    EXPECT_THAT(refused.err, HasSubstr("a dataset with sound was expected"));
  }
  EXPECT_EQ(run_program({"data", "audit", features, "--root", root_.string(), "--no-audio"}).code, 0);
  // A run from before these lists were kept.
  std::filesystem::remove_all(directory_ / "run/splits");
  const Outcome without = report({"--unseen-artists"});
  EXPECT_EQ(without.code, 3);
  EXPECT_THAT(without.err, HasSubstr("run the experiment again on this folder"));
  EXPECT_EQ(report({}).code, 0);
}

}  // namespace
}  // namespace tagbench
