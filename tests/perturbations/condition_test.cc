#include "perturbations/condition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "harness/core/config.h"
#include "harness/core/errors.h"
#include "tests/perturbations/signals.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using ::testing::StartsWith;

std::vector<std::string> labels(const std::vector<std::string>& texts) {
  std::vector<std::string> found;
  for (const Condition& condition : parse_conditions(texts)) found.push_back(condition.label());
  return found;
}

TEST(ConditionTest, CleanChangesNothing) {
  const Condition clean = Condition::parse(" clean ");
  EXPECT_TRUE(clean.is_clean());
  EXPECT_EQ(clean.label(), "clean");
  EXPECT_EQ(clean.key(), "clean");
  EXPECT_FALSE(clean.random());
  EXPECT_TRUE(clean.may_falsify().empty());
  const Waveform clip = testing::music(0.1);
  const Perturbed result = clean.apply(clip, 1, "track");
  EXPECT_EQ(result.waveform.samples, clip.samples);
  EXPECT_TRUE(result.reached.empty());
}

TEST(ConditionTest, LabelIsAsWrittenWithoutBlanks) {
  EXPECT_EQ(Condition::parse(" time_stretch : rate = 2^-0.5 ").label(), "time_stretch:rate=2^-0.5");
  EXPECT_EQ(Condition::parse("chain: [ drc:preset=speech , white_noise:alpha=0.1 ]").label(),
            "chain:[drc:preset=speech,white_noise:alpha=0.1]");
}

TEST(ConditionTest, EqualSettingsHaveOneKey) {
  const std::string key = Condition::parse("time_stretch:rate=2^0.5,engine=rubberband_r2").key();
  EXPECT_EQ(key, Condition::parse("time_stretch:engine=rubberband_r2,rate=1.4142135623730951").key());
  EXPECT_EQ(key, Condition::parse("time_stretch:rate=2^0.5").key());
  EXPECT_EQ(key, "time_stretch/1:engine=rubberband_r2,rate=1.4142135623730951");
  EXPECT_EQ(key, Condition::parse("chain:[time_stretch:rate=2^0.5]").key());
  EXPECT_NE(key, Condition::parse("time_stretch:rate=2^0.5,engine=rubberband_r3").key());
}

TEST(ConditionTest, ChainAppliesLinksInOrderAndNamesWhatWasReached) {
  const Waveform clip = testing::music(0.5);
  const Condition chain = Condition::parse("chain:[time_stretch:rate=2,engine=phase_vocoder, white_noise:snr_db=20]");
  const Perturbed both = chain.apply(clip, 1, "track");
  EXPECT_EQ(both.waveform.size(), clip.size() / 2);
  EXPECT_NEAR(both.reached.at("time_stretch.rate"), 2.0, 1e-9);
  EXPECT_NEAR(both.reached.at("white_noise.snr_db"), 20.0, 1e-3);
  EXPECT_TRUE(chain.random());
  EXPECT_THAT(chain.may_falsify(), ElementsAre("tempo", "recording"));
  const Perturbed first = testing::applied("time_stretch:rate=2,engine=phase_vocoder", clip);
  EXPECT_NEAR(testing::snr_db(first.waveform.samples, both.waveform.samples), 20.0, 1e-3);
}

TEST(ConditionTest, RandomnessDependsOnSeedKeyAndTrackOnly) {
  const Waveform clip = testing::music(0.1);
  const Condition noise = Condition::parse("white_noise:snr_db=20");
  const auto samples = [&](const Condition& condition, uint64_t seed, const std::string& track) {
    return condition.apply(clip, seed, track).waveform.samples;
  };
  const std::vector<float> first = samples(noise, 1, "a");
  EXPECT_EQ(first, samples(noise, 1, "a"));
  EXPECT_EQ(first, samples(Condition::parse("white_noise: snr_db=2e1"), 1, "a"));
  EXPECT_NE(first, samples(noise, 2, "a"));
  EXPECT_NE(first, samples(noise, 1, "b"));
  // Two equal links of a chain add different noise: equal noise would add up to 6 dB, not 3.
  const Condition twice = Condition::parse("chain:[white_noise:snr_db=0,white_noise:snr_db=0]");
  const std::vector<float> doubled = samples(twice, 1, "a");
  EXPECT_NE(doubled, samples(noise, 1, "a"));
}

