#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace tagbench {

// What every verb may need beside its own flags.
struct VerbContext {
  std::string command_line;
  std::function<int()> action;  // set by the verb that was called; returns the exit code
};

// Each adds one verb with its flags and help to the program.
void add_run(CLI::App& app, VerbContext& context);
void add_train(CLI::App& app, VerbContext& context);
void add_eval(CLI::App& app, VerbContext& context);
void add_validate(CLI::App& app, VerbContext& context);
void add_predict(CLI::App& app, VerbContext& context);
void add_score(CLI::App& app, VerbContext& context);
void add_perturb(CLI::App& app, VerbContext& context);
void add_bench(CLI::App& app, VerbContext& context);
void add_report(CLI::App& app, VerbContext& context);
void add_check(CLI::App& app, VerbContext& context);
void add_compare(CLI::App& app, VerbContext& context);
void add_data(CLI::App& app, VerbContext& context);
void add_list(CLI::App& app, VerbContext& context);
void add_import(CLI::App& app, VerbContext& context);
void add_export(CLI::App& app, VerbContext& context);
void add_env(CLI::App& app, VerbContext& context);

}  // namespace tagbench
