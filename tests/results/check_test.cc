#include "results/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "harness/core/files.h"
#include "harness/core/npy.h"
#include "tests/results/synthetic_run.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using testing::add_cell;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::message_of;
using ::testing::Not;
using testing::SyntheticCell;
using testing::SyntheticScores;
using testing::TemporaryDirectory;

constexpr CheckOptions kQuick{200, 1, 1};

CheckRules rules_of(const std::string& yaml) {
  return CheckRules::parse(ConfigNode::parse(yaml, "rules.yaml"));
}

// The published macro ROC-AUC of a synthetic row, off by `shift`.
PublishedValue published_for(const Row& row, double shift) {
  PublishedValue value;
  value.source = "paper2020";
  value.table = "Table 1";
  value.row = "Short";
  value.dataset = row.cell.dataset;
  value.split = row.cell.split;
  value.n_tracks = row.n_tracks;
  value.registry_model = row.cell.model;
  value.protocol = row.cell.protocol;
  value.metric = "roc_auc";
  value.unit = "fraction";
  value.printed = "0.12345678";
  value.value = *row.metrics->macro.roc_auc.value + shift;
  return value;
}

class CheckTest : public ::testing::Test {
 protected:
  TemporaryDirectory folder_;
  RunStore run_ = RunStore::create(folder_ / "run");
  RunStore baseline_ = RunStore::create(folder_ / "baseline");

  CheckItem only_item(const PublishedValue& value, const CheckRules& rules = {}) {
    const CheckReport report = check_against_published(run_, {value}, rules, kQuick);
    EXPECT_EQ(report.items.size(), 1U);
    return report.items.at(0);
  }
};

void expect_all_reproduced(const std::string& fixture, const std::vector<PublishedValue>& values,
                           const std::vector<std::string>& tags) {
  ScoredTracks tracks = read_score_files(testing::shared_path("parity/metrics/" + fixture + "_labels.npy"),
                                         testing::shared_path("parity/metrics/" + fixture + "_scores.npy"), "", "");
  tracks.tags = tags;
  const CheckReport report = check_against_published(tracks, fixture, values, {}, kQuick);
  EXPECT_TRUE(report.holds());
  for (const CheckItem& item : report.items) {
    EXPECT_EQ(item.verdict, Verdict::kReproduced)
        << item.metric << " " << item.tag << " " << item.reference << ": " << item.reason;
  }
}

TEST(PublishedCheckTest, RealMediaevalPredictionsReproduceAllTheirPublishedScores) {
  TAGBENCH_REQUIRE_SHARED("parity/metrics");
  std::vector<std::string> tags;
  for (const PublishedValue& value :
       find_published({"source=jamendo_mediaeval2019", "model=baseline vggish", "metric=roc_auc", "column=roc_auc"})) {
    if (!value.tag.empty()) tags.push_back(value.tag);
  }
  ASSERT_EQ(tags.size(), 56U);
  auto vggish = find_published({"source=jamendo_mediaeval2019", "registry_model=vgg_mediaeval"});
  EXPECT_EQ(vggish.size(), 10U + 112U + 10U);
  expect_all_reproduced("mediaeval_vggish", vggish, tags);
  auto popular = find_published({"table=baseline_popular"});
  const auto submitted = find_published({"table=submissions/baseline", "variant=popular"});
  popular.insert(popular.end(), submitted.begin(), submitted.end());
  EXPECT_EQ(popular.size(), 20U);
  expect_all_reproduced("mediaeval_popular", popular, {});
}

TEST(PublishedCheckTest, OtherPredictionsAreNotCalledReproduced) {
  TAGBENCH_REQUIRE_SHARED("parity/metrics");
  const ScoredTracks tracks =
      read_score_files(testing::shared_path("parity/metrics/mediaeval_popular_labels.npy"),
                       testing::shared_path("parity/metrics/mediaeval_popular_scores.npy"), "", "");
  const auto values = find_published({"table=baseline_vggish_results", "metric=roc_auc"});
  const CheckReport report = check_against_published(tracks, "popular", values, {}, kQuick);
  EXPECT_FALSE(report.holds());
  EXPECT_EQ(report.items.at(0).verdict, Verdict::kOff);
  EXPECT_THAT(report.items.at(0).reason, HasSubstr("lower by 0.2258"));
}

