#include "tests/support/test_support.h"

#include <cstdlib>
#include <stdexcept>

#include "harness/core/errors.h"

namespace tagbench::testing {

std::filesystem::path shared_path(const std::string& relative) {
  const char* given = std::getenv("TAGBENCH_SHARED");
  return std::filesystem::path(given != nullptr ? given : TAGBENCH_SHARED_DIR) / relative;
}

bool shared_exists(const std::string& relative) {
  return std::filesystem::exists(shared_path(relative));
}

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "tagbench-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder " + pattern);
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string message_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "an error was expected, nothing was thrown";
  return {};
}

}  // namespace tagbench::testing
