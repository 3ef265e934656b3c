#include <memory>

#include "harness/cli/load_model.h"
#include "harness/cli/print.h"
#include "harness/cli/verbs.h"
#include "harness/core/errors.h"
#include "harness/core/log.h"
#include "harness/core/text.h"
#include "harness/nn/script_tagger.h"

namespace tagbench {
namespace {

struct WeightsFlags {
  LoadModelFlags model;
  std::string file, output, format;
};

int import_weights(WeightsFlags flags) {
  flags.model.weights = flags.file;
  const LoadedModel model = load_model(flags.model);
  save_model_file(flags.output, *model.tagger, model.info);
  spdlog::info("{}: {} tags, written to {}", model.info.model, model.n_tags, flags.output);
  return 0;
}

int export_weights(WeightsFlags flags) {
  flags.model.weights = flags.file;
  const LoadedModel model = load_model(flags.model);
  std::string format = flags.format;
  if (format.empty()) {
    if (ends_with(flags.output, ".pt")) format = "torchscript";
    if (ends_with(flags.output, ".safetensors")) format = "safetensors";
    if (format.empty()) {
      throw UsageError("export: an output that ends in .safetensors or .pt was expected, found '" + flags.output +
                       "'; or give --format");
    }
  }
  if (format == "safetensors") {
    save_model_file(flags.output, *model.tagger, model.info);
  } else if (format == "torchscript") {
    export_torchscript(flags.output, *model.tagger, model.info);
  } else {
    throw UsageError("export: unknown format '" + format + "'; " + suggestion(format, {"safetensors", "torchscript"}));
  }
  spdlog::info("{}: written to {} ({})", model.info.model, flags.output, format);
  return 0;
}

}  // namespace

void add_import(CLI::App& app, VerbContext& context) {
  CLI::App* verb =
      app.add_subcommand("import", "Read weights (.pth, .safetensors, TorchScript) and write a model file of our own");
  auto flags = std::make_shared<WeightsFlags>();
  flags->model.add_model_flags(*verb);
  verb->add_option("file", flags->file, "The weights to read")->required();
  verb->add_option("-o,--output", flags->output, "The .safetensors file to write")->required();
  verb->callback([flags, &context] { context.action = [flags] { return import_weights(*flags); }; });
}

void add_export(CLI::App& app, VerbContext& context) {
  CLI::App* verb = app.add_subcommand("export", "Write a model as safetensors, or as TorchScript that PyTorch loads");
  auto flags = std::make_shared<WeightsFlags>();
  flags->model.add_model_flags(*verb);
  verb->add_option("file", flags->file, "The weights to read")->required();
  verb->add_option("-o,--output", flags->output, "The file to write: .safetensors or .pt")->required();
  verb->add_option("--format", flags->format, "safetensors or torchscript (default: by the output's ending)");
  verb->callback([flags, &context] { context.action = [flags] { return export_weights(*flags); }; });
}

}  // namespace tagbench
