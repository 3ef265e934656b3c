#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/npy.h"
#include "harness/core/text.h"
#include "splits/pickle_list.h"
#include "splits/published_splits.h"
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

std::string id_of(size_t number) {
  std::string digits = std::to_string(number);
  return "TRAB" + std::string(14 - digits.size(), '0') + digits;
}

class MsdTest : public ::testing::Test {
 protected:
  // Tracks first .. first + count - 1; track i has the tag i mod 50.
  void write_part(const std::string& part, size_t first, size_t count) {
    std::string ids;
    std::string files;
    std::vector<uint8_t> labels(count * 50, 0);
    for (size_t i = 0; i < count; ++i) {
      ids += id_of(first + i) + "\n";
      files += "8/9/" + std::to_string(first + i) + ".npy\n";
      labels[i * 50 + (first + i) % 50] = 1;
    }
    write_text(folder_ / (part + "_x_msd_id.txt"), ids);
    write_text(folder_ / (part + "_x_filename.txt"), files);
    write_npy(folder_ / (part + "_y.npy"), {static_cast<int64_t>(count), 50}, labels.data());
  }
  void write_small() {
    write_part("train", 0, 4);
    write_part("valid", 4, 2);
    write_part("test", 6, 3);
    for (size_t i = 0; i < 9; ++i) write_stub(folder_ / ("8/9/" + std::to_string(i) + ".clip.mp3"));
  }
  std::string complaint() {
    return message_of([&] { load("msd", folder_); });
  }
  testing::TemporaryDirectory folder_;
};

std::string pickled(size_t first, size_t count) {
  std::string text = "(lp1\n";
  for (size_t i = 0; i < count; ++i) text += "S'" + id_of(first + i) + "'\np" + std::to_string(i + 2) + "\na";
  return text + ".";
}

TEST_F(MsdTest, ReadsTheSplitOfTheTextAndNumpyFiles) {
  write_small();
  const Dataset dataset = load("msd", folder_);
  ASSERT_EQ(dataset.splits.size(), 1U);
  EXPECT_EQ(dataset.splits[0].name, "choi");
  EXPECT_THAT(testing::part_counts(dataset.splits[0]), ElementsAre(4, 2, 3));
  EXPECT_EQ(testing::labels_of(dataset, id_of(7))[7], '1');
  EXPECT_EQ(dataset.tracks[7].audio, "8/9/7.clip.mp3");
  EXPECT_TRUE(has_note(dataset, "the split 'filtered' is not available"));
  EXPECT_TRUE(has_note(dataset, "never mix them"));
}

TEST_F(MsdTest, FindsAudioNamedByMsdId) {
  write_small();
  std::filesystem::remove_all(folder_ / "8");
  for (size_t i = 0; i < 9; ++i) write_stub(folder_ / ("A/B/0/" + id_of(i) + ".mp3"));
  EXPECT_EQ(load("msd", folder_).tracks[7].audio, "A/B/0/" + id_of(7) + ".mp3");
  EXPECT_THAT(message_of([&] {
                load("msd", folder_, {{"audio_layout", "7digital"}});
              }),
              HasSubstr("9 of 9 listed audio files are missing"));
}

TEST_F(MsdTest, CutsTheFilteredListWhereThePublishedOneIsCut) {
  // The published sizes, with made-up ids: 860 of the 214,314 of train and valid are filtered out.
  write_part("train", 0, 201680);
  write_part("valid", 201680, 12634);
  write_part("test", 214314, 28540);
  write_text(folder_ / "filtered_list_train.cP", pickled(860, 213454));
  write_text(folder_ / "filtered_list_test.cP", pickled(214314 + 105, 28435));
  const Dataset dataset = load("msd", folder_, {{"missing", "keep"}});
  EXPECT_EQ(dataset.n_tracks(), 242854);
  const Split& filtered = find_split(dataset, "filtered");
  EXPECT_THAT(testing::part_counts(filtered), ElementsAre(201680, 11774, 28435));
  EXPECT_EQ(filtered.parts[0], Part::kUnused);
  EXPECT_EQ(filtered.parts[860], Part::kTrain);
  EXPECT_EQ(filtered.parts[201680], Part::kTrain);
  EXPECT_EQ(filtered.parts[202540], Part::kValid);
  EXPECT_THAT(testing::part_counts(find_split(dataset, "choi")), ElementsAre(201680, 12634, 28540));
  EXPECT_TRUE(has_note(dataset, "the ids of the test part are not the published ones"));
  // The second string is on the fourth line: S, p, then "a" before the next S.
  const auto complaint_about = [&](const std::string& list, const std::string& id, const std::string& other) {
    std::string text = read_text_file(folder_ / list);
    text.replace(text.find(id), id.size(), other);
    write_text(folder_ / list, text);
    return message_of([&] { load("msd", folder_, {{"missing", "keep"}}); });
  };
  EXPECT_THAT(complaint_about("filtered_list_test.cP", id_of(214314 + 106), id_of(860)),
              HasSubstr("filtered_list_test.cP, line 4: the id '" + id_of(860) + "' appeared before, on line 2 of " +
                        (folder_ / "filtered_list_train.cP").string()));
  EXPECT_THAT(complaint_about("filtered_list_train.cP", id_of(861), "TRX"),
              HasSubstr("filtered_list_train.cP, line 4: 'TRX' is in none of the *_x_msd_id.txt lists"));
}

