#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "harness/core/csv.h"
#include "harness/core/files.h"
#include "harness/core/text.h"
#include "reports/report.h"
#include "reports/table_text.h"
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

class FormatsTest : public ::testing::Test {
 protected:
  TemporaryDirectory folder_;
  RunStore run_ = RunStore::create(folder_ / "run");

  void add(const std::string& model, const std::string& condition, double skill) {
    SyntheticCell cell;
    cell.model = model;
    cell.condition = condition;
    cell.skill = skill;
    add_cell(run_, cell);
  }
  std::string report(const std::string& format, int resamples = 100) {
    return find_report_format(format).write(run_, build_tables(run_, {resamples, 1}));
  }
};

size_t characters(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

TEST_F(FormatsTest, UnknownFormatNamesTheKnownOnes) {
  EXPECT_THAT(message_of([] { find_report_format("latx"); }),
              AllOf(HasSubstr("did you mean 'latex'"), HasSubstr("csv")));
}

TEST_F(FormatsTest, EveryFormatWritesAnEmptyRun) {
  for (const ReportFormat& format : report_formats()) EXPECT_FALSE(format.write(run_, {}).empty()) << format.name;
}

TEST_F(FormatsTest, MarkdownColumnsAreAligned) {
  add("short", "clean", 2.0);
  add("a much longer name, naïve", "clean", 0.2);
  add("short", "drc:preset=speech", 0.5);
  const std::string text = report("md");
  std::vector<size_t> widths;
  for (const std::string& line : split_text(text, '\n')) {
    if (starts_with(line, "|") && widths.size() < 4) widths.push_back(characters(line));
  }
  ASSERT_EQ(widths.size(), 4U);
  EXPECT_EQ(std::count(widths.begin(), widths.end(), widths[0]), 4);
  EXPECT_THAT(text, AllOf(HasSubstr("drc speech"), HasSubstr("**0."), HasSubstr("1,005")));
}

TEST_F(FormatsTest, MarkdownEscapesWhatItWouldInterpret) {
  EXPECT_EQ(escape_markdown("a|b *c* <i> `x` _y_ white_noise\n[z]"),
            "a\\|b \\*c\\* &lt;i> \\`x\\` \\_y\\_ white_noise \\[z\\]");
}

TEST_F(FormatsTest, ConditionHeadsAreShortUnlessAlike) {
  EXPECT_THAT(condition_heads({"clean", "drc:preset=speech", "pitch_shift:semitones=1,engine=r3"}),
              ElementsAre("clean", "drc speech", "pitch_shift 1 r3"));
  EXPECT_THAT(condition_heads({"x:a=1", "x:b=1"}), ElementsAre("x:a=1", "x:b=1"));
}

TEST_F(FormatsTest, NumbersReadWell) {
  EXPECT_EQ(grouped_digits(3631551), "3,631,551");
  EXPECT_EQ(grouped_digits(999), "999");
  EXPECT_EQ(grouped_digits(0), "0");
  EXPECT_EQ(rate_text(1830.4), "1830");
  EXPECT_EQ(rate_text(43.12), "43.1");
  EXPECT_EQ(rate_text(0.517), "0.52");
}

TEST_F(FormatsTest, CsvIsTidyAndKeepsEveryDigit) {
  SyntheticScores made = testing::synthetic_scores({});
  made.row.tags[1] = "a, \"quoted\" tag";
  made.row.model_label = "short, wide";
  add_cell(run_, made);
  SyntheticCell failed;
  failed.condition = "drc:preset=speech";
  testing::add_failed_cell(run_, failed, "broken");
  const std::filesystem::path path = folder_ / "report.csv";
  write_file_atomically(path, report("csv", 0));
  const CsvTable csv = CsvTable::read(path);
  const size_t n_metrics = metric_names().size();
  ASSERT_EQ(csv.rows().size(), 2 * n_metrics + 2 * made.row.tags.size());
  const auto field = [&](const CsvRow& row, const char* column) { return row.fields[csv.column(column)]; };
  int n_checked = 0;
  for (const CsvRow& row : csv.rows()) {
    if (field(row, "status") == "failed") {
      EXPECT_EQ(field(row, "value"), "");
      EXPECT_EQ(field(row, "reason"), "failed: broken");
      continue;
    }
    EXPECT_EQ(field(row, "architecture"), "short, wide");
    if (field(row, "metric") == "roc_auc" && field(row, "tag").empty()) {
      EXPECT_EQ(parse_real(field(row, "value")), made.row.metrics->macro.roc_auc.value);
      ++n_checked;
    }
    if (field(row, "metric") == "average_precision" && field(row, "tag") == made.row.tags[1]) {
      EXPECT_EQ(parse_real(field(row, "value")), made.row.metrics->per_tag[1].average_precision.value);
      EXPECT_EQ(field(row, "n_positive"), std::to_string(made.row.metrics->per_tag[1].n_positive));
      ++n_checked;
    }
    if (field(row, "metric") == "accuracy") {
      EXPECT_NE(field(row, "reason"), "");
    }
  }
  EXPECT_EQ(n_checked, 2);
}

TEST_F(FormatsTest, JsonHoldsTablesRowsAndThroughput) {
  add("short", "clean", 2.0);
  add("fcn", "clean", 0.2);
  const Json json = Json::parse(report("json"));
  EXPECT_EQ(json["rows"].size(), 2U);
  EXPECT_EQ(json["tables"].size(), 2U);
  const Json& line = json["tables"][0]["lines"][1];
  EXPECT_EQ(line["architecture"], "short");
  EXPECT_EQ(line["values"][0]["mean"], json["rows"][1]["metrics"]["macro"]["roc_auc"]);
  EXPECT_TRUE(line["values"][0]["best"].get<bool>());
  EXPECT_LT(line["values"][0]["low"].get<double>(), line["values"][0]["high"].get<double>());
  EXPECT_TRUE(line["mean_drop"]["mean"].is_null());
  EXPECT_EQ(line["mean_drop"]["reason"], "no condition but clean");
  EXPECT_TRUE(json["throughput"].is_array());
}

TEST_F(FormatsTest, LatexEscapesAndBalances) {
  SyntheticScores made = testing::synthetic_scores({});
  made.row.model_label = "a_b & 50% #1 {x} \\y ~^ 音 é";
  made.row.failures.push_back({"C:\\new_folder\\[x].wav", "100% empty"});
  add_cell(run_, made);
  const std::string text = report("latex");
  EXPECT_THAT(
      text,
      HasSubstr(
          "a\\_b \\& 50\\% \\#1 \\{x\\} \\textbackslash{}y \\textasciitilde{}\\textasciicircum{} \\texttt{U+97F3} é"));
  EXPECT_THAT(text, AllOf(HasSubstr("\\toprule"), HasSubstr("\\bottomrule"), Not(HasSubstr("音"))));
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '{') {
      ++depth;
    } else if (text[i] == '}') {
      --depth;
    }
    ASSERT_GE(depth, 0);
  }
  EXPECT_EQ(depth, 0);
}

