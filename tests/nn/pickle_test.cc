#include "harness/nn/pickle.h"

#include <gmock/gmock.h>

#include "harness/core/errors.h"
#include "harness/nn/torch_pickle.h"
#include "tests/nn/weight_files.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::little_endian;
using testing::message_of;
using testing::PickleWriter;
using Form = TorchPickleRules::Form;
using Kind = PickleValue::Kind;

PickleDocument read_pickle_bytes(const std::string& bytes, Form form = Form::kZip) {
  TorchPickleRules rules(form);
  return read_pickle(MemorySource("net.pth", bytes), 0, rules);
}

std::string pickle_refusal(const PickleWriter& pickle, Form form = Form::kZip) {
  return message_of([&] { read_pickle_bytes(pickle.bytes(), form); });
}

PickleWriter start() {
  PickleWriter writer;
  return writer.proto();
}

TEST(PickleTest, PlainValuesAreRead) {
  PickleWriter pickle = start();
  pickle.mark()
      .none()
      .flag(true)
      .integer(-5)
      .integer(300)
      .integer(int64_t{1} << 40U)
      .real(0.25)
      .text("tag")
      .tuple()
      .stop();
  const PickleDocument document = read_pickle_bytes(pickle.bytes());
  EXPECT_EQ(document.end, pickle.bytes().size());
  ASSERT_EQ(document.top().kind, Kind::kTuple);
  const auto item = [&](size_t i) { return document.at(document.top().items[i]); };
  EXPECT_EQ(item(0).kind, Kind::kNone);
  EXPECT_EQ(item(1).integer, 1);
  EXPECT_EQ(item(2).integer, -5);
  EXPECT_EQ(item(3).integer, 300);
  EXPECT_EQ(item(4).integer, int64_t{1} << 40U);
  EXPECT_EQ(item(5).real, 0.25);
  EXPECT_EQ(item(6).text, "tag");
}

TEST(PickleTest, LongIntegersKeepTheirSign) {
  EXPECT_EQ(read_pickle_bytes(std::string("\x80\x02\x8a\x00.", 5)).top().integer, 0);
  EXPECT_EQ(read_pickle_bytes("\x80\x02\x8a\x01\xff.").top().integer, -1);
  EXPECT_EQ(read_pickle_bytes("\x80\x02\x8a\x02\xff\x7f.").top().integer, 32767);
  EXPECT_EQ(read_pickle_bytes("\x80\x02\x8a\x09" + std::string(9, '\x01') + ".").top().kind, Kind::kBigInteger);
}

TEST(PickleTest, OpcodesOfProtocolFourAreRead) {
  const std::string bytes = "\x80\x04\x95" + little_endian(30, 8) +
                            "}\x94(\x8c\x01"
                            "a\x94K\x01\x8c\x01"
                            "bh\x01u.";
  const PickleDocument document = read_pickle_bytes(bytes);
  ASSERT_EQ(document.top().kind, Kind::kDict);
  EXPECT_EQ(document.find(document.top(), "a")->integer, 1);
  EXPECT_EQ(document.find(document.top(), "b")->text, "a");
  EXPECT_EQ(document.find(document.top(), "c"), nullptr);
}

TEST(PickleTest, ItemsOfPython2DictionariesAreTakenFromTheCall) {
  PickleWriter pickle = start();
  pickle.global("collections", "OrderedDict").mark().empty_list().mark();
  pickle.empty_list().mark().text("a").integer(3).appends().appends().tuple().reduce().stop();
  const PickleDocument document = read_pickle_bytes(pickle.bytes());
  EXPECT_EQ(document.find(document.top(), "a")->integer, 3);
}

TEST(PickleTest, FunctionsAreRefusedByNameAndPosition) {
  const std::string text = pickle_refusal(start().global("os", "system").mark().text("true").tuple().reduce().stop());
  EXPECT_THAT(text, HasSubstr("net.pth, byte 2: 'os.system' is refused"));
  EXPECT_THAT(text, HasSubstr("torch.save(model.state_dict(), ...)"));
}

