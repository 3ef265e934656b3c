#include "harness/run/scorer.h"

#include <gmock/gmock.h>

#include <cmath>

#include "harness/core/errors.h"
#include "harness/core/json.h"
#include "harness/core/npy.h"
#include "harness/core/rng.h"
#include "harness/nn/device.h"
#include "harness/nn/state_dict.h"
#include "models/registry.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using testing::shared_path;

std::shared_ptr<Tagger> small(const std::string& name, int64_t n_tags) {
  torch::manual_seed(3);
  const ModelEntry& entry = find_model(name);
  return entry.make(Options(name, entry.options, {{"n_channels", "4"}}), n_tags);
}

std::vector<float> noise(int64_t n) {
  Rng rng(5, {"scorer test"});
  std::vector<float> samples(static_cast<size_t>(n));
  for (float& x : samples) x = static_cast<float>(0.1 * rng.normal());
  return samples;
}

// One clip, sixteen chunks, the published checkpoints: chunk outputs and their mean as the authors' code gives them.
// Tolerance as stated with the fixture.
TEST(ScorerTest, ReproducesPublishedPredictionsOfAWholeClip) {
  TAGBENCH_REQUIRE_SHARED("parity/e2e/expected.json");
  set_threads(2);
  const Json expected = read_json(shared_path("parity/e2e/expected.json"));
  const std::vector<float> audio = read_npy(shared_path("parity/e2e/audio_joram_16k.npy")).as_float();
  const double tolerance = expected["tolerance_abs"];
  for (const Json& item : expected["cases"]) {
    const std::string name = item["model"];
    const ModelEntry& entry = find_model(name);
    const auto tagger = entry.make(Options(name, entry.options, {}), static_cast<int64_t>(item["mean"].size()));
    const std::filesystem::path weights = shared_path(item["checkpoint"].get<std::string>());
    load_state(*tagger, read_state_dict(weights), name);
    const TrackScores scores = Scorer({tagger}, load_protocol("won2020"), {})
                                   .score({audio.data(), static_cast<int64_t>(audio.size())}, 16)
                                   .front();
    EXPECT_FALSE(scores.is_short);
    const std::vector<float> chunks =
        read_npy(shared_path("parity/e2e/" + item["chunk_outputs"].get<std::string>())).as_float();
    ASSERT_EQ(chunks.size(), scores.chunks.size());
    double worst = 0.0;
    for (size_t i = 0; i < chunks.size(); ++i)
      worst = std::max(worst, static_cast<double>(std::fabs(chunks[i] - scores.chunks[i])));
    EXPECT_LE(worst, tolerance) << item["checkpoint"];
    for (size_t k = 0; k < scores.mean.size(); ++k)
      EXPECT_NEAR(scores.mean[k], item["mean"][k].get<double>(), tolerance) << item["checkpoint"];
  }
}

TEST(ScorerTest, ManyTaggersGetWhatEachGetsAlone) {
  const std::vector<float> audio = noise(100000);
  const std::vector<std::shared_ptr<Tagger>> taggers = {small("short", 3), small("sample", 3), small("short_res", 3)};
  const Protocol protocol = load_protocol("won2020");
  const auto together = Scorer(taggers, protocol, {}).score({audio.data(), 100000}, 4);
  for (size_t m = 0; m < taggers.size(); ++m) {
    const auto alone = Scorer({taggers[m]}, protocol, {}).score({audio.data(), 100000}, 4).front();
    EXPECT_EQ(alone.chunks, together[m].chunks);
    ASSERT_EQ(alone.chunks.size(), 12U);
  }
}

TEST(ScorerTest, AShortTrackIsScoredAndTold) {
  const std::vector<float> audio = noise(20000);
  const auto scores =
      Scorer({small("short", 3)}, load_protocol("won2020"), {}).score({audio.data(), 20000}, 16).front();
  EXPECT_TRUE(scores.is_short);
  EXPECT_EQ(scores.mean.size(), 3U);
}

TEST(ScorerTest, WeightsThatGiveNoNumberAreAnError) {
  const auto tagger = small("short", 3);
  {
    const torch::NoGradGuard no_gradient;
    tagger->parameters().back().fill_(NAN);
  }
  const std::vector<float> audio = noise(60000);
  const Scorer scorer({tagger}, load_protocol("won2020"), {});
  EXPECT_THAT(testing::message_of([&] { scorer.score({audio.data(), 60000}, 2); }), ::testing::HasSubstr("not finite"));
}

}  // namespace
}  // namespace tagbench
