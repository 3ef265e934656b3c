#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/core/files.h"
#include "reports/page_data.h"
#include "reports/report.h"
#include "tests/results/synthetic_run.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using testing::add_cell;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::SyntheticCell;
using testing::SyntheticScores;
using testing::TemporaryDirectory;

class HtmlTest : public ::testing::Test {
 protected:
  TemporaryDirectory folder_;
  RunStore run_ = RunStore::create(folder_ / "run");

  std::string page() { return find_report_format("html").write(run_, build_tables(run_, {100, 1})); }
  Json data(std::vector<std::string>& notes) { return page_data(run_, build_tables(run_, {0, 1}), notes); }
};

size_t count_of(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t i = text.find(part); i != std::string::npos; i = text.find(part, i + part.size())) ++n;
  return n;
}

// The text between the page's data element's tags.
std::string data_text(const std::string& page) {
  const std::string open = "<script type=\"application/json\" id=\"data\">";
  const size_t begin = page.find(open) + open.size();
  return page.substr(begin, page.find("</script>", begin) - begin);
}

TEST_F(HtmlTest, PageIsWholeAndSelfContained) {
  for (const char* model : {"short", "fcn"}) {
    for (const char* condition : {"clean", "white_noise:alpha=0.1"}) {
      SyntheticCell cell;
      cell.model = model;
      cell.condition = condition;
      add_cell(run_, cell);
    }
  }
  const std::string text = page();
  EXPECT_EQ(text.rfind("<!DOCTYPE html>", 0), 0U);
  EXPECT_THAT(text, AllOf(HasSubstr("lang=\"en\""), HasSubstr("charset=\"utf-8\""), HasSubstr("default-src 'none'"),
                          HasSubstr("<noscript>")));
  for (const char* tag : {"table", "section", "script", "style", "body", "html", "thead", "tbody", "ul"}) {
    EXPECT_EQ(count_of(text, std::string("<") + tag + ">") + count_of(text, std::string("<") + tag + " "),
              count_of(text, std::string("</") + tag + ">"))
        << tag;
  }
  // The name space of SVG is an identifier, not an address to fetch.
  EXPECT_EQ(count_of(text, "http://"), count_of(text, "http://www.w3.org/2000/svg"));
  EXPECT_EQ(count_of(text, "https://"), 0U);
  EXPECT_EQ(count_of(text, " src="), 0U);
  EXPECT_THAT(text, AllOf(Not(HasSubstr("@import")), Not(HasSubstr("url(http")), Not(HasSubstr("fetch(")),
                          Not(HasSubstr("XMLHttpRequest"))));
}

TEST_F(HtmlTest, HostileNamesStayText) {
  SyntheticScores made = testing::synthetic_scores({});
  const std::string hostile = "</script><script>alert('1')</script><img src=x onerror=\"alert(2)\">&amp;";
  made.row.model_label = hostile;
  made.row.tags[0] = hostile;
  made.row.failures.push_back({hostile, hostile});
  made.row.cell.condition = "x:y=" + hostile;
  add_cell(run_, made);
  write_file_atomically(folder_ / "run/config.resolved.yaml", "name: \"</pre>" + hostile + "\"\n");
  run_.write_run_json({{"name", hostile}, {"status", "done"}});
  const std::string text = page();
  EXPECT_THAT(text, AllOf(Not(HasSubstr("<script>alert")), Not(HasSubstr("<img src=x")),
                          HasSubstr("&lt;/script&gt;&lt;script&gt;alert(&#39;1&#39;)")));
  EXPECT_EQ(count_of(text, "</script>"), 2U);
  const Json json = Json::parse(data_text(text));
  EXPECT_EQ(json["groups"][0]["tags"][0], hostile);
  EXPECT_EQ(json["tables"][0]["lines"][0]["architecture"], hostile);
}

