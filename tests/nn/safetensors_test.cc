#include "harness/nn/safetensors.h"

#include <gmock/gmock.h>
#include <torch/types.h>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "tests/nn/weight_files.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::little_endian;
using testing::message_of;
using testing::safetensors_file;
using testing::TemporaryDirectory;

StateDict read_bytes(const std::string& bytes) {
  return read_safetensors(MemorySource("net.safetensors", bytes));
}

std::string header_refusal(const std::string& header, const std::string& data = "") {
  return message_of([&] { read_bytes(safetensors_file(header, data)); });
}

TEST(SafetensorsTest, TensorsComeInHeaderOrderWithTheirValues) {
  const StateDict state = read_bytes(testing::small_safetensors());
  ASSERT_EQ(state.tensors.size(), 2U);
  EXPECT_EQ(state.tensors[0].first, "weight");
  EXPECT_TRUE(torch::equal(state.tensors[0].second, torch::arange(6, torch::kFloat).view({2, 3})));
  EXPECT_EQ(state.find("counter")->item<int64_t>(), 7);
  EXPECT_EQ(state.find("counter")->dim(), 0);
  EXPECT_EQ(state.find("bias"), nullptr);
}

TEST(SafetensorsTest, EveryTypeSurvivesTheRoundTrip) {
  const TemporaryDirectory folder;
  StateDict state;
  for (const auto type : {torch::kBool, torch::kUInt8, torch::kInt8, torch::kInt16, torch::kInt32, torch::kInt64,
                          torch::kHalf, torch::kBFloat16, torch::kFloat, torch::kDouble}) {
    state.tensors.emplace_back(c10::toString(type), torch::tensor({0, 1, 1}).to(type));
  }
  state.tensors.emplace_back("empty", torch::empty({0, 4}));
  state.tensors.emplace_back("transposed", torch::arange(6).view({2, 3}).t());
  state.metadata = {{"tags", "[\"rock\"]"}, {"a", "\xc3\xa9"}};
  write_safetensors(folder / "x.safetensors", state);
  const StateDict back = read_state_dict(folder / "x.safetensors");
  EXPECT_EQ(back.metadata, state.metadata);
  ASSERT_EQ(back.tensors.size(), state.tensors.size());
  for (size_t i = 0; i < state.tensors.size(); ++i) {
    EXPECT_EQ(back.tensors[i].first, state.tensors[i].first);
    EXPECT_EQ(back.tensors[i].second.scalar_type(), state.tensors[i].second.scalar_type());
    EXPECT_TRUE(torch::equal(back.tensors[i].second, state.tensors[i].second)) << state.tensors[i].first;
  }
}

TEST(SafetensorsTest, EqualStatesGiveEqualAlignedBytes) {
  const TemporaryDirectory folder;
  StateDict state;
  state.tensors = {
      {"flag", torch::tensor({true})}, {"weight", torch::ones({3})}, {"counter", torch::tensor(int64_t{5})}};
  write_safetensors(folder / "a", state);
  write_safetensors(folder / "b", state);
  const std::string bytes = read_text_file(folder / "a");
  EXPECT_EQ(bytes, read_text_file(folder / "b"));
  // Padded to 8; the 8-byte counter comes first in the data, so that every tensor is aligned.
  EXPECT_EQ(static_cast<unsigned char>(bytes[0]) % 8, 0);
  EXPECT_THAT(bytes, HasSubstr(R"("counter":{"dtype":"I64","shape":[],"data_offsets":[0,8]})"));
  EXPECT_THAT(bytes, HasSubstr(R"({"flag":{"dtype":"BOOL","shape":[1],"data_offsets":[20,21]})"));
}

