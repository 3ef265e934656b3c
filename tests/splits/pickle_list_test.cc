#include "splits/pickle_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/errors.h"
#include "tests/splits/small_corpus.h"

namespace tagbench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using testing::write_text;

class PickleListTest : public ::testing::Test {
 protected:
  std::vector<std::string> read(const std::string& bytes) {
    write_text(folder_ / "list.cP", bytes);
    return read_pickled_strings(folder_ / "list.cP");
  }
  std::string complaint(const std::string& bytes) {
    return message_of([&] { read(bytes); });
  }
  testing::TemporaryDirectory folder_;
};

TEST_F(PickleListTest, ReadsWhatPythonTwoWrites) {
  EXPECT_THAT(read("(lp1\nS'one'\np2\naS'two'\np3\na."), ElementsAre("one", "two"));
  EXPECT_THAT(read("(lp0\n."), ElementsAre());
  EXPECT_THAT(read("(lp1\r\nS'one'\r\np2\r\na."), ElementsAre("one"));
}

TEST_F(PickleListTest, UndoesQuotesAndEscapes) {
  EXPECT_THAT(read("(lp1\nS\"it's\"\np2\naS'caf\\xc3\\xa9 \\\\ \\' \\t'\np3\na."),
              ElementsAre("it's", "caf\xC3\xA9 \\ ' \t"));
}

TEST_F(PickleListTest, ExecutesAndAcceptsNothingElse) {
  EXPECT_THAT(complaint("cos\nsystem\n(S'echo'\ntR."),
              HasSubstr("list.cP, line 1: a Python 2 pickle of a list of strings"));
  EXPECT_THAT(complaint("(lp1\ncos\nsystem\np2\na."),
              HasSubstr("line 2: a string ('S') was expected; only lists of strings are read"));
  EXPECT_THAT(complaint("(lp1\nI5\na."), HasSubstr("only lists of strings"));
  EXPECT_THAT(complaint("\x80\x02]q\x01."), HasSubstr("protocol 0"));
}

TEST_F(PickleListTest, NamesTheLineOfDamage) {
  EXPECT_THAT(complaint(""), HasSubstr("was expected"));
  EXPECT_THAT(complaint("(lp1\nS'one'\np2\naS'tw"),
              HasSubstr("line 4: the file ends in the middle of the list; fetch it again"));
  EXPECT_THAT(complaint("(lp1\nS'one'\np2\na"), HasSubstr("the file ends in the middle"));
  EXPECT_THAT(complaint("(lp1\nS'one\np2\na."), HasSubstr("a quoted string was expected"));
  EXPECT_THAT(complaint("(lp1\nS'\\q'\np2\na."), HasSubstr("unknown escape"));
  EXPECT_THAT(complaint("(lp1\nS'\\x4'\np2\na."), HasSubstr("two hexadecimal digits"));
  EXPECT_THAT(complaint("(lp1\nS'one'\npx\na."), HasSubstr("'p' and a number"));
  EXPECT_THAT(complaint("(lp1\nS'one'\np2\n."), HasSubstr("'a' was expected after a string"));
  EXPECT_THAT(complaint("(lp1\n.S'more'\n"), HasSubstr("the list has ended, but the file goes on"));
  EXPECT_THAT(complaint("(lp1\nS'" + std::string(5000, 'x') + "'\np2\na."), HasSubstr("at most 4096 bytes"));
}

TEST(PickleListRealTest, ReadsThePublishedLists) {
  TAGBENCH_REQUIRE_SHARED("data/lists/mtat");
  const std::vector<std::string> test = read_pickled_strings(testing::shared_path("data/lists/mtat/test_list_pub.cP"));
  EXPECT_EQ(test.size(), 4332U);
  EXPECT_EQ(test.front(), "d/ambient_teknology-the_all_seeing_eye_project-01-cyclops-0-29.npy");
  EXPECT_EQ(read_pickled_strings(testing::shared_path("data/lists/mtat/train_list_pub.cP")).size(), 15244U);
  EXPECT_EQ(read_pickled_strings(testing::shared_path("data/lists/mtat/valid_list_pub.cP")).size(), 1529U);
  EXPECT_EQ(read_pickled_strings(testing::shared_path("data/lists/msd/filtered_list_test.cP")).size(), 28435U);
}

}  // namespace
}  // namespace tagbench
