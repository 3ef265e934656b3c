#include "harness/nn/script_tagger.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/npy.h"
#include "harness/core/rng.h"
#include "harness/core/text.h"
#include "harness/nn/byte_source.h"
#include "harness/nn/zip_archive.h"

namespace tagbench {
namespace {

// What went wrong, of an error of LibTorch's interpreter: it ends with the exception, "ValueError: ...", which may have
// several lines; the lines before it say where.
std::string raised(const std::string& text) {
  std::vector<std::string> exception;
  std::string last;
  for (const std::string& line : split_text(text, '\n')) {
    if (trim(line).empty()) continue;
    last = trim(line);
    const std::string word = line.substr(0, line.find(':'));
    const bool begins = word.size() < line.size() && word.find(' ') == std::string::npos &&
                        (ends_with(word, "Error") || ends_with(word, "Exception"));
    if (begins) exception.clear();
    if (begins || !exception.empty()) exception.push_back(last);
  }
  return exception.empty() ? last : join_text(exception, " ");
}

// What went wrong, of an error of LibTorch's parser: the lines after it show the place.
std::string first_line(const std::string& text) {
  for (const std::string& line : split_text(text, '\n')) {
    if (!trim(line).empty()) return trim(line);
  }
  return "no reason given";
}

void require_script_file(const std::filesystem::path& path) {
  const FileSource source(path);
  const std::string hint = "; save it with torch.jit.script(model).save('net.pt') or torch.jit.trace";
  if (source.size() < 4 || source.text(0, 4) != "PK\x03\x04")
    throw DataError(path.string() + ": no TorchScript file" + hint);
  const ZipArchive archive(source);
  for (const ZipArchive::Entry& entry : archive.entries()) {
    if (ends_with(entry.name, "constants.pkl")) return;
  }
  throw DataError(path.string() + ": holds weights alone, as of torch.save, and no TorchScript program" + hint);
}

torch::jit::Module load_script(const std::filesystem::path& path) {
  require_script_file(path);
  try {
    return torch::jit::load(path.string(), c10::Device(c10::kCPU));
  } catch (const c10::Error& error) {
    throw DataError(path.string() + ": LibTorch cannot load it: " + first_line(error.what_without_backtrace()));
  } catch (const std::exception& error) {
    throw DataError(path.string() + ": LibTorch cannot load it: " + first_line(error.what()));
  }
}

// forward(self, waveform), where anything more has a default.
void require_signature(const torch::jit::Module& script, const std::string& who) {
  const auto forward = script.find_method("forward");
  if (!forward) throw DataError(who + ": the network has no forward(waveform)");
  const std::vector<c10::Argument>& arguments = forward->function().getSchema().arguments();
  bool fits = arguments.size() >= 2 && arguments[1].type()->isSubtypeOf(*c10::TensorType::get());
  for (size_t i = 2; i < arguments.size(); ++i) fits = fits && arguments[i].default_value().has_value();
  if (fits) return;
  std::ostringstream schema;
  schema << forward->function().getSchema();
  throw DataError(who + ": forward must take one tensor, waveforms [B, T]; found " + safe_quote(schema.str()));
}

// Registers the tensors of a script module under their own names: handles of the same tensors, so moving one moves
// both.
void mirror(const torch::jit::Module& script, torch::nn::Module& target) {
  for (const auto& parameter : script.named_parameters(/*recurse=*/false)) {
    target.register_parameter(parameter.name, parameter.value, parameter.value.requires_grad());
  }
  for (const auto& buffer : script.named_buffers(/*recurse=*/false)) target.register_buffer(buffer.name, buffer.value);
  for (const auto& child : script.named_children()) {
    mirror(child.value, *target.register_module(child.name, std::make_shared<torch::nn::Module>()));
  }
}

TaggerFacts facts_of(const ScriptTaggerOptions& options) {
  const std::string who = "script:" + options.path.string();
  if (options.sample_rate_hz < 1)
    throw UsageError(who + ": --sample-rate-hz must be positive, got " + std::to_string(options.sample_rate_hz));
  constexpr int64_t kMaxInputSamples = int64_t{1} << 28U;
  if (options.input_samples < 1 || options.input_samples > kMaxInputSamples) {
    throw UsageError(who + ": --chunk-samples must be from 1 to " + std::to_string(kMaxInputSamples) + ", got " +
                     std::to_string(options.input_samples) + "; tell how many samples the network takes at once");
  }
  TaggerFacts facts;
  facts.name = "script";
  facts.row_name = options.path.stem().string();
  facts.source = options.path.string();
  facts.sample_rate_hz = options.sample_rate_hz;
  facts.input_samples = options.input_samples;
  facts.front_end = "waveform";
  facts.receptive_field_samples = options.input_samples;
  return facts;
}

// A name that TorchScript accepts for a class.
std::string class_name(const std::string& path) {
  std::string name = "__torch__.tagbench.";
  for (const char c : path) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
}

// A script module without methods, with the tensors of `module` under their names.
torch::jit::Module script_of(const torch::nn::Module& module, const std::string& path,
                             const std::shared_ptr<torch::jit::CompilationUnit>& unit) {
  torch::jit::Module script(c10::QualifiedName(class_name(path)), unit, /*shouldMangle=*/true);
  script.register_attribute("training", c10::BoolType::get(), false);
  for (const auto& item : module.named_parameters(/*recurse=*/false))
    script.register_parameter(item.key(), item.value(), /*is_buffer=*/false);
  for (const auto& item : module.named_buffers(/*recurse=*/false)) script.register_buffer(item.key(), item.value());
  for (const auto& item : module.named_children())
    script.register_module(item.key(), script_of(*item.value(), path + "." + item.key(), unit));
  return script;
}

// Chunks of noise and, so that silence is met as well, one of zeros at the end.
torch::Tensor example_chunks(int64_t count, int64_t samples) {
  torch::Tensor chunks = torch::zeros({count, samples});
  float* values = chunks.data_ptr<float>();
  Rng rng(0, {"torchscript example"});
  for (int64_t i = 0; i < (count - 1) * samples; ++i) values[i] = static_cast<float>(rng.uniform(-0.5, 0.5));
  return chunks;
}

// Records what the tagger does with `chunks` as the method `name` of `script`.
void record(Tagger& tagger, torch::jit::Module& script, const std::string& name, const torch::Tensor& chunks) {
  const auto forward = [&](torch::jit::Stack inputs) {
    return torch::jit::Stack{tagger.forward(inputs.at(0).toTensor())};
  };
  const auto no_names = [](const torch::Tensor&) { return std::string(); };
  const auto traced = torch::jit::tracer::trace({chunks}, forward, no_names, /*strict=*/true, /*force_outplace=*/false,
                                                &script, {"waveform"});
  const std::shared_ptr<torch::jit::Graph> graph = traced.first->graph;
  torch::jit::EliminateDeadCode(graph);
  torch::jit::Function* method =
      script._ivalue()->compilation_unit()->create_function(c10::QualifiedName(*script.type()->name(), name), graph);
  script.type()->addMethod(method);
}

// The largest difference from the expected logits, or nothing if the file's program fails or gives another shape.
std::optional<double> difference(torch::jit::Module& script, const torch::Tensor& chunks,
                                 const torch::Tensor& expected) {
  try {
    const torch::Tensor found = script.forward({chunks}).toTensor();
    if (found.sizes() != expected.sizes()) return std::nullopt;
    return (found - expected).abs().max().item<double>();
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::string saved(const torch::jit::Module& script, const ModelFileInfo& info) {
  std::ostringstream stream;
  script.save(stream, {{kModelInfoKey, model_info_text(info)}});
  return stream.str();
}

torch::jit::Module loaded(const std::string& bytes) {
  std::istringstream stream(bytes);
  return torch::jit::load(stream, c10::Device(c10::kCPU));
}

}  // namespace

ScriptTagger::ScriptTagger(const ScriptTaggerOptions& options)
    : Tagger(facts_of(options)),
      script_(load_script(options.path)),
      name_of_file_(options.path.string()),
      n_tags_(options.n_tags),
      outputs_probabilities_(options.outputs_probabilities) {
  require_signature(script_, name_of_file_);
  try {
    mirror(script_, *this);
  } catch (const c10::Error& error) {
    throw DataError(name_of_file_ +
                    ": the network's parts cannot be registered: " + first_line(error.what_without_backtrace()));
  }
  train(false);
  const at::NoGradGuard no_grad;
  // Two chunks, so that an output without the batch, or of one fixed size, is noticed here.
  network(torch::zeros({2, options.input_samples}));
}

torch::Tensor ScriptTagger::front_end(const torch::Tensor& waveform) {
  return waveform;
}

torch::Tensor ScriptTagger::network(const torch::Tensor& features) {
  // The features are the sweep's chunks, which other networks see too; a user's network may write into its input.
  const torch::Tensor output = run(features.clone());
  const std::string who =
      name_of_file_ + ": on an input of " + shape_text(features.sizes().vec()) + " the network must return ";
  if (!output.is_floating_point())
    throw DataError(who + "floating-point values, found " + c10::toString(output.scalar_type()));
  const bool right_rank = output.dim() == 2 && output.size(0) == features.size(0) && output.size(1) >= 1;
  if (!right_rank || (n_tags_ > 0 && output.size(1) != n_tags_)) {
    throw DataError(who + "[" + std::to_string(features.size(0)) + ", " +
                    (n_tags_ > 0 ? std::to_string(n_tags_) : "tags") + "], found " + shape_text(output.sizes().vec()));
  }
  n_tags_ = output.size(1);
  if (!outputs_probabilities_) return output;
  if (!((output >= 0) & (output <= 1)).all().item<bool>()) {
    throw DataError(
        who +
        "probabilities, but some values lie outside [0, 1]; leave --outputs-probabilities away if it returns logits");
  }
  // In double, so that the sigmoid that follows gives the probability back to the last digits of a float.
  const torch::Tensor probability = output.to(torch::kDouble);
  return (torch::log(probability) - torch::log1p(-probability)).clamp(-1e4, 1e4).to(output.scalar_type());
}

void ScriptTagger::train(bool on) {
  Tagger::train(on);
  script_.train(on);
}

torch::Tensor ScriptTagger::run(const torch::Tensor& waveform) {
  const torch::jit::GraphOptimizerEnabledGuard as_it_stands(false);
  const std::string who =
      name_of_file_ + ": the network fails on an input of " + shape_text(waveform.sizes().vec()) + ": ";
  c10::IValue output;
  try {
    output = script_.forward({waveform});
  } catch (const c10::Error& error) {
    throw DataError(who + raised(error.what_without_backtrace()));
  } catch (const std::exception& error) {
    throw DataError(who + raised(error.what()));
  }
  if (!output.isTensor())
    throw DataError(name_of_file_ + ": forward must return one tensor, found " + output.tagKind());
  return output.toTensor();
}

void export_torchscript(const std::filesystem::path& path, Tagger& tagger, const ModelFileInfo& info) {
  const bool was_training = tagger.is_training();
  tagger.eval();
  const at::NoGradGuard no_grad;
  const int64_t samples = tagger.facts().input_samples;
  // Another batch than the one that is recorded shows whether the number of chunks was fixed.
  const torch::Tensor recorded = example_chunks(2, samples);
  const torch::Tensor other = example_chunks(3, samples);
  const torch::Tensor expected = tagger.forward(other);
  // Between a tagger and its own recording only the order of sums may differ.
  const double tolerance = 1e-4 * std::max(1.0, expected.abs().max().item<double>());

  torch::jit::Module script = script_of(tagger, tagger.facts().name, std::make_shared<torch::jit::CompilationUnit>());
  record(tagger, script, "forward", recorded);
  std::string bytes = saved(script, info);
  torch::jit::Module again = loaded(bytes);
  std::optional<double> off = difference(again, other, expected);
  if (!off || !(*off <= tolerance)) {
    script = script_of(tagger, tagger.facts().name, std::make_shared<torch::jit::CompilationUnit>());
    record(tagger, script, "forward_one", recorded.narrow(0, 0, 1));
    script.define(R"(
def forward(self, waveform: Tensor) -> Tensor:
    logits: List[Tensor] = []
    for i in range(waveform.size(0)):
        logits.append(self.forward_one(waveform[i:i + 1]))
    return torch.cat(logits)
)");
    bytes = saved(script, info);
    again = loaded(bytes);
    off = difference(again, other, expected);
  }
  tagger.train(was_training);
  if (!off || !(*off <= tolerance)) {
    throw std::logic_error("export of " + tagger.facts().name + " as TorchScript: the recording " +
                           (off ? "differs by " + format_real(*off) : std::string("fails")) + " on other chunks");
  }
  write_file_atomically(path, bytes);
}

}  // namespace tagbench
