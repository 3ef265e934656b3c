#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <cstdint>

#include "harness/nn/inference.h"

// Building blocks of the architectures compared by Won et al. (2020). Letters in shape comments: B batch, C channels, F
// bins, L frames, T samples, D width, K tags. Convolutions have a bias and, unless said otherwise, "same" padding of
// floor(kernel / 2) on both sides; max-pooling has stride = kernel and drops the remainder; the members' names are the
// published state-dict keys.
namespace tagbench {

struct Size2d {
  int64_t frequency = 1;
  int64_t time = 1;
};
inline constexpr Size2d kHalf{2, 2};

// 3x3 convolution, batch norm, ReLU, max-pooling: [B, C, F, L] to [B, out, F / pool, L / pool].
class ConvBlock2dImpl : public FoldableBlock {
 public:
  ConvBlock2dImpl(int64_t in, int64_t out, Size2d pool_size);
  torch::Tensor forward(const torch::Tensor& x);
  void fold() override;
  void unfold() override;

  torch::nn::Conv2d conv;
  torch::nn::BatchNorm2d bn;

 private:
  Size2d pool_;
  FoldedConv folded_;
};
TORCH_MODULE(ConvBlock2d);

// 1-D convolution, batch norm, ReLU, max-pooling: [B, C, L] to [B, out, ceil(L / stride) / pool].
class ConvBlock1dImpl : public FoldableBlock {
 public:
  struct Shape {
    int64_t kernel = 3;
    int64_t stride = 1;
    int64_t pool = 1;
  };
  ConvBlock1dImpl(int64_t in, int64_t out, Shape shape);
  torch::Tensor forward(const torch::Tensor& x);
  void fold() override;
  void unfold() override;

  torch::nn::Conv1d conv;
  torch::nn::BatchNorm1d bn;

 private:
  int64_t pool_;
  FoldedConv folded_;
};
TORCH_MODULE(ConvBlock1d);

// Residual block whose shortcut is itself a strided 3x3 convolution: ReLU(bn_3(conv_3(x)) +
// bn_2(conv_2(ReLU(bn_1(conv_1(x)))))), with conv_1 and conv_3 strided. [B, C, F, L] to [B, out, ceil(F / stride),
// ceil(L / stride)].
class ResidualBlock2dImpl : public FoldableBlock {
 public:
  ResidualBlock2dImpl(int64_t in, int64_t out, Size2d stride);
  torch::Tensor forward(const torch::Tensor& x);
  void fold() override;
  void unfold() override;

  torch::nn::Conv2d conv_1;
  torch::nn::BatchNorm2d bn_1;
  torch::nn::Conv2d conv_2;
  torch::nn::BatchNorm2d bn_2;
  torch::nn::Conv2d conv_3;
  torch::nn::BatchNorm2d bn_3;

 private:
  FoldedConv folded_1_;
  FoldedConv folded_2_;
  FoldedConv folded_3_;
};
TORCH_MODULE(ResidualBlock2d);

// Residual block with the identity as shortcut, then max-pooling: pool(ReLU(x + bn_2(conv_2(ReLU(bn_1(conv_1(x))))))).
// [B, C, F, L] to [B, C, F / pool, L / pool].
class PooledResidualBlock2dImpl : public FoldableBlock {
 public:
  PooledResidualBlock2dImpl(int64_t channels, Size2d pool_size);
  torch::Tensor forward(const torch::Tensor& x);
  void fold() override;
  void unfold() override;

  torch::nn::Conv2d conv_1;
  torch::nn::BatchNorm2d bn_1;
  torch::nn::Conv2d conv_2;
  torch::nn::BatchNorm2d bn_2;

