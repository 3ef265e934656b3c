#include "harness/nn/safetensors.h"

#include <torch/types.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <set>
#include <stdexcept>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/text.h"
#include "harness/nn/tensor_limits.h"

namespace tagbench {
namespace {

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = uint64_t{1} << 24U;
constexpr size_t kMaxMetadataEntries = 4096;
constexpr char kMetadataKey[] = "__metadata__";

struct TypeName {
  const char* name;
  c10::ScalarType type;
};
constexpr TypeName kTypes[] = {
    {"F64", c10::ScalarType::Double},    {"F32", c10::ScalarType::Float}, {"F16", c10::ScalarType::Half},
    {"BF16", c10::ScalarType::BFloat16}, {"I64", c10::ScalarType::Long},  {"I32", c10::ScalarType::Int},
    {"I16", c10::ScalarType::Short},     {"I8", c10::ScalarType::Char},   {"U8", c10::ScalarType::Byte},
    {"BOOL", c10::ScalarType::Bool},
};

struct HeaderEntry {
  std::string key;
  std::string type;
  std::vector<int64_t> shape;
  std::vector<uint64_t> offsets;
  bool has_shape = false;
};

// Takes the header apart as it is parsed, so that nothing but the three expected levels is ever held. Every callback
// refuses by throwing.
class HeaderParser final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderParser(const ByteSource& source) : source_(source) {}

  std::vector<HeaderEntry> entries;
  std::map<std::string, std::string> metadata;

  bool null() override { refuse("null"); }
  bool boolean(bool) override { refuse("a boolean"); }
  bool number_integer(number_integer_t value) override { refuse("the number " + std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override { refuse("the number " + safe_quote(text)); }
  bool binary(binary_t&) override { refuse("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::kShape) {
      if (entries.back().shape.size() >= kMaxDimensions)
        fail("more than " + std::to_string(kMaxDimensions) + " dimensions");
      if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
        fail("size " + std::to_string(value) + " is too large");
      entries.back().shape.push_back(static_cast<int64_t>(value));
    } else if (place_ == Place::kOffsets && entries.back().offsets.size() < 2) {
      entries.back().offsets.push_back(value);
    } else {
      refuse("the number " + std::to_string(value));
    }
    return true;
  }

  bool string(string_t& value) override {
    if (place_ == Place::kMetadata) {
      metadata[field_] = value;
    } else if (place_ == Place::kEntry && field_ == "dtype") {
      entries.back().type = value;
    } else {
      refuse("the text " + safe_quote(value));
    }
    return true;
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::kOutside) {
      place_ = Place::kTop;
    } else if (place_ == Place::kTop) {
      place_ = tensor_.empty() ? Place::kMetadata : Place::kEntry;
    } else {
      refuse("an object");
    }
    return true;
  }

  bool end_object() override {
    if (place_ == Place::kEntry) {
      const HeaderEntry& entry = entries.back();
      if (entry.type.empty() || !entry.has_shape || entry.offsets.size() != 2)
        fail("dtype, shape and two data_offsets are needed");
    }
    place_ = place_ == Place::kTop ? Place::kOutside : Place::kTop;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ == Place::kEntry && field_ == "shape") {
      place_ = Place::kShape;
      entries.back().has_shape = true;
    } else if (place_ == Place::kEntry && field_ == "data_offsets") {
      place_ = Place::kOffsets;
    } else {
      refuse("an array");
    }
    return true;
  }

  bool end_array() override {
    place_ = Place::kEntry;
    return true;
  }

  bool key(string_t& name) override {
    if (place_ == Place::kTop) {
      if (name.size() > kMaxKeyBytes || name.empty() || name.find('\0') != std::string::npos) {
        fail("tensor name " + safe_quote(name) + " is refused: 1 to " + std::to_string(kMaxKeyBytes) +
             " bytes are accepted");
      }
      if (!keys_.insert(name).second) fail(safe_quote(name) + " occurs twice");
      tensor_ = name == kMetadataKey ? "" : name;
      if (tensor_.empty()) return true;
      if (entries.size() >= kMaxTensors) fail("more than " + std::to_string(kMaxTensors) + " tensors");
      entries.emplace_back().key = name;
      fields_.clear();
    } else if (place_ == Place::kEntry) {
      if (name != "dtype" && name != "shape" && name != "data_offsets") fail("unknown field " + safe_quote(name));
      if (!fields_.insert(name).second) fail("field " + safe_quote(name) + " occurs twice");
    } else if (metadata.count(name) != 0 || metadata.size() >= kMaxMetadataEntries) {
      fail("metadata " + safe_quote(name) + " occurs twice, or there are more than " +
           std::to_string(kMaxMetadataEntries));
    }
    field_ = name;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    source_.fail(kLengthBytes + position, std::string("the header is no valid JSON: ") + safe_quote(error.what()));
  }

