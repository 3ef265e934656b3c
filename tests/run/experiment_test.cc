#include "harness/run/experiment.h"

#include <gmock/gmock.h>

#include <set>

#include "harness/nn/model_file.h"
#include "models/registry.h"
#include "tests/run/small_corpus.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::message_of;

class ExperimentTest : public ::testing::Test {
 protected:
  ExperimentTest() { testing::write_small_corpus(directory_.path(), 15, 0.5); }
  Experiment load(const std::string& rest) {
    return load_experiment(ConfigNode::parse(
        "dataset: {name: folder, root: " + directory_.path().string() + "}\nprotocol: quick\n" + rest, "test.yaml"));
  }
  testing::TemporaryDirectory directory_;
};

TEST_F(ExperimentTest, PlansEveryCombinationOnce) {
  const Experiment experiment = load("models: [fcn, short]\nseeds: [1, 2, 3]\nperturbations: won2020\n");
  const std::vector<Cell> cells = plan_cells(experiment, "16-bit, best");
  EXPECT_EQ(cells.size(), 2U * 3U * 9U);
  std::set<std::string> keys;
  for (const Cell& cell : cells) keys.insert(cell.key);
  EXPECT_EQ(keys.size(), cells.size());
  EXPECT_EQ(cells[0].id.condition, "clean");
  EXPECT_EQ(cells[8].trained_by, cells[0].key);
}

TEST_F(ExperimentTest, TwoSpellingsOfAConditionAreOneCell) {
  const Experiment a = load("models: short\nperturbations: ['time_stretch:rate=2^0.5']\n");
  const Experiment b = load("models: short\nperturbations: ['time_stretch:rate=1.4142135623730951']\n");
  EXPECT_EQ(plan_cells(a, "x")[1].key, plan_cells(b, "x")[1].key);
}

TEST_F(ExperimentTest, WhatDecidesNumbersChangesTheKey) {
  const std::string base = plan_cells(load("models: short\n"), "16-bit, best")[0].key;
  EXPECT_NE(plan_cells(load("models: short:n_channels=64\n"), "16-bit, best")[0].key, base);
  EXPECT_NE(plan_cells(load("models: short\nseeds: 2\n"), "16-bit, best")[0].key, base);
  EXPECT_NE(plan_cells(load("models: short\nprecision: bf16\n"), "16-bit, best")[0].key, base);
  EXPECT_NE(plan_cells(load("models: short\n"), "float, best")[0].key, base);
  EXPECT_EQ(plan_cells(load("models: short\nthreads: 1\noutput: elsewhere\n"), "16-bit, best")[0].key, base);
}

TEST_F(ExperimentTest, TheResolvedFileIsTheSameExperiment) {
  const Experiment given = load(
      "models: ['short:n_channels=16', {name: fcn, label: mine}]\nseeds: [3, 5]\n"
      "perturbations: ['time_stretch:rate=2^0.5', 'chain:[gain:gain_db=-6, white_noise:alpha=0.1]']\nprecision: "
      "bf16\n");
  const Experiment again = load_experiment(ConfigNode::parse(given.resolved, "resolved.yaml"));
  const std::vector<Cell> cells = plan_cells(given, "x");
  const std::vector<Cell> others = plan_cells(again, "x");
  ASSERT_EQ(cells.size(), others.size());
  for (size_t i = 0; i < cells.size(); ++i) EXPECT_EQ(cells[i].key, others[i].key) << i;
  for (size_t m = 0; m < given.models.size(); ++m) EXPECT_EQ(given.models[m].label, again.models[m].label);
  EXPECT_EQ(again.resolved, given.resolved);
  for (const std::string& key : experiment_keys()) EXPECT_THAT(given.resolved, HasSubstr(key + ":"));
}

TEST_F(ExperimentTest, AModelFileTellsItsArchitectureAndOptions) {
  const ModelEntry& entry = find_model("short");
  const std::string path = (directory_ / "m.safetensors").string();
  ModelFileInfo info;
  info.model = "short";
  info.options = {{"n_channels", "4"}};
  save_model_file(path, *entry.make(Options("short", entry.options, info.options), 3), info);
  const ModelRequest named = load("models: {weights: " + path + "}\n").models.at(0);
  EXPECT_EQ(named.entry->name, "short");
  EXPECT_EQ(named.options().integer("n_channels"), 4);
  EXPECT_EQ(named.label, "short (n_channels=4)");
  EXPECT_THAT(message_of([&] { load("models: {name: fcn, weights: " + path + "}\n"); }),
              HasSubstr("m.safetensors holds the architecture short, not fcn"));
}

TEST_F(ExperimentTest, EveryMistakeNamesItsPlaceAndTheNearestName) {
  EXPECT_THAT(message_of([&] { load("model: short\n"); }),
              HasSubstr("test.yaml:3: unknown key 'model'; did you mean 'models'"));
  EXPECT_THAT(message_of([&] { load("models: shrot\n"); }), HasSubstr("did you mean 'short'"));
  EXPECT_THAT(message_of([&] { load("models: short:n_chanels=3\n"); }), HasSubstr("did you mean 'n_channels'"));
  EXPECT_THAT(message_of([&] { load("models: short\nperturbations: pitch_shft:semitones=1\n"); }),
              HasSubstr("pitch_shift"));
  EXPECT_THAT(message_of([&] { load("models: short\nsplits: fold9\n"); }), HasSubstr("fold9"));
  EXPECT_THAT(message_of([&] { load("models: [short, short]\n"); }), HasSubstr("give each a label"));
  EXPECT_THAT(message_of([&] { load("models: [{name: short, label: a}, 'short:n_channels=128']\n"); }),
              HasSubstr("the entries 'a' and 'short' are the same network"));
  EXPECT_THAT(message_of([&] { load("models: short\nthreads: 4294967297\n"); }), HasSubstr("to 4096"));
  EXPECT_THAT(message_of([&] { load("models: short\nseeds: [1, 1]\n"); }), HasSubstr("given twice"));
  EXPECT_THAT(message_of([&] { load("models: {name: short, weights: nowhere.pth}\n"); }),
              HasSubstr("nowhere.pth does not exist"));
  EXPECT_THAT(message_of([&] { load(""); }), HasSubstr("models is required"));
  EXPECT_THAT(
      message_of([&] { load("models: short\nperturbations: ['oracle_pitch_shift:semitones=1']\n"); }),
      HasSubstr("test.yaml:4: perturbations: oracle_pitch_shift:semitones=1 plays the score of each track anew"));
}

}  // namespace
}  // namespace tagbench
