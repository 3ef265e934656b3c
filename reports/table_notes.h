#pragma once

#include <string>
#include <vector>

#include "reports/report.h"
#include "reports/table_layout.h"
#include "reports/tag_selection.h"

namespace tagbench {

// Everything that the rows of a table left out, or that is not like elsewhere, counted and named: missing and failed
// cells, left-out and short tracks, undefined tags.
void note_omissions(const RowGroup& group, const TableLayout& layout, const TagSelection& selection,
                    ResultTable& table);

// What the run lacks, and what it noted itself.
std::vector<std::string> notes_of_run(const RunStore& run, const std::vector<Row>& rows);

}  // namespace tagbench
