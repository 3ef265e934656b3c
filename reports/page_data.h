#pragma once

#include <string>
#include <vector>

#include "harness/core/json.h"
#include "reports/report.h"

namespace tagbench {

// What the page's figures are drawn from:
// {"tables": [table_to_json plus "group", with "comparisons": [[a, b, condition, difference, low, high, p, p adjusted,
//  seed error, reason]] and "tag_comparisons": [[a, b, tag, difference, low, high, p, p adjusted]]], "metricTitles",
//  "groups": [{"tags", "support", "known", "splits", "tagValues": {metric: [line][condition][tag]}, "curves":
//  [line][tag] -> {"roc": [x, y], "pr": [x, y]} in thousandths, "curveCondition", "training": [{"label", "split",
//  "seed", "epoch": [..], "train_loss": [..], ...}]}]}
// A group is what the tables of one data set, split and protocol share. Values of tags are means over seeds and folds,
// to four decimals. Curves are those of the clean condition (or the first), the first seed and the first fold.
Json page_data(const RunStore& run, const std::vector<ResultTable>& tables, std::vector<std::string>& notes);

}  // namespace tagbench
