#include "harness/nn/script_tagger.h"

#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/rnn.h>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "tests/nn/weight_files.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::message_of;
using testing::TemporaryDirectory;

constexpr int64_t kSamples = 64;

// A network of `code`, with a parameter `weight` [3] and a buffer `offset` [3], as a TorchScript file.
std::filesystem::path script_file(const TemporaryDirectory& folder, const std::string& code) {
  torch::jit::Module script("__torch__.Net");
  script.register_attribute("training", c10::BoolType::get(), true);
  script.register_parameter("weight", torch::tensor({1.0F, 2.0F, 3.0F}), /*is_buffer=*/false);
  script.register_buffer("offset", torch::tensor({0.0F, 0.5F, 1.0F}));
  if (!code.empty()) script.define(code);
  const std::filesystem::path path = folder / "net.pt";
  script.save(path.string());
  return path;
}

// Logits: mean of the chunk times weight plus offset.
constexpr char kGoodCode[] = R"(
def forward(self, x: Tensor) -> Tensor:
    return x.mean(1, keepdim=True) * self.weight + self.offset
)";

ScriptTaggerOptions options_for(const std::filesystem::path& path) {
  ScriptTaggerOptions options;
  options.path = path;
  options.input_samples = kSamples;
  return options;
}

std::string refusal(const std::string& code) {
  const TemporaryDirectory folder;
  const std::filesystem::path path = script_file(folder, code);
  return message_of([&] { ScriptTagger tagger(options_for(path)); });
}

TEST(ScriptTaggerTest, NetworkIsRun) {
  const TemporaryDirectory folder;
  ScriptTagger tagger(options_for(script_file(folder, kGoodCode)));
  EXPECT_EQ(tagger.n_tags(), 3);
  EXPECT_EQ(tagger.facts().row_name, "net");
  EXPECT_EQ(tagger.facts().input_samples, kSamples);
  const at::NoGradGuard no_grad;
  const torch::Tensor logits = tagger.forward(torch::full({4, kSamples}, 2.0F));
  EXPECT_TRUE(torch::equal(logits, torch::tensor({2.0F, 4.5F, 7.0F}).expand({4, 3})));
}

TEST(ScriptTaggerTest, ParametersAndBuffersAreKnownByTheirNames) {
  const TemporaryDirectory folder;
  ScriptTagger tagger(options_for(script_file(folder, kGoodCode)));
  EXPECT_EQ(count_parameters(tagger), 3);
  const StateDict state = state_of(tagger);
  ASSERT_NE(state.find("weight"), nullptr);
  ASSERT_NE(state.find("offset"), nullptr);
  // One tensor under two roofs: what is loaded here is what the network computes with.
  StateDict other;
  other.tensors = {{"weight", torch::zeros({3})}, {"offset", torch::tensor({7.0F, 8.0F, 9.0F})}};
  load_state(tagger, other, "net");
  const at::NoGradGuard no_grad;
  EXPECT_TRUE(torch::equal(tagger.forward(torch::ones({1, kSamples})), torch::tensor({{7.0F, 8.0F, 9.0F}})));
}

