#include "harness/nn/torch_file.h"

#include <torch/types.h>

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "harness/core/errors.h"
#include "harness/core/text.h"
#include "harness/nn/model_file.h"
#include "harness/nn/pickle.h"
#include "harness/nn/tensor_limits.h"
#include "harness/nn/torch_pickle.h"
#include "harness/nn/zip_archive.h"

namespace tagbench {
namespace {

using Kind = PickleValue::Kind;
using Form = TorchPickleRules::Form;

constexpr uint64_t kMaxObjectBytes = uint64_t{1} << 26U;
constexpr uint64_t kMaxInfoBytes = uint64_t{1} << 20U;
// 0x1950a86a20f9469cfc6c, which begins the stream form, as a pickle holds it.
constexpr char kStreamMagic[] = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr int64_t kStreamProtocol = 1001;
// A view may repeat elements (stride 0), so a small file could describe much memory. Tied weights and the like stay far
// below.
constexpr int64_t kMaxExpansion = 16;
constexpr int64_t kFreeExpansionBytes = int64_t{1} << 20U;
constexpr size_t kMaxModuleDepth = 64;
constexpr size_t kMaxModuleVisits = size_t{1} << 20U;

// A tensor of the dictionary that was asked for.
struct NamedReference {
  std::string key;
  TensorReference tensor;
};

struct Selection {
  std::vector<NamedReference> tensors;
  std::map<std::string, std::string> metadata;
};

// Chooses the state dict in what the file holds, and collects its tensors.
class Selector {
 public:
  Selector(const ByteSource& source, const PickleDocument& document, const TorchPickleRules& rules)
      : source_(source), document_(document), rules_(rules) {}

  Selection dictionary() {
    const PickleValue& root = document_.top();
    if (root.kind != Kind::kDict) {
      throw DataError(source_.name() + ": a dictionary of tensors was expected, found " + describe(root) +
                      "; save torch.save(model.state_dict(), ...)");
    }
    const PickleValue* chosen = &root;
    for (const char* key : {"state_dict", "model_state_dict", "model"}) {
      const PickleValue* inner = document_.find(root, key);
      if (inner == nullptr || inner->kind != Kind::kDict) continue;
      chosen = inner;
      selection_.metadata["taken_from"] = key;
      break;
    }
    std::vector<std::string> others;
    for (size_t i = 0; i + 1 < chosen->items.size(); i += 2) {
      const PickleValue& key = document_.at(chosen->items[i]);
      const PickleValue& value = document_.at(chosen->items[i + 1]);
      if (value.kind == Kind::kTensor && key.kind == Kind::kText) {
        add(key.text, value);
      } else {
        others.push_back(key.kind == Kind::kText ? safe_quote(key.text) : describe(key));
      }
    }
    if (selection_.tensors.empty()) {
      if (others.size() > 10) others.resize(10);
      throw DataError(source_.name() + ": the dictionary holds no tensors; its first keys are " +
                      (others.empty() ? "none" : join_text(others, ", ")) +
                      "; save torch.save(model.state_dict(), ...)");
    }
    if (!others.empty()) selection_.metadata["ignored_values"] = std::to_string(others.size());
    return std::move(selection_);
  }

  Selection module() {
    if (document_.top().kind != Kind::kObject) {
      throw DataError(source_.name() + ": a TorchScript module was expected, found " + describe(document_.top()));
    }
    collect(document_.top(), "", 0);
    if (selection_.tensors.empty()) throw DataError(source_.name() + ": the TorchScript module has no tensors");
    return std::move(selection_);
  }

 private:
  void add(const std::string& key, const PickleValue& value) {
    if (key.size() > kMaxKeyBytes || !is_valid_utf8(key) || key.find('\0') != std::string::npos) {
      throw DataError(source_.name() + ": tensor name " + safe_quote(key) + " is refused: at most " +
                      std::to_string(kMaxKeyBytes) + " bytes of UTF-8 text are accepted");
    }
    if (!keys_.insert(key).second) throw DataError(source_.name() + ": tensor " + safe_quote(key) + " occurs twice");
    if (selection_.tensors.size() >= kMaxTensors) {
      throw DataError(source_.name() + ": more than " + std::to_string(kMaxTensors) + " tensors");
    }
    selection_.tensors.push_back({key, rules_.tensors()[static_cast<size_t>(value.integer)]});
  }

  // Own tensors first, then sub-modules, as PyTorch orders a state dict. A module under two names appears under both.
  void collect(const PickleValue& module, const std::string& prefix, size_t depth) {
    if (depth >= kMaxModuleDepth || prefix.size() > kMaxKeyBytes) {
      throw DataError(source_.name() + ": modules are nested deeper than " + std::to_string(kMaxModuleDepth) +
                      " levels");
    }
    for (const bool children : {false, true}) {
      for (size_t i = 0; i + 1 < module.items.size(); i += 2) {
        if (++visits_ > kMaxModuleVisits)
          throw DataError(source_.name() + ": the TorchScript module has too many parts");
        const PickleValue& key = document_.at(module.items[i]);
        const PickleValue& value = document_.at(module.items[i + 1]);
        if (key.kind != Kind::kText) continue;
        if (!children && value.kind == Kind::kTensor) add(prefix + key.text, value);
        if (children && value.kind == Kind::kObject) collect(value, prefix + key.text + ".", depth + 1);
      }
    }
  }

