#include "harness/core/interrupt.h"

#include <unistd.h>

#include <csignal>

#include "harness/core/errors.h"

namespace tagbench {
namespace {

volatile std::sig_atomic_t requested = 0;

void on_signal(int /*signal*/) {
  if (requested != 0) _exit(130);
  requested = 1;
}

}  // namespace

void handle_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool interrupt_requested() {
  return requested != 0;
}

void throw_if_interrupted() {
  if (interrupt_requested()) throw Interrupted("interrupted; finished work is saved, the same command continues it");
}

}  // namespace tagbench
