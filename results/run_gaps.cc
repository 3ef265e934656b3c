#include "results/run_gaps.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <tuple>

#include "harness/core/text.h"
#include "results/grouped_notes.h"
#include "results/row_groups.h"

namespace tagbench {
namespace {

// What a list of run.json holds; where there is none, what the rows have.
std::vector<std::string> listed(const Json& run, const char* field, const std::set<std::string>& in_rows) {
  const auto found = run.find(field);
  if (found == run.end() || !found->is_array()) return {in_rows.begin(), in_rows.end()};
  std::vector<std::string> texts;
  for (const Json& entry : *found) texts.push_back(entry.is_string() ? entry.get<std::string>() : entry.dump());
  return texts;
}

std::vector<std::string> begun_cells(const RunStore& run) {
  std::vector<std::string> keys;
  std::error_code error;
  for (std::filesystem::directory_iterator it(run.directory() / "cells", error), end; !error && it != end;
       it.increment(error)) {
    const std::string key = it->path().filename().string();
    if (it->is_directory(error) && !run.is_finished(key)) keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

struct SystemRows {
  bool given = false;                                                   // its weights
  std::set<std::tuple<std::string, std::string, std::string>> present;  // split, seed ("" of given weights), condition
};

std::vector<std::string> missing_rows(const Json& run, const std::vector<Row>& rows, const std::string& condition) {
  std::set<std::string> labels, splits, seeds, conditions;
  std::map<std::string, std::map<RowSettings, SystemRows>> by_label;
  for (const Row& row : rows) {
    SystemRows& system = by_label[row.model_label][system_of(row)];
    system.given = !row.cell.weights_sha256.empty();
    const std::string seed = system.given ? "" : std::to_string(row.cell.seed);
    labels.insert(row.model_label);
    splits.insert(row.cell.split);
    if (!system.given) seeds.insert(seed);
    conditions.insert(row.cell.condition);
    system.present.emplace(row.cell.split, seed, row.cell.condition);
  }
  const std::vector<std::string> all_splits = listed(run, "splits", splits);
  const std::vector<std::string> all_seeds = listed(run, "seeds", seeds);
  std::vector<std::string> all_conditions = listed(run, "conditions", conditions);
  all_conditions.erase(std::remove_if(all_conditions.begin(), all_conditions.end(),
                                      [&](const std::string& each) { return !condition.empty() && each != condition; }),
                       all_conditions.end());
  GroupedNotes notes;
  for (const std::string& label : listed(run, "models", labels)) {
    const auto of_label = by_label.find(label);
    if (of_label == by_label.end()) {
      notes.add("run.json lists architectures without any row", label);
      continue;
    }
    for (const auto& [settings, system] : of_label->second) {
      for (const std::string& split : all_splits) {
        for (const std::string& seed : system.given ? std::vector<std::string>{""} : all_seeds) {
          for (const std::string& each : all_conditions) {
            if (system.present.count({split, seed, each}) > 0) continue;
            notes.add("By the lists of run.json rows are missing",
                      label + ", split " + split + (seed.empty() ? "" : ", seed " + seed) + ", " + each);
          }
        }
      }
    }
  }
  return notes.texts();
}

}  // namespace

RunGaps run_gaps(const RunStore& run, const std::vector<Row>& rows, const std::string& condition) {
  constexpr const char* kRemedy = "; the command that started the run goes on with it";
  RunGaps gaps;
  if (run.has_run_json()) {
    const Json json = run.read_run_json();
    const auto found = json.find("status");
    const std::string status = found != json.end() && found->is_string() ? found->get<std::string>() : "not given";
    if (status != "finished" && !starts_with(status, "done"))
      gaps.unfinished.push_back("The run is not finished (status in run.json: " + status + ")" + kRemedy + ".");
    gaps.missing = missing_rows(json, rows, condition);
  } else {
    gaps.unfinished.push_back((run.directory() / "run.json").string() +
                              " is missing: the folder is incomplete, and what else it lacks cannot be told.");
  }
  if (const std::vector<std::string> begun = begun_cells(run); !begun.empty()) {
    gaps.unfinished.push_back("Cells begun without a row.json: " + std::to_string(begun.size()) + ", the first is " +
                              run.cell_directory(begun.front()).string() + kRemedy +
                              "; delete the folders of cells that are no longer wanted.");
  }
  return gaps;
}

}  // namespace tagbench