  const ByteSource& source_;
  const PickleDocument& document_;
  const TorchPickleRules& rules_;
  Selection selection_;
  std::set<std::string> keys_;
  size_t visits_ = 0;
};

// The storages that the selection needs, by number.
std::set<size_t> needed_storages(const Selection& selection) {
  std::set<size_t> needed;
  for (const NamedReference& named : selection.tensors) needed.insert(named.tensor.storage);
  return needed;
}

void require_moderate_views(const ByteSource& source, const Selection& selection,
                            const std::vector<StorageReference>& storages) {
  int64_t budget = kMaxExpansion * static_cast<int64_t>(source.size()) + kFreeExpansionBytes;
  for (const NamedReference& named : selection.tensors) {
    const auto element_bytes = static_cast<int64_t>(c10::elementSize(storages[named.tensor.storage].type));
    const std::optional<int64_t> bytes =
        checked_product(checked_element_count(named.tensor.sizes).value_or(0), element_bytes);
    if (!bytes || *bytes > budget) {
      throw DataError(source.name() + ": tensor " + safe_quote(named.key) +
                      " repeats its storage's elements so often that the file would grow more than " +
                      std::to_string(kMaxExpansion) + "-fold: refused; save contiguous tensors");
    }
    budget -= *bytes;
  }
}

int64_t storage_bytes(const ByteSource& source, const StorageReference& storage) {
  const std::optional<int64_t> bytes =
      checked_product(storage.element_count, static_cast<int64_t>(c10::elementSize(storage.type)));
  if (!bytes || static_cast<uint64_t>(*bytes) > source.size()) {
    throw DataError(source.name() + ": storage " + safe_quote(storage.key) + " has " +
                    std::to_string(storage.element_count) +
                    " elements, more than fit into the file (truncated or damaged)");
  }
  return *bytes;
}

torch::Tensor empty_storage(const StorageReference& storage) {
  return torch::empty({storage.element_count}, torch::TensorOptions().dtype(storage.type));
}

void require_booleans_in(const ByteSource& source, const StorageReference& storage, const torch::Tensor& values) {
  if (storage.type == c10::ScalarType::Bool)
    require_booleans(source, "storage " + safe_quote(storage.key), values.data_ptr(), storage.element_count);
}

StateDict assemble(Selection selection, const std::map<size_t, torch::Tensor>& storages, const char* container) {
  StateDict state;
  for (NamedReference& named : selection.tensors) {
    const TensorReference& tensor = named.tensor;
    state.tensors.emplace_back(std::move(named.key),
                               storages.at(tensor.storage).as_strided(tensor.sizes, tensor.strides, tensor.offset));
  }
  state.metadata = std::move(selection.metadata);
  state.metadata["container"] = container;
  return state;
}

// "archive/", which all entries of a torch.save file begin with: the folder of data.pkl.
std::string archive_prefix(const ByteSource& source, const ZipArchive& archive) {
  for (const ZipArchive::Entry& entry : archive.entries()) {
    const size_t slash = entry.name.find('/');
    if (slash != std::string::npos && entry.name.substr(slash + 1) == "data.pkl")
      return entry.name.substr(0, slash + 1);
  }
  if (archive.find("data.pkl") != nullptr) return "";
  throw DataError(source.name() + ": a zip file, but not one of torch.save: it has no entry NAME/data.pkl");
}

const PickleValue& require_kind(const ByteSource& source, uint64_t position, const PickleDocument& document, Kind kind,
                                const char* meaning) {
  if (document.top().kind != kind)
    source.fail(position, std::string(meaning) + " was expected, found " + describe(document.top()));
  return document.top();
}

// Reads and checks the three pickles before the object. Returns the position behind them.
uint64_t read_stream_head(const ByteSource& source) {
  PlainPickleRules plain;
  const PickleDocument magic = read_pickle(source, 0, plain);
  if (magic.top().kind != Kind::kBigInteger || magic.top().text != kStreamMagic) {
    source.fail(0, "a pickle, but not one of torch.save: it begins with " + describe(magic.top()) +
                       " instead of torch.save's mark");
  }
  const PickleDocument protocol = read_pickle(source, magic.end, plain);
  if (protocol.top().kind != Kind::kInteger || protocol.top().integer != kStreamProtocol) {
    source.fail(magic.end, "protocol " + std::to_string(kStreamProtocol) + " of torch.save was expected, found " +
                               (protocol.top().kind == Kind::kInteger ? std::to_string(protocol.top().integer)
                                                                      : describe(protocol.top())));
  }
  const PickleDocument system = read_pickle(source, protocol.end, plain);
  require_kind(source, protocol.end, system, Kind::kDict, "torch.save's description of the machine");
  const PickleValue* little_endian = system.find(system.top(), "little_endian");
  if (little_endian != nullptr && little_endian->kind == Kind::kFlag && little_endian->integer == 0) {
    source.fail(protocol.end,
                "the file was written on a big-endian machine: refused; save it anew on a little-endian one");
  }
  return system.end;
}

}  // namespace

StateDict read_torch_zip(const ByteSource& source) {
  const ZipArchive archive(source);
  const std::string prefix = archive_prefix(source, archive);
  if (const ZipArchive::Entry* order = archive.find(prefix + "byteorder")) {
    if (archive.text(*order, 64) != "little") {
      source.fail(order->header_offset,
                  "the file was written on a big-endian machine: refused; save it anew on a little-endian one");
    }
  }
  const bool script = archive.find(prefix + "constants.pkl") != nullptr;
  const std::string object = archive.text(*archive.find(prefix + "data.pkl"), kMaxObjectBytes);
  const MemorySource pickle(source.name() + " (" + safe_quote(prefix + "data.pkl") + ")", object);
  TorchPickleRules rules(script ? Form::kTorchScript : Form::kZip);
  const PickleDocument document = read_pickle(pickle, 0, rules);
  Selector selector(source, document, rules);
  Selection selection = script ? selector.module() : selector.dictionary();
  require_moderate_views(source, selection, rules.storages());

  std::map<size_t, torch::Tensor> storages;
  for (const size_t number : needed_storages(selection)) {
    const StorageReference& storage = rules.storages()[number];
    const ZipArchive::Entry* entry = archive.find(prefix + "data/" + storage.key);
    if (entry == nullptr)
      throw DataError(source.name() + ": the entry of storage " + safe_quote(storage.key) + " is missing");
    if (entry->bytes != static_cast<uint64_t>(storage_bytes(source, storage))) {
      source.fail(entry->header_offset, "storage " + safe_quote(storage.key) + ": expected " +
                                            std::to_string(storage_bytes(source, storage)) + " bytes, found " +
                                            std::to_string(entry->bytes) + " (damaged)");
    }
    const torch::Tensor values = empty_storage(storage);
    archive.read(*entry, values.data_ptr());
    require_booleans_in(source, storage, values);
    storages.emplace(number, values);
  }
  // What the writer of a TorchScript file added to it: export puts the description of the model there.
  if (const ZipArchive::Entry* info = archive.find(prefix + "extra/" + kModelInfoKey)) {
    selection.metadata[kModelInfoKey] = archive.text(*info, kMaxInfoBytes);
  }
  return assemble(std::move(selection), storages, script ? "TorchScript" : "torch zip");
}

StateDict read_torch_stream(const ByteSource& source) {
  TorchPickleRules rules(Form::kStream);
  const PickleDocument document = read_pickle(source, read_stream_head(source), rules);
  PlainPickleRules plain;
  const PickleDocument keys = read_pickle(source, document.end, plain);
  require_kind(source, document.end, keys, Kind::kList, "the list of storages");

  Selection selection = Selector(source, document, rules).dictionary();
  require_moderate_views(source, selection, rules.storages());
  const std::set<size_t> needed = needed_storages(selection);
  std::map<std::string, size_t> number_of;
  for (size_t i = 0; i < rules.storages().size(); ++i) number_of.emplace(rules.storages()[i].key, i);

  std::map<size_t, torch::Tensor> storages;
  uint64_t position = keys.end;
  for (const PickleId id : keys.top().items) {
    const PickleValue& key = keys.at(id);
    const auto found = key.kind == Kind::kText ? number_of.find(key.text) : number_of.end();
    // Each storage is taken out of the map, so a key that occurs twice is unknown the second time.
    if (found == number_of.end())
      source.fail(document.end, "the list of storages holds " + describe(key) + ", which no tensor uses (damaged)");
    const size_t number = found->second;
    number_of.erase(found);
    const StorageReference& storage = rules.storages()[number];
    const uint64_t count = source.integer(position, 8);
    if (count != static_cast<uint64_t>(storage.element_count)) {
      source.fail(position, "storage " + safe_quote(storage.key) + ": expected " +
                                std::to_string(storage.element_count) + " elements, found " + std::to_string(count) +
                                " (damaged)");
    }
    position += 8;
    const auto bytes = static_cast<uint64_t>(storage_bytes(source, storage));
    if (bytes > source.size() - position) {
      source.fail(position, "storage " + safe_quote(storage.key) + " needs " + std::to_string(bytes) +
                                " bytes, the file has " + std::to_string(source.size() - position) +
                                " left (truncated)");
    }
    if (needed.count(number) != 0) {
      const torch::Tensor values = empty_storage(storage);
      source.read(position, values.data_ptr(), bytes);
      require_booleans_in(source, storage, values);
      storages.emplace(number, values);
    }
    position += bytes;
  }
  if (!number_of.empty())
    source.fail(position, "storage " + safe_quote(number_of.begin()->first) + " is missing (truncated)");
  if (position != source.size()) {
    source.fail(position,
                std::to_string(source.size() - position) + " bytes are left behind the last storage (damaged)");
  }
  return assemble(std::move(selection), storages, "torch stream");
}

}  // namespace tagbench
