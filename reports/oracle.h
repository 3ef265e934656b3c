#pragma once

#include <string>
#include <vector>

#include "reports/report.h"
#include "reports/table_text.h"
#include "reports/tag_selection.h"

// A condition "oracle_X" changes the music itself, in the score; "X" processes the sound to the same end. What a system
// loses under the first it loses to the music; what it loses beyond that under the second, to the traces of processing.
namespace tagbench {

struct OracleInput {
  std::string label;              // of the table's line
  std::vector<const Row*> cells;  // of one architecture: folds, seeds, conditions
};

// One list per metric: per architecture, change and engine, in the order of the cells. Losses are means over folds and
// seeds of clean minus condition, on the tracks that all three cells hold; their intervals come from one bootstrap over
// tracks, paired over the three. Metrics that are better when smaller are not supported. No lines where a run has no
// oracle condition or nothing processed to set beside it; a note tells why there are no intervals.
std::vector<std::vector<OracleLine>> oracle_lines(const RunStore& run, const std::vector<OracleInput>& systems,
                                                  const std::vector<std::string>& metrics,
                                                  const TagSelection& selection, const ReportOptions& options,
                                                  std::vector<std::string>& notes);

// The lines of a table as other tables show them; the first three columns are words.
constexpr size_t kOracleWords = 3;
TextTable oracle_text(const ResultTable& table);

}  // namespace tagbench