TEST(ConditionTest, RefusesSamplesThatAreNotFinite) {
  Waveform clip = testing::silence(10);
  clip.samples[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(message_of([&] { testing::applied("drc:preset=speech", clip); }),
              HasSubstr("drc:preset=speech: finite samples were expected, found nan at sample 7 of track 'track'"));
  clip.samples[7] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(message_of([&] { testing::applied("clean", clip); }), HasSubstr("found inf at sample 7"));
}

TEST(ConditionTest, RejectsWhatItDoesNotKnow) {
  EXPECT_THAT(message_of([] { Condition::parse("pitch_shfit:semitones=1"); }),
              HasSubstr("did you mean 'pitch_shift'?"));
  EXPECT_THAT(message_of([] { Condition::parse(""); }), HasSubstr("a name was expected"));
  EXPECT_THAT(message_of([] { Condition::parse("drc:speech"); }),
              HasSubstr("option=value was expected, found 'speech'"));
  EXPECT_THAT(message_of([] { Condition::parse("drc:preset=speech,preset=radio"); }), HasSubstr("given twice"));
  EXPECT_THAT(message_of([] { Condition::parse("chain:drc:preset=speech"); }), HasSubstr("a chain is written"));
  EXPECT_THAT(message_of([] { Condition::parse("chain:[]"); }), HasSubstr("a perturbation was expected"));
  EXPECT_THAT(message_of([] { Condition::parse("chain:[drc:preset=speech,]"); }), HasSubstr("found nothing"));
  EXPECT_THAT(message_of([] { Condition::parse("chain:[clean,drc:preset=speech]"); }),
              HasSubstr("cannot stand in a chain"));
  EXPECT_THAT(message_of([] { Condition::parse("drc@6"); }),
              HasSubstr("a severity from 1 to 5 was expected after '@', found '6'"));
  EXPECT_THAT(message_of([] { Condition::parse("drc@x"); }), HasSubstr("found 'x'"));
  EXPECT_THAT(message_of([] { Condition::parse("drc@2:strength=1"); }),
              HasSubstr("the severity sets strength already"));
}

TEST(ConditionTest, SeverityIsAStepOfTheLadder) {
  const Condition third = Condition::parse("pitch_shift@3");
  EXPECT_EQ(third.label(), "pitch_shift@3");
  EXPECT_EQ(third.key(), Condition::parse("pitch_shift:semitones=1").key());
  EXPECT_EQ(Condition::parse("pitch_shift@3:engine=phase_vocoder").key(),
            Condition::parse("pitch_shift:semitones=1,engine=phase_vocoder").key());
}

TEST(ConditionTest, ListPutsCleanFirstAndDropsRepeats) {
  EXPECT_THAT(labels({}), ElementsAre("clean"));
  EXPECT_THAT(labels({"none"}), ElementsAre("clean"));
  EXPECT_THAT(labels({"drc:preset=speech", "clean", "drc: preset=speech"}), ElementsAre("clean", "drc:preset=speech"));
}

TEST(ConditionTest, ListExpandsAlternatives) {
  EXPECT_THAT(labels({"time_stretch:rate=2^-0.5|2^0.5"}),
              ElementsAre("clean", "time_stretch:rate=2^-0.5", "time_stretch:rate=2^0.5"));
  EXPECT_THAT(
      labels({"pitch_shift:semitones=-1 | 1,engine=rubberband_r2|phase_vocoder"}),
      ElementsAre("clean", "pitch_shift:semitones=-1,engine=rubberband_r2",
                  "pitch_shift:semitones=-1,engine=phase_vocoder", "pitch_shift:semitones=1,engine=rubberband_r2",
                  "pitch_shift:semitones=1,engine=phase_vocoder"));
  EXPECT_THAT(labels({"pitch_shift@1|2"}), ElementsAre("clean", "pitch_shift@1", "pitch_shift@2"));
  EXPECT_THAT(labels({"chain:[drc:preset=speech|radio, white_noise:alpha=0.1]"}),
              ElementsAre("clean", "chain:[drc:preset=speech,white_noise:alpha=0.1]",
                          "chain:[drc:preset=radio,white_noise:alpha=0.1]"));
  EXPECT_THAT(message_of([] { parse_conditions({"pitch_shift:semitones=1|x"}); }), HasSubstr("got 'x'"));
}

TEST(ConditionTest, ReportsDurationAndLoudnessOfTheResult) {
  const Perturbed result =
      testing::applied("chain:[gain:gain_db=-6,time_stretch:rate=2,engine=phase_vocoder]", testing::music(1.0));
  EXPECT_NEAR(result.reached.at("duration_s"), 0.5, 1e-9);
  EXPECT_NEAR(testing::applied("gain:gain_db=-6", testing::music(1.0)).reached.at("loudness_change_db"), -6.0, 1e-4);
  EXPECT_EQ(testing::applied("gain:gain_db=-6", testing::silence(10)).reached.count("loudness_change_db"), 0U);
}

TEST(ConditionTest, RefusesResultsBeyondWhatAFloatHolds) {
  Waveform clip = testing::silence(3);
  clip.samples[1] = 1e38F;
  EXPECT_THAT(
      message_of([&] { testing::applied("gain:gain_db=40", clip); }),
      HasSubstr("gain made samples that no float can hold: finite samples were expected, found inf at sample 1"));
}

TEST(ConditionTest, SetsOfThePaperAreExact) {
  EXPECT_THAT(labels({"won2020"}),
              ElementsAre("clean", "pitch_shift:semitones=-1", "pitch_shift:semitones=1", "time_stretch:rate=2^-0.5",
                          "time_stretch:rate=2^0.5", "drc:preset=music_standard", "drc:preset=speech",
                          "white_noise:alpha=0.1", "white_noise:alpha=0.4"));
  EXPECT_THAT(
      labels({"won2020_script"}),
      ElementsAre("clean", "pitch_shift:semitones=-1,engine=phase_vocoder",
                  "pitch_shift:semitones=1,engine=phase_vocoder", "time_stretch:rate=2^-0.5,engine=phase_vocoder",
                  "time_stretch:rate=2^0.5,engine=phase_vocoder", "drc:preset=music_standard", "drc:preset=speech",
                  "white_noise:alpha=0.1", "white_noise:alpha=0.4"));
}

TEST(ConditionTest, LadderExpandsToItsSteps) {
  EXPECT_THAT(labels({"ladder:drc"}), ElementsAre("clean", "drc@1", "drc@2", "drc@3", "drc@4", "drc@5"));
  EXPECT_THAT(labels({"ladder:pitch_shift: engine=phase_vocoder"}).back(), "pitch_shift@5:engine=phase_vocoder");
  EXPECT_EQ(labels({"ladder:pitch_shift:engine=phase_vocoder|rubberband_r3"}).size(), 11U);
  EXPECT_THAT(message_of([] { parse_conditions({"ladder:drk"}); }), HasSubstr("did you mean 'drc'?"));
  EXPECT_THAT(message_of([] { parse_conditions({"ladder:drc:strength=1"}); }),
              HasSubstr("the severity sets strength already"));
}

TEST(ConditionTest, ScoreIsPlayedAnewOnceWithAllChangesAndThenProcessed) {
  const Waveform clip = testing::music(0.5);
  std::vector<ScoreChange> changes;
  const auto play = [&](const ScoreChange& change) {
    changes.push_back(change);
    return testing::music(0.25);
  };
  const Condition condition =
      Condition::parse("chain:[oracle_time_stretch:rate=2, oracle_pitch_shift:semitones=-1.5, gain:gain_db=-6]");
  EXPECT_TRUE(condition.needs_score());
  EXPECT_FALSE(Condition::parse("gain:gain_db=-6").needs_score());
  const Perturbed result = condition.apply(clip, 1, "track", play);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].rate, 2.0);
  EXPECT_EQ(changes[0].semitones, -1.5);
  EXPECT_EQ(result.waveform.samples, testing::applied("gain:gain_db=-6", testing::music(0.25)).waveform.samples);
  EXPECT_EQ(result.reached.at("oracle_time_stretch.rate"), 2.0);
  EXPECT_EQ(result.reached.at("oracle_pitch_shift.semitones"), -1.5);
  EXPECT_EQ(result.reached.at("gain.gain_db"), -6.0);
  EXPECT_THAT(condition.may_falsify(), ElementsAre("tempo", "key", "loudness"));
}

