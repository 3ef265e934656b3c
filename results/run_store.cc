#include "results/run_store.h"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <system_error>
#include <tuple>
#include <utility>

#include "harness/core/csv.h"
#include "harness/core/errors.h"
#include "harness/core/hash.h"
#include "harness/core/npy.h"
#include "harness/core/parallel.h"
#include "harness/core/text.h"
#include "results/json_fields.h"

namespace tagbench {
namespace {

namespace fs = std::filesystem;

constexpr int kBenchSchemaVersion = 1;
constexpr const char* kBenchRemedy = "delete the file and measure again";
constexpr const char* kCellRemedy = "delete the cell's folder and run again";
// The fixed columns of tracks.csv before the tags.
constexpr size_t kTrackColumns = 2;

// The place of a label in a list of run.json; what is not listed comes after all that is.
class Ranking {
 public:
  Ranking(const Json& run, const std::string& field) {
    if (!run.is_object() || !run.contains(field) || !run[field].is_array()) return;
    for (const Json& entry : run[field]) {
      const std::string label = entry.is_string() ? entry.get<std::string>() : entry.dump();
      places_.emplace(label, places_.size());
    }
  }
  size_t operator()(const std::string& label) const {
    const auto found = places_.find(label);
    return found == places_.end() ? places_.size() : found->second;
  }

 private:
  std::map<std::string, size_t> places_;
};

std::string tracks_csv(const Row& row, const std::vector<std::string>& track_ids,
                       const std::vector<std::string>& groups, const std::vector<uint8_t>& labels) {
  std::vector<std::string> fields = {"id", "group"};
  fields.insert(fields.end(), row.tags.begin(), row.tags.end());
  std::string text = csv_line(fields) + "\n";
  const size_t n_tags = row.tags.size();
  for (size_t track = 0; track < track_ids.size(); ++track) {
    text += csv_line({track_ids[track], groups.empty() ? "" : groups[track]});
    for (size_t tag = 0; tag < n_tags; ++tag) {
      const uint8_t label = labels[track * n_tags + tag];
      text += label == kMissingLabel ? ",?" : label == 1 ? ",1" : ",0";
    }
    text += '\n';
  }
  return text;
}

std::string file_slug(const std::string& text) {
  std::string slug;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    slug += plain ? c : '_';
  }
  constexpr size_t kLongest = 40;
  return slug.substr(0, kLongest);
}

}  // namespace

Json ThroughputRow::to_json() const {
  return Json{{"model_label", model_label},
              {"part", part},
              {"precision", precision},
              {"device", device},
              {"threads", threads},
              {"batch", batch},
              {"repetitions", repetitions},
              {"p50_ms", json_number(p50_ms)},
              {"p90_ms", json_number(p90_ms)},
              {"p99_ms", json_number(p99_ms)},
              {"clips_per_s", json_number(clips_per_s)},
              {"clips_per_s_spread", json_number(clips_per_s_spread)},
              {"audio_s_per_s", json_number(audio_s_per_s)},
              {"peak_memory_mib", json_number(peak_memory_mib)},
              {"parameters", parameters},
              {"multiply_adds", multiply_adds},
              {"load_average", json_number(load_average)},
              {"valid", valid},
              {"invalid_reason", invalid_reason}};
}

ThroughputRow ThroughputRow::from_json(const Json& json, const std::string& source) {
  const JsonFields fields(json, source, "", kBenchRemedy);
  ThroughputRow row;
  row.model_label = fields.text("model_label");
  row.part = fields.text("part");
  row.precision = fields.text("precision");
  row.device = fields.text("device");
  row.threads = static_cast<int>(std::min<int64_t>(fields.count("threads"), INT32_MAX));
  row.batch = fields.count("batch");
  row.repetitions = static_cast<int>(std::min<int64_t>(fields.count("repetitions"), INT32_MAX));
  row.p50_ms = fields.optional_real("p50_ms");
  row.p90_ms = fields.optional_real("p90_ms");
  row.p99_ms = fields.optional_real("p99_ms");
  row.clips_per_s = fields.optional_real("clips_per_s");
  row.clips_per_s_spread = fields.optional_real("clips_per_s_spread");
  row.audio_s_per_s = fields.optional_real("audio_s_per_s");
  row.peak_memory_mib = fields.optional_real("peak_memory_mib");
  row.parameters = fields.count("parameters");
  row.multiply_adds = fields.count("multiply_adds");
  row.load_average = fields.optional_real("load_average").value_or(0.0);
  row.valid = fields.flag("valid");
  row.invalid_reason = fields.text("invalid_reason");
  return row;
}

