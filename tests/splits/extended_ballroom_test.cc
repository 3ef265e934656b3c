#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/errors.h"
#include "tests/splits/small_corpus.h"

namespace tagbench {
namespace {

using testing::has_note;
using ::testing::HasSubstr;
using testing::load;
using testing::message_of;
using testing::write_stub;
using testing::write_text;

class ExtendedBallroomTest : public ::testing::Test {
 protected:
  std::string song(int id, const std::string& more = "") {
    // Two songs of each band, and one song of all that names nobody.
    const std::string artist = id == 100059 ? "" : "B&#233;la " + std::to_string(id / 2);
    return "    <song album=\"Strictly &amp; Best\" artist=\"" + artist +
           "\" bpm=\"104\" "
           "hash=\"D41D8CD98F00B204E9800998ECF8427E\" id=\"" +
           std::to_string(id) + "\" title=\"T\" " + more + "/>\n";
  }
  void make(const std::string& extra = "", const std::string& name_prefix = "") {
    std::string xml = "<?xml version=\"1.0\" ?>\n<extendedballroom>\n";
    int id = 100000;
    for (const char* genre : {"Chacha", "Waltz"}) {
      xml += std::string("  <") + genre + ">\n";
      for (int i = 0; i < 30; ++i) {
        write_stub(folder_ / (std::string(genre) + "/" + (name_prefix.empty() ? "" : std::string(genre) + ".") +
                              std::to_string(id) + ".mp3"));
        xml += song(id, i == 1   ? "version=\"" + std::to_string(id - 1) + "\""
                        : i == 2 ? "exact=\"" + std::to_string(id - 1) + "\""
                                 : "");
        ++id;
      }
      xml += extra + std::string("  </") + genre + ">\n";
    }
    write_text(folder_ / "extendedballroom_v1.1.xml", xml + "</extendedballroom>\n");
  }
  std::string complaint() {
    return message_of([&] { load("extended_ballroom", folder_); });
  }
  testing::TemporaryDirectory folder_;
};

TEST_F(ExtendedBallroomTest, ReadsSongsAndKeepsRepetitionsTogether) {
  make();
  const Dataset dataset = load("extended_ballroom", folder_);
  EXPECT_EQ(dataset.n_tags(), 13);
  EXPECT_EQ(dataset.n_tracks(), 60);
  EXPECT_EQ(dataset.tracks[0].audio, "Chacha/100000.mp3");
  EXPECT_EQ(dataset.tracks[0].album, "Strictly & Best");
  EXPECT_EQ(dataset.group_kind, "artist");
  // 100001 is a version of 100000, and 100002 of 100001.
  EXPECT_EQ(dataset.tracks[0].recording, "100000");
  EXPECT_EQ(dataset.tracks[2].recording, "100000");
  EXPECT_EQ(dataset.tracks[3].recording, "");
  // 100003 is by the band of 100002, which repeats a song of another: neither may be drawn without the others.
  for (const size_t i : {0U, 1U, 2U, 3U}) EXPECT_EQ(dataset.tracks[i].group, "B\u00e9la 50000") << i;
  EXPECT_EQ(dataset.tracks[4].group, "B\u00e9la 50002");
  EXPECT_EQ(dataset.tracks[59].group, "");
  EXPECT_TRUE(has_note(dataset, "1 songs name no artist"));
  EXPECT_TRUE(has_note(dataset, "artists have tracks in more than one part"));
  for (const Split& split : dataset.splits) {
    EXPECT_EQ(split.parts[0], split.parts[1]);
    EXPECT_EQ(split.parts[0], split.parts[2]);
  }
  EXPECT_TRUE(has_note(dataset, "lists 60 tracks, 4180 are published"));
}

TEST_F(ExtendedBallroomTest, CanLetRepetitionsFallApartAsPublishedAndTells) {
  make();
  const Dataset dataset = load("extended_ballroom", folder_, {{"grouping", "none"}});
  EXPECT_EQ(dataset.name, "extended_ballroom:grouping=none");
  EXPECT_TRUE(has_note(dataset, "versions and duplicates fall into several folds"));
  EXPECT_TRUE(has_note(dataset, "have tracks in more than one part"));
}

TEST_F(ExtendedBallroomTest, FindsBothNamingsAndTheOwnersChecksums) {
  make("", "prefixed");
  const Dataset dataset = load("extended_ballroom", folder_);
  EXPECT_EQ(dataset.tracks[0].audio, "Chacha/Chacha.100000.mp3");
  const std::vector<FileChecksum> checksums = find_dataset("extended_ballroom").checksums(dataset);
  ASSERT_EQ(checksums.size(), 60U);
  EXPECT_EQ(checksums[0].file, "Chacha/Chacha.100000.mp3");
  EXPECT_EQ(checksums[0].algorithm, "md5");
  EXPECT_EQ(checksums[0].digest, "d41d8cd98f00b204e9800998ecf8427e");
}

TEST_F(ExtendedBallroomTest, RejectsDamagedXml) {
  make(song(100000));
  EXPECT_THAT(complaint(), HasSubstr("the song id '100000' appeared before, on line 4"));
  make("<song artist=\"x\"/>");
  EXPECT_THAT(complaint(), HasSubstr("a song needs an id"));
  write_text(folder_ / "extendedballroom_v1.1.xml", "<a><Polka><song id=\"1\"/></Polka></a>");
  EXPECT_THAT(complaint(), HasSubstr("unknown class 'Polka'"));
  write_text(folder_ / "extendedballroom_v1.1.xml", "<a><Waltz><song id=\"../1\"/></Waltz></a>");
  EXPECT_THAT(complaint(), HasSubstr("a song needs an id, found '../1'"));
  write_text(folder_ / "extendedballroom_v1.1.xml", "<a/>");
  EXPECT_THAT(complaint(), HasSubstr("no songs found"));
}

}  // namespace
}  // namespace tagbench
