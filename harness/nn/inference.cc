#include "harness/nn/inference.h"

#include <ATen/Context.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace tagbench {
namespace {

uint32_t version_of(const torch::Tensor& tensor) {
  return tensor.is_inference() ? 0 : static_cast<uint32_t>(tensor._version());
}

bool autocast_is_on() {
  return !c10::impl::tls_is_dispatch_key_excluded(c10::DispatchKey::AutocastCPU);
}

// Weight [out, ...] and bias of one convolution that does the work of both layers, computed in double precision.
std::pair<torch::Tensor, torch::Tensor> folded(const torch::Tensor& weight, const torch::Tensor& bias,
                                               const torch::nn::Module& bn, double epsilon) {
  const auto parameters = bn.named_parameters(/*recurse=*/false);
  const auto buffers = bn.named_buffers(/*recurse=*/false);
  const auto wide = [](const torch::Tensor& tensor) { return tensor.detach().to(torch::kFloat64); };
  const torch::Tensor scale =
      wide(parameters["weight"]) * torch::rsqrt(wide(buffers["running_var"]) + epsilon);  // [out]
  std::vector<int64_t> per_output(static_cast<size_t>(weight.dim()), 1);
  per_output[0] = -1;
  const torch::Tensor folded_weight = wide(weight) * scale.view(per_output);
  const torch::Tensor folded_bias = (wide(bias) - wide(buffers["running_mean"])) * scale + wide(parameters["bias"]);
  return {folded_weight.to(weight.scalar_type()), folded_bias.to(weight.scalar_type())};
}

}  // namespace

void FoldedConv::remember(const torch::nn::Module& conv, const torch::nn::Module& bn) {
  sources_.clear();
  for (const torch::nn::Module* module : {&conv, &bn}) {
    for (const torch::Tensor& tensor : module->parameters(/*recurse=*/false)) {
      sources_.push_back({tensor, tensor.data_ptr(), version_of(tensor)});
    }
    for (const torch::Tensor& tensor : module->buffers(/*recurse=*/false)) {
      sources_.push_back({tensor, tensor.data_ptr(), version_of(tensor)});
    }
  }
}

void FoldedConv::set_weights(const torch::Tensor& weight, const torch::Tensor& bias) {
  device_ = weight.device();
  precision_ = weight.scalar_type();
  const bool for_onednn = device_.is_cpu() && precision_ == torch::kFloat32 && at::hasMKLDNN();
  weight_ = for_onednn ? torch::mkldnn_reorder_conv2d_weight(weight.to_mkldnn(), padding_, stride_, {1, 1}, 1) : weight;
  bias_ = for_onednn ? bias.to_mkldnn() : bias;
}

void FoldedConv::fold(const torch::nn::Conv2d& conv, const torch::nn::BatchNorm2d& bn, std::vector<int64_t> padding) {
  const torch::NoGradGuard no_gradient;
  const auto [weight, bias] = folded(conv->weight, conv->bias, *bn, bn->options.eps());
  stride_ = {conv->options.stride()->begin(), conv->options.stride()->end()};
  padding_ = std::move(padding);
  set_weights(weight, bias);
  remember(*conv, *bn);
}

void FoldedConv::fold(const torch::nn::Conv1d& conv, const torch::nn::BatchNorm1d& bn, int64_t padding) {
  const torch::NoGradGuard no_gradient;
  const auto [weight, bias] = folded(conv->weight, conv->bias, *bn, bn->options.eps());
  stride_ = {1, conv->options.stride()->at(0)};
  padding_ = {0, padding};
  set_weights(weight.unsqueeze(2), bias);
  remember(*conv, *bn);
}

bool FoldedConv::usable_for(const torch::Tensor& x) const {
  if (!weight_.defined() || c10::GradMode::is_enabled() || autocast_is_on()) return false;
  if (x.device() != device_ || x.scalar_type() != precision_) return false;
  return std::all_of(sources_.begin(), sources_.end(), [](const Source& source) {
    return source.tensor.data_ptr() == source.data && version_of(source.tensor) == source.version;
  });
}

torch::Tensor FoldedConv::forward(const torch::Tensor& x) const {
  const torch::Tensor input = weight_.is_mkldnn() && !x.is_mkldnn() ? x.contiguous().to_mkldnn() : x;
  return torch::conv2d(input, weight_, bias_, stride_, padding_);
}

torch::Tensor plain_layout(const torch::Tensor& x) {
  return x.is_mkldnn() ? x.to_dense() : x;
}

torch::Tensor max_pool(const torch::Tensor& x, torch::IntArrayRef kernel) {
  return x.is_mkldnn() ? torch::mkldnn_max_pool2d(x, kernel, kernel) : torch::max_pool2d(x, kernel);
}

int64_t prepare_for_inference(torch::nn::Module& module) {
  module.eval();
  int64_t n_folded = 0;
  for (const std::shared_ptr<torch::nn::Module>& child : module.modules(/*include_self=*/false)) {
    auto* foldable = dynamic_cast<Foldable*>(child.get());
    if (foldable == nullptr) continue;
    foldable->fold();
    ++n_folded;
  }
  if (auto* itself = dynamic_cast<Foldable*>(&module)) {
    itself->fold();
    ++n_folded;
  }
  return n_folded;
}

}  // namespace tagbench
