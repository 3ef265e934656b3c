#pragma once

#include <cstdint>
#include <functional>

namespace tagbench {

// Number of processors this process may run on (respects affinity and cgroup masks).
int available_processors();

// Calls work(i) for i in [0, count) on `threads` threads, each index once, in no promised order. The first exception
// stops the hand-out of further indices and is rethrown here after all threads have ended. threads <= 1 runs in the
// caller. Between indices it polls the interrupt flag. Errors: Interrupted.
void parallel_for(int64_t count, int threads, const std::function<void(int64_t)>& work);

}  // namespace tagbench
