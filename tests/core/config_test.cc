#include "harness/core/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::message_of;
using testing::TemporaryDirectory;

ConfigNode parse(const std::string& text) {
  return ConfigNode::parse(text, "quick.yaml");
}

TEST(ConfigTest, ReadsValuesOfEveryKind) {
  const ConfigNode config =
      parse("dataset:\n  name: synth\n  rate: 2^-0.5\n  tracks: 12\n  strict: yes\nmodels: [fcn, crnn]\nnothing: ~\n");
  EXPECT_EQ(config["dataset"]["name"].text(), "synth");
  EXPECT_DOUBLE_EQ(config["dataset"]["rate"].real(), 0.70710678118654757);
  EXPECT_EQ(config["dataset"]["tracks"].integer(), 12);
  EXPECT_TRUE(config["dataset"]["strict"].flag());
  ASSERT_EQ(config["models"].items().size(), 2U);
  EXPECT_EQ(config["models"].items()[1].text(), "crnn");
  EXPECT_TRUE(config["models"].is_sequence());
  EXPECT_TRUE(config["dataset"].is_map());
  EXPECT_TRUE(config["dataset"]["name"].is_scalar());
  EXPECT_FALSE(config["nothing"].defined());
  EXPECT_FALSE(config.has("missing"));
  EXPECT_FALSE(config["missing"]["deeper"].defined());
  EXPECT_TRUE(config.has("models"));
}

TEST(ConfigTest, KeepsTheOrderOfEntries) {
  std::string keys;
  for (const auto& [key, child] : parse("c: 1\na: 2\nb: 3\n").entries()) keys += key + child.text();
  EXPECT_EQ(keys, "c1a2b3");
}

TEST(ConfigTest, KnowsWhereEachValueStands) {
  const ConfigNode config = parse("a: 1\nb:\n  - x: 1\n  - x: two\n");
  const ConfigNode value = config["b"].items()[1]["x"];
  EXPECT_EQ(value.where(), "quick.yaml:4");
  EXPECT_EQ(value.key_path(), "b[1].x");
  EXPECT_THAT(message_of([&] { value.integer(); }), "quick.yaml:4: b[1].x: a whole number was expected, got 'two'");
}

TEST(ConfigTest, RefusesValuesOfAnotherKind) {
  const ConfigNode config = parse("list: [1]\nmap: {a: 1}\nword: x\nbig: .inf\n");
  EXPECT_THAT(message_of([&] { config["list"].text(); }), HasSubstr("quick.yaml:1: list: a single value was expected"));
  EXPECT_THAT(message_of([&] { config["missing"].text(); }),
              HasSubstr("quick.yaml: missing: a single value was expected"));
  EXPECT_THAT(message_of([&] { config["word"].real(); }), HasSubstr("a finite number was expected, got 'x'"));
  EXPECT_THAT(message_of([&] { config["big"].real(); }), HasSubstr("a finite number was expected"));
  EXPECT_THAT(message_of([&] { config["word"].flag(); }), HasSubstr("true or false was expected, got 'x'"));
  EXPECT_THAT(message_of([&] { config["map"].items(); }), HasSubstr("a list was expected"));
  EXPECT_THAT(message_of([&] { config["list"].entries(); }), HasSubstr("keys with values were expected"));
}

TEST(ConfigTest, NamesUnknownKeysWithTheNearestKnown) {
  const ConfigNode config = parse("dataset: synth\nmodel: [fcn]\n");
  EXPECT_THAT(message_of([&] {
                config.require_known_keys({"dataset", "models"});
              }),
              "quick.yaml:2: unknown key 'model'; did you mean 'models'? known: dataset, models");
  config.require_known_keys({"dataset", "model"});
}

TEST(ConfigTest, RefusesWhatIsNoGoodYaml) {
  EXPECT_THAT(message_of([] { parse("a: 1\nb: [1, 2\n"); }), HasSubstr("quick.yaml:"));
  EXPECT_THAT(message_of([] { parse("a: 1\n b: 2\n"); }), HasSubstr("not valid YAML"));
  EXPECT_THAT(message_of([] { parse("a: 1\nb: 2\na: 3\n"); }), HasSubstr("quick.yaml:3: key 'a' is given twice"));
  EXPECT_THAT(message_of([] { parse("? [a, b]\n: 1\n"); }), HasSubstr("keys must be plain text"));
  EXPECT_THAT(message_of([] { parse(std::string(2000, '[')); }), HasSubstr("quick.yaml"));
  EXPECT_THAT(message_of([] { parse("a: &x [*x]\n"); }), HasSubstr("quick.yaml"));
}

