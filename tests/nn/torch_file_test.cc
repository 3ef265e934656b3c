#include "harness/nn/torch_file.h"

#include <gmock/gmock.h>
#include <torch/types.h>

#include "harness/core/errors.h"
#include "harness/nn/zip_archive.h"
#include "tests/nn/weight_files.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using testing::float_bytes;
using ::testing::HasSubstr;
using testing::little_endian;
using testing::message_of;
using testing::PickleWriter;
using testing::StreamStorage;
using testing::torch_zip_file;
using testing::zip_file;
using testing::ZipFaults;

StateDict read_zip(const std::string& bytes) {
  return read_torch_zip(MemorySource("net.pth", bytes));
}

StateDict read_stream(const std::string& bytes) {
  return read_torch_stream(MemorySource("net.pth", bytes));
}

std::string zip_refusal(const std::string& bytes) {
  return message_of([&] { read_zip(bytes); });
}

std::string stream_refusal(const std::string& bytes) {
  return message_of([&] { read_stream(bytes); });
}

void expect_small(const StateDict& state) {
  ASSERT_EQ(state.tensors.size(), 2U);
  EXPECT_EQ(state.tensors[0].first, "weight");
  EXPECT_TRUE(torch::equal(state.tensors[0].second, torch::arange(6, torch::kFloat).view({2, 3})));
  EXPECT_EQ(state.tensors[1].first, "counter");
  EXPECT_EQ(state.tensors[1].second.item<int64_t>(), 7);
}

// One tensor "x" of `type` in a dictionary.
std::string one_tensor(const std::string& type, int64_t elements, const std::vector<int64_t>& sizes,
                       const std::vector<int64_t>& strides, int form = 5) {
  PickleWriter object;
  object.proto().empty_dict().mark().text("x").tensor(type, "0", elements, 0, sizes, strides, form);
  return object.set_items().stop().bytes();
}

TEST(TorchZipTest, TensorsAreRead) {
  const StateDict state = read_zip(testing::small_zip());
  expect_small(state);
  EXPECT_EQ(state.metadata.at("container"), "torch zip");
}

TEST(TorchZipTest, Zip64IsRead) {
  ZipFaults zip64;
  zip64.zip64 = true;
  expect_small(read_zip(torch_zip_file(testing::small_object(),
                                       {{"0", float_bytes({0, 1, 2, 3, 4, 5})}, {"1", little_endian(7, 8)}}, zip64)));
}

TEST(TorchZipTest, EveryTypeIsRead) {
  const std::pair<const char*, torch::ScalarType> types[] = {
      {"DoubleStorage", torch::kDouble},     {"FloatStorage", torch::kFloat}, {"HalfStorage", torch::kHalf},
      {"BFloat16Storage", torch::kBFloat16}, {"LongStorage", torch::kLong},   {"IntStorage", torch::kInt},
      {"ShortStorage", torch::kShort},       {"CharStorage", torch::kChar},   {"ByteStorage", torch::kByte},
      {"BoolStorage", torch::kBool}};
  for (const auto& [name, type] : types) {
    const std::string bytes(2 * c10::elementSize(type), '\1');
    const StateDict state = read_zip(torch_zip_file(one_tensor(name, 2, {2}, {1}), {{"0", bytes}}));
    EXPECT_EQ(state.tensors[0].second.scalar_type(), type) << name;
  }
}

TEST(TorchZipTest, ViewsShareTheirStorage) {
  PickleWriter object;
  object.proto().empty_dict().mark().text("a").tensor("FloatStorage", "0", 6, 0, {2}, {1});
  object.text("b").tensor("FloatStorage", "0", 6, 1, {2, 2}, {1, 2}).set_items().stop();
  const StateDict state = read_zip(torch_zip_file(object.bytes(), {{"0", float_bytes({0, 1, 2, 3, 4, 5})}}));
  EXPECT_EQ(state.find("a")->storage().data(), state.find("b")->storage().data());
  EXPECT_TRUE(torch::equal(*state.find("b"), torch::tensor({{1.0F, 3.0F}, {2.0F, 4.0F}})));
}

