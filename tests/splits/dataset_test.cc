#include "splits/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "harness/core/errors.h"
#include "tests/splits/small_corpus.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::message_of;

TEST(DatasetTest, EveryReaderStatesItsFactsAndTakesARoot) {
  std::set<std::string> names;
  for (const DatasetEntry& entry : datasets()) {
    SCOPED_TRACE(entry.facts.name);
    EXPECT_TRUE(names.insert(entry.facts.name).second);
    EXPECT_NE(entry.load, nullptr);
    for (const std::string& fact : {entry.facts.summary, entry.facts.source, entry.facts.licence, entry.facts.fetch}) {
      EXPECT_FALSE(fact.empty());
    }
    ASSERT_FALSE(entry.facts.options.empty());
    EXPECT_EQ(entry.facts.options.front().name, "root");
  }
}

TEST(DatasetTest, EveryReaderRefusesAWrongRootInOneLine) {
  const testing::TemporaryDirectory root;
  for (const DatasetEntry& entry : datasets()) {
    if (entry.facts.name == "synth") continue;  // makes what is not there
    SCOPED_TRACE(entry.facts.name);
    const std::string nowhere = message_of([&] {
      load_dataset(entry.facts.name, {{"root", (root / "nowhere").string()}});
    });
    EXPECT_THAT(nowhere, HasSubstr(entry.facts.name + ": root must be a folder with"));
    EXPECT_THAT(nowhere, HasSubstr("nowhere' is not there"));
    const std::string empty = message_of([&] { testing::load(entry.facts.name, root); });
    EXPECT_THAT(empty, HasSubstr(root.path().string()));
    EXPECT_EQ(empty.find('\n'), std::string::npos);
  }
}

TEST(DatasetTest, UnknownNamesAreErrorsThatNameTheNearest) {
  EXPECT_THAT(message_of([] { find_dataset("esc5"); }), HasSubstr("unknown dataset 'esc5'; did you mean 'esc50'?"));
  const Dataset dataset = [] {
    Dataset made = testing::made_dataset({"1"}, {});
    made.splits.resize(2);
    made.splits[0].name = "fold1";
    made.splits[1].name = "fold2";
    return made;
  }();
  EXPECT_EQ(find_split(dataset, "fold2").name, "fold2");
  EXPECT_THAT(message_of([&] { find_split(dataset, "fold3"); }), HasSubstr("unknown split of dataset made 'fold3'"));
}

TEST(DatasetTest, TracksOfAPartKeepTheirOrder) {
  Split split;
  split.parts = {Part::kTest, Part::kTrain, Part::kTest, Part::kUnused};
  EXPECT_EQ(tracks_of(split, Part::kTest), (std::vector<int64_t>{0, 2}));
  EXPECT_EQ(tracks_of(split, Part::kValid), (std::vector<int64_t>{}));
}

TEST(DatasetTest, TellsOfGroupsInTwoPartsAndTagsWithoutPositives) {
  const testing::TemporaryDirectory root;
  for (const char* name : {"a.wav", "b.wav", "c.wav"}) testing::write_stub(root / name);
  testing::write_text(root / "labels.csv",
                      "path,artist,split,x,y\na.wav,one,train,1,1\nb.wav,one,test,1,0\nc.wav,two,train,0,1\n");
  const Dataset dataset = testing::load("folder", root);
  EXPECT_TRUE(testing::has_note(dataset, "split default: 1 of 2 artists have tracks in more than one part: one"));
  EXPECT_TRUE(testing::has_note(dataset, "the test part has no positive example of 1 tags: y"));
  EXPECT_EQ(dataset.splits[0].sha256.size(), 64U);
}

TEST(DatasetTest, RejectsRepeatedTagsAndUnusableNames) {
  const testing::TemporaryDirectory root;
  testing::write_stub(root / "a.wav");
  testing::write_text(root / "labels.csv", "path,split,x,x\na.wav,train,1,1\n");
  EXPECT_THAT(message_of([&] { testing::load("folder", root); }),
              HasSubstr("labels.csv, line 1: the column 'x' is named twice (columns 3 and 4; rename one)"));
  testing::write_text(root / "labels.csv", "path,id,split,x\na.wav,\"a\tb\",train,1\n");
  EXPECT_THAT(message_of([&] { testing::load("folder", root); }),
              HasSubstr("a track id must be UTF-8, not empty, without tabs or line ends"));
  testing::write_text(root / "labels.csv", "path,split,x\na.wav,unused,1\n");
  EXPECT_THAT(message_of([&] { testing::load("folder", root); }), HasSubstr("split default has no tracks in any part"));
}

}  // namespace
}  // namespace tagbench