TEST(PickleTest, EveryOtherNameIsRefused) {
  for (const char* name : {"system", "_rebuild_tensor", "_rebuild_tensor_v3", "OrderedDictionary"}) {
    EXPECT_THAT(pickle_refusal(start().global("torch._utils", name).stop()),
                HasSubstr(std::string(name) + "' is refused"));
  }
  for (const char* module : {"builtins", "__builtin__", "posix", "__main__", "__torch__"}) {
    EXPECT_THAT(pickle_refusal(start().global(module, "eval").stop()),
                HasSubstr(std::string(module) + ".eval' is refused"));
  }
  EXPECT_THAT(pickle_refusal(start().global("torch", "ComplexFloatStorage").stop()),
              HasSubstr("'torch.ComplexFloatStorage' is refused"));
}

TEST(PickleTest, NamesBuiltOnTheStackAreRefusedToo) {
  EXPECT_THAT(pickle_refusal(start().text("os").text("system").raw("\x93").stop()),
              HasSubstr("byte 20: 'os.system' is refused"));
  EXPECT_THAT(pickle_refusal(start().text("os").integer(3).raw("\x93").stop()),
              HasSubstr("a name was expected, found an integer"));
}

TEST(PickleTest, UnprintableNamesAreShownSafely) {
  EXPECT_THAT(pickle_refusal(start().global("\x1b[2J", "x").stop()), HasSubstr("'\\x1b[2J.x'"));
}

TEST(PickleTest, DangerousOpcodesAreRefused) {
  // INST, OBJ, EXT1, NEWOBJ_EX, PERSID, NEXT_BUFFER.
  for (const char* opcode : {"i", "o", "\x82", "\x92", "P", "\x97", "\xff"}) {
    EXPECT_THAT(pickle_refusal(start().mark().raw(opcode).stop()),
                HasSubstr("is not one that a dictionary of tensors needs"));
  }
}

TEST(PickleTest, CallsOfNamesThatAreNoFunctionsAreRefused) {
  EXPECT_THAT(pickle_refusal(start().global("torch", "FloatStorage").empty_tuple().reduce().stop()),
              HasSubstr("the pickle calls 'torch.FloatStorage': refused"));
  EXPECT_THAT(pickle_refusal(start().text("eval").empty_tuple().reduce().stop()),
              HasSubstr("the pickle calls the text 'eval': refused"));
  EXPECT_THAT(pickle_refusal(start().global("collections", "OrderedDict").text("x").reduce().stop()),
              HasSubstr("must be a tuple"));
  EXPECT_THAT(pickle_refusal(start().global("collections", "OrderedDict").empty_tuple().raw("\x81").stop()),
              HasSubstr("creates"));
}

TEST(PickleTest, StateOfOtherValuesIsRefused) {
  EXPECT_THAT(pickle_refusal(start().empty_list().empty_dict().build().stop()), HasSubstr("sets the state of a list"));
  EXPECT_EQ(read_pickle_bytes(start().ordered_dict().empty_dict().build().stop().bytes()).top().kind, Kind::kDict);
}

TEST(PickleTest, DamagedStacksAreRefused) {
  EXPECT_THAT(pickle_refusal(start().stop()), HasSubstr("stack is empty"));
  EXPECT_THAT(pickle_refusal(start().none().mark().stop()), HasSubstr("stack is empty"));
  EXPECT_THAT(pickle_refusal(start().none().tuple().stop()), HasSubstr("has no mark"));
  EXPECT_THAT(pickle_refusal(start().none().raw("\x87").stop()), HasSubstr("stack is empty"));
  EXPECT_THAT(pickle_refusal(start().empty_dict().mark().none().set_items().stop()),
              HasSubstr("a key without a value"));
  EXPECT_THAT(pickle_refusal(start().empty_list().mark().none().none().set_items().stop()),
              HasSubstr("added to a list instead of a dictionary"));
  EXPECT_THAT(pickle_refusal(start().get(9).stop()), HasSubstr("memo entry 9 is used before it is set"));
}

TEST(PickleTest, EveryTruncationIsAnError) {
  const std::string bytes = testing::small_object();
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_THROW(read_pickle_bytes(bytes.substr(0, size)), DataError) << size;
}

TEST(PickleTest, LengthsBeyondTheFileAreRefusedBeforeMemoryIsTaken) {
  EXPECT_THAT(pickle_refusal(start().raw("X\xff\xff\xff\xff")),
              HasSubstr("expected 4294967295 more bytes of the pickle, found 0"));
}

