#include "results/row.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/errors.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::tagbench::testing::message_of;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Two tags, the second without positives.
Row example_row() {
  Row row;
  row.cell.dataset = "synth:tracks=4";
  row.cell.task = "multilabel";
  row.cell.split = "default";
  row.cell.split_sha256 = "ab";
  row.cell.model = "short";
  row.cell.protocol = "won2020";
  row.cell.seed = 3;
  row.cell.condition = "drc:preset=speech";
  row.cell.precision = "fp32";
  row.model_label = "short (n_channels=16)";
  row.tags = {"a \"quoted\" tag", "naïve | tag"};
  row.n_tracks = 4;
  row.n_short_tracks = 1;
  row.failures = {{"x.mp3", "not audio"}};
  row.reached["snr_db"] = {4, 10.5, 9.0, 12.0};
  row.parameters = 1234;
  row.software = {{"commit", "abc"}};
  TaggingMetrics metrics;
  metrics.n_tracks = 4;
  metrics.n_tags = 2;
  metrics.per_tag = {{2, 4, {0.75, ""}, {0.1 + 0.2, ""}},
                     {0, 3, {std::nullopt, "no positives"}, {std::nullopt, "no positives"}}};
  metrics.macro = {{0.75, ""}, {0.1 + 0.2, ""}};
  metrics.micro = {{0.7, ""}, {0.6, ""}};
  metrics.weighted = metrics.macro;
  metrics.log_loss = {0.5, ""};
  metrics.accuracy = {std::nullopt, "multilabel task"};
  metrics.undefined_tags = {1};
  row.metrics = metrics;
  return row;
}

TEST(RowTest, JsonRoundTripKeepsEveryBit) {
  const Json json = example_row().to_json();
  const Row read = Row::from_json(Json::parse(json.dump()), "row.json");
  EXPECT_EQ(read.to_json().dump(), json.dump());
  EXPECT_EQ(read.metrics->macro.average_precision.value, 0.1 + 0.2);
  EXPECT_EQ(read.cell.key(), example_row().cell.key());
}

TEST(RowTest, UndefinedIsNullWithReasonAndTagListed) {
  const Json json = example_row().to_json();
  const Json& tag = json["metrics"]["per_tag"][1];
  EXPECT_TRUE(tag["roc_auc"].is_null());
  EXPECT_EQ(tag["reason"], "no positives");
  EXPECT_EQ(tag["n_known"], 3);
  EXPECT_EQ(json["metrics"]["reasons"]["accuracy"], "multilabel task");
  EXPECT_EQ(json["metrics"]["undefined_tags"], Json::array({"naïve | tag"}));
  const Row read = Row::from_json(json, "row.json");
  EXPECT_FALSE(read.metrics->per_tag[1].roc_auc.value.has_value());
  EXPECT_EQ(read.metrics->per_tag[1].roc_auc.reason, "no positives");
}

TEST(RowTest, FailedCellIsARowWithItsMessage) {
  Row row = example_row();
  row.status = "failed";
  row.message = "out of memory";
  row.metrics.reset();
  row.n_tracks = 0;
  const Row read = Row::from_json(row.to_json(), "row.json");
  EXPECT_FALSE(read.metrics.has_value());
  const MetricValue value = metric_of(read, "roc_auc");
  EXPECT_FALSE(value.value.has_value());
  EXPECT_EQ(value.reason, "failed: out of memory");
}

TEST(RowTest, KeyDependsOnEverythingThatDecidesTheNumbers) {
  const CellId cell = example_row().cell;
  EXPECT_EQ(cell.key().size(), 32U);
  std::vector<CellId> others(6, cell);
  others[0].seed = 4;
  others[1].condition_key = "other@2";
  others[2].split_sha256 = "ac";
  others[3].precision = "bf16";
  others[4].conformance += 1;
  others[5].weights_sha256 = "ff";
  for (const CellId& other : others) EXPECT_NE(other.key(), cell.key());
}

