#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace tagbench {

// What is wrong with a command line that `error` refused, in one line: an unknown verb or flag with the nearest known
// one; else what CLI11 says.
std::string usage_error_text(const CLI::App& app, int argc, char** argv, const CLI::ParseError& error);

}  // namespace tagbench
