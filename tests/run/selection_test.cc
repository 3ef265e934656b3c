#include "harness/run/selection.h"

#include "harness/core/json.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using testing::shared_path;

TEST(SelectionTest, ALossOfOneOrMoreNeverCounts) {
  Selection selection(load_protocol("won2020"));
  EXPECT_FALSE(selection.observe(1, 1.0));
  EXPECT_FALSE(selection.observe(2, 1.7));
  EXPECT_EQ(selection.best_epoch(), 0);
  EXPECT_TRUE(selection.observe(3, 0.999));
  EXPECT_FALSE(selection.observe(4, 0.999));  // strictly better only
  EXPECT_TRUE(selection.observe(5, 0.5));
  EXPECT_EQ(selection.best_epoch(), 5);
}

TEST(SelectionTest, AreasAreMaximised) {
  Protocol protocol = load_protocol("won2020");
  protocol.selection = "valid_roc_auc";
  Selection selection(protocol);
  EXPECT_TRUE(selection.observe(1, 0.4));
  EXPECT_FALSE(selection.observe(2, 0.3));
  EXPECT_TRUE(selection.observe(3, 0.6));
}

TEST(SelectionTest, LastTakesEveryEpoch) {
  Protocol protocol = load_protocol("won2020");
  protocol.selection = "last";
  Selection selection(protocol);
  EXPECT_TRUE(selection.observe(1, 0.0));
  EXPECT_TRUE(selection.observe(2, 0.0));
  EXPECT_EQ(selection.best_epoch(), 2);
}

// The official validation and schedule functions, run on a given series of losses: which epoch is best at each drop,
// and what follows.
TEST(SelectionTest, FollowsTheOfficialScheduleOver200Epochs) {
  TAGBENCH_REQUIRE_SHARED("parity/protocol/schedule.json");
  const Json fixture = read_json(shared_path("parity/protocol/schedule.json"));
  const Protocol protocol = load_protocol("won2020");
  for (const Json& item : fixture["cases"]) {
    Selection selection(protocol);
    Json events = Json::array();
    int epoch = 0;
    for (const Json& loss : item["valid_loss"]) {
      ++epoch;
      if (protocol.begins_stage(epoch)) {
        const TrainingStage& stage = protocol.stage_of(epoch);
        EXPECT_TRUE(stage.reload_best);
        events.push_back(
            {{"after_epoch", epoch - 1}, {"event", "reload best"}, {"best_epoch", selection.best_epoch()}});
        EXPECT_EQ(stage.optimizer, "sgd");
        EXPECT_TRUE(stage.nesterov);
        EXPECT_EQ(stage.momentum, 0.9);
        EXPECT_EQ(stage.weight_decay, 1e-4);
        // The official code makes one SGD object and only lowers its learning rate afterwards.
        EXPECT_EQ(stage.fresh_optimizer, epoch == 81);
      }
      selection.observe(epoch, loss.get<double>());
    }
    EXPECT_EQ(epoch, protocol.epochs);
    Json expected = Json::array();
    for (const Json& event : item["events"]) {
      if (event["event"] == "reload best")
        expected.push_back(
            {{"after_epoch", event["after_epoch"]}, {"event", "reload best"}, {"best_epoch", event["best_epoch"]}});
    }
    EXPECT_EQ(events, expected);
    for (const Json& setting : item["epochs_by_setting"]) {
      for (int e = setting["epochs"][0]; e <= setting["epochs"][1].get<int>(); ++e) {
        EXPECT_EQ(protocol.stage_of(e).optimizer, setting["optimizer"] == "Adam" ? "adam" : "sgd") << e;
        EXPECT_EQ(protocol.stage_of(e).learning_rate, setting["lr"].get<double>()) << e;
      }
    }
    EXPECT_EQ(selection.best_epoch(), item["best_epoch_final"].get<int>());
    EXPECT_EQ(selection.best_value(), item["best_valid_loss"].get<double>());
  }
}

}  // namespace
}  // namespace tagbench