TEST(TorchZipTest, StateDictIsFoundInATrainingCheckpoint) {
  for (const char* key : {"state_dict", "model_state_dict", "model"}) {
    PickleWriter object;
    object.proto().empty_dict().mark().text("epoch").integer(3).text("optimizer").empty_dict().mark();
    object.text("lr").real(0.1).text("momentum").tensor("FloatStorage", "9", 6, 0, {6}, {1}).set_items();
    object.text(key)
        .ordered_dict()
        .mark()
        .text("x")
        .tensor("FloatStorage", "0", 1, 0, {1}, {1})
        .text("note")
        .text("hello")
        .set_items();
    object.set_items().stop();
    // Storage 9 belongs to the optimizer alone: its entry is not needed.
    const StateDict state = read_zip(torch_zip_file(object.bytes(), {{"0", float_bytes({5})}}));
    ASSERT_EQ(state.tensors.size(), 1U);
    EXPECT_EQ(state.tensors[0].first, "x");
    EXPECT_EQ(state.metadata.at("taken_from"), key);
    EXPECT_EQ(state.metadata.at("ignored_values"), "1");
  }
}

TEST(TorchZipTest, FilesWithoutTensorsSayWhatTheyHold) {
  EXPECT_THAT(zip_refusal(torch_zip_file(PickleWriter().proto().integer(3).stop().bytes(), {})),
              HasSubstr("a dictionary of tensors was expected, found an integer"));
  PickleWriter object;
  object.proto().empty_dict().mark().text("encoder").empty_dict().integer(3).none().set_items().stop();
  EXPECT_THAT(zip_refusal(torch_zip_file(object.bytes(), {})),
              HasSubstr("holds no tensors; its first keys are 'encoder', an integer"));
}

TEST(TorchZipTest, KeysAreChecked) {
  const auto named = [](const std::string& key) {
    PickleWriter object;
    object.proto().empty_dict().mark().text(key).tensor("FloatStorage", "0", 1, 0, {1}, {1});
    object.text("x").tensor("FloatStorage", "0", 1, 0, {1}, {1}).set_items().stop();
    return torch_zip_file(object.bytes(), {{"0", float_bytes({5})}});
  };
  EXPECT_NO_THROW(read_zip(named("y")));
  EXPECT_THAT(zip_refusal(named("x")), HasSubstr("tensor 'x' occurs twice"));
  EXPECT_THAT(zip_refusal(named("\xff")), HasSubstr("tensor name '\\xff' is refused"));
  EXPECT_THAT(zip_refusal(named(std::string(2000, 'k'))), HasSubstr("at most 1024 bytes"));
}

TEST(TorchZipTest, MissingAndMisfittingStoragesAreNamed) {
  const std::string object = one_tensor("FloatStorage", 6, {6}, {1});
  EXPECT_THAT(zip_refusal(torch_zip_file(object, {})), HasSubstr("the entry of storage '0' is missing"));
  EXPECT_THAT(zip_refusal(torch_zip_file(object, {{"0", std::string(20, 'x')}})),
              HasSubstr("storage '0': expected 24 bytes, found 20"));
  EXPECT_THAT(zip_refusal(torch_zip_file(one_tensor("FloatStorage", int64_t{1} << 62U, {1}, {1}), {{"0", ""}})),
              HasSubstr("more than fit into the file"));
  EXPECT_THAT(zip_refusal(torch_zip_file(one_tensor("BoolStorage", 2, {2}, {1}), {{"0", "\x01\x07"}})),
              HasSubstr("a boolean must be 0 or 1, found 7"));
}

