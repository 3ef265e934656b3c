#include "harness/run/trainer.h"

#include <gmock/gmock.h>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/text.h"
#include "harness/nn/device.h"
#include "harness/nn/state_dict.h"
#include "models/registry.h"
#include "tests/run/small_corpus.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::message_of;

class TrainerTest : public ::testing::Test {
 protected:
  TrainerTest() : cache_({directory_.path() / "cache", uint64_t{1} << 30U, {}, ResampleQuality::kBest}) {
    set_threads(1);
    testing::write_small_corpus(directory_.path(), 45, 4.0);
    dataset_ = load_dataset("folder", {{"root", directory_.path().string()}});
    protocol_ = load_protocol(ConfigNode::parse(
        "{name: test, epochs: 4, batch_size: 8, validation_chunks: 2, stages: [{optimizer: adam, learning_rate: 3e-3}, "
        "{from_epoch: 4, optimizer: sgd, learning_rate: 1e-3, momentum: 0.9, nesterov: true, reload_best: true}]}",
        "test"));
  }

  TrainingTask task(const TrackAudio& audio, const std::string& name) {
    const Split& split = dataset_.splits.front();
    return {audio,
            tracks_of(split, Part::kTrain),
            tracks_of(split, Part::kValid),
            protocol_,
            1,
            torch::kCPU,
            false,
            directory_ / (name + "/checkpoint"),
            directory_ / (name + "/training.jsonl"),
            directory_ / (name + "/timing.jsonl"),
            name};
  }

  std::shared_ptr<Tagger> tagger() {
    const ModelEntry& entry = find_model("short");
    return make_initialised(entry, Options("short", entry.options, {{"n_channels", "4"}}), 3, 1);
  }

  static bool equal(const Tagger& a, const Tagger& b) {
    const StateDict first = state_of(a);
    const StateDict second = state_of(b);
    for (size_t i = 0; i < first.tensors.size(); ++i) {
      if (!torch::equal(first.tensors[i].second, second.tensors[i].second)) return false;
    }
    return true;
  }

  testing::TemporaryDirectory directory_;
  Dataset dataset_;
  Protocol protocol_;
  PcmCache cache_;
};

TEST_F(TrainerTest, LearnsAndWritesOneLinePerEpoch) {
  const TrackAudio audio(dataset_, cache_);
  const auto trained = tagger();
  const TrainingResult result = train(*trained, task(audio, "a"));
  EXPECT_EQ(result.epochs, 4);
  EXPECT_GT(result.best_epoch, 0);
  std::vector<Json> lines;
  for (const std::string& line : split_text(trim(read_text_file(directory_ / "a/training.jsonl")), '\n'))
    lines.push_back(Json::parse(line));
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_LT(lines[3]["train_loss"].get<double>(), lines[0]["train_loss"].get<double>());
  EXPECT_EQ(lines[3]["optimizer"], "sgd");
  EXPECT_TRUE(lines[0].contains("valid_roc_auc"));
}

TEST_F(TrainerTest, EqualSeedsGiveEqualBitsAndOtherSeedsDoNot) {
  const TrackAudio audio(dataset_, cache_);
  const auto first = tagger();
  const auto second = tagger();
  const auto third = tagger();
  train(*first, task(audio, "a"));
  train(*second, task(audio, "b"));
  TrainingTask other = task(audio, "c");
  other.seed = 2;
  train(*third, other);
  EXPECT_TRUE(equal(*first, *second));
  EXPECT_FALSE(equal(*first, *third));
  EXPECT_EQ(read_text_file(directory_ / "a/training.jsonl"), read_text_file(directory_ / "b/training.jsonl"));
}

// Stops after an epoch and goes on from the checkpoint with a fresh network.
TEST_F(TrainerTest, ContinuesFromACheckpointBitForBit) {
  const TrackAudio audio(dataset_, cache_);
  const auto undisturbed = tagger();
  train(*undisturbed, task(audio, "whole"));
  for (const int stop : {1, 2, 3}) {
    const std::string name = "stopped" + std::to_string(stop);
    TrainingTask stopped = task(audio, name);
    stopped.stop_after_epoch = stop;
    const auto before = tagger();
    EXPECT_THROW(train(*before, stopped), Interrupted);
    const auto after = tagger();
    train(*after, task(audio, name));
    EXPECT_TRUE(equal(*undisturbed, *after)) << "stopped after epoch " << stop;
    EXPECT_EQ(read_text_file(directory_ / "whole/training.jsonl"),
              read_text_file(directory_ / (name + "/training.jsonl")));
  }
}

TEST_F(TrainerTest, ADivergingTrainingIsToldNotSaved) {
  const TrackAudio audio(dataset_, cache_);
  protocol_.stages[0].optimizer = "sgd";
  protocol_.stages[0].learning_rate = 1e30;
  const auto trained = tagger();
  EXPECT_THAT(message_of([&] { train(*trained, task(audio, "a")); }),
              ::testing::AnyOf(HasSubstr("not finite"), HasSubstr("never")));
}

TEST_F(TrainerTest, SelectionByValidationNeedsAValidationPart) {
  const TrackAudio audio(dataset_, cache_);
  TrainingTask without = task(audio, "a");
  without.valid_tracks.clear();
  const auto trained = tagger();
  EXPECT_THAT(message_of([&] { train(*trained, without); }), HasSubstr("protocol.selection=last"));
}

TEST(TaggingLossTest, IsTheMeanCrossEntropyOfThePublishedCode) {
  const Protocol protocol = load_protocol("won2020");
  const torch::Tensor logits = torch::tensor({{0.0, 2.0}, {-1.0, 200.0}}, torch::kFloat64);
  const torch::Tensor labels = torch::tensor({{1, 0}, {0, 0}}, torch::kUInt8);
  // -log 0.5, -log(1 - s(2)), -log(1 - s(-1)), and a logarithm limited to -100
  const double expected = (0.6931471805599453 + 2.1269280110429727 + 0.31326168751822286 + 100.0) / 4;
  EXPECT_NEAR(tagging_loss(logits, labels, protocol).item<double>(), expected, 1e-9);
}

TEST(TaggingLossTest, UnknownLabelsDoNotCount) {
  const Protocol protocol = load_protocol("won2020");
  const torch::Tensor logits = torch::tensor({{0.0, 5.0}}, torch::kFloat64);
  const torch::Tensor labels = torch::tensor({{1, 255}}, torch::kUInt8);
  EXPECT_NEAR(tagging_loss(logits, labels, protocol).item<double>(), 0.6931471805599453, 1e-12);
}

}  // namespace
}  // namespace tagbench
