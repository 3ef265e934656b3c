#include "splits/openmic2018.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/text.h"
#include "splits/audit.h"
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

constexpr const char* kClassMap =
    R"({"accordion":0,"banjo":1,"bass":2,"cello":3,"clarinet":4,"cymbals":5,"drums":6,"flute":7,"guitar":8,"mallet_percussion":9,
"mandolin":10,"organ":11,"piano":12,"saxophone":13,"synthesizer":14,"trombone":15,"trumpet":16,"ukulele":17,"violin":18,"voice":19})";
constexpr const char* kLabelHeader = "sample_key,instrument,relevance,num_responses\n";

class Openmic2018Test : public ::testing::Test {
 protected:
  void SetUp() override {
    write_text(folder_ / "class-map.json", kClassMap);
    write_text(folder_ / "openmic-2018-aggregated-labels.csv",
               std::string(kLabelHeader) +
                   "000178_3840,piano,0.9,3\n000046_3840,clarinet,0.17105,3\n"
                   "000046_3840,flute,0.5,3\n000135_483840,voice,1.0,5\n"
                   "095263_96000,mallet percussion,0.1,3\n");
    write_text(folder_ / "openmic-2018-metadata.csv",
               "track_id,album_title,artist_id,artist_name,track_genres,sample_key,start_time\n"
               "46,\"An Album\",7,\"Some, Body\",\"[{'genre_id': '4'}]\",000046_3840,3.84\n"
               "135,Other,8,Else,[],000135_483840,483.84\n178,Third,9,Third,[],000178_3840,3.84\n95263,Fourth,9,Third,["
               "],095263_96000,96.0\n");
    write_text(folder_ / "partitions/split01_train.csv", "000046_3840\n000135_483840\n095263_96000\n");
    write_text(folder_ / "partitions/split01_test.csv", "000178_3840\n");
    for (const char* key : {"000/000046_3840", "000/000135_483840", "000/000178_3840", "095/095263_96000"}) {
      write_stub(folder_ / (std::string("audio/") + key + ".ogg"));
    }
  }
  std::string complaint(std::vector<std::pair<std::string, std::string>> options = {}) {
    return message_of([&] { load("openmic2018", folder_, std::move(options)); });
  }
  testing::TemporaryDirectory folder_;
};

TEST_F(Openmic2018Test, ReadsPartialLabelsAndTheOwnersSplit) {
  const Dataset dataset = load("openmic2018", folder_, {{"valid_fraction", "0"}});
  EXPECT_EQ(dataset.name, "openmic2018:valid_fraction=0");
  EXPECT_EQ(dataset.task, TaskKind::kPartial);
  ASSERT_EQ(dataset.n_tags(), 20);
  EXPECT_EQ(dataset.tags[9], "mallet_percussion");
  // From 0.5 on, an instrument is present.
  EXPECT_EQ(testing::labels_of(dataset, "000046_3840"), "????0??1????????????");
  EXPECT_EQ(testing::labels_of(dataset, "000178_3840"), "????????????1???????");
  EXPECT_THAT(testing::part_counts(dataset.splits[0]), ElementsAre(3, 0, 1));
  EXPECT_EQ(dataset.tracks[0].audio, "audio/000/000046_3840.ogg");
  EXPECT_EQ(dataset.tracks[0].group, "artist_7");
  EXPECT_EQ(dataset.tracks[0].recording, "fma_000046");
  EXPECT_EQ(dataset.tracks[0].album, "An Album");
  EXPECT_TRUE(has_note(dataset, "before the owners' erratum: mallet_percussion of 095263_96000 should be positive"));
}

TEST_F(Openmic2018Test, DrawsAValidationPartByArtist) {
  const Dataset dataset = load("openmic2018", folder_, {{"valid_fraction", "0.3"}, {"seed", "2"}});
  const std::vector<size_t> counts = testing::part_counts(dataset.splits[0]);
  EXPECT_EQ(counts[0] + counts[1], 3U);
  EXPECT_GE(counts[1], 1U);
  EXPECT_TRUE(has_note(dataset, "0.3 of the training clips drawn with seed 2"));
  EXPECT_EQ(load("openmic2018", folder_, {{"valid_fraction", "0.3"}, {"seed", "2"}}).splits[0].sha256,
            dataset.splits[0].sha256);
}

TEST_F(Openmic2018Test, AcceptsTheOtherPartitionNamesAndMissingMetadata) {
  std::filesystem::rename(folder_ / "partitions/split01_train.csv", folder_ / "partitions/train01.txt");
  std::filesystem::rename(folder_ / "partitions/split01_test.csv", folder_ / "partitions/test01.txt");
  std::filesystem::remove(folder_ / "openmic-2018-metadata.csv");
  const Dataset dataset = load("openmic2018", folder_, {{"valid_fraction", "0"}});
  EXPECT_THAT(testing::part_counts(dataset.splits[0]), ElementsAre(3, 0, 1));
  EXPECT_EQ(dataset.tracks[0].group, "fma_000046");
  EXPECT_EQ(dataset.group_kind, "recording");
  EXPECT_TRUE(has_note(dataset, "clips are grouped by source track"));
}

