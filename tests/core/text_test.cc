#include "harness/core/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <clocale>
#include <cmath>

namespace tagbench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(TextTest, SplitsAtEverySeparator) {
  EXPECT_THAT(split_text("a,b,,c", ','), ElementsAre("a", "b", "", "c"));
  EXPECT_THAT(split_text("", ','), ElementsAre(""));
  EXPECT_THAT(split_text(",", ','), ElementsAre("", ""));
  EXPECT_EQ(join_text({"a", "b", "c"}, ", "), "a, b, c");
  EXPECT_EQ(join_text({}, ", "), "");
}

TEST(TextTest, TrimsBlanksAtBothEndsOnly) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(trim(""), "");
}

TEST(TextTest, LowersAsciiLettersOnly) {
  EXPECT_EQ(to_lower("FCN-\xC3\x84"), "fcn-\xC3\x84");
}

TEST(TextTest, KnowsPrefixesAndSuffixes) {
  EXPECT_TRUE(starts_with("abc", "ab"));
  EXPECT_TRUE(starts_with("abc", ""));
  EXPECT_FALSE(starts_with("ab", "abc"));
  EXPECT_TRUE(ends_with("a.wav", ".wav"));
  EXPECT_FALSE(ends_with("wav", ".wav"));
}

TEST(TextTest, ReadsWholeNumbersOnly) {
  EXPECT_EQ(parse_real("1.5"), 1.5);
  EXPECT_EQ(parse_real("+1e-3"), 1e-3);
  EXPECT_EQ(parse_real("-0.25"), -0.25);
  EXPECT_TRUE(std::isnan(parse_real("nan").value()));
  EXPECT_TRUE(std::isinf(parse_real("-inf").value()));
  for (const char* text : {"", "+", "-", "+-1", "++1", " 1", "1 ", "1,5", "1.5x", "0x10", "one", "1e999"}) {
    EXPECT_FALSE(parse_real(text)) << text;
  }
  EXPECT_EQ(parse_integer("-42"), -42);
  EXPECT_EQ(parse_integer("+42"), 42);
  EXPECT_EQ(parse_integer("9223372036854775807"), INT64_MAX);
  for (const char* text : {"", "+-1", "1.0", "1e3", "9223372036854775808", " 1"})
    EXPECT_FALSE(parse_integer(text)) << text;
}

TEST(TextTest, ReadsPowers) {
  EXPECT_DOUBLE_EQ(parse_real_expression("2^-0.5").value(), std::sqrt(0.5));
  EXPECT_EQ(parse_real_expression("2^10"), 1024.0);
  EXPECT_EQ(parse_real_expression("0.7"), 0.7);
  for (const char* text : {"2^", "^2", "2^^2", "2^3^4", "a^2"}) EXPECT_FALSE(parse_real_expression(text)) << text;
}

TEST(TextTest, WritesNumbersThatReadBackTheSame) {
  for (const double value : {0.1, 1.0 / 3.0, 1e300, 5e-324, -2.5, 0.0, 123456789012345680.0}) {
    EXPECT_EQ(parse_real(format_real(value)), value);
  }
  EXPECT_EQ(format_real(0.1), "0.1");
  EXPECT_EQ(format_real(5.0), "5");
  EXPECT_EQ(format_fixed(0.12345, 3), "0.123");
  EXPECT_EQ(format_fixed(-1.0, 2), "-1.00");
  EXPECT_EQ(format_fixed(2.0, 0), "2");
}

TEST(TextTest, NumbersDoNotDependOnTheLocale) {
  const std::string before = std::setlocale(LC_NUMERIC, nullptr);
  // Where no such locale is installed the test still holds.
  for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8"}) std::setlocale(LC_NUMERIC, name);
  EXPECT_EQ(format_fixed(1.5, 1), "1.5");
  EXPECT_EQ(format_real(1.5), "1.5");
  EXPECT_EQ(parse_real("1.5"), 1.5);
  std::setlocale(LC_NUMERIC, before.c_str());
}

TEST(TextTest, KnowsWellFormedUtf8) {
  for (const char* good :
       {"", "plain", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x8E\xB5", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_valid_utf8(good)) << good;
  }
  // Latin-1, a lone continuation, cut off, overlong (2 and 3 bytes), a surrogate, beyond U+10FFFF, bytes that never
  // occur.
  for (const char* bad : {"\xE4", "\x80", "\xE2\x82", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                          "\xFF", "\xF5\x80\x80\x80"}) {
    EXPECT_FALSE(is_valid_utf8(bad));
  }
}

TEST(TextTest, SuggestsTheNearestName) {
  const std::vector<std::string> known = {"musicnn", "crnn", "fcn"};
  EXPECT_EQ(nearest_name("musicn", known), "musicnn");
  EXPECT_EQ(nearest_name("CRNN", known), "crnn");
  EXPECT_EQ(nearest_name("transformer", known), std::nullopt);
  EXPECT_EQ(nearest_name("x", {}), std::nullopt);
  EXPECT_EQ(suggestion("fcm", known), "did you mean 'fcn'? known: musicnn, crnn, fcn");
  EXPECT_EQ(suggestion("transformer", known), "known: musicnn, crnn, fcn");
}

TEST(TextTest, SuggestsNamesThatShareWholeWords) {
  const std::vector<std::string> known = {"tilt",       "pitch_shift", "time_stretch",   "white_noise",
                                          "pink_noise", "brown_noise", "noise_recording"};
  EXPECT_THAT(suggestion("pitch", known), StartsWith("did you mean 'pitch_shift'? known: "));
  EXPECT_THAT(suggestion("time", known), StartsWith("did you mean 'time_stretch'? "));
  EXPECT_THAT(suggestion("Noise", known), StartsWith("did you mean 'white_noise', 'pink_noise' or 'brown_noise'? "));
  EXPECT_THAT(suggestion("tilt_filter_x", known), StartsWith("did you mean 'tilt'? "));
  EXPECT_THAT(suggestion("db", {"snr_db", "gain_db"}), StartsWith("did you mean 'snr_db' or 'gain_db'? "));
  // A part of a word is none, and a typing error of one letter comes first.
  EXPECT_THAT(suggestion("nois_x_y_z_u_v", known), StartsWith("known: "));
  EXPECT_EQ(near_names("music", {"musics", "music_light"}), std::vector<std::string>{"musics"});
}

TEST(TextTest, CutsLongListsAndCountsTheRest) {
  std::vector<std::string> known;
  for (int i = 0; i < 50; ++i) known.push_back("tag number " + std::to_string(i));
  EXPECT_THAT(suggestion("zzzzzzzzzzzzzzzzzz", known), HasSubstr("tag number 39 and 10 more"));
  EXPECT_THAT(suggestion("zzzzzzzzzzzzzzzzzz", known), Not(HasSubstr("tag number 40")));
}

TEST(TextTest, MarkupIsEscapedForAttributesAndText) {
  EXPECT_EQ(escape_markup("a<b> & \"c\"\n'd'\t\x01 \xC3\xA9"),
            "a&lt;b&gt; &amp; &quot;c&quot;&#10;&#39;d&#39;&#9;? \xC3\xA9");
}

}  // namespace
}  // namespace tagbench