RunStore RunStore::create(const fs::path& directory) {
  require_writable_directory(directory);
  require_writable_directory(directory / "cells");
  require_writable_directory(directory / "bench");
  return RunStore(directory);
}

RunStore RunStore::open(const fs::path& directory) {
  std::error_code error;
  if (!fs::is_directory(directory, error))
    throw DataError(directory.string() + ": a run's folder was expected, " +
                    (fs::exists(directory, error) ? "found a file" : "there is no such folder"));
  if (!fs::exists(directory / "run.json", error) && !fs::is_directory(directory / "cells", error)) {
    throw DataError(directory.string() +
                    ": a run's folder was expected (with run.json or cells/), found neither; give the folder that " +
                    "`tagbench run -o` was given");
  }
  return RunStore(directory);
}

bool RunStore::is_finished(const std::string& key) const {
  std::error_code error;
  return fs::exists(cell_directory(key) / "row.json", error);
}

std::optional<FileLock> RunStore::claim(const std::string& key) const {
  return FileLock::try_acquire(cell_directory(key) / kClaim);
}

void RunStore::finish_cell(const Row& row, const std::vector<std::string>& track_ids,
                           const std::vector<std::string>& groups, const std::vector<uint8_t>& labels,
                           const std::vector<float>& scores) const {
  const size_t n_tracks = track_ids.size();
  const size_t n_tags = row.tags.size();
  if (labels.size() != n_tracks * n_tags || scores.size() != n_tracks * n_tags ||
      (!groups.empty() && groups.size() != n_tracks)) {
    throw std::logic_error("RunStore::finish_cell: " + std::to_string(n_tracks) + " tracks x " +
                           std::to_string(n_tags) + " tags, but " + std::to_string(labels.size()) + " labels, " +
                           std::to_string(scores.size()) + " scores, " + std::to_string(groups.size()) + " groups");
  }
  if (row.status == "done" && row.n_tracks != static_cast<int64_t>(n_tracks)) {
    throw std::logic_error("RunStore::finish_cell: the row counts " + std::to_string(row.n_tracks) + " tracks, " +
                           std::to_string(n_tracks) + " were given");
  }
  for (const uint8_t label : labels) {
    if (label > 1 && label != kMissingLabel)
      throw std::logic_error("RunStore::finish_cell: a label is none of 0, 1, unknown");
  }
  const fs::path directory = cell_directory(row.cell.key());
  if (n_tracks > 0) {
    write_npy(directory / "scores.npy", {static_cast<int64_t>(n_tracks), static_cast<int64_t>(n_tags)}, scores.data());
    write_file_atomically(directory / "tracks.csv", tracks_csv(row, track_ids, groups, labels));
  }
  write_json(directory / "timing.json", {{"seconds", json_number(row.seconds)}});
  write_json(directory / "row.json", row.to_json());
}

std::optional<Row> RunStore::row(const std::string& key) const {
  std::optional<Row> row = stored_row(key);
  if (row && unseen_artists_) row = restricted_row(std::move(*row));
  return row;
}

std::optional<Row> RunStore::stored_row(const std::string& key) const {
  if (!is_finished(key)) return std::nullopt;
  const fs::path path = cell_directory(key) / "row.json";
  Json json;
  try {
    json = read_json(path);
  } catch (const DataError&) {
    // A process that tries a failed cell again removes its row.
    if (!is_finished(key)) return std::nullopt;
    throw;
  }
  Row row = Row::from_json(json, path.string());
  if (row.cell.key() != key) {
    throw DataError(path.string() + ": the row of cell " + key + " was expected, found that of cell " + row.cell.key() +
                    " (a renamed folder?); " + kCellRemedy);
  }
  const fs::path timing = cell_directory(key) / "timing.json";
  if (fs::exists(timing))
    row.seconds = JsonFields(read_json(timing), timing.string(), "", kCellRemedy).optional_real("seconds");
  return row;
}

