#include "harness/core/progress.h"

#include <gtest/gtest.h>

namespace tagbench {
namespace {

TEST(ProgressTest, TellsDurationsInTheirLargestUnits) {
  EXPECT_EQ(duration_text(0.4), "0 s");
  EXPECT_EQ(duration_text(12.3), "12 s");
  EXPECT_EQ(duration_text(59.6), "1 min 00 s");
  EXPECT_EQ(duration_text(200), "3 min 20 s");
  EXPECT_EQ(duration_text(3720), "1 h 02 min");
  EXPECT_EQ(duration_text(100.0 * 3600), "100 h 00 min");
}

TEST(ProgressTest, DrawsNothingWhereStderrIsNoTerminal) {
  ::testing::internal::CaptureStderr();
  {
    Progress progress("decoding", 10, "tracks");
    for (int i = 0; i < 10; ++i) progress.advance();
    Progress::clear_line();
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace tagbench
