#pragma once

#include <string>
#include <utility>
#include <vector>

#include "results/row.h"

// Which rows may be averaged and which compared: one rule for tables, checks and comparisons.
namespace tagbench {

// Names and values of settings, in one order for all rows; hashes by their first 12 digits.
using RowSettings = std::vector<std::pair<std::string, std::string>>;

// What a number stands under whatever the system is, data set aside: task, protocol, split, precision, audio,
// conformance, tags. `split` is the text for the split, which names several where folds are averaged.
RowSettings measured_under(const Row& row, const std::string& split);

// The system: its name in tables, the architecture with all its options, and the weights if they were given. Weights
// that the run trained are no part of it: training again, under the protocol that the row names beside this, repeats
// the same system, while another file of given weights is another system, whatever it is called.
RowSettings system_of(const Row& row);

// Rows that may stand in one table, and be averaged over folds: one data set, protocol and setting, and splits that are
// folds of one assignment (other splits stand alone).
struct RowGroup {
  std::vector<const Row*> rows;
  std::vector<std::string> differs;  // from other groups of the same data set and protocol: "precision fp32"
};
// In the order of the rows, which must outlive them.
std::vector<RowGroup> group_rows(const std::vector<Row>& rows);

// Cells that differ in the seed of training alone: the only ones that are seeds of each other.
struct SeedGroup {
  RowSettings identity;  // everything but the seed
  std::vector<const Row*> rows;
  std::string apart;  // what tells it from others that are called the same: "weights 1f2e...", else ""

  const Row& any() const { return *rows.front(); }
  std::string model_label() const { return any().model_label + (apart.empty() ? "" : " (" + apart + ")"); }
};
// In the order of the rows, which must outlive them.
std::vector<SeedGroup> seed_groups(const std::vector<Row>& rows);

struct RowDifference {
  std::string name;
  std::string a, b;
};

// A cell of A and its counterpart in B.
struct CellMatch {
  const SeedGroup* a = nullptr;
  const SeedGroup* b = nullptr;  // one of the two may be missing
  std::vector<RowDifference> differs;
  // Where one is missing although the other side has cells of this name left: what differs from the first of them.
  std::string ambiguous;
};

// Equal cells first. Of what is left, two cells that are called the same (data set, architecture's label, split,
// condition) are counterparts only if neither side has another of that name: a run retrained, evaluated with newer
// weights or under a changed protocol is so found, with what differs, and none of several is picked by chance.
std::vector<CellMatch> match_cells(const std::vector<SeedGroup>& a, const std::vector<SeedGroup>& b);

// "weights: 1f2e here, 3d4c in the baseline; ..."
std::string differences_text(const std::vector<RowDifference>& differs, const std::string& in_a,
                             const std::string& in_b);

}  // namespace tagbench