TEST(ConfigTest, RefusesAliasesThatUnfoldWithoutEnd) {
  // Each level holds the one before ten times: 10^9 leaves from 400 bytes.
  std::string text = "a0: &a0 [x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string previous = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += (j > 0 ? ", " : "") + previous;
    text += "]\n";
  }
  EXPECT_THAT(message_of([&] { parse(text); }), HasSubstr("quick.yaml"));
}

TEST(ConfigTest, LoadsFilesAndRefusesOthers) {
  const TemporaryDirectory folder;
  write_file_atomically(folder / "a.yaml", "a: 1\n");
  EXPECT_EQ(ConfigNode::load(folder / "a.yaml")["a"].integer(), 1);
  write_file_atomically(folder / "latin.yaml", "a: caf\xE9\n");
  EXPECT_THAT(message_of([&] { ConfigNode::load(folder / "latin.yaml"); }), HasSubstr("not UTF-8"));
  write_file_atomically(folder / "large.yaml", std::string((size_t{1} << 20U) + 1, '#'));
  EXPECT_THAT(message_of([&] { ConfigNode::load(folder / "large.yaml"); }), HasSubstr("at most 1048576 bytes"));
  EXPECT_THROW(ConfigNode::load(folder / "missing.yaml"), DataError);
}

TEST(ConfigTest, SetsValuesByDottedPath) {
  ConfigNode config = parse("dataset: synth\ntrain: {epochs: 3, rate: 1}\n");
  config.set("train.epochs", "5", "--set");
  config.set("dataset.root", "/data", "--set");
  config.set("new.deep.key", "[1, 2]", "--set");
  EXPECT_EQ(config["train"]["epochs"].integer(), 5);
  EXPECT_EQ(config["train"]["rate"].integer(), 1);
  EXPECT_EQ(config["dataset"]["name"].text(), "synth");
  EXPECT_EQ(config["dataset"]["root"].text(), "/data");
  EXPECT_EQ(config["new"]["deep"]["key"].items().size(), 2U);
  EXPECT_THAT(message_of([&] { config.set("new.deep.key.x", "1", "--set"); }),
              HasSubstr("--set new.deep.key.x: 'key' is a list"));
  EXPECT_THAT(message_of([&] { config.set("a", "[1", "--set"); }), HasSubstr("--set a=[1: not valid YAML"));
}

TEST(ConfigTest, WhatWasSetIsBlamedOnItsOrigin) {
  ConfigNode config = ConfigNode::parse("a: {b: 1}\nlist: [1]\n", "x.yaml");
  config.set("a.c", "word", "--set");
  config.set("list", "[1, z]", "--set");
  config.set_text("flag", "no number");
  EXPECT_EQ(config["a"]["b"].where(), "x.yaml:1");
  EXPECT_EQ(message_of([&] { config["a"]["c"].integer(); }).rfind("--set a.c: ", 0), 0U);
  EXPECT_EQ(message_of([&] { config["list"].items()[1].integer(); }).rfind("--set list: ", 0), 0U);
  EXPECT_EQ(message_of([&] { config["flag"].integer(); }).rfind("command line: flag: ", 0), 0U);
  EXPECT_THAT(message_of([&] { config["a"].require_known_keys({"b"}); }), HasSubstr("--set a.c: unknown key 'c'"));
}

TEST(ConfigTest, DumpsWhatReadsBackTheSame) {
  ConfigNode config = parse("b: 1\na: {c: [x, 'y: z'], d: ''}\n");
  config.set("a.e", "2^0.5", "--set");
  const ConfigNode again = ConfigNode::parse(config.dump(), "dump");
  EXPECT_EQ(again.dump(), config.dump());
  EXPECT_EQ(again["a"]["c"].items()[1].text(), "y: z");
  EXPECT_EQ(again["a"]["e"].text(), "2^0.5");
}

}  // namespace
}  // namespace tagbench
