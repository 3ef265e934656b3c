#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/errors.h"
#include "tests/splits/small_corpus.h"

namespace tagbench {
namespace {

using ::testing::ElementsAre;
using testing::has_note;
using ::testing::HasSubstr;
using testing::labels_of;
using testing::load;
using testing::message_of;
using testing::part_of;
using testing::write_stub;
using testing::write_text;

class FolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"a.wav", "b.wav", "c.wav", "deep/d e.wav"}) write_stub(root_ / name);
  }
  void label_file(const std::string& text) { write_text(root_ / "labels.csv", text); }
  std::string complaint(std::vector<std::pair<std::string, std::string>> options = {}) {
    return message_of([&] { load("folder", root_, std::move(options)); });
  }
  testing::TemporaryDirectory root_;
};

TEST_F(FolderTest, ReadsOneColumnPerTag) {
  label_file("path,rock,split,jazz\na.wav,1,train,0\nb.wav,0,valid,0\nc.wav,1,test,1\n");
  const Dataset dataset = load("folder", root_);
  EXPECT_EQ(dataset.name, "folder");
  EXPECT_EQ(dataset.task, TaskKind::kMultilabel);
  EXPECT_THAT(dataset.tags, ElementsAre("rock", "jazz"));
  EXPECT_EQ(labels_of(dataset, "c.wav"), "11");
  EXPECT_EQ(labels_of(dataset, "b.wav"), "00");
  EXPECT_THAT(testing::part_counts(dataset.splits[0]), ElementsAre(1, 1, 1));
}

TEST_F(FolderTest, UnknownLabelsMakeThePartialTask) {
  label_file("path,rock,jazz,split\na.wav,1,?,train\nb.wav,,0,test\n");
  const Dataset dataset = load("folder", root_);
  EXPECT_EQ(dataset.task, TaskKind::kPartial);
  EXPECT_EQ(labels_of(dataset, "a.wav"), "1?");
  EXPECT_EQ(labels_of(dataset, "b.wav"), "?0");
}

TEST_F(FolderTest, ReadsListedLabelsWithTagsInSortedOrder) {
  label_file("id,path,labels,split\n1,a.wav,rock|jazz,train\n2,b.wav,,val\n3,deep/d e.wav,blues; rock,testing\n");
  const Dataset dataset = load("folder", root_);
  EXPECT_THAT(dataset.tags, ElementsAre("blues", "jazz", "rock"));
  EXPECT_EQ(labels_of(dataset, "1"), "011");
  EXPECT_EQ(labels_of(dataset, "2"), "000");
  EXPECT_EQ(labels_of(dataset, "3"), "101");
  EXPECT_EQ(part_of(dataset, dataset.splits[0], "2"), Part::kValid);
  EXPECT_EQ(part_of(dataset, dataset.splits[0], "3"), Part::kTest);
}

TEST_F(FolderTest, ReadsMulticlass) {
  label_file("path,labels,split\na.wav,dog,train\nb.wav,cat,train\nc.wav,dog,test\n");
  const Dataset dataset = load("folder", root_, {{"task", "multiclass"}, {"label", "pets"}});
  EXPECT_EQ(dataset.task, TaskKind::kMulticlass);
  EXPECT_EQ(dataset.name, "folder:label=pets");
  label_file("path,labels,split\na.wav,dog|cat,train\n");
  EXPECT_THAT(complaint({{"task", "multiclass"}}),
              HasSubstr("labels.csv, line 2: with task=multiclass exactly one class per track is expected, found 2"));
  label_file("path,dog,cat,split\na.wav,?,1,train\n");
  EXPECT_THAT(complaint({{"task", "multiclass"}}),
              HasSubstr("line 2: with task=multiclass every class must be known, 'dog' is not"));
}

TEST_F(FolderTest, AcceptsByteOrderMarkCrlfQuotesAndTabs) {
  label_file("\xEF\xBB\xBFpath,\"rock, hard\",split\r\n\"a.wav\",1,train\r\nb.wav,0,test\r\n");
  EXPECT_THAT(load("folder", root_).tags, ElementsAre("rock, hard"));
  write_text(root_ / "labels.tsv", "path\trock\tsplit\na.wav\t1\ttrain\nb.wav\t0\ttest\n");
  EXPECT_THAT(load("folder", root_, {{"csv", "labels.tsv"}}).tags, ElementsAre("rock"));
}

TEST_F(FolderTest, DrawsASeededSplitThatKeepsArtistsTogether) {
  std::string text = "path,id,artist,x\n";
  std::string backwards;
  for (int i = 0; i < 60; ++i) {
    const std::string name = "n" + std::to_string(i);
    write_stub(root_ / (name + ".wav"));
    const std::string row =
        name + ".wav," + name + ",artist" + std::to_string(i / 3) + "," + std::to_string(i % 2) + "\n";
    text += row;
    backwards.insert(0, row);
  }
  label_file(text);
  const Dataset dataset = load("folder", root_, {{"seed", "3"}});
  // Shares of 60, 15 and 25 %, within one artist of three tracks.
  const std::vector<size_t> counts = testing::part_counts(dataset.splits[0]);
  EXPECT_NEAR(static_cast<double>(counts[0]), 36.0, 3.0);
  EXPECT_NEAR(static_cast<double>(counts[1]), 9.0, 3.0);
  EXPECT_NEAR(static_cast<double>(counts[2]), 15.0, 3.0);
  EXPECT_TRUE(has_note(dataset, "no split column: parts drawn with seed 3"));
  EXPECT_FALSE(has_note(dataset, "tracks in more than one part"));
  label_file("path,id,artist,x\n" + backwards);
  EXPECT_EQ(load("folder", root_, {{"seed", "3"}}).splits[0].sha256, dataset.splits[0].sha256);
  EXPECT_NE(load("folder", root_, {{"seed", "4"}}).splits[0].sha256, dataset.splits[0].sha256);
}

