#include "harness/core/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "harness/core/errors.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using testing::TemporaryDirectory;

class CsvTest : public ::testing::Test {
 protected:
  std::filesystem::path make(const std::string& text) {
    std::ofstream(folder_ / "a.csv", std::ios::binary) << text;
    return folder_ / "a.csv";
  }
  std::vector<CsvRow> rows(const std::string& text, char delimiter = ',') {
    std::vector<CsvRow> found;
    read_csv(make(text), {delimiter}, [&](const CsvRow& row) { found.push_back(row); });
    return found;
  }
  TemporaryDirectory folder_;
};

TEST_F(CsvTest, ReadsRowsWithTheirLines) {
  const auto found = rows("a,b\r\n\"x, \"\"y\"\"\nz\",  w \n\n,\nlast,row");
  ASSERT_EQ(found.size(), 4U);
  EXPECT_THAT(found[0].fields, ElementsAre("a", "b"));
  EXPECT_EQ(found[0].line, 1);
  EXPECT_THAT(found[1].fields, ElementsAre("x, \"y\"\nz", "  w "));
  EXPECT_EQ(found[1].line, 3);
  EXPECT_THAT(found[2].fields, ElementsAre("", ""));
  EXPECT_EQ(found[2].line, 5);
  EXPECT_THAT(found[3].fields, ElementsAre("last", "row"));
  EXPECT_EQ(found[3].line, 6);
}

TEST_F(CsvTest, ReadsTabsAndDropsAByteOrderMark) {
  const auto found = rows("\xEF\xBB\xBFid\ttag, with comma\n1\t\"caf\xC3\xA9\"\n", '\t');
  ASSERT_EQ(found.size(), 2U);
  EXPECT_THAT(found[0].fields, ElementsAre("id", "tag, with comma"));
  EXPECT_THAT(found[1].fields, ElementsAre("1", "caf\xC3\xA9"));
}

TEST_F(CsvTest, AnEmptyFileHasNoRows) {
  EXPECT_TRUE(rows("").empty());
  EXPECT_TRUE(rows("\n\r\n\n").empty());
}

TEST_F(CsvTest, NamesFileAndLineOfWhatIsWrong) {
  EXPECT_THAT(message_of([&] { rows("a,b\n\"open,1\n"); }), HasSubstr("a.csv, line "));
  EXPECT_THAT(message_of([&] { rows("a\nx\"y\n"); }), HasSubstr("a.csv, line 2: malformed CSV"));
  EXPECT_THAT(message_of([&] { rows("a\nb\ncaf\xE9\n"); }), HasSubstr("a.csv, line 3: text must be UTF-8"));
  EXPECT_THAT(message_of([&] { rows(std::string("a\nb\0c\n", 6)); }),
              HasSubstr("a.csv, line 2: text must be UTF-8 without zero bytes"));
  EXPECT_THAT(message_of([&] { rows("\xFF\xFE"); }), HasSubstr("line 1: UTF-16 text"));
  EXPECT_THAT(message_of([&] { read_csv(folder_ / "missing.csv", {}, [](const CsvRow&) {}); }),
              HasSubstr("missing.csv"));
  EXPECT_THAT(message_of([&] { read_csv(folder_.path(), {}, [](const CsvRow&) {}); }), HasSubstr("cannot open"));
}

TEST_F(CsvTest, PassesOnWhatTheConsumerThrows) {
  int seen = 0;
  EXPECT_THAT(message_of([&] {
                read_csv(make("a\nb\nc\n"), {}, [&](const CsvRow& row) {
                  ++seen;
                  if (row.fields[0] == "b") throw DataError("row b is bad");
                });
              }),
              "row b is bad");
  EXPECT_EQ(seen, 2);
}

TEST_F(CsvTest, TableFindsItsColumns) {
  const CsvTable table = CsvTable::read(make(" id ,label\n7,rock\n8,jazz\n"));
  EXPECT_THAT(table.header(), ElementsAre("id", "label"));
  EXPECT_EQ(table.column("label"), 1U);
  EXPECT_TRUE(table.has_column("id"));
  EXPECT_FALSE(table.has_column("labels"));
  EXPECT_EQ(table.rows().at(1).fields.at(1), "jazz");
  EXPECT_EQ(table.where(table.rows()[1]), (folder_ / "a.csv").string() + ", line 3");
  EXPECT_THAT(message_of([&] { static_cast<void>(table.column("labels")); }),
              HasSubstr("column 'labels' is missing; did you mean 'label'? known: id, label"));
}

TEST_F(CsvTest, TableRefusesRowsOfAnotherWidthAndEmptyFiles) {
  EXPECT_THAT(message_of([&] { CsvTable::read(make("a,b\n1,2\n1,2,3\n")); }),
              HasSubstr("line 3: 2 fields expected as in the header, found 3"));
  EXPECT_THAT(message_of([&] { CsvTable::read(make("")); }), HasSubstr("a header row was expected, the file is empty"));
}

TEST_F(CsvTest, WhatIsWrittenIsReadBack) {
  const std::vector<std::string> fields = {"plain", "with, comma", "with \"quotes\"", "two\nlines", "", " blanks "};
  EXPECT_EQ(csv_line({"a", "b,c", "d\"e"}), "a,\"b,c\",\"d\"\"e\"");
  EXPECT_EQ(csv_line({"a\tb", "c,d"}, '\t'), "\"a\tb\"\tc,d");
  const auto found = rows(csv_line(fields) + "\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].fields, fields);
}

}  // namespace
}  // namespace tagbench
