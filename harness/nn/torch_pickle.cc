#include "harness/nn/torch_pickle.h"

#include <optional>

#include "harness/core/text.h"
#include "harness/nn/tensor_limits.h"

namespace tagbench {
namespace {

using Kind = PickleValue::Kind;

// Tensor references of one file, optimizer states and the like included.
constexpr size_t kMaxReferences = 4 * kMaxTensors;

constexpr char kOrderedDict[] = "collections.OrderedDict";
constexpr char kSize[] = "torch.Size";
constexpr char kRebuildTensor[] = "torch._utils._rebuild_tensor_v2";
constexpr char kRebuildParameter[] = "torch._utils._rebuild_parameter";

std::optional<c10::ScalarType> storage_type(const std::string& global) {
  static const std::map<std::string, c10::ScalarType> kTypes = {
      {"torch.DoubleStorage", c10::ScalarType::Double}, {"torch.FloatStorage", c10::ScalarType::Float},
      {"torch.HalfStorage", c10::ScalarType::Half},     {"torch.BFloat16Storage", c10::ScalarType::BFloat16},
      {"torch.LongStorage", c10::ScalarType::Long},     {"torch.IntStorage", c10::ScalarType::Int},
      {"torch.ShortStorage", c10::ScalarType::Short},   {"torch.CharStorage", c10::ScalarType::Char},
      {"torch.ByteStorage", c10::ScalarType::Byte},     {"torch.BoolStorage", c10::ScalarType::Bool},
  };
  const auto found = kTypes.find(global);
  if (found == kTypes.end()) return std::nullopt;
  return found->second;
}

// Functions of TorchScript archives that return their first argument, with a type that is of no use here.
bool is_script_marker(const std::string& global) {
  return global == "torch.device" || starts_with(global, "torch.jit._pickle.build_") ||
         global == "torch.jit._pickle.restore_type_tag";
}

const PickleValue& argument(const PickleDocument& document, const std::vector<PickleId>& arguments, size_t index,
                            Kind kind, const char* meaning) {
  if (index >= arguments.size()) throw PickleRefusal(std::string(meaning) + " is missing (damaged)");
  const PickleValue& value = document.at(arguments[index]);
  if (value.kind != kind) throw PickleRefusal(std::string(meaning) + " is " + describe(value) + " (damaged)");
  return value;
}

std::vector<int64_t> integers(const PickleDocument& document, const PickleValue& tuple, const char* meaning) {
  if (tuple.items.size() > kMaxDimensions) {
    throw PickleRefusal("a tensor of " + std::to_string(tuple.items.size()) + " dimensions is refused, at most " +
                        std::to_string(kMaxDimensions) + " are accepted");
  }
  std::vector<int64_t> values;
  for (const PickleId id : tuple.items) {
    const PickleValue& value = document.at(id);
    if (value.kind != Kind::kInteger)
      throw PickleRefusal(std::string(meaning) + " holds " + describe(value) + " (damaged)");
    if (value.integer < 0)
      throw PickleRefusal(std::string("negative ") + meaning + " " + std::to_string(value.integer) + " is refused");
    values.push_back(value.integer);
  }
  return values;
}

// The number of storage elements that a view reaches to, or nothing if that exceeds an int64.
std::optional<int64_t> reach(const TensorReference& tensor) {
  int64_t last = tensor.offset;
  for (size_t i = 0; i < tensor.sizes.size(); ++i) {
    if (tensor.sizes[i] == 0) return 0;
    const std::optional<int64_t> step = checked_product(tensor.sizes[i] - 1, tensor.strides[i]);
    if (!step || *step > std::numeric_limits<int64_t>::max() - 1 - last) return std::nullopt;
    last += *step;
  }
  return last + 1;
}

PickleValue ordered_dictionary(const PickleDocument& document, const std::vector<PickleId>& arguments) {
  PickleValue result;
  result.kind = Kind::kDict;
  if (arguments.empty()) return result;
  // Python 2 passes a list of pairs instead of setting the items later.
  const PickleValue& pairs = argument(document, arguments, 0, Kind::kList, "the content of an OrderedDict");
  for (const PickleId id : pairs.items) {
    const PickleValue& pair = document.at(id);
    if ((pair.kind != Kind::kList && pair.kind != Kind::kTuple) || pair.items.size() != 2) {
      throw PickleRefusal("an item of an OrderedDict is " + describe(pair) + " instead of a pair (damaged)");
    }
    result.items.insert(result.items.end(), pair.items.begin(), pair.items.end());
  }
  return result;
}

}  // namespace

bool TorchPickleRules::allows(const std::string& global) const {
  return global == kOrderedDict || global == kSize || global == kRebuildTensor || global == kRebuildParameter ||
         storage_type(global) || (form_ == Form::kTorchScript && (is_class(global) || is_script_marker(global)));
}

bool TorchPickleRules::is_class(const std::string& global) const {
  return form_ == Form::kTorchScript && starts_with(global, "__torch__.");
}

PickleValue TorchPickleRules::call(const PickleDocument& document, const std::string& global,
                                   const PickleValue& arguments) {
  const std::vector<PickleId>& items = arguments.items;
  if (global == kOrderedDict) return ordered_dictionary(document, items);
  if (global == kRebuildTensor) return rebuild_tensor(document, items);
  if (global == kRebuildParameter) return argument(document, items, 0, Kind::kTensor, "the value of a parameter");
  if (global == kSize) return argument(document, items, 0, Kind::kTuple, "the content of a torch.Size");
  if (form_ == Form::kTorchScript && is_script_marker(global) && !items.empty()) return document.at(items[0]);
  throw PickleRefusal("the pickle calls " + safe_quote(global) + ": refused");
}

PickleValue TorchPickleRules::persistent(const PickleDocument& document, const PickleValue& id) {
  if (id.kind != Kind::kTuple)
    throw PickleRefusal("a storage is named by " + describe(id) + " instead of a tuple (damaged)");
  const std::vector<PickleId>& items = id.items;
  if (const PickleValue& kind = argument(document, items, 0, Kind::kText, "the kind of a storage");
      kind.text != "storage") {
    throw PickleRefusal("a stored " + safe_quote(kind.text) + " is refused, only storages are accepted");
  }
  const PickleValue& type_name = argument(document, items, 1, Kind::kGlobal, "the type of a storage");
  const std::optional<c10::ScalarType> type = storage_type(type_name.text);
  if (!type) throw PickleRefusal(safe_quote(type_name.text) + " is no type of storage");
  StorageReference storage;
  storage.type = *type;
  storage.key = argument(document, items, 2, Kind::kText, "the key of a storage").text;
  // The device on which it once lay: "cuda:0" loads like "cpu".
  argument(document, items, 3, Kind::kText, "the device of a storage");
  storage.element_count = argument(document, items, 4, Kind::kInteger, "the length of a storage").integer;
  if (storage.element_count < 0) throw PickleRefusal("a storage has a negative length (damaged)");
  if (form_ == Form::kStream && items.size() > 5 && document.at(items[5]).kind != Kind::kNone) {
    throw PickleRefusal(
        "a storage that is a view of another is refused (written by PyTorch before 0.4: save the file anew)");
  }

  PickleValue result;
  result.kind = Kind::kStorage;
  const auto known = storage_by_key_.find(storage.key);
  if (known != storage_by_key_.end()) {
    const StorageReference& first = storages_[known->second];
    if (first.type != storage.type || first.element_count != storage.element_count) {
      throw PickleRefusal("storage " + safe_quote(storage.key) + " occurs with two types or lengths: refused");
    }
    result.integer = static_cast<int64_t>(known->second);
    return result;
  }
  if (storages_.size() >= kMaxReferences)
    throw PickleRefusal("more than " + std::to_string(kMaxReferences) + " storages");
  result.integer = static_cast<int64_t>(storages_.size());
  storage_by_key_.emplace(storage.key, storages_.size());
  storages_.push_back(std::move(storage));
  return result;
}

PickleValue TorchPickleRules::rebuild_tensor(const PickleDocument& document, const std::vector<PickleId>& arguments) {
  TensorReference tensor;
  tensor.storage =
      static_cast<size_t>(argument(document, arguments, 0, Kind::kStorage, "the storage of a tensor").integer);
  tensor.offset = argument(document, arguments, 1, Kind::kInteger, "the offset of a tensor").integer;
  tensor.sizes = integers(document, argument(document, arguments, 2, Kind::kTuple, "the shape of a tensor"), "size");
  tensor.strides =
      integers(document, argument(document, arguments, 3, Kind::kTuple, "the strides of a tensor"), "stride");
  if (tensor.offset < 0) throw PickleRefusal("negative offset " + std::to_string(tensor.offset) + " is refused");
  if (tensor.sizes.size() != tensor.strides.size())
    throw PickleRefusal("a tensor has sizes and strides of different number (damaged)");
  const int64_t available = storages_[tensor.storage].element_count;
  const std::optional<int64_t> needed = reach(tensor);
  if (!checked_element_count(tensor.sizes) || !needed || *needed > available || tensor.offset > available) {
    throw PickleRefusal("a tensor reaches beyond the " + std::to_string(available) +
                        " elements of its storage (damaged)");
  }
  if (tensors_.size() >= kMaxReferences)
    throw PickleRefusal("more than " + std::to_string(kMaxReferences) + " tensors");
  PickleValue result;
  result.kind = Kind::kTensor;
  result.integer = static_cast<int64_t>(tensors_.size());
  tensors_.push_back(std::move(tensor));
  return result;
}

}  // namespace tagbench
