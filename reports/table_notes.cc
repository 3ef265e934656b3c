#include "reports/table_notes.h"

#include <algorithm>
#include <map>
#include <set>

#include "harness/core/text.h"
#include "reports/table_text.h"
#include "results/run_gaps.h"

namespace tagbench {
namespace {

constexpr size_t kMostNamed = 5;    // left-out tracks and undefined tags named in a note; the others are counted
constexpr size_t kMostFailed = 20;  // failed cells named

void note_undefined_tags(const RowGroup& group, const TagSelection& selection, std::vector<std::string>& notes) {
  std::map<std::string, size_t> cells_of_tag;
  size_t n_cells = 0;
  size_t n_tags = 0;
  for (const Row* row : group.rows) {
    if (!row->metrics) continue;
    ++n_cells;
    const auto selected =
        std::count_if(row->tags.begin(), row->tags.end(), [&](const std::string& tag) { return selection.holds(tag); });
    n_tags = std::max(n_tags, static_cast<size_t>(selected));
    for (const int64_t tag : row->metrics->undefined_tags) ++cells_of_tag[row->tags[static_cast<size_t>(tag)]];
  }
  if (cells_of_tag.empty()) return;
  std::vector<std::string> names;
  for (const auto& [tag, n] : cells_of_tag)
    names.push_back(n == n_cells ? tag
                                 : tag + " (in " + std::to_string(n) + " of " + std::to_string(n_cells) + " cells)");
  notes.push_back("Undefined tags (labels of one class only), left out of the means: " + std::to_string(names.size()) +
                  " of " + std::to_string(n_tags) + ": " + first_names(names, kMostNamed * 2) + ".");
}

void note_short_tracks(const TableLayout& layout, std::vector<std::string>& notes) {
  for (const LineCells& line : layout.lines) {
    int64_t most = 0;
    int64_t of = 0;
    for (const Row* row : line.all) {
      if (row->n_short_tracks <= most) continue;
      most = row->n_short_tracks;
      of = row->n_tracks;
    }
    if (most > 0) {
      notes.push_back("Tracks shorter than a chunk, filled up as the protocol says: " + line.label + ": up to " +
                      std::to_string(most) + " of " + std::to_string(of) + " in a cell.");
    }
  }
}

void note_left_out_tracks(const RowGroup& group, std::vector<std::string>& notes) {
  std::map<std::string, std::pair<size_t, std::string>> failures;  // id: number of cells, first message
  size_t n_cells = 0;
  for (const Row* row : group.rows) {
    if (row->status == "done") ++n_cells;
    std::set<std::string> ids;
    for (const TrackFailure& failure : row->failures) {
      if (!ids.insert(failure.id).second) continue;
      auto& entry = failures[failure.id];
      if (entry.first++ == 0) entry.second = failure.message;
    }
  }
  if (failures.empty()) return;
  std::vector<std::string> names;
  for (const auto& [id, entry] : failures) {
    names.push_back(id + " (" + entry.second +
                    (entry.first == n_cells
                         ? ")"
                         : "; in " + std::to_string(entry.first) + " of " + std::to_string(n_cells) + " cells)"));
  }
  notes.push_back("Left out: " + counted(names.size(), "track") + ": " + first_names(names, kMostNamed) + ".");
}

void note_failed_cells(const RowGroup& group, std::vector<std::string>& notes) {
  std::vector<std::pair<std::string, std::vector<const Row*>>>
      failures;  // by what a note says, in the order of the rows
  for (const Row* row : group.rows) {
    if (row->status == "done") continue;
    const std::string what = row->model_label + ", " + row->cell.condition + ": " + row->message;
    const auto found =
        std::find_if(failures.begin(), failures.end(), [&](const auto& failure) { return failure.first == what; });
    if (found == failures.end()) {
      failures.push_back({what, {row}});
    } else {
      found->second.push_back(row);
    }
  }
  for (size_t i = 0; i < std::min(failures.size(), kMostFailed); ++i) {
    const auto& [what, rows] = failures[i];
    std::string where = "split " + rows.front()->cell.split + ", seed " + std::to_string(rows.front()->cell.seed);
    if (rows.size() > 1) where += " and " + counted(rows.size() - 1, "other cell");
    notes.push_back("Failed (" + where + "): " + what);
  }
  if (failures.size() > kMostFailed) {
    size_t n = 0;
    for (size_t i = kMostFailed; i < failures.size(); ++i) n += failures[i].second.size();
    notes.push_back("Failed beside these: " + counted(n, "cell") + ".");
  }
}

// How many rows a line has when every fold has every seed that it has anywhere.
int64_t n_rows_of_whole_line(const LineCells& line, size_t n_splits) {
  std::set<std::pair<int64_t, int64_t>> seeds;
  for (const auto& condition : line.by_condition) {
    for (const auto& [repeat, row] : condition) seeds.emplace(std::get<1>(repeat), std::get<2>(repeat));
  }
  return static_cast<int64_t>(n_splits * seeds.size());
}

void note_unequal_repeats(const ResultTable& table, const TableLayout& layout, std::vector<std::string>& notes) {
  int64_t most = 0;
  for (const LineCells& line : layout.lines) most = std::max(most, n_rows_of_whole_line(line, layout.splits.size()));
  for (const auto& line : table.lines) {
    std::vector<std::string> fewer;
    for (size_t c = 0; c < line.values.size(); ++c) {
      const TableValue& value = line.values[c];
      if (value.n == most) continue;
      fewer.push_back(layout.condition_labels[c] + " " + std::to_string(value.n) + " of " + std::to_string(most) +
                      (value.mean ? "" : " (" + value.reason + ")"));
    }
    if (!fewer.empty())
      notes.push_back("Rows are missing (folds times seeds of the table): " + line.model_label + ": " +
                      first_names(fewer, kMostFailed) + ".");
  }
}

}  // namespace

void note_omissions(const RowGroup& group, const TableLayout& layout, const TagSelection& selection,
                    ResultTable& table) {
  note_unequal_repeats(table, layout, table.notes);
  note_failed_cells(group, table.notes);
  note_left_out_tracks(group, table.notes);
  note_short_tracks(layout, table.notes);
  note_undefined_tags(group, selection, table.notes);
}

std::vector<std::string> notes_of_run(const RunStore& run, const std::vector<Row>& rows) {
  const RunGaps gaps = run_gaps(run, rows);
  std::vector<std::string> notes = gaps.unfinished;
  notes.insert(notes.end(), gaps.missing.begin(), gaps.missing.end());
  if (!run.has_run_json()) return notes;
  const Json json = run.read_run_json();
  const auto given = json.find("notes");
  if (given == json.end() || !given->is_array()) return notes;
  for (const Json& note : *given) {
    if (note.is_string()) notes.push_back(note.get<std::string>());
  }
  return notes;
}

}  // namespace tagbench
