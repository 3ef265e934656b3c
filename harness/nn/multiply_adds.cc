#include "harness/nn/multiply_adds.h"

#include <ATen/record_function.h>

#include <memory>
#include <string_view>
#include <unordered_map>

#include "harness/core/npy.h"

namespace tagbench {
namespace {

// Totals of this thread; counters take differences.
thread_local int64_t total = 0;
thread_local int n_counters = 0;
thread_local at::CallbackHandle callback = 0;
// Set while a counted operation runs: what it is made of must not be counted again.
thread_local bool inside_counted = false;

enum class Operation { kConvolution, kLinear, kProduct, kAddedProduct, kAttention, kSelfAttention, kEncoderLayer };

const std::unordered_map<std::string_view, Operation>& counted_operations() {
  static const std::unordered_map<std::string_view, Operation> operations = {
      {"aten::convolution", Operation::kConvolution},
      {"aten::_convolution", Operation::kConvolution},
      {"aten::mkldnn_convolution", Operation::kConvolution},
      {"aten::linear", Operation::kLinear},
      {"aten::mkldnn_linear", Operation::kLinear},
      {"aten::mm", Operation::kProduct},
      {"aten::bmm", Operation::kProduct},
      {"aten::mv", Operation::kProduct},
      {"aten::dot", Operation::kProduct},
      {"aten::addmm", Operation::kAddedProduct},
      {"aten::addmv", Operation::kAddedProduct},
      {"aten::baddbmm", Operation::kAddedProduct},
      {"aten::addbmm", Operation::kAddedProduct},
      {"aten::scaled_dot_product_attention", Operation::kAttention},
      {"aten::_scaled_dot_product_attention", Operation::kAttention},
      {"aten::_native_multi_head_attention", Operation::kSelfAttention},
      {"aten::_transformer_encoder_layer_fwd", Operation::kEncoderLayer}};
  return operations;
}

struct CountedCall : at::ObserverContext {
  // The result's elements times this, added when the operation ends ...
  int64_t per_output = 0;
  // ... or, where the result does not tell, the whole cost.
  int64_t fixed = 0;
};

// Scores [.., L, S] from [.., L, E] and [.., S, E], then weighted sums of [.., S, V].
int64_t attention_cost(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
  const int64_t n_scores = query.numel() / query.size(-1) * key.size(-2);
  return n_scores * (query.size(-1) + value.size(-1));
}

// Query, key, value and output projections of [B, L, D], and the attention between them.
int64_t self_attention_cost(const at::Tensor& x) {
  const int64_t width = x.size(-1);
  return 4 * x.numel() * width + 2 * x.numel() * x.size(-2);
}

void describe(Operation operation, c10::ArrayRef<const c10::IValue> inputs, CountedCall& call) {
  switch (operation) {
    case Operation::kConvolution: {
      constexpr size_t kTransposed = 6;
      const at::Tensor& weight = inputs[1].toTensor();
      const int64_t per_element = weight.numel() / weight.size(0);
      if (inputs.size() > kTransposed && inputs[kTransposed].isBool() && inputs[kTransposed].toBool()) {
        call.fixed = inputs[0].toTensor().numel() * per_element;
      } else {
        call.per_output = per_element;
      }
      break;
    }
    case Operation::kLinear:
    case Operation::kProduct:
      call.per_output = inputs[0].toTensor().size(-1);
      break;
    case Operation::kAddedProduct:
      call.per_output = inputs[1].toTensor().size(-1);
      break;
    case Operation::kAttention:
      call.fixed = attention_cost(inputs[0].toTensor(), inputs[1].toTensor(), inputs[2].toTensor());
      break;
    case Operation::kSelfAttention:
      call.fixed = self_attention_cost(inputs[0].toTensor());
      break;
    case Operation::kEncoderLayer: {
      constexpr size_t kFirstDense = 14;
      const at::Tensor& x = inputs[0].toTensor();
      call.fixed = self_attention_cost(x) + 2 * x.numel() * inputs[kFirstDense].toTensor().size(0);
      break;
    }
  }
}

std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function) {
  if (inside_counted) return nullptr;
  const auto found = counted_operations().find(function.name());
  if (found == counted_operations().end()) return nullptr;
  auto call = std::make_unique<CountedCall>();
  describe(found->second, function.inputs(), *call);
  inside_counted = true;
  return call;
}

void on_end(const at::RecordFunction& function, at::ObserverContext* context) {
  if (context == nullptr) return;
  inside_counted = false;
  const auto& call = static_cast<const CountedCall&>(*context);
  total += call.fixed;
  if (call.per_output == 0 || function.outputs().empty() || !function.outputs()[0].isTensor()) return;
  total += call.per_output * function.outputs()[0].toTensor().numel();
}

// Evaluation mode without gradients, for as long as it lives.
class EvaluationScope {
 public:
  explicit EvaluationScope(torch::nn::Module& module) : module_(module), was_training_(module.is_training()) {
    module_.eval();
  }
  ~EvaluationScope() { module_.train(was_training_); }
  EvaluationScope(const EvaluationScope&) = delete;
  EvaluationScope& operator=(const EvaluationScope&) = delete;

 private:
  torch::NoGradGuard no_gradient_;
  torch::nn::Module& module_;
  bool was_training_;
};

torch::Tensor one_chunk(const Tagger& tagger) {
  const auto parameters = tagger.parameters();
  const c10::Device device = parameters.empty() ? c10::Device(torch::kCPU) : parameters.front().device();
  return torch::zeros({1, tagger.facts().input_samples}, torch::TensorOptions().device(device));
}

}  // namespace

MultiplyAddCounter::MultiplyAddCounter() : start_(total) {
  // One callback a thread, whatever the nesting: two would count everything twice.
  if (n_counters++ > 0) return;
  callback = at::addThreadLocalCallback(at::RecordFunctionCallback(&on_start, &on_end)
                                            .needsInputs(true)
                                            .needsOutputs(true)
                                            .scopes({at::RecordScope::FUNCTION}));
}

MultiplyAddCounter::~MultiplyAddCounter() {
  if (--n_counters == 0) at::removeCallback(callback);
}

int64_t MultiplyAddCounter::count() const {
  return total - start_;
}

int64_t count_multiply_adds(const std::function<void()>& work) {
  const MultiplyAddCounter counter;
  work();
  return counter.count();
}

int64_t multiply_adds(Tagger& tagger) {
  const EvaluationScope evaluation(tagger);
  return count_multiply_adds([&] { tagger.forward(one_chunk(tagger)); });
}

std::vector<LayerShape> model_layers(Tagger& tagger) {
  const EvaluationScope evaluation(tagger);
  const auto modules = tagger.named_modules();
  std::vector<LayerShape> layers;
  const MultiplyAddCounter counter;
  int64_t counted_before = 0;
  const ActivationObserver observer([&](const std::string& name, const torch::Tensor& value) {
    const auto* module = modules.find(name);
    layers.push_back({name, shape_text(value.sizes().vec()), module == nullptr ? 0 : count_parameters(**module),
                      counter.count() - counted_before});
    counted_before = counter.count();
  });
  tagger.forward(one_chunk(tagger));
  return layers;
}

}  // namespace tagbench
