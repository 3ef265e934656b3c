#include "harness/cli/usage_error.h"

#include <algorithm>
#include <vector>

#include "harness/core/text.h"

namespace tagbench {
namespace {

std::vector<std::string> verb_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands({})) names.push_back(verb->get_name());
  return names;
}

// Long names of the flags that may follow `verb`: its own and, as they fall through, those of the verbs around it.
std::vector<std::string> flag_names(const CLI::App& verb) {
  std::vector<std::string> names;
  for (const CLI::App* app = &verb; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options())
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

}  // namespace

std::string usage_error_text(const CLI::App& app, int argc, char** argv, const CLI::ParseError& error) {
  const CLI::App* verb = &app;
  std::string called = "tagbench";
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const std::vector<std::string> verbs = verb_names(*verb);
    if (word == "--") break;
    if (word.rfind("--", 0) == 0) {
      const std::string flag = word.substr(0, word.find('='));
      const std::vector<std::string> known = flag_names(*verb);
      if (std::find(known.begin(), known.end(), flag) != known.end()) continue;
      const auto near = nearest_name(flag, known);
      return called + ": unknown flag " + flag + (near ? "; did you mean " + *near + "?" : "") + "; see " + called +
             " --help";
    }
    if (word.rfind('-', 0) == 0 || verbs.empty()) continue;
    if (std::find(verbs.begin(), verbs.end(), word) == verbs.end())
      return called + ": unknown verb '" + word + "'; " + suggestion(word, verbs);
    verb = verb->get_subcommand(word);
    called += " " + word;
  }
  return std::string(error.what()) + "; see " + called + " --help";
}

}  // namespace tagbench
