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
using ::testing::ElementsAre;
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

  void SetUp() override {
    for (const RunStore* run : {&run_, &baseline_}) run->write_run_json({{"status", "done"}});
  }
  CheckReport against_baseline(const std::string& rules = "{}") {
    return check_against_baseline(run_, baseline_, rules_of(rules), kQuick);
  }
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
  EXPECT_THAT(reason_with([](CellId& c) { c.protocol_sha256 = "other"; }), HasSubstr("protocol: won2020 ("));
  EXPECT_THAT(reason_with([](CellId& c) { c.condition_key = "clean@2"; }),
              HasSubstr("condition: clean@1 here, clean@2"));
  EXPECT_THAT(reason_with([](CellId& c) { c.audio = "44100 Hz"; }), HasSubstr("audio"));
}

// Two files of weights under one name are two systems; scores swapped between them are a change.
TEST_F(CheckTest, WeightsOfOneNameAreNotSeedsOfEachOther) {
  for (const bool swapped : {false, true}) {
    for (const int file : {1, 2}) {
      SyntheticCell cell;
      cell.skill = (file == 1) != swapped ? 2.0 : 0.1;
      SyntheticScores made = testing::synthetic_scores(cell);
      made.row.cell.weights_sha256 = std::string(64, file == 1 ? '1' : '2');
      made.row.cell.seed = 0;
      add_cell(swapped ? run_ : baseline_, made);
    }
  }
  const CheckReport report = against_baseline();
  EXPECT_EQ(report.count(Verdict::kOff), 4);
  EXPECT_THAT(report.items.at(0).subject, HasSubstr("short (weights 111111111111)"));
}

// What the run has beside the baseline's cell of the same name is not averaged into it.
TEST_F(CheckTest, SplitsAndProtocolsOfOneNameAreNotSeedsOfEachOther) {
  SyntheticScores made = testing::synthetic_scores({});
  add_cell(baseline_, made);
  add_cell(run_, made);
  SyntheticCell worse;
  worse.skill = 0.2;
  const auto add_worse = [&](const std::function<void(CellId&)>& change) {
    SyntheticScores other = testing::synthetic_scores(worse);
    change(other.row.cell);
    add_cell(run_, other);
  };
  add_worse([](CellId& cell) { cell.split_sha256 = std::string(64, 'e'); });
  add_worse([](CellId& cell) { cell.protocol_sha256 = std::string(64, 'e'); });
  add_worse([](CellId& cell) { cell.perturbation_seed = 9; });
  const CheckReport report = against_baseline();
  EXPECT_EQ(report.count(Verdict::kReproduced), 2);
  EXPECT_EQ(report.count(Verdict::kNotComparable), 3);
  for (const CheckItem& item : report.items) {
    if (item.verdict == Verdict::kNotComparable) {
      EXPECT_EQ(item.reason, "the baseline has no such cell");
    }
  }
}

TEST_F(CheckTest, NoneOfSeveralCellsOfOneNameIsPickedByChance) {
  SyntheticScores made = testing::synthetic_scores({});
  made.row.cell.protocol_sha256 = std::string(64, 'a');
  add_cell(baseline_, made);
  for (const char digit : {'b', 'c'}) {
    made.row.cell.protocol_sha256 = std::string(64, digit);
    add_cell(run_, made);
  }
  const CheckReport report = against_baseline();
  EXPECT_EQ(report.count(Verdict::kNotComparable), 3);
  EXPECT_THAT(report.items.at(0).reason, AllOf(HasSubstr("only others of this name: protocol won2020 ("),
                                               HasSubstr("and not won2020 (aaaaaaaaaaaa)")));
  EXPECT_FALSE(report.holds());
}

TEST_F(CheckTest, RetrainedAndNewerWeightsAreHeldToTheBaseline) {
  SyntheticCell cell;
  SyntheticScores given = testing::synthetic_scores(cell);
  given.row.cell.weights_sha256 = std::string(64, '1');
  given.row.cell.seed = 0;
  given.row.cell.conformance = 0;
  add_cell(baseline_, given);
  cell.seed = 7;
  add_cell(run_, cell);
  const CheckReport report = against_baseline();
  EXPECT_EQ(report.count(Verdict::kNotComparable), 0);
  EXPECT_THAT(
      report.notes,
      ElementsAre(AllOf(HasSubstr("weights: trained in the run here, 111111111111"),
                        HasSubstr("conformance: " + std::to_string(kConformance) + " here, 0 in the baseline"))));
}

