#include "results/published.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "harness/core/csv.h"
#include "harness/core/text.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::message_of;

const std::string kHeader =
    "source,citation,table,row,column,dataset,split,n_tracks,n_tags,model,variant,registry_model,protocol,tag,metric,"
    "decision,printed,unit,"
    "value,deviation,deviation_over,parameters,note\n";
const std::string kRow =
    "x,A 2020,Table 1,FCN,AUC,synth,default,10,4,FCN,,fcn,won2020,,roc_auc,,90.05,percent,0.9005,0.01,3 seeds,,\n";

std::string replaced(const std::string& from, const std::string& to) {
  std::string row = kRow;
  const size_t place = row.find(from);
  EXPECT_NE(place, std::string::npos) << from;
  return kHeader + row.replace(place, from.size(), to);
}

TEST(PublishedTest, JsonHasNumbersAsNumbersAndNullWhereThereIsNone) {
  const Json json = parse_published(kHeader + kRow, "x").at(0).to_json();
  EXPECT_EQ(json["value"], 0.9005);
  EXPECT_EQ(json["n_tracks"], 10);
  EXPECT_EQ(json["deviation"], 0.01);
  EXPECT_EQ(json["printed"], "90.05");
  const Json without = parse_published(replaced(",10,4,", ",,,"), "x").at(0).to_json();
  EXPECT_TRUE(without["n_tracks"].is_null());
  EXPECT_TRUE(without["n_tags"].is_null());
}

TEST(PublishedTest, EverySourceIsThereWholeAndCited) {
  std::map<std::string, int> counts;
  for (const PublishedValue& value : published_values()) {
    ++counts[value.source];
    EXPECT_GE(value.citation.size(), 20U);
    EXPECT_FALSE(value.table.empty());
  }
  const std::map<std::string, int> expected = {{"gururani2020", 88},       {"jamendo_mediaeval2019", 432},
                                               {"jamendo_ml4md2019", 842}, {"koutini2020", 43},
                                               {"pons2019", 403},          {"won2020", 72}};
  EXPECT_EQ(counts, expected);
}

TEST(PublishedTest, KnownNumbersAreFound) {
  const auto fcn = find_published({"source=won2020", "registry_model=fcn", "dataset=magnatagatune", "metric=roc_auc"});
  ASSERT_EQ(fcn.size(), 2U);  // with 96 and with 128 bands
  EXPECT_EQ(fcn[0].registry_model, "fcn");
  EXPECT_EQ(fcn[0].value, 0.9005);
  EXPECT_EQ(fcn[0].table, "Table 2");
  EXPECT_EQ(fcn[0].protocol, "won2020");
  const auto baseline = find_published({"table=baseline_vggish_results", "metric=f1_macro"});
  ASSERT_EQ(baseline.size(), 1U);
  EXPECT_EQ(baseline[0].value, 0.165694);
  EXPECT_EQ(baseline[0].decision, "oracle");
  EXPECT_EQ(find_published({"mood/theme---action", "baseline vggish"}).size(), 2U);
}

TEST(PublishedTest, TwoClassMeansAreNotCalledMacro) {
  for (const PublishedValue& value : find_published({"source=gururani2020"}))
    EXPECT_NE(value.metric, "f1_macro") << value.row;
}

TEST(PublishedTest, ValuesEqualTheTranscriptions) {
  TAGBENCH_REQUIRE_SHARED("published");
  for (const char* source :
       {"gururani2020", "jamendo_mediaeval2019", "jamendo_ml4md2019", "koutini2020", "pons2019", "won2020"}) {
    const CsvTable csv = CsvTable::read(testing::shared_path(std::string("published/") + source + ".csv"));
    const auto values = find_published({std::string("source=") + source});
    ASSERT_EQ(values.size(), csv.rows().size()) << source;
    for (size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(values[i].printed, csv.rows()[i].fields[csv.column("value")]) << csv.where(csv.rows()[i]);
      EXPECT_EQ(values[i].model, csv.rows()[i].fields[csv.column("model")]);
      EXPECT_EQ(values[i].table, csv.rows()[i].fields[csv.column("table")]);
    }
  }
}

TEST(PublishedTest, RoundingIsHalfTheLastPrintedDigit) {
  PublishedValue value;
  value.unit = "percent";
  value.printed = "87.25";
  EXPECT_DOUBLE_EQ(value.rounding(), 0.00005);
  value.unit = "fraction";
  value.printed = ".139";
  EXPECT_DOUBLE_EQ(value.rounding(), 0.0005);
  value.printed = "1";
  EXPECT_DOUBLE_EQ(value.rounding(), 0.5);
}

TEST(PublishedTest, WellFormedRowIsRead) {
  const auto values = parse_published(kHeader + kRow, "x");
  ASSERT_EQ(values.size(), 1U);
  EXPECT_EQ(values[0].n_tracks, 10);
  EXPECT_EQ(values[0].deviation, 0.01);
  EXPECT_EQ(values[0].to_json()["n_tags"], 4);
}

TEST(PublishedTest, EveryKindOfDamageIsNamedWithItsLine) {
  const auto message = [](const std::string& csv) { return message_of([&] { parse_published(csv, "x"); }); };
  EXPECT_THAT(message(replaced("x,A 2020", "y,A 2020")), AllOf(HasSubstr("x.csv, line 2"), HasSubstr("'source'")));
  EXPECT_THAT(message(replaced("A 2020", "")), HasSubstr("'citation': must not be empty"));
  EXPECT_THAT(message(replaced("0.9005", "0.95")), HasSubstr("must be the printed '90.05' in percent"));
  EXPECT_THAT(message(replaced("90.05,percent,0.9005", "90.05,fraction,90.05")), HasSubstr("between 0 and 1"));
  EXPECT_THAT(message(replaced("0.9005", "nan")), HasSubstr("finite number"));
  EXPECT_THAT(message(replaced("percent", "per cent")), HasSubstr("did you mean 'percent'"));
  EXPECT_THAT(message(replaced(",10,4,", ",-10,4,")), HasSubstr("positive whole number"));
  EXPECT_THAT(message(replaced("3 seeds", "")), HasSubstr("over what"));
  EXPECT_THAT(message(kHeader + kRow + kRow), AllOf(HasSubstr("line 3"), HasSubstr("twice")));
  EXPECT_THAT(message("source,citation\nx,y\n"), HasSubstr("is missing"));
}

TEST(PublishedTest, UnknownFilterFieldNamesTheKnownOnes) {
  EXPECT_THAT(message_of([] { find_published({"sorce=won2020"}); }), HasSubstr("did you mean 'source'"));
}

}  // namespace
}  // namespace tagbench
