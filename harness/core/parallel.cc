#include "harness/core/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "harness/core/interrupt.h"

namespace tagbench {

int available_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void parallel_for(int64_t count, int threads, const std::function<void(int64_t)>& work) {
  const auto wanted = static_cast<int>(std::min<int64_t>(threads, count));
  if (wanted <= 1) {
    for (int64_t i = 0; i < count; ++i) {
      throw_if_interrupted();
      work(i);
    }
    return;
  }
  std::atomic<int64_t> next{0};
  std::atomic<bool> stop{false};
  std::exception_ptr error;
  std::mutex error_mutex;
  const auto run = [&] {
    while (!stop) {
      const int64_t i = next++;
      if (i >= count) return;
      try {
        throw_if_interrupted();
        work(i);
      } catch (...) {
        const std::lock_guard<std::mutex> guard(error_mutex);
        if (!error) error = std::current_exception();
        stop = true;
      }
    }
  };
  std::vector<std::thread> pool;
  for (int t = 0; t < wanted; ++t) pool.emplace_back(run);
  for (std::thread& thread : pool) thread.join();
  if (error) std::rethrow_exception(error);
}

}  // namespace tagbench
