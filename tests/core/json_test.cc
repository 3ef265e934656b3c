#include "harness/core/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::message_of;
using testing::TemporaryDirectory;

TEST(JsonTest, UndefinedNumbersBecomeNull) {
  EXPECT_TRUE(json_number(std::nullopt).is_null());
  EXPECT_TRUE(json_number(std::nan("")).is_null());
  EXPECT_TRUE(json_number(-INFINITY).is_null());
  EXPECT_EQ(json_number(0.25), Json(0.25));
}

TEST(JsonTest, ReadsBackWhatItWritesInTheSameOrder) {
  const TemporaryDirectory folder;
  Json value;
  value["zebra"] = 1;
  value["apple"] = {1.5, nullptr, "\xC3\xA4", true};
  value["third"] = 0.1;
  write_json(folder / "sub/a.json", value);
  EXPECT_EQ(read_json(folder / "sub/a.json"), value);
  const std::string text = read_text_file(folder / "sub/a.json");
  EXPECT_LT(text.find("zebra"), text.find("apple"));
  EXPECT_EQ(text.back(), '\n');
  EXPECT_EQ(text.substr(0, 14), "{\n  \"zebra\": 1");
}

TEST(JsonTest, NumbersThatAreNotFiniteAreOurBug) {
  const TemporaryDirectory folder;
  Json value;
  value["a"]["b"] = {1.0, std::nan("")};
  EXPECT_THROW(write_json(folder / "a.json", value), std::logic_error);
  EXPECT_FALSE(std::filesystem::exists(folder / "a.json"));
}

TEST(JsonTest, CanonicalTextIsEqualForEqualValues) {
  const Json a = Json::parse(R"({"b": 1, "a": {"d": [1, 2.50], "c": null}})");
  const Json b = Json::parse(R"({ "a": {"c": null, "d": [1, 2.5]}, "b": 1 })");
  EXPECT_EQ(canonical_json(a), canonical_json(b));
  EXPECT_EQ(canonical_json(a), R"({"a":{"c":null,"d":[1,2.5]},"b":1})");
}

TEST(JsonTest, NamesTheFileThatIsNoJson) {
  const TemporaryDirectory folder;
  const auto message = [&](const std::string& text) {
    std::ofstream(folder / "a.json", std::ios::binary) << text;
    return message_of([&] { read_json(folder / "a.json"); });
  };
  for (const std::string& text : {std::string(), std::string("{\"a\": 1"), std::string("{'a': 1}"),
                                  std::string("{\"a\": NaN}"), std::string("[1] 2"), std::string("\"\xE4\"")}) {
    EXPECT_THAT(message(text), AllOf(HasSubstr("a.json: not valid JSON"), HasSubstr("parse error"))) << text;
  }
  EXPECT_THAT(message(std::string(100000, '[')), HasSubstr("JSON nested deeper than 64 levels"));
  EXPECT_THAT(message_of([&] { read_json(folder / "missing.json"); }), HasSubstr("missing.json"));
}

}  // namespace
}  // namespace tagbench