TEST(ScriptTaggerTest, ANetworkThatWritesIntoItsInputHarmsNoOther) {
  const TemporaryDirectory folder;
  ScriptTagger tagger(options_for(script_file(folder, R"(
def forward(self, x: Tensor) -> Tensor:
    x.mul_(0.0)
    return x[:, :3] + self.offset
)")));
  const at::NoGradGuard no_grad;
  const torch::Tensor chunks = torch::ones({2, kSamples});
  tagger.forward(chunks);
  EXPECT_TRUE(torch::equal(chunks, torch::ones({2, kSamples})));
}

TEST(ScriptTaggerTest, ProbabilitiesBecomeLogitsAndBack) {
  const TemporaryDirectory folder;
  ScriptTaggerOptions options = options_for(script_file(folder, R"(
def forward(self, x: Tensor) -> Tensor:
    return torch.sigmoid(x[:, :3] * self.weight)
)"));
  options.outputs_probabilities = true;
  ScriptTagger tagger(options);
  const at::NoGradGuard no_grad;
  const torch::Tensor chunks = torch::linspace(-9, 6, kSamples * 2).view({2, kSamples});
  const torch::Tensor wanted = torch::sigmoid(chunks.narrow(1, 0, 3) * torch::tensor({1.0F, 2.0F, 3.0F}));
  // Two roundings to float32, of the logit and of the sigmoid.
  EXPECT_TRUE(torch::allclose(torch::sigmoid(tagger.forward(chunks)), wanted, 2e-6, 0));
}

TEST(ScriptTaggerTest, CertainProbabilitiesStayCertain) {
  const TemporaryDirectory folder;
  ScriptTaggerOptions options = options_for(script_file(folder, R"(
def forward(self, x: Tensor) -> Tensor:
    return (x[:, :3] > 0.5).float()
)"));
  options.outputs_probabilities = true;
  ScriptTagger tagger(options);
  const at::NoGradGuard no_grad;
  const torch::Tensor logits = tagger.forward(torch::arange(kSamples, torch::kFloat).unsqueeze(0));
  EXPECT_TRUE(torch::isfinite(logits).all().item<bool>());
  EXPECT_TRUE(torch::equal(torch::sigmoid(logits), torch::tensor({{0.0F, 1.0F, 1.0F}})));
}

TEST(ScriptTaggerTest, LogitsCalledProbabilitiesAreRefused) {
  const TemporaryDirectory folder;
  ScriptTaggerOptions options = options_for(script_file(folder, kGoodCode));
  options.outputs_probabilities = true;
  ScriptTagger tagger(options);
  const at::NoGradGuard no_grad;
  EXPECT_THAT(message_of([&] {
                tagger.forward(torch::full({1, kSamples}, 9.0F));
              }),
              HasSubstr("must return probabilities, but some values lie outside [0, 1]"));
}

TEST(ScriptTaggerTest, ModeOfTheNetworkFollowsTheTagger) {
  const TemporaryDirectory folder;
  ScriptTagger tagger(options_for(script_file(folder, R"(
def forward(self, x: Tensor) -> Tensor:
    if self.training:
        return torch.ones([x.size(0), 3])
    return torch.zeros([x.size(0), 3])
)")));
  const torch::Tensor chunks = torch::zeros({1, kSamples});
  EXPECT_EQ(tagger.forward(chunks).sum().item<float>(), 0.0F);
  tagger.train();
  EXPECT_EQ(tagger.forward(chunks).sum().item<float>(), 3.0F);
  tagger.eval();
  EXPECT_EQ(tagger.forward(chunks).sum().item<float>(), 0.0F);
}

TEST(ScriptTaggerTest, WrongSignaturesAreRefused) {
  EXPECT_THAT(refusal(""), HasSubstr("the network has no forward(waveform)"));
  EXPECT_THAT(refusal("def forward(self) -> Tensor:\n    return self.weight\n"),
              HasSubstr("forward must take one tensor"));
  EXPECT_THAT(refusal("def forward(self, x: int) -> Tensor:\n    return self.weight\n"),
              HasSubstr("forward must take one tensor"));
  EXPECT_THAT(refusal("def forward(self, x: Tensor, y: Tensor) -> Tensor:\n    return x\n"),
              HasSubstr("forward must take one tensor"));
}

TEST(ScriptTaggerTest, WrongOutputsAreRefused) {
  EXPECT_THAT(refusal("def forward(self, x: Tensor):\n    return (x, x)\n"),
              HasSubstr("forward must return one tensor, found Tuple"));
  EXPECT_THAT(refusal("def forward(self, x: Tensor) -> Tensor:\n    return x.mean()\n"),
              HasSubstr("on an input of [2, 64] the network must return [2, tags], found []"));
  EXPECT_THAT(refusal("def forward(self, x: Tensor) -> Tensor:\n    return x[:1]\n"),
              HasSubstr("must return [2, tags], found [1, 64]"));
  EXPECT_THAT(refusal("def forward(self, x: Tensor) -> Tensor:\n    return x.unsqueeze(0)\n"),
              HasSubstr("found [1, 2, 64]"));
  EXPECT_THAT(refusal("def forward(self, x: Tensor) -> Tensor:\n    return x.long()\n"),
              HasSubstr("must return floating-point values, found Long"));
}

TEST(ScriptTaggerTest, NumberOfTagsMustAgree) {
  const TemporaryDirectory folder;
  ScriptTaggerOptions options = options_for(script_file(folder, kGoodCode));
  options.n_tags = 50;
  EXPECT_THAT(message_of([&] { ScriptTagger tagger(options); }), HasSubstr("must return [2, 50], found [2, 3]"));
}

TEST(ScriptTaggerTest, ThrowingForwardsGiveOneLine) {
  const std::string raised = refusal(
      "def forward(self, x: Tensor) -> Tensor:\n    assert x.size(0) == 0, 'too loud'\n    "
      "return x\n");
  EXPECT_THAT(raised, HasSubstr("the network fails on an input of [2, 64]: "));
  EXPECT_THAT(raised, HasSubstr("too loud"));
  EXPECT_EQ(raised.find('\n'), std::string::npos);
  const std::string failed = refusal("def forward(self, x: Tensor) -> Tensor:\n    return x @ self.weight\n");
  EXPECT_THAT(failed, HasSubstr("the network fails on an input of [2, 64]: "));
  EXPECT_EQ(failed.find('\n'), std::string::npos);
}

TEST(ScriptTaggerTest, OtherFilesAreRefused) {
  const TemporaryDirectory folder;
  const auto text = [&](const std::string& bytes) {
    write_file_atomically(folder / "net.pt", bytes);
    const std::string message = message_of([&] { ScriptTagger tagger(options_for(folder / "net.pt")); });
    EXPECT_EQ(message.find('\n'), std::string::npos);
    return message;
  };
  EXPECT_THAT(text("hello"), HasSubstr("no TorchScript file; save it with torch.jit.script"));
  EXPECT_THAT(text(testing::small_stream()), HasSubstr("no TorchScript file"));
  EXPECT_THAT(text(testing::small_zip()), HasSubstr("holds weights alone"));
  EXPECT_THAT(text(testing::zip_file({{"net/data.pkl", "x"}, {"net/constants.pkl", "x"}})),
              HasSubstr("LibTorch cannot load it"));
  EXPECT_THAT(message_of([&] { ScriptTagger tagger(options_for(folder / "absent.pt")); }), HasSubstr("No such file"));
}

TEST(ScriptTaggerTest, OptionsAreChecked) {
  const TemporaryDirectory folder;
  ScriptTaggerOptions options = options_for(script_file(folder, kGoodCode));
  options.input_samples = 0;
  EXPECT_THAT(message_of([&] { ScriptTagger tagger(options); }),
              HasSubstr("--chunk-samples must be from 1 to 268435456, got 0"));
  options.input_samples = kSamples;
  options.sample_rate_hz = 0;
  EXPECT_THAT(message_of([&] { ScriptTagger tagger(options); }), HasSubstr("--sample-rate-hz must be positive"));
}

// A small network with every kind of part that the architectures have. `fixed_batch` makes it write the number of
// chunks into a shape, which a recording then keeps.
class SmallTagger final : public Tagger {
 public:
  explicit SmallTagger(bool fixed_batch) : Tagger(small_facts()), fixed_batch_(fixed_batch) {
    window_ = register_buffer("window", torch::hann_window(16));
    conv_ = register_module("conv", torch::nn::Conv1d(torch::nn::Conv1dOptions(9, 4, 3).padding(1)));
    bn_ = register_module("bn", torch::nn::BatchNorm1d(4));
    dropout_ = register_module("dropout", torch::nn::Dropout(0.5));
    gru_ = register_module("gru", torch::nn::GRU(torch::nn::GRUOptions(4, 5).num_layers(2).batch_first(true)));
    dense_ = register_module("dense", torch::nn::Linear(5, 3));
    bn_->running_mean.fill_(0.1);
  }

  torch::Tensor front_end(const torch::Tensor& waveform) override {
    const torch::Tensor spectrum = torch::stft(waveform, 16, 8, 16, window_, true, "reflect", false, true, true);
    return torch::log10(torch::clamp_min(torch::real(spectrum).square(), 1e-10));
  }
  torch::Tensor network(const torch::Tensor& features) override {
    torch::Tensor x = dropout_->forward(torch::relu(bn_->forward(conv_->forward(features)))).transpose(1, 2);
    if (fixed_batch_) x = x.reshape({x.size(0), x.size(1), 4});
    x = std::get<0>(gru_->forward(x)).select(1, -1);
    return dense_->forward(x);
  }
  std::string front_end_key() const override { return ""; }

 private:
  static TaggerFacts small_facts() {
    TaggerFacts facts;
    facts.name = "small";
    facts.input_samples = kSamples;
    return facts;
  }
  bool fixed_batch_;
  torch::Tensor window_;
  torch::nn::Conv1d conv_{nullptr};
  torch::nn::BatchNorm1d bn_{nullptr};
  torch::nn::Dropout dropout_{nullptr};
  torch::nn::GRU gru_{nullptr};
  torch::nn::Linear dense_{nullptr};
};

class ExportTest : public ::testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(AnyAndFixedBatch, ExportTest, ::testing::Bool(),
                         [](const auto& test) { return std::string(test.param ? "RowByRow" : "Batch"); });

TEST_P(ExportTest, FileComputesWhatTheTaggerComputes) {
  const TemporaryDirectory folder;
  SmallTagger tagger(GetParam());
  tagger.train();
  ModelFileInfo info;
  info.model = "small";
  info.tags = {"rock", "piano", "loud"};
  export_torchscript(folder / "small.pt", tagger, info);
  EXPECT_TRUE(tagger.is_training());
  tagger.eval();

  ScriptTagger script(options_for(folder / "small.pt"));
  EXPECT_EQ(count_parameters(script), count_parameters(tagger));
  const at::NoGradGuard no_grad;
  for (const int64_t batch : {1, 2, 5}) {
    torch::manual_seed(static_cast<uint64_t>(batch));
    const torch::Tensor chunks = torch::rand({batch, kSamples}) - 0.5;
    // The same operations on the same values; only sums may be ordered otherwise.
    EXPECT_TRUE(torch::allclose(script.forward(chunks), tagger.forward(chunks), 1e-5, 1e-6));
  }
}

TEST_P(ExportTest, WeightsAndDescriptionAreReadBack) {
  const TemporaryDirectory folder;
  SmallTagger tagger(GetParam());
  ModelFileInfo info;
  info.model = "small";
  info.tags = {"rock", "piano", "loud"};
  info.sample_rate_hz = 16000;
  export_torchscript(folder / "small.pt", tagger, info);
  const StateDict state = read_state_dict(folder / "small.pt");
  const StateDict expected = state_of(tagger);
  EXPECT_EQ(state.tensors.size(), expected.tensors.size());
  for (const auto& [key, tensor] : expected.tensors) {
    ASSERT_NE(state.find(key), nullptr) << key;
    EXPECT_TRUE(torch::equal(*state.find(key), tensor)) << key;
  }
  const std::optional<ModelFileInfo> back = model_file_info(state, "small.pt");
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->model, "small");
  EXPECT_EQ(back->tags, info.tags);
}

TEST(ExportFileTest, EqualTaggersGiveEqualFiles) {
  const TemporaryDirectory folder;
  SmallTagger tagger(false);
  export_torchscript(folder / "a.pt", tagger, {});
  export_torchscript(folder / "b.pt", tagger, {});
  EXPECT_EQ(read_text_file(folder / "a.pt"), read_text_file(folder / "b.pt"));
}

}  // namespace
}  // namespace tagbench