TEST_F(HtmlTest, TablesCarryEveryValueForSorting) {
  SyntheticCell cell;
  const Row row = add_cell(run_, cell);
  cell.condition = "drc:preset=speech";
  testing::add_failed_cell(run_, cell, "broken & lost");
  const std::string text = page();
  EXPECT_THAT(text, AllOf(HasSubstr("data-condition=\"clean\" data-value=\"0."),
                          HasSubstr("title=\"failed: broken &amp; lost\""), HasSubstr("<span class=\"interval\">["),
                          HasSubstr("data-value=\"1005\"")));
}

TEST_F(HtmlTest, DataHoldsTagsCurvesAndTraining) {
  SyntheticCell cell;
  SyntheticScores made = testing::synthetic_scores(cell);
  made.row.trained_by = "0123";
  for (size_t track = 0; track < 60; ++track) made.labels[track * 4] = 0;
  made.row.metrics = compute_metrics({60, 4, made.labels.data(), nullptr}, {60, 4, made.scores.data(), nullptr});
  add_cell(run_, made);
  write_file_atomically(folder_ / "run/cells/0123/training.jsonl",
                        "{\"epoch\":1,\"train_loss\":0.7,\"valid_loss\":null}\n{\"epoch\":2,\"train_loss\":0.5,\"valid_"
                        "loss\":0.6}\nbroken\n");
  std::vector<std::string> notes;
  const Json json = data(notes);
  const Json& group = json["groups"][0];
  EXPECT_EQ(json["groups"].size(), 1U);
  EXPECT_EQ(json["tables"][1]["group"], 0);
  EXPECT_EQ(group["support"][0], 0);
  EXPECT_TRUE(group["tagValues"]["roc_auc"][0][0][0].is_null());
  EXPECT_NEAR(group["tagValues"]["roc_auc"][0][0][1].get<double>(), *made.row.metrics->per_tag[1].roc_auc.value,
              5e-5);  // four decimals
  EXPECT_TRUE(group["curves"][0][0].is_null());
  const Json& roc = group["curves"][0][1]["roc"];
  EXPECT_EQ(roc[0].front(), 0);
  EXPECT_EQ(roc[1].front(), 0);
  EXPECT_EQ(roc[0].back(), 1000);
  EXPECT_EQ(roc[1].back(), 1000);
  EXPECT_EQ(group["curves"][0][1]["pr"][0].back(), 1000);
  EXPECT_EQ(group["training"][0]["train_loss"], Json::array({0.7, 0.5}));
  EXPECT_TRUE(group["training"][0]["valid_loss"][0].is_null());
  EXPECT_THAT(notes, Contains(AllOf(HasSubstr("line 3"), HasSubstr("training.jsonl"))));
}

TEST_F(HtmlTest, CurveAreaIsTheRocAuc) {
  const SyntheticScores made = testing::synthetic_scores({});
  add_cell(run_, made);
  std::vector<std::string> notes;
  const Json roc = data(notes)["groups"][0]["curves"][0][2]["roc"];
  double area = 0.0;
  for (size_t i = 1; i < roc[0].size(); ++i) {
    area += (roc[0][i].get<double>() - roc[0][i - 1].get<double>()) *
            (roc[1][i].get<double>() + roc[1][i - 1].get<double>()) / 2e6;
  }
  // Forty points of a step curve with sixty steps; a chord cuts off at most a few small triangles.
  EXPECT_NEAR(area, *made.row.metrics->per_tag[2].roc_auc.value, 0.02);
}

TEST_F(HtmlTest, MissingScoresLeaveCurvesOutAndSaySo) {
  const Row row = add_cell(run_, SyntheticCell{});
  std::filesystem::remove(run_.cell_directory(row.cell.key()) / "tracks.csv");
  EXPECT_THAT(page(), HasSubstr("No curves for short"));
}

TEST_F(HtmlTest, EmptyRunIsAPageToo) {
  EXPECT_THAT(page(), HasSubstr("No finished cells yet"));
}

}  // namespace
}  // namespace tagbench
