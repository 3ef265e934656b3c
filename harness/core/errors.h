#pragma once

#include <stdexcept>
#include <string>

namespace tagbench {

// Every error that a user can cause or meet derives from Error and knows the program's exit code. Messages read
// "who: what was expected, what was found (where; what to do)". Bugs of our own are std::logic_error (exit code 70).
class Error : public std::runtime_error {
 public:
  Error(const std::string& message, int exit_code) : std::runtime_error(message), exit_code_(exit_code) {}
  int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

// Wrong usage or configuration: flags, experiment files, names, values.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& message) : Error(message, 2) {}
};

// Data that is missing, damaged, unreadable or cannot be written.
class DataError : public Error {
 public:
  explicit DataError(const std::string& message) : Error(message, 3) {}
};

// A measurement that must not be trusted (noise gate).
class MeasurementError : public Error {
 public:
  explicit MeasurementError(const std::string& message) : Error(message, 4) {}
};

// The user stopped the program; finished work is on disk.
class Interrupted : public Error {
 public:
  explicit Interrupted(const std::string& message) : Error(message, 130) {}
};

}  // namespace tagbench
