#include "harness/nn/pickle.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>

namespace tagbench {
namespace {

using Kind = PickleValue::Kind;

constexpr uint64_t kMaxPickleBytes = uint64_t{1} << 26U;
constexpr size_t kMaxValues = size_t{1} << 21U;
constexpr size_t kMaxOpcodes = size_t{1} << 24U;
constexpr size_t kMaxNameBytes = 512;
// Text and items of all values together: copies of long values must not multiply a small file.
constexpr size_t kMaxHeldBytes = size_t{1} << 28U;
constexpr uint64_t kWindowBytes = uint64_t{1} << 16U;

// https://docs.python.org/3/library/pickletools.html
enum Opcode : unsigned char {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kBinFloat = 'G',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
  kBinString = 'T',
  kShortBinString = 'U',
  kBinUnicode = 'X',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kDictOp = 'd',
  kEmptyDict = '}',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kListOp = 'l',
  kEmptyList = ']',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kEmptyTuple = ')',
  kSetItems = 'u',
  kProto = 0x80,
  kNewObj = 0x81,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kShortBinUnicode = 0x8c,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
};

PickleValue make(Kind kind, int64_t integer = 0) {
  PickleValue value;
  value.kind = kind;
  value.integer = integer;
  return value;
}

PickleValue make_text(Kind kind, std::string text) {
  PickleValue value;
  value.kind = kind;
  value.text = std::move(text);
  return value;
}

// Bytes of the source in order, through a window, so that a short pickle before much data costs little.
class Cursor {
 public:
  Cursor(const ByteSource& source, uint64_t begin)
      : source_(source), position_(begin), limit_(begin + std::min(kMaxPickleBytes, source.size() - begin)) {}

  uint64_t position() const { return position_; }

  std::string take(uint64_t count) {
    if (count > limit_ - position_) {
      source_.fail(position_, "expected " + std::to_string(count) + " more bytes of the pickle, found " +
                                  std::to_string(limit_ - position_) + " (truncated or damaged)");
    }
    std::string bytes;
    if (position_ >= window_begin_ && position_ <= window_end() && count <= window_end() - position_) {
      bytes = window_.substr(static_cast<size_t>(position_ - window_begin_), static_cast<size_t>(count));
    } else {
      bytes = source_.text(position_, count);
    }
    position_ += count;
    return bytes;
  }

  unsigned char byte() {
    if (position_ >= limit_) source_.fail(position_, "the pickle has no end (truncated or damaged)");
    if (position_ >= window_end()) {
      window_begin_ = position_;
      window_ = source_.text(position_, std::min(kWindowBytes, limit_ - position_));
    }
    return static_cast<unsigned char>(window_[static_cast<size_t>(position_++ - window_begin_)]);
  }

  uint64_t integer(int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value |= uint64_t{byte()} << (8U * static_cast<unsigned>(i));
    return value;
  }

  std::string line() {
    std::string text;
    for (unsigned char c = byte(); c != '\n'; c = byte()) {
      if (text.size() >= kMaxNameBytes)
        source_.fail(position_, "a name is longer than " + std::to_string(kMaxNameBytes) + " bytes");
      text += static_cast<char>(c);
    }
    return text;
  }

 private:
  uint64_t window_end() const { return window_begin_ + window_.size(); }
  const ByteSource& source_;
  uint64_t position_;
  uint64_t limit_;
  std::string window_;
  uint64_t window_begin_ = 0;
};

class Machine {
 public:
  Machine(const ByteSource& source, uint64_t begin, PickleRules& rules)
      : source_(source), cursor_(source, begin), rules_(rules) {}

