#pragma once

#include <spdlog/spdlog.h>

#include <filesystem>
#include <memory>

// Logging (spdlog) to stderr, and to a run's log.txt. stdout belongs to the data asked for. Use spdlog::info and
// friends.
namespace tagbench {

enum class Verbosity { kQuiet, kNormal, kVerbose };

// Once, at start. Colours only on a terminal and without NO_COLOR.
void set_up_logging(Verbosity verbosity);

// Also logs into a file as long as the object lives. Errors: DataError if the file cannot be written.
class LogFile {
 public:
  explicit LogFile(const std::filesystem::path& path);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

 private:
  spdlog::sink_ptr sink_;
};

// True if stderr is a terminal and NO_COLOR is unset: the condition for bars and colours.
bool stderr_is_decorated();

}  // namespace tagbench
