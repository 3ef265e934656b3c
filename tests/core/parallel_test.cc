#include "harness/core/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

namespace tagbench {
namespace {

TEST(ParallelTest, DoesEachIndexOnce) {
  for (const int threads : {-1, 0, 1, 2, 7, 100}) {
    for (const int64_t count : {0, 1, 2, 1000}) {
      std::vector<std::atomic<int>> done(static_cast<size_t>(count));
      parallel_for(count, threads, [&](int64_t i) { ++done[static_cast<size_t>(i)]; });
      for (const auto& times : done) ASSERT_EQ(times, 1);
    }
  }
}

TEST(ParallelTest, RunsOneThreadInTheCaller) {
  parallel_for(3, 1, [caller = std::this_thread::get_id()](int64_t) { EXPECT_EQ(std::this_thread::get_id(), caller); });
}

TEST(ParallelTest, RethrowsTheFirstErrorAndStopsHandingOut) {
  for (const int threads : {1, 4}) {
    std::atomic<int64_t> done{0};
    EXPECT_THROW(parallel_for(1000000, threads,
                              [&](int64_t i) {
                                ++done;
                                if (i == 10) throw std::runtime_error("ten");
                              }),
                 std::runtime_error);
    EXPECT_LT(done, 1000000);
  }
}

TEST(ParallelTest, MayBeNested) {
  std::atomic<int> done{0};
  parallel_for(4, 4, [&](int64_t) { parallel_for(5, 2, [&](int64_t) { ++done; }); });
  EXPECT_EQ(done, 20);
}

TEST(ParallelTest, CountsTheProcessorsItMayUse) {
  EXPECT_GE(available_processors(), 1);
}

}  // namespace
}  // namespace tagbench
