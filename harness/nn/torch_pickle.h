#pragma once

#include <c10/core/ScalarType.h>

#include <map>
#include <string>
#include <vector>

#include "harness/nn/pickle.h"

namespace tagbench {

// A run of elements of one type that tensors are views of. `key` is its name within the file.
struct StorageReference {
  std::string key;
  c10::ScalarType type = c10::ScalarType::Undefined;
  int64_t element_count = 0;
};

// A view whose elements all lie within its storage. Sizes, strides and offset are at least 0 and count elements.
struct TensorReference {
  size_t storage = 0;
  int64_t offset = 0;
  std::vector<int64_t> sizes;
  std::vector<int64_t> strides;
};

// What pickles of torch.save may name: collections.OrderedDict, torch.Size, torch._utils._rebuild_tensor_v2 and
// _rebuild_parameter, and the typed storages. In a TorchScript archive also its classes (__torch__.*), kept as
// attribute lists, and the markers of typed lists.
class TorchPickleRules final : public PickleRules {
 public:
  enum class Form { kStream, kZip, kTorchScript };
  explicit TorchPickleRules(Form form) : form_(form) {}

  bool allows(const std::string& global) const override;
  bool is_class(const std::string& global) const override;
  PickleValue call(const PickleDocument& document, const std::string& global, const PickleValue& arguments) override;
  PickleValue persistent(const PickleDocument& document, const PickleValue& id) override;

  // PickleValue::integer of a kStorage or kTensor counts in these.
  const std::vector<StorageReference>& storages() const { return storages_; }
  const std::vector<TensorReference>& tensors() const { return tensors_; }

 private:
  PickleValue rebuild_tensor(const PickleDocument& document, const std::vector<PickleId>& arguments);
  Form form_;
  std::vector<StorageReference> storages_;
  std::vector<TensorReference> tensors_;
  std::map<std::string, size_t> storage_by_key_;
};

}  // namespace tagbench
