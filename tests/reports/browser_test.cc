#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "harness/core/files.h"
#include "harness/core/text.h"
#include "reports/report.h"
#include "tests/results/synthetic_run.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

namespace fs = std::filesystem;
using testing::add_cell;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::SyntheticCell;
using testing::TemporaryDirectory;

// The first browser on the path that can be driven without a screen; "" if there is none.
std::string browser() {
  const char* path = std::getenv("PATH");
  for (const std::string& folder : split_text(path == nullptr ? "" : path, ':')) {
    for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
      if (!folder.empty() && fs::exists(fs::path(folder) / name)) return (fs::path(folder) / name).string();
    }
  }
  return "";
}

constexpr const char* kNoBrowser = "no chromium, chromium-browser or google-chrome on the path: the page is not tested";

class BrowserTest : public ::testing::Test {
 protected:
  // Two trained architectures and one more, clean and under four conditions, three seeds of two of them.
  void fill() {
    for (const char* model : {"short", "fcn", "sample"}) {
      for (const char* condition : {"clean", "white_noise:alpha=0.1", "white_noise:alpha=0.4", "mp3@1", "mp3@3"}) {
        for (const int64_t seed : {1, 2}) {
          SyntheticCell cell;
          cell.model = model;
          cell.condition = condition;
          cell.seed = seed;
          cell.skill = std::string(model) == "short" ? 1.5 : 0.6;
          testing::SyntheticScores made = testing::synthetic_scores(cell);
          made.row.trained_by = "0123";
          add_cell(run_, made);
        }
      }
    }
    write_file_atomically(folder_ / "run/cells/0123/training.jsonl",
                          "{\"epoch\":1,\"train_loss\":0.7,\"valid_loss\":0.8}\n{\"epoch\":2,\"train_loss\":0.5,"
                          "\"valid_loss\":0.6}\n");
    ThroughputRow row;
    row.part = "whole";
    row.precision = "fp32";
    row.device = "cpu";
    row.threads = 2;
    row.batch = 16;
    for (const char* model : {"short", "fcn"}) {
      row.model_label = model;
      row.clips_per_s = row.model_label == "short" ? 17.5 : 60.0;
      run_.write_throughput({row});
    }
    testing::write_run_order(run_, {"short", "fcn", "sample"},
                             {"clean", "white_noise:alpha=0.1", "white_noise:alpha=0.4", "mp3@1", "mp3@3"});
  }

  std::string page() { return find_report_format("html").write(run_, build_tables(run_, {200, 1})); }

  // Runs the browser on a page in `folder_`, with no network to reach; its standard output.
  std::string browse(const std::string& flags, const std::string& file) {
    const std::string command =
        "timeout 300 '" + browser() +
        "' --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
        "--disable-component-update --disable-sync --host-resolver-rules='MAP * ~NOTFOUND' --user-data-dir='" +
        (folder_ / "profile").string() + "' " + flags + " 'file://" + (folder_ / file).string() + "' > '" +
        (folder_ / "out").string() + "' 2> '" + (folder_ / "err").string() + "'";
    const int status = std::system(command.c_str());
    EXPECT_EQ(status, 0) << read_text_file(folder_ / "err", uint64_t{1} << 24U);
    return read_text_file(folder_ / "out", uint64_t{1} << 28U);
  }

  TemporaryDirectory folder_;
  RunStore run_ = RunStore::create(folder_ / "run");
};

std::string unescaped(std::string text) {
  for (const auto& [from, to] :
       {std::make_pair("&lt;", "<"), std::make_pair("&gt;", ">"), std::make_pair("&amp;", "&")}) {
    for (size_t i = text.find(from); i != std::string::npos; i = text.find(from, i + 1))
      text.replace(i, std::string(from).size(), to);
  }
  return text;
}