TEST(TorchZipTest, ExpandedViewsAreAcceptedInModeration) {
  const StateDict state =
      read_zip(torch_zip_file(one_tensor("FloatStorage", 1, {1000}, {0}), {{"0", float_bytes({5})}}));
  EXPECT_EQ(state.tensors[0].second.sum().item<float>(), 5000.0F);
  EXPECT_THAT(
      zip_refusal(torch_zip_file(one_tensor("FloatStorage", 1, {int64_t{1} << 40U}, {0}), {{"0", float_bytes({5})}})),
      HasSubstr("repeats its storage's elements so often"));
}

TEST(TorchZipTest, BigEndianIsRefused) {
  const std::string object = one_tensor("FloatStorage", 1, {1}, {1});
  EXPECT_NO_THROW(read_zip(zip_file({{"a/data.pkl", object}, {"a/data/0", "abcd"}, {"a/byteorder", "little"}})));
  EXPECT_THAT(zip_refusal(zip_file({{"a/data.pkl", object}, {"a/data/0", "abcd"}, {"a/byteorder", "big"}})),
              HasSubstr("big-endian"));
}

TEST(TorchZipTest, OtherZipFilesAreNamedAsSuch) {
  EXPECT_THAT(zip_refusal(zip_file({{"readme.txt", "hello"}})), HasSubstr("a zip file, but not one of torch.save"));
}

TEST(TorchZipTest, EveryTruncationIsAnError) {
  const std::string bytes = testing::small_zip();
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_THROW(read_zip(bytes.substr(0, size)), DataError) << size;
}

// Names, dates and versions in a zip file decide nothing, so some changes are harmless; none may crash or change a
// value.
TEST(TorchZipTest, EveryChangedByteIsRefusedOrHarmless) {
  const std::string good = testing::small_zip();
  for (size_t i = 0; i < good.size(); ++i) {
    for (const unsigned flip : {1U, 0x80U, 0xffU}) {
      std::string bad = good;
      bad[i] = static_cast<char>(static_cast<unsigned char>(bad[i]) ^ flip);
      try {
        expect_small(read_zip(bad));
      } catch (const DataError&) {
      }
    }
  }
}

TEST(ZipArchiveTest, DamagedBytesAreNoticedByTheirChecksum) {
  ZipFaults faults;
  faults.crc_lie = 1;
  EXPECT_THAT(zip_refusal(torch_zip_file(testing::small_object(), {}, faults)),
              HasSubstr("do not have the CRC-32 that the file states"));
}

TEST(ZipArchiveTest, CompressedAndEncryptedEntriesAreRefused) {
  EXPECT_THAT(zip_refusal(zip_file({{"a/data.pkl", "x", 8}})), HasSubstr("zip entry 'a/data.pkl' is compressed"));
  EXPECT_THAT(zip_refusal(zip_file({{"a/data.pkl", "x", 0, 1}})), HasSubstr("zip entry 'a/data.pkl' is encrypted"));
}

TEST(ZipArchiveTest, LyingTablesOfContentsAreRefused) {
  for (const bool zip64 : {false, true}) {
    ZipFaults faults;
    faults.zip64 = zip64;
    const auto refusal = [&](const ZipFaults& lie) {
      return zip_refusal(torch_zip_file(testing::small_object(), {{"0", "abcd"}}, lie));
    };
    ZipFaults size = faults;
    size.size_lie = 100000;
    EXPECT_THAT(refusal(size), HasSubstr("does not lie in the file"));
    size.size_lie = 200;
    EXPECT_THAT(refusal(size), ::testing::AnyOf(HasSubstr("does not lie in the file"), HasSubstr("overlaps")));
    ZipFaults offset = faults;
    offset.offset_lie = 1;
    EXPECT_THAT(refusal(offset), HasSubstr("(damaged)"));
    offset.offset_lie = 5000000;
    EXPECT_THAT(refusal(offset), HasSubstr("does not lie in the file"));
    ZipFaults count = faults;
    count.entry_count_lie = 1;
    EXPECT_THAT(refusal(count), HasSubstr("table of contents"));
    ZipFaults place = faults;
    place.directory_lie = 100000;
    EXPECT_THAT(refusal(place), HasSubstr("table of contents does not lie in the file"));
    place.directory_lie = 1;
    EXPECT_THAT(refusal(place), HasSubstr("(damaged)"));
  }
  ZipFaults huge;
  huge.zip64 = true;
  huge.entry_count_lie = uint64_t{1} << 60U;
  EXPECT_THAT(zip_refusal(torch_zip_file(testing::small_object(), {}, huge)), HasSubstr("at most 131072 zip entries"));
  huge.entry_count_lie = 0;
  huge.size_lie = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(zip_refusal(torch_zip_file(testing::small_object(), {}, huge)), HasSubstr("does not lie in the file"));
}

