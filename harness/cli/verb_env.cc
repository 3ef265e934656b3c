#include <memory>

#include "harness/cli/print.h"
#include "harness/cli/verbs.h"
#include "harness/run/environment.h"

namespace tagbench {

void add_env(CLI::App& app, VerbContext& context) {
  CLI::App* verb = app.add_subcommand("env", "Tell versions, processor, BLAS and devices: what a bug report needs");
  auto format = std::make_shared<std::string>("table");
  verb->add_option("--format", *format, "table (default), csv or json");
  verb->callback([format, &context] {
    context.action = [format] {
      const Json json = environment();
      if (*format == "json") {
        print_text(json.dump(2) + "\n");
        return 0;
      }
      Listing listing({"what", "value"});
      for (const auto& [key, value] : json.items()) listing.add({key, value});
      listing.print(*format);
      return 0;
    };
  });
}

}  // namespace tagbench