TEST(ConditionTest, RefusesAChangedScoreWhereThereIsNoneOrSoundWasProcessedBefore) {
  EXPECT_THAT(message_of([] { testing::applied("oracle_pitch_shift:semitones=1", testing::music(0.1)); }),
              HasSubstr("oracle_pitch_shift:semitones=1: a track with a score was expected"));
  EXPECT_THAT(message_of([] { Condition::parse("chain:[gain:gain_db=1,oracle_pitch_shift:semitones=1]"); }),
              HasSubstr("oracle_pitch_shift changes the score, so it must stand before what processes the sound"));
}

TEST(ConditionTest, YamlListsHoldTextsSetsAndChains) {
  const auto texts = [](const std::string& yaml) {
    std::vector<std::string> found;
    for (const Condition& condition : parse_conditions(condition_texts(ConfigNode::parse(yaml, "set.yaml"))))
      found.push_back(condition.label());
    return found;
  };
  EXPECT_THAT(texts("- drc:preset=speech\n- chain: [mp3:kbps=64, white_noise:snr_db=20]\n- ladder:tilt\n"),
              ElementsAre("clean", "drc:preset=speech", "chain:[mp3:kbps=64,white_noise:snr_db=20]", "tilt@1", "tilt@2",
                          "tilt@3", "tilt@4", "tilt@5"));
  // Unquoted in a block, a chain is one text, too.
  EXPECT_THAT(texts("- chain:[mp3:kbps=64, white_noise:snr_db=20]\n"),
              ElementsAre("clean", "chain:[mp3:kbps=64,white_noise:snr_db=20]"));
  EXPECT_EQ(texts("won2020"), labels({"won2020"}));
  EXPECT_THAT(message_of([&] { texts("- drc:preset=speech\n- {chains: [a]}\n"); }),
              HasSubstr("set.yaml:2: [1]: a perturbation was expected, as text or as {chain: [first, second]}"));
  EXPECT_THAT(message_of([&] { texts("- drc:preset=speech\n\n- mp3:kbps=65\n"); }),
              StartsWith("set.yaml:3: mp3: unknown kbps '65'"));
  EXPECT_THAT(message_of([&] { texts("- chain:\n  - gain:gain_db=1\n  - drk:preset=speech\n"); }),
              StartsWith("set.yaml:1: unknown perturbation 'drk'"));
  EXPECT_THAT(message_of([&] { texts("- noise_recording:snr_db=1,path=/no/such/place\n"); }),
              StartsWith("set.yaml:1: noise_recording: path must name"));
}

