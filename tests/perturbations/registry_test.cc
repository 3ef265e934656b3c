#include "perturbations/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "harness/audio/audio_file.h"
#include "harness/core/parallel.h"
#include "harness/core/text.h"
#include "perturbations/condition.h"
#include "tests/perturbations/signals.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::message_of;

// Two recordings for the perturbations that need files of the user's, written once.
const std::string& recordings_folder() {
  static const testing::TemporaryDirectory folder;
  static const std::string path = [] {
    write_wav(folder / "a.wav", testing::hiss(9000));
    write_wav(folder / "b.wav", testing::music(0.5, 22050));
    return folder.path().string();
  }();
  return path;
}

std::string condition_text(const PerturbationFacts& facts, const std::string& parameters) {
  const bool needs_path = !facts.parameters.empty() && facts.parameters.front().name == "path";
  return facts.name + ":" + parameters + (needs_path ? ",path=" + recordings_folder() : "");
}

// The mildest step with one option set to `value`.
std::string with_option(const PerturbationFacts& facts, const std::string& option, const std::string& value) {
  std::vector<std::string> parts = {option + "=" + value};
  for (const std::string& part : split_text(facts.ladder.front(), ',')) {
    if (!starts_with(part, option + "=")) parts.push_back(part);
  }
  return condition_text(facts, join_text(parts, ","));
}

// The mildest and the strongest step of the ladder, the papers' settings, and every value of every choice.
std::vector<std::string> settings(const PerturbationFacts& facts) {
  std::vector<std::string> texts = {condition_text(facts, facts.ladder.front()),
                                    condition_text(facts, facts.ladder.back())};
  for (const std::string& parameters : facts.published) texts.push_back(condition_text(facts, parameters));
  for (const OptionSpec& option : facts.parameters) {
    std::vector<std::string> values = option.choices;
    if (option.kind == OptionKind::kFlag) values = {"false", "true"};
    for (const std::string& value : values) texts.push_back(with_option(facts, option.name, value));
  }
  return texts;
}

// The rule that the facts state, applied to the setting in `text`.
int64_t expected_length(const PerturbationFacts& facts, const std::string& text, int64_t samples) {
  if (facts.length == LengthChange::kKept) return samples;
  for (const auto& [option, value] : parse_spec(text).options) {
    if (option == "rate") return std::llround(static_cast<double>(samples) / parse_real_expression(value).value());
  }
  ADD_FAILURE() << text << " changes the length, but has no rate";
  return samples;
}

// Empty, one sample, silence, 8 kHz, full scale and others.
std::vector<Waveform> awkward_inputs() {
  Waveform full_scale = testing::sine(997.0, 1.0, 0.3);
  for (float& sample : full_scale.samples) sample = sample >= 0.0F ? 1.0F : -1.0F;
  return {testing::silence(0),
          testing::silence(1),
          testing::silence(3000),
          {{0.5F}, 16000},
          {{-1.0F}, 8000},
          testing::hiss(2),
          testing::hiss(700),
          testing::hiss(5000, 44100),
          testing::music(0.5, 8000),
          testing::hiss(50, 1000),
          full_scale};
}

void expect_defined(const std::string& text, const Waveform& input, int64_t expected_samples) {
  const std::string where =
      text + " on " + std::to_string(input.size()) + " samples at " + std::to_string(input.sample_rate_hz);
  const Perturbed result = testing::applied(text, input);
  EXPECT_TRUE(testing::all_finite(result.waveform.samples)) << where;
  EXPECT_EQ(result.waveform.sample_rate_hz, input.sample_rate_hz) << where;
  EXPECT_EQ(result.waveform.size(), expected_samples) << where;
  for (const auto& [name, value] : result.reached) EXPECT_TRUE(std::isfinite(value)) << where << ": " << name;
}

class RegistryTest : public ::testing::TestWithParam<std::string> {
 protected:
  const PerturbationFacts& facts() const { return find_perturbation(GetParam()).facts; }
};