TEST_F(FolderTest, NamesMissingAndEmptyFilesAndDropsThemOnRequest) {
  label_file("path,x,split\na.wav,1,train\ngone.wav,1,train\nb.wav,0,test\nvoid.wav,0,test\n");
  write_text(root_ / "void.wav", "");
  EXPECT_THAT(complaint(),
              HasSubstr("2 of 4 listed audio files are missing or empty (1 empty): gone.wav, void.wav (empty)"));
  EXPECT_THAT(complaint(), HasSubstr("labels.csv, line 3; all below " + root_.path().string() +
                                     "; check root and the path column, or set "
                                     "missing=drop to go on without them, or missing=keep to keep them as they are)"));
  const Dataset dropped = load("folder", root_, {{"missing", "drop"}});
  EXPECT_THAT(testing::part_counts(dropped.splits[0]), ElementsAre(1, 0, 1));
  EXPECT_TRUE(has_note(dropped, "dropped from all parts"));
  const Dataset kept = load("folder", root_, {{"missing", "keep"}});
  EXPECT_THAT(testing::part_counts(kept.splits[0]), ElementsAre(2, 0, 2));
  EXPECT_NE(kept.splits[0].sha256, dropped.splits[0].sha256);
  label_file("path,x,split\na.wav,1,train\nb.wav,1,train\nvoid.wav,0,test\n");
  EXPECT_TRUE(has_note(load("folder", root_),
                       "1 of 3 listed audio files are missing or empty (1 empty): void.wav (empty); kept"));
  EXPECT_THAT(complaint({{"missing", "error"}}), HasSubstr("1 of 3 listed audio files"));
  label_file("path,x,split\ngone.wav,1,train\n");
  EXPECT_THAT(complaint({{"missing", "drop"}}), HasSubstr("1 of 1 listed audio files are missing"));
}

TEST_F(FolderTest, RejectsDamagedLabelFilesNamingLineAndRemedy) {
  label_file("");
  EXPECT_THAT(complaint(), HasSubstr("labels.csv: a header row was expected, the file is empty"));
  label_file("path,x\n");
  EXPECT_THAT(complaint(), HasSubstr("no tracks below the header row"));
  label_file("file,x\na.wav,1\n");
  EXPECT_THAT(complaint(), HasSubstr("labels.csv, line 1: a column 'path' with the audio files is missing"));
  label_file("path,split\na.wav,train\n");
  EXPECT_THAT(complaint(), HasSubstr("a column 'labels', or one column of 0 and 1 per tag, was expected"));
  label_file("path,x,split\na.wav,1,train\nb.wav,yes,train\n");
  EXPECT_THAT(complaint(), HasSubstr("labels.csv, line 3: column 'x' must be 0, 1, or ? for unknown, found 'yes'"));
  label_file("path,x,split\na.wav,1,train\nb.wav,1,tset\n");
  EXPECT_THAT(complaint(),
              HasSubstr("labels.csv, line 3: the split must be train, valid, test or empty, found 'tset'"));
  label_file("path,x,split\na.wav,1\n");
  EXPECT_THAT(complaint(), HasSubstr("labels.csv, line 2: 3 fields expected as in the header, found 2"));
  label_file("path,id,x\na.wav,1,1\nb.wav,2,1\nc.wav,1,1\n");
  EXPECT_THAT(complaint(), HasSubstr("labels.csv, line 4: the id '1' appeared before, on line 2"));
  label_file("path,id,x\na.wav,1,1\na.wav,2,1\n");
  EXPECT_THAT(complaint(), HasSubstr("line 3: the path 'a.wav' appeared before, on line 2"));
  label_file("path,labels\na.wav,x|x\n");
  EXPECT_THAT(complaint(), HasSubstr("line 2: the tag 'x' is listed twice"));
  label_file("path,x\n,1\n");
  EXPECT_THAT(complaint(), HasSubstr("line 2: the path is empty"));
  label_file("path,caf\xE9\na.wav,1\n");
  EXPECT_THAT(complaint(), HasSubstr("text must be UTF-8"));
  label_file(std::string("\xFF\xFEp\0a\0", 6));
  EXPECT_THAT(complaint(), HasSubstr("UTF-16"));
  EXPECT_THAT(complaint({{"csv", "other.csv"}}),
              HasSubstr("other.csv was expected and is not there (give the label file with csv=...)"));
}

TEST_F(FolderTest, IgnoresNamedColumnsOnly) {
  label_file("path,title,x,split\na.wav,Song,1,train\nb.wav,Air,0,test\n");
  EXPECT_THAT(complaint(), HasSubstr("name columns that are no tags in ignore_columns"));
  EXPECT_THAT(load("folder", root_, {{"ignore_columns", "title"}}).tags, ElementsAre("x"));
  EXPECT_THAT(complaint({{"ignore_columns", "titel"}}), HasSubstr("did you mean 'title'?"));
}

}  // namespace
}  // namespace tagbench