TEST(SafetensorsTest, WriterRefusesWhatCannotBeReadBack) {
  const TemporaryDirectory folder;
  StateDict state;
  state.tensors = {{"x", torch::zeros({1}, torch::kComplexFloat)}};
  EXPECT_THAT(message_of([&] { write_safetensors(folder / "a", state); }),
              HasSubstr("tensor 'x' has type ComplexFloat"));
  state.tensors = {{"\xff", torch::zeros({1})}};
  EXPECT_THAT(message_of([&] { write_safetensors(folder / "a", state); }), HasSubstr("is not UTF-8"));
  state.tensors = {{"x", torch::zeros({1})}, {"x", torch::zeros({1})}};
  EXPECT_THROW(write_safetensors(folder / "a", state), std::logic_error);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(SafetensorsTest, WriterNamesAnUnwritablePath) {
  const TemporaryDirectory folder;
  write_file_atomically(folder / "file", "x");
  EXPECT_THROW(write_safetensors(folder / "file" / "a.safetensors", StateDict{}), DataError);
}

TEST(SafetensorsTest, EveryTruncationIsAnError) {
  const std::string bytes = testing::small_safetensors();
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_THROW(read_bytes(bytes.substr(0, size)), DataError) << size;
  EXPECT_THAT(message_of([&] { read_bytes(bytes + "x"); }), HasSubstr("the tensors have 32 bytes, the file holds 33"));
}

TEST(SafetensorsTest, HugeHeaderIsRefused) {
  EXPECT_THAT(message_of([] { read_bytes(little_endian(uint64_t{1} << 60U, 8) + "{}"); }),
              HasSubstr("a header of 1152921504606846976 bytes is refused; the file has 10 bytes"));
  EXPECT_THAT(message_of([] { read_bytes(little_endian(~uint64_t{0}, 8) + "{}"); }), HasSubstr("is refused"));
}

TEST(SafetensorsTest, OffsetsMustTileTheData) {
  const std::string data(8, '\0');
  const auto two = [](const std::string& a, const std::string& b) {
    return R"({"a":{"dtype":"F32","shape":[1],"data_offsets":)" + a +
           R"(},"b":{"dtype":"F32","shape":[1],"data_offsets":)" + b + "}}";
  };
  EXPECT_NO_THROW(read_bytes(safetensors_file(two("[4,8]", "[0,4]"), data)));
  EXPECT_THAT(header_refusal(two("[0,4]", "[0,4]"), data),
              HasSubstr("tensor 'b' begins at data byte 0 and overlaps another tensor"));
  EXPECT_THAT(header_refusal(two("[0,4]", "[2,6]"), data), HasSubstr("overlaps"));
  EXPECT_THAT(header_refusal(two("[0,4]", "[5,9]"), data + "x"), HasSubstr("leaves a gap"));
  EXPECT_THAT(header_refusal(two("[0,4]", "[4,12]"), data), HasSubstr("do not lie in the 8 bytes of data"));
  EXPECT_THAT(header_refusal(two("[4,0]", "[4,8]"), data), HasSubstr("do not lie"));
  EXPECT_THAT(header_refusal(two("[0,4]", "[18446744073709551612,0]"), data), HasSubstr("do not lie"));
  EXPECT_THAT(header_refusal(two("[0,4]", "[4,7]"), data.substr(1)),
              HasSubstr("its shape needs 4 bytes, its data offsets span 3"));
}

TEST(SafetensorsTest, ShapesThatOverflowAreRefused) {
  EXPECT_THAT(header_refusal(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})"),
              HasSubstr("needs too many bytes"));
  EXPECT_THAT(header_refusal(R"({"a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,0]}})"),
              HasSubstr("needs too many bytes"));
  EXPECT_THAT(header_refusal(R"({"a":{"dtype":"F32","shape":[0,9223372036854775807,2],"data_offsets":[0,0]}})"),
              HasSubstr("needs too many bytes"));
  EXPECT_THAT(header_refusal(R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,0]}})"),
              HasSubstr("is too large"));
  EXPECT_THAT(header_refusal(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,0]}})"), HasSubstr("the number -1"));
  EXPECT_THAT(header_refusal(R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})"),
              HasSubstr("the number '1.0'"));
  EXPECT_THAT(
      header_refusal(R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})"),
      HasSubstr("more than 16 dimensions"));
}

