#include "harness/nn/state_dict.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <new>
#include <unordered_map>

#include "harness/core/errors.h"
#include "harness/core/npy.h"
#include "harness/core/text.h"
#include "harness/nn/byte_source.h"
#include "harness/nn/safetensors.h"
#include "harness/nn/torch_file.h"

namespace tagbench {
namespace {

// What a file that is no weight file probably is, from its first bytes; or "".
std::string guess(const std::string& head) {
  if (starts_with(head, "\x89HDF")) return "an HDF5 (Keras) file";
  if (starts_with(head, "\x93NUMPY")) return "a NumPy array";
  if (starts_with(head, "version https://git-lfs")) return "a Git LFS pointer: the file itself was not downloaded";
  if (starts_with(head, "<")) return "an HTML or XML page: was the download refused?";
  if (starts_with(head, "\x1f\x8b")) return "a gzip file: unpack it first";
  if (starts_with(head, "PK")) return "an empty or split zip file";
  return "";
}

StateDict read_by_content(const ByteSource& source) {
  if (source.size() == 0) throw DataError(source.name() + ": the file is empty");
  const std::string head = source.text(0, std::min<uint64_t>(source.size(), 32));
  if (starts_with(head, "PK\x03\x04")) return read_torch_zip(source);
  if (head.size() > 8 && head[8] == '{') return read_safetensors(source);
  if (head[0] == '\x80') return read_torch_stream(source);
  const std::string guessed = guess(head);
  throw DataError(source.name() + ": no weight file: safetensors, torch.save or TorchScript was expected, found " +
                  (guessed.empty() ? safe_quote(head.substr(0, 8)) + " at its beginning" : guessed));
}

void collect(const torch::nn::Module& module, const std::string& prefix, StateDict& state) {
  for (const auto& item : module.named_parameters(/*recurse=*/false))
    state.tensors.emplace_back(prefix + item.key(), item.value());
  for (const auto& item : module.named_buffers(/*recurse=*/false))
    state.tensors.emplace_back(prefix + item.key(), item.value());
  for (const auto& item : module.named_children()) collect(*item.value(), prefix + item.key() + ".", state);
}

// Whether values of type `from` may fill a tensor of type `to`: floating types convert among themselves, smaller
// integers to larger.
bool converts(c10::ScalarType from, c10::ScalarType to) {
  if (from == to) return true;
  if (c10::isFloatingType(to)) return c10::isFloatingType(from);
  return to == torch::kLong && c10::isIntegralType(from, /*includeBool=*/false);
}

// A name from a file, as it is unless it holds control characters.
std::string shown(const std::string& key) {
  const bool plain = std::none_of(key.begin(), key.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  return plain ? key : safe_quote(key);
}

std::string tensor_text(const torch::Tensor& tensor) {
  return shape_text(tensor.sizes().vec()) + " " + c10::toString(tensor.scalar_type());
}

std::string first_part(const std::string& key) {
  return key.substr(0, key.find('.'));
}

constexpr size_t kFew = 12;

// Names in full while they are few; else a layer all of whose tensors are among them as "layer4.* (7)". `all` are the
// names that they are some of.
std::vector<std::string> by_layers(const std::vector<std::string>& keys, const StateDict& all) {
  if (keys.size() <= kFew) return keys;
  std::unordered_map<std::string, size_t> of_layer, listed;
  for (const auto& [key, tensor] : all.tensors) ++of_layer[first_part(shown(key))];
  for (const std::string& key : keys) ++listed[first_part(key)];
  std::vector<std::string> texts;
  for (const std::string& key : keys) {
    const std::string layer = first_part(key);
    if (listed[layer] < 2 || listed[layer] != of_layer[layer]) {
      texts.push_back(key);
    } else if (std::find(texts.begin(), texts.end(), layer + ".* (" + std::to_string(listed[layer]) + ")") ==
               texts.end()) {
      texts.push_back(layer + ".* (" + std::to_string(listed[layer]) + ")");
    }
  }
  return texts;
}

// `n` tensors, as `items` name them.
void add_group(std::vector<std::string>& groups, const char* meaning, size_t n, std::vector<std::string> items) {
  if (items.empty()) return;
  // Enough for any real network; a hostile file must not fill the screen.
  constexpr size_t kShown = 100;
  std::string text = std::to_string(n) + " " + meaning + ": ";
  const size_t hidden = items.size() > kShown ? items.size() - kShown : 0;
  items.resize(items.size() - hidden);
  text += join_text(items, ", ");
  if (hidden > 0) text += " and " + std::to_string(hidden) + " more";
  groups.push_back(std::move(text));
}

}  // namespace

const torch::Tensor* StateDict::find(const std::string& key) const {
  for (const auto& [name, tensor] : tensors) {
    if (name == key) return &tensor;
  }
  return nullptr;
}

StateDict read_state_dict(const std::filesystem::path& path) {
  const FileSource source(path);
  try {
    return read_by_content(source);
  } catch (const c10::Error& error) {
    // What is left to fail in LibTorch once all sizes are checked is memory.
    throw DataError(path.string() + ": cannot be held in memory: " + error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    throw DataError(path.string() + ": not enough memory to read it");
  }
}

StateDict state_of(const torch::nn::Module& module) {
  StateDict state;
  collect(module, "", state);
  return state;
}

void load_state(torch::nn::Module& module, const StateDict& state, const std::string& what) {
  const StateDict own = state_of(module);
  std::unordered_map<std::string, const torch::Tensor*> given;
  for (const auto& [key, tensor] : state.tensors) given.emplace(key, &tensor);

  std::vector<std::string> missing;
  std::vector<std::string> misfits;
  std::vector<std::string> misfit_texts;
  std::unordered_map<std::string, bool> expected;
  for (const auto& [key, tensor] : own.tensors) {
    expected.emplace(key, true);
    const auto found = given.find(key);
    if (found == given.end()) {
      missing.push_back(key);
    } else if (found->second->sizes() != tensor.sizes() ||
               !converts(found->second->scalar_type(), tensor.scalar_type())) {
      misfits.push_back(key);
      misfit_texts.push_back(key + " (expected " + tensor_text(tensor) + ", found " + tensor_text(*found->second) +
                             ")");
    }
  }
  std::vector<std::string> unexpected;
  bool all_wrapped = !state.tensors.empty();
  for (const auto& [key, tensor] : state.tensors) {
    if (expected.count(key) == 0) unexpected.push_back(shown(key));
    all_wrapped = all_wrapped && starts_with(key, "module.");
  }
  std::vector<std::string> groups;
  if (all_wrapped && !unexpected.empty()) {
    throw DataError(what +
                    ": the weights do not fit: every name begins with 'module.': they were saved from a DataParallel "
                    "wrapper, save model.module.state_dict()");
  }
  add_group(groups, "missing", missing.size(), by_layers(missing, own));
  add_group(groups, "unexpected", unexpected.size(), by_layers(unexpected, state));
  if (misfits.size() > kFew) {
    std::vector<std::string> layers = by_layers(misfits, own);
    layers.push_back("the first is " + misfit_texts.front());
    misfit_texts = std::move(layers);
  }
  add_group(groups, "of another shape or type", misfits.size(), misfit_texts);
  if (!groups.empty()) throw DataError(what + ": the weights do not fit: " + join_text(groups, "; "));

  // Some layers turn NaN into 0, and damaged weights would score as if they were good.
  const at::NoGradGuard no_grad;
  std::vector<std::string> not_finite;
  for (const auto& [key, tensor] : own.tensors) {
    if (!given.at(key)->to(tensor.scalar_type()).isfinite().all().item<bool>()) not_finite.push_back(key);
  }
  add_group(groups, "with NaN or infinity", not_finite.size(), by_layers(not_finite, own));
  if (!groups.empty()) {
    throw DataError(what + ": finite weights were expected, found " + join_text(groups, "; ") +
                    "; the file is damaged, or its training diverged");
  }
  for (const auto& [key, tensor] : own.tensors) {
    torch::Tensor target = tensor;
    target.copy_(*given.at(key));
  }
}

}  // namespace tagbench