void RunStore::forget_cell(const std::string& key, const std::vector<std::string>& kept) const {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator it(cell_directory(key), error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name != kClaim && std::find(kept.begin(), kept.end(), name) == kept.end()) paths.push_back(it->path());
  }
  for (const fs::path& path : paths) {
    fs::remove_all(path, error);
    if (error) throw DataError("cannot remove " + path.string() + ": " + error.message());
  }
}

std::vector<Row> RunStore::rows() const {
  std::vector<std::string> keys;
  std::error_code error;
  for (fs::directory_iterator it(directory_ / "cells", error), end; !error && it != end; it.increment(error)) {
    const std::string key = it->path().filename().string();
    if (is_finished(key)) keys.push_back(key);
  }
  if (error && fs::exists(directory_ / "cells"))
    throw DataError("cannot list " + (directory_ / "cells").string() + ": " + error.message());
  // So that the first of several damaged rows is always the one complained about, and equal rows keep one order.
  std::sort(keys.begin(), keys.end());
  std::vector<std::optional<Row>> found(keys.size());
  parallel_for(static_cast<int64_t>(keys.size()), available_processors(), [&](int64_t i) {
    const auto index = static_cast<size_t>(i);
    found[index] = row(keys[index]);
  });
  std::vector<Row> rows;
  rows.reserve(keys.size());
  for (std::optional<Row>& row : found) {
    if (row) rows.push_back(std::move(*row));
  }

  const Json run = has_run_json() ? read_run_json() : Json::object();
  const Ranking models(run, "models");
  const Ranking seeds(run, "seeds");
  const Ranking splits(run, "splits");
  const Ranking conditions(run, "conditions");
  const auto sort_key = [&](const Row& row) {
    return std::make_tuple(models(row.model_label), row.model_label, row.cell.model_options, row.cell.weights_sha256,
                           seeds(std::to_string(row.cell.seed)), row.cell.seed, splits(row.cell.split), row.cell.split,
                           conditions(row.cell.condition), row.cell.condition != "clean", row.cell.condition);
  };
  std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) { return sort_key(a) < sort_key(b); });
  return rows;
}

void RunStore::forget_throughput(const std::set<std::string>& model_labels) const {
  std::error_code error;
  for (const fs::path& path : throughput_files()) {
    const Json json = read_json(path);
    const auto of_label = [&](const Json& row) {
      return row.is_object() && model_labels.count(row.value("model_label", "")) > 0;
    };
    const Json rows = json.is_object() ? json.value("rows", Json::array()) : Json::array();
    if (std::any_of(rows.begin(), rows.end(), of_label)) fs::remove(path, error);
  }
}

