#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>

namespace tagbench::testing {

// Reference data beside the project (`../shared`, or the folder named by TAGBENCH_SHARED).
std::filesystem::path shared_path(const std::string& relative);
bool shared_exists(const std::string& relative);

// A folder of the test's own, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// The message of the tagbench::Error that `act` throws; fails the test (and returns "") if it throws nothing.
std::string message_of(const std::function<void()>& act);

}  // namespace tagbench::testing

// First line of a test that needs reference data.
#define TAGBENCH_REQUIRE_SHARED(relative)                                                         \
  if (!::tagbench::testing::shared_exists(relative)) {                                            \
    GTEST_SKIP() << "reference data is not here: " << ::tagbench::testing::shared_path(relative); \
  }                                                                                               \
  static_assert(true, "")