 private:
  enum class Place { kOutside, kTop, kMetadata, kEntry, kShape, kOffsets };

  [[noreturn]] void fail(const std::string& message) const {
    throw DataError(source_.name() + ": safetensors header" +
                    (tensor_.empty() ? "" : ", tensor " + safe_quote(tensor_)) + ": " + message);
  }
  [[noreturn]] void refuse(const std::string& found) const {
    fail(found + " stands where " +
         (place_ == Place::kTop || place_ == Place::kOutside ? "an object" : "something else") + " was expected" +
         (field_.empty() ? "" : " (field " + safe_quote(field_) + ")"));
  }

  const ByteSource& source_;
  Place place_ = Place::kOutside;
  std::string tensor_;
  std::string field_;
  std::set<std::string> keys_;
  std::set<std::string> fields_;
};

c10::ScalarType type_of(const ByteSource& source, const HeaderEntry& entry) {
  std::vector<std::string> known;
  for (const TypeName& type : kTypes) {
    if (entry.type == type.name) return type.type;
    known.emplace_back(type.name);
  }
  throw DataError(source.name() + ": tensor " + safe_quote(entry.key) + ": type " + safe_quote(entry.type) +
                  " is not supported; known: " + join_text(known, ", "));
}

void require_size(const ByteSource& source, const HeaderEntry& entry, uint64_t data_bytes) {
  const uint64_t begin = entry.offsets[0];
  const uint64_t end = entry.offsets[1];
  const std::string who = source.name() + ": tensor " + safe_quote(entry.key);
  if (begin > end || end > data_bytes) {
    throw DataError(who + ": data offsets " + std::to_string(begin) + " to " + std::to_string(end) +
                    " do not lie in the " + std::to_string(data_bytes) + " bytes of data (truncated or damaged)");
  }
  const std::optional<int64_t> count = checked_element_count(entry.shape);
  const std::optional<int64_t> bytes =
      count ? checked_product(*count, static_cast<int64_t>(c10::elementSize(type_of(source, entry)))) : std::nullopt;
  if (!bytes || static_cast<uint64_t>(*bytes) != end - begin) {
    throw DataError(who + ": its shape needs " + (bytes ? std::to_string(*bytes) : "too many") +
                    " bytes, its data offsets span " + std::to_string(end - begin));
  }
}

// Every byte of the data must belong to exactly one tensor.
void require_tiling(const ByteSource& source, const std::vector<HeaderEntry>& entries, uint64_t data_bytes) {
  std::vector<const HeaderEntry*> order;
  for (const HeaderEntry& entry : entries) order.push_back(&entry);
  std::stable_sort(order.begin(), order.end(),
                   [](const HeaderEntry* a, const HeaderEntry* b) { return a->offsets < b->offsets; });
  uint64_t expected = 0;
  for (const HeaderEntry* entry : order) {
    if (entry->offsets[0] != expected) {
      throw DataError(source.name() + ": tensor " + safe_quote(entry->key) + " begins at data byte " +
                      std::to_string(entry->offsets[0]) +
                      (entry->offsets[0] < expected ? " and overlaps another tensor" : " and leaves a gap") +
                      "; expected " + std::to_string(expected));
    }
    expected = entry->offsets[1];
  }
  if (expected != data_bytes) {
    throw DataError(source.name() + ": the tensors have " + std::to_string(expected) + " bytes, the file holds " +
                    std::to_string(data_bytes) + " bytes of data");
  }
}

const char* type_name(const std::string& key, c10::ScalarType wanted) {
  for (const TypeName& type : kTypes) {
    if (type.type == wanted) return type.name;
  }
  throw DataError("tensor " + safe_quote(key) + " has type " + c10::toString(wanted) +
                  ", which safetensors files of ours cannot hold");
}

}  // namespace

