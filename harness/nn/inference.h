#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/types.h>

#include <cstdint>
#include <vector>

namespace tagbench {

// A convolution with the batch norm behind it folded into its weights, which on the CPU are laid out as oneDNN wants
// them. Results then stay in that layout until plain_layout(), so that neighbouring layers need no conversion.
//
// It is a copy beside the layers that it was made from: they keep their weights, and as soon as these change (training,
// loading, moving to a device) usable_for() says no.
class FoldedConv {
 public:
  // `padding`: the convolution's, frequency and time.
  void fold(const torch::nn::Conv2d& conv, const torch::nn::BatchNorm2d& bn, std::vector<int64_t> padding);
  // As a 2-D convolution of height 1: takes [B, C, 1, L].
  void fold(const torch::nn::Conv1d& conv, const torch::nn::BatchNorm1d& bn, int64_t padding);
  void clear() { *this = FoldedConv(); }

  // Whether forward(x) may stand for the two layers: folded, not stale, no gradient asked for, same device and
  // precision, no autocast.
  bool usable_for(const torch::Tensor& x) const;
  // [B, C, F, L], plain or in oneDNN's layout, to the same as batch norm after convolution; in oneDNN's layout on the
  // CPU.
  torch::Tensor forward(const torch::Tensor& x) const;

 private:
  struct Source {
    torch::Tensor tensor;
    const void* data = nullptr;
    uint32_t version = 0;
  };
  void remember(const torch::nn::Module& conv, const torch::nn::Module& bn);
  void set_weights(const torch::Tensor& weight, const torch::Tensor& bias);

  torch::Tensor weight_;
  torch::Tensor bias_;
  std::vector<int64_t> stride_;
  std::vector<int64_t> padding_;
  c10::Device device_ = c10::Device(c10::kCPU);
  c10::ScalarType precision_ = c10::ScalarType::Float;
  std::vector<Source> sources_;
};

// Out of oneDNN's layout; anything else is returned as it is.
torch::Tensor plain_layout(const torch::Tensor& x);

// max_pool2d with strides of the kernel's size, of either layout. (Outside inference mode LibTorch 2 finds its own
// max_pool2d ambiguous for oneDNN's.)
torch::Tensor max_pool(const torch::Tensor& x, torch::IntArrayRef kernel);

// A module with convolutions to fold.
class Foldable {
 public:
  virtual ~Foldable() = default;
  virtual void fold() = 0;
  virtual void unfold() = 0;
};

// A building block that folds; training ends it.
class FoldableBlock : public torch::nn::Module, public Foldable {
 public:
  void train(bool on = true) override {
    torch::nn::Module::train(on);
    if (on) unfold();
  }
};

// Evaluation mode, and every Foldable below `module` folded: the same outputs to about 1e-6 of their size, faster.
// Names, parameters and buffers stay as they are, for saving and for training on; train() ends it, and so does any
// change of the weights. Returns how many modules were folded (0: the network has nothing to fold, and runs as before).
int64_t prepare_for_inference(torch::nn::Module& module);

}  // namespace tagbench