 private:
  Size2d pool_;
  FoldedConv folded_1_;
  FoldedConv folded_2_;
};
TORCH_MODULE(PooledResidualBlock2d);

// 1-D residual block with squeeze and excitation: y = bn_2(conv_2(ReLU(bn_1(conv_1(x))))) is scaled per channel by
// sigmoid(dense2(ReLU(dense1(mean over time of y)))), added to the shortcut (bn_3(conv_3(x)) where stride or channel
// count change, else x), then ReLU and max-pooling. The excitation has no bottleneck. [B, C, L] to [B, out, ceil(L /
// stride) / pool].
class SqueezeExcitationBlock1dImpl : public FoldableBlock {
 public:
  SqueezeExcitationBlock1dImpl(int64_t in, int64_t out, ConvBlock1dImpl::Shape shape);
  torch::Tensor forward(const torch::Tensor& x);
  void fold() override;
  void unfold() override;

  torch::nn::Conv1d conv_1;
  torch::nn::BatchNorm1d bn_1;
  torch::nn::Conv1d conv_2;
  torch::nn::BatchNorm1d bn_2;
  torch::nn::Linear dense1;
  torch::nn::Linear dense2;
  torch::nn::Conv1d conv_3{nullptr};     // absent where the shortcut is the identity
  torch::nn::BatchNorm1d bn_3{nullptr};  // likewise

 private:
  torch::Tensor excitation(const torch::Tensor& squeezed);

  int64_t pool_;
  FoldedConv folded_1_;
  FoldedConv folded_2_;
  FoldedConv folded_3_;
};
TORCH_MODULE(SqueezeExcitationBlock1d);

// An image of one channel after a batch norm, x = weight * standard + bias. In training, the gradient of x serves only
// to find those of the two scalars, but costs oneDNN sixteen channels' work, as its kernels fill their vectors with
// zeros: a layer that has large filters moves the scalars behind its convolution instead.
struct NormalisedImage {
  torch::Tensor x;         // [B, 1, F, L]
  torch::Tensor standard;  // [B, 1, F, L]; this and the scalars [1, 1, 1, 1] are undefined outside training
  torch::Tensor weight;
  torch::Tensor bias;
};

// Timbral filters: height x 7 convolution without padding in frequency, batch norm, ReLU, maximum over frequency.
// [B, 1, F, L] to [B, out, L].
class VerticalBlockImpl : public FoldableBlock {
 public:
  VerticalBlockImpl(int64_t out, int64_t height);
  torch::Tensor forward(const NormalisedImage& image);
  void fold() override;
  void unfold() override;

  torch::nn::Conv2d conv;
  torch::nn::BatchNorm2d bn;

 private:
  torch::Tensor convolved(const NormalisedImage& image);

  FoldedConv folded_;
};
TORCH_MODULE(VerticalBlock);

// Temporal filters: mean over frequency, 1-D convolution, batch norm, ReLU. [B, 1, F, L] to [B, out, L].
class HorizontalBlockImpl : public FoldableBlock {
 public:
  HorizontalBlockImpl(int64_t out, int64_t length);
  torch::Tensor forward(const torch::Tensor& x);
  void fold() override;
  void unfold() override;

  torch::nn::Conv1d conv;
  torch::nn::BatchNorm1d bn;

 private:
  FoldedConv folded_;
};
TORCH_MODULE(HorizontalBlock);

// The result of 1-D blocks as a plain [B, C, L], whether they were prepared for inference or not.
torch::Tensor plain_sequence(const torch::Tensor& x);

// The receptive field of stacked convolutions and poolings along time, counted in steps of the input.
class ReceptiveField {
 public:
  ReceptiveField& layer(int64_t kernel, int64_t stride = 1) {
    steps_ += (kernel - 1) * jump_;
    jump_ *= stride;
    return *this;
  }
  ReceptiveField& pool(int64_t size) { return layer(size, size); }
  int64_t steps() const { return steps_; }
  // The same in samples, for steps that are spectrogram frames.
  int64_t samples_of_frames() const;

 private:
  int64_t steps_ = 1;
  int64_t jump_ = 1;
};

}  // namespace tagbench
