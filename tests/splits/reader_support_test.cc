#include "splits/reader_support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/errors.h"
#include "tests/splits/small_corpus.h"

namespace tagbench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using testing::write_stub;
using testing::write_text;

TEST(ReaderSupportTest, LinesHaveNoByteOrderMarkAndKeepTheirNumbers) {
  const testing::TemporaryDirectory folder;
  write_text(folder / "list", "\xEF\xBB\xBF a b \r\n\nc");
  EXPECT_THAT(read_lines(folder / "list"), ElementsAre("a b", "", "c"));
  write_text(folder / "list", "a\nb\xFF\n");
  EXPECT_THAT(message_of([&] { read_lines(folder / "list"); }), HasSubstr("list, line 2: text must be UTF-8"));
}

TEST(ReaderSupportTest, ChecksumListsOfBothFormsAreRead) {
  const testing::TemporaryDirectory folder;
  const std::string md5(32, 'A');
  const std::string sha256(64, 'b');
  write_text(folder / "list",
             "\xEF\xBB\xBF" + md5 + "  a b.wav\n\n" + sha256 + " *c.wav\nSHA256 (d (1).wav) = " + sha256 + "\r\n");
  const std::vector<FileChecksum> checksums = read_checksum_list(folder / "list");
  ASSERT_EQ(checksums.size(), 3U);
  EXPECT_EQ(checksums[0].file, "a b.wav");
  EXPECT_EQ(checksums[0].algorithm, "md5");
  EXPECT_EQ(checksums[0].digest, std::string(32, 'a'));
  EXPECT_EQ(checksums[1].file, "c.wav");
  EXPECT_EQ(checksums[2].file, "d (1).wav");
  EXPECT_EQ(checksums[2].digest, sha256);
  for (const std::string& line : {sha256 + " *", sha256, std::string("SHA256 (a) = "), std::string("x y")}) {
    write_text(folder / "list", line + "\n");
    EXPECT_THAT(message_of([&] { read_checksum_list(folder / "list"); }),
                HasSubstr("list, line 1: a digest and a file name were expected"))
        << line;
  }
}

TEST(ReaderSupportTest, AudioIsLookedForByWhateverFileIsThere) {
  const testing::TemporaryDirectory folder;
  Dataset dataset = testing::made_dataset({"1", "1", "1"}, {});
  dataset.root = folder.path();
  write_stub(folder / "audio/t2.ogg");
  const auto ogg = [](std::filesystem::path file) { return file.replace_extension(".ogg"); };
  locate_audio({".", "audio"}, ogg, dataset);
  EXPECT_EQ(dataset.tracks[0].audio, "audio/t0.wav");
  EXPECT_EQ(dataset.tracks[2].audio, "audio/t2.ogg");
}

TEST(ReaderSupportTest, RepeatedKeysNameBothPlaces) {
  UniqueKeys keys("the id");
  keys.add("a", "one.txt", 1);
  keys.add("b", "two.txt", 1);
  EXPECT_EQ(message_of([&] { keys.add("b", "two.txt", 3); }),
            "two.txt, line 3: the id 'b' appeared before, on line 1; each must appear once");
  EXPECT_EQ(message_of([&] { keys.add("a", "two.txt", 4); }),
            "two.txt, line 4: the id 'a' appeared before, on line 1 of one.txt; each must appear once");
}

}  // namespace
}  // namespace tagbench
