#include "splits/compose.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace tagbench {
namespace {

TEST(ComposeTest, EveryTagHasPositivesAndNegativesInEveryPartFrom120Tracks) {
  for (const int64_t n_tracks : {120, 121, 240, 500}) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      std::map<Part, std::vector<int>> positives;
      std::map<Part, int> tracks;
      const std::vector<TrackPlan> plans = plan_corpus(n_tracks, seed);
      ASSERT_EQ(static_cast<int64_t>(plans.size()), n_tracks);
      for (const TrackPlan& plan : plans) {
        ++tracks[plan.part];
        std::vector<int>& counts = positives[plan.part];
        counts.resize(synth_tags().size());
        const std::vector<uint8_t> labels = plan_labels(plan);
        for (size_t tag = 0; tag < labels.size(); ++tag) counts[tag] += labels[tag];
      }
      ASSERT_EQ(positives.size(), 3U);
      for (const auto& [part, counts] : positives) {
        for (size_t tag = 0; tag < counts.size(); ++tag) {
          EXPECT_GT(counts[tag], 0) << part_name(part) << " " << synth_tags()[tag] << " seed " << seed;
          EXPECT_LT(counts[tag], tracks[part]) << part_name(part) << " " << synth_tags()[tag] << " seed " << seed;
        }
      }
      // Shares of artists, rounded: half an artist of thirty is 1.7 %.
      const auto n = static_cast<double>(n_tracks);
      EXPECT_NEAR(tracks[Part::kTrain] / n, 0.60, 0.04);
      EXPECT_NEAR(tracks[Part::kValid] / n, 0.15, 0.03);
      EXPECT_NEAR(tracks[Part::kTest] / n, 0.25, 0.03);
    }
  }
}

TEST(ComposeTest, ArtistsBelongToOnePartAndTracksHaveTwoToSixInstruments) {
  std::map<std::string, std::set<Part>> parts;
  std::set<std::string> ids;
  for (const TrackPlan& plan : plan_corpus(240, 0)) {
    parts[plan.artist].insert(plan.part);
    EXPECT_TRUE(ids.insert(plan.id).second);
    const size_t n = plan.instruments.size() + (plan.drums ? 1 : 0) + (plan.cymbals ? 1 : 0);
    EXPECT_GE(n, 2U);
    EXPECT_LE(n, 6U);
    EXPECT_EQ(std::set<std::string>(plan.instruments.begin(), plan.instruments.end()).size(), plan.instruments.size());
  }
  EXPECT_EQ(parts.size(), 60U);
  for (const auto& [artist, held_by] : parts) EXPECT_EQ(held_by.size(), 1U) << artist;
}

TEST(ComposeTest, SmallCorporaStillFillAllParts) {
  for (const int64_t n_tracks : {3, 4, 5, 7, 11}) {
    std::set<Part> parts;
    for (const TrackPlan& plan : plan_corpus(n_tracks, 0)) parts.insert(plan.part);
    EXPECT_EQ(parts.size(), 3U) << n_tracks;
  }
}

TEST(ComposeTest, LabelsHoldInTheScore) {
  for (const double seconds : {3.0, 10.0, 30.0}) {
    for (const TrackPlan& plan : plan_corpus(120, 3)) {
      const Score score = compose(plan, seconds, 3);
      std::set<std::string> sounding;
      for (const ScorePart& part : score.parts) {
        EXPECT_FALSE(part.notes.empty()) << plan.id << " " << part.instrument;
        EXPECT_EQ(part.percussion, part.instrument == "drums" || part.instrument == "cymbals");
        EXPECT_LT(score.seconds(part.notes.back().onset_ticks), seconds);
        sounding.insert(part.instrument);
      }
      const std::vector<uint8_t> labels = plan_labels(plan);
      for (size_t tag = 0; tag < synth_instruments().size(); ++tag) {
        EXPECT_EQ(labels[tag] == 1, sounding.count(synth_tags()[tag]) == 1) << plan.id << " " << synth_tags()[tag];
      }
      EXPECT_EQ(score.minor, plan.minor);
      const bool fast = labels[22] == 1;
      const bool slow = labels[23] == 1;
      EXPECT_EQ(fast, score.tempo_bpm() > 130.0);
      EXPECT_EQ(slow, score.tempo_bpm() < 80.0);
      if (!fast && !slow) {
        EXPECT_GT(score.tempo_bpm(), 90.0);
        EXPECT_LT(score.tempo_bpm(), 115.0);
      }
    }
  }
}

TEST(ComposeTest, TheThirdOfTheTonicTellsTheMode) {
  int agree = 0;
  int all = 0;
  for (const TrackPlan& plan : plan_corpus(120, 1)) {
    const Score score = compose(plan, 30.0, 1);
    double major_third = 0;
    double minor_third = 0;
    for (const ScorePart& part : score.parts) {
      if (part.percussion) continue;
      for (const Note& note : part.notes) {
        const int above = (note.pitch - score.tonic + 120) % 12;
        major_third += above == 4 ? static_cast<double>(note.duration_ticks) : 0.0;
        minor_third += above == 3 ? static_cast<double>(note.duration_ticks) : 0.0;
      }
    }
    ++all;
    agree += (minor_third > major_third) == plan.minor ? 1 : 0;
  }
  // Neither scale holds the other's third, so nothing but a piece without thirds could disagree.
  EXPECT_EQ(agree, all);
}

TEST(ComposeTest, NoKeyIsStruckWhileItIsDownAndRangesLeaveRoomForTransposition) {
  for (const TrackPlan& plan : plan_corpus(60, 5)) {
    for (const ScorePart& part : compose(plan, 30.0, 5).parts) {
      std::map<int, int64_t> free_from;
      int64_t previous = 0;
      for (const Note& note : part.notes) {
        EXPECT_GE(note.onset_ticks, previous);
        previous = note.onset_ticks;
        EXPECT_GE(note.onset_ticks, free_from[note.pitch]) << plan.id << " " << part.instrument;
        free_from[note.pitch] = note.onset_ticks + note.duration_ticks;
        EXPECT_GE(note.velocity, 1);
        EXPECT_LE(note.velocity, 127);
        EXPECT_GE(note.pitch, 24);
        EXPECT_LE(note.pitch, 103);
      }
    }
  }
}

TEST(ComposeTest, EqualSeedsGiveEqualScoresAndOthersDiffer) {
  const std::vector<TrackPlan> plans = plan_corpus(12, 9);
  EXPECT_EQ(score_json(compose(plans[4], 10.0, 9)), score_json(compose(plan_corpus(12, 9)[4], 10.0, 9)));
  EXPECT_NE(score_json(compose(plans[4], 10.0, 9)), score_json(compose(plans[4], 10.0, 8)));
}

}  // namespace
}  // namespace tagbench