TEST(ZipArchiveTest, OverlappingEntriesAreRefused) {
  // Two entries with the second's header inside the first: the table says so, whatever the headers say.
  const std::string inner = zip_file({{"b", std::string(60, 'x')}});
  std::string file = zip_file({{"a", inner}});
  EXPECT_NO_THROW(ZipArchive(MemorySource("net.pth", file)));
  EXPECT_THAT(zip_refusal(zip_file({{"a", "x"}, {"a", "y"}})), HasSubstr("entry 'a' occurs twice"));
}

TEST(TorchStreamTest, TensorsAreRead) {
  const StateDict state = read_stream(testing::small_stream());
  expect_small(state);
  EXPECT_EQ(state.metadata.at("container"), "torch stream");
}

TEST(TorchStreamTest, EveryTruncationIsAnError) {
  const std::string bytes = testing::small_stream();
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_THROW(read_stream(bytes.substr(0, size)), DataError) << size;
  EXPECT_THAT(stream_refusal(bytes + "x"), HasSubstr("1 bytes are left behind the last storage"));
}

TEST(TorchStreamTest, HeadsOfOtherPicklesAreRefused) {
  EXPECT_THAT(stream_refusal("\x80\x02}."),
              HasSubstr("a pickle, but not one of torch.save: it begins with a dictionary"));
  EXPECT_THAT(stream_refusal(testing::stream_head(false) + testing::small_object(6)), HasSubstr("big-endian machine"));
  std::string other = testing::small_stream();
  other.replace(other.find("M\xe9\x03"), 3, "M\xea\x03");
  EXPECT_THAT(stream_refusal(other), HasSubstr("protocol 1001 of torch.save was expected, found 1002"));
  EXPECT_THAT(stream_refusal("\x80\x02"
                             "cos\nsystem\n(X\x04\x00\x00\x00trueR."),
              HasSubstr("is refused"));
}

TEST(TorchStreamTest, StorageListMustFitTheObject) {
  const std::string head = testing::stream_head() + one_tensor("FloatStorage", 2, {2}, {1}, 6);
  const std::string data = float_bytes({1, 2});
  const auto tail = [&](const std::vector<StreamStorage>& storages) {
    return stream_refusal(head + testing::stream_tail(storages));
  };
  EXPECT_NO_THROW(read_stream(head + testing::stream_tail({{"0", 2, data}})));
  EXPECT_THAT(tail({}), HasSubstr("storage '0' is missing"));
  EXPECT_THAT(tail({{"1", 2, data}}), HasSubstr("the list of storages holds the text '1', which no tensor uses"));
  EXPECT_THAT(tail({{"0", 2, data}, {"0", 2, data}}), HasSubstr("which no tensor uses"));
  EXPECT_THAT(tail({{"0", 3, data}}), HasSubstr("storage '0': expected 2 elements, found 3"));
  EXPECT_THAT(tail({{"0", 2, "x"}}), HasSubstr("needs 8 bytes, the file has 1 left"));
  EXPECT_THAT(stream_refusal(testing::stream_head() + one_tensor("FloatStorage", int64_t{1} << 61U, {1}, {1}, 6) +
                             testing::stream_tail({{"0", uint64_t{1} << 61U, data}})),
              HasSubstr("more than fit into the file"));
}