TEST(ConditionTest, AFileWithAListIsASet) {
  const testing::TemporaryDirectory folder;
  const std::string path = folder / "mine.yaml";
  std::ofstream(path) << "[won2020, {chain: [mp3:kbps=64, 'white_noise:snr_db=10|20']}, none]\n";
  const std::vector<std::string> found = labels({path});
  EXPECT_EQ(found.size(), 11U);
  EXPECT_EQ(found.back(), "chain:[mp3:kbps=64,white_noise:snr_db=20]");
  std::ofstream(path) << "[other.yaml]\n";
  EXPECT_THAT(message_of([&] { labels({path}); }), HasSubstr(":1: a list of perturbations cannot name another file"));
  std::ofstream(path) << "[won2020,\n won2002]\n";
  EXPECT_THAT(message_of([&] { labels({path}); }), StartsWith(path + ":2: unknown perturbation or set 'won2002'"));
  EXPECT_THAT(message_of([] { labels({"nowhere.yaml"}); }), HasSubstr("nowhere.yaml"));
}

TEST(ConditionTest, EverySetParses) {
  for (const PerturbationSet& set : perturbation_sets()) {
    EXPECT_GT(parse_conditions({set.name}).size(), 1U) << set.name;
    EXPECT_FALSE(set.summary.empty());
  }
}

TEST(ConditionTest, ASetWhereOnePerturbationIsMeantIsCalledASet) {
  for (const std::string text : {"chain:[won2020]", "ladder:won2020", "won2020@2", "won2020:engine=phase_vocoder"}) {
    EXPECT_THAT(message_of([&] { parse_conditions({text}); }),
                HasSubstr("one perturbation was expected, 'won2020' is a set of 8 conditions"))
        << text;
  }
}

TEST(ConditionTest, ListNamesTheNearestSet) {
  EXPECT_THAT(message_of([] { parse_conditions({"won2002"}); }),
              HasSubstr("unknown perturbation or set 'won2002'; did you mean 'won2020'?"));
}

}  // namespace
}  // namespace tagbench