TEST(PickleTest, ValuesMayContainThemselves) {
  PickleWriter pickle = start();
  pickle.empty_list().put(0).mark().get(0).appends();
  pickle.raw("0").get(0).stop();
  EXPECT_EQ(read_pickle_bytes(pickle.bytes()).top().items.size(), 1U);
}

TEST(PickleTest, DeepNestingIsHarmless) {
  // A parser that recursed would overflow its stack here.
  const size_t depth = 1000000;
  EXPECT_EQ(read_pickle_bytes("\x80\x02N" + std::string(depth, '\x85') + ".").values.size(), depth + 1);
}

TEST(PickleTest, RepeatedDoublingIsHarmless) {
  PickleWriter pickle = start();
  pickle.text("bomb").put(0);
  for (int i = 0; i < 1000; ++i) pickle.get(0).get(0).raw("\x86").put(0);
  EXPECT_LT(read_pickle_bytes(pickle.stop().bytes()).values.size(), 1100U);
}

TEST(PickleTest, CopiesOfLongTuplesAreBounded) {
  // Each call returns its argument, so every three bytes would copy a tuple of 100,000 items.
  PickleWriter pickle = start();
  pickle.mark().none();
  for (int i = 0; i < 100000; ++i) pickle.raw("2");
  pickle.tuple().raw("\x85").put(0).raw("0").global("torch", "Size").put(1);
  for (int i = 0; i < 1000; ++i) pickle.get(1).get(0).reduce();
  EXPECT_THAT(pickle_refusal(pickle.stop()), HasSubstr("the pickle's values take more than 268435456 bytes"));
}

TEST(PickleTest, NumberOfValuesIsBounded) {
  EXPECT_THAT(message_of([] { read_pickle_bytes("\x80\x02" + std::string(3000000, 'N') + "."); }),
              HasSubstr("more than 2097152 values"));
}

TEST(PickleTest, LongNamesAreRefused) {
  EXPECT_THAT(pickle_refusal(start().global(std::string(1000, 'a'), "b").stop()),
              HasSubstr("a name is longer than 512 bytes"));
}

TEST(PickleTest, UnknownProtocolIsRefused) {
  EXPECT_THAT(message_of([] { read_pickle_bytes("\x80\x06N."); }), HasSubstr("byte 0: pickle protocol 6 is unknown"));
}

TEST(TorchPickleTest, ViewIsDescribed) {
  PickleWriter pickle = start();
  pickle.tensor("HalfStorage", "7", 20, 2, {3, 4}, {4, 1}).stop();
  TorchPickleRules rules(Form::kZip);
  const PickleDocument document = read_pickle(MemorySource("net.pth", pickle.bytes()), 0, rules);
  ASSERT_EQ(document.top().kind, Kind::kTensor);
  ASSERT_EQ(rules.tensors().size(), 1U);
  EXPECT_EQ(rules.tensors()[0].offset, 2);
  EXPECT_EQ(rules.tensors()[0].sizes, (std::vector<int64_t>{3, 4}));
  EXPECT_EQ(rules.tensors()[0].strides, (std::vector<int64_t>{4, 1}));
  EXPECT_EQ(rules.storages()[0].key, "7");
  EXPECT_EQ(rules.storages()[0].type, c10::ScalarType::Half);
  EXPECT_EQ(rules.storages()[0].element_count, 20);
}

TEST(TorchPickleTest, ParametersAreTheirTensors) {
  PickleWriter pickle = start();
  pickle.global("torch._utils", "_rebuild_parameter").mark().tensor("FloatStorage", "0", 1, 0, {1}, {1}).flag(true);
  pickle.ordered_dict().tuple().reduce().stop();
  EXPECT_EQ(read_pickle_bytes(pickle.bytes()).top().kind, Kind::kTensor);
}

TEST(TorchPickleTest, ShapesOfTorchSizeAreTaken) {
  PickleWriter pickle = start();
  pickle.global("torch._utils", "_rebuild_tensor_v2").mark().storage("FloatStorage", "0", 6).integer(0);
  pickle.global("torch", "Size")
      .integers({2, 3})
      .raw("\x85")
      .reduce()
      .integers({3, 1})
      .flag(false)
      .ordered_dict()
      .tuple()
      .reduce()
      .stop();
  EXPECT_EQ(read_pickle_bytes(pickle.bytes()).top().kind, Kind::kTensor);
}

