#include "results/unseen_artists.h"

#include <map>
#include <set>
#include <unordered_set>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/metrics/metrics.h"
#include "results/json_fields.h"
#include "results/run_store.h"
#include "results/scored_tracks.h"

namespace tagbench {
namespace {

constexpr int kSchemaVersion = 1;
constexpr const char* kRemedy =
    "run the experiment again on this folder: finished cells are kept, and what is missing beside them is written";

}  // namespace

// What `of_unseen_artists` keeps of a run.
class UnseenArtistsFilter {
 public:
  void add(UnseenArtists unseen) {
    notes_.push_back(unseen.split + ": " + std::to_string(unseen.track_ids.size()) + " of " +
                     std::to_string(unseen.n_test_tracks) + " test tracks" +
                     (unseen.n_without_artist > 0
                          ? " (" + std::to_string(unseen.n_without_artist) + " without a known artist are left out)"
                          : ""));
    kept_[unseen.split_sha256].insert(unseen.track_ids.begin(), unseen.track_ids.end());
  }

  std::string note() const {
    std::string text =
        "Only test tracks of artists (where a data set tells recordings instead: recordings) that neither training nor "
        "validation holds:";
    for (const std::string& part : notes_) text += (&part == &notes_.front() ? " " : "; ") + part;
    return text + ". Tracks shorter than a chunk are not counted apart for them.";
  }

  RunStore::Scores restricted(const Row& row, RunStore::Scores all) const {
    const std::unordered_set<std::string>& kept = kept_.at(row.cell.split_sha256);
    RunStore::Scores some;
    some.n_tags = all.n_tags;
    const auto width = static_cast<std::ptrdiff_t>(all.n_tags);
    for (size_t track = 0; track < all.track_ids.size(); ++track) {
      if (kept.count(all.track_ids[track]) == 0) continue;
      const auto begin = static_cast<std::ptrdiff_t>(track) * width;
      some.labels.insert(some.labels.end(), all.labels.begin() + begin, all.labels.begin() + begin + width);
      some.scores.insert(some.scores.end(), all.scores.begin() + begin, all.scores.begin() + begin + width);
      some.groups.push_back(std::move(all.groups[track]));
      some.track_ids.push_back(std::move(all.track_ids[track]));
    }
    some.n_tracks = static_cast<int64_t>(some.track_ids.size());
    return some;
  }

 private:
  std::map<std::string, std::unordered_set<std::string>> kept_;  // by the split's hash
  std::vector<std::string> notes_;
};

void RunStore::write_unseen_artists(const UnseenArtists& unseen) const {
  write_json(directory_ / "splits" / (unseen.split_sha256 + ".json"), {{"schema_version", kSchemaVersion},
                                                                       {"dataset", unseen.dataset},
                                                                       {"split", unseen.split},
                                                                       {"split_sha256", unseen.split_sha256},
                                                                       {"test_tracks", unseen.n_test_tracks},
                                                                       {"without_artist", unseen.n_without_artist},
                                                                       {"of_unseen_artists", unseen.track_ids}});
}

UnseenArtists RunStore::read_unseen_artists(const CellId& cell) const {
  const std::filesystem::path path = directory_ / "splits" / (cell.split_sha256 + ".json");
  if (!std::filesystem::exists(path)) {
    throw DataError(path.string() + ": the list of test tracks of unseen artists of split " + cell.split +
                    " was expected and is not there; " + kRemedy);
  }
  const Json json = read_json(path);
  const JsonFields fields(json, path.string(), "", kRemedy);
  if (fields.integer("schema_version") != kSchemaVersion) {
    fields.fail("schema_version", "must be " + std::to_string(kSchemaVersion) + ", found " +
                                      std::to_string(fields.integer("schema_version")));
  }
  UnseenArtists unseen;
  unseen.dataset = fields.text("dataset");
  unseen.split = fields.text("split");
  unseen.split_sha256 = fields.text("split_sha256");
  if (unseen.split_sha256 != cell.split_sha256) fields.fail("split_sha256", "must be " + cell.split_sha256);
  unseen.n_test_tracks = fields.count("test_tracks");
  unseen.n_without_artist = fields.count("without_artist");
  unseen.track_ids = fields.texts("of_unseen_artists");
  return unseen;
}

RunStore RunStore::of_unseen_artists() const {
  auto filter = std::make_shared<UnseenArtistsFilter>();
  std::set<std::string> done;
  bool any_artist = false;
  for (const Row& row : rows()) {
    if (!done.insert(row.cell.split_sha256).second) continue;
    UnseenArtists unseen = read_unseen_artists(row.cell);
    any_artist = any_artist || unseen.n_without_artist < unseen.n_test_tracks;
    filter->add(std::move(unseen));
  }
  if (!done.empty() && !any_artist) {
    throw DataError(directory_.string() +
                    ": test tracks of unseen artists were asked for, but of no test track the artist is known; ask for "
                    "all test tracks");
  }
  RunStore view = *this;
  view.unseen_artists_ = std::move(filter);
  return view;
}

Row RunStore::restricted_row(Row row) const {
  row.tracks = "unseen artists";
  if (row.status != "done") return row;
  // How many of the short ones are among these is not stored.
  if (row.n_short_tracks > 0) row.n_short_tracks = Row::kNotCounted;
  row.metrics.reset();  // of all tracks
  const ScoredTracks tracks = scored_tracks(*this, row);
  row.n_tracks = tracks.n_tracks;
  if (tracks.n_tracks == 0) {
    row.status = "failed";
    row.message = "no scored test track is by an unseen artist";
    return row;
  }
  row.metrics = compute_metrics(tracks.label_matrix(), tracks.score_matrix(), row.cell.task == "multiclass");
  return row;
}

RunStore::Scores RunStore::restricted_scores(const Row& row) const {
  return unseen_artists_->restricted(row, stored_scores(*stored_row(row.cell.key())));
}

Json RunStore::restricted_run_json(Json json) const {
  Json& notes = json["notes"];
  if (!notes.is_array()) notes = Json::array();
  notes.insert(notes.begin(), unseen_artists_->note());
  return json;
}

}  // namespace tagbench
