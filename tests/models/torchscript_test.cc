#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/utils.h>

#include <string>
#include <utility>
#include <vector>

#include "harness/core/text.h"
#include "harness/nn/script_tagger.h"
#include "models/registry.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

std::vector<std::string> exported_names() {
  std::vector<std::string> result;
  for (const ModelEntry& entry : models()) result.push_back(entry.name);
  return result;
}

class TorchScriptTest : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(AllModels, TorchScriptTest, ::testing::ValuesIn(exported_names()),
                         [](const auto& test) { return test.param; });

TEST_P(TorchScriptTest, ExportedFileComputesTheSameAndKeepsEveryName) {
  const testing::TemporaryDirectory folder;
  const ModelEntry& entry = find_model(GetParam());
  std::vector<std::pair<std::string, std::string>> narrow = {{"n_channels", "4"}};
  if (starts_with(entry.name, "musicnn")) narrow.insert(narrow.end(), {{"front_channels", "5"}, {"n_dense", "6"}});
  torch::manual_seed(1);
  const std::shared_ptr<Tagger> tagger = entry.make(Options(entry.name, entry.options, narrow), 7);
  tagger->eval();
  ModelFileInfo info;
  info.model = entry.name;
  export_torchscript(folder / "net.pt", *tagger, info);

  ScriptTaggerOptions options;
  options.path = folder / "net.pt";
  options.input_samples = tagger->facts().input_samples;
  options.n_tags = 7;
  ScriptTagger script(options);
  const at::NoGradGuard no_grad;
  const torch::Tensor chunk = 0.1 * torch::randn({1, options.input_samples});
  const torch::Tensor expected = tagger->forward(chunk);
  // The same operations on the same values; only sums may be ordered otherwise.
  EXPECT_TRUE(torch::allclose(script.forward(chunk), expected, 1e-4, 1e-5));

  // Nothing in the program fixes device or type: it follows its input and its own tensors.
  torch::jit::Module program = torch::jit::load((folder / "net.pt").string());
  for (const torch::jit::Method& method : program.get_methods()) {
    EXPECT_EQ(method.graph()->toString(false).find("Device = prim::Constant"), std::string::npos)
        << method.graph()->toString(false);
  }
  program.to(torch::kFloat64);
  const torch::Tensor in_double = program.forward({chunk.to(torch::kFloat64)}).toTensor();
  EXPECT_TRUE(torch::allclose(in_double.to(torch::kFloat32), expected, 1e-3, 1e-3));

  const StateDict state = read_state_dict(folder / "net.pt");
  EXPECT_EQ(model_file_info(state, "net.pt")->model, entry.name);
  const StateDict own = state_of(*tagger);
  ASSERT_EQ(state.tensors.size(), own.tensors.size());
  for (const auto& [key, tensor] : own.tensors) EXPECT_NE(state.find(key), nullptr) << key;
}

}  // namespace
}  // namespace tagbench