// Of every entry; RegistryTest covers those that make sound from sound.
class RegistryFactsTest : public RegistryTest {};

TEST_P(RegistryFactsTest, DeclaresItself) {
  const PerturbationFacts& f = facts();
  EXPECT_GE(f.version, 1);
  EXPECT_FALSE(f.summary.empty());
  EXPECT_EQ(f.summary.back(), '.');
  EXPECT_FALSE(f.source.empty());
  EXPECT_EQ(f.ladder.size(), 5U);
  EXPECT_FALSE(f.ladder_reason.empty());
  for (const OptionSpec& option : f.parameters) EXPECT_FALSE(option.help.empty()) << option.name;
  const std::set<std::string> kinds = {"tempo", "key", "loudness", "recording"};
  for (const std::string& kind : f.may_falsify) EXPECT_EQ(kinds.count(kind), 1U) << kind;
  for (const std::string& text : settings(f)) EXPECT_NO_THROW(Condition::parse(text)) << text;
}

TEST_P(RegistryTest, SameSeedGivesSameSamplesAndOtherSeedDiffersOnlyIfRandom) {
  const Waveform clip = testing::music(1.0);
  for (const std::string& text : settings(facts())) {
    const std::vector<float> first = testing::applied(text, clip, 1).waveform.samples;
    EXPECT_TRUE(first == testing::applied(text, clip, 1).waveform.samples) << text;
    // A choice between two files falls the same way for some seeds.
    bool differs = false;
    const uint64_t seeds = facts().random ? 8 : 3;
    for (uint64_t seed = 2; seed < seeds && !differs; ++seed)
      differs = first != testing::applied(text, clip, seed).waveform.samples;
    EXPECT_EQ(differs, facts().random) << text;
    EXPECT_EQ(Condition::parse(text).random(), facts().random);
  }
}

TEST_P(RegistryTest, LadderStepsDiffer) {
  // From full scale to -80 dB, slowly enough for a compressor to follow: every part of a level-dependent curve is met.
  Waveform clip = testing::music(4.0);
  for (size_t i = 0; i < clip.samples.size(); ++i) {
    clip.samples[i] *= 2.0F * std::exp(-9.0F * static_cast<float>(i) / static_cast<float>(clip.samples.size()));
  }
  std::vector<std::vector<float>> steps;
  for (const std::string& rung : facts().ladder) {
    steps.push_back(testing::applied(condition_text(facts(), rung), clip).waveform.samples);
    EXPECT_TRUE(steps.back() != clip.samples) << rung;
    for (size_t i = 0; i + 1 < steps.size(); ++i) EXPECT_TRUE(steps.back() != steps[i]) << rung;
  }
}

TEST_P(RegistryTest, IdentitySettingReturnsTheInput) {
  if (facts().identity.empty()) GTEST_SKIP() << "it has none";
  const Waveform clip = testing::music(1.0);
  const Perturbed result = testing::applied(condition_text(facts(), facts().identity), clip);
  ASSERT_EQ(result.waveform.size(), clip.size());
  // 60 dB: below what can be heard beside the track.
  EXPECT_GE(testing::snr_db(clip.samples, result.waveform.samples), 60.0);
}

TEST_P(RegistryTest, AnyInputGivesFiniteSamplesOfTheRightLength) {
  for (const std::string& text : settings(facts())) {
    for (const Waveform& input : awkward_inputs())
      expect_defined(text, input, expected_length(facts(), text, input.size()));
  }
}

TEST_P(RegistryTest, TenMinutesAreDefined) {
  // At a low rate, to be quick.
  Waveform track = testing::silence(600 * 4000, 4000);
  const Waveform bar = testing::music(2.0, 4000);
  for (size_t i = 0; i < track.samples.size(); ++i) track.samples[i] = bar.samples[i % bar.samples.size()];
  const std::string text = condition_text(facts(), facts().ladder.back());
  const Perturbed result = testing::applied(text, track);
  EXPECT_TRUE(testing::all_finite(result.waveform.samples));
  EXPECT_EQ(result.waveform.size(), expected_length(facts(), text, track.size()));
}

