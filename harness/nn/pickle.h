#pragma once

#include <cstdint>
#include <deque>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/nn/byte_source.h"

namespace tagbench {

using PickleId = uint32_t;

// A value that a pickle describes. Composite values hold the numbers of others in PickleDocument::values, so a value
// may be shared or contain itself without harm.
struct PickleValue {
  enum class Kind {
    kNone,
    kFlag,        // integer: 0 or 1
    kInteger,     // integer
    kBigInteger,  // text: little-endian bytes
    kReal,        // real
    kText,        // text
    kTuple,       // items
    kList,        // items
    kDict,        // items: key, value, key, value, ...
    kGlobal,      // text: "module.name"
    kObject,      // text: class; items as of kDict: attributes
    kStorage,     // integer: number given by the rules
    kTensor,      // integer: number given by the rules
  };
  Kind kind = Kind::kNone;
  int64_t integer = 0;
  double real = 0.0;
  std::string text;
  std::vector<PickleId> items;
};

// "a dictionary", "the global name os.system"
std::string describe(const PickleValue& value);

struct PickleDocument {
  std::deque<PickleValue> values;
  PickleId root = 0;
  uint64_t end = 0;  // the first byte behind the pickle

  const PickleValue& at(PickleId id) const { return values[id]; }
  const PickleValue& top() const { return values[root]; }
  // The value of a text key in a dictionary or an object, or null.
  const PickleValue* find(const PickleValue& dictionary, const std::string& key) const;
};

// Thrown by rules; the reader adds file and position.
class PickleRefusal : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What a pickle may name beyond plain values. The reader calls nothing that a pickle names: it asks the rules what the
// name stands for.
class PickleRules {
 public:
  PickleRules() = default;
  virtual ~PickleRules() = default;
  PickleRules(const PickleRules&) = delete;
  PickleRules& operator=(const PickleRules&) = delete;
  // Whether a pickle may mention this name.
  virtual bool allows(const std::string& global) const = 0;
  // Whether `global` is a class whose instances are kept as attribute lists.
  virtual bool is_class(const std::string& global) const = 0;
  // What `global(*arguments)` stands for. Errors: PickleRefusal.
  virtual PickleValue call(const PickleDocument& document, const std::string& global, const PickleValue& arguments) = 0;
  // What a persistent id stands for. Errors: PickleRefusal.
  virtual PickleValue persistent(const PickleDocument& document, const PickleValue& id) = 0;
};

// Rules for pickles of plain values: no names at all.
class PlainPickleRules final : public PickleRules {
 public:
  bool allows(const std::string&) const override { return false; }
  bool is_class(const std::string&) const override { return false; }
  PickleValue call(const PickleDocument& document, const std::string& global, const PickleValue& arguments) override;
  PickleValue persistent(const PickleDocument& document, const PickleValue& id) override;
};

// Reads one pickle (protocols 0 to 5, without the text opcodes of protocol 0 and the out-of-band buffers of 5) that
// begins at `begin`. Bounds: 64 MiB, 2^21 values, 2^24 opcodes. Errors: DataError that names file, byte and the first
// thing refused.
PickleDocument read_pickle(const ByteSource& source, uint64_t begin, PickleRules& rules);

}  // namespace tagbench
