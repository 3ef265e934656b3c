#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/npy.h"
#include "harness/core/text.h"
#include "splits/audit.h"
#include "splits/pickle_list.h"
#include "splits/published_splits.h"
#include "splits/verify.h"
#include "tests/splits/small_corpus.h"

namespace tagbench {
namespace {

using ::testing::ElementsAre;
using testing::has_note;
using ::testing::HasSubstr;
using testing::load;
using testing::message_of;
using testing::write_stub;
using testing::write_text;

std::string quoted_row(const std::vector<std::string>& fields) {
  std::string row;
  for (const std::string& field : fields) row += (row.empty() ? "\"" : "\t\"") + field + "\"";
  return row + "\r\n";
}

// The owner's form: tab separated, everything quoted; 188 tag columns, those of the top 50 among others.
class MagnatagatuneTest : public ::testing::Test {
 protected:
  void SetUp() override {
    tags_ = load_tags();
    for (int i = 0; tags_.size() < 188; ++i) tags_.insert(tags_.begin() + i * 3 % 50, "rare tag " + std::to_string(i));
    std::vector<std::string> header = {"clip_id"};
    header.insert(header.end(), tags_.begin(), tags_.end());
    header.push_back("mp3_path");
    annotations_ = quoted_row(header);
    info_ = quoted_row({"clip_id", "track_number", "title", "artist", "album", "url", "segmentStart", "segmentEnd",
                        "original_url", "mp3_path"});
  }

  // The 50 tags as the reader names them.
  static std::vector<std::string> load_tags() {
    return {"guitar",       "classical", "slow",    "techno",     "strings",  "drums",     "electronic",  "rock",
            "fast",         "piano",     "ambient", "beat",       "violin",   "vocal",     "synth",       "female",
            "indian",       "opera",     "male",    "singing",    "vocals",   "no vocals", "harpsichord", "loud",
            "quiet",        "flute",     "woman",   "male vocal", "no vocal", "pop",       "soft",        "sitar",
            "solo",         "man",       "classic", "choir",      "voice",    "new age",   "dance",       "male voice",
            "female vocal", "beats",     "harp",    "cello",      "no voice", "weird",     "country",     "metal",
            "female voice", "choral"};
  }

  void add(const std::string& id, const std::string& path, const std::set<std::string>& positive,
           const std::string& artist = "Some Artist", bool with_file = true) {
    std::vector<std::string> row = {id};
    for (const std::string& tag : tags_) row.push_back(positive.count(tag) > 0 ? "1" : "0");
    row.push_back(path);
    annotations_ += quoted_row(row);
    info_ += quoted_row({id, "1", "A Title", artist, "An Album", "http://x", "0", "29", "http://y", path});
    if (with_file) write_stub(root_ / path);
  }
  void write() {
    write_text(root_ / "annotations_final.csv", annotations_);
    write_text(root_ / "clip_info_final.csv", info_);
  }
  std::string complaint() {
    write();
    return message_of([&] { load("magnatagatune", root_); });
  }

