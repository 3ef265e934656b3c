#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "reports/report.h"
#include "results/row_groups.h"
#include "results/run_store.h"

// Where the rows of one table stand in it, and the values that follow from them alone.
namespace tagbench {

// A line of the table in the making: cells by condition, then by (split, seed, perturbation seed).
using Repeat = std::tuple<std::string, int64_t, int64_t>;
struct LineCells {
  std::string label;
  std::vector<std::map<Repeat, const Row*>> by_condition;
  std::vector<const Row*> all;
};

// The rows of one table by their places in it.
struct TableLayout {
  std::vector<std::string> condition_labels;
  std::vector<std::string> condition_keys;
  std::vector<LineCells> lines;
  std::vector<std::pair<std::string, std::string>> splits;
  std::vector<int64_t> seeds;
};

TableLayout lay_out(const RunStore& run, const RowGroup& group);

// The column of the clean condition.
std::optional<size_t> clean_place(const TableLayout& layout);

// Values by (split, seed); of one training there may be several, under several seeds of the perturbation.
using RepeatValues = std::map<std::pair<std::string, int64_t>, std::vector<double>>;

// Of a line's cells under one condition. `reason`, if given, becomes why a value is absent.
RepeatValues condition_values(const std::map<Repeat, const Row*>& cells, const std::string& metric,
                              std::string* reason = nullptr);

// Means over folds, one per seed that has them all: means over different folds differ by their folds.
std::vector<double> whole_seed_means(const RepeatValues& values);

// The value of a line under one condition.
TableValue condition_value(const std::map<Repeat, const Row*>& cells, const std::string& metric);

// Of every repeat that has every condition: drops over another set of conditions than the neighbours' would not
// compare.
struct MeanDrops {
  RepeatValues values;
  std::string missing;  // a condition that some repeat lacks
};
MeanDrops mean_drops(const LineCells& line, const TableLayout& layout, size_t clean, const std::string& metric);

// Per repeat first, so that the deviation is that of the drop itself.
TableValue mean_drop_value(const LineCells& line, const TableLayout& layout, const std::string& metric);

}  // namespace tagbench
