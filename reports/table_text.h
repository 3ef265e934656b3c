#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reports/report.h"
#include "results/text_table.h"

// Words and numbers of the tables that several formats share.
namespace tagbench {

// "ROC-AUC (macro), synth, split default, protocol won2020".
std::string table_title(const ResultTable& table);
// Short heads of the conditions: "drc speech" for "drc:preset=speech"; the labels themselves where two would be alike.
std::vector<std::string> condition_heads(const std::vector<std::string>& conditions);
// "1 tag", "2 tags"
std::string counted(size_t n, const std::string& noun);
// "a, b and 3 more"
std::string first_names(const std::vector<std::string>& names, size_t most);
// "3,631,551"
std::string grouped_digits(int64_t value);
// Three significant digits, no more decimals than that: "1830", "43.1", "0.52".
std::string rate_text(double value);
// "0.9127", "0.9127 ± 0.0012" with a deviation, "-" without a value. `plus_minus` is written between the two.
std::string value_text(const TableValue& value, const std::string& plus_minus);
// The table's lines and comparisons as other tables show them: heads, then rows of plain text.
struct TextTable {
  std::string title;
  std::vector<std::vector<std::string>> rows;  // heads first; empty: nothing to show
  std::vector<std::string> notes;
};
// Mean drop, relative robustness, corruption errors, the largest drop, ranks, and areas under severity, with intervals.
TextTable robustness_text(const ResultTable& table);
// Differences between architectures under one condition (the first compared), surest and largest first, at most
// `most_rows`; with how many tags differ surely. Of a condition's name, or "mean drop".
TextTable comparisons_text(const ResultTable& table, const std::string& condition, size_t most_rows);
// "0.032", "<0.001", "-".
std::string p_text(const std::optional<double>& value);
// "[0.9051, 0.9210]", empty without an interval.
std::string interval_text(const TableValue& value);

}  // namespace tagbench
