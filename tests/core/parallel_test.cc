#include "harness/core/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <vector>

#include "harness/core/errors.h"
#include "harness/core/interrupt.h"

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

// In a process of its own: the flag stays set for good.
TEST(ParallelDeathTest, AnInterruptStopsHandingOut) {
  for (const int threads : {1, 4}) {
    const auto interrupted = [threads] {
      handle_interrupts();
      std::atomic<int64_t> done{0};
      try {
        parallel_for(1000000, threads, [&](int64_t i) {
          ++done;
          if (i == 10) std::raise(SIGTERM);
        });
      } catch (const Interrupted&) {
        std::_Exit(done < 1000000 ? 7 : 8);
      }
      std::_Exit(9);
    };
    EXPECT_EXIT(interrupted(), ::testing::ExitedWithCode(7), "");
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