TEST(TorchStreamTest, EveryChangedByteIsRefusedOrHarmless) {
  const std::string good = testing::small_stream();
  const size_t data_begin = good.size() - 48;
  for (size_t i = 0; i < data_begin; ++i) {
    for (const unsigned flip : {1U, 0x80U, 0xffU}) {
      std::string bad = good;
      bad[i] = static_cast<char>(static_cast<unsigned char>(bad[i]) ^ flip);
      try {
        // A changed shape, offset or name cannot be told from a meant one; the views stay within their storages.
        for (const auto& [key, tensor] : read_stream(bad).tensors) EXPECT_LE(tensor.numel(), 6) << key;
      } catch (const DataError&) {
      }
    }
  }
}

PickleWriter& begin_object(PickleWriter& writer, const std::string& name) {
  return writer.global("__torch__", name).empty_tuple().raw("\x81").empty_dict().mark();
}

std::string script_archive(const std::string& object) {
  return zip_file(
      {{"net/data.pkl", object}, {"net/constants.pkl", "\x80\x02)."}, {"net/data/0", float_bytes({0, 1, 2, 3, 4, 5})}});
}

TEST(TorchScriptTest, AttributesAreNamedByTheirPath) {
  PickleWriter module;
  module.proto();
  begin_object(module, "Net").text("training").flag(false).text("conv");
  begin_object(module, "Conv")
      .text("weight")
      .tensor("FloatStorage", "0", 6, 0, {2, 3}, {3, 1})
      .text("_is_full_backward_hook")
      .none()
      .set_items()
      .build();
  module.text("scale").tensor("FloatStorage", "0", 6, 5, {}, {}).set_items().build().stop();
  const StateDict state = read_zip(script_archive(module.bytes()));
  EXPECT_EQ(state.metadata.at("container"), "TorchScript");
  ASSERT_EQ(state.tensors.size(), 2U);
  EXPECT_EQ(state.tensors[0].first, "scale");
  EXPECT_EQ(state.tensors[1].first, "conv.weight");
  EXPECT_EQ(state.tensors[0].second.item<float>(), 5.0F);
}

TEST(TorchScriptTest, ModulesThatContainThemselvesAreRefused) {
  PickleWriter module;
  module.proto().global("__torch__", "Net").empty_tuple().raw("\x81").put(0).empty_dict().mark();
  module.text("a").get(0).text("b").get(0).set_items().build().stop();
  EXPECT_THAT(zip_refusal(script_archive(module.bytes())), HasSubstr("nested deeper than 64 levels"));
}

TEST(TorchScriptTest, SharedModulesDoNotMultiplyWithoutBound) {
  // 2^40 paths lead to the innermost module.
  PickleWriter module;
  module.proto();
  begin_object(module, "Leaf").text("training").flag(false).set_items().build().put(0);
  for (int i = 0; i < 40; ++i) {
    module.raw("0");
    begin_object(module, "Pair").text("a").get(0).text("b").get(0).set_items().build().put(0);
  }
  EXPECT_THAT(zip_refusal(script_archive(module.stop().bytes())), HasSubstr("too many parts"));
}

TEST(TorchScriptTest, OtherContentIsRefused) {
  EXPECT_THAT(zip_refusal(script_archive(testing::small_object())),
              HasSubstr("a TorchScript module was expected, found a dictionary"));
  PickleWriter module;
  module.proto();
  begin_object(module, "Net").set_items().build().stop();
  EXPECT_THAT(zip_refusal(script_archive(module.bytes())), HasSubstr("the TorchScript module has no tensors"));
}

}  // namespace
}  // namespace tagbench
