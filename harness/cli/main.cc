#include <c10/util/Exception.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>

#include "harness/cli/usage_error.h"
#include "harness/cli/verbs.h"
#include "harness/core/errors.h"
#include "harness/core/log.h"
#include "harness/core/text.h"
#include "harness/core/version.h"

namespace {

std::string joined_command_line(int argc, char** argv) {
  std::vector<std::string> words(argv, argv + argc);
  words[0] = "tagbench";
  return tagbench::join_text(words, " ");
}

// Threads of LibTorch's OpenMP spin while they wait, on the processors that the rendering of perturbed audio needs: two
// of them render 1.4 times as fast as one instead of 1.8 times. Whether they spin is read from the environment before
// main() begins, so verbs that render start over once with threads that sleep (training alone would lose some 5 %).
// What the user has set stays; child processes, which may measure speed, get the environment as it was.
void sleep_instead_of_spinning(int argc, char** argv) {
  constexpr const char* kPolicy = "OMP_WAIT_POLICY";
  constexpr const char* kStartedOver = "TAGBENCH_STARTED_OVER";
  if (std::getenv(kStartedOver) != nullptr) {
    ::unsetenv(kStartedOver);
    ::unsetenv(kPolicy);
    return;
  }
  if (std::getenv(kPolicy) != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb != "run" && verb != "eval") return;
  ::setenv(kPolicy, "passive", 1);
  ::setenv(kStartedOver, "1", 1);
  ::execv("/proc/self/exe", argv);
  // Without /proc the work is merely slower.
  ::unsetenv(kStartedOver);
  ::unsetenv(kPolicy);
}

int run_program(int argc, char** argv) {
  using namespace tagbench;
  CLI::App app{"tagbench: music-tagging results that can be compared"};
  app.name("tagbench");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("tagbench ") + kVersion);
  bool verbose = false;
  bool quiet = false;
  app.add_flag("--verbose", verbose, "Say more, with full library errors");
  app.add_flag("--quiet", quiet, "Only warnings and errors");
  app.fallthrough();
  app.footer(
      "Exit codes: 0 good; 1 finished, but cells failed or a check did not hold; 2 wrong usage or configuration; 3 "
      "data missing or\n"
      "damaged; 4 an invalid measurement; 70 internal error; 130 interrupted, state saved.");
  VerbContext context;
  context.command_line = joined_command_line(argc, argv);
  for (const auto add : {add_run, add_train, add_eval, add_validate, add_predict, add_score, add_perturb, add_bench,
                         add_report, add_check, add_compare, add_data, add_list, add_import, add_export, add_env}) {
    add(app, context);
  }

  set_up_logging(Verbosity::kNormal);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& request) {
    return app.exit(request);
  } catch (const CLI::CallForAllHelp& request) {
    return app.exit(request);
  } catch (const CLI::CallForVersion& request) {
    return app.exit(request);
  } catch (const CLI::ParseError& error) {
    spdlog::error("{}", usage_error_text(app, argc, argv, error));
    return 2;
  }
  set_up_logging(verbose ? Verbosity::kVerbose : (quiet ? Verbosity::kQuiet : Verbosity::kNormal));

  try {
    return context.action();
  } catch (const Interrupted& error) {
    spdlog::warn("{}", error.what());
    return error.exit_code();
  } catch (const Error& error) {
    spdlog::error("{}", error.what());
    return error.exit_code();
  } catch (const c10::Error& error) {
    spdlog::error("LibTorch: {}", verbose ? error.what() : error.what_without_backtrace());
    return 70;
  } catch (const std::bad_alloc&) {
    spdlog::error("out of memory");
    return 70;
  } catch (const std::exception& error) {
    spdlog::error("internal error: {}", error.what());
    return 70;
  }
}

}  // namespace

int main(int argc, char** argv) {
  sleep_instead_of_spinning(argc, argv);
  return run_program(argc, argv);
}
