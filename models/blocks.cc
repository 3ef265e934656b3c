#include "models/blocks.h"

#include "harness/nn/spectrogram.h"

namespace tagbench {
namespace {

constexpr int64_t kVerticalWidth = 7;

torch::nn::Conv2dOptions same_3x3(int64_t in, int64_t out, Size2d stride = {}) {
  return torch::nn::Conv2dOptions(in, out, 3).stride({stride.frequency, stride.time}).padding(1);
}

torch::nn::Conv1dOptions same_1d(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1) {
  return torch::nn::Conv1dOptions(in, out, kernel).stride(stride).padding(kernel / 2);
}

int64_t same_padding(const torch::nn::Conv1d& conv) {
  return conv->options.kernel_size()->at(0) / 2;
}

// max-pooling of ReLU(x). The two commute, gradients included (where they could differ, ReLU's is zero), and ReLU has
// less to do after the pooling.
torch::Tensor relu_pooled(const torch::Tensor& x, Size2d size) {
  return torch::relu(torch::max_pool2d(x, {size.frequency, size.time}));
}

torch::Tensor relu_pooled(const torch::Tensor& x, int64_t size) {
  return torch::relu(size == 1 ? x : torch::max_pool1d(x, size));
}

// The same of what a folded convolution gives, which nobody else sees.
torch::Tensor folded_relu_pooled(torch::Tensor x, Size2d size) {
  if (size.frequency * size.time > 1) x = max_pool(x, {size.frequency, size.time});
  return torch::relu_(x);
}

// [B, C, L] as [B, C, 1, L], which is how folded 1-D convolutions want it.
torch::Tensor as_image(const torch::Tensor& x) {
  return x.dim() == 4 ? x : x.unsqueeze(2);
}

}  // namespace

ConvBlock2dImpl::ConvBlock2dImpl(int64_t in, int64_t out, Size2d pool_size)
    : conv(register_module("conv", torch::nn::Conv2d(same_3x3(in, out)))),
      bn(register_module("bn", torch::nn::BatchNorm2d(out))),
      pool_(pool_size) {}

torch::Tensor ConvBlock2dImpl::forward(const torch::Tensor& x) {
  if (folded_.usable_for(x)) return folded_relu_pooled(folded_.forward(x), pool_);
  return relu_pooled(bn->forward(conv->forward(plain_layout(x))), pool_);
}

void ConvBlock2dImpl::fold() {
  folded_.fold(conv, bn, {1, 1});
}

void ConvBlock2dImpl::unfold() {
  folded_.clear();
}

ConvBlock1dImpl::ConvBlock1dImpl(int64_t in, int64_t out, Shape shape)
    : conv(register_module("conv", torch::nn::Conv1d(same_1d(in, out, shape.kernel, shape.stride)))),
      bn(register_module("bn", torch::nn::BatchNorm1d(out))),
      pool_(shape.pool) {}

torch::Tensor ConvBlock1dImpl::forward(const torch::Tensor& x) {
  if (folded_.usable_for(x)) return folded_relu_pooled(folded_.forward(as_image(x)), {1, pool_});
  return relu_pooled(bn->forward(conv->forward(plain_sequence(x))), pool_);
}

void ConvBlock1dImpl::fold() {
  folded_.fold(conv, bn, same_padding(conv));
}

void ConvBlock1dImpl::unfold() {
  folded_.clear();
}

ResidualBlock2dImpl::ResidualBlock2dImpl(int64_t in, int64_t out, Size2d stride)
    : conv_1(register_module("conv_1", torch::nn::Conv2d(same_3x3(in, out, stride)))),
      bn_1(register_module("bn_1", torch::nn::BatchNorm2d(out))),
      conv_2(register_module("conv_2", torch::nn::Conv2d(same_3x3(out, out)))),
      bn_2(register_module("bn_2", torch::nn::BatchNorm2d(out))),
      conv_3(register_module("conv_3", torch::nn::Conv2d(same_3x3(in, out, stride)))),
      bn_3(register_module("bn_3", torch::nn::BatchNorm2d(out))) {}

torch::Tensor ResidualBlock2dImpl::forward(const torch::Tensor& given) {
  if (folded_1_.usable_for(given) && folded_2_.usable_for(given) && folded_3_.usable_for(given)) {
    torch::Tensor inner = folded_1_.forward(given);
    torch::Tensor y = folded_2_.forward(torch::relu_(inner));
    y.add_(folded_3_.forward(given));
    return torch::relu_(y);
  }
  const torch::Tensor x = plain_layout(given);
  const torch::Tensor inner = torch::relu(bn_1->forward(conv_1->forward(x)));
  const torch::Tensor y = bn_2->forward(conv_2->forward(inner));
  return torch::relu(bn_3->forward(conv_3->forward(x)) + y);
}

void ResidualBlock2dImpl::fold() {
  folded_1_.fold(conv_1, bn_1, {1, 1});
  folded_2_.fold(conv_2, bn_2, {1, 1});
  folded_3_.fold(conv_3, bn_3, {1, 1});
}

void ResidualBlock2dImpl::unfold() {
  folded_1_.clear();
  folded_2_.clear();
  folded_3_.clear();
}

PooledResidualBlock2dImpl::PooledResidualBlock2dImpl(int64_t channels, Size2d pool_size)
    : conv_1(register_module("conv_1", torch::nn::Conv2d(same_3x3(channels, channels)))),
      bn_1(register_module("bn_1", torch::nn::BatchNorm2d(channels))),
      conv_2(register_module("conv_2", torch::nn::Conv2d(same_3x3(channels, channels)))),
      bn_2(register_module("bn_2", torch::nn::BatchNorm2d(channels))),
      pool_(pool_size) {}

torch::Tensor PooledResidualBlock2dImpl::forward(const torch::Tensor& given) {
  if (folded_1_.usable_for(given) && folded_2_.usable_for(given)) {
    torch::Tensor inner = folded_1_.forward(given);
    torch::Tensor y = folded_2_.forward(torch::relu_(inner));
    y.add_(given.is_mkldnn() || !y.is_mkldnn() ? given : given.contiguous().to_mkldnn());
    return folded_relu_pooled(y, pool_);
  }
  const torch::Tensor x = plain_layout(given);
  const torch::Tensor inner = torch::relu(bn_1->forward(conv_1->forward(x)));
  return relu_pooled(x + bn_2->forward(conv_2->forward(inner)), pool_);
}

void PooledResidualBlock2dImpl::fold() {
  folded_1_.fold(conv_1, bn_1, {1, 1});
  folded_2_.fold(conv_2, bn_2, {1, 1});
}

void PooledResidualBlock2dImpl::unfold() {
  folded_1_.clear();
  folded_2_.clear();
}

SqueezeExcitationBlock1dImpl::SqueezeExcitationBlock1dImpl(int64_t in, int64_t out, ConvBlock1dImpl::Shape shape)
    : conv_1(register_module("conv_1", torch::nn::Conv1d(same_1d(in, out, shape.kernel, shape.stride)))),
      bn_1(register_module("bn_1", torch::nn::BatchNorm1d(out))),
      conv_2(register_module("conv_2", torch::nn::Conv1d(same_1d(out, out, shape.kernel)))),
      bn_2(register_module("bn_2", torch::nn::BatchNorm1d(out))),
      dense1(register_module("dense1", torch::nn::Linear(out, out))),
      dense2(register_module("dense2", torch::nn::Linear(out, out))),
      pool_(shape.pool) {
  if (in == out && shape.stride == 1) return;
  conv_3 = register_module("conv_3", torch::nn::Conv1d(same_1d(in, out, shape.kernel, shape.stride)));
  bn_3 = register_module("bn_3", torch::nn::BatchNorm1d(out));
}

torch::Tensor SqueezeExcitationBlock1dImpl::excitation(const torch::Tensor& squeezed) {
  return torch::sigmoid(dense2->forward(torch::relu(dense1->forward(squeezed))));  // [B, C]
}

torch::Tensor SqueezeExcitationBlock1dImpl::forward(const torch::Tensor& given) {
  const bool has_convolution = !conv_3.is_empty();
  if (folded_1_.usable_for(given) && folded_2_.usable_for(given) && (!has_convolution || folded_3_.usable_for(given))) {
    const torch::Tensor image = as_image(given);  // [B, C, 1, L]
    torch::Tensor inner = folded_1_.forward(image);
    // Scaling by channel is not among what oneDNN's layout offers.
    torch::Tensor y = plain_layout(folded_2_.forward(torch::relu_(inner)));
    const torch::Tensor shortcut = plain_layout(has_convolution ? folded_3_.forward(image) : image);
    y = torch::addcmul(shortcut, y, excitation(y.mean({2, 3})).unsqueeze(2).unsqueeze(3));
    return folded_relu_pooled(y, {1, pool_});
  }
  const torch::Tensor x = plain_sequence(given);
  const torch::Tensor inner = torch::relu(bn_1->forward(conv_1->forward(x)));
  const torch::Tensor y = bn_2->forward(conv_2->forward(inner));  // [B, C, L]
  const torch::Tensor shortcut = has_convolution ? bn_3->forward(conv_3->forward(x)) : x;
  return relu_pooled(shortcut + y * excitation(y.mean(2)).unsqueeze(2), pool_);
}

void SqueezeExcitationBlock1dImpl::fold() {
  folded_1_.fold(conv_1, bn_1, same_padding(conv_1));
  folded_2_.fold(conv_2, bn_2, same_padding(conv_2));
  if (!conv_3.is_empty()) folded_3_.fold(conv_3, bn_3, same_padding(conv_3));
}

void SqueezeExcitationBlock1dImpl::unfold() {
  folded_1_.clear();
  folded_2_.clear();
  folded_3_.clear();
}

VerticalBlockImpl::VerticalBlockImpl(int64_t out, int64_t height)
    : conv(register_module(
          "conv", torch::nn::Conv2d(
                      torch::nn::Conv2dOptions(1, out, {height, kVerticalWidth}).padding({0, kVerticalWidth / 2})))),
      bn(register_module("bn", torch::nn::BatchNorm2d(out))) {}

torch::Tensor VerticalBlockImpl::forward(const NormalisedImage& image) {
  if (folded_.usable_for(image.x)) {
    const torch::Tensor rows = folded_.forward(image.x);  // [B, C, F', L]
    return plain_layout(folded_relu_pooled(rows, {rows.size(2), 1})).squeeze(2);
  }
  return torch::relu(bn->forward(convolved(image)).amax(2));
}

// conv(weight * standard + bias), as (weight * conv)(standard) plus bias times what ones give, which one chunk tells.
torch::Tensor VerticalBlockImpl::convolved(const NormalisedImage& image) {
  if (!image.standard.defined() || !image.x.is_cpu()) return conv->forward(image.x);
  const auto convolve = [](const torch::Tensor& input, const torch::Tensor& kernels, const torch::Tensor& bias) {
    return torch::conv2d(input, kernels, bias, 1, torch::IntArrayRef({0, kVerticalWidth / 2}));
  };
  const torch::Tensor ones = torch::ones_like(image.standard.narrow(0, 0, 1));
  const torch::Tensor map = convolve(image.standard, conv->weight * image.weight, conv->bias);
  // The scalar would widen a bfloat16 map to float32.
  return map + (convolve(ones, conv->weight, {}) * image.bias).to(map.scalar_type());
}

void VerticalBlockImpl::fold() {
  folded_.fold(conv, bn, {0, kVerticalWidth / 2});
}

void VerticalBlockImpl::unfold() {
  folded_.clear();
}

HorizontalBlockImpl::HorizontalBlockImpl(int64_t out, int64_t length)
    : conv(register_module("conv", torch::nn::Conv1d(same_1d(1, out, length)))),
      bn(register_module("bn", torch::nn::BatchNorm1d(out))) {}

torch::Tensor HorizontalBlockImpl::forward(const torch::Tensor& x) {
  const torch::Tensor mean = x.mean(2);  // [B, 1, L]
  if (folded_.usable_for(mean)) return plain_sequence(folded_relu_pooled(folded_.forward(as_image(mean)), {1, 1}));
  return torch::relu(bn->forward(conv->forward(mean)));
}

void HorizontalBlockImpl::fold() {
  folded_.fold(conv, bn, same_padding(conv));
}

void HorizontalBlockImpl::unfold() {
  folded_.clear();
}

torch::Tensor plain_sequence(const torch::Tensor& x) {
  return x.dim() == 4 ? plain_layout(x).squeeze(2) : x;
}

int64_t ReceptiveField::samples_of_frames() const {
  return (steps_ - 1) * kHopSamples + kFftSize;
}

}  // namespace tagbench
