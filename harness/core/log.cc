#include "harness/core/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>

#include "harness/core/errors.h"
#include "harness/core/progress.h"

namespace tagbench {
namespace {

std::shared_ptr<spdlog::sinks::dist_sink_mt> all_sinks() {
  static auto sinks = std::make_shared<spdlog::sinks::dist_sink_mt>();
  return sinks;
}

// A log line must not be written into the middle of a progress bar.
class TerminalSink : public spdlog::sinks::stderr_color_sink_mt {
 public:
  void log(const spdlog::details::log_msg& message) override {
    Progress::clear_line();
    spdlog::sinks::stderr_color_sink_mt::log(message);
  }
};

}  // namespace

bool stderr_is_decorated() {
  return ::isatty(STDERR_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
}

void set_up_logging(Verbosity verbosity) {
  auto terminal = std::make_shared<TerminalSink>();
  if (!stderr_is_decorated()) terminal->set_color_mode(spdlog::color_mode::never);
  terminal->set_pattern("%^%l%$: %v");
  terminal->set_level(verbosity == Verbosity::kQuiet
                          ? spdlog::level::warn
                          : (verbosity == Verbosity::kVerbose ? spdlog::level::debug : spdlog::level::info));
  all_sinks()->set_sinks({terminal});
  auto logger = std::make_shared<spdlog::logger>("tagbench", all_sinks());
  logger->set_level(spdlog::level::debug);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(logger);
}

LogFile::LogFile(const std::filesystem::path& path) {
  try {
    sink_ = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string());
  } catch (const spdlog::spdlog_ex& error) {
    throw DataError("cannot write log file " + path.string() + ": " + error.what());
  }
  sink_->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
  all_sinks()->add_sink(sink_);
}

LogFile::~LogFile() {
  all_sinks()->remove_sink(sink_);
}

}  // namespace tagbench