  struct Root {
    testing::TemporaryDirectory folder;
    std::filesystem::path operator/(const std::string& name) const { return folder / name; }
    operator const testing::TemporaryDirectory&() const { return folder; }
  } root_;
  std::vector<std::string> tags_;
  std::string annotations_;
  std::string info_;
};

TEST_F(MagnatagatuneTest, SplitsByFolderAndDropsUntaggedClips) {
  add("2", "0/a-b-01-c-0-29.mp3", {"guitar", "no vocals"});
  add("6", "b/a-b-02-c-0-29.mp3", {"choral"});
  add("10", "c/d-b-01-c-0-29.mp3", {"rock"});
  add("11", "f/e-b-01-c-0-29.mp3", {"female voice"});
  add("12", "d/f-b-01-c-0-29.mp3", {"rare tag 0"});
  write();
  const Dataset dataset = load("magnatagatune", root_);
  EXPECT_EQ(dataset.name, "magnatagatune");
  EXPECT_EQ(dataset.n_tags(), 50);
  EXPECT_EQ(dataset.n_tracks(), 4);
  EXPECT_THAT(testing::part_counts(dataset.splits[0]), ElementsAre(2, 1, 1));
  const std::string labels = testing::labels_of(dataset, "0/a-b-01-c-0-29");
  EXPECT_EQ(labels[0], '1');
  EXPECT_EQ(labels[21], '1');
  EXPECT_EQ(std::count(labels.begin(), labels.end(), '1'), 2);
  EXPECT_EQ(dataset.tracks[0].group, "Some Artist");
  EXPECT_EQ(dataset.tracks[0].album, "An Album");
  EXPECT_EQ(dataset.tracks[0].recording, "0/a-b-01-c");
  EXPECT_TRUE(has_note(dataset, "1 clips with none of the 50 tags dropped"));
  EXPECT_TRUE(has_note(dataset, "has 5 rows, the owner's has 25863"));

  const Dataset all = load("magnatagatune", root_, {{"untagged", "keep"}});
  EXPECT_EQ(all.name, "magnatagatune:untagged=keep");
  EXPECT_THAT(testing::part_counts(all.splits[0]), ElementsAre(2, 1, 2));
}

TEST_F(MagnatagatuneTest, LeavesOutTheFilesDistributedBroken) {
  add("2", "0/a-b-01-c-0-29.mp3", {"guitar"});
  add("35644", "6/norine_braun-now_and_zen-08-gently-117-146.mp3", {"guitar"}, "Norine Braun", false);
  write();
  const Dataset dataset = load("magnatagatune", root_);
  EXPECT_EQ(dataset.n_tracks(), 1);
  EXPECT_TRUE(has_note(dataset, "1 clips left out that are distributed with zero bytes (35644, 55753, 57881)"));
  const VerifyReport report = verify_dataset(dataset, {});
  ASSERT_EQ(report.left_out.size(), 3U);
  EXPECT_THAT(verify_text(report, dataset),
              HasSubstr("left out\t6/norine_braun-now_and_zen-08-gently-117-146\tknown to be broken: zero bytes"));
}

TEST_F(MagnatagatuneTest, TakesArtistsFromFileNamesWithoutClipInfo) {
  add("2", "0/american_bach-cantatas-01-c-0-29.mp3", {"guitar"});
  write();
  std::filesystem::remove(root_ / "clip_info_final.csv");
  const Dataset dataset = load("magnatagatune", root_);
  EXPECT_EQ(dataset.tracks[0].group, "american_bach");
  EXPECT_TRUE(has_note(dataset, "artists are taken from file names"));
}

TEST_F(MagnatagatuneTest, FindsAudioInAnInnerFolderAndTellsSharedArtists) {
  add("2", "0/a-b-01-c-0-29.mp3", {"guitar"}, "Shared", false);
  add("3", "f/a-b-01-c-0-29.mp3", {"guitar"}, "Shared", false);
  write_stub(root_ / "mp3/0/a-b-01-c-0-29.mp3");
  write_stub(root_ / "mp3/f/a-b-01-c-0-29.mp3");
  write();
  const Dataset dataset = load("magnatagatune", root_);
  EXPECT_EQ(dataset.tracks[0].audio, "mp3/0/a-b-01-c-0-29.mp3");
  EXPECT_TRUE(has_note(dataset, "1 of 1 artists"));
}

TEST_F(MagnatagatuneTest, FindsTheAudioOfAHalfDownloadedSet) {
  add("2", "0/a-b-01-c-0-29.mp3", {"guitar"}, "", false);
  for (const char* path : {"1/a-b-01-c-0-29.mp3", "2/a-b-01-c-0-29.mp3"}) {
    add(path, path, {"guitar"}, "", false);
    write_stub(root_ / (std::string("mp3/") + path));
  }
  write();
  const Dataset dataset = load("magnatagatune", root_);
  EXPECT_EQ(dataset.tracks[2].audio, "mp3/2/a-b-01-c-0-29.mp3");
  EXPECT_TRUE(has_note(dataset, "1 of 3 listed audio files are missing: mp3/0/a-b-01-c-0-29.mp3"));
  EXPECT_THAT(message_of([&] {
                load("magnatagatune", root_, {{"missing", "error"}});
              }),
              HasSubstr("annotations_final.csv, line 2; "));
}

TEST_F(MagnatagatuneTest, RejectsDamagedAnnotations) {
  add("2", "g/a-b-01-c-0-29.mp3", {"guitar"});
  EXPECT_THAT(
      complaint(),
      HasSubstr("annotations_final.csv, line 2: mp3_path must begin with one of the folders 0 to f, found 'g/"));
  SetUp();
  add("2", "0/a.mp3", {"guitar"});
  const std::string info = info_;
  add("2", "0/b.mp3", {"guitar"});
  info_ = info;
  EXPECT_THAT(complaint(), HasSubstr("annotations_final.csv, line 3: the clip_id '2' appeared before, on line 2"));
  SetUp();
  add("2", "0/a.mp3", {"guitar"});
  add("3", "0/a.mp3", {"guitar"});
  EXPECT_THAT(complaint(), HasSubstr("line 3: the mp3_path '0/a.mp3' appeared before, on line 2"));
  SetUp();
  add("2", "0/a.mp3", {"guitar"});
  info_ += quoted_row({"2", "1", "A Title", "Another", "An Album", "http://x", "0", "29", "http://y", "0/a.mp3"});
  EXPECT_THAT(complaint(),
              HasSubstr("clip_info_final.csv, line 3: the clip_id '2' appeared before, on line 2; each must "
                        "appear once (fetch it again, or remove it to take artists from file names)"));
  SetUp();
  annotations_ += quoted_row({"2", "1", "0/a.mp3"});
  EXPECT_THAT(complaint(), HasSubstr("line 2: 190 fields expected as in the header, found 3"));
  SetUp();
  add("2", "0/a.mp3", {"guitar"});
  annotations_.replace(annotations_.find("\"1\""), 3, "\"x\"");
  EXPECT_THAT(complaint(), HasSubstr("line 2: column 'guitar' must be 0 or 1, found 'x'"));
  SetUp();
  annotations_.replace(annotations_.find("\"choral\""), 8, "\"chorale\"");
  EXPECT_THAT(complaint(), HasSubstr("column 'choral' is missing; did you mean 'chorale'?"));
  annotations_.clear();
  EXPECT_THAT(complaint(), HasSubstr("a header row was expected, the file is empty"));
}

TEST_F(MagnatagatuneTest, TheRulesGiveThePublishedListsFromRealFileNames) {
  TAGBENCH_REQUIRE_SHARED("data/lists/mtat");
  std::vector<std::pair<std::string, Part>> published;
  int number = 0;
  for (const auto& [name, part] :
       {std::pair("train", Part::kTrain), std::pair("valid", Part::kValid), std::pair("test", Part::kTest)}) {
    for (const std::string& file :
         read_pickled_strings(testing::shared_path(std::string("data/lists/mtat/") + name + "_list_pub.cP"))) {
      const std::string path = file.substr(0, file.size() - 4) + ".mp3";
      add(std::to_string(++number), path, {"guitar"}, "", false);
      published.emplace_back(file.substr(0, file.size() - 4), part);
    }
  }
  write();
  const Dataset dataset = load("magnatagatune", root_, {{"missing", "keep"}});
  EXPECT_THAT(testing::part_counts(dataset.splits[0]), ElementsAre(15244, 1529, 4332));
  ASSERT_EQ(static_cast<size_t>(dataset.n_tracks()), published.size());
  for (size_t i = 0; i < published.size(); ++i) {
    ASSERT_EQ(dataset.tracks[i].id, published[i].first);
    ASSERT_EQ(dataset.splits[0].parts[i], published[i].second);
  }
  EXPECT_TRUE(check_published_splits(dataset)[0].matches);
}

// Counts from the published lists and labels: 61.9 % of the test clips are by an artist of the training part.
TEST_F(MagnatagatuneTest, TheAuditFindsTheKnownFactsOfThePublishedSplit) {
  TAGBENCH_REQUIRE_SHARED("data/lists/mtat");
  const std::filesystem::path folder = testing::shared_path("data/lists/mtat");
  std::vector<std::string> names;  // in the order of the published label files
  for (const std::string& line : split_text(read_text_file(folder / "top50_tags.txt"), '\n')) {
    for (const std::string& tag : load_tags()) {
      std::string plain = tag;
      plain.erase(std::remove(plain.begin(), plain.end(), ' '), plain.end());
      if (to_lower(trim(line)) == plain) names.push_back(tag);
    }
  }
  ASSERT_EQ(names.size(), 50U);
  int number = 0;
  for (const char* part : {"train", "valid", "test"}) {
    const std::vector<std::string> files = read_pickled_strings(folder / (std::string(part) + "_list_pub.cP"));
    // The labels of the training part are not at hand.
    const bool labelled = std::string(part) != "train";
    const std::vector<double> labels =
        labelled ? read_npy(folder / (std::string("y_") + part + "_pub.npy")).as_double() : std::vector<double>();
    for (size_t i = 0; i < files.size(); ++i) {
      std::set<std::string> positive;
      if (!labelled) positive.insert("guitar");
      for (size_t tag = 0; tag < 50 && labelled; ++tag) {
        if (labels[i * 50 + tag] == 1.0) positive.insert(names[tag]);
      }
      add(std::to_string(++number), files[i].substr(0, files[i].size() - 4) + ".mp3", positive, "", false);
    }
  }
  write();
  std::filesystem::remove(root_ / "clip_info_final.csv");  // artists from file names
  const Dataset dataset = load("magnatagatune", root_, {{"missing", "keep"}});
  AuditOptions options;
  options.audio = false;
  const SplitAudit audit = audit_dataset(dataset, options).splits.at(0);
  EXPECT_THAT(audit.tracks, ElementsAre(15244, 1529, 4332));
  EXPECT_THAT(audit.without_tags, ElementsAre(0, 0, 0));
  EXPECT_THAT(audit.artists.tracks_in_second, ElementsAre(4332, 1529, 4332));
  EXPECT_EQ(audit.artists.leaked_tracks[0], 2680);
  EXPECT_EQ(audit.artists.shared_names[0], 45);
  EXPECT_EQ(unseen_artist_tracks(dataset, dataset.splits[0]).size(), 1544U);
  EXPECT_TRUE(has_note(dataset, "artists have tracks in more than one part"));
  int64_t rarest = 4332;
  for (const TagCounts& tag : audit.tags) rarest = std::min(rarest, tag.positive[2]);
  EXPECT_EQ(rarest, 20);
  EXPECT_EQ(audit.tags.at(49).positive[1], 3) << "choral in the validation part";
}

TEST_F(MagnatagatuneTest, NamesTheTagsOfThePublishedLabelFile) {
  TAGBENCH_REQUIRE_SHARED("data/lists/mtat");
  std::set<std::string> published;
  std::string text = read_text_file(testing::shared_path("data/lists/mtat/top50_tags.txt"));
  for (const std::string& line : split_text(text, '\n')) {
    if (!line.empty()) published.insert(to_lower(line));
  }
  std::set<std::string> ours;
  for (std::string tag : load_tags()) {
    tag.erase(std::remove(tag.begin(), tag.end(), ' '), tag.end());
    ours.insert(tag);
  }
  EXPECT_EQ(ours, published);
}

}  // namespace
}  // namespace tagbench