  PickleDocument run() {
    for (size_t count = 0; count < kMaxOpcodes; ++count) {
      opcode_position_ = cursor_.position();
      const unsigned char opcode = cursor_.byte();
      if (opcode == kStop) {
        document_.root = pop();
        document_.end = cursor_.position();
        return std::move(document_);
      }
      try {
        step(opcode);
      } catch (const PickleRefusal& refusal) {
        fail(refusal.what());
      }
    }
    fail("the pickle has more than " + std::to_string(kMaxOpcodes) + " opcodes");
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { source_.fail(opcode_position_, message); }

  void step(unsigned char opcode) {
    switch (opcode) {
      case kProto:
        if (const unsigned version = cursor_.byte(); version > 5)
          fail("pickle protocol " + std::to_string(version) + " is unknown");
        break;
      case kFrame:
        cursor_.integer(8);
        break;
      case kMark:
        marks_.push_back(stack_.size());
        break;
      case kPop:
        pop();
        break;
      case kPopMark:
        pop_to_mark();
        break;
      case kDup:
        stack_.push_back(peek());
        break;
      case kNone:
        push(make(Kind::kNone));
        break;
      case kNewTrue:
        push(make(Kind::kFlag, 1));
        break;
      case kNewFalse:
        push(make(Kind::kFlag, 0));
        break;
      case kBinInt:
        push(make(Kind::kInteger, static_cast<int32_t>(static_cast<uint32_t>(cursor_.integer(4)))));
        break;
      case kBinInt1:
        push(make(Kind::kInteger, static_cast<int64_t>(cursor_.integer(1))));
        break;
      case kBinInt2:
        push(make(Kind::kInteger, static_cast<int64_t>(cursor_.integer(2))));
        break;
      case kLong1:
        push(long_value(cursor_.take(cursor_.integer(1))));
        break;
      case kBinFloat:
        push(real_value(cursor_.take(8)));
        break;
      case kShortBinUnicode:
      case kShortBinString:
        push(make_text(Kind::kText, cursor_.take(cursor_.integer(1))));
        break;
      case kBinUnicode:
      case kBinString:
        push(make_text(Kind::kText, cursor_.take(cursor_.integer(4))));
        break;
      default:
        step_containers(opcode);
    }
  }

  void step_containers(unsigned char opcode) {
    switch (opcode) {
      case kEmptyTuple:
        push(make(Kind::kTuple));
        break;
      case kEmptyList:
        push(make(Kind::kList));
        break;
      case kEmptyDict:
        push(make(Kind::kDict));
        break;
      case kTuple1:
        push_items(Kind::kTuple, pop_several(1));
        break;
      case kTuple2:
        push_items(Kind::kTuple, pop_several(2));
        break;
      case kTuple3:
        push_items(Kind::kTuple, pop_several(3));
        break;
      case kTuple:
        push_items(Kind::kTuple, pop_to_mark());
        break;
      case kListOp:
        push_items(Kind::kList, pop_to_mark());
        break;
      case kDictOp:
        push_items(Kind::kDict, require_pairs(pop_to_mark()));
        break;
      case kAppend:
        extend(Kind::kList, pop_several(1));
        break;
      case kAppends:
        extend(Kind::kList, pop_to_mark());
        break;
      case kSetItem:
        extend(Kind::kDict, pop_several(2));
        break;
      case kSetItems:
        extend(Kind::kDict, require_pairs(pop_to_mark()));
        break;
      default:
        step_memo_and_names(opcode);
    }
  }

  void step_memo_and_names(unsigned char opcode) {
    switch (opcode) {
      case kBinPut:
        remember(static_cast<uint32_t>(cursor_.integer(1)));
        break;
      case kLongBinPut:
        remember(static_cast<uint32_t>(cursor_.integer(4)));
        break;
      case kMemoize:
        remember(static_cast<uint32_t>(memo_.size()));
        break;
      case kBinGet:
        recall(static_cast<uint32_t>(cursor_.integer(1)));
        break;
      case kLongBinGet:
        recall(static_cast<uint32_t>(cursor_.integer(4)));
        break;
      case kGlobal: {
        const std::string module = cursor_.line();
        push_global(module, cursor_.line());
        break;
      }
      case kStackGlobal: {
        const std::vector<PickleId> names = pop_several(2);
        push_global(require_name(names[0]), require_name(names[1]));
        break;
      }
      case kBinPersId:
        push(rules_.persistent(document_, document_.at(pop())));
        break;
      case kReduce:
        reduce();
        break;
      case kNewObj:
        instantiate();
        break;
      case kBuild:
        build();
        break;
      default:
        fail("pickle opcode " + std::to_string(opcode) + " is not one that a dictionary of tensors needs: refused");
    }
  }

  PickleId peek() const {
    if (stack_.empty() || (!marks_.empty() && marks_.back() == stack_.size()))
      fail("the pickle's stack is empty (damaged)");
    return stack_.back();
  }

  PickleId pop() {
    const PickleId id = peek();
    stack_.pop_back();
    return id;
  }

  std::vector<PickleId> pop_several(size_t count) {
    std::vector<PickleId> ids(count);
    for (size_t i = count; i-- > 0;) ids[i] = pop();
    return ids;
  }

  std::vector<PickleId> pop_to_mark() {
    if (marks_.empty()) fail("the pickle's stack has no mark (damaged)");
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<PickleId> ids(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return ids;
  }

  void push(PickleValue value) {
    if (document_.values.size() >= kMaxValues)
      fail("the pickle has more than " + std::to_string(kMaxValues) + " values");
    hold(value.text.size() + value.items.size() * sizeof(PickleId));
    document_.values.push_back(std::move(value));
    stack_.push_back(static_cast<PickleId>(document_.values.size() - 1));
  }

  void hold(size_t bytes) {
    held_bytes_ += bytes;
    if (held_bytes_ > kMaxHeldBytes)
      fail("the pickle's values take more than " + std::to_string(kMaxHeldBytes) + " bytes");
  }

  void push_items(Kind kind, std::vector<PickleId> items) {
    PickleValue value = make(kind);
    value.items = std::move(items);
    push(std::move(value));
  }

  std::vector<PickleId> require_pairs(std::vector<PickleId> items) const {
    if (items.size() % 2 != 0) fail("a dictionary has a key without a value (damaged)");
    return items;
  }

  // Adds to the list or dictionary on top of the stack.
  void extend(Kind kind, const std::vector<PickleId>& items) {
    PickleValue& target = document_.values[peek()];
    if (target.kind != kind) {
      fail(std::string("items are added to ") + describe(target) + " instead of a " +
           (kind == Kind::kList ? "list" : "dictionary") + ": refused");
    }
    hold(items.size() * sizeof(PickleId));
    target.items.insert(target.items.end(), items.begin(), items.end());
  }

  void remember(uint32_t slot) {
    if (memo_.size() >= kMaxValues) fail("the pickle remembers more than " + std::to_string(kMaxValues) + " values");
    memo_[slot] = peek();
  }

  void recall(uint32_t slot) {
    const auto found = memo_.find(slot);
    if (found == memo_.end()) fail("memo entry " + std::to_string(slot) + " is used before it is set (damaged)");
    stack_.push_back(found->second);
  }

  const std::string& require_name(PickleId id) const {
    const PickleValue& value = document_.at(id);
    if (value.kind != Kind::kText || value.text.size() > kMaxNameBytes)
      fail("a name was expected, found " + describe(value));
    return value.text;
  }

  void push_global(const std::string& module, const std::string& name) {
    std::string global = module + "." + name;
    if (!rules_.allows(global)) {
      fail(safe_quote(global) +
           " is refused: a dictionary of tensors does not need it, and nothing that a file names is executed; save "
           "only the state dict, torch.save(model.state_dict(), ...)");
    }
    push(make_text(Kind::kGlobal, std::move(global)));
  }

  const std::string& require_global(PickleId id) const {
    const PickleValue& value = document_.at(id);
    if (value.kind != Kind::kGlobal) fail("the pickle calls " + describe(value) + ": refused");
    return value.text;
  }

  void reduce() {
    const PickleId arguments = pop();
    const std::string& global = require_global(pop());
    if (document_.at(arguments).kind != Kind::kTuple)
      fail("arguments of " + safe_quote(global) + " must be a tuple (damaged)");
    push(rules_.call(document_, global, document_.at(arguments)));
  }

  void instantiate() {
    const PickleId arguments = pop();
    const std::string& global = require_global(pop());
    if (!rules_.is_class(global) || !document_.at(arguments).items.empty())
      fail("the pickle creates " + safe_quote(global) + ": refused");
    push(make_text(Kind::kObject, global));
  }

  // The state of an ordered dictionary (its `_metadata`) is of no use here; that of an object becomes its attributes.
  void build() {
    const PickleId state = pop();
    PickleValue& target = document_.values[peek()];
    const PickleValue& attributes = document_.at(state);
    if (target.kind == Kind::kObject) {
      if (attributes.kind != Kind::kDict) return;
      hold(attributes.items.size() * sizeof(PickleId));
      target.items = attributes.items;
    } else if (target.kind != Kind::kDict || attributes.kind != Kind::kDict) {
      fail("the pickle sets the state of " + describe(target) + " to " + describe(attributes) + ": refused");
    }
  }

  static PickleValue long_value(std::string bytes) {
    if (bytes.size() > 8) return make_text(Kind::kBigInteger, std::move(bytes));
    uint64_t bits = 0;
    for (size_t i = 0; i < bytes.size(); ++i) bits |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8U * i);
    const bool negative = !bytes.empty() && (static_cast<unsigned char>(bytes.back()) & 0x80U) != 0;
    if (negative && bytes.size() < 8) bits |= ~uint64_t{0} << (8U * bytes.size());
    int64_t value = 0;
    std::memcpy(&value, &bits, sizeof value);
    return make(Kind::kInteger, value);
  }

  static PickleValue real_value(const std::string& big_endian) {
    uint64_t bits = 0;
    for (const char c : big_endian) bits = bits << 8U | static_cast<unsigned char>(c);
    PickleValue value = make(Kind::kReal);
    std::memcpy(&value.real, &bits, sizeof bits);
    return value;
  }

  const ByteSource& source_;
  Cursor cursor_;
  PickleRules& rules_;
  PickleDocument document_;
  std::vector<PickleId> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint32_t, PickleId> memo_;
  uint64_t opcode_position_ = 0;
  size_t held_bytes_ = 0;
};

}  // namespace

std::string describe(const PickleValue& value) {
  switch (value.kind) {
    case Kind::kNone:
      return "None";
    case Kind::kFlag:
      return "a boolean";
    case Kind::kInteger:
    case Kind::kBigInteger:
      return "an integer";
    case Kind::kReal:
      return "a number";
    case Kind::kText:
      return "the text " + safe_quote(value.text);
    case Kind::kTuple:
      return "a tuple";
    case Kind::kList:
      return "a list";
    case Kind::kDict:
      return "a dictionary";
    case Kind::kGlobal:
      return "the name " + safe_quote(value.text);
    case Kind::kObject:
      return "an object of " + safe_quote(value.text);
    case Kind::kStorage:
      return "a storage";
    case Kind::kTensor:
      return "a tensor";
  }
  return "a value";
}

const PickleValue* PickleDocument::find(const PickleValue& dictionary, const std::string& key) const {
  for (size_t i = 0; i + 1 < dictionary.items.size(); i += 2) {
    const PickleValue& candidate = at(dictionary.items[i]);
    if (candidate.kind == Kind::kText && candidate.text == key) return &at(dictionary.items[i + 1]);
  }
  return nullptr;
}

PickleValue PlainPickleRules::call(const PickleDocument&, const std::string& global, const PickleValue&) {
  throw PickleRefusal("the pickle calls " + safe_quote(global) + ": refused");
}

PickleValue PlainPickleRules::persistent(const PickleDocument&, const PickleValue&) {
  throw PickleRefusal("a storage is mentioned where plain values were expected: refused");
}

PickleDocument read_pickle(const ByteSource& source, uint64_t begin, PickleRules& rules) {
  if (begin > source.size()) source.fail(begin, "a pickle was expected, the file ends here (truncated)");
  return Machine(source, begin, rules).run();
}

}  // namespace tagbench
