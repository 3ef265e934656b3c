#include "harness/nn/multiply_adds.h"

#include <gtest/gtest.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/rnn.h>
#include <torch/nn/modules/transformerlayer.h>
#include <torch/script.h>

#include <memory>

#include "harness/nn/log_mel.h"

namespace tagbench {
namespace {

template <typename Run>
int64_t count(const Run& run) {
  const torch::NoGradGuard no_gradient;
  const MultiplyAddCounter counter;
  run();
  return counter.count();
}

TEST(MultiplyAddsTest, ConvolutionCostsOneKernelPerOutputElement) {
  torch::nn::Conv2d conv(torch::nn::Conv2dOptions(3, 8, {3, 5}).padding({1, 2}));
  // 2 rows x 8 channels x 10 x 20 outputs, each of 3 channels x 3 x 5.
  EXPECT_EQ(count([&] { conv->forward(torch::zeros({2, 3, 10, 20})); }), 2 * 8 * 10 * 20 * (3 * 3 * 5));
}

TEST(MultiplyAddsTest, StridesAndGroupsLessenAConvolution) {
  torch::nn::Conv1d conv(torch::nn::Conv1dOptions(6, 4, 3).stride(3).groups(2));
  // 30 steps give 10; each of 4 channels sees 6 / 2 channels x 3 steps.
  EXPECT_EQ(count([&] { conv->forward(torch::zeros({1, 6, 30})); }), 4 * 10 * (3 * 3));
}

TEST(MultiplyAddsTest, TransposedConvolutionCostsOneKernelPerInputElement) {
  torch::nn::ConvTranspose1d conv(torch::nn::ConvTranspose1dOptions(6, 4, 3).stride(2));
  EXPECT_EQ(count([&] { conv->forward(torch::zeros({1, 6, 5})); }), 6 * 5 * (4 * 3));
}

TEST(MultiplyAddsTest, DenseLayerCountsWithAndWithoutBiasOnVectorsAndSequences) {
  for (const bool bias : {true, false}) {
    torch::nn::Linear dense(torch::nn::LinearOptions(7, 5).bias(bias));
    EXPECT_EQ(count([&] { dense->forward(torch::zeros({3, 7})); }), 3 * 7 * 5) << bias;
    EXPECT_EQ(count([&] { dense->forward(torch::zeros({3, 4, 7})); }), 3 * 4 * 7 * 5) << bias;
    EXPECT_EQ(count([&] { dense->forward(torch::zeros({7})); }), 7 * 5) << bias;
  }
}

TEST(MultiplyAddsTest, GruCountsThreeGatesOfInputAndStatePerStep) {
  torch::nn::GRU gru(torch::nn::GRUOptions(10, 4).num_layers(2).batch_first(true));
  // Layer 0 sees 10 values and its state of 4, layer 1 sees 4 and 4; three gates of 4 units; 2 rows x 6 steps.
  EXPECT_EQ(count([&] { gru->forward(torch::zeros({2, 6, 10})); }), 2 * 6 * (3 * 4 * (10 + 4) + 3 * 4 * (4 + 4)));
}

// Query, key, value, output: 4 x D x D per step; scores and weighted sum: 2 x L x D per step; two dense layers of F.
constexpr int64_t encoder_layer_cost(int64_t n_rows, int64_t length, int64_t width, int64_t inner) {
  return n_rows * length * (4 * width * width + 2 * length * width + 2 * width * inner);
}

TEST(MultiplyAddsTest, AttentionLayerCountsProjectionsScoresAndSums) {
  torch::nn::TransformerEncoderLayer layer(torch::nn::TransformerEncoderLayerOptions(16, 4).dim_feedforward(32));
  layer->eval();
  EXPECT_EQ(count([&] { layer->forward(torch::zeros({9, 2, 16})); }), encoder_layer_cost(2, 9, 16, 32));
}

TEST(MultiplyAddsTest, FusedEncoderLayerCostsWhatItsPartsCost) {
  const auto random = [](std::vector<int64_t> shape) { return torch::randn(shape); };
  const torch::Tensor x = random({2, 9, 16});
  const auto run = [&] {
    torch::_transformer_encoder_layer_fwd(x, 16, 4, random({48, 16}), random({48}), random({16, 16}), random({16}),
                                          false, false, 1e-5, random({16}), random({16}), random({16}), random({16}),
                                          random({32, 16}), random({32}), random({16, 32}), random({16}));
  };
  EXPECT_EQ(count(run), encoder_layer_cost(2, 9, 16, 32));
}

TEST(MultiplyAddsTest, MelProjectionCountsTheTransformDoesNot) {
  PowerSpectrogram power;
  MelSpectrogram mel(96);
  const torch::Tensor waveform = torch::zeros({1, 2560});
  EXPECT_EQ(count([&] { power->forward(waveform); }), 0);
  EXPECT_EQ(count([&] { mel->forward(waveform); }), 11 * 257 * 96);
}

TEST(MultiplyAddsTest, ElementwiseWorkPoolingAndNormsAreFree) {
  const torch::Tensor x = torch::ones({2, 3, 8, 8});
  EXPECT_EQ(count([&] {
              torch::max_pool2d(torch::relu(x * x + x), {2, 2});
              torch::softmax(x, -1);
              torch::layer_norm(x, {8});
            }),
            0);
}

TEST(MultiplyAddsTest, TorchScriptIsCountedLikeEverythingElse) {
  torch::jit::Module script("net");
  script.register_parameter("weight", torch::ones({4, 3, 5}), false);
  script.define(R"(
    def forward(self, x):
        return torch.matmul(torch.conv1d(x, self.weight), torch.ones([6, 2]))
  )");
  EXPECT_EQ(count([&] { script.forward({torch::zeros({1, 3, 10})}); }), 4 * 6 * (3 * 5) + 4 * 2 * 6);
}

TEST(MultiplyAddsTest, GradientModeDoesNotChangeTheForwardCount) {
  torch::nn::Linear dense(7, 5);
  const MultiplyAddCounter counter;
  const torch::Tensor y = dense->forward(torch::zeros({3, 7}));
  EXPECT_TRUE(y.requires_grad());
  EXPECT_EQ(counter.count(), 3 * 7 * 5);
}

TEST(MultiplyAddsTest, NestedCountersEachCountOnce) {
  const torch::Tensor x = torch::ones({4, 4});
  const MultiplyAddCounter outer;
  torch::mm(x, x);
  {
    const MultiplyAddCounter inner;
    torch::mm(x, x);
    EXPECT_EQ(inner.count(), 64);
  }
  torch::mm(x, x);
  EXPECT_EQ(outer.count(), 3 * 64);
}

TEST(MultiplyAddsTest, NothingIsCountedAfterACounterEnds) {
  const torch::Tensor x = torch::ones({4, 4});
  { const MultiplyAddCounter counter; }
  torch::mm(x, x);
  const MultiplyAddCounter counter;
  EXPECT_EQ(counter.count(), 0);
}

}  // namespace
}  // namespace tagbench