TEST(SafetensorsTest, HeadersOfAnotherFormAreRefused) {
  EXPECT_THAT(header_refusal("[]"), HasSubstr("an array stands where an object was expected"));
  EXPECT_THAT(header_refusal(R"({"a":3})"), HasSubstr("tensor 'a': the number 3 stands where an object was expected"));
  EXPECT_THAT(header_refusal(R"({"a":{}})"), HasSubstr("dtype, shape and two data_offsets are needed"));
  EXPECT_THAT(header_refusal(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0]}})"),
              HasSubstr("two data_offsets are needed"));
  EXPECT_THAT(header_refusal(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4,8]}})"), HasSubstr("the number 8"));
  EXPECT_THAT(header_refusal(R"({"a":{"dtype":["F32"],"shape":[],"data_offsets":[0,4]}})"),
              HasSubstr("an array stands"));
  EXPECT_THAT(header_refusal(R"({"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})"),
              HasSubstr("an array stands"));
  EXPECT_THAT(header_refusal(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"x":1}})"),
              HasSubstr("unknown field 'x'"));
  EXPECT_THAT(header_refusal(R"({"a":{"dtype":"F32","dtype":"F32"}})"), HasSubstr("field 'dtype' occurs twice"));
  EXPECT_THAT(header_refusal(R"({"a":{"dtype":"F8_E4M3","shape":[],"data_offsets":[0,1]}})", "x"),
              HasSubstr("type 'F8_E4M3' is not supported; known: F64"));
  EXPECT_THAT(header_refusal(R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"a":{}})", "x"),
              HasSubstr("'a' occurs twice"));
  EXPECT_THAT(header_refusal(R"({"__metadata__":{"a":1}})"), HasSubstr("the number 1 stands"));
  EXPECT_THAT(header_refusal(R"({"__metadata__":{"a":"1","a":"2"}})"), HasSubstr("metadata 'a' occurs twice"));
  EXPECT_THAT(header_refusal(R"({"__metadata__":{"a":{}}})"), HasSubstr("an object stands"));
  EXPECT_THAT(header_refusal(R"({"":{}})"), HasSubstr("tensor name ''"));
  EXPECT_THAT(header_refusal("{\"a\":\xff}"), HasSubstr("no valid JSON"));
  EXPECT_THAT(header_refusal("{\"a\":"), HasSubstr("no valid JSON"));
  EXPECT_THAT(header_refusal("{}{}"), HasSubstr("no valid JSON"));
  EXPECT_THAT(header_refusal(std::string(100000, '[')), HasSubstr("an array stands"));
}

TEST(SafetensorsTest, BooleansMustBeZeroOrOne) {
  EXPECT_THAT(header_refusal(R"({"a":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}})", "\x01\x02"),
              HasSubstr("a boolean must be 0 or 1, found 2"));
}

TEST(SafetensorsTest, EveryChangedHeaderByteIsRefusedOrHarmless) {
  const std::string good = testing::small_safetensors();
  for (size_t i = 0; i < good.size() - 32; ++i) {
    for (const unsigned flip : {1U, 0x80U, 0xffU}) {
      std::string bad = good;
      bad[i] = static_cast<char>(static_cast<unsigned char>(bad[i]) ^ flip);
      try {
        // What is still accepted (another name) describes the same 32 bytes.
        int64_t bytes = 0;
        for (const auto& [key, tensor] : read_bytes(bad).tensors) bytes += tensor.numel() * tensor.element_size();
        EXPECT_EQ(bytes, 32);
      } catch (const DataError&) {
      }
    }
  }
}

TEST(SafetensorsTest, EmptyDictionaryIsAFile) {
  EXPECT_TRUE(read_bytes(safetensors_file("{}", "")).tensors.empty());
  EXPECT_TRUE(read_bytes(safetensors_file("{}      ", "")).tensors.empty());
}

}  // namespace
}  // namespace tagbench
