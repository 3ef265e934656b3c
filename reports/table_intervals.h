#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "reports/line_comparisons.h"
#include "reports/line_replicates.h"
#include "reports/report.h"
#include "reports/table_layout.h"
#include "reports/tag_selection.h"

// Intervals, marks and differences of one table, from the stored scores of its cells.
namespace tagbench {

struct GroupReplicates {
  std::vector<std::vector<LineReplicates>> own;     // [metric][line], on all tracks of each cell
  std::vector<std::vector<LineReplicates>> paired;  // on the tracks that all cells of a split have
  TagFindings tags;
  int resamples = 0;
  bool grouped = false;                                        // whole groups were drawn
  bool differ = false;                                         // not all cells of a split hold the same tracks
  int64_t fewest_units = std::numeric_limits<int64_t>::max();  // groups (tracks without one) that a cell is made of
  std::vector<std::string> notes;
};

// Empty where no intervals are wanted, or none can be had; notes say why.
GroupReplicates resample_group(const RunStore& run, const TableLayout& layout, const std::vector<std::string>& metrics,
                               const TagSelection& selection, const ReportOptions& options);

// Of metric number `m` of those that were resampled, which is the table's.
void add_intervals(const TableLayout& layout, const GroupReplicates& samples, size_t m, ResultTable& table);

// What the values are means of, what the intervals are, and what they do not say.
void note_intervals(const TableLayout& layout, const GroupReplicates& samples, ResultTable& table);

}  // namespace tagbench