TEST_F(CheckTest, ARowThatItsScoresContradictIsNoEvidence) {
  const SyntheticScores made = testing::synthetic_scores({});
  add_cell(baseline_, made);
  SyntheticScores changed = made;
  for (size_t i = 0; i < changed.scores.size(); i += 4) changed.scores[i] = -changed.scores[i];
  add_cell(run_, changed);  // with the metrics of the scores before
  const CheckReport report = against_baseline();
  EXPECT_FALSE(report.holds());
  EXPECT_THAT(report.gaps, Contains(HasSubstr("row.json does not tell the metrics of its scores.npy")));
}

TEST_F(CheckTest, OtherLabelsOfTheSameTracksAreNotComparable) {
  SyntheticScores made = testing::synthetic_scores({});
  add_cell(baseline_, made);
  const auto add_relabelled = [&](const RunStore& run, const std::vector<size_t>& changed) {
    SyntheticScores other = made;
    for (const size_t i : changed) other.labels[i] = static_cast<uint8_t>(1 - other.labels[i]);
    other.row.metrics = compute_metrics({60, 4, other.labels.data(), nullptr}, {60, 4, other.scores.data(), nullptr});
    add_cell(run, other);
  };
  add_relabelled(run_, {0});
  CheckReport report = against_baseline();
  ASSERT_EQ(report.items.size(), 1U);
  EXPECT_THAT(report.items[0].reason, HasSubstr("labels: 'tag0' for"));

  // As many positives as before.
  const auto of_tag0 = [&](uint8_t label) {
    size_t i = 0;
    while (made.labels[i] != label) i += 4;
    return i;
  };
  add_relabelled(run_, {of_tag0(0), of_tag0(1)});
  report = against_baseline();
  ASSERT_EQ(report.items.size(), 1U);
  EXPECT_EQ(report.items[0].verdict, Verdict::kNotComparable);
  EXPECT_THAT(report.items[0].reason, HasSubstr("labels: the same tracks have different labels"));
}

TEST_F(CheckTest, MissingScoresLeaveTheOtherVerdicts) {
  SyntheticCell cell;
  add_cell(baseline_, cell);
  add_cell(run_, cell);
  std::filesystem::path lost;
  for (const char* condition : {"gain:db=3", "gain:db=6"}) {
    cell.condition = condition;
    cell.skill = 1.0;
    add_cell(baseline_, cell);
    cell.skill = 0.9;
    const std::filesystem::path scores = run_.cell_directory(add_cell(run_, cell).cell.key()) / "scores.npy";
    std::filesystem::remove(scores);
    if (lost.empty()) lost = scores;
  }
  const CheckReport report = against_baseline();
  EXPECT_EQ(report.count(Verdict::kReproduced), 2);
  EXPECT_EQ(report.count(Verdict::kOff), 4);
  EXPECT_THAT(report.items.at(2).reason, AllOf(HasSubstr("cannot be told"), HasSubstr(lost.string())));
  EXPECT_THAT(report.notes, ElementsAre(AllOf(HasSubstr(lost.string()), HasSubstr("(and 1 more)"))));

  PublishedValue value = published_for(add_cell(run_, SyntheticCell{}), 0.0);
  value.metric = "f1_macro";
  value.decision = "oracle";
  const auto clean = run_.rows().front();
  std::filesystem::remove(run_.cell_directory(clean.cell.key()) / "scores.npy");
  EXPECT_THAT(only_item(value).reason, AllOf(HasSubstr("scores are needed"), HasSubstr(clean.cell.key())));
}