TEST(PublishedCheckTest, ScoreFilesOfOtherSizesOrWithoutNamesAreNotComparable) {
  const SyntheticScores made = testing::synthetic_scores({});
  ScoredTracks tracks;
  tracks.n_tracks = 60;
  tracks.n_tags = 4;
  tracks.labels = made.labels;
  tracks.float32 = made.scores;
  PublishedValue value = published_for(made.row, 0.0);
  const auto reason = [&] { return check_against_published(tracks, "files", {value}, {}, kQuick).items.at(0).reason; };
  EXPECT_EQ(reason(), "");
  value.n_tracks = 61;
  EXPECT_THAT(reason(), HasSubstr("split: 60 tracks here, 61"));
  value.n_tracks = 60;
  value.tag = "tag1";
  EXPECT_THAT(reason(), HasSubstr("names are needed to find 'tag1'"));
  tracks.tags = made.row.tags;
  value.tag = "nobody";
  EXPECT_THAT(reason(), HasSubstr("no tag 'nobody'"));
  value.tag = "";
  value.metric = "f1_macro";
  value.decision = "submitted";
  EXPECT_THAT(reason(), HasSubstr("metric definition"));
}

TEST_F(CheckTest, VerdictsFollowTheDifference) {
  const Row row = add_cell(run_, SyntheticCell{});
  EXPECT_EQ(only_item(published_for(row, 0.0)).verdict, Verdict::kReproduced);
  const CheckItem near = only_item(published_for(row, 0.004));
  EXPECT_EQ(near.verdict, Verdict::kWithinNoise);
  EXPECT_FALSE(near.fails);
  EXPECT_GT(*near.noise, 0.004);
  const CheckItem far = only_item(published_for(row, 0.4));
  EXPECT_EQ(far.verdict, Verdict::kOff);
  EXPECT_TRUE(far.fails);
  EXPECT_THAT(far.reason, HasSubstr("lower by 0.4"));
  EXPECT_THAT(only_item(published_for(row, -0.4)).reason, HasSubstr("higher by 0.4"));
}

TEST_F(CheckTest, RoundingOfThePrintedDigitsCountsAsEqual) {
  const Row row = add_cell(run_, SyntheticCell{});
  PublishedValue value = published_for(row, 0.0004);
  value.printed = "0.123";
  EXPECT_EQ(only_item(value).verdict, Verdict::kReproduced);
  value.printed = "0.1234";
  EXPECT_EQ(only_item(value).verdict, Verdict::kWithinNoise);
}

TEST_F(CheckTest, TolerancesAndStrictness) {
  const Row row = add_cell(run_, SyntheticCell{});
  const CheckItem tolerated = only_item(published_for(row, 0.3), rules_of("metrics: {roc_auc_macro: 0.31}"));
  EXPECT_EQ(tolerated.verdict, Verdict::kReproduced);
  EXPECT_THAT(tolerated.reason, HasSubstr("within the tolerance"));
  EXPECT_TRUE(only_item(published_for(row, 0.004), rules_of("strict: true")).fails);
  const CheckItem lost = only_item(published_for(row, 0.004), rules_of("metrics: {roc_auc: {max_loss: 0.003}}"));
  EXPECT_EQ(lost.verdict, Verdict::kOff);
  EXPECT_THAT(lost.reason, HasSubstr("0.003 is allowed"));
  EXPECT_FALSE(only_item(published_for(row, -0.3), rules_of("metrics: {roc_auc: {max_loss: 0.003}}")).fails);
}

TEST_F(CheckTest, SeedsWidenTheNoise) {
  SyntheticCell cell;
  const Row row = add_cell(run_, cell);
  const double one_seed = *only_item(published_for(row, 0.2)).noise;
  cell.seed = 2;
  cell.skill = 0.2;
  add_cell(run_, cell);
  const CheckItem item = only_item(published_for(row, 0.4));
  EXPECT_GT(*item.noise, one_seed);
}

TEST_F(CheckTest, NotComparableSaysWhichOfSplitProtocolMetric) {
  const Row row = add_cell(run_, SyntheticCell{});
  const auto reason_with = [&](const std::function<void(PublishedValue&)>& change) {
    PublishedValue value = published_for(row, 0.0);
    change(value);
    const CheckItem item = only_item(value);
    EXPECT_EQ(item.verdict, Verdict::kNotComparable);
    EXPECT_FALSE(item.fails);
    return item.reason;
  };
  EXPECT_THAT(reason_with([](PublishedValue& v) { v.split = "other"; }), HasSubstr("split: default here, other"));
  EXPECT_THAT(reason_with([](PublishedValue& v) { v.n_tracks = 61; }), HasSubstr("split: 60 tracks scored here, 61"));
  EXPECT_THAT(reason_with([](PublishedValue& v) { v.n_tags = 50; }), HasSubstr("tags: 4 here, 50"));
  EXPECT_THAT(reason_with([](PublishedValue& v) { v.protocol = ""; }), HasSubstr("protocol: won2020 here"));
  EXPECT_THAT(reason_with([](PublishedValue& v) { v.metric = "f1_macro_two_class"; }), HasSubstr("metric definition"));
  EXPECT_THAT(reason_with([](PublishedValue& v) { v.parameters = "7"; }),
              HasSubstr("architecture: 1005 parameters here, 7"));
  PublishedValue either = published_for(row, 0.0);
  either.split = "other|default";
  EXPECT_EQ(only_item(either).verdict, Verdict::kReproduced);
}

