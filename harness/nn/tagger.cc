#include "harness/nn/tagger.h"

namespace tagbench {
namespace {

thread_local ActivationObserver* current_observer = nullptr;

}  // namespace

ActivationObserver::ActivationObserver(Callback callback)
    : callback_(std::move(callback)), previous_(current_observer) {
  current_observer = this;
}

ActivationObserver::~ActivationObserver() {
  current_observer = previous_;
}

torch::Tensor observed(const char* name, torch::Tensor value) {
  if (current_observer != nullptr) current_observer->callback_(name, value.is_mkldnn() ? value.to_dense() : value);
  return value;
}

int64_t count_parameters(const torch::nn::Module& module) {
  int64_t count = 0;
  for (const torch::Tensor& parameter : module.parameters()) count += parameter.numel();
  return count;
}

}  // namespace tagbench