TEST_F(CheckTest, HalfWrittenRunHoldsNothing) {
  SyntheticCell cell;
  const PublishedValue value = published_for(add_cell(run_, cell), 0.0);
  add_cell(baseline_, cell);
  EXPECT_TRUE(against_baseline().holds());
  const Json lists{{"models", {"short", "fcn"}}, {"conditions", {"clean", "gain:db=3"}}};
  const auto write = [&](const RunStore& run, const char* status) {
    Json json = lists;
    json["status"] = status;
    run.write_run_json(json);
  };
  write(run_, "running");
  const CheckReport report = against_baseline();
  EXPECT_FALSE(report.holds());
  EXPECT_THAT(report.gaps, ElementsAre(HasSubstr("The run: The run is not finished (status in run.json: running)")));
  EXPECT_THAT(report.notes, ElementsAre(HasSubstr("missing: short, split default"), HasSubstr("without any row: fcn")));
  EXPECT_THAT(check_table(report), AllOf(HasSubstr("does not hold: something is missing"), HasSubstr("status in run")));
  EXPECT_FALSE(check_json(report)["complete"].get<bool>());
  EXPECT_EQ(check_json(report)["gaps"].size(), 1U);
  EXPECT_THAT(check_junit(report, "x"), AllOf(HasSubstr("name=\"all is there\""), HasSubstr("failures=\"1\"")));

  // What both lack, the baseline does not ask for; against published values no row of the clean condition may lack.
  write(run_, "done, with failed cells");
  EXPECT_TRUE(against_baseline().holds());
  const CheckReport published = check_against_published(run_, {value}, {}, kQuick);
  EXPECT_FALSE(published.holds());
  EXPECT_THAT(published.gaps, ElementsAre(HasSubstr("without any row: fcn")));

  std::filesystem::create_directories(baseline_.cell_directory("begun"));
  EXPECT_THAT(against_baseline().gaps, ElementsAre(AllOf(HasSubstr("The baseline: Cells begun"), HasSubstr("begun"))));
}

TEST_F(CheckTest, RulesUnderWhichNothingFallsAreErrors) {
  const Row row = add_cell(run_, SyntheticCell{});
  add_cell(baseline_, SyntheticCell{});
  const auto message = [&](const std::string& rules) { return message_of([&] { against_baseline(rules); }); };
  EXPECT_THAT(message("tags: {tag9: {roc_auc: 0.1}}"),
              AllOf(HasSubstr("the rule for tag 'tag9' applies to nothing"), HasSubstr("did you mean 'tag")));
  EXPECT_THAT(message("accuracy: 0.1"), AllOf(HasSubstr("'accuracy' applies to nothing"), HasSubstr("known: ")));
  EXPECT_THAT(message("f1_macro: 0.1"), AllOf(HasSubstr("'f1_macro'"), HasSubstr("roc_auc_micro")));
  const auto published = [&](const std::string& rules) {
    return message_of([&] { check_against_published(run_, {published_for(row, 0.0)}, rules_of(rules), kQuick); });
  };
  EXPECT_THAT(published("average_precision: 0.1"), HasSubstr("known: roc_auc"));
  EXPECT_THAT(published("per_tag: {roc_auc: 0.1}"), HasSubstr("no value of a single tag"));
}

TEST_F(CheckTest, PathsOfOtherBytesBecomeValidText) {
  SyntheticScores made = testing::synthetic_scores({});
  made.row.model_label = "short";
  add_cell(run_, made);
  CheckReport report = check_against_published(run_, {published_for(made.row, 0.4)}, {}, kQuick);
  report.items.at(0).subject = "caf\xe9";
  EXPECT_THAT(check_junit(report, "run\xff"), AllOf(HasSubstr("caf\xEF\xBF\xBD"), HasSubstr("run\xEF\xBF\xBD")));
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
  EXPECT_THAT(message_of([] { rules_of("roc_auc_macro: 0.1\nmetrics: {roc_auc: 0.2}"); }),
              AllOf(HasSubstr("rules.yaml:1"), HasSubstr("second rule for metric 'roc_auc'")));
  EXPECT_THAT(message_of([] { rules_of("roc_auc_makro: 0.1"); }), HasSubstr("unknown key 'roc_auc_makro'"));
  CheckRules rules;
  rules.add_tolerance("pr_auc_macro=0.01");
  EXPECT_EQ(rules.metrics.at("average_precision").tolerance, 0.01);
  EXPECT_THAT(message_of([&] { rules.add_tolerance("roc_auc"); }), HasSubstr("metric=number"));
}

TEST(CheckRulesTest, MetricsMayStandAtTheTop) {
  const CheckRules rules = rules_of("roc_auc_macro: 0.005\nper_tag: {roc_auc: {max_loss: 0.02}}");
  EXPECT_EQ(rules.metrics.at("roc_auc").tolerance, 0.005);
  EXPECT_EQ(rules.per_tag.at("roc_auc").max_loss, 0.02);
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
