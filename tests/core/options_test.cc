#include "harness/core/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/errors.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using ::testing::Pair;

using Given = std::vector<std::pair<std::string, std::string>>;

std::vector<OptionSpec> specs() {
  return {real_option("semitones", "0", "semitones", -24, 24, "shift"),
          integer_option("taps", "8", "", 1, 64, "filter length"),
          choice_option("engine", "rubberband_r2", {"rubberband_r2", "rubberband_r3", "phase_vocoder"}, "who shifts"),
          flag_option("formants", false, "keeps formants"), text_option("note", "", "free text")};
}

TEST(SpecTest, ReadsANameWithOptionsInOrder) {
  const Spec spec = parse_spec(" pitch_shift : semitones = 1 ,engine=rubberband_r3");
  EXPECT_EQ(spec.name, "pitch_shift");
  EXPECT_THAT(spec.options, ElementsAre(Pair("semitones", "1"), Pair("engine", "rubberband_r3")));
  EXPECT_EQ(spec_text(spec), "pitch_shift:semitones=1,engine=rubberband_r3");
  EXPECT_EQ(spec_text(parse_spec("clean")), "clean");
}

TEST(SpecTest, RefusesWhatIsNoSpec) {
  EXPECT_THAT(message_of([] { parse_spec(""); }), HasSubstr("a name was expected"));
  EXPECT_THAT(message_of([] { parse_spec(":a=1"); }), HasSubstr("a name was expected"));
  EXPECT_THAT(message_of([] { parse_spec("a:b"); }), HasSubstr("option=value was expected, found 'b'"));
  EXPECT_THAT(message_of([] { parse_spec("a:"); }), HasSubstr("option=value was expected"));
  EXPECT_THAT(message_of([] { parse_spec("a:b=1,b=2"); }), HasSubstr("option 'b' is given twice"));
}

TEST(OptionsTest, FillsDefaultsAndReadsEveryKind) {
  const Options defaults("pitch_shift", specs(), {});
  EXPECT_EQ(defaults.real("semitones"), 0.0);
  EXPECT_EQ(defaults.integer("taps"), 8);
  EXPECT_EQ(defaults.text("engine"), "rubberband_r2");
  EXPECT_FALSE(defaults.flag("formants"));
  EXPECT_EQ(defaults.text("note"), "");
  EXPECT_EQ(defaults.changed_text(), "");
  const Options given("pitch_shift", specs(),
                      Given{{"semitones", "-1.50"}, {"taps", "64"}, {"formants", "Yes"}, {"note", "x y"}});
  EXPECT_EQ(given.real("semitones"), -1.5);
  EXPECT_EQ(given.integer("taps"), 64);
  EXPECT_TRUE(given.flag("formants"));
  EXPECT_EQ(given.text("note"), "x y");
}

TEST(OptionsTest, EqualSettingsHaveEqualText) {
  const Options a("p", specs(), Given{{"semitones", "2^-0.5"}, {"formants", "on"}});
  const Options b("p", specs(), Given{{"formants", "1"}, {"semitones", "0.7071067811865476"}});
  EXPECT_EQ(a.canonical_text(), b.canonical_text());
  EXPECT_EQ(a.canonical_text(), "engine=rubberband_r2,formants=true,note=,semitones=0.7071067811865476,taps=8");
  EXPECT_EQ(Options("p", specs(), Given{{"semitones", "-0"}}).canonical_text(),
            Options("p", specs(), {}).canonical_text());
}

TEST(OptionsTest, TellsWhatDiffersFromTheDefaultsAsItWasWritten) {
  EXPECT_EQ(Options("p", specs(), Given{{"semitones", "2^0.5"}, {"taps", "+8"}}).changed_text(), "semitones=2^0.5");
}

TEST(OptionsTest, NamesTheUnknownTheNearestAndTheKnown) {
  EXPECT_THAT(message_of([] {
                Options("pitch_shift", specs(), Given{{"semitone", "1"}});
              }),
              AllOf(HasSubstr("pitch_shift: unknown option 'semitone'; did you mean 'semitones'?"),
                    HasSubstr("known: semitones, taps, engine")));
  EXPECT_THAT(message_of([] {
                Options("polarity", {}, Given{{"x", "1"}});
              }),
              HasSubstr("unknown option 'x'; it takes none"));
  EXPECT_THAT(message_of([] {
                Options("p", specs(), Given{{"engine", "rubberband"}});
              }),
              HasSubstr("unknown engine 'rubberband'; did you mean 'rubberband_r2'?"));
}

TEST(OptionsTest, RefusesValuesThatDoNotFit) {
  const auto message = [](const char* name, const char* value) {
    return message_of([&] { Options("p", specs(), Given{{name, value}}); });
  };
  for (const char* value : {"", "x", "nan", "inf", "1e999", "2^1e9"}) {
    EXPECT_THAT(message("semitones", value),
                HasSubstr("p: semitones must be a finite number, got '" + std::string(value) + "'"));
  }
  EXPECT_THAT(message("semitones", "24.5"), HasSubstr("semitones must be from -24 to 24 semitones, got '24.5'"));
  EXPECT_THAT(message("taps", "0"), HasSubstr("taps must be from 1 to 64, got '0'"));
  EXPECT_THAT(message("taps", "1.5"), HasSubstr("taps must be a whole number, got '1.5'"));
  EXPECT_THAT(message("formants", "maybe"), HasSubstr("formants must be true or false, got 'maybe'"));
}

TEST(OptionsTest, RefusesIntegersThatADoubleDoesNotHold) {
  const std::vector<OptionSpec> unbounded = {integer_option("n", "1", "", -std::numeric_limits<double>::infinity(),
                                                            std::numeric_limits<double>::infinity(), "any")};
  EXPECT_EQ(Options("p", unbounded, Given{{"n", "9007199254740992"}}).integer("n"), int64_t{1} << 53U);
  for (const char* value : {"2^64", "1e300", "-1e19", "9007199254740994"}) {
    EXPECT_THAT(message_of([&] {
                  Options("p", unbounded, Given{{"n", value}});
                }),
                HasSubstr("n must be a whole number"));
  }
}

TEST(OptionsTest, AsksForWhatIsRequired) {
  OptionSpec path = text_option("path", "", "folder of recordings");
  path.required = true;
  EXPECT_THAT(message_of([&] { Options("noise", {path}, {}); }),
              HasSubstr("noise: option 'path' is required (folder of recordings)"));
  EXPECT_EQ(Options("noise", {path}, Given{{"path", "x"}}).changed_text(), "path=x");
}

TEST(OptionsTest, AskingForAnUndeclaredOptionIsOurBug) {
  const Options options("p", specs(), {});
  EXPECT_THROW(static_cast<void>(options.real("typo")), std::logic_error);
}

TEST(RegistryTest, FindsByNameOrNamesTheNearest) {
  const std::vector<std::string> entries = {"fcn", "crnn"};
  const auto name_of = [](const std::string& entry) { return entry; };
  EXPECT_EQ(find_registered(entries, "crnn", "model", name_of), "crnn");
  EXPECT_THAT(message_of([&] { find_registered(entries, "crn", "model", name_of); }),
              HasSubstr("unknown model 'crn'; did you mean 'crnn'? known: fcn, crnn"));
}

}  // namespace
}  // namespace tagbench