TEST(RowTest, OtherSchemaVersionsAreRefusedWithAdvice) {
  Json json = example_row().to_json();
  json["schema_version"] = kRowSchemaVersion + 1;
  EXPECT_THAT(message_of([&] { Row::from_json(json, "cells/x/row.json"); }),
              AllOf(HasSubstr("cells/x/row.json"), HasSubstr("found version 2"), HasSubstr("newer tagbench")));
  json["schema_version"] = 0;
  EXPECT_THAT(message_of([&] { Row::from_json(json, "row.json"); }), HasSubstr("run the experiment again"));
}

TEST(RowTest, EveryMissingFieldIsNamedWithItsFile) {
  const Json whole = example_row().to_json();
  for (const auto& [field, value] : whole.items()) {
    Json json = whole;
    json.erase(field);
    const std::string message = message_of([&] { Row::from_json(json, "cells/x/row.json"); });
    EXPECT_THAT(message, AllOf(HasSubstr("cells/x/row.json"), HasSubstr(field), HasSubstr("run again"))) << field;
  }
  for (const auto& [field, value] : whole["cell"].items()) {
    Json json = whole;
    json["cell"].erase(field);
    EXPECT_THAT(message_of([&] { Row::from_json(json, "row.json"); }), HasSubstr("'cell." + field + "'"));
  }
  for (const auto& [field, value] : whole["metrics"].items()) {
    Json json = whole;
    json["metrics"].erase(field);
    EXPECT_THAT(message_of([&] { Row::from_json(json, "row.json"); }), HasSubstr("metrics." + field));
  }
}

TEST(RowTest, ContradictionsAreErrors) {
  const auto message_with = [](const std::function<void(Json&)>& damage) {
    Json json = example_row().to_json();
    damage(json);
    return message_of([&] { Row::from_json(json, "row.json"); });
  };
  EXPECT_THAT(message_with([](Json& j) { j["cell"]["seed"] = 9; }), HasSubstr("'key' must be"));
  EXPECT_THAT(message_with([](Json& j) { j["n_tracks"] = -1; }), HasSubstr("'n_tracks' must be 0 or more, found -1"));
  EXPECT_THAT(message_with([](Json& j) { j["n_tracks"] = 1.5; }),
              HasSubstr("must be a whole number, found number 1.5"));
  EXPECT_THAT(message_with([](Json& j) { j["n_tracks"] = 5; }), HasSubstr("metrics.n_tracks"));
  EXPECT_THAT(message_with([](Json& j) { j["tags"] = {"a", "a"}; }), HasSubstr("found 'a' twice"));
  EXPECT_THAT(message_with([](Json& j) { j["tags"].push_back("third"); }), HasSubstr("'metrics.n_tags' must be 3"));
  EXPECT_THAT(message_with([](Json& j) { j["metrics"]["per_tag"][0]["tag"] = "z"; }), HasSubstr("per_tag[0].tag"));
  EXPECT_THAT(message_with([](Json& j) { j["metrics"]["per_tag"][1].erase("reason"); }),
              HasSubstr("per_tag[1].reason' is missing"));
  EXPECT_THAT(message_with([](Json& j) { j["metrics"]["undefined_tags"] = {"nobody"}; }), HasSubstr("found 'nobody'"));
  EXPECT_THAT(message_with([](Json& j) { j["metrics"] = nullptr; }),
              HasSubstr("must not be null in a row that is done"));
  EXPECT_THAT(message_with([](Json& j) { j["status"] = "half"; }), HasSubstr("done or failed"));
  EXPECT_THAT(message_with([](Json& j) { j = 3; }), HasSubstr("must be an object"));
}

TEST(RowTest, UnknownMetricNamesTheKnownOnes) {
  EXPECT_THAT(message_of([] { metric_title("roc_auk"); }),
              AllOf(HasSubstr("roc_auk"), HasSubstr("did you mean 'roc_auc'")));
  for (const std::string& name : metric_names()) {
    EXPECT_FALSE(metric_title(name).empty());
    EXPECT_FALSE(metric_definition(name).empty());
  }
}

}  // namespace
}  // namespace tagbench
