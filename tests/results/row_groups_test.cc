#include "results/row_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/results/synthetic_run.h"

namespace tagbench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Row row_with(const std::function<void(Row&)>& change) {
  Row row = testing::synthetic_scores({}).row;
  change(row);
  return row;
}

// One change each of everything that decides a number, but for the seed.
std::vector<std::function<void(Row&)>> changes() {
  return {[](Row& r) { r.model_label = "other"; },
          [](Row& r) { r.cell.model = "other"; },
          [](Row& r) { r.cell.model_options = "n_channels=8"; },
          [](Row& r) { r.cell.weights_sha256 = "other"; },
          [](Row& r) { r.cell.dataset = "other"; },
          [](Row& r) { r.cell.task = "multiclass"; },
          [](Row& r) { r.cell.split = "other"; },
          [](Row& r) { r.cell.split_sha256 = "other"; },
          [](Row& r) { r.cell.protocol = "other"; },
          [](Row& r) { r.cell.protocol_sha256 = "other"; },
          [](Row& r) { r.cell.condition_key = "other"; },
          [](Row& r) { r.cell.perturbation_seed = 5; },
          [](Row& r) { r.cell.audio = "other"; },
          [](Row& r) { r.cell.precision = "bf16"; },
          [](Row& r) { r.cell.conformance = 0; },
          [](Row& r) { r.tags[0] = "other"; }};
}

TEST(RowGroupsTest, OnlySeedsShareAGroup) {
  std::vector<Row> rows = {row_with([](Row&) {}), row_with([](Row& r) { r.cell.seed = 2; })};
  for (const auto& change : changes()) rows.push_back(row_with(change));
  const std::vector<SeedGroup> groups = seed_groups(rows);
  ASSERT_EQ(groups.size(), 1 + changes().size());
  EXPECT_EQ(groups[0].rows.size(), 2U);
}

TEST(RowGroupsTest, FoldsOfOneAssignmentStandTogetherOtherSplitsAlone) {
  const auto fold = [](const char* split, const char* sha256) {
    return row_with([&](Row& r) {
      r.cell.split = split;
      r.cell.split_sha256 = sha256;
    });
  };
  EXPECT_EQ(group_rows({fold("fold1", "a"), fold("fold2", "b")}).size(), 1U);
  EXPECT_EQ(group_rows({fold("default", "a"), fold("other", "b")}).size(), 2U);
  const std::vector<Row> ambiguous = {fold("fold1", "a"), fold("fold2", "b"), fold("fold1", "c")};
  const std::vector<RowGroup> groups = group_rows(ambiguous);
  ASSERT_EQ(groups.size(), 3U);
  EXPECT_THAT(groups[0].differs, ElementsAre("split fold1 (a)"));
}

TEST(RowGroupsTest, CounterpartsAreEqualOrTheOnlyOnesOfTheirName) {
  const Row first = row_with([](Row& r) { r.cell.weights_sha256 = "1"; });
  const Row second = row_with([](Row& r) { r.cell.weights_sha256 = "2"; });
  const Row third = row_with([](Row& r) { r.cell.weights_sha256 = "3"; });
  const auto matched = [](const std::vector<Row>& a, const std::vector<Row>& b) {
    const std::vector<SeedGroup> of_a = seed_groups(a);
    const std::vector<SeedGroup> of_b = seed_groups(b);
    std::vector<std::string> texts;
    for (const CellMatch& match : match_cells(of_a, of_b)) {
      texts.push_back((match.a != nullptr ? match.a->any().cell.weights_sha256 : "-") + "|" +
                      (match.b != nullptr ? match.b->any().cell.weights_sha256 : "-") + "|" +
                      differences_text(match.differs, "in A", "in B") + match.ambiguous);
    }
    return texts;
  };
  EXPECT_THAT(matched({first, second}, {second, first}), ElementsAre("1|1|", "2|2|"));
  EXPECT_THAT(matched({first}, {second}), ElementsAre("1|2|weights: 1 in A, 2 in B"));
  EXPECT_THAT(matched({first, second}, {first}), ElementsAre("1|1|", "2|-|"));
  EXPECT_THAT(matched({first, second}, {first, third}),
              ElementsAre("1|1|", "2|-|weights 2 and not 3", "-|3|weights 3 and not 2"));
  EXPECT_THAT(matched({first, second}, {third}),
              ElementsAre("1|-|weights 1 and not 3", "2|-|weights 2 and not 3", "-|3|weights 3 and not 1"));
}

TEST(RowGroupsTest, CellsOfOneNameAreToldApart) {
  const std::vector<Row> rows = {row_with([](Row& r) { r.cell.weights_sha256 = "1"; }), row_with([](Row&) {})};
  const std::vector<SeedGroup> groups = seed_groups(rows);
  EXPECT_EQ(groups[0].model_label(), "short (weights 1)");
  EXPECT_EQ(groups[1].model_label(), "short (weights trained in the run)");
}

}  // namespace
}  // namespace tagbench