TEST_F(CheckTest, NothingToCompareDoesNotHold) {
  add_cell(run_, SyntheticCell{});
  const CheckReport report = check_against_published(run_, published_values(), {}, kQuick);
  EXPECT_FALSE(report.holds());
  ASSERT_EQ(report.items.size(), 1U);
  EXPECT_THAT(check_table(report), HasSubstr("nothing could be compared"));
  EXPECT_THAT(check_junit(report, "check"), AllOf(HasSubstr("failures=\"1\""), HasSubstr("tests=\"2\"")));
}

TEST_F(CheckTest, RunEqualsItself) {
  for (const char* condition : {"clean", "drc:preset=speech"}) {
    SyntheticCell cell;
    cell.condition = condition;
    add_cell(run_, cell);
    add_cell(baseline_, cell);
  }
  const CheckReport report = check_against_baseline(run_, baseline_, rules_of("per_tag: {roc_auc: 0}"), kQuick);
  EXPECT_TRUE(report.holds());
  EXPECT_EQ(report.count(Verdict::kReproduced), 2 * (2 + 4));
}

TEST_F(CheckTest, WorseRunIsOffAndTheTagRuleNamesTheTag) {
  SyntheticCell cell;
  add_cell(baseline_, cell);
  SyntheticScores worse = testing::synthetic_scores(cell);
  for (size_t track = 0; track < 60; ++track) worse.scores[track * 4 + 2] = static_cast<float>(track) / 60.0F;
  worse.row.metrics = compute_metrics({60, 4, worse.labels.data(), nullptr}, {60, 4, worse.scores.data(), nullptr});
  add_cell(run_, worse);
  const CheckReport report =
      check_against_baseline(run_, baseline_, rules_of("per_tag: {roc_auc: {max_loss: 0.02}}"), kQuick);
  EXPECT_FALSE(report.holds());
  int n_failing_tags = 0;
  for (const CheckItem& item : report.items) {
    if (item.tag.empty() || !item.fails) continue;
    ++n_failing_tags;
    EXPECT_EQ(item.tag, "tag2");
  }
  EXPECT_EQ(n_failing_tags, 1);
}

TEST_F(CheckTest, BaselineOfAnotherSplitOrProtocolIsNotComparable) {
  const auto reason_with = [&](const std::function<void(CellId&)>& change) {
    const TemporaryDirectory folder;
    const RunStore here = RunStore::create(folder / "here");
    const RunStore there = RunStore::create(folder / "there");
    SyntheticScores made = testing::synthetic_scores({});
    add_cell(here, made);
    change(made.row.cell);
    add_cell(there, made);
    const CheckReport report = check_against_baseline(here, there, {}, kQuick);
    EXPECT_EQ(report.items.size(), 1U);
    EXPECT_EQ(report.items.at(0).verdict, Verdict::kNotComparable);
    return report.items.at(0).reason;
  };
  EXPECT_THAT(reason_with([](CellId& c) { c.split_sha256 = "other"; }), HasSubstr("split: default"));
  EXPECT_THAT(reason_with([](CellId& c) { c.protocol_sha256 = "other"; }), HasSubstr("protocol: won2020"));
  EXPECT_THAT(reason_with([](CellId& c) { c.condition_key = "clean@2"; }),
              HasSubstr("condition: clean@1 here, clean@2"));
  EXPECT_THAT(reason_with([](CellId& c) { c.audio = "44100 Hz"; }), HasSubstr("audio"));
}

TEST_F(CheckTest, CellsThatTheRunLostFail) {
  SyntheticCell cell;
  add_cell(baseline_, cell);
  testing::add_failed_cell(run_, cell, "no memory left");
  SyntheticCell second = cell;
  second.condition = "drc:preset=speech";
  add_cell(baseline_, second);
  SyntheticCell extra = cell;
  extra.condition = "gain:db=3";
  add_cell(run_, extra);
  const CheckReport report = check_against_baseline(run_, baseline_, {}, kQuick);
  EXPECT_FALSE(report.holds());
  EXPECT_EQ(report.count(Verdict::kOff), 2);
  EXPECT_EQ(report.count(Verdict::kNotComparable), 1);
}

