#include "harness/core/rng.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace tagbench {
namespace {

using ::testing::ElementsAre;

Rng golden() {
  return {42, {"noise", "track 7"}};
}

// Every stored result of the program rests on these: they may never change. The generator's and the draws' values
// were computed by an independent implementation from the seed that derived_seed gives.
TEST(RngTest, DrawsTheStoredValues) {
  EXPECT_EQ(derived_seed(42, {"noise", "track 7"}), 0x0B19EB93BC9C4978U);
  Rng words = golden();
  for (const uint64_t expected :
       {0x81F41035302F9A99U, 0xB5A95F42DF11AB72U, 0x4241476742AA4D0BU, 0xFD2847F7744D1C47U, 0x5C2E9334645844C3U}) {
    EXPECT_EQ(words.next(), expected);
  }
  Rng uniform = golden();
  for (const double expected : {0.5076303605894154, 0.7096156633625187, 0.25880857726102946, 0.9888958911072233}) {
    EXPECT_EQ(uniform.uniform(), expected);
  }
  Rng normal = golden();
  for (const double expected : {0.0678096135304858, 1.8628159122998793, -0.5764148497209225, -1.1948779713834639}) {
    // The standard library's logarithm may differ in its last bit.
    EXPECT_DOUBLE_EQ(normal.normal(), expected);
  }
  Rng below = golden();
  for (const int64_t expected : {49, 6, 99, 23, 23, 50, 19, 18, 40, 21}) EXPECT_EQ(below.below(100), expected);
  EXPECT_THAT(golden().permutation(10), ElementsAre(8, 2, 4, 6, 0, 5, 7, 3, 1, 9));
}

TEST(RngTest, KeysThatDifferGiveOtherStreams) {
  std::set<uint64_t> seeds = {derived_seed(0, {}),          derived_seed(1, {}),          derived_seed(0, {""}),
                              derived_seed(0, {"", ""}),    derived_seed(0, {"ab", "c"}), derived_seed(0, {"a", "bc"}),
                              derived_seed(0, {"abc"}),     derived_seed(0, {"c", "ab"}), derived_seed(0, {"1:a"}),
                              derived_seed(0, {"a", "1:a"})};
  EXPECT_EQ(seeds.size(), 10U);
}

TEST(RngTest, TheSameKeyGivesTheSameStream) {
  Rng a(7, {"x"});
  Rng b(7, {"x"});
  for (int i = 0; i < 100; ++i) ASSERT_EQ(a.next(), b.next());
}

TEST(RngTest, UniformFillsItsRangeEvenly) {
  Rng rng(1, {"uniform"});
  constexpr int kDraws = 100000;
  constexpr int kBins = 20;
  std::vector<int> counts(kBins, 0);
  for (int i = 0; i < kDraws; ++i) {
    const double value = rng.uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    ++counts[static_cast<size_t>(value * kBins)];
  }
  double chi_square = 0.0;
  for (const int count : counts) chi_square += std::pow(count - kDraws / kBins, 2) / (kDraws / kBins);
  EXPECT_LT(chi_square, 43.8);  // 19 degrees of freedom, p = 0.001; the draws are fixed
  for (int i = 0; i < 1000; ++i) {
    const double value = rng.uniform(-3.0, 5.0);
    ASSERT_GE(value, -3.0);
    ASSERT_LT(value, 5.0);
  }
}

TEST(RngTest, BelowReachesEveryValueEvenly) {
  Rng rng(1, {"below"});
  std::vector<int> counts(7, 0);
  for (int i = 0; i < 70000; ++i) ++counts[static_cast<size_t>(rng.below(7))];
  // Five standard deviations of a binomial count.
  for (const int count : counts) EXPECT_NEAR(count, 10000, 5 * std::sqrt(10000.0 * 6.0 / 7.0));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(rng.below(1), 0);
  EXPECT_GE(rng.below(INT64_MAX), 0);
  EXPECT_THROW(rng.below(0), std::logic_error);
  EXPECT_THROW(rng.below(-1), std::logic_error);
}

TEST(RngTest, NormalHasItsMoments) {
  Rng rng(1, {"normal"});
  constexpr int kDraws = 200000;
  double sum = 0.0;
  double squares = 0.0;
  double fourths = 0.0;
  for (int i = 0; i < kDraws; ++i) {
    const double value = rng.normal();
    sum += value;
    squares += value * value;
    fourths += value * value * value * value;
  }
  // Five standard errors: 1, sqrt(2) and sqrt(96) over sqrt(n).
  const double unit = 5.0 / std::sqrt(static_cast<double>(kDraws));
  EXPECT_NEAR(sum / kDraws, 0.0, unit);
  EXPECT_NEAR(squares / kDraws, 1.0, unit * std::sqrt(2.0));
  EXPECT_NEAR(fourths / kDraws, 3.0, unit * std::sqrt(96.0));
}

TEST(RngTest, ShufflesAllOrdersAlike) {
  Rng rng(1, {"shuffle"});
  std::map<std::vector<int64_t>, int> counts;
  for (int i = 0; i < 24000; ++i) ++counts[rng.permutation(4)];
  EXPECT_EQ(counts.size(), 24U);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 1000, 5 * std::sqrt(1000.0));
  EXPECT_TRUE(rng.permutation(0).empty());
  EXPECT_THAT(rng.permutation(1), ElementsAre(0));
}

}  // namespace
}  // namespace tagbench