std::vector<fs::path> RunStore::throughput_files() const {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator it(directory_ / "bench", error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (ends_with(name, ".json") && !starts_with(name, ".")) paths.push_back(it->path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::vector<ThroughputRow> RunStore::throughput() const {
  std::vector<ThroughputRow> rows;
  for (const fs::path& path : throughput_files()) {
    const Json json = read_json(path);
    const JsonFields fields(json, path.string(), "", kBenchRemedy);
    const int64_t version = fields.integer("schema_version");
    if (version != kBenchSchemaVersion) {
      throw DataError(path.string() + ": measurements of schema version " + std::to_string(kBenchSchemaVersion) +
                      " are read here, found version " + std::to_string(version) + "; " + kBenchRemedy);
    }
    for (const Json& row : fields.array("rows")) rows.push_back(ThroughputRow::from_json(row, path.string()));
  }
  const Ranking models(has_run_json() ? read_run_json() : Json::object(), "models");
  const auto sort_key = [&](const ThroughputRow& row) {
    return std::make_tuple(models(row.model_label), row.model_label, row.part, row.precision, row.device, row.threads,
                           row.batch);
  };
  std::stable_sort(rows.begin(), rows.end(), [&](const auto& a, const auto& b) { return sort_key(a) < sort_key(b); });
  return rows;
}

void RunStore::write_throughput(const std::vector<ThroughputRow>& rows) const {
  std::map<std::string, Json> files;
  for (const ThroughputRow& row : rows) {
    const std::string settings = row.precision + "-" + row.device + "-" + std::to_string(row.threads);
    // The hash keeps apart labels that differ only in characters a file name cannot hold.
    const std::string name = file_slug(row.model_label) + "-" + file_slug(settings) + "-" +
                             sha256_hex(row.model_label + "\n" + settings).substr(0, 8) + ".json";
    Json& file = files[name];
    if (file.is_null()) file = {{"schema_version", kBenchSchemaVersion}, {"rows", Json::array()}};
    file["rows"].push_back(row.to_json());
  }
  for (const auto& [name, json] : files) write_json(directory_ / "bench" / name, json);
}

RunStore::Scores RunStore::scores(const Row& row) const {
  return unseen_artists_ ? restricted_scores(row) : stored_scores(row);
}

RunStore::Scores RunStore::stored_scores(const Row& row) const {
  const fs::path directory = cell_directory(row.cell.key());
  if (row.status != "done")
    throw DataError(directory.string() + ": the cell failed (" + row.message + "), so it has no scores");
  const auto misfit = [](const fs::path& path, const std::string& expected, const std::string& found) {
    return DataError(path.string() + ": " + expected + " as in row.json expected, found " + found + "; " + kCellRemedy);
  };
  Scores scores;
  scores.n_tracks = row.n_tracks;
  scores.n_tags = static_cast<int64_t>(row.tags.size());
  if (scores.n_tracks == 0) return scores;

  const fs::path npy_path = directory / "scores.npy";
  const NpyArray array = read_npy(npy_path);
  const std::vector<int64_t> shape = {scores.n_tracks, scores.n_tags};
  if (array.shape != shape) throw misfit(npy_path, "shape " + shape_text(shape), shape_text(array.shape));
  if (array.descr != "<f4") throw misfit(npy_path, "type <f4", array.descr);
  scores.scores = array.as_float();

  const fs::path csv_path = directory / "tracks.csv";
  std::vector<std::string> header = {"id", "group"};
  header.insert(header.end(), row.tags.begin(), row.tags.end());
  bool is_header = true;
  const auto n_tracks = static_cast<size_t>(scores.n_tracks);
  scores.track_ids.reserve(n_tracks);
  scores.groups.reserve(n_tracks);
  scores.labels.reserve(n_tracks * row.tags.size());
  read_csv(csv_path, {}, [&](const CsvRow& line) {
    const std::string where = csv_path.string() + ", line " + std::to_string(line.line);
    if (is_header) {
      if (line.fields != header)
        throw misfit(csv_path, "the columns id, group and the tags", join_text(line.fields, ", "));
      is_header = false;
      return;
    }
    if (line.fields.size() != header.size()) {
      throw misfit(where, std::to_string(header.size()) + " fields", std::to_string(line.fields.size()));
    }
    if (scores.track_ids.size() == n_tracks) throw misfit(where, std::to_string(n_tracks) + " tracks", "more");
    scores.track_ids.push_back(line.fields[0]);
    scores.groups.push_back(line.fields[1]);
    for (size_t i = kTrackColumns; i < line.fields.size(); ++i) {
      const std::string& field = line.fields[i];
      if (field != "0" && field != "1" && field != "?")
        throw DataError(where + ": a label is 0, 1 or ?, found '" + field + "'; " + kCellRemedy);
      scores.labels.push_back(field == "?" ? kMissingLabel : static_cast<uint8_t>(field == "1" ? 1 : 0));
    }
  });
  if (scores.track_ids.size() != n_tracks) {
    throw misfit(csv_path, std::to_string(n_tracks) + " tracks", std::to_string(scores.track_ids.size()));
  }
  return scores;
}

bool RunStore::has_run_json() const {
  std::error_code error;
  return fs::exists(directory_ / "run.json", error);
}

Json RunStore::read_run_json() const {
  const fs::path path = directory_ / "run.json";
  Json json = read_json(path);
  if (!json.is_object())
    throw DataError(path.string() + ": an object was expected; run the experiment again on this folder");
  const auto version = json.find("schema_version");
  if (version != json.end() && *version != kRunSchemaVersion) {
    const bool newer = version->is_number() && *version > kRunSchemaVersion;
    throw DataError(
        path.string() + ": runs of schema version " + std::to_string(kRunSchemaVersion) +
        " are read here, found version " + version->dump(-1, ' ', false, Json::error_handler_t::replace) +
        (newer ? "; use the newer tagbench that wrote it" : "; run the experiment again with this tagbench"));
  }
  return unseen_artists_ ? restricted_run_json(std::move(json)) : json;
}

void RunStore::write_run_json(const Json& value) const {
  write_json(directory_ / "run.json", value);
}

}  // namespace tagbench