TEST_F(CheckTest, WritersNameVerdictsAndEscape) {
  SyntheticScores made = testing::synthetic_scores({});
  made.row.model_label = "short <\"&'> | x";
  add_cell(run_, made);
  const CheckReport report =
      check_against_published(run_, {published_for(made.row, 0.4), published_for(made.row, 0.0)}, {}, kQuick);
  const std::string table = check_table(report);
  EXPECT_THAT(table, AllOf(HasSubstr("off (fails)"), HasSubstr("\\| x"),
                           HasSubstr("1 reproduced, 0 within noise, 1 off"), HasSubstr("does not hold: 1 fail")));
  const Json json = check_json(report);
  EXPECT_FALSE(json["holds"].get<bool>());
  EXPECT_EQ(json["items"][0]["verdict"], "off");
  EXPECT_EQ(json["counts"]["reproduced"], 1);
  const std::string junit = check_junit(report, "nightly");
  EXPECT_THAT(junit, AllOf(HasSubstr("tests=\"2\" failures=\"1\""), HasSubstr("short &lt;&quot;&amp;&#39;&gt; | x"),
                           HasSubstr("<failure message=")));
}

TEST(CheckRulesTest, MistakesAreNamedWithTheirLine) {
  EXPECT_THAT(message_of([] { rules_of("metrics:\n  roc_auk: 0.1"); }),
              AllOf(HasSubstr("rules.yaml:2"), HasSubstr("did you mean 'roc_auc'")));
  EXPECT_THAT(message_of([] { rules_of("metrics: {roc_auc: -1}"); }), HasSubstr("0 or more"));
  EXPECT_THAT(message_of([] { rules_of("per_tag: {accuracy: 0.1}"); }), HasSubstr("accuracy"));
  EXPECT_THAT(message_of([] { rules_of("metric: {}"); }), HasSubstr("did you mean 'metrics'"));
  EXPECT_THAT(message_of([] { rules_of("metrics: {roc_auc: {max_los: 1}}"); }), HasSubstr("max_loss"));
  CheckRules rules;
  rules.add_tolerance("pr_auc_macro=0.01");
  EXPECT_EQ(rules.metrics.at("average_precision").tolerance, 0.01);
  EXPECT_THAT(message_of([&] { rules.add_tolerance("roc_auc"); }), HasSubstr("metric=number"));
}

TEST(ScoreFilesTest, MisfitsAreNamed) {
  const TemporaryDirectory folder;
  const std::vector<float> scores = {0.1F, 0.2F, 0.3F, 0.4F};
  const std::vector<uint8_t> labels = {1, 0, 0, 1};
  write_npy(folder / "scores.npy", {2, 2}, scores.data());
  write_npy(folder / "labels.npy", {2, 2}, labels.data());
  write_file_atomically(folder / "tags.txt", "a\r\nb\n\n");
  const ScoredTracks tracks =
      read_score_files(folder / "labels.npy", folder / "scores.npy", folder / "labels.npy", folder / "tags.txt");
  EXPECT_THAT(tracks.tags, ::testing::ElementsAre("a", "b"));
  EXPECT_THAT(tracks.known, ::testing::ElementsAre(1, 0, 0, 1));
  write_npy(folder / "flat.npy", {4}, scores.data());
  EXPECT_THAT(message_of([&] { read_score_files(folder / "labels.npy", folder / "flat.npy", "", ""); }),
              HasSubstr("[tracks, tags]"));
  write_npy(folder / "tall.npy", {4, 1}, labels.data());
  EXPECT_THAT(message_of([&] { read_score_files(folder / "tall.npy", folder / "scores.npy", "", ""); }),
              HasSubstr("[2, 2] expected, found [4, 1]"));
  EXPECT_THAT(message_of([&] { read_score_files(folder / "scores.npy", folder / "scores.npy", "", ""); }),
              HasSubstr("0 or 1, found 0.1"));
  write_file_atomically(folder / "tags.txt", "a\na\n");
  EXPECT_THAT(
      message_of([&] { read_score_files(folder / "labels.npy", folder / "scores.npy", "", folder / "tags.txt"); }),
      HasSubstr("twice"));
  write_file_atomically(folder / "tags.txt", "a\n");
  EXPECT_THAT(
      message_of([&] { read_score_files(folder / "labels.npy", folder / "scores.npy", "", folder / "tags.txt"); }),
      HasSubstr("2, found 1"));
}

}  // namespace
}  // namespace tagbench