TEST_F(Openmic2018Test, PointsAtTheFeaturesOnRequestAndReadsThem) {
  std::string frames;
  for (int i = 0; i < 10; ++i) {
    frames += i > 0 ? ",[" : "[";
    for (int k = 0; k < 128; ++k) frames += (k > 0 ? "," : "") + std::to_string(i + k);
    frames += "]";
  }
  const std::string times = "[0.0,0.96,1.92,2.88,3.84,4.8,5.76,6.72,7.68,8.64]";
  for (const char* key : {"000/000046_3840", "000/000135_483840", "000/000178_3840", "095/095263_96000"}) {
    write_text(folder_ / (std::string("vggish/") + key + ".json"),
               "{\"time_points\":" + times + ",\"features\":[" + frames + "]}");
  }
  const Dataset dataset = load("openmic2018", folder_, {{"features", "vggish"}, {"valid_fraction", "0"}});
  EXPECT_EQ(dataset.tracks[0].audio, "vggish/000/000046_3840.json");
  EXPECT_THAT(message_of([&] { audit_dataset(dataset, {}); }),
              HasSubstr("data audit: a dataset with sound was expected, the files of openmic2018:features=vggish"));
  EXPECT_EQ(verify_dataset(dataset, {}).count(FileState::kGood), 4);
  const std::vector<uint8_t> features = read_vggish_json(dataset.root / dataset.tracks[0].audio);
  ASSERT_EQ(features.size(), 1280U);
  EXPECT_EQ(features[3 * 128 + 5], 8);
  const auto complaint_about = [&](const std::string& text) {
    write_text(folder_ / "bad.json", text);
    return message_of([&] { read_vggish_json(folder_ / "bad.json"); });
  };
  EXPECT_THAT(complaint_about("{}"), HasSubstr("an object with 'features' was expected"));
  EXPECT_THAT(complaint_about("{\"features\":[[1]]}"), HasSubstr("10 frames of features were expected, found 1"));
  EXPECT_THAT(complaint_about("{\"features\":[[],[],[],[],[],[],[],[],[],[]]}"),
              HasSubstr("128 features in each frame"));
}

TEST_F(Openmic2018Test, RejectsDamagedFiles) {
  const auto with_label = [&](const std::string& row) {
    SetUp();
    write_text(folder_ / "openmic-2018-aggregated-labels.csv", kLabelHeader + row + "\n");
    return complaint();
  };
  EXPECT_THAT(with_label("46,piano,0.9,3"), HasSubstr("line 2: a sample key as 000046_3840 was expected, found '46'"));
  EXPECT_THAT(with_label("../46_3840,piano,0.9,3"), HasSubstr("a sample key as"));
  EXPECT_THAT(with_label("000046_3840,pianoo,0.9,3"), HasSubstr("unknown instrument 'pianoo'; did you mean 'piano'?"));
  EXPECT_THAT(with_label("000046_3840,piano,1.5,3"), HasSubstr("relevance must be a number from 0 to 1, found '1.5'"));
  EXPECT_THAT(with_label("000046_3840,piano,0.9,3\n000046_3840,piano,0.2,3"),
              HasSubstr("line 3: the label of '000046_3840 piano' appeared before"));
  SetUp();
  write_text(folder_ / "partitions/split01_test.csv", "000178_3840\n999999_0\n");
  EXPECT_THAT(complaint(), HasSubstr("split01_test.csv, line 2: the clip '999999_0' has no labels"));
  write_text(folder_ / "partitions/split01_test.csv", "000178_3840\n000046_3840\n");
  EXPECT_THAT(complaint(),
              HasSubstr("split01_test.csv, line 2: the clip '000046_3840' appeared before in the partition files"));
  SetUp();
  write_text(folder_ / "class-map.json", "{\"accordion\":0}");
  EXPECT_THAT(complaint(), HasSubstr("20 instruments numbered 0 to 19"));
}

TEST_F(Openmic2018Test, TheRealPartitionHasThePublishedCounts) {
  TAGBENCH_REQUIRE_SHARED("data/lists/openmic");
  std::string labels = kLabelHeader;
  for (const char* name : {"train", "test"}) {
    const std::string file = std::string("split01_") + name + ".csv";
    const std::filesystem::path real = testing::shared_path("data/lists/openmic/" + file);
    std::filesystem::copy_file(real, folder_ / ("partitions/" + file),
                               std::filesystem::copy_options::overwrite_existing);
    for (const std::string& key : split_text(read_text_file(real), '\n')) {
      if (!trim(key).empty()) labels += trim(key) + ",piano,0.9,3\n";
    }
  }
  write_text(folder_ / "openmic-2018-aggregated-labels.csv", labels);
  std::filesystem::copy_file(testing::shared_path("data/lists/openmic/class-map.json"), folder_ / "class-map.json",
                             std::filesystem::copy_options::overwrite_existing);
  const Dataset dataset = load("openmic2018", folder_, {{"valid_fraction", "0"}, {"missing", "keep"}});
  EXPECT_EQ(dataset.n_tracks(), 20000);
  EXPECT_THAT(testing::part_counts(dataset.splits[0]), ElementsAre(14915, 0, 5085));
  EXPECT_EQ(dataset.tags.back(), "voice");
  EXPECT_TRUE(check_published_splits(dataset)[0].matches);
  // Whatever is drawn for validation, the owners' training part is compared as a whole, and whatever a track's file is.
  for (const char* features : {"audio", "vggish"}) {
    const SplitCheck drawn =
        check_published_splits(load("openmic2018", folder_, {{"features", features}, {"missing", "keep"}}))[0];
    EXPECT_TRUE(drawn.matches) << drawn.message;
    EXPECT_EQ(drawn.compared, "ids");
    EXPECT_THAT(drawn.message, HasSubstr("counts and ids are as published (labels are not on record"));
  }
  const std::string train = read_text_file(folder_ / "partitions/split01_train.csv");
  write_text(folder_ / "partitions/split01_train.csv", train.substr(0, train.find('\n', train.size() / 2) + 1));
  EXPECT_THAT(check_published_splits(load("openmic2018", folder_, {{"missing", "keep"}}))[0].message,
              HasSubstr("is not as published (openmic-2018, partitions/split01): train and valid together 14915 were "
                        "expected, found"));
}

}  // namespace
}  // namespace tagbench