// The published test list; the ids of training and validation are made up.
TEST_F(MsdTest, ThePublishedTestListIsThatOfTheFilteredSplit) {
  TAGBENCH_REQUIRE_SHARED("data/lists/msd");
  const std::filesystem::path published = testing::shared_path("data/lists/msd/filtered_list_test.cP");
  write_part("train", 0, 201680);
  write_part("valid", 201680, 12634);
  write_part("test", 214314, 28540);
  std::string ids;
  for (const std::string& id : read_pickled_strings(published)) ids += id + "\n";
  for (size_t i = 0; i < 105; ++i) ids += id_of(214314 + i) + "\n";
  write_text(folder_ / "test_x_msd_id.txt", ids);
  write_text(folder_ / "filtered_list_train.cP", pickled(860, 213454));
  std::filesystem::copy_file(published, folder_ / "filtered_list_test.cP");
  const Dataset dataset = load("msd", folder_, {{"missing", "keep"}});
  EXPECT_THAT(testing::part_counts(find_split(dataset, "filtered")), ElementsAre(201680, 11774, 28435));
  const std::vector<SplitCheck> checks = check_published_splits(dataset);
  for (const SplitCheck& check : checks) {
    EXPECT_TRUE(check.matches) << check.message;
    EXPECT_EQ(check.compared, "counts");
  }
  EXPECT_THAT(checks[0].message, HasSubstr("the counts are as published (ids of train and valid are not on record"));
  EXPECT_THAT(checks[1].message, HasSubstr("the counts are as published (ids are not on record"));
}

TEST_F(MsdTest, RejectsListsThatDoNotFitTogether) {
  write_small();
  write_text(folder_ / "valid_x_filename.txt", "8/9/1.npy\n");
  EXPECT_THAT(complaint(), HasSubstr("valid_x_filename.txt: 2 lines were expected as in valid_x_msd_id.txt, found 1"));
  write_small();
  write_part("test", 6, 3);
  write_text(folder_ / "test_x_msd_id.txt", id_of(6) + "\n" + id_of(7) + "\n");
  write_text(folder_ / "test_x_filename.txt", "8/9/6.npy\n8/9/7.npy\n");
  EXPECT_THAT(complaint(),
              HasSubstr("test_y.npy: shape [2, 50] was expected (a row per line of test_x_msd_id.txt), found [3, 50]"));
  write_small();
  write_text(folder_ / "train_x_msd_id.txt", id_of(0) + "\nTRX\n" + id_of(2) + "\n" + id_of(3) + "\n");
  EXPECT_THAT(complaint(),
              HasSubstr("train_x_msd_id.txt, line 2: an id as TRAAAAW128F429D538 was expected, found 'TRX'"));
  write_small();
  write_text(folder_ / "train_x_filename.txt", "8/9/0.npy\n../../etc/passwd.npy\n8/9/2.npy\n8/9/3.npy\n");
  EXPECT_THAT(complaint(), HasSubstr("train_x_filename.txt, line 2: a path as 5/5/5504670.npy was expected"));
  write_small();
  write_text(folder_ / "valid_x_msd_id.txt", id_of(4) + "\n" + id_of(1) + "\n");
  EXPECT_THAT(complaint(), HasSubstr("valid_x_msd_id.txt, line 2: the id '" + id_of(1) +
                                     "' appeared before, on line 2 of " + (folder_ / "train_x_msd_id.txt").string()));
  write_small();
  std::vector<uint8_t> labels(2 * 50, 0);
  labels[57] = 7;
  write_npy(folder_ / "valid_y.npy", {2, 50}, labels.data());
  EXPECT_THAT(complaint(), HasSubstr("valid_y.npy: labels must be 0 or 1, found 7 in row 2 (" + id_of(5)));
  write_small();
  write_text(folder_ / "train_x_msd_id.txt", "\xEF\xBB\xBF" + read_text_file(folder_ / "train_x_msd_id.txt"));
  EXPECT_EQ(load("msd", folder_).n_tracks(), 9);
  write_text(folder_ / "filtered_list_train.cP", pickled(0, 4));
  write_text(folder_ / "filtered_list_test.cP", pickled(6, 3));
  EXPECT_THAT(complaint(), HasSubstr("filtered_list_train.cP: 213454 ids were expected"));
  std::filesystem::remove(folder_ / "test_y.npy");
  EXPECT_THAT(
      complaint(),
      HasSubstr(
          "test_y.npy was expected and is not there (fetch it from github.com/keunwoochoi/MSD_split_for_tagging)"));
}

TEST_F(MsdTest, NamesTheTagsOfThePublishedList) {
  TAGBENCH_REQUIRE_SHARED("data/lists/msd");
  write_small();
  std::vector<std::string> published =
      split_text(read_text_file(testing::shared_path("data/lists/msd/50tagList.txt")), '\n');
  while (!published.empty() && published.back().empty()) published.pop_back();
  EXPECT_EQ(load("msd", folder_).tags, published);
}

}  // namespace
}  // namespace tagbench