StateDict read_safetensors(const ByteSource& source) {
  const uint64_t header_bytes = source.integer(0, 8);
  if (header_bytes > kMaxHeaderBytes || header_bytes > source.size() - kLengthBytes) {
    source.fail(0, "a header of " + std::to_string(header_bytes) + " bytes is refused; the file has " +
                       std::to_string(source.size()) + " bytes and at most " + std::to_string(kMaxHeaderBytes) +
                       " are accepted");
  }
  const std::string header = source.text(kLengthBytes, header_bytes);
  HeaderParser parser(source);
  nlohmann::json::sax_parse(header, &parser);

  const uint64_t data_begin = kLengthBytes + header_bytes;
  const uint64_t data_bytes = source.size() - data_begin;
  for (const HeaderEntry& entry : parser.entries) require_size(source, entry, data_bytes);
  require_tiling(source, parser.entries, data_bytes);

  StateDict state;
  state.metadata = std::move(parser.metadata);
  for (const HeaderEntry& entry : parser.entries) {
    torch::Tensor tensor = torch::empty(entry.shape, torch::TensorOptions().dtype(type_of(source, entry)));
    source.read(data_begin + entry.offsets[0], tensor.data_ptr(), entry.offsets[1] - entry.offsets[0]);
    if (tensor.scalar_type() == c10::ScalarType::Bool)
      require_booleans(source, "tensor " + safe_quote(entry.key), tensor.data_ptr(), tensor.numel());
    state.tensors.emplace_back(entry.key, std::move(tensor));
  }
  return state;
}

void write_safetensors(const std::filesystem::path& path, const StateDict& state) {
  // Data in order of falling element size keeps every tensor aligned, which readers that map the file rely on.
  std::vector<size_t> order(state.tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return state.tensors[a].second.element_size() > state.tensors[b].second.element_size();
  });
  std::vector<uint64_t> begin(state.tensors.size());
  uint64_t data_bytes = 0;
  for (const size_t i : order) {
    begin[i] = data_bytes;
    data_bytes += static_cast<uint64_t>(state.tensors[i].second.numel() * state.tensors[i].second.element_size());
  }

  Json header = Json::object();
  if (!state.metadata.empty()) header[kMetadataKey] = state.metadata;
  std::set<std::string> keys;
  for (size_t i = 0; i < state.tensors.size(); ++i) {
    const auto& [key, tensor] = state.tensors[i];
    if (key.empty() || key == kMetadataKey || key.size() > kMaxKeyBytes || !keys.insert(key).second) {
      throw std::logic_error("write_safetensors: tensor name " + safe_quote(key) +
                             " is empty, reserved, too long or given twice");
    }
    header[key] = {
        {"dtype", type_name(key, tensor.scalar_type())},
        {"shape", tensor.sizes().vec()},
        {"data_offsets", {begin[i], begin[i] + static_cast<uint64_t>(tensor.numel() * tensor.element_size())}}};
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const Json::exception& error) {
    throw DataError("cannot write " + path.string() + ": a name or a metadata text is not UTF-8: " + error.what());
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  if (text.size() > kMaxHeaderBytes) {
    throw DataError("cannot write " + path.string() + ": its header would have " + std::to_string(text.size()) +
                    " bytes, at most " + std::to_string(kMaxHeaderBytes) + " can be read back");
  }

  AtomicFile file(path);
  std::ofstream stream(file.temporary_path(), std::ios::binary);
  char length[kLengthBytes];
  for (size_t i = 0; i < kLengthBytes; ++i) length[i] = static_cast<char>(text.size() >> (8 * i));
  stream.write(length, sizeof length);
  stream.write(text.data(), static_cast<std::streamsize>(text.size()));
  for (const size_t i : order) {
    const torch::Tensor tensor = state.tensors[i].second.detach().to(torch::kCPU).contiguous();
    stream.write(static_cast<const char*>(tensor.data_ptr()),
                 static_cast<std::streamsize>(tensor.numel() * tensor.element_size()));
  }
  stream.close();
  if (!stream) throw DataError("cannot write " + path.string() + " (no space left, or no permission)");
  file.commit();
}

}  // namespace tagbench
