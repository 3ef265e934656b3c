#include "results/unseen_artists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/files.h"
#include "results/run_store.h"
#include "results/scored_tracks.h"
#include "tests/results/synthetic_run.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using testing::add_cell;
using ::testing::HasSubstr;
using testing::message_of;
using testing::SyntheticCell;
using testing::SyntheticScores;

// The tracks of every second of the 20 made-up artists are of unseen ones.
bool is_unseen(size_t track) {
  return track / 3 % 2 == 0;
}

class UnseenArtistsTest : public ::testing::Test {
 protected:
  SyntheticScores add(SyntheticCell cell = {}) {
    const SyntheticScores made = testing::synthetic_scores(cell);
    add_cell(run_, made);
    return made;
  }
  UnseenArtists listed(const SyntheticScores& made) const {
    UnseenArtists unseen{made.row.cell.dataset, made.row.cell.split, made.row.cell.split_sha256, 62, 2, {}};
    for (size_t track = 0; track < made.track_ids.size(); ++track) {
      if (is_unseen(track)) unseen.track_ids.push_back(made.track_ids[track]);
    }
    // Listed, but not scored: a track that could not be read.
    unseen.track_ids.emplace_back("left/out.wav");
    return unseen;
  }
  testing::TemporaryDirectory folder_;
  RunStore run_ = RunStore::create(folder_ / "run");
};

TEST_F(UnseenArtistsTest, ListReadsBackAsItWasWritten) {
  const SyntheticScores made = add();
  run_.write_unseen_artists(listed(made));
  const UnseenArtists read = run_.read_unseen_artists(made.row.cell);
  EXPECT_EQ(read.dataset, "synth");
  EXPECT_EQ(read.split, "default");
  EXPECT_EQ(read.split_sha256, made.row.cell.split_sha256);
  EXPECT_EQ(read.n_test_tracks, 62);
  EXPECT_EQ(read.n_without_artist, 2);
  EXPECT_EQ(read.track_ids, listed(made).track_ids);
}

TEST_F(UnseenArtistsTest, RowsAndScoresAreThoseOfTheListedTracks) {
  SyntheticCell cell;
  cell.task = "partial";
  cell.unknown_share = 0.3;
  const SyntheticScores made = add(cell);
  run_.write_unseen_artists(listed(made));
  std::vector<uint8_t> values, known;
  std::vector<float> scores;
  for (size_t track = 0; track < 60; ++track) {
    for (size_t tag = 0; tag < 4 && is_unseen(track); ++tag) {
      values.push_back(made.labels[track * 4 + tag] == 1 ? 1 : 0);
      known.push_back(made.labels[track * 4 + tag] == kMissingLabel ? 0 : 1);
      scores.push_back(made.scores[track * 4 + tag]);
    }
  }
  const TaggingMetrics expected =
      compute_metrics({30, 4, values.data(), known.data()}, {30, 4, scores.data(), nullptr});

  const RunStore view = run_.of_unseen_artists();
  const Row row = view.rows().at(0);
  EXPECT_EQ(row.tracks, "unseen artists");
  EXPECT_EQ(row.n_tracks, 30);
  EXPECT_EQ(row.cell.key(), made.row.cell.key());
  EXPECT_EQ(metrics_to_json(*row.metrics, row.tags), metrics_to_json(expected, row.tags));
  const ScoredTracks tracks = scored_tracks(view, row);
  EXPECT_EQ(tracks.float32, scores);
  EXPECT_EQ(tracks.known, known);
  EXPECT_EQ(tracks.groups.at(3), "artist2");
  // The run itself is as it was.
  EXPECT_EQ(run_.rows().at(0).to_json(), made.row.to_json());
}

TEST_F(UnseenArtistsTest, NotesCountWhatIsKeptAndWhatHasNoArtist) {
  const SyntheticScores made = add();
  run_.write_unseen_artists(listed(made));
  run_.write_run_json({{"notes", {"one"}}});
  const Json notes = run_.of_unseen_artists().read_run_json()["notes"];
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_THAT(notes[0].get<std::string>(),
              HasSubstr("default: 31 of 62 test tracks (2 without a known artist are left out)"));
  EXPECT_EQ(run_.read_run_json()["notes"].size(), 1U);
}

TEST_F(UnseenArtistsTest, ShortTracksAmongThemAreNotCountedUnlessThereAreNone) {
  SyntheticScores made = testing::synthetic_scores({});
  made.row.n_short_tracks = 5;
  add_cell(run_, made);
  run_.write_unseen_artists(listed(made));
  EXPECT_TRUE(run_.of_unseen_artists().rows().at(0).to_json()["n_short_tracks"].is_null());
  made.row.n_short_tracks = 0;
  add_cell(run_, made);
  EXPECT_EQ(run_.of_unseen_artists().rows().at(0).to_json()["n_short_tracks"], 0);
}

TEST_F(UnseenArtistsTest, WithoutSuchTracksThereIsAReasonInsteadOfAValue) {
  const SyntheticScores made = add();
  UnseenArtists none = listed(made);
  none.track_ids.clear();
  run_.write_unseen_artists(none);
  const Row row = run_.of_unseen_artists().rows().at(0);
  EXPECT_EQ(metric_of(row, "roc_auc").reason, "failed: no scored test track is by an unseen artist");
  // A cell that failed stays what it was.
  SyntheticCell failed;
  failed.condition = "drc:preset=speech";
  testing::add_failed_cell(run_, failed, "broken");
  EXPECT_EQ(run_.of_unseen_artists().rows().at(1).message, "broken");
}

TEST_F(UnseenArtistsTest, WhatCannotBeAnsweredIsAnErrorThatSaysWhatToDo) {
  EXPECT_TRUE(run_.of_unseen_artists().rows().empty());
  const SyntheticScores made = add();
  EXPECT_THAT(message_of([&] { run_.of_unseen_artists(); }),
              AllOf(HasSubstr("of split default was expected and is not there"),
                    HasSubstr("run the experiment again on this folder")));
  UnseenArtists unknown = listed(made);
  unknown.n_without_artist = unknown.n_test_tracks;
  unknown.track_ids.clear();
  run_.write_unseen_artists(unknown);
  EXPECT_THAT(message_of([&] { run_.of_unseen_artists(); }), HasSubstr("of no test track the artist is known"));
  write_file_atomically(folder_ / ("run/splits/" + made.row.cell.split_sha256 + ".json"), "{\"schema_version\":1}");
  EXPECT_THAT(message_of([&] { run_.of_unseen_artists(); }), HasSubstr("dataset"));
}

}  // namespace
}  // namespace tagbench