TEST_F(BrowserTest, ReaderSortsFiltersDrillsDownAndSavesWithoutErrorOrRequest) {
  if (browser().empty()) GTEST_SKIP() << kNoBrowser;
  fill();
  std::string text = page();
  const std::string watch =
      "<script>window.probeErrors = []; addEventListener('error', e => probeErrors.push('error: ' + e.message)); "
      "addEventListener('unhandledrejection', e => probeErrors.push('rejection: ' + e.reason)); "
      "addEventListener('securitypolicyviolation', e => probeErrors.push('policy: ' + e.blockedURI)); "
      "for (const kind of ['error', 'warn']) console[kind] = (...all) => probeErrors.push(kind + ': ' + all.join(' '));"
      "</script>\n";
  text.insert(text.find("<meta name=\"viewport\""), watch);
  const std::string probe = read_text_file(fs::path(TAGBENCH_PAGE_PROBE), uint64_t{1} << 20U);
  text.insert(text.rfind("</body>"), "<script>\n" + probe + "</script>\n");
  write_file_atomically(folder_ / "page.html", text);

  const std::string dom = browse("--virtual-time-budget=20000 --dump-dom", "page.html");
  const std::string open = "<pre id=\"probe\">";
  const size_t begin = dom.find(open);
  ASSERT_NE(begin, std::string::npos) << "the page's scripts did not come to their end";
  const size_t end = dom.find("</pre>", begin);
  const Json found = Json::parse(unescaped(dom.substr(begin + open.size(), end - begin - open.size())));
  EXPECT_EQ(found["errors"], Json::array()) << found["errors"].dump(1);
  const Json& steps = found["steps"];
  SCOPED_TRACE(steps.dump(1));
  const auto numbers = [&](const char* step) { return steps[step]["values"].get<std::vector<double>>(); };
  std::vector<double> descending = numbers("descending");
  EXPECT_EQ(descending.size(), 3U);
  EXPECT_TRUE(std::is_sorted(descending.rbegin(), descending.rend()));
  EXPECT_EQ(steps["descending"]["sort"], "descending");
  std::reverse(descending.begin(), descending.end());
  EXPECT_EQ(numbers("ascending"), descending);
  EXPECT_EQ(steps["ascending"]["sort"], "ascending");
  EXPECT_EQ(steps["byName"], Json::array({"fcn", "sample", "short"}));
  EXPECT_EQ(steps["filtered"]["rows"], Json::array({"fcn"}));
  EXPECT_EQ(steps["filtered"]["says"], "1 of 3 architectures");
  EXPECT_EQ(steps["intervals"], Json::array({"none", "block"}));
  EXPECT_TRUE(steps["hiddenColumn"].get<bool>());
  EXPECT_TRUE(steps["shownAgain"].get<bool>());
  EXPECT_THAT(steps["movedTo"].get<std::string>(), StartsWith("tag1, "));
  EXPECT_EQ(steps["drilledTo"], "tag1");
  EXPECT_EQ(steps["tagFocused"], "SELECT");
  EXPECT_EQ(steps["clickedTo"], "tag2");
  EXPECT_EQ(steps["tagPairs"], 3);
  EXPECT_THAT(steps["secondTable"].get<std::string>(), StartsWith("PR-AUC"));
  EXPECT_TRUE(steps["sideTables"].get<bool>());
  EXPECT_NE(steps["themes"][0], steps["themes"][1]);
  EXPECT_EQ(steps["unnamed"], 0);
  EXPECT_EQ(steps["requests"], Json::array());
  EXPECT_EQ(steps["figures"].size(), 8U);
  for (const auto& [id, figure] : steps["figures"].items()) {
    EXPECT_EQ(figure["drawn"], 1) << id;
    EXPECT_EQ(figure["svg"], "svg") << id;
    EXPECT_GT(figure["csvRows"], 1) << id;
  }
}

TEST_F(BrowserTest, PagePrints) {
  if (browser().empty()) GTEST_SKIP() << kNoBrowser;
  fill();
  write_file_atomically(folder_ / "page.html", page());
  browse("--virtual-time-budget=5000 --print-to-pdf='" + (folder_ / "page.pdf").string() + "'", "page.html");
  ASSERT_TRUE(fs::exists(folder_ / "page.pdf"));
  const std::string pdf = read_text_file(folder_ / "page.pdf", uint64_t{1} << 28U);
  EXPECT_EQ(pdf.substr(0, 5), "%PDF-");
  EXPECT_THAT(pdf, HasSubstr("/Type /Page"));
}

}  // namespace
}  // namespace tagbench
