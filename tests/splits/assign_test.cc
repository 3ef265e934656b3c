#include "splits/assign.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "harness/core/rng.h"
#include "tests/splits/small_corpus.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::made_dataset;
using testing::message_of;

// Tags of falling frequency, artists of one to six tracks.
Dataset random_dataset(int64_t n_tracks) {
  Rng rng(7, {"assign_test"});
  std::vector<std::string> labels;
  std::vector<std::string> groups;
  while (static_cast<int64_t>(labels.size()) < n_tracks) {
    const std::string artist = "artist" + std::to_string(groups.size());
    for (int64_t i = 1 + rng.below(6); i > 0; --i) {
      std::string row;
      for (const double rate : {0.5, 0.2, 0.05, 0.02}) row += rng.uniform() < rate ? '1' : '0';
      labels.push_back(row);
      groups.push_back(artist);
    }
  }
  return made_dataset(labels, groups);
}

TEST(AssignTest, KeepsGroupsTogetherAndMeetsShares) {
  const Dataset dataset = random_dataset(2000);
  const std::vector<Part> parts = assign_parts(dataset, 0.15, 0.25, 1);
  std::map<std::string, std::set<Part>> parts_of_group;
  std::map<Part, double> share;
  for (size_t i = 0; i < parts.size(); ++i) {
    parts_of_group[dataset.tracks[i].group].insert(parts[i]);
    share[parts[i]] += 1.0 / static_cast<double>(parts.size());
  }
  for (const auto& [group, held_by] : parts_of_group) EXPECT_EQ(held_by.size(), 1U) << group;
  // Six tracks, the largest group, are 0.3 % of the tracks.
  EXPECT_NEAR(share[Part::kTrain], 0.60, 0.01);
  EXPECT_NEAR(share[Part::kValid], 0.15, 0.01);
  EXPECT_NEAR(share[Part::kTest], 0.25, 0.01);
}

TEST(AssignTest, StratifiesEveryTag) {
  const Dataset dataset = random_dataset(2000);
  const std::vector<Part> parts = assign_parts(dataset, 0.15, 0.25, 1);
  for (int64_t tag = 0; tag < dataset.n_tags(); ++tag) {
    double positives = 0;
    double in_test = 0;
    for (int64_t i = 0; i < dataset.n_tracks(); ++i) {
      positives += dataset.label(i, tag);
      in_test += parts[static_cast<size_t>(i)] == Part::kTest ? dataset.label(i, tag) : 0;
    }
    // Random parts would deviate by sqrt(0.25 * 0.75 * positives): 8.7 tracks for the 400 of the second tag, 2.7 for
    // the rarest.
    EXPECT_NEAR(in_test, 0.25 * positives, 2.5) << dataset.tags[static_cast<size_t>(tag)];
  }
}

TEST(AssignTest, ARareTagReachesEveryPart) {
  std::vector<std::string> labels(100, "10");
  for (const size_t i : {3U, 40U, 77U}) labels[i] = "11";
  const std::vector<Part> parts = assign_parts(made_dataset(labels, {}), 0.15, 0.25, 5);
  EXPECT_EQ((std::set<Part>{parts[3], parts[40], parts[77]}).size(), 3U);
}

TEST(AssignTest, DependsOnSeedButNotOnOrder) {
  const Dataset dataset = random_dataset(300);
  const std::vector<Part> parts = assign_parts(dataset, 0.15, 0.25, 1);
  EXPECT_EQ(assign_parts(dataset, 0.15, 0.25, 1), parts);
  EXPECT_NE(assign_parts(dataset, 0.15, 0.25, 2), parts);

  Dataset reversed = dataset;
  std::reverse(reversed.tracks.begin(), reversed.tracks.end());
  for (int64_t i = 0; i < dataset.n_tracks(); ++i) {
    for (int64_t tag = 0; tag < dataset.n_tags(); ++tag) {
      reversed.labels[static_cast<size_t>(i * dataset.n_tags() + tag)] = dataset.label(dataset.n_tracks() - 1 - i, tag);
    }
  }
  std::vector<Part> back = assign_parts(reversed, 0.15, 0.25, 1);
  std::reverse(back.begin(), back.end());
  EXPECT_EQ(back, parts);
}

TEST(AssignTest, NoPartStaysEmptyAndAFractionOfZeroLeavesItsPartEmpty) {
  const Dataset three = made_dataset({"1", "1", "1"}, {});
  const std::vector<Part> parts = assign_parts(three, 0.01, 0.01, 0);
  EXPECT_EQ(std::set<Part>(parts.begin(), parts.end()).size(), 3U);
  for (const Part part : assign_parts(three, 0.0, 0.0, 0)) EXPECT_EQ(part, Part::kTrain);
  const std::vector<Part> no_valid = assign_parts(three, 0.0, 0.3, 0);
  EXPECT_EQ(std::count(no_valid.begin(), no_valid.end(), Part::kValid), 0);
}

TEST(AssignTest, RejectsTooFewGroupsAndSharesWithoutTraining) {
  const Dataset one_artist = made_dataset({"1", "0", "1"}, {"a", "a", "a"});
  EXPECT_THAT(message_of([&] { assign_parts(one_artist, 0.15, 0.25, 0); }),
              HasSubstr("a split into 3 parts needs as many groups (artists), found 1"));
  EXPECT_THAT(message_of([&] { assign_parts(one_artist, 0.5, 0.5, 0); }),
              HasSubstr("must add up to less than 1, got 0.5 and 0.5"));
}

TEST(AssignTest, FoldsTestEachTrackOnce) {
  const std::vector<int> folds = {1, 2, 3, 1};
  const std::vector<Split> plain = fold_splits(folds, 3, false);
  ASSERT_EQ(plain.size(), 3U);
  EXPECT_EQ(plain[0].name, "fold1");
  EXPECT_EQ(plain[0].parts, (std::vector<Part>{Part::kTest, Part::kTrain, Part::kTrain, Part::kTest}));
  const std::vector<Split> validated = fold_splits(folds, 3, true);
  EXPECT_EQ(validated[0].parts, (std::vector<Part>{Part::kTest, Part::kValid, Part::kTrain, Part::kTest}));
  EXPECT_EQ(validated[2].parts, (std::vector<Part>{Part::kValid, Part::kTrain, Part::kTest, Part::kValid}));
}

}  // namespace
}  // namespace tagbench