TEST_F(FormatsTest, LatexCompilesAsItIs) {
  if (std::system("command -v pdflatex > /dev/null") != 0)
    GTEST_SKIP() << "no pdflatex on the path: the tables are not compiled";
  SyntheticScores made = testing::synthetic_scores({});
  made.row.model_label = "a_b & 50% #1 {x} \\y ~^ <z> |w| \"q\" 音 é";
  made.row.failures.push_back({"C:\\new_folder\\[x].wav", "100% empty -- lost"});
  add_cell(run_, made);
  add("short", "clean", 2.0);
  add("short", "white_noise:alpha=0.1", 1.0);
  add("fcn", "clean", 0.2);
  write_file_atomically(folder_ / "report.tex", report("latex"));
  // Alone, and as a part of a document.
  write_file_atomically(folder_ / "paper.tex",
                        "\\documentclass{article}\\usepackage[utf8]{inputenc}\\usepackage{booktabs,graphicx}\n"
                        "\\begin{document}Before.\\input{report}After.\\end{document}\n");
  for (const char* document : {"report", "paper"}) {
    const std::string command = "cd '" + folder_.path().string() +
                                "' && pdflatex -interaction=nonstopmode -halt-on-error " + document + ".tex > " +
                                document + ".out 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0) << read_text_file(folder_ / (std::string(document) + ".out"));
    EXPECT_TRUE(std::filesystem::exists(folder_ / (std::string(document) + ".pdf")));
  }
}

TEST_F(FormatsTest, RobustnessAndDifferencesStandInEveryFormat) {
  for (const char* condition : {"clean", "mp3@1", "mp3@3"}) {
    add("short", condition, 2.0);
    add("fcn", condition, condition[0] == 'c' ? 0.3 : 0.1);
  }
  const std::string text = report("md");
  EXPECT_THAT(text, AllOf(HasSubstr("### Robustness, ROC-AUC (macro)"), HasSubstr("area mp3"),
                          HasSubstr("over that of fcn"), HasSubstr("### Differences in ROC-AUC (macro), clean"),
                          HasSubstr("B better"), HasSubstr("### Differences in ROC-AUC (macro), mean drop")));
  const Json table = Json::parse(report("json"))["tables"][0];
  EXPECT_EQ(table["reference"], "fcn");
  EXPECT_EQ(table["comparisons"].size(), 4U);
  EXPECT_EQ(table["comparisons"][0]["a"], "fcn");
  EXPECT_EQ(table["tag_comparisons"].size(), 4U);
  EXPECT_EQ(table["lines"][0]["robustness"]["corruption_error"]["mean"], 1.0);
  EXPECT_THAT(report("html"),
              AllOf(HasSubstr("Relative robustness"), HasSubstr("<h2>Differences between architectures")));
}

}  // namespace
}  // namespace tagbench