TEST_P(RegistryTest, SilenceStaysFreeOfSurprises) {
  const Perturbed result = testing::applied(condition_text(facts(), facts().ladder.back()), testing::silence(4000));
  // Codecs may leave their rounding floor.
  for (const float sample : result.waveform.samples) ASSERT_LE(std::fabs(sample), 1e-3F);
}

TEST_P(RegistryTest, ThreadsAndOrderDoNotMatter) {
  constexpr int64_t kTracks = 6;
  const Condition condition = Condition::parse(condition_text(facts(), facts().ladder[2]));
  const auto track = [](int64_t i) { return testing::music(0.3 + 0.05 * static_cast<double>(i)); };
  const auto rendered = [&](int64_t i) {
    return condition.apply(track(i), 5, "track " + std::to_string(i)).waveform.samples;
  };
  std::vector<std::vector<float>> alone(kTracks);
  for (int64_t i = kTracks; i-- > 0;) alone[static_cast<size_t>(i)] = rendered(i);
  std::vector<std::vector<float>> together(kTracks);
  parallel_for(kTracks, 4, [&](int64_t i) { together[static_cast<size_t>(i)] = rendered(i); });
  EXPECT_TRUE(alone == together);
}

TEST_P(RegistryFactsTest, RejectsUnknownOptionsAndNumbersOutOfRange) {
  EXPECT_THAT(message_of([&] { Condition::parse(condition_text(facts(), "no_such_option=1")); }),
              HasSubstr(facts().name + ": unknown option 'no_such_option'"));
  for (const OptionSpec& option : facts().parameters) {
    if (option.kind != OptionKind::kReal && option.kind != OptionKind::kInteger) continue;
    for (const std::string bad : {"nan", "inf", "-inf", "1e300", "-1e300", "one"}) {
      EXPECT_THAT(message_of([&] { Condition::parse(with_option(facts(), option.name, bad)); }),
                  HasSubstr(facts().name + ": " + option.name + " must be"));
    }
  }
}

std::vector<std::string> names() {
  std::vector<std::string> list;
  for (const PerturbationEntry& entry : perturbations()) list.push_back(entry.facts.name);
  return list;
}

std::vector<std::string> names_of_sound_to_sound() {
  std::vector<std::string> list;
  for (const PerturbationEntry& entry : perturbations()) {
    if (!entry.facts.from_score) list.push_back(entry.facts.name);
  }
  return list;
}

INSTANTIATE_TEST_SUITE_P(All, RegistryFactsTest, ::testing::ValuesIn(names()),
                         [](const auto& tested) { return tested.param; });
INSTANTIATE_TEST_SUITE_P(All, RegistryTest, ::testing::ValuesIn(names_of_sound_to_sound()),
                         [](const auto& tested) { return tested.param; });

TEST(RegistryChainTest, AnyInputGivesFiniteSamplesOfTheRightLength) {
  const std::string chain = "chain:[time_stretch:rate=2,engine=rubberband_r3, mp3:kbps=32, white_noise:snr_db=10]";
  for (const Waveform& input : awkward_inputs())
    expect_defined(chain, input, std::llround(static_cast<double>(input.size()) / 2.0));
}

TEST(RegistryNamesTest, NamesAreUniqueAndUnknownOnesAreAnswered) {
  const std::vector<std::string> list = names();
  EXPECT_EQ(std::set<std::string>(list.begin(), list.end()).size(), list.size());
  EXPECT_THAT(message_of([] { find_perturbation("white_nois"); }),
              HasSubstr("unknown perturbation 'white_nois'; did you mean 'white_noise'?"));
}

}  // namespace
}  // namespace tagbench