TEST(TorchPickleTest, ViewsOutsideTheirStorageAreRefused) {
  const auto text = [](int64_t elements, int64_t offset, const std::vector<int64_t>& sizes,
                       const std::vector<int64_t>& strides) {
    return pickle_refusal(start().tensor("FloatStorage", "0", elements, offset, sizes, strides).stop());
  };
  const int64_t huge = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(text(6, 1, {2, 3}, {3, 1}), HasSubstr("reaches beyond the 6 elements of its storage"));
  EXPECT_THAT(text(6, 7, {}, {}), HasSubstr("reaches beyond"));
  EXPECT_THAT(text(6, 7, {0}, {1}), HasSubstr("reaches beyond"));
  EXPECT_THAT(text(6, 0, {2}, {huge}), HasSubstr("reaches beyond"));
  EXPECT_THAT(text(6, 0, {huge, huge}, {1, 1}), HasSubstr("reaches beyond"));
  EXPECT_THAT(text(6, 0, {huge, 3}, {0, 0}), HasSubstr("reaches beyond"));
  EXPECT_THAT(text(6, huge, {2}, {huge}), HasSubstr("reaches beyond"));
  EXPECT_THAT(text(6, 0, {0, huge, huge}, {1, 1, 1}), HasSubstr("reaches beyond"));
  EXPECT_THAT(text(6, -1, {1}, {1}), HasSubstr("negative offset -1"));
  EXPECT_THAT(text(6, 0, {-1}, {1}), HasSubstr("negative size -1"));
  EXPECT_THAT(text(6, 5, {2}, {-1}), HasSubstr("negative stride -1"));
  EXPECT_THAT(text(6, 0, {2, 3}, {1}), HasSubstr("sizes and strides of different number"));
  EXPECT_THAT(text(-6, 0, {1}, {1}), HasSubstr("a storage has a negative length"));
  EXPECT_THAT(text(6, 0, std::vector<int64_t>(17, 1), std::vector<int64_t>(17, 1)), HasSubstr("17 dimensions"));
}

TEST(TorchPickleTest, StoragesThatContradictThemselvesAreRefused) {
  PickleWriter pickle = start();
  pickle.storage("FloatStorage", "0", 6).storage("LongStorage", "0", 6).stop();
  EXPECT_THAT(pickle_refusal(pickle), HasSubstr("storage '0' occurs with two types or lengths"));
}

TEST(TorchPickleTest, OddPersistentIdsAreRefused) {
  EXPECT_THAT(pickle_refusal(start().text("module").raw("Q").stop()),
              HasSubstr("a storage is named by the text 'module'"));
  EXPECT_THAT(pickle_refusal(start().mark().text("module").tuple().raw("Q").stop()),
              HasSubstr("a stored 'module' is refused"));
  EXPECT_THAT(pickle_refusal(start().mark().text("storage").tuple().raw("Q").stop()),
              HasSubstr("the type of a storage is missing"));
  EXPECT_THAT(pickle_refusal(start()
                                 .mark()
                                 .text("storage")
                                 .global("torch", "Size")
                                 .text("0")
                                 .text("cpu")
                                 .integer(1)
                                 .tuple()
                                 .raw("Q")
                                 .stop()),
              HasSubstr("'torch.Size' is no type of storage"));
}

TEST(TorchPickleTest, ScriptClassesAreAttributeListsInScriptArchivesOnly) {
  PickleWriter pickle = start();
  pickle.global("__torch__.net", "Net")
      .empty_tuple()
      .raw("\x81")
      .empty_dict()
      .mark()
      .text("training")
      .flag(false)
      .set_items()
      .build()
      .stop();
  const PickleDocument document = read_pickle_bytes(pickle.bytes(), Form::kTorchScript);
  ASSERT_EQ(document.top().kind, Kind::kObject);
  EXPECT_EQ(document.top().text, "__torch__.net.Net");
  EXPECT_EQ(document.find(document.top(), "training")->integer, 0);
  EXPECT_THAT(pickle_refusal(pickle, Form::kZip), HasSubstr("'__torch__.net.Net' is refused"));
}

}  // namespace
}  // namespace tagbench
